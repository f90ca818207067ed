"""Climbing: taking the steps that are due, a batch of them in one transaction.

Every due escalation comes with its incident, both held. What a batch owes is worked out by
the pure ladder of `domain.escalation` and written with a handful of statements, however many
steps there are: notifications, what each step came to, the story, and where each ladder
stands now. Only actions that change the incident itself go one by one.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from app.crud import (
    crud_escalation,
    crud_incident,
    crud_ladder,
)
from app.crud.crud_escalation import FROM_THE_START, Due, DueIncident, Since
from app.db.session import WriteSession, wake_after_commit
from app.domain import escalation
from app.domain.escalation import (
    AddComment,
    Assign,
    CallWebhook,
    EscalationEventStatus,
    EscalationStatus,
    Ladder,
    Notify,
    Position,
    SetSeverity,
    SetStatus,
    Step,
    frozen_ladder,
)
from app.domain.incident import TRANSITIONS, AssignmentRole, IncidentStatus, Severity, TimelineType
from app.domain.target import Target
from app.domain.user import Actor
from app.models import Incident, IncidentComment
from app.services import escalation as escalation_service
from app.services import incident as incident_service
from app.services import incident_people, outbox, quiet
from app.services.ladder_batch import Batch
from app.services.ladder_people import Rehearsed, keep_turns, people_of

POLICY = Actor(name="A policy’s step")


@dataclass(frozen=True)
class Climbed:
    """The steps that were taken, and when the nearest of what they led to is due, if critical
    and if not."""

    dues: Collection[Due]
    nearest: Mapping[bool, datetime]


async def climb(
    session: WriteSession,
    *,
    now: datetime,
    limit: int,
    fallback_email: str | None = None,
    since: Since = FROM_THE_START,
) -> Climbed:
    """Take due steps, `limit` of them or somewhat more, what is critical first."""
    dues = await crud_escalation.claim_due(session, now=now, limit=limit, since=since)
    nearest = await take(session, dues, now=now, fallback_email=fallback_email)
    return Climbed(dues, nearest)


async def take(
    session: WriteSession,
    dues: Collection[Due],
    *,
    now: datetime,
    fallback_email: str | None,
    rehearsed: Rehearsed | None = None,
) -> Mapping[bool, datetime]:
    """Take the step that is due of each of these, all of them held by the caller; when the
    nearest of what they led to is due, if critical and if not.

    A rehearsal remembers its turns itself, and moves nobody's.
    """
    if not dues:
        return {}
    ladders = {
        run.id: frozen_ladder(run.steps, run.last_loop, run.final_delay_minutes)
        for run in (due.escalation for due in dues)
    }
    people = await people_of(session, dues, ladders, fallback_email, now=now, rehearsed=rehearsed)
    batch = Batch(now, people, {due.incident.id: due.incident for due in dues})
    batch.waits = await quiet.of_dues(session, dues, now=now)
    for due in dues:
        if due.incident.id not in batch.answered:
            await _take_one(session, batch, due, ladders[due.escalation.id])
    await _write(session, batch)
    await keep_turns(session, people, rehearsed)
    return batch.nearest


async def _take_one(session: WriteSession, batch: Batch, due: Due, ladder: Ladder) -> None:
    run, incident = due.escalation, batch.incidents[due.incident.id]
    position = Position(run.loop, run.next_step, run.next_step_at)
    is_paused = run.status is EscalationStatus.PAUSED
    if incident.status is IncidentStatus.RESOLVED:  # cannot be; must never page
        await escalation_service.finish(session, [incident.id], now=batch.now)
        return
    if incident.snoozed_until is not None:
        _end_snooze(batch, incident)
    elif is_paused and incident.status is IncidentStatus.ACKNOWLEDGED:
        _expire(batch, incident)
    if quiet.begins(due) and due.incident.id in batch.waits:
        _wait(batch, due, position)
    elif run.waits_until is not None:
        _begin(batch, due, ladder, position)
    elif is_paused:
        position = escalation.start(ladder, at=position.due_at, loop=run.loop + 1)
        batch.move(run, position, last_loop=position.loop + run.repeat)
    elif position.step < len(ladder.steps):
        await _step(session, batch, due, ladder, position)
    else:
        _end(batch, due, ladder, position)


def _wait(batch: Batch, due: Due, position: Position) -> None:
    """Its service keeps it waiting: it stands where it would go on, or begin its next loop."""
    run, wait = due.escalation, batch.waits[due.incident.id]
    if run.status is EscalationStatus.PAUSED:
        position = Position(run.loop + 1, 0, position.due_at)
        batch.defer(run, position, wait, last_loop=position.loop + run.repeat)
    else:
        batch.defer(run, position, wait, last_loop=run.last_loop)
    if (run.waits_until, run.waits_for) != (wait.until, wait.reason):
        batch.tell_once(quiet.entry(due.incident.id, wait, now=batch.now))


def _begin(batch: Batch, due: Due, ladder: Ladder, position: Position) -> None:
    """It need not wait any longer: it begins, or goes on where it stood."""
    run = due.escalation
    if position.step == 0:
        position = escalation.start(ladder, at=position.due_at, loop=run.loop)
    batch.move(run, position)
    story = "Nothing keeps it waiting any longer, and it is not resolved; paging begins."
    batch.tell_once(
        crud_incident.entry(due.incident.id, TimelineType.PAGING_BEGINS, story, now=batch.now)
    )


def _end_snooze(batch: Batch, incident: DueIncident) -> None:
    """A snooze is over when something that rested for it is due."""
    story = "The snooze ended; paging goes on."
    if incident.status is IncidentStatus.ACKNOWLEDGED:
        story = "The snooze ended; the incident is open again and pages anew."
    batch.rouse(incident)
    batch.tell(incident.id, TimelineType.SNOOZE_ENDED, story)


def _expire(batch: Batch, incident: DueIncident) -> None:
    """An answer has held for as long as a policy lets it, and the incident is not resolved."""
    assert incident.acknowledged_at is not None  # a constraint says so
    who = (
        "A policy"
        if incident.acknowledged_by is None
        else batch.people.name(incident.acknowledged_by) or "Somebody"
    )
    ago = escalation.in_words(batch.now - incident.acknowledged_at)
    batch.rouse(incident)
    batch.expired.add(incident.id)
    batch.tell(
        incident.id,
        TimelineType.ACKNOWLEDGEMENT_EXPIRED,
        f"{who} acknowledged {ago} ago and it is not resolved; paging again.",
    )


async def _step(
    session: WriteSession, batch: Batch, due: Due, ladder: Ladder, position: Position
) -> None:
    incident = batch.incidents[due.incident.id]
    step = ladder.steps[position.step]
    passed = batch.people.take_turns(step, due, incident, due_at=position.due_at)
    pages = escalation.pages_of(
        step,
        recipients={target: batch.people.recipients(target, due) for target in _notified(step)},
        severity=incident.severity,
        due_at=position.due_at,
        urgency=incident.urgency,
    )
    skipped = dict.fromkeys([*passed, *pages.skipped])
    vacancies = batch.people.vacancies(step, due)
    pages = replace(pages, skipped=tuple(skipped), vacancies=tuple(vacancies))
    for owed in pages.owed:
        action = step.actions[owed.action]
        assert isinstance(action, Notify)  # nothing else owes anybody a page
        batch.promise(due, position, owed, action.target)
    await _act(session, batch, due, position, step)
    status = (
        EscalationEventStatus.COMPLETED
        if pages.reached_somebody
        else EscalationEventStatus.REACHED_NOBODY
    )
    batch.record(due, position, status, pages)
    batch.tell_step(due, position, pages)
    batch.entrust(due, escalation.entrusted(step, pages))
    if incident.id not in batch.answered:
        following = escalation.after_step(ladder, position, reached_somebody=pages.reached_somebody)
        batch.move(due.escalation, following)


def _end(batch: Batch, due: Due, ladder: Ladder, position: Position) -> None:
    """The ladder's last wait is over and nobody answered."""
    run, incident_id = due.escalation, due.incident.id
    again = escalation.after_end(ladder, position)
    if again is not None:
        batch.move(run, again)
        batch.tell(
            incident_id,
            TimelineType.ESCALATION_REPEATED,
            f"Nobody answered “{run.policy_name}”; it begins again"
            f" (round {again.loop + 1} of {ladder.last_loop + 1}).",
            escalation_id=run.id,
        )
        return
    batch.exhaust(run, position)
    batch.tell(
        incident_id,
        TimelineType.ESCALATION_EXHAUSTED,
        f"“{run.policy_name}” ran out of steps and nobody has answered.",
        escalation_id=run.id,
    )
    if due.incident.is_drill:
        batch.missed.add(incident_id)
    elif not run.is_fallback:
        batch.exhausted.append(due)


