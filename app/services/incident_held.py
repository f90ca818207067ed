"""Getting hold of an incident, and saying on its timeline what somebody did to it."""

from datetime import datetime
from typing import Any

from app.core.errors import ConflictError, NotFoundError
from app.crud import crud_incident
from app.db.session import WriteSession
from app.domain.incident import IncidentStatus, TimelineType
from app.domain.user import Actor
from app.models import Incident


class StillResolvedError(ConflictError):
    """What was asked for makes no sense while the incident is resolved."""

    code = "INCIDENT_RESOLVED"


async def held(session: WriteSession, incident_id: int) -> Incident:
    """The incident, held until commit; whoever changes it has it from here."""
    incident = await crud_incident.lock(session, incident_id)
    if incident is None:
        raise NotFoundError("incident", incident_id)
    return incident


async def unresolved(session: WriteSession, incident_id: int, verb: str) -> Incident:
    """The incident, held, for what only an unresolved one can be."""
    incident = await held(session, incident_id)
    if incident.status is IncidentStatus.RESOLVED:
        raise StillResolvedError(f"A resolved incident cannot be {verb}; reopen it first.")
    return incident


async def tell(
    session: WriteSession,
    incident: Incident,
    kind: TimelineType,
    story: str,
    actor: Actor,
    now: datetime,
    **facts: Any,
) -> None:
    entry = crud_incident.entry(incident.id, kind, story, now=now, user_id=actor.user_id, **facts)
    await crud_incident.tell(session, [entry])
