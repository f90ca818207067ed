"""Bugs to be planted into replicas, so that the crash test can show that it sees them.

The product's source is not touched: what is replaced here is replaced in the replicas of one
run. Each bug stands at a place that does not move: what a sender is, what a statement says,
what a row becomes.
"""

import asyncio
import re
from collections.abc import Callable
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.ext.asyncio import AsyncSession

from app.channels.base import Sent
from app.channels.email import SmtpSender
from app.channels.subscriber import SubscriberSender
from app.channels.webhook import WebhookSender
from app.crud import crud_webhook_delivery
from app.db.session import ReadSession, WriteSession
from app.domain.webhook import Heard

# Only the claim of due steps locks two tables and skips what is locked.
CLAIM_LOCK = re.compile(r"\s+FOR NO KEY UPDATE OF \w+, \w+ SKIP LOCKED")
# Who reads on in the feed for a subscription holds its row.
READ_LOCK = re.compile(
    r"(FROM webhook_subscriptions\s.*\bposition\b.*) FOR NO KEY UPDATE SKIP LOCKED", re.DOTALL
)
ONCE = re.compile(r" ON CONFLICT \(subscription_id, event_id\) DO NOTHING")
MOMENT = 0.5  # seconds


def claim_without_lock() -> None:
    """Whoever looks for due steps takes them, whether or not somebody has them already; so does
    whoever looks for events that a subscription has not read.

    The unique keys that would stop it must be gone, too (`TheDatabase.lose_unique_keys`).
    """

    def unlocked(
        _connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any
    ) -> tuple[str, Any]:
        for lock, left in ((CLAIM_LOCK, ""), (READ_LOCK, r"\1"), (ONCE, "")):
            statement = lock.sub(left, statement)
        return statement, parameters

    event.listen(Engine, "before_cursor_execute", unlocked, retval=True)


def recorded_before_sent() -> None:
    """“Sent” is written down first; the message leaves a moment later, if at all."""
    underway: set[asyncio.Task[Any]] = set()

    def hasty(send: Callable[[Any, Any], Any], said: object) -> Callable[[Any, Any], Any]:
        async def send_later(sender: Any, message: Any) -> object:
            task = asyncio.create_task(send(sender, message))
            underway.add(task)
            task.add_done_callback(underway.discard)
            return said

        return send_later

    for kind, said in ((SmtpSender, Sent()), (WebhookSender, Sent()), (SubscriberSender, Heard())):
        kind.send = hasty(kind.send, said)  # type: ignore[method-assign, assignment]


def lease_never_rescued() -> None:
    """What a dead sender had leased stays leased.

    Only the database does it (`TheDatabase.keep_leases`): it makes every lease a day longer.
    """


def place_moved_first() -> None:
    """A subscription's place in the feed moves first; the deliveries are written a moment later,
    in a transaction of their own, if at all."""
    underway: set[asyncio.Task[None]] = set()
    promise = crud_webhook_delivery.promise

    async def promise_later(session: WriteSession, rows: Any) -> int:
        async def write() -> None:
            await asyncio.sleep(MOMENT)
            async with AsyncSession(session.bind) as another, another.begin():
                await promise(WriteSession(ReadSession(another)), rows)

        task = asyncio.create_task(write())
        underway.add(task)
        task.add_done_callback(underway.discard)
        return len(rows)

    crud_webhook_delivery.promise = promise_later


BUGS: dict[str, Callable[[], None]] = {
    "claim-without-lock": claim_without_lock,
    "recorded-before-sent": recorded_before_sent,
    "lease-never-rescued": lease_never_rescued,
    "place-moved-first": place_moved_first,
}


def plant(bug: str) -> None:
    BUGS[bug]()
