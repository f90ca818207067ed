"""One's own rules: over what one is paged after how long, what is switched off, and what that
means for an incident that opens now."""

from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from app.api.bounds import BoundedRoute
from app.api.deps import ServiceDep
from app.api.state import Service
from app.crud import crud_user
from app.db.session import transaction_time
from app.domain.incident import Severity, Urgency
from app.domain.notification import Channel, Page, Recipient, Skipped, fan_out
from app.models import NotificationRule
from app.schemas.notification_preference import PreferencesWrite, RulesWrite
from app.services import contact_method as contact_method_service
from app.services import notification_preference as notification_preference_service
from app.web import asked, flash, forms, incident_form
from app.web.asked import REFUSED
from app.web.deps import Visitor, VisitorDep
from app.web.incident_form import Typed
from app.web.templating import render

router = APIRouter(prefix="/profile/rules", include_in_schema=False, route_class=BoundedRoute)

PLACE = "/profile/rules"
SPARE = 2  # empty rows that the form has besides the rules there are
FIELDS = ("contact_method_id", "delay_minutes", "min_severity", "urgency")
CLOCKS = ("quiet_from", "quiet_until")


@dataclass(frozen=True)
class Course:
    """What an incident of a severity that opens now would do to somebody."""

    severity: Severity
    urgency: Urgency
    pages: list[Page]
    skipped: list[Skipped]


@router.get("")
async def show(request: Request, visitor: VisitorDep, service: ServiceDep) -> HTMLResponse:
    return await _page(request, visitor, service)


@router.post("")
async def replace(request: Request, visitor: VisitorDep, service: ServiceDep) -> Response:
    given = await incident_form.typed(request)
    try:
        body = incident_form.shaped(RulesWrite, {"items": _items(given)}, given)
        wanted = [rule.model_dump() for rule in body.items]
        async with service.database.writing() as session:
            now = await transaction_time(session)
            await notification_preference_service.replace_rules(
                session, visitor.user.id, wanted, now=now
            )
    except REFUSED as fault:
        return await _page(request, visitor, service, given, asked.told(fault))
    return flash.back(request, PLACE, "You are paged by these rules from now on.")


@router.post("/channels")
async def switch(request: Request, visitor: VisitorDep, service: ServiceDep) -> Response:
    body = await forms.read(request, PreferencesWrite)
    async with service.database.writing() as session:
        now = await transaction_time(session)
        await notification_preference_service.switch(
            session, visitor.user.id, body.wanted(), now=now
        )
    return flash.back(request, PLACE, "Your changes are saved.")


def course_of(recipient: Recipient, *, now: datetime) -> list[Course]:
    """Each severity with each urgency that this person's rules tell apart."""
    told_apart = any(rule.urgency is not None for rule in recipient.rules)
    found = []
    for severity in Severity:
        urgent = (Urgency.HIGH,) if not told_apart or severity is Severity.CRITICAL else Urgency
        for urgency in urgent:
            pages, skipped = fan_out(
                recipient, channels=tuple(Channel), severity=severity, due_at=now, urgency=urgency
            )
            pages.sort(key=lambda page: page.due_at)
            found.append(Course(severity, urgency, pages, skipped))
    return found


def _items(given: Typed) -> list[dict[str, Any]]:
    """The rows that name an address, in their order."""
    rows = []
    for at in range(50):
        method = asked.number(given.get(f"items[{at}].contact_method_id"))
        if method is None:
            continue
        row: dict[str, Any] = {"contact_method_id": method}
        delay = given.get(f"items[{at}].delay_minutes", "").strip() or "0"
        row["delay_minutes"] = _minutes(delay)
        for name in ("min_severity", "urgency", *CLOCKS):
            row[name] = given.get(f"items[{at}].{name}") or None
        rows.append(row)
    return rows


def _minutes(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _given(rules: list[NotificationRule]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for at, rule in enumerate(rules):
        for name in FIELDS:
            value = getattr(rule, name)
            given[f"items[{at}].{name}"] = "" if value is None else value
        delay = given[f"items[{at}].delay_minutes"]
        given[f"items[{at}].delay_minutes"] = f"{delay:g}"
        for name in CLOCKS:
            clock: time | None = getattr(rule, name)
            given[f"items[{at}].{name}"] = "" if clock is None else f"{clock:%H:%M}"
    return given


async def _page(
    request: Request,
    visitor: Visitor,
    service: Service,
    given: dict[str, Any] | None = None,
    errors: dict[str, str] | None = None,
) -> HTMLResponse:
    user_id = visitor.user.id
    async with service.database.reading() as session:
        methods = await contact_method_service.methods(session, user_id)
        rules = await notification_preference_service.rules(
            session, user_id, service.channel_states()
        )
        switches = await notification_preference_service.switches(session, user_id)
        recipient = (await crud_user.recipients(session, [user_id])).get(user_id)
    shown = given if given is not None else _given(list(rules.items))
    filled = sum(name.endswith("].contact_method_id") and bool(shown[name]) for name in shown)
    names = {one.id: one.label or one.address for one in methods}
    return render(
        request,
        visitor,
        "profile/rules.html",
        status=422 if errors else 200,
        given=shown,
        rows=filled + SPARE,
        methods=[(str(one.id), f"{names[one.id]} ({one.channel})") for one in methods],
        names=names,
        warnings=rules.warnings,
        switches=switches,
        course=course_of(recipient, now=visitor.now) if recipient else [],
        errors=errors or {},
    )
