"""Climbing: taking the steps that are due, a batch of them in one transaction.

Every due escalation comes with its incident, both held. What a batch owes is worked out by
the pure ladder of `domain.escalation` and written with a handful of statements, however many
steps there are: notifications, what each step came to, the story, and where each ladder
stands now. Only actions that change the incident itself go one by one.
"""

from collections.abc import Collection, Mapping
from datetime import datetime

from app.crud import crud_escalation, crud_incident, crud_notification, crud_user
from app.crud.crud_escalation import Due
from app.db.session import WriteSession, wake_after_commit
from app.domain import escalation
from app.domain.escalation import (
    AddComment,
    Assign,
    CallWebhook,
    EscalationEventStatus,
    EscalationStatus,
    Ladder,
    Position,
    SetSeverity,
    SetStatus,
    Step,
    Target,
    TargetKind,
)
from app.domain.incident import TRANSITIONS, AssignmentRole, IncidentStatus, TimelineType
from app.domain.notification import Recipient
from app.domain.user import Actor
from app.models import Incident, IncidentComment
from app.services import escalation as escalation_service
from app.services import incident as incident_service
from app.services import incident_people
from app.services.ladder_batch import Batch, Whom

DELIVERY = "delivery"
POLICY = Actor(name="A policy’s step")


async def climb(
    session: WriteSession, *, now: datetime, limit: int, fallback_email: str | None = None
) -> int:
    """Take up to `limit` due steps and say how many there were."""
    dues = await crud_escalation.claim_due(session, now=now, limit=limit)
    if dues:
        await take(session, dues, now=now, fallback_email=fallback_email)
    return len(dues)


async def take(
    session: WriteSession, dues: Collection[Due], *, now: datetime, fallback_email: str | None
) -> None:
    """Take the step that is due of each of these, all of them held by the caller."""
    ladders = {due.escalation.id: escalation_service.ladder_of(due.escalation) for due in dues}
    people = await _people(session, dues, ladders, fallback_email)
    batch = Batch(now, people)
    for due in dues:
        if due.incident.id not in batch.answered:
            await _take_one(session, batch, due, ladders[due.escalation.id])
    await _write(session, batch)


async def _take_one(session: WriteSession, batch: Batch, due: Due, ladder: Ladder) -> None:
    run, incident = due.escalation, due.incident
    assert run.next_step_at is not None  # it was claimed for being due
    position = Position(run.loop, run.next_step, run.next_step_at)
    if incident.status is IncidentStatus.RESOLVED:  # cannot be; must never page
        await escalation_service.finish(session, [incident.id], now=batch.now)
        return
    if incident.snoozed_until is not None:
        _end_snooze(batch, incident)
    if run.status is EscalationStatus.PAUSED:
        position = escalation.start(ladder, at=position.due_at, loop=run.loop + 1)
        batch.move(run, position, last_loop=position.loop + run.repeat)
    elif position.step < len(ladder.steps):
        await _step(session, batch, due, ladder, position)
    else:
        _end(batch, due, ladder, position)


def _end_snooze(batch: Batch, incident: Incident) -> None:
    """A snooze is over when something that rested for it is due."""
    if incident.status is IncidentStatus.ACKNOWLEDGED:
        incident.enter(IncidentStatus.OPEN, by=None, now=batch.now)
        story = "The snooze ended; the incident is open again and pages anew."
    else:
        incident.snoozed_until = None
        incident.touch(batch.now)
        story = "The snooze ended; paging goes on."
    batch.tell(incident, TimelineType.SNOOZE_ENDED, story)


async def _step(
    session: WriteSession, batch: Batch, due: Due, ladder: Ladder, position: Position
) -> None:
    run, incident = due.escalation, due.incident
    step = ladder.steps[position.step]
    pages = escalation.pages_of(
        step,
        recipients={target: batch.recipients(target, incident.id) for target in _notified(step)},
        severity=incident.severity,
        due_at=position.due_at,
    )
    for owed in pages.owed:
        batch.promise(due, position, owed)
    await _act(session, batch, due, position, step)
    status = (
        EscalationEventStatus.COMPLETED
        if pages.reached_somebody
        else EscalationEventStatus.REACHED_NOBODY
    )
    batch.record(due, position, status, pages)
    batch.tell_step(due, position, pages)
    if incident.id not in batch.answered:
        following = escalation.after_step(ladder, position, reached_somebody=pages.reached_somebody)
        batch.move(run, following)


