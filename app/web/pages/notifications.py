"""Pages and letters at the console: what was sent to whom, why, and how it went."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from app.api.bounds import BoundedRoute
from app.api.deps import KeyPath, ServiceDep
from app.api.throttling import count
from app.crud import crud_incident_page, crud_notification, crud_user
from app.crud.base import Window
from app.db.session import ReadSession, transaction_time
from app.domain.notification import Channel, NotificationKind, NotificationStatus
from app.domain.throttle import RESENDS_PER_USER
from app.services import notification as notification_service
from app.services import notification_story
from app.web import asked, flash, listing
from app.web.deps import VisitorDep
from app.web.templating import render

router = APIRouter(prefix="/notifications", include_in_schema=False, route_class=BoundedRoute)

PLACE = "/notifications"
STATUSES = {
    "": "All",
    NotificationStatus.PENDING.value: "Waiting",
    NotificationStatus.SENT.value: "Sent",
    NotificationStatus.DELIVERED.value: "Delivered",
    NotificationStatus.FAILED.value: "Failed",
    NotificationStatus.SUPPRESSED.value: "Held back",
}
WAYS = {
    Channel.EMAIL.value: "Mail",
    Channel.SMS.value: "Text message",
    Channel.PUSH.value: "Push",
    Channel.CHAT.value: "Chat",
    Channel.WEBHOOK.value: "Webhook",
}


@router.get("")
async def show_list(
    request: Request,
    visitor: VisitorDep,
    service: ServiceDep,
    status: str = "",
    channel: str = "",
    kind: str = "",
    user: str = "",
    incident: str = "",
) -> HTMLResponse:
    number = listing.page_of(request)
    statuses = asked.among([status], NotificationStatus)
    channels = asked.among([channel], Channel)
    kinds = asked.among([kind], NotificationKind)
    user_id = visitor.user.id if user == "me" else asked.number(user)
    incident_id = asked.number(incident)
    where = notification_service.visible(
        visitor.user,
        kind=kinds,
        status=statuses,
        channel=channels,
        user_id=user_id,
        incident_id=incident_id,
    )
    async with service.database.reading() as session:
        found = await crud_notification.list_page(session, where, Window(listing.PER_PAGE, number))
        rows = await notification_story.told(session, found.items, now=visitor.now)
        people = await crud_user.by_ids(session, [user_id] if user_id else [])
        titles = await _titles(session, rows)
    query = {
        "status": status if statuses else "",
        "channel": channel if channels else "",
        "kind": kind if kinds else "",
        "user": user if user_id else "",
        "incident": incident if incident_id else "",
    }
    return render(
        request,
        visitor,
        "notifications/list.html",
        found=listing.shown(found, number),
        rows=rows,
        titles=titles,
        query=query,
        statuses=STATUSES,
        ways=WAYS,
        kinds=[one.value for one in NotificationKind],
        whose=next(iter(people.values())).display_name if people else None,
    )


@router.get("/{notification_id}")
async def show(
    request: Request, visitor: VisitorDep, service: ServiceDep, notification_id: KeyPath
) -> HTMLResponse:
    async with service.database.reading() as session:
        found = await notification_service.require_visible(
            session, notification_id, by=visitor.user
        )
        [shown] = await notification_story.told(session, [found], now=visitor.now)
        titles = await _titles(session, [shown])
    may_resend = visitor.user.id == shown["user_id"] or visitor.may_respond
    return render(
        request,
        visitor,
        "notifications/show.html",
        shown=shown,
        titles=titles,
        ways=WAYS,
        may_resend=may_resend and shown["waits_for"] is None,
    )


@router.post("/{notification_id}/resend")
async def resend(
    request: Request, visitor: VisitorDep, service: ServiceDep, notification_id: KeyPath
) -> Response:
    # It counts before it is judged, in a unit of work of its own.
    await count(service, [(RESENDS_PER_USER, str(visitor.user.id))])
    async with service.database.writing() as session:
        now = await transaction_time(session)
        await notification_service.resend(session, notification_id, by=visitor.user, now=now)
    return flash.back(request, f"{PLACE}/{notification_id}", "It is sent again, now.")


async def _titles(session: ReadSession, rows: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    """What the incidents of these are called."""
    return await crud_incident_page.titles(
        session, {row["incident_id"] for row in rows if row["incident_id"]}
    )
