"""The link in a page. Reading it changes nothing, because mail scanners follow links; the
buttons on it act, once, as the person who was paged: one acknowledges, the other calls whoever
comes next. Of a fire drill it is the answer. The buttons of a push press these, too."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from app.api.deps import FromAnybody, Now, ReadSession, ServiceDep, WriteSession
from app.core.errors import NotFoundError
from app.crud import crud_user
from app.domain.incident import IncidentStatus
from app.services import fire_drill
from app.services import notification as notification_service
from app.services.notification import LINK_PURPOSE, LinkedIncident
from app.web.templating import page

router = APIRouter(include_in_schema=False, dependencies=[FromAnybody])

DONE = "Tocsin-Done"  # whether this very press did it, for the service worker, which reads no page


@router.get("/a/{token}")
async def show(service: ServiceDep, session: ReadSession, token: str) -> HTMLResponse:
    notification_id = service.signer.read_link(LINK_PURPOSE, token)
    if notification_id is None:
        return page("gone.html", status=404)
    try:
        linked = await notification_service.follow_link(session, notification_id)
    except NotFoundError:
        return page("gone.html", status=404)
    return await _shown(session, linked, token, story=None)


@router.post("/a/{token}")
async def acknowledge(
    service: ServiceDep, session: WriteSession, now: Now, token: str
) -> HTMLResponse:
    notification_id = service.signer.read_link(LINK_PURPOSE, token)
    if notification_id is None:
        return page("gone.html", status=404)
    try:
        was_first = await notification_service.acknowledge_by_link(
            session, notification_id, now=now
        )
        linked = await notification_service.follow_link(session, notification_id)
    except NotFoundError:
        return page("gone.html", status=404)
    story = "You have acknowledged it. Paging has stopped." if was_first else None
    if was_first and linked.incident.is_drill:
        story = await _answered(session, linked.incident.id)
    return await _shown(session, linked, token, story=story)


@router.post("/a/{token}/escalate")
async def escalate(
    service: ServiceDep, session: WriteSession, now: Now, token: str
) -> HTMLResponse:
    notification_id = service.signer.read_link(LINK_PURPOSE, token)
    if notification_id is None:
        return page("gone.html", status=404)
    try:
        was_first = await notification_service.escalate_by_link(session, notification_id, now=now)
        linked = await notification_service.follow_link(session, notification_id)
    except NotFoundError:
        return page("gone.html", status=404)
    story = "You have escalated it. Whoever comes next is paged now." if was_first else None
    return await _shown(session, linked, token, story=story)


async def _answered(session: ReadSession, incident_id: int) -> str:
    drill = await fire_drill.of_incident(session, incident_id)
    seconds = drill.answer_seconds if drill is not None else None
    took = f" after {seconds:.0f} seconds" if seconds is not None else ""
    return f"You have answered the fire drill{took}. It is over, and nothing is wrong."


async def _shown(
    session: ReadSession, linked: LinkedIncident, token: str, *, story: str | None
) -> HTMLResponse:
    incident = linked.incident
    holder = "Somebody"
    if incident.status is IncidentStatus.ACKNOWLEDGED and incident.acknowledged_by is not None:
        person = await crud_user.get(session, incident.acknowledged_by)
        holder = person.display_name if person is not None else holder
    shown = page(
        "acknowledge.html",
        incident=incident,
        token=token,
        name=linked.actor.name,
        is_used=linked.is_used,
        holder=holder,
        story=story,
    )
    shown.headers[DONE] = "yes" if story is not None else "no"
    return shown
