"""The catalogue: making and changing services, and how one stands.

Admins and the leads of the owning team look after a service. What changes about a service may
end the waiting of whoever is kept waiting by it, so those are asked again (`services.quiet`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.core.errors import ConflictError, InvalidInputError, NotFoundError
from app.crud import crud_maintenance_window, crud_service
from app.crud.crud_service import Uncatalogued, Unresolved
from app.db.session import ReadSession, WriteSession
from app.domain.conditions import Fault
from app.models import Service, User
from app.services import on_call as on_call_service
from app.services import quiet
from app.services import team as team_service
from app.services.on_call import Next
from app.services.rota_people import Person

SEEN_WITHIN = timedelta(days=30)
MOST_UNCATALOGUED = 100
LOOKED_THROUGH = 5_000


class ServiceNameTakenError(ConflictError):
    """Another service has this name, whatever its capitals."""

    code = "SERVICE_NAME_TAKEN"


class InvalidServiceError(InvalidInputError):
    """It names what is not there; `details.errors` names each place."""

    code = "INVALID_SERVICE"


class NoScheduleError(ConflictError):
    """Nothing says who is on call for this service."""

    code = "SERVICE_HAS_NO_SCHEDULE"


@dataclass(frozen=True)
class OnCall:
    """Who is on call for a service at an instant."""

    at: datetime
    schedule_id: int | None
    people: Sequence[Person]
    next: Next | None


@dataclass(frozen=True)
class Standing:
    """What goes on at a service just now."""

    unresolved: Unresolved
    in_maintenance_until: datetime | None


async def require(session: ReadSession, service_id: int) -> Service:
    return _there(await crud_service.get(session, service_id), service_id)


async def create(
    session: WriteSession, fields: Mapping[str, Any], *, by: User, now: datetime
) -> Service:
    """Catalogue a service. Incidents that name it already are its own from here on."""
    await team_service.require_lead(session, by, [fields["team_id"]])
    await crud_service.wait_for_other_names(session)
    await _require_free(session, fields["name"])
    await _require_there(session, fields)
    made = Service(**fields, revision=1, created_at=now, updated_at=now)
    await crud_service.add(session, made)
    await quiet.review(session, [made.name])
    return made


async def update(
    session: WriteSession, service_id: int, fields: Mapping[str, Any], *, by: User, now: datetime
) -> Service:
    """Write the named fields. Incidents keep the name that they were opened with."""
    if "name" in fields:
        await crud_service.wait_for_other_names(session)
    service = await _held(session, service_id, by)
    if "team_id" in fields:
        await team_service.require_lead(session, by, [fields["team_id"]])
    if "name" in fields:
        await _require_free(session, fields["name"], but=service_id)
    await _require_there(session, fields)
    changed = service.revise(fields, now=now)
    if changed:
        await quiet.review(session, sorted({service.name, changed.get("name", service.name)}))
    return service


async def remove(session: WriteSession, service_id: int, *, by: User) -> None:
    """Take a service out of the catalogue. Its incidents go on, as those of any name do."""
    service = await _held(session, service_id, by)
    await crud_service.remove(session, service)
    await quiet.review(session, [service.name])


async def standing(session: ReadSession, service: Service, *, now: datetime) -> Standing:
    """What goes on at a service just now."""
    return Standing(
        await crud_service.unresolved(session, service.name),
        await crud_maintenance_window.running_until(session, service.id, now=now),
    )


async def on_call(
    session: ReadSession, service_id: int, *, at: datetime | None, now: datetime
) -> OnCall:
    """Who is on call for a service, and who follows; nobody, if it has no schedule."""
    service, when = await require(session, service_id), at or now
    if service.schedule_id is None:
        return OnCall(when, None, (), None)
    try:
        found = await on_call_service.at_instant(
            session, service.schedule_id, at=when, known_at=None, now=now
        )
    except NotFoundError:  # the schedule is younger than the time that was asked for
        return OnCall(when, service.schedule_id, (), None)
    return OnCall(when, service.schedule_id, found.on_call, found.next)


async def schedule_of(session: ReadSession, service_id: int) -> int:
    """The schedule that says who is on call for a service."""
    service = await require(session, service_id)
    if service.schedule_id is None:
        raise NoScheduleError(
            f"The service “{service.name}” has no schedule, so nobody is on call for it: name one"
            " in schedule_id."
        )
    return service.schedule_id


async def uncatalogued(
    session: ReadSession, *, now: datetime
) -> tuple[Sequence[Uncatalogued], bool]:
    """Which services recent incidents name that nobody has catalogued; and whether that is all."""
    return await crud_service.uncatalogued(
        session, since=now - SEEN_WITHIN, looked_through=LOOKED_THROUGH, most=MOST_UNCATALOGUED
    )


async def _require_free(session: ReadSession, name: str, *, but: int | None = None) -> None:
    other = await crud_service.by_name(session, name)
    if other is not None and other.id != but:
        raise ServiceNameTakenError(
            f"There is a service “{other.name}” already; change that one.",
            field="name",
            service_id=other.id,
        )


async def _require_there(session: WriteSession, fields: Mapping[str, Any]) -> None:
    found = []
    for field, share in (
        ("team_id", team_service.share),
        ("policy_id", crud_service.share_policy),
        ("schedule_id", crud_service.share_schedule),
    ):
        key = fields.get(field)
        if key is not None and not await share(session, key):
            what = field.removesuffix("_id")
            found.append(Fault(field, f"names {what} {key}, which does not exist"))
    if found:
        raise InvalidServiceError(
            f"The service cannot be saved: {found[0].path} {found[0].message}.",
            errors=[{"path": fault.path, "message": fault.message} for fault in found],
        )


async def _held(session: WriteSession, service_id: int, by: User) -> Service:
    service = await crud_service.lock(session, service_id)
    # What is not there is nobody's: who may not change it does not learn that either.
    owner = None if service is None else service.team_id
    await team_service.require_lead(session, by, [owner])
    return _there(service, service_id)


def _there(service: Service | None, service_id: int) -> Service:
    if service is None:
        raise NotFoundError("service", service_id)
    return service
