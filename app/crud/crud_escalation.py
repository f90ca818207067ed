"""Policies, and the claim of due escalations. Where ladders stand is written by `crud_ladder`.

The claim and the look at what is due next read the index of due times from a mark on: who
climbs all the time remembers below which nothing is left. A reader that holds a snapshot for
long keeps the index full of what was due once; from the mark on nobody wades through it.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    BigInteger,
    DateTime,
    Select,
    TextClause,
    bindparam,
    func,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from app.crud import base
from app.db.session import Database, ReadSession, WriteSession
from app.domain.escalation import LIVE, EscalationEventStatus, EscalationStatus
from app.domain.incident import IncidentStatus, Severity, Urgency
from app.domain.quiet import WaitsFor
from app.models import Escalation, EscalationEvent, EscalationPolicy, Incident


async def active_policies(session: ReadSession) -> Sequence[EscalationPolicy]:
    statement = (
        select(EscalationPolicy).where(EscalationPolicy.is_active).order_by(EscalationPolicy.id)
    )
    return (await session.scalars(statement)).all()


async def get_policy(session: ReadSession, policy_id: int) -> EscalationPolicy | None:
    return await base.get(session, EscalationPolicy, policy_id)


async def lock_policy(session: WriteSession, policy_id: int) -> EscalationPolicy | None:
    return await base.lock(session, EscalationPolicy, policy_id)


async def add_policy(session: WriteSession, policy: EscalationPolicy) -> EscalationPolicy:
    return await base.add(session, policy)


async def delete_policy(session: WriteSession, policy: EscalationPolicy) -> None:
    await base.delete(session, policy)


async def policy_by_name(session: ReadSession, name: str) -> EscalationPolicy | None:
    statement = select(EscalationPolicy).where(EscalationPolicy.name == name)
    return (await session.scalars(statement)).one_or_none()


class PolicyOrder(StrEnum):
    ID = "id"
    NAME = "name"
    CREATED_AT = "created_at"
    UPDATED_AT = "updated_at"


POLICY_ORDERS: base.Orders = {
    PolicyOrder.NAME: func.lower(EscalationPolicy.name),
    PolicyOrder.CREATED_AT: EscalationPolicy.created_at,
    PolicyOrder.UPDATED_AT: EscalationPolicy.updated_at,
}


async def policy_page(
    session: ReadSession,
    wanted: base.Window,
    *,
    is_active: bool | None = None,
    team_id: int | None = None,
) -> base.Slice[EscalationPolicy]:
    """Those that are active or those that are not, and those of a team; None: all."""
    policies = select(EscalationPolicy)
    if is_active is not None:
        policies = policies.where(EscalationPolicy.is_active == is_active)
    if team_id is not None:
        policies = policies.where(EscalationPolicy.team_id == team_id)
    return await base.window(
        session, policies, EscalationPolicy.id, wanted, descending=False, orders=POLICY_ORDERS
    )


async def of_incident(session: ReadSession, incident_id: int) -> Sequence[Escalation]:
    """All escalations an incident ever had, in the order they started."""
    statement = (
        select(Escalation).where(Escalation.incident_id == incident_id).order_by(Escalation.id)
    )
    return (await session.scalars(statement)).all()


async def events_of(session: ReadSession, incident_id: int) -> Sequence[EscalationEvent]:
    statement = (
        select(EscalationEvent)
        .where(EscalationEvent.incident_id == incident_id)
        .order_by(EscalationEvent.id)
    )
    return (await session.scalars(statement)).all()


@dataclass(frozen=True)
class EventFilter:
    """Which events; an empty field does not narrow."""

    incident_id: int | None = None
    policy_id: int | None = None
    status: Collection[EscalationEventStatus] = ()
    taken: base.Span = base.ALWAYS


async def event_page(
    session: ReadSession, where: EventFilter, wanted: base.Window
) -> base.Slice[EscalationEvent]:
    """What steps came to, newest first; of deleted incidents nothing."""
    statement = where.taken.narrow(_seen_events(), EscalationEvent.triggered_at)
    if where.incident_id is not None:
        statement = statement.where(EscalationEvent.incident_id == where.incident_id)
    if where.policy_id is not None:
        statement = statement.where(EscalationEvent.policy_id == where.policy_id)
    if where.status:
        statement = statement.where(EscalationEvent.status.in_(where.status))
    return await base.window(session, statement, EscalationEvent.id, wanted)


async def get_event(session: ReadSession, event_id: int) -> EscalationEvent | None:
    statement = _seen_events().where(EscalationEvent.id == event_id)
    return (await session.scalars(statement)).one_or_none()


def _seen_events() -> Select[tuple[EscalationEvent]]:
    return (
        select(EscalationEvent)
        .join(Incident, Incident.id == EscalationEvent.incident_id)
        .where(Incident.deleted_at.is_(None))
    )


async def policy_names(session: ReadSession, escalation_ids: Collection[int]) -> dict[int, str]:
    """Of each escalation, what its policy was called when it started."""
    statement = select(Escalation.id, Escalation.policy_name).where(
        Escalation.id.in_(escalation_ids)
    )
    return dict((await session.execute(statement)).tuples().all())


async def get(session: ReadSession, escalation_id: int) -> Escalation | None:
    return await base.get(session, Escalation, escalation_id)


async def was_taken(session: ReadSession, escalation_id: int, loop: int, step: int) -> bool:
    """Whether a step was taken in a loop already; to take it again would page nobody."""
    statement = select(EscalationEvent.id).where(
        EscalationEvent.escalation_id == escalation_id,
        EscalationEvent.loop == loop,
        EscalationEvent.step == step,
    )
    return await session.scalar(statement) is not None


async def live(session: WriteSession, incident_id: int) -> Sequence[Escalation]:
    """An incident's escalations that have not ended. The caller holds the incident."""
    statement = (
        select(Escalation)
        .where(Escalation.incident_id == incident_id, Escalation.status.in_(LIVE))
        .order_by(Escalation.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(statement)).all()


async def add(session: WriteSession, escalation: Escalation) -> Escalation:
    return await base.add(session, escalation)


async def start_many(session: WriteSession, rows: Sequence[dict[str, Any]]) -> None:
    """Write escalations that begin now. A policy that runs on the incident already goes on."""
    if rows:
        await session.execute(upsert(Escalation).on_conflict_do_nothing(), rows)


@dataclass(frozen=True, slots=True)
class DueEscalation:
    """A claimed escalation as it stood once it was held. `steps` is the text of its JSON."""

    status: EscalationStatus
    id: int
    policy_id: int | None
    policy_name: str
    is_fallback: bool
    is_critical: bool
    steps: str
    repeat: int
    last_loop: int
    final_delay_minutes: float
    held_until: datetime | None
    waits_until: datetime | None
    waits_for: WaitsFor | None
    loop: int
    next_step: int
    next_step_at: datetime
    faults: int


@dataclass(frozen=True, slots=True)
class DueIncident:
    """The incident of a claimed escalation, as far as climbing asks about it."""

    status: IncidentStatus
    severity: Severity
    urgency: Urgency
    id: int
    snoozed_until: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: int | None
    created_by: int | None
    is_drill: bool
    service: str
    assigned_to: int | None


@dataclass(frozen=True, slots=True)
class Due:
    """A claimed escalation with its incident; both rows are held until commit."""

    escalation: DueEscalation
    incident: DueIncident


class Mark(NamedTuple):
    """A place in the order in which escalations are due."""

    at: datetime
    id: int = 0


class Since(NamedTuple):
    """From where on to look for what is due, in either urgency."""

    critical: Mark
    other: Mark

    def parameters(self) -> dict[str, Any]:
        return {
            "critical_at": self.critical.at,
            "critical_id": self.critical.id,
            "other_at": self.other.at,
            "other_id": self.other.id,
        }


EARLIEST = Mark(datetime.min.replace(tzinfo=UTC))
FROM_THE_START = Since(EARLIEST, EARLIEST)

# The columns are those of `DueEscalation`, then those of `DueIncident`, in their order.
# `limit` stands in the text: with an unknown one the planner would prepare for many rows. The
# second part looks only if the first left room, and so a batch may hold twice the limit less one.
# Incidents are held first: who cannot have one leaves its escalations alone.
_CLAIM = """
    WITH critical AS MATERIALIZED (
        {critical}
    ), other AS MATERIALIZED (
        {other}
    )
    SELECT * FROM critical UNION ALL SELECT * FROM other
"""
_DUE = """
    SELECT e.status, e.id, e.policy_id, e.policy_name, e.is_fallback, e.is_critical,
        CAST(e.steps AS text), e.repeat, e.last_loop, e.final_delay_minutes, e.held_until,
        e.waits_until, e.waits_for, e.loop, e.next_step, e.next_step_at, e.faults,
        i.status AS incident_status, i.severity, i.urgency, i.id AS incident_id, i.snoozed_until,
        i.acknowledged_at, i.acknowledged_by, i.created_by, i.is_drill, i.service, i.assigned_to
    FROM escalations e JOIN incidents i ON i.id = e.incident_id
    WHERE {which} AND e.next_step_at <= :now
    ORDER BY e.next_step_at, e.id
    LIMIT {limit}
    FOR NO KEY UPDATE OF i, e SKIP LOCKED
"""
_HAS_ROOM = "(SELECT count(*) FROM critical) < {limit}"
OF_INCIDENT = len(fields(DueEscalation))
_AFTER = "(e.next_step_at, e.id) >= (:{name}_at, :{name}_id)"
_OF_INCIDENTS = "e.incident_id = ANY(:incidents)"
_CLAIM_TYPES: dict[str, Any] = {
    **dict.fromkeys(("now", "critical_at", "other_at"), DateTime(timezone=True)),
    **dict.fromkeys(("critical_id", "other_id"), BigInteger()),
    "incidents": ARRAY(BigInteger()),
}


@lru_cache
def _claim(limit: int, of_incidents: bool) -> TextClause:
    narrowed = {
        name: _OF_INCIDENTS if of_incidents else _AFTER.format(name=name)
        for name in ("critical", "other")
    }
    parts = {
        "critical": ["e.is_critical", narrowed["critical"]],
        "other": ["NOT e.is_critical", narrowed["other"], _HAS_ROOM.format(limit=limit)],
    }
    statement = _CLAIM.format(
        **{
            name: _DUE.format(which=" AND ".join(which), limit=limit)
            for name, which in parts.items()
        }
    )
    used = re.findall(r":([a-z]\w*)", statement)
    return text(statement).bindparams(
        *(bindparam(name, type_=_CLAIM_TYPES[name]) for name in set(used))
    )


async def claim_due(
    session: WriteSession,
    *,
    now: datetime,
    limit: int,
    incident_ids: Collection[int] | None = None,
    since: Since = FROM_THE_START,
) -> list[Due]:
    """The most overdue escalations that nobody else holds, their incidents held with them.

    What is critical comes first, however much else is due. With `incident_ids` only theirs.

    Both rows are locked, because the incident is the aggregate's lock and the escalation is
    what PostgreSQL checks again once it has waited: locking the escalation alone deadlocks
    against acknowledgement, the incident alone takes a step twice. What is returned is what
    was locked; a join to the locked ids would read the older snapshot and repeat a step.
    """
    parameters: dict[str, Any] = {"now": now}
    if incident_ids is None:
        parameters |= since.parameters()
    else:
        parameters["incidents"] = sorted(incident_ids)
    await session.flush()  # what this transaction has changed counts
    rows = await session.execute(_claim(limit, incident_ids is not None), parameters)
    return [
        Due(
            DueEscalation(EscalationStatus(row[0]), *row[1:OF_INCIDENT]),
            DueIncident(
                IncidentStatus(row[OF_INCIDENT]),
                Severity(row[OF_INCIDENT + 1]),
                Urgency(row[OF_INCIDENT + 2]),
                *row[OF_INCIDENT + 3 :],
            ),
        )
        for row in rows.tuples()
    ]


_NEXT_DUE = """
    SELECT now() + $1::interval AS now,
        (SELECT next_step_at FROM escalations
         WHERE is_critical AND next_step_at IS NOT NULL
            AND (next_step_at, id) >= ($2, $3)
         ORDER BY next_step_at, id LIMIT 1) AS critical,
        (SELECT next_step_at FROM escalations
         WHERE NOT is_critical AND next_step_at IS NOT NULL
            AND (next_step_at, id) >= ($4, $5)
         ORDER BY next_step_at, id LIMIT 1) AS other
"""


class NextDue(NamedTuple):
    """When the next step of either urgency is due, in the past if it is late."""

    critical: datetime | None
    other: datetime | None

    def lead(self, now: datetime) -> timedelta | None:
        """How long until the nearer of them, negative if it is late."""
        return min((due_at - now for due_at in self if due_at is not None), default=None)


async def next_due(
    database: Database, *, since: Since = FROM_THE_START
) -> tuple[datetime, NextDue]:
    """The time, and when the next step is due, whoever holds it."""
    [row] = await database.ask(_NEXT_DUE, database.clock_shift, *since.critical, *since.other)
    return row["now"], NextDue(row["critical"], row["other"])
