"""Pings and missed pings: the statements of the monitors' hot path, each for a whole batch.

Locking order: monitors by id, then incidents. The loop skips a monitor that is held, so a ping
that is under way is never taken for missing.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    ARRAY,
    BigInteger,
    DateTime,
    Interval,
    SmallInteger,
    String,
    bindparam,
    select,
    text,
)

from app.crud import base
from app.db.session import ReadSession, WriteSession
from app.domain.heartbeat_monitor import (
    OUTAGES_KEPT,
    PINGS_KEPT,
    OutageCause,
    Ping,
    PingKind,
    Pulse,
)
from app.domain.incident import IncidentStatus
from app.models import HeartbeatListening, HeartbeatMonitor, Incident

NOW = bindparam("now", type_=DateTime(timezone=True))
SINCE = bindparam("since", type_=DateTime(timezone=True))
NUMBERS, WORDS, TIMES = ARRAY(BigInteger()), ARRAY(String()), ARRAY(DateTime(timezone=True))

# `due_at` stays where it is while that is less than half an interval too early: the loop then looks
# once for nothing, but whoever pings every second touches no index.
_TAKE = text("""
    WITH wanted AS (
        SELECT now() + :shift AS now, w.*
        FROM unnest(:hashes, :kinds, :notes) AS w(token_hash, kind, note)
    ), held AS MATERIALIZED (
        SELECT m.id, w.now, w.token_hash, w.kind, w.note, m.pulse, m.incident_id, m.is_active,
            make_interval(secs => m.interval_seconds) AS every,
            make_interval(secs => m.grace_seconds) AS grace
        FROM heartbeat_monitors m JOIN wanted w USING (token_hash)
        ORDER BY m.id FOR NO KEY UPDATE OF m
    ), pinged AS (
        UPDATE heartbeat_monitors m
        SET ping_count = m.ping_count + 1,
            last_ping_at = h.now,
            last_ping_kind = h.kind,
            started_at = CASE WHEN h.kind = 'start' THEN h.now END,
            last_run_seconds = CASE WHEN h.kind <> 'start' AND m.started_at IS NOT NULL
                THEN extract(epoch FROM h.now - m.started_at) ELSE m.last_run_seconds END,
            pulse = CASE WHEN h.kind = 'success' THEN 'up'
                WHEN h.kind = 'fail' AND m.is_active THEN 'down' ELSE m.pulse END,
            down_since = CASE WHEN h.kind = 'success' THEN NULL
                WHEN h.kind = 'fail' AND m.is_active THEN coalesce(m.down_since, h.now)
                ELSE m.down_since END,
            incident_id = CASE WHEN h.kind <> 'success' THEN m.incident_id END,
            expected_at = CASE WHEN h.kind = 'success' THEN h.now + h.every
                ELSE m.expected_at END,
            due_at = CASE WHEN NOT m.is_active THEN NULL
                WHEN h.kind = 'start' THEN m.due_at
                WHEN h.kind = 'success' AND m.pulse = 'up' AND m.due_at
                    BETWEEN h.now + h.every / 2 + h.grace AND h.now + h.every + h.grace
                    THEN m.due_at
                ELSE h.now + h.every + h.grace END
        FROM held h WHERE m.id = h.id
        RETURNING m.id, m.ping_count, h.now, h.kind, h.note
    ), kept AS (
        INSERT INTO heartbeat_pings AS k (monitor_id, slot, number, received_at, kind, note)
        SELECT id, ping_count % :slots, ping_count, now, kind, note FROM pinged
        ON CONFLICT (monitor_id, slot) DO UPDATE SET number = excluded.number,
            received_at = excluded.received_at, kind = excluded.kind, note = excluded.note
    )
    SELECT token_hash, id, kind, note, pulse, incident_id, is_active, now FROM held
