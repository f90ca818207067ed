"""Policies at work: starting, pausing and ending escalations as their incident changes.

Whoever calls this holds the incident's row. Climbing the ladder is `services.ladder`, what
people ask of it themselves `services.escalation_by_hand`.
"""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.crud import (
    crud_escalation,
    crud_incident,
    crud_intake,
    crud_ladder,
    crud_notification,
)
from app.crud.crud_intake import ActivePolicy
from app.db.session import WriteSession, wake_after_commit
from app.domain import conditions, escalation
from app.domain.conditions import Attributes
from app.domain.escalation import EscalationEventStatus, EscalationStatus, Ladder
from app.domain.incident import IncidentStatus, Opening, Severity, TimelineType
from app.domain.lease import StepKey
from app.domain.notification import NotificationStatus
from app.domain.storm import UNLIMITED, Newcomer, ServiceLimit
from app.models import Escalation, EscalationPolicy, Incident
from app.services import quiet, storm
from app.services.quiet import Beginning, Pinned

log = logging.getLogger(__name__)

LOOP = "escalation"  # the loop that climbs
# No loop sleeps for longer, and then it looks for itself what comes next.
NEAR = timedelta(minutes=3)
NOTHING: Mapping[str, int] = {}


@dataclass(frozen=True)
class Subject:
    """An incident as far as policies ask about it."""

    incident_id: int
    attributes: Attributes

    @property
    def is_critical(self) -> bool:
        return self.attributes.severity is Severity.CRITICAL

    @property
    def beginning(self) -> Beginning:
        return Beginning(self.incident_id, self.attributes.service, self.attributes.severity)

    @property
    def newcomer(self) -> Newcomer:
        return Newcomer(self.incident_id, self.attributes.service, self.is_critical)


def attributes_of(incident: Incident | Opening) -> Attributes:
    return Attributes(
        severity=incident.severity,
        service=incident.service,
        title=incident.title,
        source=incident.source,
        tags=tuple(incident.tags),
        labels=incident.labels,
        custom_fields=incident.custom_fields,
    )


def subject_of(incident: Incident) -> Subject:
    return Subject(incident.id, attributes_of(incident))


def ladder_of(running: Escalation) -> Ladder:
    return Ladder(
        escalation.read_steps(running.steps),
        running.last_loop,
        timedelta(minutes=running.final_delay_minutes),
    )


async def start(
    session: WriteSession,
    subjects: Sequence[Subject],
    *,
    now: datetime,
    limit: ServiceLimit = UNLIMITED,
    before: Mapping[str, int] = NOTHING,
) -> None:
    """Put every matching policy to work on each newly opened incident, and the one that its
    service pins, or else the fallback; at once, or when its service no longer keeps it waiting.

    With a limit, what a storm opens beyond it pages together a little later; `before` says how
    many the services had opened lately.
    """
    policies = await crud_intake.active_policies(session)
    waits = await quiet.waits(session, [subject.beginning for subject in subjects], now=now)
    names = {subject.attributes.service for subject in subjects}
    rows, entries = plan(subjects, policies, await quiet.pinned(session, names, now=now), now=now)
    entries += quiet.keep_waiting(rows, waits, now=now)
    at_once = [row for row in rows if row["incident_id"] not in waits]
    newcomers = [subject.newcomer for subject in subjects]
    entries += storm.hold(at_once, newcomers, before, limit=limit, now=now)
    await _begin(session, rows, entries, now)


