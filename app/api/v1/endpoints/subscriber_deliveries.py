"""What subscribers were sent, how each sending went, and sending it again."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from app.api.deps import Admin, KeyPath, Now, Paging, ReadSession, Responder, WriteSession
from app.api.errors import answers
from app.api.idempotency import Once, replays
from app.api.resource_route import ResourceRoute
from app.crud import crud_subscriber_delivery_list
from app.crud.base import Slice
from app.crud.crud_subscriber_delivery_list import DeliveryFilter
from app.domain.subscriber import LetterKind, LetterStatus
from app.domain.user import Permission
from app.schemas.base import PageRead
from app.schemas.subscriber import SubscriberDeliveryRead
from app.services import subscriber_delivery as delivery_service
from app.services import subscriber_shown

router = APIRouter(prefix="/subscriber-deliveries", tags=["subscribers"], route_class=ResourceRoute)

SomeId = Annotated[int | None, Query(ge=1, le=2**53 - 1)]


@router.get("", response_model=PageRead[SubscriberDeliveryRead], responses=answers(401, 403, 422))
async def list_subscriber_deliveries(
    session: ReadSession,
    paging: Paging,
    user: Responder,
    status: Annotated[list[LetterStatus], Query(description="Any of these.")] = [],  # noqa: B006
    kind: Annotated[list[LetterKind], Query(description="Any of these.")] = [],  # noqa: B006
    subscriber_id: SomeId = None,
    notice_id: SomeId = None,
) -> dict[str, Any]:
    """List what was and will be sent, the newest first. It is kept for 90 days after it ended."""
    where = DeliveryFilter(tuple(status), tuple(kind), subscriber_id, notice_id)
    found = await crud_subscriber_delivery_list.list_page(session, where, paging.window)
    is_whole = user.may(Permission.ADMINISTER)
    return paging.shown(await subscriber_shown.deliveries(session, found, is_whole=is_whole))


@router.post(
    "/{delivery_id}/resend",
    response_model=SubscriberDeliveryRead,
    status_code=202,
    responses=answers(401, 403, 404, 409, 413, 422) | replays(SubscriberDeliveryRead),
)
async def resend_subscriber_delivery(
    session: WriteSession, delivery_id: KeyPath, now: Now, _: Admin, once: Once
) -> dict[str, Any]:
    """Send something again that ended, under its mark and as often as it takes."""
    found = await delivery_service.resend(session, delivery_id, now=now)
    alone = Slice([found], 1, total_is_bound=False, next_after=None)
    shown = await subscriber_shown.deliveries(session, alone, is_whole=True)
    return dict(shown.items[0])
