"""Incidents that are over once no alert comes for long enough: when each is looked at next.

An alert that joins an incident writes its tally and nothing else. So a watch is due as if no
alert came; only then the tally is read, and the watch moved on.
"""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import ARRAY, BigInteger, DateTime, String, bindparam, text

from app.db.session import ReadSession, WriteSession

NUMBERS, TIME = ARRAY(BigInteger()), DateTime(timezone=True)
NOW, IDS = bindparam("now", type_=TIME), bindparam("ids", type_=NUMBERS)

_WATCH = text("""
    INSERT INTO silence_watches (incident_id, since, due_at) VALUES (:incident_id, :since, :due_at)
    ON CONFLICT (incident_id) DO UPDATE SET since = excluded.since, due_at = excluded.due_at
""").bindparams(
    bindparam("incident_id", type_=BigInteger()),
    bindparam("since", type_=TIME),
    bindparam("due_at", type_=TIME),
)


async def watch(
    session: WriteSession, incident_id: int, *, since: datetime, due_at: datetime
) -> None:
    """Look at an incident when it may have fallen silent, counted from `since`."""
    await session.execute(_WATCH, {"incident_id": incident_id, "since": since, "due_at": due_at})


_WATCH_SERVICE = text("""
    INSERT INTO silence_watches (incident_id, since, due_at)
    SELECT id, :now, :now FROM incidents
    WHERE status IN ('open', 'acknowledged') AND service = :service AND integration_id IS NOT NULL
    ORDER BY id
    ON CONFLICT (incident_id) DO UPDATE SET due_at = least(silence_watches.due_at, excluded.due_at)
""").bindparams(NOW, bindparam("service", type_=String()))


async def watch_service(session: WriteSession, service: str, *, now: datetime) -> None:
    """Look now at all that alerts opened of a service and nobody has resolved."""
    await session.execute(_WATCH_SERVICE, {"service": service, "now": now})


_CLAIM = text("""
    SELECT w.incident_id, w.since
    FROM silence_watches w JOIN incidents i ON i.id = w.incident_id
    WHERE w.due_at <= :now
    ORDER BY w.due_at, w.incident_id LIMIT :most
    FOR NO KEY UPDATE OF i, w SKIP LOCKED
""").bindparams(NOW, bindparam("most", type_=BigInteger()))


async def claim_due(session: WriteSession, *, now: datetime, most: int) -> dict[int, datetime]:
    """Incidents to be looked at now, held with their watches, and since when silence counts."""
    found = await session.execute(_CLAIM, {"now": now, "most": most})
    return dict(found.tuples().all())


# Held: while we look no alert joins, and what joined has been counted.
_LAST_ALERTS = text("""
    SELECT incident_id, last_alert_at FROM incident_tallies
    WHERE incident_id = ANY(:ids) AND last_alert_at IS NOT NULL
    ORDER BY incident_id FOR UPDATE
""").bindparams(IDS)


async def last_alerts(session: WriteSession, ids: Collection[int]) -> dict[int, datetime]:
    """When the last alert of each of these incidents came; the caller holds them."""
    found = await session.execute(_LAST_ALERTS, {"ids": sorted(ids)})
    return dict(found.tuples().all())


_MOVE = text("""
    UPDATE silence_watches w SET due_at = m.due_at
    FROM unnest(:ids, :times) AS m(incident_id, due_at) WHERE w.incident_id = m.incident_id
""").bindparams(IDS, bindparam("times", type_=ARRAY(TIME)))


async def move(session: WriteSession, due: Mapping[int, datetime]) -> None:
    """Look at these incidents again at these times."""
    if due:
        await session.execute(_MOVE, {"ids": list(due), "times": list(due.values())})


_END = text("DELETE FROM silence_watches WHERE incident_id = ANY(:ids)").bindparams(IDS)


async def end(session: WriteSession, ids: Collection[int]) -> None:
    """Look at these incidents no more."""
    if ids:
        await session.execute(_END, {"ids": sorted(ids)})


async def next_due(session: ReadSession) -> datetime | None:
    """When the next incident is to be looked at."""
    asked = text("SELECT due_at FROM silence_watches ORDER BY due_at, incident_id LIMIT 1")
    found: datetime | None = await session.scalar(asked)
    return found