def plan(
    subjects: Iterable[Subject], policies: Sequence[ActivePolicy], pinned: Pinned, *, now: datetime
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What runs on each newly opened incident, and what its timeline tells of that."""
    rows: list[dict[str, Any]] = []
    entries: list[dict[str, Any]] = []
    for subject in subjects:
        matching = _matching(policies, subject.attributes, now, pinned)
        for policy in matching:
            rows.append(_run(subject, policy, now))
            entries.append(_started(subject.incident_id, policy, now))
        if not matching:
            rows.append(_fallback_run(subject, now))
            entries.append(_fallback_entry(subject.incident_id, "No active policy matches", now))
    return rows, entries


async def retarget(session: WriteSession, incident: Incident, *, now: datetime) -> None:
    """Follow a change of severity or service.

    What no longer matches is cancelled, what newly matches starts, what runs goes on, and so
    does what somebody put to work by hand. An acknowledged incident's new escalations wait
    like its old ones.
    """
    await crud_notification.set_urgency(
        session, incident.id, is_critical=incident.severity is Severity.CRITICAL, now=now
    )
    wake_after_commit(session, "delivery")
    subject = subject_of(incident)
    waits = await quiet.waits(session, [subject.beginning], now=now)
    pinned = await quiet.pinned(session, {incident.service}, now=now)
    await quiet.place(session, incident, now=now)
    policies = await crud_intake.active_policies(session)
    matching = _matching(policies, subject.attributes, now, pinned)
    live = await crud_escalation.live(session, incident.id)
    running = {run.policy_id for run in live if not run.is_fallback}
    by_hand = await crud_incident.started_by_hand(session, incident.id)
    entries: list[dict[str, Any]] = []
    remaining = 0
    for run in live:
        stands = run.id in by_hand or run.policy_id in pinned.values()
        if stands or await _still_stands(session, run, subject, bool(matching), now):
            remaining += 1
            quiet.ask_again(run, now=now)
        else:
            await cancel(session, run, "Its policy no longer matches the incident.", now=now)
            entries.append(
                crud_incident.entry(
                    incident.id,
                    TimelineType.ESCALATION_CANCELLED,
                    f"Policy “{run.policy_name}” no longer matches; it stops here.",
                    now=now,
                    escalation_id=run.id,
                )
            )
    rows = []
    for policy in matching:
        if policy.id not in running:
            rows.append(_run(subject, policy, now))
            entries.append(_started(incident.id, policy, now))
    if not rows and not remaining:
        rows.append(_fallback_run(subject, now))
        entries.append(_fallback_entry(incident.id, "No active policy matches any more", now))
    if incident.status is IncidentStatus.OPEN:
        entries += quiet.keep_waiting(rows, waits, now=now)
    for row in rows:
        _hold(row, incident)
    await _begin(session, rows, entries, now)
    wake_after_commit(session, LOOP)


async def start_fallback(
    session: WriteSession,
    incident_id: int,
    why: str,
    *,
    due_at: datetime,
    now: datetime,
    is_critical: bool = False,
) -> None:
    """Page whoever is paged when nobody else is left."""
    run = _fallback(incident_id, due_at, is_critical=is_critical)
    await _begin(session, [run], [_fallback_entry(incident_id, why, now)], now)


async def pause(session: WriteSession, incident_ids: Collection[int], *, now: datetime) -> None:
    """Somebody is looking: every clock stops, and nothing that has not left goes out."""
    await crud_ladder.pause_live(session, incident_ids, now=now)
    await crud_notification.stop_waiting(
        session, incident_ids, "The incident was acknowledged first.", now=now
    )


async def finish(session: WriteSession, incident_ids: Collection[int], *, now: datetime) -> None:
    """Nobody needs to look any more: everything ends."""
    await crud_ladder.end_live(session, incident_ids, EscalationStatus.COMPLETED, now=now)
    await crud_notification.stop_waiting(
        session, incident_ids, "The incident was resolved first.", now=now
    )


async def put_off(
    session: WriteSession, incident: Incident, *, until: datetime, now: datetime
) -> None:
    """Let everything rest until `until`. An acknowledged incident pages anew then."""
    await crud_ladder.put_off(session, incident.id, until=until, now=now)
    await crud_notification.put_off(session, incident.id, until=until, now=now)
    wake_after_commit(session, LOOP)


async def bring_back(session: WriteSession, incident: Incident, *, now: datetime) -> None:
    """End a snooze early: what was due is due again."""
    await crud_ladder.bring_back(session, incident.id, now=now)
    await crud_notification.bring_back(session, incident.id, now=now)
    wake_after_commit(session, LOOP)
    wake_after_commit(session, "delivery")


async def cancel(session: WriteSession, run: Escalation, reason: str, *, now: datetime) -> None:
    """Stop an escalation that the caller holds; `reason` is what its unsent pages will say."""
    run.status = EscalationStatus.CANCELLED
    run.next_step_at = run.deferred_from = run.waits_until = run.waits_for = None
    run.finished_at = run.updated_at = now
    await crud_notification.stop_escalation(session, run.id, reason, now=now)


async def hurry_if_lost(session: WriteSession, step: StepKey, *, now: datetime) -> bool:
    """If every page of a step is lost for good, make the next step due now; say whether.

    Takes the incident first, as everybody does who will hold it together with other rows.
    """
    incident = await crud_incident.lock(session, step.incident_id)
    if incident is None or incident.status is not IncidentStatus.OPEN:
        return False
    statuses = await crud_notification.statuses_of_step(session, step)
    if not statuses <= {NotificationStatus.FAILED, NotificationStatus.CANCELLED}:
        return False
    live = await crud_escalation.live(session, incident.id)
    run = next((run for run in live if run.id == step.escalation_id), None)
    if run is None or (run.loop, run.next_step) != (step.loop, step.step + 1):
        return False
    if run.next_step_at is None or run.next_step_at <= now:
        return False
    run.next_step_at, run.updated_at = now, now
    await crud_ladder.set_event_status(
        session, step.escalation_id, step.loop, step.step, EscalationEventStatus.FAILED
    )
    await crud_incident.tell(
        session,
        [
            crud_incident.entry(
                incident.id,
                TimelineType.ESCALATION_HURRIED,
                f"Every page of step {step.step + 1} of “{run.policy_name}” was lost;"
                " what comes next comes now.",
                now=now,
                escalation_id=run.id,
            )
        ],
    )
    wake_after_commit(session, LOOP)
    return True


def _matching(
    policies: Iterable[ActivePolicy], attributes: Attributes, now: datetime, pinned: Pinned
) -> list[ActivePolicy]:
    pin = pinned.get(attributes.service)
    return [one for one in policies if one.id == pin or _holds(one, attributes, now)]


def _holds(policy: ActivePolicy | EscalationPolicy, attributes: Attributes, now: datetime) -> bool:
    """Whether a policy is for this incident. One that cannot be evaluated is: it must not fail
    the alert, and silence is never success."""
    try:
        return conditions.holds(policy.conditions, attributes, now=now)
    except Exception:
        log.exception("policy.conditions_broken", extra={"policy_id": policy.id})
        return True


async def _still_stands(
    session: WriteSession, run: Escalation, subject: Subject, any_matches: bool, now: datetime
) -> bool:
    if run.is_fallback:
        return not any_matches
    if run.policy_id is None:  # its policy was deleted; what runs goes on
        return True
    policy = await crud_escalation.get_policy(session, run.policy_id)
    return policy is None or _holds(policy, subject.attributes, now)


async def _begin(
    session: WriteSession,
    runs: Sequence[dict[str, Any]],
    entries: Sequence[dict[str, Any]],
    now: datetime,
) -> None:
    if runs or entries:
        await crud_intake.start_many(session, runs, entries, now=now)
    if is_near(runs, now):
        wake_after_commit(session, LOOP)


def is_near(runs: Iterable[Mapping[str, Any]], now: datetime) -> bool:
    """Whether the loop that climbs is to look at once for what comes next of these."""
    return any(run["next_step_at"] is not None and run["next_step_at"] < now + NEAR for run in runs)


def row_of(incident: Incident, policy: EscalationPolicy, now: datetime) -> dict[str, Any]:
    """The policy at work from now on, with a frozen copy of its steps."""
    ladder = Ladder(
        escalation.read_steps(policy.steps),
        policy.repeat,
        timedelta(minutes=policy.final_delay_minutes),
    )
    return {
        "incident_id": incident.id,
        "is_critical": incident.severity is Severity.CRITICAL,
        "policy_id": policy.id,
        "policy_name": policy.name,
        "is_fallback": False,
        "steps": policy.steps,
        "repeat": policy.repeat,
        "last_loop": policy.repeat,
        "final_delay_minutes": policy.final_delay_minutes,
        "status": EscalationStatus.ACTIVE,
        "ack_timeout_minutes": policy.ack_timeout_minutes,
        "next_step_at": escalation.start(ladder, at=now).due_at,
        "deferred_from": None,
        "started_at": now,
        "created_at": now,
        "updated_at": now,
    }


def _run(subject: Subject, policy: ActivePolicy, now: datetime) -> dict[str, Any]:
    """The policy at work from now on; its steps are copied where they are."""
    return {
        "incident_id": subject.incident_id,
        "policy_id": policy.id,
        "is_critical": subject.is_critical,
        "status": EscalationStatus.ACTIVE,
        "next_step_at": now + policy.first_delay,
        "deferred_from": None,
        "held_until": None,
    }


def _fallback_run(subject: Subject, now: datetime) -> dict[str, Any]:
    return _fallback(subject.incident_id, now, is_critical=subject.is_critical)


def _fallback(incident_id: int, due_at: datetime, *, is_critical: bool) -> dict[str, Any]:
    return {
        "incident_id": incident_id,
        "policy_id": None,
        "policy_name": escalation.FALLBACK_NAME,
        "steps": escalation.FALLBACK_STEPS,
        "final_delay_minutes": escalation.FALLBACK_FINAL_DELAY_MINUTES,
        "is_critical": is_critical,
        "status": EscalationStatus.ACTIVE,
        "next_step_at": due_at,
        "deferred_from": None,
        "held_until": None,
    }


def _hold(row: dict[str, Any], incident: Incident) -> None:
    """Start as the incident's other escalations stand: paused, or resting until a snooze ends."""
    due_at, until = row["next_step_at"], incident.snoozed_until
    if incident.status is IncidentStatus.ACKNOWLEDGED:
        row.update(status=EscalationStatus.PAUSED, next_step_at=until)
    elif until is not None and until > due_at:
        row.update(next_step_at=until, deferred_from=due_at)


def _started(incident_id: int, policy: ActivePolicy, now: datetime) -> dict[str, Any]:
    return crud_incident.entry(
        incident_id,
        TimelineType.ESCALATION_STARTED,
        f"Policy “{policy.name}” started.",
        now=now,
        policy_id=policy.id,
    )


def _fallback_entry(incident_id: int, why: str, now: datetime) -> dict[str, Any]:
    return crud_incident.entry(
        incident_id, TimelineType.ESCALATION_STARTED, f"{why}; paging the fallback.", now=now
    )
