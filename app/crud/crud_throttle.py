"""Counts in windows of time, each one row and one statement."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import case, delete, update
from sqlalchemy.dialects.postgresql import insert as upsert

from app.crud import base
from app.db.session import WriteSession
from app.models import Throttle


async def count(
    session: WriteSession, key: str, window: timedelta, *, now: datetime
) -> tuple[int, datetime]:
    """Count once more; how often it was in the window, and when that ends.

    One statement: of many who come at once, each gets a number of its own.
    """
    row = upsert(Throttle).values(key=key, count=1, ends_at=now + window)
    is_over = Throttle.ends_at <= now
    counted = row.on_conflict_do_update(
        index_elements=[Throttle.key],
        set_={
            "count": case((is_over, 1), else_=Throttle.count + 1),
            "ends_at": case((is_over, row.excluded.ends_at), else_=Throttle.ends_at),
        },
    ).returning(Throttle.count, Throttle.ends_at)
    number, ends_at = (await session.execute(counted)).tuples().one()
    return number, ends_at


async def forget(session: WriteSession, keys: Collection[str]) -> None:
    """Begin these counts anew."""
    await session.execute(
        delete(Throttle).where(Throttle.key.in_(keys)).execution_options(synchronize_session=False)
    )


async def give_back(session: WriteSession, keys: Collection[str]) -> None:
    """Count once less."""
    await session.execute(
        update(Throttle)
        .where(Throttle.key.in_(keys), Throttle.count > 0)
        .values(count=Throttle.count - 1)
        .execution_options(synchronize_session=False)
    )


async def remove_over(session: WriteSession, *, now: datetime, limit: int) -> int:
    """Forget up to `limit` counts whose window is over; how many that were."""
    return await base.remove_some(session, Throttle.key, Throttle.ends_at <= now, limit=limit)
