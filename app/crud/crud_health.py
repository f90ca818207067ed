"""How the promises stand: what is due and not done yet, what was forgotten, how the server is.

Everything here is asked often, so nothing costs more than its bound, however much is due: the
due indexes are read from their heads, `COUNTED_AT_MOST` rows of each at most.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ARRAY, BigInteger, DateTime, String, TextClause, bindparam, text
from sqlalchemy.pool import QueuePool

from app.crud.base import COUNTED_AT_MOST
from app.db.session import Database, ReadSession
from app.domain.notification import Channel

# A message that failed is tried again within minutes; one that a provider put off, later.
HORIZON = timedelta(hours=1)
AUDITED_AT_MOST = 1_000  # of each kind: more are not worse news
MANY_FAULTS = 3
_TYPES: dict[str, Any] = {
    **dict.fromkeys(("now", "horizon", "before", "soon"), DateTime(timezone=True)),
    **dict.fromkeys(("after", "slice"), BigInteger()),
    "channels": ARRAY(String()),
}


def _asked(statement: str, *names: str) -> TextClause:
    """Bounds stand in the text: for an unknown one the planner would prepare for many rows."""
    statement = statement.replace("{most}", str(COUNTED_AT_MOST + 1))
    statement = statement.replace("{audited}", str(AUDITED_AT_MOST))
    statement = statement.replace("{faults}", str(MANY_FAULTS))
    return text(statement).bindparams(*(bindparam(name, type_=_TYPES[name]) for name in names))


@dataclass(frozen=True)
class Queue:
    """What is due and waits for somebody to take it. Times are in seconds."""

    due: int  # one more than COUNTED_AT_MOST stands for “more”
    waiting: float  # how long the oldest has been free to be taken
    late: float  # how long after its due time the oldest is that has not left; retries included


@dataclass(frozen=True)
class Backlog:
    steps: Queue
    messages: Mapping[Channel, Queue]

    @property
    def late_pages(self) -> float:
        return max(queue.late for queue in self.messages.values())


_STEPS = _asked(
    """
    SELECT count(*), min(due.next_step_at)
    FROM (VALUES (true), (false)) u(is_critical)
    CROSS JOIN LATERAL (
        SELECT e.next_step_at FROM escalations e
        WHERE e.is_critical = u.is_critical AND e.next_step_at <= :now
        ORDER BY e.next_step_at LIMIT {most}
    ) due
    """,
    "now",
)
# A page that nobody has tried yet is late since it may be taken: until then it rested for a
# reason (a bundle, quiet hours, a snooze). One that was tried is late since it was due.
_MESSAGES = _asked(
    """
    SELECT c.channel,
        count(*) FILTER (WHERE w.ready_at <= :now),
        min(w.ready_at) FILTER (WHERE w.ready_at <= :now),
        min(w.promised_at) FILTER (WHERE w.promised_at <= :now)
    FROM unnest(:channels) c(channel)
    CROSS JOIN (VALUES (true), (false)) u(is_critical)
    CROSS JOIN LATERAL (
        SELECT n.ready_at, CASE
            WHEN n.kind <> 'page' THEN NULL
            WHEN n.attempts = 0 AND n.last_error IS NULL THEN n.ready_at
            WHEN EXISTS (
                SELECT FROM incidents i WHERE i.id = n.incident_id AND i.snoozed_until > :now
            ) THEN NULL
            ELSE greatest(n.due_at, n.held_until)
        END AS promised_at
        FROM notifications n
        WHERE n.channel = c.channel AND n.is_critical = u.is_critical AND n.ready_at <= :horizon
        ORDER BY n.ready_at, n.id LIMIT {most}
    ) w
    GROUP BY c.channel
    """,
    *("now", "horizon", "channels"),
)


async def backlog(session: ReadSession, *, now: datetime) -> Backlog:
    """What is due and not done: steps, and the messages of each channel."""
    most = COUNTED_AT_MOST + 1
    count, oldest = (await session.execute(_STEPS, {"now": now})).one()
    age = _seconds_since(oldest, now)
    found = {channel: Queue(0, 0.0, 0.0) for channel in Channel}
    asked = {"now": now, "horizon": now + HORIZON, "channels": list(Channel)}
    for channel, due, ready_at, promised_at in await session.execute(_MESSAGES, asked):
        found[Channel(channel)] = Queue(
            min(due, most), _seconds_since(ready_at, now), _seconds_since(promised_at, now)
        )
    return Backlog(Queue(min(count, most), age, age), found)


def _seconds_since(due_at: datetime | None, now: datetime) -> float:
    return max((now - due_at).total_seconds(), 0.0) if due_at else 0.0


_HEADS = _asked(
    """
    SELECT 'steps' AS queue, u.is_critical, due.next_step_at, due.id
    FROM (VALUES (true), (false)) u(is_critical)
    CROSS JOIN LATERAL (
        SELECT e.next_step_at, e.id FROM escalations e
        WHERE e.is_critical = u.is_critical AND e.next_step_at <= :before
        ORDER BY e.next_step_at, e.id LIMIT 1
    ) due
    UNION ALL
    SELECT c.channel, u.is_critical, due.ready_at, due.id
    FROM unnest(:channels) c(channel)
    CROSS JOIN (VALUES (true), (false)) u(is_critical)
    CROSS JOIN LATERAL (
        SELECT n.ready_at, n.id FROM notifications n
        WHERE n.channel = c.channel AND n.is_critical = u.is_critical AND n.ready_at <= :before
        ORDER BY n.ready_at, n.id LIMIT 1
    ) due
    """,
    *("before", "channels"),
)
Head = tuple[bool, datetime, int]


async def heads(session: ReadSession, *, before: datetime) -> dict[str, frozenset[Head]]:
    """Who stands first in each queue and has been free to be taken since `before`."""
    found: dict[str, set[Head]] = {}
    asked = {"before": before, "channels": list(Channel)}
    for queue, *head in await session.execute(_HEADS, asked):
        found.setdefault(queue, set()).add((head[0], head[1], head[2]))
    return {queue: frozenset(first) for queue, first in found.items()}


# --- The auditor's questions -------------------------------------------------------------

SLICE = 5_000  # incidents in one look


@dataclass(frozen=True)
class Overdue:
    """Promises that somebody should have kept by now, as many as were found."""

    steps: int = 0  # due for long, and not taken
    faults: int = 0  # steps that break again and again
    pages: int = 0  # ready for long, and not taken
    leases: int = 0  # of senders that vanished long ago
    clocks: int = 0  # ladders of open incidents that stand still
    incidents: int = 0  # open, and no ladder is at work or has come to its end


_OVERDUE = _asked(
    """
    SELECT
        (SELECT count(*) FROM (VALUES (true), (false)) u(is_critical) CROSS JOIN LATERAL (
            SELECT FROM escalations e
            WHERE e.is_critical = u.is_critical AND e.next_step_at <= :before
            ORDER BY e.next_step_at LIMIT {audited}) late),
        (SELECT count(*) FROM (VALUES (true), (false)) u(is_critical) CROSS JOIN LATERAL (
            SELECT e.faults FROM escalations e
            WHERE e.is_critical = u.is_critical AND e.next_step_at <= :soon
            ORDER BY e.next_step_at LIMIT {audited}) near WHERE near.faults >= {faults}),
        count(*) FILTER (WHERE late.status = 'pending' AND late.kind = 'page'),
        count(*) FILTER (WHERE late.status = 'sending')
    FROM unnest(:channels) c(channel)
    CROSS JOIN (VALUES (true), (false)) u(is_critical)
    CROSS JOIN LATERAL (
        SELECT n.status, n.kind FROM notifications n
        WHERE n.channel = c.channel AND n.is_critical = u.is_critical AND n.ready_at <= :before
        ORDER BY n.ready_at LIMIT {audited}
    ) late
    """,
    *("before", "soon", "channels"),
)


async def overdue(session: ReadSession, *, now: datetime, patience: timedelta) -> Overdue:
    """What has been due for longer than `patience`, counted from the due indexes."""
    asked = {
        "before": now - patience,
        "soon": now + patience,  # a step that broke is put off for less
        "channels": list(Channel),
    }
    steps, faults, pages, leases = (await session.execute(_OVERDUE, asked)).one()
    return Overdue(steps=steps, faults=faults, pages=pages, leases=leases)


# In one statement, so that what it sees of an incident and of its ladders is of one instant. The
# range (and no `status = 'open'`) leaves the planner only the index that holds the open ones
# together: by their keys alone it might wade through all that were resolved since.
_FORGOTTEN = _asked(
    """
    SELECT looked.id, ladders.stand, ladders.watch
    FROM (
        SELECT i.id FROM incidents i
        WHERE (i.status, i.id) < ('open', :after) AND i.status >= 'open'
        ORDER BY i.status DESC, i.id DESC LIMIT :slice
    ) looked
    CROSS JOIN LATERAL (
        SELECT
            coalesce(bool_or(e.status = 'paused' AND e.next_step_at IS NULL), false) AS stand,
            coalesce(bool_or(e.status IN ('active', 'paused')), false)
                OR CASE (array_agg(e.status ORDER BY e.id DESC))[1]
                    WHEN 'cancelled' THEN true
                    WHEN 'exhausted' THEN bool_or(e.is_fallback)
                    ELSE false
                END AS watch
        FROM escalations e WHERE e.incident_id = looked.id
    ) ladders
    """,
    *("after", "slice"),
)


@dataclass(frozen=True)
class Forgotten:
    """Open incidents that nobody will ever be paged for, of one slice of all that are open."""

    stopped: frozenset[int]  # a ladder of theirs stands still, as if somebody had answered
    unwatched: frozenset[int]  # no ladder is at work, and none has come to its end
    next_after: int | None  # where the next slice begins; None: this was the last


async def forgotten(session: ReadSession, *, after: int) -> Forgotten:
    """A look at the open incidents below `after`, the newest first."""
    rows = (await session.execute(_FORGOTTEN, {"after": after, "slice": SLICE})).all()
    return Forgotten(
        stopped=frozenset(number for number, stands, _ in rows if stands),
        unwatched=frozenset(number for number, _, is_watched in rows if not is_watched),
        next_after=min(number for number, *_ in rows) if len(rows) == SLICE else None,
    )


# --- The server --------------------------------------------------------------------------

_TAKES_WRITES = text(
    "SELECT NOT (pg_is_in_recovery() OR current_setting('default_transaction_read_only')::boolean)"
)
# What a role may not see of others' sessions is NULL here, and does not count.
_SESSIONS = text("""
    SELECT
        max(extract(epoch FROM now() - xact_start)) FILTER (
            WHERE backend_xmin IS NOT NULL OR backend_xid IS NOT NULL),
        max(extract(epoch FROM now() - state_change)) FILTER (
            WHERE state LIKE 'idle in transaction%')
    FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
        AND backend_type <> 'autovacuum worker'
""")


@dataclass(frozen=True)
class Sessions:
    """Seconds; a snapshot held for long slows every due index down."""

    oldest_snapshot: float
    oldest_idle_transaction: float


async def takes_writes(session: ReadSession) -> bool:
    """Whether the server is one that can keep a promise: no standby, not put to read-only."""
    return bool(await session.scalar(_TAKES_WRITES))


async def sessions(session: ReadSession) -> Sessions:
    """How long others have held a snapshot, or done nothing in a transaction."""
    snapshot, idle = (await session.execute(_SESSIONS)).one()
    return Sessions(max(float(snapshot or 0), 0.0), max(float(idle or 0), 0.0))


def connections(database: Database) -> tuple[int, int]:
    """Of this process: how many are in use, and the most there may be."""
    pool = database.engine.pool
    assert isinstance(pool, QueuePool)
    return pool.checkedout(), pool.size()
