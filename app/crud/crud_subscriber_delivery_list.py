"""What subscribers were and will be sent, as people look at it."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select

from app.crud import base
from app.db.session import ReadSession
from app.domain.notification import Channel
from app.domain.subscriber import LetterKind, LetterStatus
from app.models import Subscriber, SubscriberDelivery


@dataclass(frozen=True)
class DeliveryFilter:
    """Which sendings; an empty field does not narrow."""

    statuses: Collection[LetterStatus] = ()
    kinds: Collection[LetterKind] = ()
    subscriber_id: int | None = None
    notice_id: int | None = None


async def list_page(
    session: ReadSession, where: DeliveryFilter, wanted: base.Window
) -> base.Slice[SubscriberDelivery]:
    """Those that match, the newest first."""
    statement = select(SubscriberDelivery)
    if where.statuses:
        statement = statement.where(SubscriberDelivery.status.in_(where.statuses))
    if where.kinds:
        statement = statement.where(SubscriberDelivery.kind.in_(where.kinds))
    if where.subscriber_id is not None:
        statement = statement.where(SubscriberDelivery.subscriber_id == where.subscriber_id)
    if where.notice_id is not None:
        statement = statement.where(SubscriberDelivery.notice_id == where.notice_id)
    return await base.window(session, statement, SubscriberDelivery.id, wanted)


async def addresses_of(
    session: ReadSession, subscriber_ids: Collection[int]
) -> dict[int, tuple[Channel, str]]:
    """Where each of these subscribers is told."""
    statement = select(Subscriber.id, Subscriber.channel, Subscriber.address).where(
        Subscriber.id.in_(subscriber_ids)
    )
    return {one: (channel, address) for one, channel, address in await session.execute(statement)}


async def count_by_status(session: ReadSession) -> dict[LetterStatus, int]:
    """How many sendings there are of each status, each counted up to a bound."""
    found = {}
    for status in LetterStatus:
        keys = select(SubscriberDelivery.id).where(SubscriberDelivery.status == status)
        found[status] = min((await session.scalars(base.counted(keys))).one(), base.COUNTED_AT_MOST)
    return found
