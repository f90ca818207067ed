"""Messages about duty, put into the outbox: to each person over the addresses they want used.

They are no pages: nothing follows when one is lost, quiet hours put them off, whatever the
severity of anything, and what is over by the time it would leave is not sent at all.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from app.crud import crud_on_call_notice
from app.crud.crud_on_call_notice import Address, Hearer
from app.db.session import WriteSession
from app.domain.notification import NotificationKind, Rule, after_quiet_hours
from app.services import outbox


async def tell(
    session: WriteSession,
    kind: NotificationKind,
    facts: Mapping[int, Mapping[str, Any]],
    *,
    good_until: datetime | None,
    now: datetime,
) -> None:
    """Promise each of these people a message with their own facts, once their quiet hours end."""
    people = await crud_on_call_notice.hearers(session, facts.keys())
    letters = [
        letter(kind, hearer, address, facts[hearer.user_id], good_until=good_until, now=now)
        for _, hearer in sorted(people.items())
        if hearer.is_active
        for address in hearer.addresses
    ]
    await promise(session, letters)


async def promise(session: WriteSession, letters: list[dict[str, Any]]) -> None:
    """Put letters into the outbox; those that are due leave once the caller has committed."""
    if letters:
        await crud_on_call_notice.promise(session, letters)
        outbox.wake(session, *{letter["channel"] for letter in letters})


def due_at(hearer: Hearer, address: Address, now: datetime) -> datetime:
    """Now, or the end of the quiet hours of this address."""
    rule = Rule(
        0,
        address.channel,
        address.contact_method_id,
        is_verified=True,
        delay=timedelta(),
        quiet_from=address.quiet_from,
        quiet_until=address.quiet_until,
    )
    return after_quiet_hours(now, rule, hearer.time_zone)


def letter(
    kind: NotificationKind,
    hearer: Hearer,
    address: Address,
    facts: Mapping[str, Any],
    *,
    good_until: datetime | None,
    now: datetime,
) -> dict[str, Any]:
    """One row of the outbox."""
    told: dict[str, Any] = {**facts, "time_zone": hearer.time_zone}
    if good_until is not None:
        told["good_until"] = good_until.isoformat()
    due = due_at(hearer, address, now)
    return {
        "kind": kind,
        "channel": address.channel,
        "recipient": f"user:{hearer.user_id}",
        "rule": 0,
        "user_id": hearer.user_id,
        "contact_method_id": address.contact_method_id,
        "facts": told,
        "due_at": due,
        "ready_at": due,
        "created_at": now,
        "updated_at": now,
    }
