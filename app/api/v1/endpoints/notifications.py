"""What was sent to whom and how it went; sending again."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from app.api.deps import (
    KeyPath,
    Now,
    Paging,
    Reader,
    ReadSession,
    ServiceDep,
    WriteSession,
)
from app.api.errors import answers
from app.api.idempotency import Once, replays
from app.api.paging import InSpan, require_owner
from app.api.resource_route import ResourceRoute
from app.api.throttling import count
from app.core.paging import BIGGEST_KEY
from app.crud import crud_notification
from app.db.session import transaction_time
from app.domain.notification import Channel, NotificationKind, NotificationStatus
from app.domain.throttle import RESENDS_PER_USER
from app.schemas.base import PageRead
from app.schemas.notification import NotificationRead
from app.services import notification as notification_service
from app.services import notification_story

router = APIRouter(prefix="/notifications", tags=["notifications"], route_class=ResourceRoute)


async def _counted(service: ServiceDep, user: Reader) -> None:
    """A resend counts before it is judged, in a unit of work of its own."""
    await count(service, [(RESENDS_PER_USER, str(user.id))])


@router.get("", response_model=PageRead[NotificationRead], responses=answers(401, 422))
async def find_notifications(
    session: ReadSession,
    paging: Paging,
    user: Reader,
    promised: InSpan,
    kind: Annotated[list[NotificationKind], Query(description="Any of these.")] = [],  # noqa: B006
    status: Annotated[list[NotificationStatus], Query(description="Any of these.")] = [],  # noqa: B006
    channel: Annotated[list[Channel], Query(description="Any of these.")] = [],  # noqa: B006
    user_id: Annotated[int | None, Query(ge=1, le=BIGGEST_KEY)] = None,
    incident_id: Annotated[int | None, Query(ge=1, le=BIGGEST_KEY)] = None,
) -> dict[str, Any]:
    """List messages, newest first. A filter that is given more than once means any of.

    Everybody sees what incidents send. Letters between Tocsin and one person, such as codes and
    links, are listed for that person and for admins; what they carry is never shown. `since` and
    `until` go by `created_at`, of one person or incident.
    """
    require_owner(promised, incident_id=incident_id, user_id=user_id)
    where = notification_service.visible(
        user,
        kind=kind,
        status=status,
        channel=channel,
        user_id=user_id,
        incident_id=incident_id,
        promised=promised,
    )
    found = await crud_notification.list_page(session, where, paging.window)
    now = await transaction_time(session)
    return paging.shown(found) | {
        "items": await notification_story.told(session, found.items, now=now)
    }


@router.get("/{notification_id}", response_model=NotificationRead, responses=answers(401, 404, 422))
async def read_notification(
    session: ReadSession, notification_id: KeyPath, user: Reader
) -> dict[str, Any]:
    """Read one message and its whole story: why it was promised, why it waits, how it went."""
    found = await notification_service.require_visible(session, notification_id, by=user)
    now = await transaction_time(session)
    return (await notification_story.told(session, [found], now=now))[0]


@router.post(
    "/{notification_id}/resend",
    response_model=NotificationRead,
    status_code=202,
    responses=answers(401, 403, 404, 409, 413, 422, 429) | replays(NotificationRead),
    dependencies=[Depends(_counted)],
)
async def resend_notification(
    session: WriteSession, notification_id: KeyPath, now: Now, user: Reader, _: Once
) -> dict[str, Any]:
    """Send a message again, as often as it takes: it bears the same mark as before.

    Its recipient may, and for what incidents send every responder. A page is sent again only
    while its incident pages, a letter only while what it carries is good.
    """
    again = await notification_service.resend(session, notification_id, by=user, now=now)
    return (await notification_story.told(session, [again], now=now))[0]
