"""Who is told of events by webhook, with which secret, and how each telling went."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from app.api.deps import Admin, KeyPath, Now, Paging, ReadSession, ServiceDep, WriteSession
from app.api.errors import answers
from app.api.etags import CONDITIONAL, NOT_MODIFIED, Edited, IfMatch
from app.api.idempotency import Once, replays
from app.api.paging import InSpan, IsActive
from app.api.resource_route import ResourceRoute
from app.crud import crud_webhook, crud_webhook_delivery
from app.db.session import transaction_time
from app.domain.webhook import DeliveryStatus, Heard
from app.models import WebhookDelivery, WebhookSubscription
from app.schemas.base import PageRead
from app.schemas.webhook import (
    PingRead,
    SecretRead,
    SecretRotated,
    WebhookDeliveryRead,
    WebhookSubscriptionCreate,
    WebhookSubscriptionCreated,
    WebhookSubscriptionRead,
    WebhookSubscriptionUpdate,
)
from app.services import webhook as webhook_service

router = APIRouter(
    prefix="/webhook-subscriptions", tags=["outgoing webhooks"], route_class=ResourceRoute
)
EDITED = Edited(crud_webhook.lock, webhook_service.require, WebhookSubscriptionRead)


@router.get("", response_model=PageRead[WebhookSubscriptionRead], responses=answers(401, 403, 422))
async def list_webhook_subscriptions(
    session: ReadSession, paging: Paging, _: Admin, is_active: IsActive = None
) -> dict[str, Any]:
    """List webhook subscriptions, in the order they were made."""
    return paging.shown(await crud_webhook.list_page(session, paging.window, is_active=is_active))


@router.post(
    "",
    response_model=WebhookSubscriptionCreated,
    status_code=201,
    responses=answers(401, 403, 409, 413, 422) | replays(WebhookSubscriptionRead),
)
async def create_webhook_subscription(
    service: ServiceDep,
    session: WriteSession,
    body: WebhookSubscriptionCreate,
    now: Now,
    admin: Admin,
    _: Once,
) -> WebhookSubscriptionCreated:
    """Subscribe an endpoint to what happens from now on. The answer shows its secret, this once.

    Each event that passes the filters is posted as `{"type", "timestamp", "data"}` with the
    headers of Standard Webhooks. The order of events is not promised; `data.position` tells it.
    """
    made, secret = await webhook_service.create(
        session, body.model_dump(), service.vault, service.objection, by=admin, now=now
    )
    shown = WebhookSubscriptionRead.model_validate(made)
    return WebhookSubscriptionCreated(**shown.model_dump(), secret=secret)


@router.get(
    "/{subscription_id}",
    response_model=WebhookSubscriptionRead,
    responses=answers(401, 403, 404, 422) | NOT_MODIFIED,
    dependencies=CONDITIONAL,
)
async def read_webhook_subscription(
    session: ReadSession, subscription_id: KeyPath, _: Admin
) -> WebhookSubscription:
    """Read one webhook subscription."""
    return await webhook_service.require(session, subscription_id)


@router.patch(
    "/{subscription_id}",
    response_model=WebhookSubscriptionRead,
    responses=answers(401, 403, 404, 412, 413, 422),
)
async def update_webhook_subscription(
    service: ServiceDep,
    session: WriteSession,
    subscription_id: KeyPath,
    body: WebhookSubscriptionUpdate,
    now: Now,
    _: Admin,
    expected: IfMatch,
) -> WebhookSubscription:
    """Change the named fields.

    While it is not active nothing is kept for it, and what was waiting ends `cancelled`. What waits
    goes to the URL that is there when it leaves.
    """
    await expected.hold(EDITED, session, subscription_id)
    fields = body.model_dump(exclude_unset=True)
    return await webhook_service.update(
        session, subscription_id, fields, service.objection, now=now
    )


@router.delete(
    "/{subscription_id}",
    status_code=204,
    responses=answers(401, 403, 404, 412, 422),
)
async def delete_webhook_subscription(
    session: WriteSession, subscription_id: KeyPath, now: Now, _: Admin, expected: IfMatch
) -> Response:
    """Send it nothing more, and forget its secret."""
    await expected.hold(EDITED, session, subscription_id)
    await webhook_service.remove(session, subscription_id, now=now)
    return Response(status_code=204)


@router.post(
    "/{subscription_id}/rotate-secret",
    response_model=SecretRotated,
    status_code=201,
    responses=answers(401, 403, 404, 409, 413, 422) | replays(SecretRead),
)
async def rotate_webhook_secret(
    service: ServiceDep,
    session: WriteSession,
    subscription_id: KeyPath,
    now: Now,
    _: Admin,
    once: Once,
) -> webhook_service.Rotation:
    """Make another secret, which the answer shows this once. For a day both sign.

    Only the last two ever sign: after a leak rotate twice, and the one that leaked is worth
    nothing at once.
    """
    overlap = timedelta(hours=service.settings.webhook_overlap_hours)
    return await webhook_service.rotate(
        session, subscription_id, service.vault, overlap=overlap, now=now
    )


@router.post(
    "/{subscription_id}/test",
    response_model=PingRead,
    responses=answers(401, 403, 404, 409, 422),
)
async def ping_webhook_subscription(
    service: ServiceDep, subscription_id: KeyPath, _: Admin
) -> Heard:
    """Send a `ping` now, and say what came back. It is no delivery, and is not tried again."""
    async with service.database.reading() as session:
        now = await transaction_time(session)
        hook = await webhook_service.ping(session, subscription_id, service.vault, now=now)
    return await service.send_hook(hook)


@router.get(
    "/{subscription_id}/deliveries",
    response_model=PageRead[WebhookDeliveryRead],
    responses=answers(401, 403, 404, 422),
)
async def list_webhook_deliveries(
    session: ReadSession,
    subscription_id: KeyPath,
    paging: Paging,
    _: Admin,
    promised: InSpan,
    status: Annotated[list[DeliveryStatus], Query(description="Any of these.")] = [],  # noqa: B006
) -> dict[str, Any]:
    """List what was and will be sent, newest first. It is kept for 30 days after it ended.

    `since` and `until` go by `created_at`.
    """
    await webhook_service.require(session, subscription_id)
    found = await crud_webhook_delivery.list_page(
        session, subscription_id, status, promised, paging.window
    )
    return paging.shown(found)


@router.post(
    "/{subscription_id}/deliveries/{delivery_id}/replay",
    response_model=WebhookDeliveryRead,
    status_code=202,
    responses=answers(401, 403, 404, 409, 413, 422) | replays(WebhookDeliveryRead),
)
async def replay_webhook_delivery(
    session: WriteSession,
    subscription_id: KeyPath,
    delivery_id: KeyPath,
    now: Now,
    _: Admin,
    once: Once,
) -> WebhookDelivery:
    """Send a delivery again, under the same `webhook-id` and as often as it takes."""
    return await webhook_service.replay(session, subscription_id, delivery_id, now=now)
