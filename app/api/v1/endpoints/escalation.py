"""Escalation policies, what their steps came to, and what they would come to."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from app.api.deps import (
    Admin,
    KeyPath,
    Now,
    Paging,
    Reader,
    ReadSession,
    ServiceDep,
    WriteSession,
)
from app.api.errors import answers
from app.api.etags import CONDITIONAL, NOT_MODIFIED, Edited, IfMatch
from app.api.idempotency import Once, replays
from app.api.paging import InSpan, IsActive, PageQuery, paged, require_owner
from app.api.preflight_shown import holes
from app.api.rehearsing import rehearsed
from app.api.resource_route import ResourceRoute
from app.api.state import Service
from app.api.throttling import count
from app.core.errors import NotFoundError
from app.core.paging import BIGGEST_KEY
from app.crud import crud_escalation
from app.crud.crud_escalation import EventFilter, PolicyOrder
from app.db.session import ReadSession as Reading
from app.domain.escalation import EscalationEventStatus
from app.domain.incident import Opening
from app.models import EscalationEvent, EscalationPolicy
from app.schemas.base import PageRead
from app.schemas.escalation import EventRead, PolicyCreate, PolicyRead, PolicyUpdate
from app.schemas.simulation import EXAMPLE_SIMULATE, Simulate, SimulationRead
from app.services import policy as policy_service
from app.services import preflight_saved, simulation
from app.services.notification_preference import unconfigured
from app.services.simulation import Question, Rehearsal

router = APIRouter(prefix="/escalation", tags=["escalation"], route_class=ResourceRoute)

PolicyPaging = Annotated[PageQuery, Depends(paged(PolicyOrder, PolicyOrder.ID))]


async def _shown(session: Reading, policy_id: int) -> EscalationPolicy:
    policy = await crud_escalation.get_policy(session, policy_id)
    if policy is None:
        raise NotFoundError("policy", policy_id)
    return policy


EDITED = Edited(crud_escalation.lock_policy, _shown, PolicyRead)


@router.get("/policies", response_model=PageRead[PolicyRead], responses=answers(401, 422))
async def list_policies(
    session: ReadSession,
    paging: PolicyPaging,
    _: Reader,
    is_active: IsActive = None,
    team_id: Annotated[
        int | None, Query(ge=1, le=BIGGEST_KEY, description="Only what this team owns.")
    ] = None,
) -> dict[str, Any]:
    """List policies, in the order they were made."""
    return paging.shown(
        await crud_escalation.policy_page(
            session, paging.window, is_active=is_active, team_id=team_id
        )
    )


@router.post(
    "/policies",
    response_model=PolicyRead,
    status_code=201,
    responses=answers(401, 403, 409, 413, 422) | replays(PolicyRead),
)
async def create_policy(
    service: ServiceDep,
    session: WriteSession,
    body: PolicyCreate,
    now: Now,
    _: Admin,
    once: Once,
) -> PolicyRead:
    """Make a policy. It is checked whole; `details.errors` names the path of each fault.

    What would let its pages reach nobody, and is no fault of its own, is told in `findings`.
    """
    saved = await policy_service.create(
        session, body.model_dump(mode="json", exclude_none=True), service.objection, now=now
    )
    return await _checked(service, session, saved, now)


@router.get(
    "/policies/{policy_id}",
    response_model=PolicyRead,
    responses=answers(401, 404, 422) | NOT_MODIFIED,
    dependencies=CONDITIONAL,
)
async def read_policy(session: ReadSession, policy_id: KeyPath, _: Reader) -> EscalationPolicy:
    """Read one policy."""
    return await _shown(session, policy_id)


@router.patch(
    "/policies/{policy_id}",
    response_model=PolicyRead,
    responses=answers(401, 403, 404, 409, 412, 413, 422),
)
async def update_policy(
    service: ServiceDep,
    session: WriteSession,
    policy_id: KeyPath,
    body: PolicyUpdate,
    now: Now,
    _: Admin,
    expected: IfMatch,
) -> PolicyRead:
    """Change the named fields. What it started already keeps the steps it began with."""
    await expected.hold(EDITED, session, policy_id)
    fields = body.model_dump(mode="json", exclude_unset=True)
    if body.steps is not None:
        fields["steps"] = [step.model_dump(mode="json", exclude_none=True) for step in body.steps]
    saved = await policy_service.update(session, policy_id, fields, service.objection, now=now)
    return await _checked(service, session, saved, now)


@router.delete(
    "/policies/{policy_id}", status_code=204, responses=answers(401, 403, 404, 409, 412, 422)
)
async def delete_policy(
    session: WriteSession, policy_id: KeyPath, _: Admin, expected: IfMatch
) -> Response:
    """Delete a policy that no service has pinned. What it started goes on, its history stays."""
    await expected.hold(EDITED, session, policy_id)
    await policy_service.remove(session, policy_id)
    return Response(status_code=204)


@router.post(
    "/simulate",
    response_model=SimulationRead,
    responses=answers(401, 404, 409, 413, 422, 429),
    openapi_extra={"requestBody": {"content": {"application/json": {"example": EXAMPLE_SIMULATE}}}},
)
async def simulate_escalation(service: ServiceDep, body: Simulate, user: Reader) -> Rehearsal:
    """Show who would be paged, when, and what is doubtful about it. Nothing is sent or kept.

    The list comes from the code that pages, run with another clock: conditions, steps, targets,
    people's rules and switches, quiet hours, repeats, the fallback.
    """
    await count(service, [(simulation.PER_USER, str(user.id))])
    return await rehearsed(service, _question(body))


async def _checked(
    service: Service, session: Reading, saved: EscalationPolicy, now: datetime
) -> PolicyRead:
    silent = unconfigured(service.channel_states())
    found = await preflight_saved.of_policy(session, saved.id, silent, now=now)
    return PolicyRead.model_validate(saved).model_copy(update={"findings": holes(found)})


def _question(body: Simulate) -> Question:
    opening = None
    if body.incident is not None:
        fields = body.incident.model_dump(exclude={"assignees"})
        opening = Opening(**fields, story="A rehearsal.")
    return Question(
        opening,
        body.incident.assignees if body.incident is not None else (),
        body.incident_id,
        body.policy.model_dump(mode="json", exclude_none=True) if body.policy else None,
        body.at,
        _span(body.until_minutes),
        _span(body.acknowledged_after_minutes),
    )


def _span(minutes: float | None) -> timedelta | None:
    return None if minutes is None else timedelta(minutes=minutes)


@router.get("/events", response_model=PageRead[EventRead], responses=answers(401, 422))
async def list_escalation_events(
    session: ReadSession,
    paging: Paging,
    _: Reader,
    taken: InSpan,
    incident_id: Annotated[int | None, Query(ge=1, le=BIGGEST_KEY)] = None,
    policy_id: Annotated[int | None, Query(ge=1, le=BIGGEST_KEY)] = None,
    status: Annotated[list[EscalationEventStatus], Query(description="Any of these.")] = [],  # noqa: B006
) -> dict[str, Any]:
    """List what steps came to, newest first; by when they were taken of one incident or policy."""
    require_owner(taken, incident_id=incident_id, policy_id=policy_id)
    where = EventFilter(incident_id, policy_id, status, taken)
    found = await crud_escalation.event_page(session, where, paging.window)
    return paging.shown(found) | {"items": await _named(session, found.items)}


@router.get("/events/{event_id}", response_model=EventRead, responses=answers(401, 404, 422))
async def read_escalation_event(session: ReadSession, event_id: KeyPath, _: Reader) -> EventRead:
    """Read what one step came to: when it was due and taken, whom it paged, whom not and why."""
    event = await crud_escalation.get_event(session, event_id)
    if event is None:
        raise NotFoundError("escalation event", event_id)
    return (await _named(session, [event]))[0]


async def _named(session: ReadSession, events: Collection[EscalationEvent]) -> list[EventRead]:
    names = await crud_escalation.policy_names(session, {one.escalation_id for one in events})
    return [
        EventRead.model_validate(one).model_copy(update={"policy_name": names[one.escalation_id]})
        for one in events
    ]
