"""Making and changing escalation policies. A policy is checked whole before it is saved."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from app.core.errors import ConflictError, InvalidInputError, NotFoundError
from app.crud import crud_escalation, crud_service
from app.db.session import WriteSession
from app.domain import conditions
from app.domain.conditions import Fault
from app.models import EscalationPolicy
from app.services import policy_target
from app.services import team as team_service
from app.services.target import Objection

MOST_NAMED = 10


class InvalidPolicyError(InvalidInputError):
    """Something in the policy cannot work; `details.errors` names each place."""

    code = "INVALID_POLICY"


class PolicyNameTakenError(ConflictError):
    """Another policy has this name."""

    code = "POLICY_NAME_TAKEN"


class PolicyPinnedError(ConflictError):
    """A service has pinned it, and would have no policy."""

    code = "POLICY_PINNED"


async def create(
    session: WriteSession, fields: Mapping[str, Any], objection: Objection, *, now: datetime
) -> EscalationPolicy:
    await _check(session, fields, objection)
    if await crud_escalation.policy_by_name(session, fields["name"]) is not None:
        raise PolicyNameTakenError("There is a policy with this name already.", field="name")
    policy = EscalationPolicy(**fields, created_at=now, updated_at=now)
    return await crud_escalation.add_policy(session, policy)


async def update(
    session: WriteSession,
    policy_id: int,
    fields: Mapping[str, Any],
    objection: Objection,
    *,
    now: datetime,
) -> EscalationPolicy:
    """Write the named fields. Escalations that run already keep the steps they began with."""
    await _check(session, fields, objection)
    policy = await _held(session, policy_id)
    if "name" in fields:
        other = await crud_escalation.policy_by_name(session, fields["name"])
        if other is not None and other.id != policy_id:
            raise PolicyNameTakenError("There is a policy with this name already.", field="name")
    policy.revise(fields, now=now)
    return policy


async def remove(session: WriteSession, policy_id: int) -> None:
    """Delete a policy that no service has pinned. What it started goes on, its history stays."""
    policy = await _held(session, policy_id)
    pinning = await crud_service.pinning(session, policy_id, most=MOST_NAMED)
    if pinning:
        raise PolicyPinnedError(
            f"Services have pinned this policy: {', '.join(pinning)}. Give them another one first.",
            services=pinning,
        )
    await crud_escalation.delete_policy(session, policy)


async def _held(session: WriteSession, policy_id: int) -> EscalationPolicy:
    policy = await crud_escalation.lock_policy(session, policy_id)
    if policy is None:
        raise NotFoundError("policy", policy_id)
    return policy


async def _check(session: WriteSession, fields: Mapping[str, Any], objection: Objection) -> None:
    steps = fields.get("steps", ())
    found = conditions.faults(fields.get("conditions", {}))
    found += await policy_target.faults(session, steps)
    found += _uncallable(steps, objection)
    owner = fields.get("team_id")
    if owner is not None and not await team_service.share(session, owner):
        found.append(Fault("team_id", f"names team {owner}, which does not exist"))
    if found:
        raise InvalidPolicyError(
            f"The policy cannot be saved: {found[0].path} {found[0].message}.",
            errors=[{"path": fault.path, "message": fault.message} for fault in found],
        )


def _uncallable(steps: Sequence[Mapping[str, Any]], objection: Objection) -> Iterator[Fault]:
    """The addresses that steps would call in vain: whoever saves them still looks."""
    for s, step in enumerate(steps):
        for a, action in enumerate(step["actions"]):
            why = objection(action["url"]) if action["type"] == "webhook" else None
            if why is not None:
                told = f"leads nowhere: {why.removesuffix('.')}"
                yield Fault(f"steps[{s}].actions[{a}].url", told)
