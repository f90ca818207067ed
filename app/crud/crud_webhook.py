"""Webhook subscriptions: found, listed, and moved along the feed.

Whoever changes a subscription holds its row, and takes several in the order of their ids.
"""

from collections.abc import Collection, Sequence

from sqlalchemy import func, or_, select

from app.crud import base
from app.db.session import Database, ReadSession, WriteSession
from app.models import WebhookSubscription


async def get(session: ReadSession, subscription_id: int) -> WebhookSubscription | None:
    found = await base.get(session, WebhookSubscription, subscription_id)
    return found if found is not None and found.deleted_at is None else None


async def lock(session: WriteSession, subscription_id: int) -> WebhookSubscription | None:
    """The subscription, held until commit."""
    found = await base.lock(session, WebhookSubscription, subscription_id)
    return found if found is not None and found.deleted_at is None else None


async def list_page(
    session: ReadSession, wanted: base.Window, *, is_active: bool | None = None
) -> base.Slice[WebhookSubscription]:
    """Those that are active or those that are not; None: both."""
    statement = select(WebhookSubscription).where(WebhookSubscription.deleted_at.is_(None))
    if is_active is not None:
        statement = statement.where(WebhookSubscription.is_active == is_active)
    return await base.window(session, statement, WebhookSubscription.id, wanted, descending=False)


async def count(session: ReadSession) -> int:
    statement = select(func.count()).where(WebhookSubscription.deleted_at.is_(None))
    return (await session.scalars(statement)).one()


async def add(session: WriteSession, subscription: WebhookSubscription) -> WebhookSubscription:
    return await base.add(session, subscription)


async def lock_behind(session: WriteSession, position: int) -> WebhookSubscription | None:
    """The active subscription that is furthest behind this place and that nobody holds."""
    statement = (
        select(WebhookSubscription)
        .where(WebhookSubscription.is_active, WebhookSubscription.position < position)
        .order_by(WebhookSubscription.position, WebhookSubscription.id)
        .limit(1)
        .with_for_update(key_share=True, skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(statement)).one_or_none()


_BEHIND = """
    SELECT id FROM webhook_subscriptions
    WHERE is_active AND position < (SELECT position FROM event_feed) LIMIT 1
"""


async def is_any_behind(database: Database) -> bool:
    """Whether an active subscription has not read the whole feed, whoever holds it."""
    return bool(await database.ask(_BEHIND))


async def lock_tried(
    session: WriteSession, taken: Collection[int], untaken: Collection[int]
) -> Sequence[WebhookSubscription]:
    """Those whose state an attempt may change, held: of the ones whose endpoint took
    something only those that had been failing."""
    statement = (
        select(WebhookSubscription)
        .where(
            or_(
                WebhookSubscription.id.in_(untaken),
                WebhookSubscription.id.in_(taken) & WebhookSubscription.failing_since.is_not(None),
            )
        )
        .order_by(WebhookSubscription.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(statement)).all()