# --- Actions other than notify ----------------------------------------------------------


async def _act(
    session: WriteSession, batch: Batch, due: Due, position: Position, step: Step
) -> None:
    key, name = due.incident.id, due.escalation.policy_name
    for index, action in enumerate(step.actions):
        incident = batch.incidents[key]
        match action:
            case CallWebhook(url):
                batch.promise_call(due, position, index, url)
            case AddComment(text):
                await crud_incident.add_comment(
                    session,
                    IncidentComment(incident_id=key, content=text, created_at=batch.now),
                )
                batch.tell(key, TimelineType.COMMENTED, f"“{name}” commented: {text}")
            case SetSeverity(severity) if severity is not incident.severity:
                batch.tell(
                    key,
                    TimelineType.EDITED,
                    f"“{name}” changed the severity from {incident.severity} to {severity}.",
                )
                batch.worsen(incident, severity)
            case Assign(target):
                for recipient in batch.people.recipients(target, due):
                    if recipient.is_active:
                        await incident_people.add_assignee(
                            session,
                            await _loaded(session, batch, key),
                            recipient.user_id,
                            AssignmentRole.RESPONDER,
                            by=None,
                            now=batch.now,
                        )
                        batch.assign(key, recipient.user_id)
                        batch.tell(
                            key, TimelineType.ASSIGNED, f"“{name}” assigned {recipient.name}."
                        )
            case SetStatus(status) if status in TRANSITIONS[incident.status]:
                batch.answered[key] = status
            case _:
                pass  # notify is done; what is so already stays as it is


