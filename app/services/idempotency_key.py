"""Doing what is asked once, however often it is asked.

Who has a key in hand holds an advisory lock until the transaction ends; the row with the answer
is written by that same transaction. So there is a row exactly when the work was done: a request
that was refused, failed or died leaves its key as if it had never come, and of many at once the
first works while the rest are told so at once. An uncommitted row would have them wait instead.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.core.errors import ConflictError
from app.crud import crud_idempotency_key
from app.db.session import ReadSession, WriteSession

KEPT = timedelta(hours=24)


class KeyConflictError(ConflictError):
    """The key belongs to another request."""

    code = "IDEMPOTENCY_KEY_CONFLICT"


class KeyInUseError(ConflictError):
    """The first request with this key is not through yet."""

    code = "IDEMPOTENCY_KEY_IN_USE"


@dataclass(frozen=True)
class Mark:
    """Whose key it is and for which address, and what was asked: both as digests."""

    digest: str
    request: str


async def recall(session: ReadSession, mark: Mark, *, now: datetime) -> str | None:
    """What was answered the first time; None if there was none."""
    kept = await crud_idempotency_key.get(session, mark.digest, after=now - KEPT)
    if kept is None:
        return None
    if kept.request != mark.request:
        raise KeyConflictError(
            "This Idempotency-Key came with another request before. Take a new key for each"
            " thing that you want done, and the same only to ask for the same again."
        )
    return kept.answer


async def claim(session: WriteSession, mark: Mark, *, now: datetime) -> str | None:
    """Have the key in hand until this transaction ends; what was answered if it was used."""
    if not await crud_idempotency_key.try_lock(session, mark.digest):
        raise KeyInUseError(
            "The first request with this Idempotency-Key is still at work; ask again in a moment."
        )
    # A statement of its own: one that began before the lock was ours would see what was then.
    return await recall(session, mark, now=now)


async def keep(session: WriteSession, mark: Mark, answer: str, *, now: datetime) -> None:
    """Remember what is answered, if this transaction commits."""
    await crud_idempotency_key.put(
        session, mark.digest, request=mark.request, answer=answer, now=now
    )
