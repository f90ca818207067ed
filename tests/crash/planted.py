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

from app.channels.base import Message, Outcome, Sent
from app.channels.email import SmtpSender
from app.channels.webhook import WebhookSender

# Only the claim of due steps locks two tables and skips what is locked.
CLAIM_LOCK = re.compile(r"\s+FOR NO KEY UPDATE OF \w+, \w+ SKIP LOCKED")


def claim_without_lock() -> None:
    """Whoever looks for due steps takes them, whether or not somebody has them already.

    The unique keys that would stop it must be gone, too (`TheDatabase.lose_unique_keys`).
    """

    def unlocked(
        _connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any
    ) -> tuple[str, Any]:
        return CLAIM_LOCK.sub("", statement), parameters

    event.listen(Engine, "before_cursor_execute", unlocked, retval=True)


def recorded_before_sent() -> None:
    """“Sent” is written down first; the message leaves a moment later, if at all."""
    underway: set[asyncio.Task[Outcome]] = set()

    def hasty(send: Callable[[Any, Message], Any]) -> Callable[[Any, Message], Any]:
        async def send_later(sender: Any, message: Message) -> Outcome:
            task = asyncio.create_task(send(sender, message))
            underway.add(task)
            task.add_done_callback(underway.discard)
            return Sent()

        return send_later

    for kind in (SmtpSender, WebhookSender):
        kind.send = hasty(kind.send)  # type: ignore[method-assign]


def lease_never_rescued() -> None:
    """What a dead sender had leased stays leased.

    Only the database does it (`TheDatabase.keep_leases`): it makes every lease a day longer.
    """


BUGS: dict[str, Callable[[], None]] = {
    "claim-without-lock": claim_without_lock,
    "recorded-before-sent": recorded_before_sent,
    "lease-never-rescued": lease_never_rescued,
}


def plant(bug: str) -> None:
    BUGS[bug]()
