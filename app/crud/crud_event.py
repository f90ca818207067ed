"""The change feed's SQL: giving places, reading by place, forgetting what is old.

Places are given in transactions that follow one another, because each holds the feed's one
row until it has committed. So whoever has seen a place has seen all before it, however the
transactions that wrote the events overlapped.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select, text
from sqlalchemy.dialects.postgresql import insert as upsert

from app.crud import base
from app.db.session import Database, ReadSession, WriteSession
from app.domain.event import Audience
from app.models import Event, EventFeed

ONLY = 1  # the key of the feed's one row


async def add(session: WriteSession, event: Event) -> Event:
    return await base.add(session, event)


_UNPLACED = "SELECT id FROM events WHERE position IS NULL AND id > $1 LIMIT 1"


async def is_anything_unplaced(database: Database, *, after: int = 0) -> bool:
    """Whether an event beyond this id waits for its place."""
    return bool(await database.ask(_UNPLACED, after))


async def hold_feed(session: WriteSession) -> bool:
    """Become the relay until commit; False if another is."""
    mine = select(EventFeed.id).where(EventFeed.id == ONLY).with_for_update(skip_locked=True)
    if (await session.scalars(mine)).one_or_none() is not None:
        return True
    if await session.get(EventFeed, ONLY) is not None:  # an upsert would wait for its holder
        return False
    made = upsert(EventFeed).values(id=ONLY).on_conflict_do_nothing().returning(EventFeed.id)
    return (await session.scalars(made)).one_or_none() is not None


MOST = 1_000  # placed at once; written out below, for the planner to know
_PLACE = text("""
    WITH waiting AS (
        SELECT id, row_number() OVER (ORDER BY id) AS turn
        FROM (
            SELECT id FROM events WHERE position IS NULL AND id > :after ORDER BY id LIMIT 1000
        ) e
    ), placed AS (
        UPDATE events e SET position = f.position + w.turn
        FROM waiting w, event_feed f
        WHERE e.id = w.id
        RETURNING e.id
    ), counted AS (
        SELECT count(*) AS events, max(id) AS last FROM placed
    ), moved AS (
        UPDATE event_feed f SET position = f.position + c.events
        FROM counted c WHERE c.events > 0
    )
    SELECT events, last FROM counted
""")


@dataclass(frozen=True)
class Placed:
    """How many events have got their places, and the highest id among them."""

    count: int
    last_id: int | None


async def place(session: WriteSession, *, after: int) -> Placed:
    """Give places to `MOST` events beyond this id, in the order of their ids; the feed is held."""
    count, last = (await session.execute(_PLACE, {"after": after})).one()
    return Placed(count, last)


async def last_position(session: ReadSession) -> int:
    """The place that was given out last; 0 before the first."""
    found = select(EventFeed.position).where(EventFeed.id == ONLY)
    return (await session.scalars(found)).one_or_none() or 0


async def bounds(session: ReadSession) -> tuple[int, int]:
    """The first place that can still be read, and the last that was given out."""
    last = await last_position(session)
    first = select(func.min(Event.position)).where(Event.position.is_not(None))
    return (await session.scalars(first)).one() or last + 1, last


async def read_after(
    session: ReadSession,
    position: int,
    limit: int,
    *,
    until: int | None = None,
    audience: Audience | None = None,
) -> Sequence[Event]:
    """What follows a place, in order: for everybody, or what one audience may be told."""
    statement = select(Event).where(Event.position > position).order_by(Event.position).limit(limit)
    if until is not None:
        statement = statement.where(Event.position <= until)
    if audience is not None:
        statement = statement.where(Event.audience == audience)
    return (await session.scalars(statement)).all()


async def remove_old(session: WriteSession, *, before: datetime, limit: int) -> int:
    """Forget up to `limit` events of before then, the first of the feed first; how many."""
    # The feed is in the order of time, so that what is too young ends the search.
    oldest = (
        select(Event.id, Event.created_at)
        .where(Event.position.is_not(None))
        .order_by(Event.position)
        .limit(limit)
        .subquery()
    )
    removed = await session.execute(
        delete(Event)
        .where(Event.id.in_(select(oldest.c.id).where(oldest.c.created_at < before)))
        .returning(Event.id)
        .execution_options(synchronize_session=False)
    )
    return len(removed.all())
