"""The catalogue of services at the console: who owns each, how it pages, and how it stands."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from app.api.bounds import BoundedRoute
from app.api.deps import KeyPath, ServiceDep
from app.api.state import Service as Running
from app.crud import crud_escalation, crud_maintenance_window, crud_service
from app.crud.base import Window
from app.crud.crud_escalation import PolicyOrder
from app.crud.crud_maintenance_window import WindowFilter, WindowOrder
from app.crud.crud_service import ServiceFilter, ServiceOrder
from app.db.session import ReadSession, transaction_time
from app.domain.incident import Severity
from app.domain.maintenance_window import WindowStatus
from app.models import Service
from app.schemas.service import ServiceCreate, ServiceUpdate
from app.services import on_call as on_call_service
from app.services import service as service_service
from app.web import asked, choices, flash, incident_form, listing, meanwhile
from app.web.asked import REFUSED
from app.web.deps import RespondingDep, Visitor, VisitorDep
from app.web.incident_form import Typed
from app.web.templating import render

router = APIRouter(prefix="/services", include_in_schema=False, route_class=BoundedRoute)

PLACE = "/services"
TEXTS = ("name", "description")
KEYS = ("team_id", "policy_id", "schedule_id")
HOURS = 6  # rows of support hours that a form has
WAITING = (WindowStatus.RUNNING, WindowStatus.SCHEDULED)
FEW = 20


@router.get("")
async def show_list(
    request: Request, visitor: VisitorDep, service: ServiceDep, q: str = "", team: str = ""
) -> HTMLResponse:
    where = ServiceFilter(search=asked.search(q), team_id=asked.number(team))
    window = Window(listing.PER_PAGE, listing.page_of(request), order=ServiceOrder.NAME)
    async with service.database.reading() as session:
        found = await crud_service.list_page(session, where, window)
        offered = await choices.offered(session, now=visitor.now)
        policies = await _policies(session)
        unknown, _ = await service_service.uncatalogued(session, now=visitor.now)
        names = [one.name for one in found.items]
        unresolved = await crud_service.unresolved_of_each(session, names)
        used = {one.schedule_id for one in found.items}
        schedules = [one for one in offered.schedules if one.id in used]
        duties = await on_call_service.duties(session, schedules, now=visitor.now)
    return render(
        request,
        visitor,
        "services/list.html",
        found=listing.shown(found, window.page),
        q=where.search or "",
        team=str(where.team_id or ""),
        teams=asked.offers(offered.teams, where.team_id, "Every team"),
        team_names=asked.names(offered.teams),
        schedule_names=asked.names(offered.schedules),
        policy_names=dict(policies),
        unknown=unknown,
        unresolved=unresolved,
        duties={duty.schedule_id: duty for duty in duties},
    )


@router.get("/new")
async def show_new(
    request: Request, visitor: RespondingDep, service: ServiceDep, name: str = ""
) -> Response:
    given = {"name": name[:100], **{f"urgency.{one}": "high" for one in Severity}}
    return await _form(request, visitor, service, None, given, {})


@router.post("/new")
async def create(request: Request, visitor: RespondingDep, service: ServiceDep) -> Response:
    given = await incident_form.typed(request)
    try:
        body = incident_form.shaped(ServiceCreate, _body(given), given)
        async with service.database.writing() as session:
            now = await transaction_time(session)
            fields = body.model_dump(mode="json")
            made = await service_service.create(session, fields, by=visitor.user, now=now)
    except REFUSED as fault:
        return await _form(request, visitor, service, None, given, asked.told(fault))
    return flash.back(request, f"{PLACE}/{made.id}", f"“{made.name}” is in the catalogue.")


@router.get("/{service_id}")
async def show(
    request: Request, visitor: VisitorDep, service: ServiceDep, service_id: KeyPath
) -> HTMLResponse:
    async with service.database.reading() as session:
        shown = await service_service.require(session, service_id)
        standing = await service_service.standing(session, shown, now=visitor.now)
        duty = await service_service.on_call(session, service_id, at=visitor.now, now=visitor.now)
        offered = await choices.offered(session, now=visitor.now)
        policies = await _policies(session)
        may_edit = await asked.leads(session, visitor, shown.team_id)
        where = WindowFilter(WAITING, service_id)
        window = Window(FEW, order=WindowOrder.STARTS_AT)
        planned = await crud_maintenance_window.list_page(session, where, window, now=visitor.now)
    return render(
        request,
        visitor,
        "services/show.html",
        shown=shown,
        standing=standing,
        duty=duty,
        team_names=asked.names(offered.teams),
        schedule_names=asked.names(offered.schedules),
        policy_names=dict(policies),
        may_edit=may_edit,
        windows=[one.seen_at(visitor.now) for one in planned.items],
    )


@router.get("/{service_id}/edit")
async def show_edit(
    request: Request, visitor: RespondingDep, service: ServiceDep, service_id: KeyPath
) -> Response:
    async with service.database.reading() as session:
        shown = await service_service.require(session, service_id)
    given = _given(shown) | meanwhile.seen(shown)
    return await _form(request, visitor, service, shown, given, {})


@router.post("/{service_id}/edit")
async def edit(
    request: Request, visitor: RespondingDep, service: ServiceDep, service_id: KeyPath
) -> Response:
    given = await incident_form.typed(request)
    async with service.database.reading() as session:
        shown = await service_service.require(session, service_id)
    try:
        body = incident_form.shaped(ServiceUpdate, _body(given), given)
        fields = body.model_dump(mode="json", exclude_unset=True)
        async with service.database.writing() as session:
            now = await transaction_time(session)
            written = await service_service.update(
                session, service_id, fields, by=visitor.user, now=now
            )
            meanwhile.require_next(given, written)
    except REFUSED as fault:
        return await _form(request, visitor, service, shown, given, asked.told(fault))
    return flash.back(request, f"{PLACE}/{service_id}", "Your changes are saved.")


@router.post("/{service_id}/delete")
async def delete(
    request: Request, visitor: RespondingDep, service: ServiceDep, service_id: KeyPath
) -> Response:
    async with service.database.writing() as session:
        await service_service.remove(session, service_id, by=visitor.user)
    return flash.back(request, PLACE, "The service is out of the catalogue.")


def _given(shown: Service) -> dict[str, Any]:
    """A service as its form has it."""
    given: dict[str, Any] = {name: getattr(shown, name) or "" for name in TEXTS + KEYS}
    given |= {f"urgency.{one}": shown.urgency.get(one.value, "high") for one in Severity}
    given["auto_resolve_after_minutes"] = shown.auto_resolve_after_minutes or ""
    given["auto_resolve_acknowledged"] = str(shown.auto_resolve_acknowledged).lower()
    if shown.support_hours:
        given["zone"] = shown.support_hours["time_zone"]
        for at, hours in enumerate(shown.support_hours["hours"]):
            given |= {f"hours[{at}].since": hours["since"], f"hours[{at}].until": hours["until"]}
            given[f"hours[{at}].days[]"] = hours["days"]
    return given


def _body(given: Typed) -> dict[str, Any]:
    """What was typed as the API has it; what was emptied is null."""
    body: dict[str, Any] = {"name": given.get("name", ""), **asked.texts(given, "description")}
    body |= {name: asked.typed_number(given.get(name)) for name in KEYS}
    body["urgency"] = {
        one.value: given[f"urgency.{one}"] for one in Severity if given.get(f"urgency.{one}")
    }
    minutes = asked.typed_number(given.get("auto_resolve_after_minutes"))
    body["auto_resolve_after_minutes"] = minutes
    body["auto_resolve_acknowledged"] = given.get("auto_resolve_acknowledged") == "true"
    hours = [_hours(given, at) for at in range(HOURS) if given.get(f"hours[{at}].since")]
    zone = given.get("zone", "").strip() or "UTC"
    body["support_hours"] = {"time_zone": zone, "hours": hours} if hours else None
    return body


def _hours(given: Typed, at: int) -> dict[str, Any]:
    prefix = f"hours[{at}]."
    found = {"since": given[f"{prefix}since"], "until": given.get(f"{prefix}until", "")}
    return {**found, "days": given.get(f"{prefix}days[]", [])}


async def _policies(session: ReadSession) -> list[tuple[int, str]]:
    window = Window(choices.MOST_OFFERED, order=PolicyOrder.NAME)
    found = await crud_escalation.policy_page(session, window)
    return [(policy.id, policy.name) for policy in found.items]


async def _form(
    request: Request,
    visitor: Visitor,
    service: Running,
    shown: Service | None,
    given: Mapping[str, Any],
    errors: Mapping[str, str],
) -> Response:
    async with service.database.reading() as session:
        offered = await choices.offered(session, now=visitor.now)
        window = Window(choices.MOST_OFFERED, order=PolicyOrder.NAME)
        policies = (await crud_escalation.policy_page(session, window)).items
    return render(
        request,
        visitor,
        "services/edit.html",
        status=422 if errors else 200,
        shown=shown,
        given=given,
        errors=errors,
        teams=asked.offers(offered.teams, given.get("team_id"), "Nobody yet"),
        policies=asked.offers(policies, given.get("policy_id"), "As their conditions say"),
        schedules=asked.offers(offered.schedules, given.get("schedule_id"), "None"),
        hours=HOURS,
    )
