"""Declare, list, read, answer, escalate, assign, comment, delete."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Response

from app.api.deps import (
    Admin,
    KeyPath,
    Now,
    Paging,
    Reader,
    ReadSession,
    Responder,
    ServiceDep,
    WriteSession,
    acting,
)
from app.api.errors import answers
from app.api.etags import CONDITIONAL, NOT_MODIFIED, Edited, IfMatch
from app.api.idempotency import Once, replays
from app.api.incident_query import IncidentPaging, WantedIncidents
from app.api.paging import InSpan
from app.api.resource_route import ResourceRoute
from app.core.errors import NotFoundError
from app.crud import (
    crud_escalation,
    crud_incident,
    crud_incident_list,
    crud_incident_shown,
    crud_notification,
    crud_notification_story,
)
from app.db.session import transaction_time
from app.domain.incident import IncidentStatus
from app.models import Escalation, Incident, IncidentComment
from app.schemas.base import PageRead
from app.schemas.escalation import (
    Escalate,
    EscalationRead,
    IncidentEscalationRead,
    PolicyStart,
)
from app.schemas.incident import (
    EXAMPLE_INCIDENT,
    AssignmentCreate,
    CommentCreate,
    CommentRead,
    IncidentCreate,
    IncidentRead,
    IncidentUpdate,
    Resolve,
    Snooze,
    TimelineEventRead,
)
from app.schemas.notification import IncidentNotificationsRead
from app.services import (
    escalation_by_hand,
    incident_deletion,
    incident_people,
    incident_template,
    notification_story,
    public_incident,
)
from app.services import incident as incident_service

router = APIRouter(prefix="/incidents", tags=["incidents"], route_class=ResourceRoute)

READ = answers(401, 404, 422)
ACT = answers(400, 401, 403, 404, 422)
WRITE = answers(400, 401, 403, 404, 409, 413, 422)


async def _shown(session: ReadSession, incident_id: int) -> Incident:
    incident = await crud_incident.get(session, incident_id)
    if incident is None:
        raise NotFoundError("incident", incident_id)
    return incident


EDITED = Edited(crud_incident.lock, _shown, IncidentRead)


@router.get("", response_model=PageRead[IncidentRead], responses=answers(401, 403, 422))
async def list_incidents(
    service: ServiceDep, where: WantedIncidents, paging: IncidentPaging, _: Reader
) -> Response:
    """List incidents, newest first unless `sort_by` or `sort_order` says otherwise.

    A filter that is given more than once means any of; different ones must all hold. What a
    `search` finds comes by relevance, what is narrowed to a time by that time.
    """
    return paging.written(
        await crud_incident_list.list_page(service.database, where, paging.window)
    )


@router.post(
    "",
    response_model=IncidentRead,
    status_code=201,
    responses=answers(401, 403, 404, 409, 413, 422) | replays(IncidentRead),
)
async def declare_incident(
    session: WriteSession,
    body: Annotated[IncidentCreate, Body(examples=[EXAMPLE_INCIDENT])],
    now: Now,
    user: Responder,
    _: Once,
) -> Incident:
    """Declare an incident. Every active policy that matches begins to page; none, the fallback."""
    said = body.model_dump(exclude_unset=True)
    incident = await incident_template.declare(session, said, actor=acting(user), now=now)
    return await _shown(session, incident.id)


@router.get(
    "/{incident_id}",
    response_model=IncidentRead,
    responses=READ | NOT_MODIFIED,
    dependencies=CONDITIONAL,
)
async def read_incident(session: ReadSession, incident_id: KeyPath, _: Reader) -> dict[str, Any]:
    """Read one incident."""
    found = await crud_incident_shown.read(session, incident_id)
    if found is None:
        raise NotFoundError("incident", incident_id)
    return found


@router.patch("/{incident_id}", response_model=IncidentRead, responses=WRITE | answers(412))
async def update_incident(
    session: WriteSession,
    incident_id: KeyPath,
    body: IncidentUpdate,
    now: Now,
    user: Responder,
    expected: IfMatch,
) -> Incident:
    """Change the named fields. A new severity or service picks its policies anew."""
    await expected.hold(EDITED, session, incident_id)
    fields = body.model_dump(exclude_unset=True, exclude={"status"})
    changes = incident_service.Changes(fields, body.status)
    await incident_service.edit(session, incident_id, changes, actor=acting(user), now=now)
    return await _shown(session, incident_id)


@router.delete("/{incident_id}", status_code=204, responses=answers(401, 403, 404, 412, 422))
async def delete_incident(
    session: WriteSession,
    incident_id: KeyPath,
    now: Now,
    user: Admin,
    expected: IfMatch,
    confirm: Annotated[str | None, Query(description="The incident's number once more.")] = None,
) -> Response:
    """Delete an incident: it is resolved first, then nobody finds it. An admin can restore it."""
    await expected.hold(EDITED, session, incident_id)
    await incident_deletion.delete(
        session, incident_id, confirmation=confirm, actor=acting(user), now=now
    )
    return Response(status_code=204)


@router.post(
    "/{incident_id}/restore", response_model=IncidentRead, responses=answers(401, 403, 404, 422)
)
async def restore_incident(
    session: WriteSession, incident_id: KeyPath, now: Now, user: Admin
) -> Incident:
    """Bring a deleted incident back, resolved; one that is not deleted stays as it is."""
    await incident_deletion.restore(session, incident_id, actor=acting(user), now=now)
    return await _shown(session, incident_id)


@router.post("/{incident_id}/acknowledge", response_model=IncidentRead, responses=ACT)
async def acknowledge_incident(
    session: WriteSession, incident_id: KeyPath, now: Now, user: Responder
) -> Incident:
    """Take an open incident: paging stops, it is yours. The second to do so changes nothing."""
    await incident_service.change_status(
        session, incident_id, IncidentStatus.ACKNOWLEDGED, actor=acting(user), now=now
    )
    return await _shown(session, incident_id)


@router.post(
    "/{incident_id}/resolve", response_model=IncidentRead, responses=ACT | answers(409, 413)
)
async def resolve_incident(
    session: WriteSession,
    incident_id: KeyPath,
    now: Now,
    user: Responder,
    body: Resolve = Resolve(public_update=None),  # noqa: B008  # nobody changes it
) -> Incident:
    """It is over: everything that still waits to be sent is cancelled.

    Of a published incident the public may be told in the same act; who does not is reminded.
    """
    if body.public_update is not None:
        told = body.public_update
        await public_incident.resolve(
            session, incident_id, told.body, notifies=told.notifies, actor=acting(user), now=now
        )
    await incident_service.change_status(
        session, incident_id, IncidentStatus.RESOLVED, actor=acting(user), now=now
    )
    return await _shown(session, incident_id)


@router.post(
    "/{incident_id}/reopen",
    response_model=IncidentRead,
    responses=answers(400, 401, 403, 404, 409, 422),
)
async def reopen_incident(
    session: WriteSession, incident_id: KeyPath, now: Now, user: Responder
) -> Incident:
    """It is not over after all: policies start from their first step."""
    await incident_service.reopen(session, incident_id, actor=acting(user), now=now)
    return await _shown(session, incident_id)


@router.post("/{incident_id}/snooze", response_model=IncidentRead, responses=WRITE)
async def snooze_incident(
    session: WriteSession, incident_id: KeyPath, body: Snooze, now: Now, user: Responder
) -> Incident:
    """Pause paging until then; it goes on where it stood.

    An incident that is acknowledged opens again at that time and pages anew.
    """
    until = body.until or now + timedelta(minutes=body.minutes or 0)
    await incident_service.snooze(session, incident_id, until, actor=acting(user), now=now)
    return await _shown(session, incident_id)


@router.delete("/{incident_id}/snooze", response_model=IncidentRead, responses=ACT)
async def end_snooze(
    session: WriteSession, incident_id: KeyPath, now: Now, user: Responder
) -> Incident:
    """Let paging go on now."""
    await incident_service.end_snooze(session, incident_id, actor=acting(user), now=now)
    return await _shown(session, incident_id)


@router.post("/{incident_id}/assignments", response_model=IncidentRead, responses=WRITE)
async def assign_incident(
    session: WriteSession, incident_id: KeyPath, body: AssignmentCreate, now: Now, user: Responder
) -> Incident:
    """Give the incident to somebody, or another role to somebody who has it."""
    await incident_people.assign(
        session, incident_id, body.user_id, body.role, actor=acting(user), now=now
    )
    return await _shown(session, incident_id)


@router.delete("/{incident_id}/assignments/{user_id}", response_model=IncidentRead, responses=ACT)
async def unassign_incident(
    session: WriteSession, incident_id: KeyPath, user_id: KeyPath, now: Now, user: Responder
) -> Incident:
    """Take the incident off somebody's hands."""
    await incident_people.unassign(session, incident_id, user_id, actor=acting(user), now=now)
    return await _shown(session, incident_id)


