"""Waiting after too many tries.

A try is counted before it is judged, in a unit of work of its own, so that neither a refusal
that rolls back nor many tries at once go uncounted.
"""

import hashlib
import math
from collections.abc import Collection
from datetime import datetime

from app.core.errors import TooManyError
from app.crud import crud_throttle
from app.db.session import WriteSession
from app.domain.throttle import Quota


def key_of(quota: Quota, whom: str) -> str:
    """What a count is kept under: nobody reads an address out of the table."""
    return hashlib.sha256(f"{quota.name}: {whom}".encode(errors="replace")).hexdigest()


async def count(
    session: WriteSession, tries: Collection[tuple[Quota, str]], *, now: datetime
) -> TooManyError | None:
    """Count a try against each quota; the refusal if one of them is used up.

    It is returned, not raised: raised inside the unit of work it would undo the count.
    """
    refusal: TooManyError | None = None
    for quota, whom in sorted(tries, key=lambda one: key_of(*one)):  # one order, no deadlocks
        number, ends_at = await crud_throttle.count(
            session, key_of(quota, whom), quota.window, now=now
        )
        if number > quota.limit:
            wait = max(1, math.ceil((ends_at - now).total_seconds()))
            if refusal is None or wait > refusal.retry_after:
                refusal = TooManyError(
                    f"{quota.told} Try again in {_in_words(wait)}.", retry_after=wait
                )
    return refusal


async def forget(session: WriteSession, tries: Collection[tuple[Quota, str]]) -> None:
    """What was tried succeeded: its counts begin anew."""
    await crud_throttle.forget(session, [key_of(quota, whom) for quota, whom in tries])


async def give_back(session: WriteSession, tries: Collection[tuple[Quota, str]]) -> None:
    """What was tried was no failure: it does not count."""
    await crud_throttle.give_back(session, [key_of(quota, whom) for quota, whom in tries])


def _in_words(seconds: int) -> str:
    if seconds < 120:
        return f"{seconds} seconds"
    return f"{math.ceil(seconds / 60)} minutes"
