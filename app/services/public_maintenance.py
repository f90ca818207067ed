"""Maintenance that the public is told of: announcing it, telling how it goes, and what begins and
ends by itself.

A row holds when it does so next. Locking: the page (`services.status_page`), so that whoever begins
one by hand and the loop that would do it never both do.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.core.errors import ConflictError, InvalidInputError, NotFoundError
from app.crud import crud_public_maintenance, crud_public_update, crud_status_page
from app.db.session import ReadSession, WriteSession
from app.domain.event import EventType
from app.domain.maintenance_window import CLOCKS_DIFFER, fault_of
from app.domain.public_maintenance import (
    TRANSITIONS,
    UNDER_WAY,
    MaintenanceStatus,
    may_become,
)
from app.domain.public_update import NoticeKind, UpdateStatus
from app.domain.status_component import ComponentStatus
from app.domain.status_page import new_code
from app.models import PublicMaintenance, PublicUpdate, StatusComponent
from app.services import component_state, public_news, public_update, status_page
from app.services.public_update import InvalidPublicTransitionError, NewUpdate

BEGUN = "The scheduled maintenance has begun."
DONE = "The scheduled maintenance has been completed."
FIELDS = {"starts_at": "scheduled_for", "ends_at": "scheduled_until"}


class InvalidMaintenanceError(InvalidInputError):
    """Its times cannot be; `details.errors` names each place."""

    code = "INVALID_MAINTENANCE"


class MaintenanceOverError(ConflictError):
    """It is over; what was stays as it was."""

    code = "MAINTENANCE_OVER"


class MaintenanceBegunError(ConflictError):
    """It has begun, so its start stays."""

    code = "MAINTENANCE_BEGUN"


@dataclass(frozen=True)
class Announcement:
    """How a maintenance is told to the public for the first time."""

    fields: Mapping[str, Any]
    component_ids: Collection[int]
    update: NewUpdate


async def require(session: ReadSession, maintenance_id: int) -> PublicMaintenance:
    return _there(await crud_public_maintenance.get(session, maintenance_id), maintenance_id)


async def lock(session: WriteSession, maintenance_id: int) -> PublicMaintenance | None:
    """The maintenance, held until commit; the page is held first, as by everybody."""
    await crud_status_page.lock(session)
    return await crud_public_maintenance.lock(session, maintenance_id)


async def announce(
    session: WriteSession, new: Announcement, *, by: int | None, now: datetime
) -> PublicMaintenance:
    """Let the public know of a maintenance before it begins, or as it does."""
    at = (await status_page.hold(session, now=now)).changed_at
    if new.fields["scheduled_for"] < at - CLOCKS_DIFFER:
        raise _invalid("scheduled_for", "has passed")
    _require_times(new.fields["scheduled_for"], new.fields["scheduled_until"], now=at)
    await _require_components(session, new.component_ids)
    maintenance = PublicMaintenance(
        **new.fields,
        code=new_code(),
        status=MaintenanceStatus.SCHEDULED,
        created_by=by,
        revision=1,
        created_at=at,
        updated_at=at,
    )
    _set_clock(maintenance)
    await crud_public_maintenance.add(session, maintenance)
    await crud_public_maintenance.set_components(session, maintenance.id, new.component_ids)
    update = public_update.write(
        maintenance, UpdateStatus.SCHEDULED, new.update, author_id=by, at=at
    )
    kinds = NoticeKind.MAINTENANCE_CREATED, EventType.MAINTENANCE_CREATED
    await _post(session, maintenance, update, *kinds, at=at)
    return maintenance


async def update(
    session: WriteSession,
    maintenance_id: int,
    fields: Mapping[str, Any],
    component_ids: Collection[int] | None,
    *,
    now: datetime,
) -> PublicMaintenance:
    """Write the named fields of one that is not over. Subscribers hear of other times."""
    at = (await status_page.hold(session, now=now)).changed_at
    maintenance = await _held(session, maintenance_id)
    if maintenance.status is MaintenanceStatus.COMPLETED:
        raise MaintenanceOverError("The maintenance is over; post an update about it instead.")
    starts_at = fields.get("scheduled_for", maintenance.scheduled_for)
    if starts_at != maintenance.scheduled_for:
        if maintenance.status is not MaintenanceStatus.SCHEDULED:
            raise MaintenanceBegunError("The maintenance has begun, so its start stays.")
        if starts_at < at - CLOCKS_DIFFER:
            raise _invalid("scheduled_for", "has passed")
    ends_at = fields.get("scheduled_until", maintenance.scheduled_until)
    if {"scheduled_for", "scheduled_until"} & fields.keys():
        _require_times(starts_at, ends_at, now=at)
    was = maintenance.revise(fields, now=at)
    _set_clock(maintenance)
    components = (await crud_public_maintenance.components(session, [maintenance_id]))[
        maintenance_id
    ]
    if component_ids is not None and {one.id for one in components} != set(component_ids):
        await _require_components(session, component_ids)
        await crud_public_maintenance.set_components(session, maintenance_id, component_ids)
        maintenance.touch(at)
        concerned = {one.id for one in components} | set(component_ids)
        await component_state.settle(session, concerned, now=at)
    await _announce(session, maintenance, EventType.MAINTENANCE_UPDATED, at=at)
    if was.keys() & {"scheduled_for", "scheduled_until"}:
        kind = NoticeKind.MAINTENANCE_UPDATED
        components = await _components(session, maintenance)
        await public_news.notify(session, kind, maintenance, components, now=at)
    return maintenance


async def post(
    session: WriteSession, maintenance_id: int, new: NewUpdate, *, by: int | None, now: datetime
) -> PublicUpdate:
    """Tell the public how it goes; maybe that it has become something else."""
    at = (await status_page.hold(session, now=now)).changed_at
    maintenance = await _held(session, maintenance_id)
    status = UpdateStatus(new.status or maintenance.status)
    update = public_update.write(maintenance, status, new, author_id=by, at=at)
    await _go_on(session, maintenance, update, at=at)
    return update


async def post_draft(
    session: WriteSession, maintenance_id: int, update_id: int, *, now: datetime
) -> PublicUpdate:
    """Tell the public what was drafted."""
    at = (await status_page.hold(session, now=now)).changed_at
    maintenance = await _held(session, maintenance_id)
    update = public_update.there(await crud_public_update.lock(session, update_id), update_id)
    public_update.require_draft(update)
    update.revision += 1
    await _go_on(session, maintenance, update, at=at)
    return update


async def draft(
    session: WriteSession, maintenance_id: int, new: NewUpdate, *, by: int | None, now: datetime
) -> PublicUpdate:
    """Keep what somebody means to tell the public."""
    maintenance = await require(session, maintenance_id)
    status = UpdateStatus(new.status or maintenance.status)
    update = public_update.write(maintenance, status, new, author_id=by, at=now)
    return await crud_public_update.add(session, update)


async def withdraw(session: WriteSession, maintenance_id: int, *, now: datetime) -> None:
    """Let the public see nothing of it any more."""
    at = (await status_page.hold(session, now=now)).changed_at
    maintenance = await _held(session, maintenance_id)
    maintenance.withdrawn_at = at
    maintenance.next_at = None
    maintenance.touch(at)
    await _settle(session, maintenance, at=at)
    await _announce(session, maintenance, EventType.MAINTENANCE_DELETED, at=at)


# --- What happens by itself -------------------------------------------------------------


async def turn_one(session: WriteSession, *, now: datetime) -> bool:
    """Begin or end the one whose time has come first; whether there was any."""
    at = (await status_page.hold(session, now=now)).changed_at
    maintenance = await crud_public_maintenance.first_due(session, now=at)
    if maintenance is None:
        return False
    is_begun = maintenance.status in UNDER_WAY
    status = UpdateStatus.COMPLETED if is_begun else UpdateStatus.IN_PROGRESS
    new = NewUpdate(DONE if is_begun else BEGUN, status)
    update = public_update.write(maintenance, status, new, author_id=None, at=at)
    await _go_on(session, maintenance, update, at=at)
    return True


def _set_clock(maintenance: PublicMaintenance) -> None:
    """Say when it begins, or ends, by itself."""
    match maintenance.status:
        case MaintenanceStatus.SCHEDULED:
            next_at = maintenance.scheduled_for if maintenance.starts_itself else None
        case MaintenanceStatus.IN_PROGRESS | MaintenanceStatus.VERIFYING:
            next_at = maintenance.scheduled_until if maintenance.ends_itself else None
        case MaintenanceStatus.COMPLETED:
            next_at = None
    maintenance.next_at = next_at


# --- What an act comes to ---------------------------------------------------------------


async def _go_on(
    session: WriteSession, maintenance: PublicMaintenance, update: PublicUpdate, *, at: datetime
) -> None:
    status, was = MaintenanceStatus(update.status), maintenance.status
    if not may_become(was, status):
        raise InvalidPublicTransitionError("a maintenance", was, status, TRANSITIONS[was])
    if status is was:
        kinds = NoticeKind.MAINTENANCE_UPDATED, EventType.MAINTENANCE_UPDATE_POSTED
    else:
        kinds = NoticeKind.MAINTENANCE_STATUS_CHANGED, EventType.MAINTENANCE_STATUS_CHANGED
        maintenance.status = status
        if status in UNDER_WAY and maintenance.started_at is None:
            maintenance.started_at = at
        if status is MaintenanceStatus.COMPLETED:
            maintenance.completed_at = at
        _set_clock(maintenance)
    maintenance.touch(at)
    await _post(session, maintenance, update, *kinds, at=at)


async def _post(
    session: WriteSession,
    maintenance: PublicMaintenance,
    update: PublicUpdate,
    kind: NoticeKind,
    event: EventType,
    *,
    at: datetime,
) -> None:
    """Post an update with what it does to components, and tell whoever is to hear."""
    changes = await _settle(session, maintenance, at=at)
    await public_update.post(session, update, changes, at=at)
    components = await _components(session, maintenance)
    await public_news.tell(session, event, maintenance, components, update=update, now=at)
    if event is EventType.MAINTENANCE_STATUS_CHANGED:
        posted = EventType.MAINTENANCE_UPDATE_POSTED
        await public_news.tell(session, posted, maintenance, components, update=update, now=at)
    if update.notifies:
        await public_news.notify(session, kind, maintenance, components, update=update, now=at)


async def _settle(
    session: WriteSession, maintenance: PublicMaintenance, *, at: datetime
) -> list[component_state.Change]:
    ids = [component.id for component in await _components(session, maintenance)]
    return list(await component_state.settle(session, ids, now=at))


async def _components(
    session: ReadSession, maintenance: PublicMaintenance
) -> list[StatusComponent]:
    found = await crud_public_maintenance.components(session, [maintenance.id])
    return found[maintenance.id]


async def _announce(
    session: WriteSession, maintenance: PublicMaintenance, kind: EventType, *, at: datetime
) -> None:
    components = await _components(session, maintenance)
    await public_news.tell(session, kind, maintenance, components, now=at)


async def _require_components(session: ReadSession, ids: Collection[int]) -> None:
    wanted = dict.fromkeys(ids, ComponentStatus.UNDER_MAINTENANCE)
    await public_update.require_components(session, wanted, "component_ids")


def _require_times(starts_at: datetime, ends_at: datetime, *, now: datetime) -> None:
    fault = fault_of(starts_at, ends_at, now=now)
    if fault is not None:
        raise _invalid(FIELDS[fault.field], fault.message)


def _invalid(path: str, message: str) -> InvalidMaintenanceError:
    return InvalidMaintenanceError(
        f"The maintenance cannot be announced: {path} {message}.",
        errors=[{"path": path, "message": message}],
    )


async def _held(session: WriteSession, maintenance_id: int) -> PublicMaintenance:
    return _there(await crud_public_maintenance.lock(session, maintenance_id), maintenance_id)


def _there(maintenance: PublicMaintenance | None, maintenance_id: int) -> PublicMaintenance:
    if maintenance is None:
        raise NotFoundError("public maintenance", maintenance_id)
    return maintenance
