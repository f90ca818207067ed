"""The words of incidents: read for the search, and found by it."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Select,
    cast,
    func,
    literal,
    literal_column,
    select,
    text,
    union_all,
)
from sqlalchemy.dialects.postgresql import TSVECTOR

from app.crud import base
from app.db.session import Database, WriteSession
from app.domain.search import MOST_MATCHES
from app.models import SEARCH_QUEUE, SEARCH_WORDS, Incident
from app.models.search import COMMENTS, WORDS_OF_INCIDENT

READING = 5_027_916_438  # an advisory lock
MOST_READ = 100  # at once; written out below, for the planner to know
MOST_UNREAD = 2 * MOST_MATCHES  # looked at by a search: the newest of those that wait

# One at a time, so that nobody who read an incident earlier writes its words later.
_READ_NEXT = text(
    """
    WITH taken AS (
        DELETE FROM search_queue WHERE ctid = ANY(ARRAY(
            SELECT ctid FROM search_queue LIMIT 100
        ))
        RETURNING incident_id
    ), kept AS (
        INSERT INTO search_words (incident_id, words)
        SELECT id, {words} FROM incidents
        WHERE id IN (SELECT incident_id FROM taken)
        ON CONFLICT (incident_id) DO UPDATE SET words = excluded.words
    )
    SELECT count(*) FROM taken
""".replace("{words}", WORDS_OF_INCIDENT)
)


async def is_anything_queued(database: Database) -> bool:
    """Whether there are incidents whose words are still to be read."""
    return bool(await database.ask("SELECT 1 FROM search_queue LIMIT 1"))


async def read_next(session: WriteSession) -> int | None:
    """Read the words of up to `MOST_READ` incidents that wait; of how many.

    None if somebody else is reading.
    """
    if not (await session.scalars(select(func.pg_try_advisory_xact_lock(READING)))).one():
        return None
    taken: int = (await session.scalars(_READ_NEXT)).one()
    return taken


def matches(words: str, holds: Sequence[ColumnElement[bool]], *, most: int) -> CTE:
    """The newest incidents that hold the words, or have a comment that does, and all of `holds`.

    `key` is an incident, `rank` its relevance: a whole number, which a cursor can hold exactly.
    """
    asked = func.websearch_to_tsquery(text("'simple'"), words)
    queue = SEARCH_QUEUE.c.incident_id
    unread = select(queue).distinct().order_by(queue.desc()).limit(MOST_UNREAD).cte("unread")
    is_unread = Incident.id.in_(select(unread.c.incident_id))
    read = _found(
        SEARCH_WORDS.c.words, asked, SEARCH_WORDS.c.incident_id, [~is_unread, *holds], most
    ).join(SEARCH_WORDS, SEARCH_WORDS.c.incident_id == Incident.id)
    fresh = _found(_WORDS, asked, Incident.id, [is_unread, *holds], most)
    said = (
        _found(COMMENTS.c.words, asked, COMMENTS.c.incident_id, holds, most, func.max)
        .join(COMMENTS, COMMENTS.c.incident_id == Incident.id)
        .group_by(COMMENTS.c.incident_id)
    )
    either = union_all(read, fresh, said).subquery()
    rank = cast(func.max(either.c.rank) * literal(1e6), BigInteger).label("rank")
    return (
        select(either.c.key, rank)
        .group_by(either.c.key)
        .order_by(either.c.key.desc())
        .limit(most)
        .cte("matches")
    )


_WORDS: ColumnElement[Any] = literal_column(f"({WORDS_OF_INCIDENT})", TSVECTOR())


def _found(
    words: ColumnElement[Any],
    asked: ColumnElement[Any],
    key: base.Column,
    holds: Sequence[ColumnElement[bool]],
    most: int,
    of_several: Callable[[ColumnElement[Any]], ColumnElement[Any]] = lambda rank: rank,
) -> Select[Any]:
    rank = of_several(func.ts_rank(words, asked)).label("rank")
    return (
        select(key.label("key"), rank)
        .select_from(Incident)
        .where(words.op("@@")(asked), *holds)
        .order_by(key.desc())
        .limit(most)
    )
