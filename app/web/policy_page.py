"""The form in which a policy is written, drawn: its faults, the JSON, and what it would do."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse

from app.api.state import Service
from app.domain.incident import Severity
from app.domain.notification import Channel
from app.models import EscalationPolicy
from app.web import choices, condition_form, listing, policy_form, rota_form
from app.web.deps import Visitor
from app.web.templating import render
from app.web.tree_form import Tree

CHANGED_MEANWHILE = (
    "Somebody changed the policy while you wrote. Open it in another tab, and put what you wrote"
    " into what it says now."
)
CHANNELS = {
    Channel.EMAIL: "Mail",
    Channel.SMS: "SMS",
    Channel.PUSH: "Push",
    Channel.CHAT: "Chat",
    Channel.WEBHOOK: "Webhook",
}
Saving = Callable[[dict[str, Any]], Awaitable[str]]  # saves a document, and says where to go
STATUSES = (("acknowledged", "Acknowledged"), ("resolved", "Resolved"))


@dataclass(frozen=True)
class Writing:
    """A draft, of which policy, and what is to be said about it; with `text`, shown as JSON."""

    draft: Tree
    policy: EscalationPolicy | None = None
    errors: Mapping[str, str] = field(default_factory=dict)
    text: str | None = None
    revision: str = ""
    told: Mapping[str, Any] | None = None  # a rehearsal

    def of(self, draft: Tree, **more: Any) -> "Writing":
        return replace(self, draft=draft, **more)

    @property
    def address(self) -> str:
        return "/policies/new" if self.policy is None else f"/policies/{self.policy.id}"


def as_text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)


def _fault(errors: Mapping[str, str], place: str) -> str | None:
    """What is wrong at a place of the document, or within it."""
    within = (f"{place}.", f"{place}[")
    found = (words for path, words in errors.items() if path == place or path.startswith(within))
    words = next(found, None)
    return None if words is None else words[:1].upper() + words[1:]


def _typed(nested: Any) -> str | None:
    return nested if nested is None or isinstance(nested, str) else as_text(nested)


async def draw(
    request: Request,
    visitor: Visitor,
    service: Service,
    writing: Writing,
    *,
    block: str | None = None,
) -> HTMLResponse:
    """The page of the form, or the block of it that is asked for."""
    async with service.database.reading() as session:
        offered = await choices.offered(session, now=visitor.now)
    people = listing.people(offered.users)[1:]
    teams = [(str(one.id), one.name) for one in offered.teams]
    schedules = [(str(one.id), one.name) for one in offered.schedules]
    groups = policy_form.targets(people, schedules, teams)
    return render(
        request,
        visitor,
        "policies/edit.html",
        block=block,
        status=422 if writing.errors else 200,
        writing=writing,
        policy=writing.policy,
        draft=writing.draft,
        errors=writing.errors,
        shown={place for place in writing.errors if place},
        row_errors=policy_form.condition_faults(writing.draft, writing.errors),
        nested=_typed(writing.draft.get("nested")),
        told=writing.told,
        fault=partial(_fault, writing.errors),
        targets=groups,
        known=policy_form.known(groups),
        people=people,
        teams=[("", "No team"), *teams],
        services=[one.name for one in offered.services],
        keys=condition_form.KEYS,
        operators=condition_form.OPERATORS,
        types=policy_form.TYPES,
        channels=[(str(channel), words) for channel, words in CHANNELS.items()],
        severities=list(Severity),
        statuses=STATUSES,
        days=rota_form.DAYS,
    )
