"""What follows from a ping, and from none.

A monitor that misses its time, or reports a failure, opens an incident, on the same way as an
alert; its next good ping resolves it. Whoever gets here holds the monitors, so that a ping and the
loop, and any number of loops, come one after the other, and there is one incident. It is opened
and noted in one transaction: there is no instant at which one is done and the other is not.

Silence can be ours. Every process that takes pings says so now and then; while none does, nothing
is missed, and when one does again, whatever may have been lost meanwhile is excused.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.crud import crud_heartbeat_monitor, crud_heartbeat_ping, crud_incident, crud_intake
from app.crud.crud_heartbeat_ping import Due, Outage, Settled, Taken
from app.db.session import ReadSession, WriteSession, wake_after_commit
from app.domain.heartbeat_monitor import (
    DEAF_AFTER,
    MONITORS,
    OutageCause,
    PingKind,
    Pulse,
    missed_story,
)
from app.domain.incident import Opening
from app.domain.storm import UNLIMITED, ServiceLimit
from app.models import HeartbeatMonitor
from app.services import incident as incident_service

SOURCE = "heartbeat"
HEARD = "It was heard of again."


@dataclass(frozen=True)
class Silent:
    """A monitor that needs an incident, and why."""

    monitor: HeartbeatMonitor
    cause: OutageCause
    note: str | None = None


async def follow(
    session: WriteSession,
    taken: Collection[Taken],
    *,
    now: datetime,
    limit: ServiceLimit = UNLIMITED,
) -> int:
    """See to it that pings which were taken just now have their effect: a good one ends an
    outage, a report of a failure is an outage. How many outages began."""
    back = [one for one in taken if one.kind is PingKind.SUCCESS and one.was is Pulse.DOWN]
    failed = [one for one in taken if one.kind is PingKind.FAIL and one.is_active]
    if not back and not failed:
        return 0
    known = {one.incident_id for one in (*back, *failed) if one.incident_id is not None}
    open_ = {one.id: one for one in await crud_incident.lock_unresolved(session, known)}
    if back:
        over = [open_[one.incident_id] for one in back if one.incident_id in open_]
        if over:
            await incident_service.resolve_many(session, over, story=HEARD, now=now)
        await crud_heartbeat_ping.end_outages(session, [one.monitor_id for one in back], now=now)
    joining = {one.incident_id: 1 for one in failed if one.incident_id in open_}
    if joining:
        await crud_intake.join_many(session, joining, now=now)
    opening = {one.monitor_id: one.note for one in failed if one.incident_id not in open_}
    if not opening:
        return 0
    monitors = await crud_heartbeat_monitor.by_ids(session, opening)
    silent = [Silent(one, OutageCause.FAILED, opening[one.id]) for one in monitors]
    await crud_heartbeat_ping.settle(session, await _open(session, silent, now=now, limit=limit))
    return len(silent)


@dataclass(frozen=True)
class Looked:
    """How many monitors the loop looked at, and how many of them had been missed."""

    count: int = 0
    missed: int = 0


async def look(
    session: WriteSession, *, now: datetime, batch: int, limit: ServiceLimit = UNLIMITED
) -> Looked:
    """Open incidents about monitors that were not heard of in time. While nobody could have heard
    them there are none."""
    if not await is_listening(session, now=now):
        return Looked()
    dues = await crud_heartbeat_ping.claim_due(session, now=now, limit=batch)
    settled, silent = [], []
    for due in dues:
        again_at = _again_at(due, now)
        if again_at is None:
            silent.append(Silent(due.monitor, OutageCause.MISSED))
        else:
            settled.append(_settled(due.monitor, again_at))
    if silent:
        settled += await _open(session, silent, now=now, limit=limit)
    if settled:
        await crud_heartbeat_ping.settle(session, settled)
    return Looked(len(dues), len(silent))


def _again_at(due: Due, now: datetime) -> datetime | None:
    """When to look at a monitor again; None if it has been silent for too long."""
    monitor = due.monitor
    if monitor.pulse is Pulse.UP:
        return monitor.misses_at if monitor.misses_at and monitor.misses_at > now else None
    period = monitor.interval + monitor.grace
    if due.has_open_incident:
        return now + period
    # Somebody resolved its incident, and it has a period from then on to show that they are right.
    if due.resolved_at is not None and due.resolved_at + period > now:
        return due.resolved_at + period
    return None


def _settled(monitor: HeartbeatMonitor, due_at: datetime) -> Settled:
    return Settled(monitor.id, monitor.pulse, due_at, monitor.down_since, monitor.incident_id)


async def _open(
    session: WriteSession, silent: Sequence[Silent], *, now: datetime, limit: ServiceLimit
) -> list[Settled]:
    """Open an incident about each of these monitors, which the caller holds; how they are then."""
    openings = [_opening(one) for one in silent]
    opened = await incident_service.open_many(session, openings, now=now, limit=limit)
    ids = [opened[opening.uid] for opening in openings]
    outages = [
        Outage(one.monitor.id, one.cause, one.note, incident_id)
        for one, incident_id in zip(silent, ids, strict=True)
    ]
    await crud_heartbeat_ping.begin_outages(session, outages, now=now)
    return [
        Settled(
            one.monitor.id,
            Pulse.DOWN,
            now + one.monitor.interval + one.monitor.grace,
            one.monitor.down_since or now,
            incident_id,
        )
        for one, incident_id in zip(silent, ids, strict=True)
    ]


def _opening(silent: Silent) -> Opening:
    monitor = silent.monitor
    if silent.cause is OutageCause.FAILED:
        title = f"“{monitor.name}” reported a failure"
        why = silent.note or "It said nothing more."
    elif monitor.pulse is Pulse.DOWN or monitor.expected_at is None:
        title = f"“{monitor.name}” has still not been heard of"
        why = "Its incident was resolved by hand, and no good ping has come since."
    else:
        title = f"“{monitor.name}” has not been heard of"
        why = missed_story(monitor.last_ping_at, monitor.expected_at, monitor.grace)
    return Opening(
        title=title,
        description="\n\n".join(part for part in (why, monitor.description) if part),
        severity=monitor.severity,
        service=monitor.service or monitor.name,
        source=SOURCE,
        labels={"heartbeat": monitor.name, "heartbeat_id": str(monitor.id)},
        alert_count=1,
        story=f"The heartbeat “{monitor.name}” opened the incident.",
    )


async def is_listening(session: ReadSession, *, now: datetime) -> bool:
    """Whether pings can come in, as far as anybody has said lately."""
    heard_at = await crud_heartbeat_ping.listened_at(session)
    return heard_at is not None and now - heard_at <= DEAF_AFTER


async def listen(session: WriteSession, *, now: datetime) -> int:
    """Say that pings can come in. After a time in which nobody did, everybody is excused whose
    ping may have been lost; how many."""
    before = await crud_heartbeat_ping.hear(session, now=now)
    if before is None or now - before <= DEAF_AFTER:
        return 0
    wake_after_commit(session, MONITORS)
    return await crud_heartbeat_ping.forgive(session, since=before, now=now)
