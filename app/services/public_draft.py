"""Posting what was drafted, whether it is about an incident or about a maintenance."""

from datetime import datetime

from app.crud import crud_public_incident
from app.db.session import WriteSession
from app.domain.user import Actor
from app.models import PublicUpdate
from app.services import public_incident, public_maintenance, public_update
from app.services.public_incident import Said


async def post(
    session: WriteSession, update_id: int, said: Said, *, actor: Actor, now: datetime
) -> PublicUpdate:
    """Tell the public what was drafted. Nothing is held yet: the rows are held in their order."""
    draft = await public_update.require(session, update_id)
    public_update.require_draft(draft)
    if draft.public_maintenance_id is not None:
        return await public_maintenance.post_draft(
            session, draft.public_maintenance_id, update_id, now=now
        )
    assert draft.public_incident_id is not None  # a constraint of the table
    found = await crud_public_incident.by_ids(session, [draft.public_incident_id])
    incident_id = found[draft.public_incident_id].incident_id
    return await public_incident.post_draft(
        session, incident_id, update_id, said, actor=actor, now=now
    )
