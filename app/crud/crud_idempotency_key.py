"""Answers that are kept for those who ask again."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as upsert

from app.crud import base
from app.db.session import ReadSession, WriteSession
from app.models import IdempotencyKey


async def try_lock(session: WriteSession, digest: str) -> bool:
    """Whether nobody else has this key in hand; held until this transaction ends."""
    place = int.from_bytes(bytes.fromhex(digest[:16]), signed=True)
    is_ours: bool = (await session.scalars(select(func.pg_try_advisory_xact_lock(place)))).one()
    return is_ours


async def get(session: ReadSession, digest: str, *, after: datetime) -> IdempotencyKey | None:
    """What was kept under this key, unless that is too long ago."""
    statement = select(IdempotencyKey).where(
        IdempotencyKey.digest == digest, IdempotencyKey.created_at > after
    )
    return (await session.scalars(statement)).one_or_none()


async def put(
    session: WriteSession, digest: str, *, request: str, answer: str, now: datetime
) -> None:
    """Keep an answer, in the place of one that is too old and still there."""
    values = {"request": request, "answer": answer, "created_at": now}
    await session.execute(
        upsert(IdempotencyKey)
        .values(digest=digest, **values)
        .on_conflict_do_update(index_elements=[IdempotencyKey.digest], set_=values)
    )


async def remove_old(session: WriteSession, *, before: datetime, limit: int) -> int:
    """Forget up to `limit` answers from before then; how many that were."""
    is_old = IdempotencyKey.created_at < before
    return await base.remove_some(session, IdempotencyKey.digest, is_old, limit=limit)
