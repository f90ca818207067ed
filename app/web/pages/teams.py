"""Teams at the console: who looks after what, together. Admins make them; leads look after them."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from app.api.bounds import BoundedRoute
from app.api.deps import KeyPath, ServiceDep
from app.api.state import Service
from app.crud import crud_schedule_list, crud_service, crud_team
from app.crud.base import Window
from app.crud.crud_schedule_list import ScheduleFilter, ScheduleOrder
from app.crud.crud_service import ServiceFilter, ServiceOrder
from app.crud.crud_team import TeamFilter, TeamOrder
from app.db.session import transaction_time
from app.schemas.team import MemberWrite, TeamCreate, TeamUpdate
from app.services import team as team_service
from app.services.team import Wanted
from app.web import asked, choices, flash, forms, listing, meanwhile
from app.web.asked import REFUSED
from app.web.deps import AdminDep, RespondingDep, Visitor, VisitorDep
from app.web.templating import render

router = APIRouter(prefix="/teams", include_in_schema=False, route_class=BoundedRoute)

PLACE = "/teams"
EMPTIES = ("description", "time_zone")
FEW = 50  # of what a team owns, on its page


@router.get("")
async def show_list(
    request: Request, visitor: VisitorDep, service: ServiceDep, q: str = "", mine: str = ""
) -> HTMLResponse:
    where = TeamFilter(asked.search(q), visitor.user.id if mine else None)
    window = Window(listing.PER_PAGE, listing.page_of(request), order=TeamOrder.NAME)
    async with service.database.reading() as session:
        found = await crud_team.list_page(session, where, window)
        members = await team_service.members(session, [team.id for team in found.items])
    return render(
        request,
        visitor,
        "teams/list.html",
        found=listing.shown(found, window.page),
        sizes={team_id: len(users) for team_id, users in members.items()},
        q=where.search or "",
        mine="1" if mine else "",
    )


@router.get("/new")
async def show_new(request: Request, visitor: AdminDep) -> Response:
    return _form(request, visitor, None, {}, {})


@router.post("/new")
async def create(request: Request, visitor: AdminDep, service: ServiceDep) -> Response:
    given = await forms.given(request)
    try:
        body = await forms.read(request, TeamCreate)
        async with service.database.writing() as session:
            now = await transaction_time(session)
            made = await team_service.create(session, body.model_dump(), now=now)
    except REFUSED as fault:
        return _form(request, visitor, None, given, asked.told(fault))
    return flash.back(request, f"{PLACE}/{made.id}", f"“{made.name}” is a team. Now add people.")


@router.get("/{team_id}")
async def show(
    request: Request, visitor: VisitorDep, service: ServiceDep, team_id: KeyPath
) -> HTMLResponse:
    return await _page(request, visitor, service, team_id)


@router.get("/{team_id}/edit")
async def show_edit(
    request: Request, visitor: RespondingDep, service: ServiceDep, team_id: KeyPath
) -> Response:
    async with service.database.reading() as session:
        team = await team_service.require(session, team_id)
    given = {name: getattr(team, name) or "" for name in ("name", *EMPTIES)}
    given |= meanwhile.seen(team)
    return _form(request, visitor, team_id, given, {})


@router.post("/{team_id}/edit")
async def edit(
    request: Request, visitor: RespondingDep, service: ServiceDep, team_id: KeyPath
) -> Response:
    given = await forms.given(request)
    try:
        body = await forms.read(request, TeamUpdate, empties=("name", *EMPTIES))
        fields = body.model_dump(exclude_unset=True)
        async with service.database.writing() as session:
            now = await transaction_time(session)
            written = await team_service.update(session, team_id, fields, by=visitor.user, now=now)
            meanwhile.require_next(given, written)
    except REFUSED as fault:
        return _form(request, visitor, team_id, given, asked.told(fault))
    return flash.back(request, f"{PLACE}/{team_id}", "Your changes are saved.")


@router.post("/{team_id}/delete")
async def delete(
    request: Request, visitor: AdminDep, service: ServiceDep, team_id: KeyPath
) -> Response:
    try:
        async with service.database.writing() as session:
            await team_service.remove(session, team_id)
    except REFUSED as fault:
        return await _page(request, visitor, service, team_id, asked.told(fault))
    return flash.back(request, PLACE, "The team is deleted.")


@router.post("/{team_id}/members")
async def put_member(
    request: Request, visitor: RespondingDep, service: ServiceDep, team_id: KeyPath
) -> Response:
    """Add somebody, or say of a member whether they lead."""
    try:
        body = await forms.read(request, MemberWrite)
        wanted = Wanted(body.user_id, body.is_lead)
        async with service.database.writing() as session:
            now = await transaction_time(session)
            await team_service.put_member(session, team_id, wanted, by=visitor.user, now=now)
    except REFUSED as fault:
        return await _page(request, visitor, service, team_id, asked.told(fault))
    return flash.back(request, f"{PLACE}/{team_id}", "Done.")


@router.post("/{team_id}/members/{user_id}/remove")
async def remove_member(
    request: Request, visitor: VisitorDep, service: ServiceDep, team_id: KeyPath, user_id: KeyPath
) -> Response:
    async with service.database.writing() as session:
        now = await transaction_time(session)
        await team_service.remove_member(session, team_id, user_id, by=visitor.user, now=now)
    return flash.back(request, f"{PLACE}/{team_id}", "They are in the team no longer.")


async def _page(
    request: Request,
    visitor: Visitor,
    service: Service,
    team_id: int,
    errors: dict[str, str] | None = None,
) -> HTMLResponse:
    async with service.database.reading() as session:
        team = await team_service.require(session, team_id)
        roster = await team_service.roster(session, team_id)
        may_edit = await asked.leads(session, visitor, team_id)
        offered = await choices.offered(session, now=visitor.now)
        services = await crud_service.list_page(
            session, ServiceFilter(team_id=team_id), Window(FEW, order=ServiceOrder.NAME)
        )
        where = ScheduleFilter(visitor.now, team_id=team_id)
        schedules = await crud_schedule_list.page(
            session, where, Window(FEW, order=ScheduleOrder.NAME)
        )
    there = {member.user.id for member in roster.items}
    others = [one for one in offered.users if one.id not in there]
    return render(
        request,
        visitor,
        "teams/show.html",
        status=422 if errors else 200,
        team=team,
        members=roster.items,
        may_edit=may_edit,
        others=[(str(one.id), one.display_name) for one in others],
        services=services,
        schedules=schedules,
        errors=errors or {},
    )


def _form(
    request: Request,
    visitor: Visitor,
    team_id: int | None,
    given: dict[str, Any],
    errors: dict[str, str],
) -> Response:
    return render(
        request,
        visitor,
        "teams/edit.html",
        status=422 if errors else 200,
        team_id=team_id,
        given=given,
        errors=errors,
    )