""").bindparams(
    bindparam("shift", type_=Interval()),
    bindparam("hashes", type_=WORDS),
    bindparam("kinds", type_=WORDS),
    bindparam("notes", type_=WORDS),
    bindparam("slots", type_=SmallInteger()),
)


@dataclass(frozen=True)
class Taken:
    """A ping whose monitor there is, and how that stood when it came."""

    monitor_id: int
    kind: PingKind
    note: str | None
    was: Pulse
    incident_id: int | None
    is_active: bool


async def take(session: WriteSession, pings: Collection[Ping]) -> dict[str, Taken]:
    """Write pings of different monitors, by one statement; those whose monitor there is."""
    parameters = {
        "shift": session.info["clock_shift"],
        "hashes": [ping.token_hash for ping in pings],
        "kinds": [ping.kind.value for ping in pings],
        "notes": [ping.note for ping in pings],
        "slots": PINGS_KEPT,
    }
    taken = {}
    for row in (await session.execute(_TAKE, parameters)).all():
        session.info["now"] = row.now
        taken[row.token_hash] = Taken(
            row.id,
            PingKind(row.kind),
            row.note,
            Pulse(row.pulse),
            row.incident_id,
            row.is_active,
        )
    return taken


@dataclass(frozen=True)
class Due:
    """A monitor that the loop must look at, held, and what has become of its incident."""

    monitor: HeartbeatMonitor
    has_open_incident: bool
    resolved_at: datetime | None


async def claim_due(session: WriteSession, *, now: datetime, limit: int) -> list[Due]:
    """Those that have been due the longest and that nobody holds, held until commit."""
    statement = (
        select(HeartbeatMonitor, Incident.status, Incident.resolved_at)
        .outerjoin(Incident, Incident.id == HeartbeatMonitor.incident_id)
        .where(HeartbeatMonitor.due_at <= now)
        .order_by(HeartbeatMonitor.due_at, HeartbeatMonitor.id)
        .limit(limit)
        .with_for_update(of=HeartbeatMonitor, key_share=True, skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return [
        Due(monitor, status not in (None, IncidentStatus.RESOLVED), resolved_at)
        for monitor, status, resolved_at in (await session.execute(statement)).tuples()
    ]


async def next_due(session: ReadSession) -> datetime | None:
    """When the next monitor must be looked at, whoever holds it."""
    statement = (
        select(HeartbeatMonitor.due_at)
        .where(HeartbeatMonitor.due_at.is_not(None))
        .order_by(HeartbeatMonitor.due_at, HeartbeatMonitor.id)
        .limit(1)
    )
    return (await session.scalars(statement)).one_or_none()


@dataclass(frozen=True)
class Settled:
    """How a monitor stands once the loop has looked at it."""

    monitor_id: int
    pulse: Pulse
    due_at: datetime
    down_since: datetime | None
    incident_id: int | None


_SETTLE = text("""
    UPDATE heartbeat_monitors m
    SET pulse = w.pulse, due_at = w.due_at, down_since = w.down_since, incident_id = w.incident_id
    FROM unnest(:ids, :pulses, :dues, :downs, :incidents)
        AS w(id, pulse, due_at, down_since, incident_id)
    WHERE m.id = w.id
""").bindparams(
    bindparam("ids", type_=NUMBERS),
    bindparam("pulses", type_=WORDS),
    bindparam("dues", type_=TIMES),
    bindparam("downs", type_=TIMES),
    bindparam("incidents", type_=NUMBERS),
)


async def settle(session: WriteSession, rows: Sequence[Settled]) -> None:
    """Write how monitors stand that the caller holds."""
    parameters = {
        "ids": [row.monitor_id for row in rows],
        "pulses": [row.pulse.value for row in rows],
        "dues": [row.due_at for row in rows],
        "downs": [row.down_since for row in rows],
        "incidents": [row.incident_id for row in rows],
    }
    await session.execute(_SETTLE, parameters)


async def put_off(session: WriteSession, monitor_id: int, *, until: datetime) -> None:
    """Look at a monitor that the caller holds later: something about it fails."""
    statement = text("UPDATE heartbeat_monitors SET due_at = :until WHERE id = :id").bindparams(
        bindparam("until", type_=DateTime(timezone=True))
    )
    await session.execute(statement, {"id": monitor_id, "until": until})


@dataclass(frozen=True)
class Outage:
    """That a monitor went down, or is still down with another incident."""

    monitor_id: int
    cause: OutageCause
    note: str | None
    incident_id: int


_BEGIN = text("""
    WITH wanted AS (
        SELECT * FROM unnest(:ids, :causes, :notes, :incidents)
            AS w(monitor_id, cause, note, incident_id)
    ), begun AS (
        INSERT INTO heartbeat_outages (monitor_id, cause, note, incident_id, began_at)
        SELECT monitor_id, cause, note, incident_id, :now FROM wanted ORDER BY monitor_id
        ON CONFLICT (monitor_id) WHERE ended_at IS NULL
            DO UPDATE SET incident_id = excluded.incident_id
    )
    DELETE FROM heartbeat_outages o USING wanted w
    WHERE o.monitor_id = w.monitor_id AND o.ended_at IS NOT NULL AND o.id <= (
        SELECT id FROM heartbeat_outages s WHERE s.monitor_id = w.monitor_id
        ORDER BY id DESC OFFSET :kept LIMIT 1
    )
