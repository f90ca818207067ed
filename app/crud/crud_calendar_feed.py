"""Secret addresses of calendars, by their hash and by whose they are."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, or_, select, update

from app.crud import base
from app.db.session import ReadSession, WriteSession
from app.domain.calendar_feed import USE_NOTED_EVERY
from app.models import CalendarFeed, User


class LiveFeed(NamedTuple):
    """A feed that shows something, and its owner."""

    feed: CalendarFeed
    owner: User


async def live(session: ReadSession, token_hash: str) -> LiveFeed | None:
    """The feed of this token, while it is not revoked and its owner’s account is open."""
    statement = (
        select(CalendarFeed, User)
        .join(User, User.id == CalendarFeed.user_id)
        .where(
            CalendarFeed.token_hash == token_hash,
            CalendarFeed.revoked_at.is_(None),
            User.is_active,
        )
    )
    found = (await session.execute(statement)).one_or_none()
    return None if found is None else LiveFeed(found[0], found[1])


async def list_page(
    session: ReadSession, user_id: int | None, schedule_id: int | None, wanted: base.Window
) -> base.Slice[CalendarFeed]:
    """The feeds of a schedule, or of people’s own shifts: somebody’s, or everybody’s; newest
    first, those that are over, too."""
    statement = select(CalendarFeed).where(
        CalendarFeed.schedule_id.is_not_distinct_from(schedule_id)
    )
    if schedule_id is not None:
        statement = select(CalendarFeed).where(CalendarFeed.schedule_id == schedule_id)
    if user_id is not None:
        statement = statement.where(CalendarFeed.user_id == user_id)
    return await base.window(session, statement, CalendarFeed.id, wanted)


async def count_live(session: ReadSession, user_id: int) -> int:
    statement = select(func.count()).where(
        CalendarFeed.user_id == user_id, CalendarFeed.revoked_at.is_(None)
    )
    return (await session.scalars(statement)).one()


async def lock(session: WriteSession, feed_id: int) -> CalendarFeed | None:
    return await base.lock(session, CalendarFeed, feed_id)


async def add(session: WriteSession, feed: CalendarFeed) -> CalendarFeed:
    return await base.add(session, feed)


async def note_use(session: WriteSession, feed_id: int, *, now: datetime) -> None:
    """Remember that the feed was read, unless that was noted just before."""
    used, before = CalendarFeed.last_used_at, now - USE_NOTED_EVERY
    await session.execute(
        update(CalendarFeed)
        .where(CalendarFeed.id == feed_id, or_(used.is_(None), used <= before))
        .values(last_used_at=now)
        .execution_options(synchronize_session=False)
    )
