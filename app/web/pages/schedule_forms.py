"""Schedules written at the console: a form that grows, and what it would change for whom."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request, Response

from app.api.bounds import BoundedRoute
from app.api.deps import KeyPath, ServiceDep
from app.api.state import Service
from app.core.errors import NotFoundError, TocsinError
from app.db.session import transaction_time
from app.domain.timeline import Interval
from app.models import Schedule
from app.schemas.on_call import SchedulePreview
from app.schemas.rota import written
from app.schemas.schedule import ScheduleCreate, ScheduleUpdate, TemporaryCreate
from app.services import rota_preview
from app.services import schedule as schedule_service
from app.services import schedule_override as override_service
from app.services.rota_preview import Draft
from app.services.schedule_check import ScheduleHasGapsError, ScheduleHasOverlapsError
from app.web import flash, forms, rota_form, schedule_builder, schedule_view, tree_form
from app.web.deps import RespondingDep, Visitor
from app.web.forms import FormFault
from app.web.schedule_builder import Building, draw
from app.web.tree_form import Tree
from app.web.wall import wall_of

router = APIRouter(prefix="/schedules", include_in_schema=False, route_class=BoundedRoute)

AHEAD = timedelta(days=30)
PASSING = {"starts_at", "ends_at", "layers", "reason", "allow_gaps", "allow_overlaps"}
SAID = ("name", "description", "team_id", "time_zone", "layers", "holidays")


@router.get("/new")
async def show_new(request: Request, visitor: RespondingDep, service: ServiceDep) -> Response:
    blank = rota_form.blanks(visitor.now.date())["layers"]
    draft = {"name": "", "time_zone": visitor.user.time_zone, "layers": [blank]}
    return await draw(request, visitor, service, Building(draft))


@router.post("/new")
async def create(request: Request, visitor: RespondingDep, service: ServiceDep) -> Response:
    async def save(draft: Tree) -> str:
        body = forms.shaped(ScheduleCreate, _body(draft), {})
        fields = body.model_dump(exclude={"allow_gaps", "allow_overlaps"})
        async with service.database.writing() as session:
            made = await schedule_service.create(
                session,
                {**fields, "layers": written(body.layers)},
                allow_gaps=body.allow_gaps,
                allow_overlaps=body.allow_overlaps,
                by=visitor.user,
                now=await transaction_time(session),
            )
            return f"/schedules/{made.id}"

    building = Building(await _typed(request))
    return await _built(request, visitor, service, building, save, "The schedule is there.")


@router.get("/{schedule_id}/edit")
async def show_edit(
    request: Request, visitor: RespondingDep, service: ServiceDep, schedule_id: KeyPath
) -> Response:
    schedule = await _editable(service, visitor, schedule_id)
    return await draw(request, visitor, service, Building(_draft_of(schedule), schedule))


@router.post("/{schedule_id}/edit")
async def edit(
    request: Request, visitor: RespondingDep, service: ServiceDep, schedule_id: KeyPath
) -> Response:
    schedule = await _editable(service, visitor, schedule_id)
    seen = (await forms.given(request)).get("_revision", "")

    async def save(draft: Tree) -> str:
        body = forms.shaped(ScheduleUpdate, _body(draft), {})
        fields = body.model_dump(include={*SAID})
        async with service.database.writing() as session:
            held = await schedule_service.held(session, schedule_id)
            if seen and seen != str(held.revision):
                raise FormFault({}, {"": schedule_builder.CHANGED_MEANWHILE})
            await schedule_service.update(
                session,
                schedule_id,
                {**fields, "layers": written(body.layers or [])},
                allow_gaps=body.allow_gaps,
                allow_overlaps=body.allow_overlaps,
                by=visitor.user,
                now=await transaction_time(session),
            )
        return f"/schedules/{schedule_id}"

    building = Building(await _typed(request), schedule, revision=seen)
    return await _built(request, visitor, service, building, save, "Your changes are saved.")


@router.post("/{schedule_id}/delete")
async def delete(
    request: Request, visitor: RespondingDep, service: ServiceDep, schedule_id: KeyPath
) -> Response:
    try:
        async with service.database.writing() as session:
            now = await transaction_time(session)
            await schedule_service.remove(session, schedule_id, by=visitor.user, now=now)
    except NotFoundError:
        raise
    except TocsinError as error:
        return flash.back(request, f"/schedules/{schedule_id}", error.message)
    return flash.back(request, "/schedules", "The schedule is deleted; its history stays.")


# --- For a while --------------------------------------------------------------------------


@router.get("/{schedule_id}/temporary/new")
async def show_temporary(
    request: Request, visitor: RespondingDep, service: ServiceDep, schedule_id: KeyPath
) -> Response:
    """Other layers for a while: it begins with those that there are."""
    schedule = await _editable(service, visitor, schedule_id)
    draft = {"layers": rota_form.draft_of(schedule.layers)}
    return await draw(request, visitor, service, Building(draft, schedule, is_temporary=True))


@router.post("/{schedule_id}/temporary/new")
async def create_temporary(
    request: Request, visitor: RespondingDep, service: ServiceDep, schedule_id: KeyPath
) -> Response:
    schedule = await _editable(service, visitor, schedule_id)
    wall = wall_of(schedule.time_zone)

    async def save(draft: Tree) -> str:
        tree = {name: value for name, value in _body(draft).items() if name in PASSING}
        for name in ("starts_at", "ends_at"):
            if name in tree:
                try:
                    tree[name] = wall.read(str(tree[name])).isoformat()
                except (ValueError, OverflowError):
                    raise FormFault({}, {name: "Name a date and a time."}) from None
        body = forms.shaped(TemporaryCreate, tree, {})
        fields = body.model_dump(exclude={"allow_gaps", "allow_overlaps"})
        async with service.database.writing() as session:
            await override_service.put_temporary(
                session,
                schedule_id,
                {**fields, "layers": written(body.layers)},
                allow_gaps=body.allow_gaps,
                allow_overlaps=body.allow_overlaps,
                by=visitor.user,
                now=await transaction_time(session),
            )
        return f"/schedules/{schedule_id}"

    building = Building(await _typed(request), schedule, is_temporary=True)
    return await _built(request, visitor, service, building, save, "It counts for that time.")


# --- A form that grows --------------------------------------------------------------------


@router.post("/preview")
async def preview(request: Request, visitor: RespondingDep, service: ServiceDep) -> Response:
    """What the draft says, and what it changes for whom in the next 30 days."""
    draft = rota_form.tidied(await _typed(request))
    number = forms.key_of((await forms.given(request)).get("_schedule_id", ""))
    told = await previewed(service, visitor, draft, number)
    return await draw(request, visitor, service, Building(draft, preview=told), block="preview")


async def previewed(
    service: Service, visitor: Visitor, draft: Tree, schedule_id: int | None
) -> dict[str, Any]:
    """The preview as its part of the page has it; a draft with a fault has none."""
    body = {name: value for name, value in _body(draft).items() if name in SAID[3:]}
    try:
        read = forms.shaped(SchedulePreview, body, {})
        fields = read.model_dump(include={"time_zone", "holidays"}, exclude_none=True)
        fields["layers"] = written(read.layers or [])
        async with service.database.reading() as session:
            now = await transaction_time(session)
            during = Interval(now, now + AHEAD)
            found = await rota_preview.preview(session, Draft(schedule_id, fields, during), now=now)
            wall = wall_of(found["time_zone"])
            chart = await schedule_view.drawn(session, found, wall, during, now=now)
    except FormFault as fault:
        return {"errors": fault.errors}
    except TocsinError as error:
        return {"errors": forms.faults_of(error)}
    names = {one.id: one.name for one in found["people"]}
    return {"found": found, "chart": chart, "names": names, "wall": wall, "errors": {}}


async def _built(
    request: Request,
    visitor: Visitor,
    service: Service,
    building: Building,
    save: schedule_builder.Saving,
    said: str,
) -> Response:
    """The form after one of its buttons: changed by it, or saved, or with what is wrong."""
    do = (await forms.given(request)).get("_do", "")
    if do:
        blanks = rota_form.blanks(visitor.now.date())
        draft = tree_form.changed(building.draft, do, blanks)
        building = building.of(draft)
        if do == "preview":
            number = building.schedule.id if building.schedule is not None else None
            tidied = rota_form.tidied(draft)
            told = await previewed(service, visitor, tidied, number)
            building = building.of(tidied, preview=told)
        is_part = "hx-request" in request.headers
        block = "builder" if is_part else None
        return await draw(request, visitor, service, building, block=block)
    draft = rota_form.tidied(building.draft)
    try:
        to = await save(draft)
    except FormFault as fault:
        building = building.of(draft, errors=fault.errors)
    except NotFoundError:
        raise
    except ScheduleHasGapsError as error:
        building = building.of(draft, gaps=error.details["gaps"])
    except ScheduleHasOverlapsError as error:
        building = building.of(draft, overlaps=error.details["overlaps"])
    except TocsinError as error:
        building = building.of(draft, errors=forms.faults_of(error))
    else:
        return flash.back(request, to, said)
    return await draw(request, visitor, service, building)


async def _editable(service: Service, visitor: Visitor, schedule_id: int) -> Schedule:
    async with service.database.reading() as session:
        schedule = await schedule_service.require(session, schedule_id)
        await schedule_view.require_edit(session, visitor.user, schedule.team_id)
    return schedule


async def _typed(request: Request) -> Tree:
    draft: Tree = tree_form.fitted(await forms.tree(request), rota_form.MOULD)
    return draft


def _draft_of(schedule: Schedule) -> Tree:
    draft: Tree = {name: getattr(schedule, name) for name in SAID}
    return {**draft, "layers": rota_form.draft_of(schedule.layers)}


def _body(draft: Mapping[str, Any]) -> Tree:
    """A draft as the API has it; what was emptied is null where it may be."""
    body: Tree = tree_form.filled({**draft, "layers": []})
    body["layers"] = rota_form.layers_of(dict(draft))
    body.setdefault("description", None)
    body.setdefault("team_id", None)
    body.setdefault("holidays", [])
    return body