def _end(batch: Batch, due: Due, ladder: Ladder, position: Position) -> None:
    """The ladder's last wait is over and nobody answered."""
    run, incident = due.escalation, due.incident
    again = escalation.after_end(ladder, position)
    if again is not None:
        batch.move(run, again)
        batch.tell(
            incident,
            TimelineType.ESCALATION_REPEATED,
            f"Nobody answered “{run.policy_name}”; it begins again"
            f" (round {again.loop + 1} of {ladder.last_loop + 1}).",
            escalation_id=run.id,
        )
        return
    batch.exhaust(run, position)
    batch.tell(
        incident,
        TimelineType.ESCALATION_EXHAUSTED,
        f"“{run.policy_name}” ran out of steps and nobody has answered.",
        escalation_id=run.id,
    )
    if not run.is_fallback:
        batch.exhausted.append(due)


# --- Actions other than notify ----------------------------------------------------------


async def _act(
    session: WriteSession, batch: Batch, due: Due, position: Position, step: Step
) -> None:
    incident, name = due.incident, due.escalation.policy_name
    for index, action in enumerate(step.actions):
        match action:
            case CallWebhook(url):
                batch.promise_call(due, position, index, url)
            case AddComment(text):
                await crud_incident.add_comment(
                    session,
                    IncidentComment(incident_id=incident.id, content=text, created_at=batch.now),
                )
                batch.tell(incident, TimelineType.COMMENTED, f"“{name}” commented: {text}")
            case SetSeverity(severity) if severity is not incident.severity:
                batch.tell(
                    incident,
                    TimelineType.EDITED,
                    f"“{name}” changed the severity from {incident.severity} to {severity}.",
                )
                incident.severity = severity
                incident.touch(batch.now)
                batch.retargeted[incident.id] = incident
            case Assign(target):
                for recipient in batch.recipients(target, incident.id):
                    if recipient.is_active:
                        await incident_people.add_assignee(
                            session,
                            incident,
                            recipient.user_id,
                            AssignmentRole.RESPONDER,
                            by=None,
                            now=batch.now,
                        )
                        batch.tell(
                            incident, TimelineType.ASSIGNED, f"“{name}” assigned {recipient.name}."
                        )
            case SetStatus(status) if status in TRANSITIONS[incident.status]:
                batch.answered[incident.id] = (incident, status)
            case _:
                pass  # notify is done; what is so already stays as it is


def _notified(step: Step) -> set[Target]:
    return {action.target for action in step.actions if isinstance(action, escalation.Notify)}


# --- Who --------------------------------------------------------------------------------


async def _people(
    session: WriteSession,
    dues: Collection[Due],
    ladders: Mapping[int, Ladder],
    fallback_email: str | None,
) -> dict[Whom, Collection[Recipient]]:
    """Everybody these ladders may want, loaded once for the batch."""
    targets = {target for ladder in ladders.values() for target in ladder.targets}
    kinds = {target.kind for target in targets}
    wanted: dict[Whom, list[int]] = {}
    for target in targets:
        if target.user_id is not None:
            wanted[target] = [target.user_id]
    if kinds & {TargetKind.ADMINS, TargetKind.FALLBACK}:
        admins = [user.id for user in await crud_user.active_admins(session)]
        wanted[Target(TargetKind.ADMINS)] = admins
        wanted[Target(TargetKind.FALLBACK)] = (
            await _named_fallback(session, fallback_email) or admins
        )
    if TargetKind.ASSIGNEES in kinds:
        assignees = await crud_incident.assignees(session, {due.incident.id for due in dues})
        for incident_id, users in assignees.items():
            wanted[incident_id, TargetKind.ASSIGNEES] = users
    if TargetKind.CREATOR in kinds:
        for due in dues:
            if due.incident.created_by is not None:
                wanted[due.incident.id, TargetKind.CREATOR] = [due.incident.created_by]
    found = await crud_user.recipients(session, {user for ids in wanted.values() for user in ids})
    return {key: [found[user] for user in users if user in found] for key, users in wanted.items()}


async def _named_fallback(session: WriteSession, email: str | None) -> list[int]:
    user = await crud_user.by_email(session, email) if email else None
    return [user.id] if user is not None and user.is_active else []


# --- Writing -----------------------------------------------------------------------------


async def _write(session: WriteSession, batch: Batch) -> None:
    await crud_notification.promise_many(session, batch.promises)
    await crud_escalation.record_events(session, batch.events)
    await crud_escalation.move_many(session, batch.moves)
    await crud_incident.tell(session, batch.entries)
    for due in batch.exhausted:
        if due.incident.id not in batch.answered:
            await escalation_service.start_fallback(
                session,
                due.incident.id,
                f"“{due.escalation.policy_name}” has run out",
                due_at=batch.now,
                now=batch.now,
            )
    for incident, status in batch.answered.values():
        await incident_service.enter(session, incident, status, actor=POLICY, now=batch.now)
    for incident_id, incident in batch.retargeted.items():
        if incident_id not in batch.answered:
            await escalation_service.retarget(session, incident, now=batch.now)
    if batch.promises:
        wake_after_commit(session, DELIVERY)
