"""People at the console: who there is, in which role, and who cannot be reached.

Everybody sees who there is; only admins change anybody. What a change does to paging is said
before it is done.
"""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from app.api.bounds import BoundedRoute
from app.api.deps import KeyPath, ServiceDep
from app.api.state import Service
from app.crud import crud_contact_method, crud_team, crud_user
from app.crud.base import Window
from app.crud.crud_team import TeamFilter, TeamOrder
from app.crud.crud_user import UserFilter, UserOrder
from app.db.session import transaction_time
from app.domain.user import Role
from app.models import User
from app.schemas.user import UserCreate, UserUpdate
from app.services import contact_method as contact_method_service
from app.services import notification_preference as notification_preference_service
from app.services import user as user_service
from app.web import asked, flash, forms, listing, meanwhile
from app.web.asked import REFUSED
from app.web.deps import AdminDep, Visitor, VisitorDep
from app.web.templating import render

router = APIRouter(prefix="/users", include_in_schema=False, route_class=BoundedRoute)

PLACE = "/users"
ROLES = {
    Role.RESPONDER.value: "Responder: works on incidents",
    Role.VIEWER.value: "Viewer: looks",
    Role.ADMIN.value: "Admin: does everything",
}
FIELDS = ("email", "full_name", "role", "phone", "time_zone")
FEW = 50


@router.get("")
async def show_list(
    request: Request,
    visitor: VisitorDep,
    service: ServiceDep,
    q: str = "",
    role: str = "",
    active: str = "",
) -> HTMLResponse:
    is_active = {"no": False, "all": None}.get(active, True)
    where = UserFilter(asked.among([role], Role), is_active, asked.search(q))
    window = Window(listing.PER_PAGE, listing.page_of(request), order=UserOrder.NAME)
    async with service.database.reading() as session:
        found = await crud_user.list_page(session, where, window)
        ids = [user.id for user in found.items]
        reachable = await crud_contact_method.verified_owners(session, ids)
    return render(
        request,
        visitor,
        "users/list.html",
        found=listing.shown(found, window.page),
        reachable=reachable,
        q=where.search or "",
        role=role if where.role else "",
        active=active if active in ("no", "all") else "",
    )


@router.get("/new")
async def show_new(request: Request, visitor: AdminDep) -> Response:
    given = {"role": Role.RESPONDER.value, "time_zone": visitor.user.time_zone}
    return _form(request, visitor, None, given, {})


@router.post("/new")
async def create(request: Request, visitor: AdminDep, service: ServiceDep) -> Response:
    given = await forms.given(request)
    try:
        body = await forms.read(request, UserCreate)
        # Hashed before the transaction begins: it takes long, and would hold a connection.
        hashed = await service.passwords.hash(body.password.get_secret_value())
        new = user_service.NewUser(**body.model_dump(exclude={"password"}), hashed_password=hashed)
        async with service.database.writing() as session:
            made = await user_service.create(session, new, now=await transaction_time(session))
            key, name = made.id, made.display_name
    except REFUSED as fault:
        return _form(request, visitor, None, given, asked.told(fault))
    said = f"{name} has an account. Tell them the password; they change it in their profile."
    return flash.back(request, f"{PLACE}/{key}", said)


@router.get("/{user_id}")
async def show(
    request: Request, visitor: VisitorDep, service: ServiceDep, user_id: KeyPath
) -> HTMLResponse:
    return await _page(request, visitor, service, user_id)


@router.get("/{user_id}/edit")
async def show_edit(
    request: Request, visitor: AdminDep, service: ServiceDep, user_id: KeyPath
) -> Response:
    async with service.database.reading() as session:
        user = await user_service.require(session, user_id)
    given = {name: getattr(user, name) or "" for name in FIELDS} | meanwhile.seen(user)
    return _form(request, visitor, user, given, {})


@router.post("/{user_id}/edit")
async def edit(
    request: Request, visitor: AdminDep, service: ServiceDep, user_id: KeyPath
) -> Response:
    given = await forms.given(request)
    async with service.database.reading() as session:
        user = await user_service.require(session, user_id)
    try:
        body = await forms.read(request, UserUpdate, empties=("full_name", "phone"))
        fields = body.model_dump(exclude_unset=True, exclude={"password"})
        if body.password is not None:
            hashed = await service.passwords.hash(body.password.get_secret_value())
            fields["hashed_password"] = hashed
        async with service.database.writing() as session:
            now = await transaction_time(session)
            written = await user_service.update(session, user_id, fields, now=now)
            meanwhile.require_next(given, written)
    except REFUSED as fault:
        return _form(request, visitor, user, given, asked.told(fault))
    return flash.back(request, f"{PLACE}/{user_id}", "Your changes are saved.")


@router.post("/{user_id}/activate")
async def activate(
    request: Request, visitor: AdminDep, service: ServiceDep, user_id: KeyPath
) -> Response:
    return await _switch(request, visitor, service, user_id, is_active=True)


@router.post("/{user_id}/deactivate")
async def deactivate(
    request: Request, visitor: AdminDep, service: ServiceDep, user_id: KeyPath
) -> Response:
    return await _switch(request, visitor, service, user_id, is_active=False)


@router.post("/{user_id}/delete")
async def delete(
    request: Request, visitor: AdminDep, service: ServiceDep, user_id: KeyPath
) -> Response:
    try:
        async with service.database.writing() as session:
            await user_service.remove(session, user_id, now=await transaction_time(session))
    except REFUSED as fault:
        return await _page(request, visitor, service, user_id, asked.told(fault))
    return flash.back(request, PLACE, "The account is closed.")


async def _switch(
    request: Request, visitor: Visitor, service: Service, user_id: int, *, is_active: bool
) -> Response:
    try:
        async with service.database.writing() as session:
            now = await transaction_time(session)
            await user_service.update(session, user_id, {"is_active": is_active}, now=now)
    except REFUSED as fault:
        return await _page(request, visitor, service, user_id, asked.told(fault))
    said = "They can sign in and be paged again." if is_active else "They are paged no more."
    return flash.back(request, f"{PLACE}/{user_id}", said)


async def _page(
    request: Request,
    visitor: Visitor,
    service: Service,
    user_id: int,
    errors: dict[str, str] | None = None,
) -> HTMLResponse:
    async with service.database.reading() as session:
        user = await user_service.require(session, user_id)
        teams = await crud_team.list_page(
            session, TeamFilter(user_id=user_id), Window(FEW, order=TeamOrder.NAME)
        )
        policies = await crud_user.policies_that_page(session, user_id)
        ways, rules = None, None
        if visitor.may_administer or visitor.user.id == user_id:
            ways = await contact_method_service.methods(session, user_id)
            rules = await notification_preference_service.rules(
                session, user_id, service.channel_states()
            )
    return render(
        request,
        visitor,
        "users/show.html",
        status=422 if errors else 200,
        user=user,
        teams=teams.items,
        policies=policies,
        ways=ways,
        rules=rules,
        errors=errors or {},
    )


def _form(
    request: Request,
    visitor: Visitor,
    user: User | None,
    given: dict[str, Any],
    errors: dict[str, str],
) -> Response:
    return render(
        request,
        visitor,
        "users/edit.html",
        status=422 if errors else 200,
        user=user,
        given=given,
        errors=errors,
        roles=list(ROLES.items()),
    )
