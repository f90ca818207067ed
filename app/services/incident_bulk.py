"""Many incidents at once, by one person's word.

Locking: the incidents in the order of their ids, so that two who choose the same ones do not wait
for each other in a ring.
"""

from collections.abc import Collection
from datetime import datetime

from app.crud import crud_incident
from app.db.session import WriteSession
from app.domain.incident import IncidentStatus
from app.domain.user import Actor
from app.services import incident as incident_service


async def acknowledge(
    session: WriteSession, incident_ids: Collection[int], *, actor: Actor, now: datetime
) -> list[int]:
    """Take those that are open; which they were. The others stay as they are."""
    found = await crud_incident.lock_unresolved(session, incident_ids)
    open_ones = [one for one in found if one.status is IncidentStatus.OPEN]
    for incident in open_ones:
        await incident_service.enter(
            session, incident, IncidentStatus.ACKNOWLEDGED, actor=actor, now=now
        )
    return [incident.id for incident in open_ones]