""").bindparams(
    NOW,
    bindparam("ids", type_=NUMBERS),
    bindparam("causes", type_=WORDS),
    bindparam("notes", type_=WORDS),
    bindparam("incidents", type_=NUMBERS),
    bindparam("kept", type_=BigInteger()),
)


async def begin_outages(session: WriteSession, outages: Sequence[Outage], *, now: datetime) -> None:
    """Note outages of monitors that the caller holds, and forget all but the last of each."""
    parameters = {
        "ids": [outage.monitor_id for outage in outages],
        "causes": [outage.cause.value for outage in outages],
        "notes": [outage.note for outage in outages],
        "incidents": [outage.incident_id for outage in outages],
        "now": now,
        "kept": OUTAGES_KEPT - 1,  # the one that begins is not seen yet
    }
    await session.execute(_BEGIN, parameters)


_END = text("""
    UPDATE heartbeat_outages SET ended_at = :now
    WHERE monitor_id = ANY(:ids) AND ended_at IS NULL
""").bindparams(NOW, bindparam("ids", type_=NUMBERS))


async def end_outages(
    session: WriteSession, monitor_ids: Collection[int], *, now: datetime
) -> None:
    await session.execute(_END, {"ids": list(monitor_ids), "now": now})


# --- Whether pings can come in ----------------------------------------------------------


async def listened_at(session: ReadSession) -> datetime | None:
    """When a process last said that pings can come in; None if none ever did."""
    found = await base.get(session, HeartbeatListening, 1)
    return None if found is None else found.seen_at


_HEAR = text("""
    INSERT INTO heartbeat_listening AS l (id, seen_at) VALUES (1, :now)
    ON CONFLICT (id) DO UPDATE SET seen_at = greatest(l.seen_at, excluded.seen_at)
""").bindparams(NOW)


async def hear(session: WriteSession, *, now: datetime) -> datetime | None:
    """Note that pings can come in; when that was last noted, by whomever."""
    before = await base.lock(session, HeartbeatListening, 1)
    await session.execute(_HEAR, {"now": now})
    return None if before is None else before.seen_at


# What was late already gets a fresh grace. What was expected meanwhile is expected when it would
# have come next: had all of them only a grace, most would seem to be missing together.
_FORGIVE = text("""
    WITH held AS MATERIALIZED (
        SELECT id, pulse, expected_at, make_interval(secs => interval_seconds) AS every,
            make_interval(secs => grace_seconds) AS grace
        FROM heartbeat_monitors
        WHERE due_at IS NOT NULL AND CASE pulse
            WHEN 'up' THEN expected_at < :now
                AND expected_at + make_interval(secs => grace_seconds) >= :since
            ELSE due_at >= :since AND due_at < :now END
        ORDER BY id FOR NO KEY UPDATE
    ), expected AS (
        SELECT id, CASE WHEN pulse <> 'up' THEN expected_at
            WHEN expected_at < :since THEN :now
            ELSE expected_at + every * ceil(
                extract(epoch FROM :now - expected_at) / extract(epoch FROM every))
            END AS expected_at, pulse, every, grace
        FROM held
    )
    UPDATE heartbeat_monitors m
    SET expected_at = e.expected_at,
        due_at = CASE WHEN e.pulse = 'up' THEN e.expected_at + e.grace
            ELSE :now + e.every + e.grace END
    FROM expected e WHERE m.id = e.id
    RETURNING m.id
""").bindparams(NOW, SINCE)


async def forgive(session: WriteSession, *, since: datetime, now: datetime) -> int:
    """Excuse every monitor whose ping may have been lost between these times; how many."""
    parameters = {"since": since, "now": now}
    return len((await session.execute(_FORGIVE, parameters)).all())
