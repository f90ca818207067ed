"""Where ladders stand: written for a whole batch at once, stopped, put off and brought back.

Whoever calls this holds the incidents. What a batch of steps comes to is one statement,
however many steps there are.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    DateTime,
    bindparam,
    case,
    func,
    literal,
    null,
    text,
    update,
)
from sqlalchemy.orm import InstrumentedAttribute

from app.db import feed
from app.db.session import WriteSession
from app.domain.escalation import LIVE, EscalationEventStatus, EscalationStatus
from app.models import Escalation, EscalationEvent

NOW = bindparam("now", type_=DateTime(timezone=True))
INCIDENTS = bindparam("incidents", type_=ARRAY(BigInteger()))


@dataclass
class Steps:
    """What steps come to, as rows to be written."""

    promises: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    moves: list[dict[str, Any]] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)


# A promise that is there already stays as it is; an event that is there already says that a
# step was taken twice, and nothing of this may happen.
_ADVANCE = text(
    """
    WITH promised AS (
        INSERT INTO notifications (incident_id, escalation_id, loop, step, action, recipient,
            rule, channel, user_id, contact_method_id, address, message, facts, is_critical,
            due_at, ready_at, held_until, created_at, updated_at)
        SELECT incident_id, escalation_id, loop, step, action, recipient,
            rule, channel, user_id, contact_method_id, address, message, facts, is_critical,
            due_at, coalesce(held_until, due_at), held_until, :now, :now
        FROM jsonb_to_recordset(CAST(:promises AS jsonb)) AS p(
            incident_id bigint, escalation_id bigint, loop bigint, step bigint, action bigint,
            recipient text, rule bigint, channel text, user_id bigint, contact_method_id bigint,
            address text, message text, facts jsonb, is_critical boolean, due_at timestamptz,
            held_until timestamptz)
        ON CONFLICT DO NOTHING
    ), recorded AS (
        INSERT INTO escalation_events (incident_id, policy_id, escalation_id, loop, step, status,
            due_at, triggered_at, completed_at, metadata)
        SELECT incident_id, policy_id, escalation_id, loop, step, status, due_at, :now, :now, facts
        FROM jsonb_to_recordset(CAST(:events AS jsonb)) AS r(
            incident_id bigint, policy_id bigint, escalation_id bigint, loop bigint, step bigint,
            status text, due_at timestamptz, facts jsonb)
    ), moved AS (
        UPDATE escalations e SET status = m.status, loop = m.loop, last_loop = m.last_loop,
            next_step = m.next_step, next_step_at = m.next_step_at, finished_at = m.finished_at,
            waits_until = m.waits_until, waits_for = m.waits_for,
            deferred_from = NULL, faults = 0, last_fault = NULL, updated_at = :now
        FROM jsonb_to_recordset(CAST(:moves AS jsonb)) AS m(
            id bigint, status text, loop bigint, last_loop bigint, next_step bigint,
            next_step_at timestamptz, finished_at timestamptz, waits_until timestamptz,
            waits_for text)
        WHERE e.id = m.id
    ), told AS (
        INSERT INTO timeline_events
            (incident_id, event_type, description, user_id, metadata, created_at)
        SELECT incident_id, event_type, description, user_id, facts, created_at
        FROM jsonb_to_recordset(CAST(:entries AS jsonb)) AS t(
            incident_id bigint, event_type text, description text, user_id bigint, facts jsonb,
            created_at timestamptz)
        RETURNING id, incident_id, event_type, description, user_id, created_at
    ){feed}""".replace("{feed}", feed.TOO)
).bindparams(NOW)


async def advance(session: WriteSession, steps: Steps, *, now: datetime) -> None:
    """Write what these steps come to, the story in its order."""
    rows = vars(steps)
    if any(rows.values()):
        texts = {name: _json(of_kind) for name, of_kind in rows.items()}
        await session.execute(_ADVANCE, {**texts, "now": now})
        feed.after_commit(session)


def _json(rows: list[dict[str, Any]]) -> str:
    return json.dumps(rows, default=datetime.isoformat)


_WAKEN = text("""
    UPDATE escalations SET next_step_at = :now, updated_at = :now
    WHERE incident_id = ANY(:incidents) AND status = 'paused'
""").bindparams(NOW, INCIDENTS)


async def waken(session: WriteSession, incident_ids: Collection[int], *, now: datetime) -> None:
    """Let whatever is paused on these incidents begin anew now."""
    await session.execute(_WAKEN, {"incidents": sorted(incident_ids), "now": now})


# Whoever has come between keeps it.
_ENTRUST = text("""
    WITH given AS (
        SELECT g.incident_id, g.user_ids
        FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS g(incident_id bigint, user_ids jsonb)
        JOIN incidents i ON i.id = g.incident_id
        WHERE i.assigned_to IS NULL
    ), assigned AS (
        INSERT INTO incident_assignments (incident_id, user_id, role, assigned_at)
        SELECT g.incident_id, CAST(u.user_id AS bigint), 'responder', :now
        FROM given g
        CROSS JOIN LATERAL jsonb_array_elements_text(g.user_ids)
            WITH ORDINALITY AS u(user_id, place)
        ORDER BY g.incident_id, u.place
        ON CONFLICT (incident_id, user_id) DO NOTHING
    )
    UPDATE incidents i SET assigned_to = CAST(g.user_ids->>0 AS bigint), updated_at = :now,
        revision = i.revision + 1
    FROM given g WHERE i.id = g.incident_id
