"""Escalation policies."""

from typing import Any

from fastapi import APIRouter, Response

from app.api.bounds import BoundedRoute
from app.api.deps import Admin, KeyPath, Now, Paging, Reader, ReadSession, WriteSession
from app.api.errors import answers
from app.core.errors import NotFoundError
from app.crud import crud_escalation
from app.models import EscalationPolicy
from app.schemas.base import PageRead
from app.schemas.escalation import PolicyCreate, PolicyRead, PolicyUpdate
from app.services import policy as policy_service

router = APIRouter(prefix="/escalation/policies", tags=["escalation"], route_class=BoundedRoute)


@router.get("", response_model=PageRead[PolicyRead], responses=answers(401, 422))
async def list_policies(session: ReadSession, paging: Paging, _: Reader) -> dict[str, Any]:
    """List policies, in the order they were made."""
    return paging.shown(await crud_escalation.policy_page(session, paging.window))


@router.post(
    "", response_model=PolicyRead, status_code=201, responses=answers(401, 403, 409, 413, 422)
)
async def create_policy(
    session: WriteSession, body: PolicyCreate, now: Now, _: Admin
) -> EscalationPolicy:
    """Make a policy. It is checked whole; `details.errors` names the path of each fault."""
    return await policy_service.create(
        session, body.model_dump(mode="json", exclude_none=True), now=now
    )


@router.get("/{policy_id}", response_model=PolicyRead, responses=answers(401, 404, 422))
async def read_policy(session: ReadSession, policy_id: KeyPath, _: Reader) -> EscalationPolicy:
    """Read one policy."""
    policy = await crud_escalation.get_policy(session, policy_id)
    if policy is None:
        raise NotFoundError("policy", policy_id)
    return policy


@router.patch(
    "/{policy_id}", response_model=PolicyRead, responses=answers(401, 403, 404, 409, 413, 422)
)
async def update_policy(
    session: WriteSession, policy_id: KeyPath, body: PolicyUpdate, now: Now, _: Admin
) -> EscalationPolicy:
    """Change the named fields. What it started already keeps the steps it began with."""
    fields = body.model_dump(mode="json", exclude_unset=True)
    if body.steps is not None:
        fields["steps"] = [step.model_dump(mode="json", exclude_none=True) for step in body.steps]
    return await policy_service.update(session, policy_id, fields, now=now)


@router.delete("/{policy_id}", status_code=204, responses=answers(401, 403, 404, 422))
async def delete_policy(session: WriteSession, policy_id: KeyPath, _: Admin) -> Response:
    """Delete a policy. What it started goes on, and its history stays."""
    await policy_service.remove(session, policy_id)
    return Response(status_code=204)
