"""Deleting an incident, and bringing it back.

Nothing is removed from any table: a deleted incident is one that nobody finds any more (see
`crud_incident`). It is resolved first, so that nothing pages for what nobody can see, and so
that its problem, should it come again, opens a new incident. What the public was told of it is
withdrawn with it.
"""

from datetime import datetime

from app.core.errors import InvalidInputError, NotFoundError
from app.crud import crud_incident
from app.db.session import WriteSession
from app.domain.incident import IncidentStatus, TimelineType
from app.domain.user import Actor
from app.services import incident as incident_service
from app.services import public_incident
from app.services.incident_held import held, tell


class ConfirmationMissingError(InvalidInputError):
    """What cannot be meant by accident must be said twice."""

    code = "CONFIRMATION_MISSING"


async def delete(
    session: WriteSession,
    incident_id: int,
    *,
    confirmation: str | None,
    actor: Actor,
    now: datetime,
) -> None:
    """Let nobody see an incident any more. `confirmation` must repeat its number."""
    incident = await held(session, incident_id)
    if confirmation != str(incident_id):
        raise ConfirmationMissingError(
            f"To delete incident {incident_id}, repeat its number: add ?confirm={incident_id}.",
            field="confirm",
            confirm=str(incident_id),
        )
    if incident.status is not IncidentStatus.RESOLVED:
        await incident_service.enter(
            session, incident, IncidentStatus.RESOLVED, actor=actor, now=now
        )
    await public_incident.hide_if_shown(session, incident, actor=actor, now=now)
    incident.deleted_at, incident.deleted_by = now, actor.user_id
    incident.touch(now)
    story = f"{actor.name} deleted the incident."
    await tell(session, incident, TimelineType.DELETED, story, actor, now)


async def restore(session: WriteSession, incident_id: int, *, actor: Actor, now: datetime) -> None:
    """Let everybody see an incident again, resolved; one that is not deleted stays as it is."""
    incident = await crud_incident.lock_even_deleted(session, incident_id)
    if incident is None:
        raise NotFoundError("incident", incident_id)
    if incident.deleted_at is None:
        return
    incident.deleted_at = incident.deleted_by = None
    incident.touch(now)
    story = f"{actor.name} restored the incident."
    await tell(session, incident, TimelineType.RESTORED, story, actor, now)
