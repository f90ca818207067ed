"""Components of the public page and their groups: made, changed, put in order, taken off.

Responders say by hand how a component is; the rest is for admins.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request, Response

from app.api.bounds import BoundedRoute
from app.api.deps import KeyPath, ServiceDep
from app.api.state import Service
from app.crud import crud_status_component, crud_status_page
from app.db.session import WriteSession, transaction_time
from app.models import ComponentGroup, StatusComponent
from app.schemas.status_component import (
    ComponentGroupCreate,
    ComponentGroupUpdate,
    StatusComponentCreate,
    StatusComponentUpdate,
)
from app.services import status_component as status_component_service
from app.web import asked, choices, flash, forms, incident_form, meanwhile
from app.web.asked import REFUSED
from app.web.deps import AdminDep, RespondingDep, Visitor
from app.web.pages.status_pages import PLACE, STATUSES
from app.web.templating import render

router = APIRouter(prefix="/status-page", include_in_schema=False, route_class=BoundedRoute)

FLAGS = ("only_show_if_degraded", "shows_uptime")
STEP = 10  # between the places of neighbours, so that one can be put between by the API


@router.get("/components/new")
async def show_new(request: Request, visitor: AdminDep, service: ServiceDep) -> Response:
    group = str(asked.number(request.query_params.get("group")) or "")
    given = {"group_id": group, "shows_uptime": "true"}
    return await _form(request, visitor, service, None, given, {})


@router.post("/components/new")
async def create(request: Request, visitor: AdminDep, service: ServiceDep) -> Response:
    given = await forms.given(request)
    try:
        body = incident_form.shaped(StatusComponentCreate, _body(given), given)
        async with service.database.writing() as session:
            now = await transaction_time(session)
            others = await crud_status_component.list_all(session)
            fields = {**body.model_dump(), "position": _last(others)}
            await status_component_service.create(session, fields, now=now)
    except REFUSED as fault:
        return await _form(request, visitor, service, None, given, asked.told(fault))
    return flash.back(request, PLACE, f"“{body.name}” is on the page. Its history begins now.")


@router.get("/components/{component_id}/edit")
async def show_edit(
    request: Request, visitor: AdminDep, service: ServiceDep, component_id: KeyPath
) -> Response:
    async with service.database.reading() as session:
        shown = await status_component_service.require(session, component_id)
    texts = ("name", "description", "group_id", "service_id")
    given: dict[str, Any] = {name: getattr(shown, name) or "" for name in texts}
    given |= {name: str(getattr(shown, name)).lower() for name in FLAGS} | meanwhile.seen(shown)
    return await _form(request, visitor, service, shown, given, {})


@router.post("/components/{component_id}/edit")
async def edit(
    request: Request, visitor: AdminDep, service: ServiceDep, component_id: KeyPath
) -> Response:
    given = await forms.given(request)
    async with service.database.reading() as session:
        shown = await status_component_service.require(session, component_id)
    try:
        body = incident_form.shaped(StatusComponentUpdate, _body(given), given)
        fields = body.model_dump(exclude_unset=True)
        await _update(service, component_id, fields, given)
    except REFUSED as fault:
        return await _form(request, visitor, service, shown, given, asked.told(fault))
    return flash.back(request, PLACE, "Your changes are on the page.")


@router.post("/components/{component_id}/status")
async def set_status(
    request: Request, visitor: RespondingDep, service: ServiceDep, component_id: KeyPath
) -> Response:
    given = await forms.given(request)
    wanted = {"status": given.get("status", "")}
    body = incident_form.shaped(StatusComponentUpdate, wanted, given)
    await _update(service, component_id, body.model_dump(exclude_unset=True))
    return flash.back(request, PLACE, "The page says so. What public incidents say stays.")


@router.post("/components/{component_id}/move")
async def move(
    request: Request, visitor: AdminDep, service: ServiceDep, component_id: KeyPath
) -> Response:
    """One place up or down among those of its group, or to the one that it was dragged to."""
    to = (await forms.given(request)).get("to", "")
    async with service.database.writing() as session:
        await crud_status_page.lock(session)  # so that two who move see each other
        now = await transaction_time(session)
        here = await status_component_service.require(session, component_id)
        rows = await crud_status_component.list_all(session)
        near = [one for one in rows if one.group_id == here.group_id and one.deleted_at is None]
        for at, one in enumerate(_moved(near, component_id, to)):
            if one.position != at * STEP:
                place = {"position": at * STEP}
                await status_component_service.update(session, one.id, place, now=now)
    return flash.back(request, PLACE)


@router.post("/components/{component_id}/delete")
async def delete(
    request: Request, visitor: AdminDep, service: ServiceDep, component_id: KeyPath
) -> Response:
    async with service.database.writing() as session:
        now = await transaction_time(session)
        await status_component_service.remove(session, component_id, now=now)
    return flash.back(request, PLACE, "It is off the page. What was told of it stays.")


@router.get("/groups/new")
async def show_new_group(request: Request, visitor: AdminDep) -> Response:
    return _group_form(request, visitor, None, {}, {})


@router.post("/groups/new")
async def create_group(request: Request, visitor: AdminDep, service: ServiceDep) -> Response:
    given = await forms.given(request)
    try:
        body = await forms.read(request, ComponentGroupCreate)
        async with service.database.writing() as session:
            now = await transaction_time(session)
            others = await crud_status_component.list_groups(session)
            fields = {**body.model_dump(), "position": _last(others)}
            await status_component_service.create_group(session, fields, now=now)
    except REFUSED as fault:
        return _group_form(request, visitor, None, given, asked.told(fault))
    return flash.back(request, PLACE, f"“{body.name}” is a group. Now put components into it.")


@router.get("/groups/{group_id}/edit")
async def show_edit_group(
    request: Request, visitor: AdminDep, service: ServiceDep, group_id: KeyPath
) -> Response:
    async with service.database.reading() as session:
        group = await status_component_service.require_group(session, group_id)
    given = {"name": group.name, "description": group.description or "", **meanwhile.seen(group)}
    return _group_form(request, visitor, group, given, {})


@router.post("/groups/{group_id}/edit")
async def edit_group(
    request: Request, visitor: AdminDep, service: ServiceDep, group_id: KeyPath
) -> Response:
    given = await forms.given(request)
    async with service.database.reading() as session:
        group = await status_component_service.require_group(session, group_id)
    try:
        body = await forms.read(request, ComponentGroupUpdate, empties=("name", "description"))
        fields = body.model_dump(exclude_unset=True)
        async with service.database.writing() as session:
            now = await transaction_time(session)
            written = await status_component_service.update_group(
                session, group_id, fields, now=now
            )
            meanwhile.require_next(given, written)
    except REFUSED as fault:
        return _group_form(request, visitor, group, given, asked.told(fault))
    return flash.back(request, PLACE, "Your changes are on the page.")


@router.post("/groups/{group_id}/move")
async def move_group(
    request: Request, visitor: AdminDep, service: ServiceDep, group_id: KeyPath
) -> Response:
    to = (await forms.given(request)).get("to", "")
    async with service.database.writing() as session:
        await crud_status_page.lock(session)
        now = await transaction_time(session)
        rows = await crud_status_component.list_groups(session)
        for at, one in enumerate(_moved(rows, group_id, to)):
            if one.position != at * STEP:
                place = {"position": at * STEP}
                await status_component_service.update_group(session, one.id, place, now=now)
    return flash.back(request, PLACE)


@router.post("/groups/{group_id}/delete")
async def delete_group(
    request: Request, visitor: AdminDep, service: ServiceDep, group_id: KeyPath
) -> Response:
    async with service.database.writing() as session:
        now = await transaction_time(session)
        await status_component_service.remove_group(session, group_id, now=now)
    return flash.back(request, PLACE, "The group is gone; its components stay on the page.")


Placed = StatusComponent | ComponentGroup


def _last(rows: Sequence[Placed]) -> int:
    return max((one.position for one in rows), default=-STEP) + STEP


def _moved(rows: Sequence[Any], key: int, to: str) -> list[Any]:
    """These in their order, but for one that went up, down, or to a place that is counted from 0.
    Where there is no such place it stays."""
    found = list(rows)
    here = next((at for at, one in enumerate(found) if one.id == key), None)
    if here is None:
        return found
    is_place = to.isascii() and to.isdigit() and len(to) <= 4
    there = {"up": here - 1, "down": here + 1}.get(to, int(to) if is_place else -1)
    if 0 <= there < len(found):
        found.insert(there, found.pop(here))
    return found


async def _update(
    service: Service,
    component_id: int,
    fields: Mapping[str, Any],
    given: Mapping[str, Any] | None = None,
) -> None:
    async def write(session: WriteSession) -> None:
        now = await transaction_time(session)
        await crud_status_page.lock(session)
        held = await status_component_service.require(session, component_id)
        meanwhile.require_same(given or {}, held)
        await status_component_service.update(session, component_id, fields, now=now)

    await service.database.write(write)


def _body(given: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": given.get("name", ""),
        **asked.texts(given, "description"),
        "group_id": asked.typed_number(given.get("group_id")),
        "service_id": asked.typed_number(given.get("service_id")),
        **{name: given.get(name) == "true" for name in FLAGS},
    }


async def _form(
    request: Request,
    visitor: Visitor,
    service: Service,
    shown: StatusComponent | None,
    given: Mapping[str, Any],
    errors: Mapping[str, str],
) -> Response:
    async with service.database.reading() as session:
        groups = await crud_status_component.list_groups(session)
        offered = await choices.offered(session, now=visitor.now)
    return render(
        request,
        visitor,
        "status_page/component.html",
        status=422 if errors else 200,
        shown=shown,
        given=given,
        errors=errors,
        groups=asked.offers(groups, given.get("group_id"), "In none"),
        services=asked.offers(offered.services, given.get("service_id"), "None"),
        statuses=STATUSES,
    )


def _group_form(
    request: Request,
    visitor: Visitor,
    group: ComponentGroup | None,
    given: Mapping[str, Any],
    errors: Mapping[str, str],
) -> Response:
    return render(
        request,
        visitor,
        "status_page/group.html",
        status=422 if errors else 200,
        group=group,
        given=given,
        errors=errors,
    )
