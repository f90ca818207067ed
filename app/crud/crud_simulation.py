"""Rehearsals: incidents that are there for one transaction, and what happened to them.

Whatever is put here has a negative key of the caller's choosing, so that no sequence of what
people see moves and no two rehearsals wait for each other. The transaction is never committed.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    DateTime,
    String,
    TextClause,
    bindparam,
    select,
    text,
)

from app.crud import base
from app.db.session import WriteSession
from app.domain.incident import Severity, TimelineType
from app.domain.notification import Channel
from app.models import (
    ContactMethod,
    EscalationPolicy,
    Incident,
    IncidentAssignment,
    Notification,
    TimelineEvent,
)

STATEMENT_TIMEOUT, LOCK_TIMEOUT = "5s", "2s"
MOST_POLICIES = 500
_TYPES: dict[str, Any] = {
    **dict.fromkeys(("incident_id", "key", "draft_id"), BigInteger()),
    **dict.fromkeys(("now",), DateTime(timezone=True)),
    "channels": ARRAY(String()),
}


def _statement(sql: str, *names: str) -> TextClause:
    return text(sql).bindparams(*(bindparam(name, type_=_TYPES[name]) for name in names))


# Advisory locks until the end of the transaction, wherever it runs.
_PLACE = text("""
    SELECT 1 FROM generate_series(:first, :last) AS place
    WHERE pg_try_advisory_xact_lock(place) LIMIT 1
