"""What people ask of escalations themselves: go on now, put another policy to work, stop one.

Whoever asks for people gets them: an acknowledgement or a snooze that is in the way ends, and
what rested for it goes on. A step is never taken twice in one loop, because the second time
would page nobody (see the unique key of notifications).

Locking: the incident first, then the policy if one is named, then the escalations.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from app.core.errors import ConflictError, InvalidInputError, NotFoundError
from app.crud import crud_escalation
from app.db.session import WriteSession, wake_after_commit
from app.domain import escalation
from app.domain.escalation import LIVE, EscalationStatus, Position
from app.domain.incident import IncidentStatus, Severity, TimelineType
from app.domain.target import spoken
from app.domain.user import Actor
from app.models import Escalation, Incident
from app.services import audit_log, policy_target
from app.services import escalation as escalation_service
from app.services.incident_held import held, tell, unresolved


class EscalationOverError(ConflictError):
    """The escalation has ended; nothing of it can come any more."""

    code = "ESCALATION_OVER"


class PolicyInactiveError(ConflictError):
    """Somebody switched the policy off."""

    code = "POLICY_INACTIVE"


class DrillOnlyError(ConflictError):
    """A fire drill has a ladder of its own."""

    code = "DRILL_ONLY"


class InvalidTargetError(InvalidInputError):
    """Nobody and nothing is called so; `details.errors` names each place."""

    code = "INVALID_TARGET"


class AlreadyRunningError(ConflictError):
    """The policy is at work on the incident already."""

    code = "ALREADY_RUNNING"


async def escalate(
    session: WriteSession,
    incident_id: int,
    escalation_id: int | None = None,
    *,
    actor: Actor,
    now: datetime,
) -> Incident:
    """What comes next of every live escalation, or of one, comes now; if none is, the fallback."""
    incident = await unresolved(session, incident_id, "escalated")
    changes, live = await _call_for_people(session, incident, now)
    chosen = list(live)
    if escalation_id is not None:
        chosen = [run for run in live if run.id == escalation_id]
        if not chosen:
            raise await _not_live(session, incident_id, escalation_id)
    ends = False
    for run in chosen:
        ends |= _hurry(run, now)
    if ends:  # then comes the fallback: at once, even if it was started long ago
        for run in live:
            if run.is_fallback and run not in chosen:
                _hurry(run, now)
    await tell(
        session,
        incident,
        TimelineType.ESCALATED,
        f"{actor.name} escalated it.{changes}",
        actor,
        now,
        escalations=[run.id for run in chosen],
    )
    after = {"escalations": [run.id for run in chosen]}
    await audit_log.note(session, "incident.escalated", incident_id, after=after, now=now)
    if not live:
        await escalation_service.start_fallback(
            session, incident_id, "No policy is at work any more", due_at=now, now=now
        )
    wake_after_commit(session, escalation_service.LOOP)
    return incident


async def call(
    session: WriteSession,
    incident_id: int,
    to: str | Mapping[str, Any],
    *,
    actor: Actor,
    now: datetime,
) -> Escalation:
    """Page whom a target means, at once, as a ladder of one step; what is at work goes on."""
    incident = await unresolved(session, incident_id, "escalated")
    if incident.is_drill:
        raise DrillOnlyError("A fire drill pages by its own ladder alone.")
    found = await policy_target.faults_of(session, {"to": to})
    if found:
        raise InvalidTargetError(
            f"Nobody can be called: {found[0].path} {found[0].message}.",
            errors=[{"path": fault.path, "message": fault.message} for fault in found],
        )
    changes, _ = await _call_for_people(session, incident, now)
    run = Escalation(
        incident_id=incident_id,
        policy_name=f"Called by {actor.name}"[:255],
        steps=[{"delay_minutes": 0, "actions": [{"type": "notify", "target": to}]}],
        final_delay_minutes=escalation.FALLBACK_FINAL_DELAY_MINUTES,
        is_critical=incident.severity is Severity.CRITICAL,
        status=EscalationStatus.ACTIVE,
        next_step_at=now,
        started_at=now,
        created_at=now,
        updated_at=now,
    )
    await crud_escalation.add(session, run)
    after = {"incident_id": incident_id, "to": to}
    await audit_log.note(session, "escalation.created", run.id, after=after, now=now)
    await tell(
        session,
        incident,
        TimelineType.ESCALATED,
        f"{actor.name} called {spoken(to)}.{changes}",
        actor,
        now,
        started=run.id,
    )
    wake_after_commit(session, escalation_service.LOOP)
    return run


async def start(
    session: WriteSession, incident_id: int, policy_id: int, *, actor: Actor, now: datetime
) -> Escalation:
    """Put a policy to work on an incident from its first step, whatever its conditions say."""
    incident = await unresolved(session, incident_id, "escalated")
    if incident.is_drill:
        raise DrillOnlyError("A fire drill pages by its own ladder alone.")
    policy = await crud_escalation.lock_policy(session, policy_id)
    if policy is None:
        raise NotFoundError("policy", policy_id)
    if not policy.is_active:
        raise PolicyInactiveError(
            f"“{policy.name}” is switched off; activate it first, or choose another policy."
        )
    changes, live = await _call_for_people(session, incident, now)
    running = next((run for run in live if run.policy_id == policy_id), None)
    if running is not None:
        raise AlreadyRunningError(
            f"“{policy.name}” is at work on this incident already; escalate it instead.",
            escalation_id=running.id,
        )
    row = escalation_service.row_of(incident, policy, now)
    run = await crud_escalation.add(session, Escalation(**row))
    after = {"incident_id": incident_id, "policy_id": policy_id}
    await audit_log.note(session, "escalation.created", run.id, after=after, now=now)
    await tell(
        session,
        incident,
        TimelineType.ESCALATED,
        f"{actor.name} put policy “{policy.name}” to work.{changes}",
        actor,
        now,
        started=run.id,
        policy_id=policy_id,
    )
    wake_after_commit(session, escalation_service.LOOP)
    return run


async def cancel(
    session: WriteSession, incident_id: int, escalation_id: int, *, actor: Actor, now: datetime
) -> Escalation:
    """Stop one policy on an incident; one that has ended stays as it is."""
    incident = await held(session, incident_id)
    live = await crud_escalation.live(session, incident_id)
    run = next((run for run in live if run.id == escalation_id), None)
    if run is None:
        return await _of_incident(session, incident_id, escalation_id)
    before = {"incident_id": incident_id, "policy_id": run.policy_id}
    await escalation_service.cancel(session, run, f"{actor.name} stopped its policy.", now=now)
    await audit_log.note(session, "escalation.cancelled", escalation_id, before=before, now=now)
    story = f"{actor.name} stopped {_name(run)}."
    if incident.status is IncidentStatus.OPEN and len(live) == 1:
        story += " Nothing pages for this incident any more."
    await tell(
        session,
        incident,
        TimelineType.ESCALATION_CANCELLED,
        story,
        actor,
        now,
        escalation_id=run.id,
    )
    return run


async def _call_for_people(
    session: WriteSession, incident: Incident, now: datetime
) -> tuple[str, Sequence[Escalation]]:
    """End what is in the way of paging; what that changed, as sentences, and what is live now."""
    was_acknowledged = incident.status is IncidentStatus.ACKNOWLEDGED
    was_snoozed = incident.snoozed_until is not None
    if was_snoozed:
        await escalation_service.bring_back(session, incident, now=now)
    if was_acknowledged:
        incident.enter(IncidentStatus.OPEN, by=None, now=now)
    elif was_snoozed:
        incident.snoozed_until = None
        incident.touch(now)
    live = await crud_escalation.live(session, incident.id)
    await _resume(session, (run for run in live if run.status is EscalationStatus.PAUSED), now)
    changes = " It is open again." if was_acknowledged else ""
    return changes + (" The snooze is over." if was_snoozed else ""), live


async def _resume(session: WriteSession, paused: Iterable[Escalation], now: datetime) -> None:
    """Let escalations go on where they stood: after the step that was taken last."""
    for run in paused:
        step = run.next_step
        if await crud_escalation.was_taken(session, run.id, run.loop, step):
            step += 1  # it answered the incident itself, and so never moved on
        ladder = escalation_service.ladder_of(run)
        _move(run, escalation.resumed(ladder, run.loop, step, at=now), now)


def _hurry(run: Escalation, now: datetime) -> bool:
    """Make what comes next due now; whether that is the ladder's end."""
    assert run.next_step_at is not None  # whatever rested was resumed
    ladder = escalation_service.ladder_of(run)
    position = Position(run.loop, run.next_step, run.next_step_at)
    position = escalation.hurried(ladder, position, at=now, ends=not run.is_fallback)
    _move(run, position, now)
    return position.step == len(ladder.steps)


def _move(run: Escalation, position: Position, now: datetime) -> None:
    run.status = EscalationStatus.ACTIVE
    run.loop, run.next_step, run.next_step_at = position.loop, position.step, position.due_at
    run.last_loop = max(run.last_loop, position.loop)
    run.waits_until = run.waits_for = None  # somebody calls: nothing waits any more
    run.deferred_from, run.updated_at = None, now


async def _of_incident(session: WriteSession, incident_id: int, escalation_id: int) -> Escalation:
    run = await crud_escalation.get(session, escalation_id)
    if run is None or run.incident_id != incident_id:
        raise NotFoundError("escalation", escalation_id)
    return run


async def _not_live(
    session: WriteSession, incident_id: int, escalation_id: int
) -> EscalationOverError:
    run = await _of_incident(session, incident_id, escalation_id)
    assert run.status not in LIVE
    return EscalationOverError(
        f"Nothing more is to come of {_name(run)}, which is {run.status}; escalate the incident"
        " itself, or put a policy to work.",
        status=run.status.value,
    )


def _name(run: Escalation) -> str:
    return "the fallback" if run.is_fallback else f"“{run.policy_name}”"
