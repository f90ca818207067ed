"""The end of a fire drill: whoever acknowledges it answers it, and the time is noted.

Locking: as everywhere the incident first; then the drill, then whoever's address is verified.
"""

from datetime import datetime
from typing import Any

from app.crud import crud_fire_drill, crud_incident
from app.db.session import WriteSession
from app.domain.contact_method import on_record
from app.domain.incident import IncidentStatus, TimelineType
from app.domain.user import Actor
from app.models import FireDrill, Incident, Notification
from app.services import escalation as escalation_service
from app.services import notification_preference


async def end(
    session: WriteSession,
    incident: Incident,
    status: IncidentStatus,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """Whoever acknowledges a drill answers it; to resolve it calls it off. Either ends it.

    The caller holds the incident. Nobody is sent news of a drill.
    """
    incident.enter(IncidentStatus.RESOLVED, by=actor.user_id, now=now)
    await crud_incident.set_tally_open(session, [incident.id], is_open=False)
    await escalation_service.finish(session, [incident.id], now=now)
    drill = await crud_fire_drill.lock_of_incident(session, incident.id)
    if drill is None or status is not IncidentStatus.ACKNOWLEDGED:
        await _tell(session, incident, TimelineType.RESOLVED, "called the drill off", actor, now)
        return
    page = await crud_fire_drill.answering(session, incident.id)
    drill.answered_at, drill.answered_by = now, actor.user_id
    drill.notification_id = page.id if page is not None else None
    seconds = round((now - drill.started_at).total_seconds(), 1)
    story = f"answered the drill after {seconds:g} seconds"
    if page is not None and await _verify(session, drill, page, now):
        story += f", which verifies the contact method for {page.channel}"
    facts = {"answer_seconds": seconds, "fire_drill_id": drill.id}
    await _tell(session, incident, TimelineType.DRILL_ANSWERED, story, actor, now, **facts)


async def _verify(
    session: WriteSession, drill: FireDrill, page: Notification, now: datetime
) -> bool:
    """Whoever used the link has read what was sent there, so pages go there from now on.

    Only the address that it was sent to is proved by that, should it have moved meanwhile.
    """
    if drill.contact_method_id is None or page.contact_method_id != drill.contact_method_id:
        return False
    if page.user_id is None:
        return False
    await notification_preference.hold(session, page.user_id)
    method = await crud_fire_drill.method(session, drill.contact_method_id)
    if method is None or method.verified_at is not None:
        return False
    if page.sent_to not in (None, on_record(method.channel, method.address)):
        return False
    method.verified_at = method.updated_at = now
    await notification_preference.page_over(session, method, now=now)
    return True


async def _tell(
    session: WriteSession,
    incident: Incident,
    kind: TimelineType,
    story: str,
    actor: Actor,
    now: datetime,
    **facts: Any,
) -> None:
    entry = crud_incident.entry(
        incident.id, kind, f"{actor.name} {story}.", now=now, user_id=actor.user_id, **facts
    )
    await crud_incident.tell(session, [entry])