def _notified(step: Step) -> set[Target]:
    return {action.target for action in step.actions if isinstance(action, Notify)}


# --- Writing -----------------------------------------------------------------------------


async def _write(session: WriteSession, batch: Batch) -> None:
    await crud_ladder.advance(session, batch.rows, now=batch.now)
    outbox.wake(session, *{promise["channel"] for promise in batch.rows.promises})
    await _rouse(session, batch)
    await _entrust(session, batch)
    for due in batch.exhausted:
        if due.incident.id not in batch.answered:
            await escalation_service.start_fallback(
                session,
                due.incident.id,
                f"“{due.escalation.policy_name}” has run out",
                due_at=batch.now,
                now=batch.now,
                is_critical=batch.incidents[due.incident.id].severity is Severity.CRITICAL,
            )
    for key, severity in batch.severities.items():
        incident = await _loaded(session, batch, key)
        incident.severity = severity
        incident.touch(batch.now)
    for key, status in batch.answered.items():
        incident = await _loaded(session, batch, key)
        await incident_service.enter(session, incident, status, actor=POLICY, now=batch.now)
    for key in batch.severities.keys() - batch.answered.keys():
        await escalation_service.retarget(session, batch.loaded[key], now=batch.now)
    if batch.missed:
        await _miss(session, batch)


async def _rouse(session: WriteSession, batch: Batch) -> None:
    """Open what was acknowledged, end what was snoozed; where an answer expired, all ladders
    begin anew."""
    missing = batch.roused - batch.loaded.keys()
    if missing:
        for incident in await crud_incident.lock_unresolved(session, missing):
            batch.loaded[incident.id] = incident
    for key in batch.roused:
        incident = batch.loaded[key]
        if incident.status is IncidentStatus.ACKNOWLEDGED:
            incident.enter(IncidentStatus.OPEN, by=None, now=batch.now)
        else:
            incident.snoozed_until = None
            incident.touch(batch.now)
    if batch.expired:
        await crud_ladder.waken(session, batch.expired, now=batch.now)
        wake_after_commit(session, escalation_service.LOOP)


async def _entrust(session: WriteSession, batch: Batch) -> None:
    """Give incidents that nobody had to whoever they page."""
    if not batch.entrusted:
        return
    await crud_ladder.entrust(session, batch.entrusted, now=batch.now)
    for key in batch.entrusted.keys() & batch.loaded.keys():
        batch.loaded[key] = await _read_again(session, key)


async def _miss(session: WriteSession, batch: Batch) -> None:
    """A drill ends with its ladder: nobody else is called for it."""
    keys = sorted(batch.missed - batch.answered.keys())
    await crud_ladder.miss_drills(session, keys, now=batch.now)
    for key in keys:
        incident = await _loaded(session, batch, key)
        incident.enter(IncidentStatus.RESOLVED, by=None, now=batch.now)
    await crud_incident.set_tally_open(session, keys, is_open=False)
    await escalation_service.finish(session, keys, now=batch.now)
    story = "Nobody answered the drill."
    await crud_incident.tell(
        session,
        [crud_incident.entry(key, TimelineType.RESOLVED, story, now=batch.now) for key in keys],
    )


async def _loaded(session: WriteSession, batch: Batch, incident_id: int) -> Incident:
    """The row of an incident that the claim holds already."""
    if incident_id not in batch.loaded:
        batch.loaded[incident_id] = await _read_again(session, incident_id)
    return batch.loaded[incident_id]


async def _read_again(session: WriteSession, incident_id: int) -> Incident:
    incident = await crud_incident.lock(session, incident_id)
    assert incident is not None  # only what is resolved can be deleted
    return incident