""").bindparams(NOW)


async def entrust(
    session: WriteSession, given: Mapping[int, Sequence[int]], *, now: datetime
) -> None:
    """Give these incidents, which the caller holds, to these people; the first of them has it."""
    rows = [{"incident_id": key, "user_ids": list(users)} for key, users in given.items()]
    await session.flush()  # what this transaction has given to somebody is theirs
    await session.execute(_ENTRUST, {"rows": json.dumps(rows), "now": now})


_MISS = text("""
    UPDATE fire_drills SET missed_at = :now
    WHERE incident_id = ANY(:incidents) AND answered_at IS NULL AND missed_at IS NULL
""").bindparams(NOW, INCIDENTS)


async def miss_drills(
    session: WriteSession, incident_ids: Collection[int], *, now: datetime
) -> None:
    """Nobody answered the drills of these incidents."""
    await session.execute(_MISS, {"incidents": sorted(incident_ids), "now": now})


async def end_live(
    session: WriteSession,
    incident_ids: Collection[int],
    status: EscalationStatus,
    *,
    now: datetime,
) -> None:
    """End whatever still runs on these incidents."""
    await session.execute(
        update(Escalation)
        .where(Escalation.incident_id.in_(incident_ids), Escalation.status.in_(LIVE))
        .values(
            status=status,
            next_step_at=null(),
            deferred_from=null(),
            waits_until=null(),
            waits_for=null(),
            finished_at=now,
            updated_at=now,
        )
        .execution_options(synchronize_session=False)
    )


async def pause_live(
    session: WriteSession, incident_ids: Collection[int], *, now: datetime
) -> None:
    """Stop the clocks of these incidents' escalations, or set them to when the answer expires."""
    await session.execute(
        update(Escalation)
        .where(Escalation.incident_id.in_(incident_ids), Escalation.status.in_(LIVE))
        .values(
            status=EscalationStatus.PAUSED,
            next_step_at=_after(now, Escalation.ack_timeout_minutes),
            deferred_from=null(),
            waits_until=null(),
            waits_for=null(),
            updated_at=now,
        )
        .execution_options(synchronize_session=False)
    )


async def put_off(
    session: WriteSession, incident_id: int, *, until: datetime, now: datetime
) -> None:
    """Let an incident's escalations rest until `until`, remembering what was due before.

    A paused one (acknowledged) is told to wake then, whenever its answer was to expire.
    """
    is_active = Escalation.status == EscalationStatus.ACTIVE
    due_at = func.coalesce(Escalation.deferred_from, Escalation.next_step_at)
    await session.execute(
        update(Escalation)
        .where(Escalation.incident_id == incident_id, Escalation.status.in_(LIVE))
        .values(
            deferred_from=case((is_active, due_at), else_=null()),
            next_step_at=case((is_active, func.greatest(due_at, until)), else_=until),
            updated_at=now,
        )
        .execution_options(synchronize_session=False)
    )


async def bring_back(session: WriteSession, incident_id: int, *, now: datetime) -> None:
    """Undo `put_off`: what was due is due again as it was, but not before now.

    Of a paused one the time that an answer holds begins anew.
    """
    due_at = func.coalesce(Escalation.deferred_from, Escalation.next_step_at)
    await session.execute(
        update(Escalation)
        .where(Escalation.incident_id == incident_id, Escalation.status.in_(LIVE))
        .values(
            next_step_at=case(
                (Escalation.status == EscalationStatus.ACTIVE, func.greatest(due_at, now)),
                else_=_after(now, Escalation.ack_timeout_minutes),
            ),
            deferred_from=null(),
            updated_at=now,
        )
        .execution_options(synchronize_session=False)
    )


def _after(now: datetime, minutes: InstrumentedAttribute[float | None]) -> ColumnElement[datetime]:
    """So many minutes later; never, if there are none."""
    span = func.make_interval(0, 0, 0, 0, 0, 0, minutes * 60)
    return literal(now, DateTime(timezone=True)) + span


async def set_event_status(
    session: WriteSession, escalation_id: int, loop: int, step: int, status: EscalationEventStatus
) -> None:
    """Correct what a step came to, once its pages are known to be lost."""
    await session.execute(
        update(EscalationEvent)
        .where(
            EscalationEvent.escalation_id == escalation_id,
            EscalationEvent.loop == loop,
            EscalationEvent.step == step,
        )
        .values(status=status)
        .execution_options(synchronize_session=False)
    )


async def postpone(
    session: WriteSession, escalation_id: int, *, until: datetime, fault: str, now: datetime
) -> None:
    """Put a step off that broke, so that it holds up none of the rest."""
    await session.execute(
        update(Escalation)
        .where(Escalation.id == escalation_id)
        .values(next_step_at=until, faults=Escalation.faults + 1, last_fault=fault, updated_at=now)
        .execution_options(synchronize_session=False)
    )
