"""Messages on their way out: promised here as rows, leased here to whoever sends them.

A person who would get too many pages gets the first of them at once and the rest together
(`domain.bundle`). Which is which is settled in the transaction that leases them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from app.crud import crud_bundle, crud_notification, crud_outbox
from app.crud.crud_outbox import Leasing, Term
from app.db.session import WriteSession, wake_after_commit
from app.domain.bundle import MOST_IN_A_BUNDLE, Bundle, PageLimit, share_out
from app.domain.lease import Leased
from app.domain.notification import Channel, NotificationKind
from app.models import Notification

DELIVERY = "delivery"  # the loops that send, one for each channel


def lane(channel: Channel) -> str:
    """The loop that sends over a channel."""
    return f"{DELIVERY}.{channel}"


def wake(session: WriteSession, *channels: Channel) -> None:
    """Once this transaction has committed, let these channels send what is due at once."""
    for channel in channels:
        wake_after_commit(session, lane(channel))


@dataclass(frozen=True)
class Letter:
    """One message to one address: a contact method's, or one that is named."""

    kind: NotificationKind
    channel: Channel
    user_id: int | None = None
    contact_method_id: int | None = None
    address: str | None = None
    incident_id: int | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


async def post(session: WriteSession, letter: Letter, *, now: datetime) -> Notification:
    """Promise a message; it leaves once the caller has committed."""
    promised = await crud_notification.add(
        session,
        Notification(
            kind=letter.kind,
            channel=letter.channel,
            recipient=f"user:{letter.user_id}" if letter.user_id is not None else "address",
            rule=0,
            user_id=letter.user_id,
            contact_method_id=letter.contact_method_id,
            address=letter.address,
            incident_id=letter.incident_id,
            facts=dict(letter.facts),
            due_at=now,
            ready_at=now,
            created_at=now,
            updated_at=now,
        ),
    )
    wake(session, letter.channel)
    return promised


async def lease(
    session: WriteSession, term: Term, *, limit: PageLimit, free: int, reserved: int = 0
) -> Leasing:
    """Take what is due for up to `free` senders; pages beyond a person's limit wait or go along.

    What is critical comes first, and `reserved` of the senders are for it alone. It costs one
    more query where people are paged, and more only for those who are over their limit.
    """
    taken = await crud_outbox.lease_due(session, term, limit=free, reserved=reserved)
    pages = [leased for leased in taken.leased if leased.is_limited]
    if not pages:
        return taken
    told = await crud_bundle.told_lately(session, term.channel, pages, limit, now=term.now)
    shares = share_out(pages, told, limit, now=term.now)
    kept = {leased.id: leased for leased in taken.leased}
    for hold in shares.holds:
        await crud_bundle.hold(session, term.channel, hold, now=term.now)
        for page in hold.pages:
            del kept[page.id]
    for bundle in shares.bundles:
        for page in bundle.pages:
            del kept[page.id]
        leader = await _gather(session, term, bundle, taken)
        kept[leader.id] = leader
    taken.leased = sorted(kept.values(), key=lambda leased: leased.id)
    return taken


async def _gather(session: WriteSession, term: Term, bundle: Bundle, taken: Leasing) -> Leased:
    """One message out of these pages and whatever belongs with them."""
    leader, *others = bundle.pages
    room = MOST_IN_A_BUNDLE - len(bundle.pages)
    if bundle.again is not None:
        more = await crud_outbox.lease_again(
            session, term, bundle.again, leader=leader.id, limit=room
        )
    else:
        more = await crud_outbox.lease_waiting(
            session, term, bundle.stream, leader=leader.id, limit=room
        )
    if others:
        await crud_bundle.follow(session, [page.id for page in others], leader.id)
    taken.moved += more.moved
    taken.cancelled |= more.cancelled
    return replace(leader, followers=(*others, *more.leased))