""").bindparams(bindparam("first", type_=BigInteger()), bindparam("last", type_=BigInteger()))
FIRST_PLACE = 5_210_773_300


async def take_place(session: WriteSession, places: int) -> bool:
    """Be one of so many who rehearse at once; False if they are that many already."""
    parameters = {"first": FIRST_PLACE, "last": FIRST_PLACE + places - 1}
    return await session.scalar(_PLACE, parameters) is not None


async def bound(session: WriteSession) -> None:
    """Let no statement of this transaction take long, nor wait long for anybody."""
    for name, value in (("statement_timeout", STATEMENT_TIMEOUT), ("lock_timeout", LOCK_TIMEOUT)):
        await session.execute(
            text("SELECT set_config(:name, :value, true)"), {"name": name, "value": value}
        )


async def add_incident(
    session: WriteSession, incident: Incident, assignees: Sequence[int], *, now: datetime
) -> Incident:
    """An incident under the key that it bears, with who has it from the start."""
    await base.add(session, incident)
    for place, user_id in enumerate(assignees):
        row = IncidentAssignment(
            id=incident.id - place, incident_id=incident.id, user_id=user_id, assigned_at=now
        )
        await base.add(session, row)
    return incident


# What it is, without what makes it the only one of its problem.
_COPY_INCIDENT = _statement(
    """
    INSERT INTO incidents (id, title, description, status, severity, urgency, service, source, url,
        tags, labels, custom_fields, created_by, assigned_to, acknowledged_by, acknowledged_at,
        resolved_by, resolved_at, snoozed_until, is_drill, created_at, updated_at)
    SELECT :key, title, description, status, severity, urgency, service, source, url, tags,
        labels, custom_fields, created_by, assigned_to, acknowledged_by, acknowledged_at,
        resolved_by, resolved_at, snoozed_until, is_drill, created_at, updated_at
    FROM incidents WHERE id = :incident_id
    """,
    "key",
    "incident_id",
)
_COPY_ASSIGNEES = _statement(
    """
    INSERT INTO incident_assignments (id, incident_id, user_id, role, assigned_by, assigned_at)
    SELECT :key - id, :key, user_id, role, assigned_by, assigned_at
    FROM incident_assignments WHERE incident_id = :incident_id
    """,
    "key",
    "incident_id",
)
_COPY_ESCALATIONS = _statement(
    """
    INSERT INTO escalations (id, incident_id, policy_id, policy_name, is_fallback, steps, repeat,
        final_delay_minutes, ack_timeout_minutes, is_critical, held_until, waits_until,
        waits_for, status, loop, last_loop,
        next_step, next_step_at, deferred_from, started_at, created_at, updated_at)
    SELECT :key - id, :key, policy_id, policy_name, is_fallback, steps, repeat,
        final_delay_minutes, ack_timeout_minutes, is_critical, held_until, waits_until,
        waits_for, status, loop, last_loop,
        next_step, next_step_at, deferred_from, started_at, created_at, updated_at
    FROM escalations WHERE incident_id = :incident_id AND status IN ('active', 'paused')
    """,
    "key",
    "incident_id",
)
# What is on its way has left; what was called off is nothing to go on with.
_COPY_PAGES = _statement(
    """
    INSERT INTO notifications (id, incident_id, escalation_id, loop, step, action, recipient, rule,
        channel, user_id, contact_method_id, address, message, facts, is_critical, status,
        due_at, ready_at, claimed_at, sent_at, held_until, reason, created_at, updated_at)
    SELECT :key - n.id, :key, :key - n.escalation_id, n.loop, n.step, n.action, n.recipient, n.rule,
        n.channel, n.user_id, n.contact_method_id, n.address, n.message, n.facts, n.is_critical,
        CASE n.status WHEN 'sending' THEN 'sent' ELSE n.status END,
        n.due_at, CASE n.status WHEN 'pending' THEN n.ready_at END,
        n.claimed_at, CASE n.status WHEN 'sending' THEN n.claimed_at ELSE n.sent_at END,
        n.held_until, n.reason, n.created_at, n.updated_at
    FROM notifications n JOIN escalations e ON e.id = n.escalation_id
    WHERE n.incident_id = :incident_id AND e.status IN ('active', 'paused')
        AND n.kind = 'page' AND n.status <> 'cancelled'
    """,
    "key",
    "incident_id",
)
_COPY_ASKED_FOR = _statement(
    """
    INSERT INTO timeline_events (id, incident_id, event_type, description, metadata, created_at)
    SELECT :key - id, :key, event_type, description,
        jsonb_build_object('started', :key - CAST(metadata->>'started' AS bigint)), created_at
    FROM timeline_events
    WHERE incident_id = :incident_id AND event_type = 'escalated' AND metadata ? 'started'
    """,
    "key",
    "incident_id",
)


async def copy_incident(session: WriteSession, incident_id: int, key: int) -> None:
    """The incident once more, under another key, with its people and nothing at work on it."""
    parameters = {"incident_id": incident_id, "key": key}
    for statement in (_COPY_INCIDENT, _COPY_ASSIGNEES):
        await session.execute(statement, parameters)


async def copy_work(session: WriteSession, incident_id: int, key: int) -> None:
    """What is at work on the incident, on its copy: where each ladder stands, what it has sent."""
    parameters = {"incident_id": incident_id, "key": key}
    for statement in (_COPY_ESCALATIONS, _COPY_PAGES, _COPY_ASKED_FOR):
        await session.execute(statement, parameters)


# In the order of the keys, as whoever else takes several.
_ONLY = _statement(
    """
    WITH others AS (
        SELECT id FROM escalation_policies WHERE is_active AND id <> :draft_id
        ORDER BY id FOR NO KEY UPDATE
    )
    UPDATE escalation_policies p SET is_active = false FROM others WHERE others.id = p.id
    """,
    "draft_id",
)


async def leave_only(session: WriteSession, draft_id: int) -> None:
    """As if this were the only policy. Incidents open meanwhile; who edits a policy waits."""
    await session.execute(_ONLY, {"draft_id": draft_id})


async def policies(session: WriteSession) -> Sequence[EscalationPolicy]:
    """All policies, also those that are switched off, in the order they were made."""
    statement = select(EscalationPolicy).order_by(EscalationPolicy.id).limit(MOST_POLICIES)
    return (await session.scalars(statement)).all()


_NEXT = _statement(
    """
    SELECT least(
        (SELECT min(next_step_at) FROM escalations WHERE incident_id = :incident_id),
        (SELECT min(ready_at) FROM notifications WHERE incident_id = :incident_id)), severity
    FROM incidents WHERE id = :incident_id
    """,
    "incident_id",
)


async def next_moment(session: WriteSession, incident_id: int) -> tuple[datetime | None, Severity]:
    """When something is due next, a step or a page that waits for its time; and how bad it is."""
    due_at, severity = (await session.execute(_NEXT, {"incident_id": incident_id})).tuples().one()
    return due_at, Severity(severity)


# Where pages go in a rehearsal: nowhere. Those of a channel that nobody has set up fail as
# they would.
_SEND = _statement(
    """
    UPDATE notifications SET
        status = CASE WHEN channel = ANY(:channels) THEN 'failed' ELSE 'sent' END,
        reason = CASE WHEN channel = ANY(:channels) THEN 'No provider is set up.' END,
        sent_at = CASE WHEN channel = ANY(:channels) THEN NULL ELSE CAST(:now AS timestamptz) END,
        claimed_at = :now, ready_at = NULL, updated_at = :now
    WHERE incident_id = :incident_id AND ready_at <= :now
    RETURNING id, status, escalation_id, loop, step
    """,
    "incident_id",
    "channels",
    "now",
)


async def send(
    session: WriteSession, incident_id: int, *, unconfigured: Collection[Channel], now: datetime
) -> set[tuple[int, int, int]]:
    """Let whatever is due leave; the steps that lost a page, as (escalation, loop, step)."""
    parameters = {"incident_id": incident_id, "channels": sorted(unconfigured), "now": now}
    sent = await session.execute(_SEND, parameters)
    return {(run, loop, step) for _, how, run, loop, step in sent if how == "failed" and run}


async def pages(
    session: WriteSession, incident_id: int, *, limit: int
) -> Sequence[tuple[Notification, ContactMethod | None]]:
    """Everything that was promised for an incident, each with where it would go."""
    statement = (
        select(Notification, ContactMethod)
        .outerjoin(ContactMethod, ContactMethod.id == Notification.contact_method_id)
        .where(Notification.incident_id == incident_id)
        .order_by(Notification.due_at, Notification.id)
        .limit(limit)
        .execution_options(populate_existing=True)
    )
    return [(one, method) for one, method in (await session.execute(statement)).tuples()]


async def story(session: WriteSession, incident_id: int, *, limit: int) -> Sequence[TimelineEvent]:
    """What the timeline says happened, without what was copied onto it."""
    statement = (
        select(TimelineEvent)
        .where(
            TimelineEvent.incident_id == incident_id,
            TimelineEvent.event_type != TimelineType.ESCALATED,
        )
        .order_by(TimelineEvent.created_at, TimelineEvent.id)
        .limit(limit)
    )
    return (await session.scalars(statement)).all()