@router.get("/{incident_id}/comments", response_model=PageRead[CommentRead], responses=READ)
async def list_comments(
    session: ReadSession, incident_id: KeyPath, paging: Paging, _: Reader
) -> dict[str, Any]:
    """What people said, oldest first."""
    await _shown(session, incident_id)
    return paging.shown(await crud_incident.comment_page(session, incident_id, paging.window))


@router.post(
    "/{incident_id}/comments",
    response_model=CommentRead,
    status_code=201,
    responses=answers(401, 403, 404, 409, 413, 422) | replays(CommentRead),
)
async def comment_on_incident(
    session: WriteSession,
    incident_id: KeyPath,
    body: CommentCreate,
    now: Now,
    user: Responder,
    _: Once,
) -> IncidentComment:
    """Say something about the incident."""
    return await incident_people.comment(
        session, incident_id, body.content, actor=acting(user), now=now
    )


@router.get("/{incident_id}/timeline", response_model=PageRead[TimelineEventRead], responses=READ)
async def read_timeline(
    session: ReadSession, incident_id: KeyPath, paging: Paging, _: Reader, happened: InSpan
) -> dict[str, Any]:
    """Everything that happened, who did it and why, oldest first."""
    await _shown(session, incident_id)
    return paging.shown(
        await crud_incident.timeline_page(session, incident_id, happened, paging.window)
    )


