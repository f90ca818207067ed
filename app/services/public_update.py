"""What the public is told, one message after the other: posting, drafting, editing, withdrawing.

What was posted is never lost: an edit keeps what it said before, and what is withdrawn stays with
its row. An update may say that its incident, or its maintenance, has become something else; whose
rules that follows is theirs (`public_incident`, `public_maintenance`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.core.errors import ConflictError, InvalidInputError, InvalidStateError, NotFoundError
from app.crud import (
    crud_public_incident,
    crud_public_maintenance,
    crud_public_update,
    crud_status_component,
    crud_status_page,
)
from app.db.session import ReadSession, WriteSession
from app.domain.event import EventType
from app.domain.public_update import OF_INCIDENTS, OF_MAINTENANCES, UpdateStatus
from app.domain.status_component import ComponentStatus
from app.models import (
    PublicIncident,
    PublicMaintenance,
    PublicUpdate,
    PublicUpdateVersion,
    StatusComponent,
)
from app.services import public_news, status_page
from app.services.component_state import Change


class InvalidPublicTransitionError(InvalidStateError):
    """What the public was told last does not lead there."""

    code = "INVALID_STATUS_TRANSITION"

    def __init__(self, what: str, current: str, wanted: str, allowed: Sequence[str]) -> None:
        super().__init__(
            f"For the public, {what} that is {current} cannot become {wanted}.",
            current=current,
            allowed=list(allowed),
        )


class UpdatePostedError(ConflictError):
    """It was posted, so what it says of the status stays."""

    code = "PUBLIC_UPDATE_POSTED"


class UpdateWithdrawnError(ConflictError):
    """The public sees it no more, and nobody changes it any more."""

    code = "PUBLIC_UPDATE_WITHDRAWN"


class InvalidComponentsError(InvalidInputError):
    """A component that is named does not exist; `details.errors` names each place."""

    code = "INVALID_COMPONENTS"


@dataclass(frozen=True)
class NewUpdate:
    """What somebody wants to tell the public. Without a status it keeps the one there is."""

    body: str
    status: UpdateStatus | None = None
    notifies: bool = True


def write(
    about: PublicIncident | PublicMaintenance,
    status: UpdateStatus,
    new: NewUpdate,
    *,
    author_id: int | None,
    at: datetime,
) -> PublicUpdate:
    """A draft of an update about one of the two."""
    is_incident = isinstance(about, PublicIncident)
    return PublicUpdate(
        public_incident_id=about.id if is_incident else None,
        public_maintenance_id=None if is_incident else about.id,
        status=status,
        body=new.body,
        changes=[],
        notifies=new.notifies,
        author_id=author_id,
        revision=1,
        created_at=at,
        updated_at=at,
    )


async def post(
    session: WriteSession, update: PublicUpdate, changes: Sequence[Change], *, at: datetime
) -> None:
    """Let the public see it, with what became of components."""
    update.posted_at = at
    update.changes = [change.told() for change in changes]
    update.updated_at = at
    await crud_public_update.add(session, update)


async def require(session: ReadSession, update_id: int) -> PublicUpdate:
    return there(await crud_public_update.get(session, update_id), update_id)


async def lock(session: WriteSession, update_id: int) -> PublicUpdate | None:
    """The update, held until commit; the page is held first, as by everybody."""
    await crud_status_page.lock(session)
    return await crud_public_update.lock(session, update_id)


def there(update: PublicUpdate | None, update_id: int) -> PublicUpdate:
    if update is None:
        raise NotFoundError("public update", update_id)
    return update


def require_draft(update: PublicUpdate) -> None:
    if update.posted_at is not None:
        raise UpdatePostedError("The update was posted already.")


async def edit(
    session: WriteSession,
    update_id: int,
    fields: Mapping[str, Any],
    *,
    by: int | None,
    now: datetime,
) -> PublicUpdate:
    """Write the named fields; of what was posted, only what it says."""
    at = (await status_page.hold(session, now=now)).changed_at
    update = there(await crud_public_update.lock(session, update_id), update_id)
    if update.withdrawn_at is not None:
        raise UpdateWithdrawnError("The update was withdrawn; post another one.")
    if update.posted_at is not None and fields.keys() - {"body"}:
        raise UpdatePostedError(
            "The update was posted: what it says can be changed, and nothing else of it."
        )
    _require_its_kind(update, fields.get("status"))
    was = update.revise(fields, now=at)
    if "body" in was and update.posted_at is not None:
        update.edited_at = at
        version = PublicUpdateVersion(
            public_update_id=update.id, body=was["body"], replaced_at=at, replaced_by=by
        )
        await crud_public_update.add_version(session, version)
    if was and update.posted_at is not None:
        await _announce(session, update, at=at)
    return update


def _require_its_kind(update: PublicUpdate, status: UpdateStatus | None) -> None:
    allowed = OF_INCIDENTS if update.public_incident_id is not None else OF_MAINTENANCES
    if status is not None and status not in allowed:
        raise InvalidInputError(
            f"status: must be one of {', '.join(allowed)}",
            errors=[{"path": "status", "message": f"must be one of: {', '.join(allowed)}"}],
        )


async def withdraw(session: WriteSession, update_id: int, *, now: datetime) -> None:
    """Let the public see it no more; a draft is forgotten. What it changed stays changed."""
    at = (await status_page.hold(session, now=now)).changed_at
    update = there(await crud_public_update.lock(session, update_id), update_id)
    if update.posted_at is None:
        await crud_public_update.remove(session, update)
    elif update.withdrawn_at is None:
        update.withdrawn_at = at
        update.touch(at)
        await _announce(session, update, at=at)


async def _announce(session: WriteSession, update: PublicUpdate, *, at: datetime) -> None:
    """Tell whoever listens that what was said is no longer what it was."""
    if update.public_incident_id is not None:
        found = await crud_public_incident.by_ids(session, [update.public_incident_id])
        effects = await crud_public_incident.effects(session, found)
        for key, incident in found.items():
            components = [effect.component for effect in effects[key]]
            kind = EventType.INCIDENT_UPDATED
            await public_news.tell(session, kind, incident, components, now=at)
    elif update.public_maintenance_id is not None:
        key = update.public_maintenance_id
        maintenance = await crud_public_maintenance.get(session, key)
        if maintenance is not None:
            found_for = await crud_public_maintenance.components(session, [key])
            kind = EventType.MAINTENANCE_UPDATED
            await public_news.tell(session, kind, maintenance, found_for[key], now=at)


async def require_components(
    session: ReadSession, wanted: Mapping[int, ComponentStatus], path: str = "components"
) -> Sequence[StatusComponent]:
    """The components that are named, in the order of the page."""
    there = await crud_status_component.by_ids(session, wanted)
    errors = [
        {
            "path": f"{path}[{place}].id",
            "message": f"names component {key}, which does not exist",
        }
        for place, key in enumerate(wanted)
        if key not in there
    ]
    if errors:
        raise InvalidComponentsError(
            f"This cannot be published: {errors[0]['path']} {errors[0]['message']}.",
            errors=errors,
        )
    return list(there.values())
