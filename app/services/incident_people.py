"""Who works on an incident, and what they say about it.

As in `services.incident`, whoever changes an incident holds its row; to comment needs no hold,
so that nobody waits to be heard.

Who is paged as an assignee is paged while they have it: what still waits for somebody who has it
no longer is called off, and if that was all a step had, what comes next comes at once.
"""

from datetime import datetime

from app.core.errors import NotFoundError
from app.crud import crud_incident, crud_notification
from app.db.session import WriteSession
from app.domain.incident import AssignmentRole, TimelineType
from app.domain.notification import NotificationKind
from app.domain.user import Actor
from app.models import Incident, IncidentAssignment, IncidentComment, User
from app.services import audit_log, status_update
from app.services import escalation as escalation_service
from app.services import user as user_service
from app.services.incident_held import held, tell


async def assign(
    session: WriteSession,
    incident_id: int,
    user_id: int,
    role: AssignmentRole,
    *,
    actor: Actor,
    now: datetime,
) -> Incident:
    """Give an incident to somebody, or another role to somebody who has it."""
    person = await user_service.require_active(session, user_id)
    incident = await held(session, incident_id)
    standing = await crud_incident.assignment(session, incident_id, user_id)
    if standing is not None and standing.role is role and incident.assigned_to == user_id:
        return incident
    await hand_over(session, incident, person, role, actor=actor, now=now)
    if role is AssignmentRole.OBSERVER:
        await _let_go(session, incident, person, now)
    return incident


async def unassign(
    session: WriteSession, incident_id: int, user_id: int, *, actor: Actor, now: datetime
) -> Incident:
    """Take an incident off somebody's hands; one who does not have it is a no-op."""
    incident = await held(session, incident_id)
    standing = await crud_incident.assignment(session, incident_id, user_id)
    if standing is None:
        return incident
    person = await user_service.recall(session, user_id)
    await crud_incident.remove_assignment(session, standing)
    incident.touch(now)
    story = f"{actor.name} unassigned {person.display_name}."
    await tell(session, incident, TimelineType.UNASSIGNED, story, actor, now, assignee_id=user_id)
    await _let_go(session, incident, person, now)
    return incident


async def _let_go(session: WriteSession, incident: Incident, person: User, now: datetime) -> None:
    """What follows when somebody works on an incident no longer: who has it, whom it pages."""
    if incident.assigned_to == person.id:
        left = (await crud_incident.assignees(session, [incident.id])).get(incident.id)
        incident.assigned_to = left[-1] if left else None
    reason = f"{person.display_name} is no longer assigned."
    lost = await crud_notification.stop_unassigned(session, incident.id, person.id, reason, now=now)
    for step in sorted(lost):
        await escalation_service.hurry_if_lost(session, step, now=now)


async def hand_over(
    session: WriteSession,
    incident: Incident,
    person: User,
    role: AssignmentRole = AssignmentRole.RESPONDER,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """Put an incident that the caller holds into somebody's hands, and say so."""
    await add_assignee(session, incident, person.id, role, by=actor.user_id, now=now)
    story = f"{actor.name} assigned {person.display_name} as {role}."
    await tell(
        session,
        incident,
        TimelineType.ASSIGNED,
        story,
        actor,
        now,
        assignee_id=person.id,
        role=role,
    )
    await status_update.announce(
        session,
        incident,
        NotificationKind.ASSIGNED,
        actor=actor,
        now=now,
        assignee_id=person.id,
        role=role,
    )


async def add_assignee(
    session: WriteSession,
    incident: Incident,
    user_id: int,
    role: AssignmentRole | None,
    *,
    by: int | None,
    now: datetime,
) -> None:
    """Put an incident that the caller holds into somebody's hands. No role keeps theirs."""
    standing = await crud_incident.assignment(session, incident.id, user_id)
    if standing is None or (role is not None and standing.role is not role):
        await crud_incident.put_assignment(
            session, incident.id, user_id, role or AssignmentRole.RESPONDER, by=by, now=now
        )
        await _note_assignment(session, incident.id, user_id, standing, role, now=now)
    if role is not AssignmentRole.OBSERVER:
        incident.assigned_to = user_id
    incident.touch(now)


async def _note_assignment(
    session: WriteSession,
    incident_id: int,
    user_id: int,
    standing: IncidentAssignment | None,
    role: AssignmentRole | None,
    *,
    now: datetime,
) -> None:
    """The assignment is written in bulk, so the audit log has to be told."""
    after = {"user_id": user_id, "role": role or AssignmentRole.RESPONDER}
    if standing is None:
        await audit_log.note(session, "assignment.created", incident_id, after=after, now=now)
        return
    before = {"user_id": user_id, "role": standing.role}
    await audit_log.note(
        session, "assignment.updated", incident_id, before=before, after=after, about="user_id",
        now=now,
    )  # fmt: skip


async def comment(
    session: WriteSession, incident_id: int, content: str, *, actor: Actor, now: datetime
) -> IncidentComment:
    """Say something about an incident. Never waits for whoever is changing it."""
    if await crud_incident.get(session, incident_id) is None:
        raise NotFoundError("incident", incident_id)
    made = await crud_incident.add_comment(
        session,
        IncidentComment(
            incident_id=incident_id, user_id=actor.user_id, content=content, created_at=now
        ),
    )
    entry = crud_incident.entry(
        incident_id,
        TimelineType.COMMENTED,
        f"{actor.name} commented.",
        now=now,
        user_id=actor.user_id,
        comment_id=made.id,
    )
    await crud_incident.tell(session, [entry])
    return made