@router.get("/{incident_id}/escalation", response_model=IncidentEscalationRead, responses=READ)
async def read_escalation(session: ReadSession, incident_id: KeyPath, _: Reader) -> dict[str, Any]:
    """Where the incident's policies stand, what is next and when, and what each step came to."""
    await _shown(session, incident_id)
    escalations = await crud_escalation.of_incident(session, incident_id)
    to_come = [run.next_step_at for run in escalations if run.next_step_at is not None]
    return {
        "next_step_at": min(to_come, default=None),
        "escalations": escalations,
        "events": await crud_escalation.events_of(session, incident_id),
    }


@router.post(
    "/{incident_id}/escalate",
    response_model=IncidentRead,
    responses=WRITE | replays(IncidentRead),
)
async def escalate_incident(
    session: WriteSession,
    incident_id: KeyPath,
    now: Now,
    user: Responder,
    _: Once,
    body: Escalate = Escalate(escalation_id=None, to=None),  # noqa: B008  # nobody changes it
) -> Incident:
    """Call for more people: what comes next of every policy at work, or of one, comes now; or
    page whoever is on call somewhere, a team or a person.

    An acknowledged incident opens again and a snooze ends. With nothing at work the fallback
    pages.
    """
    if body.to is not None:
        to = body.model_dump(mode="json", exclude_none=True)["to"]
        await escalation_by_hand.call(session, incident_id, to, actor=acting(user), now=now)
    else:
        await escalation_by_hand.escalate(
            session, incident_id, body.escalation_id, actor=acting(user), now=now
        )
    return await _shown(session, incident_id)


@router.post(
    "/{incident_id}/escalations",
    response_model=EscalationRead,
    status_code=201,
    responses=answers(401, 403, 404, 409, 413, 422) | replays(EscalationRead),
)
async def start_escalation(
    session: WriteSession,
    incident_id: KeyPath,
    body: PolicyStart,
    now: Now,
    user: Responder,
    _: Once,
) -> Escalation:
    """Put a policy to work on the incident from its first step, whatever its conditions say."""
    return await escalation_by_hand.start(
        session, incident_id, body.policy_id, actor=acting(user), now=now
    )


@router.post(
    "/{incident_id}/escalations/{escalation_id}/cancel",
    response_model=EscalationRead,
    responses=answers(401, 403, 404, 422),
)
async def cancel_escalation(
    session: WriteSession, incident_id: KeyPath, escalation_id: KeyPath, now: Now, user: Responder
) -> Escalation:
    """Stop one policy on the incident; what it still had to send is cancelled."""
    return await escalation_by_hand.cancel(
        session, incident_id, escalation_id, actor=acting(user), now=now
    )


@router.get(
    "/{incident_id}/notifications", response_model=IncidentNotificationsRead, responses=READ
)
async def list_notifications(
    session: ReadSession, incident_id: KeyPath, paging: Paging, _: Reader
) -> dict[str, Any]:
    """Every page promised for the incident, why and how it went, in the order of the promises;
    and whom its steps did not page, and why not."""
    await _shown(session, incident_id)
    found = await crud_notification.page_of_incident(session, incident_id, paging.window)
    now = await transaction_time(session)
    return paging.shown(found) | {
        "items": await notification_story.told(session, found.items, now=now),
        "not_paged": await crud_notification_story.not_paged(session, incident_id),
    }
