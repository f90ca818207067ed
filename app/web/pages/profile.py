"""One's own profile: name and clock, password, and where one is signed in."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from app.api import browser
from app.api.bounds import BoundedRoute
from app.api.deps import KeyPath, ServiceDep
from app.api.grants import origin_of
from app.api.throttling import count
from app.crud import crud_auth
from app.crud.base import Window
from app.db.session import WriteSession, transaction_time
from app.domain.throttle import login_quotas
from app.schemas.auth import PasswordChange
from app.schemas.user import MeUpdate
from app.services import account as account_service
from app.services import auth as auth_service
from app.services import throttle
from app.services import user as user_service
from app.web import asked, flash, forms, listing
from app.web.asked import REFUSED
from app.web.deps import Visitor, VisitorDep
from app.web.templating import render

router = APIRouter(prefix="/profile", include_in_schema=False, route_class=BoundedRoute)

PLACE = "/profile"
FIELDS = ("full_name", "phone", "time_zone")


@router.get("")
async def show(request: Request, visitor: VisitorDep) -> HTMLResponse:
    return _page(request, visitor)


@router.post("")
async def edit(request: Request, visitor: VisitorDep, service: ServiceDep) -> Response:
    given = await forms.given(request)
    try:
        body = await forms.read(request, MeUpdate, empties=("full_name", "phone", "time_zone"))
        fields = body.model_dump(exclude_unset=True)
        async with service.database.writing() as session:
            now = await transaction_time(session)
            await user_service.update(session, visitor.user.id, fields, now=now)
    except REFUSED as fault:
        return _page(request, visitor, given, asked.told(fault))
    return flash.back(request, PLACE, "Your changes are saved.")


@router.post("/password")
async def change_password(request: Request, visitor: VisitorDep, service: ServiceDep) -> Response:
    """Every login of the account ends, this one too; a new one begins in this browser."""
    user, settings = visitor.user, service.settings
    quota, _ = login_quotas(settings.login_failures_per_account, 1)
    tries = [(quota, user.email.lower())]
    try:
        body = await forms.read(request, PasswordChange)
        await count(service, tries)
        current = body.current_password.get_secret_value()
        await account_service.prove_current(user, current, service.passwords)
        hashed = await service.passwords.hash(body.new_password.get_secret_value())
        origin = origin_of(request)

        async def change(session: WriteSession) -> str:
            now = await transaction_time(session)
            await throttle.forget(session, tries)
            await account_service.change_password(session, user, hashed, origin, now=now)
            return await auth_service.begin_in_browser(
                session, user, hashed, origin, life=settings.refresh_token_life, now=now
            )

        cookie = await service.database.write(change)
    except REFUSED as fault:
        return _page(request, visitor, {}, asked.told(fault))
    said = "Your new password is set. You are signed out everywhere else."
    answer = flash.back(request, PLACE, said)
    browser.set_cookie(service, request, answer, cookie)
    return answer


@router.get("/sessions")
async def show_sessions(request: Request, visitor: VisitorDep, service: ServiceDep) -> HTMLResponse:
    number = listing.page_of(request)
    async with service.database.reading() as session:
        found = await crud_auth.session_page(
            session, visitor.user.id, Window(listing.PER_PAGE, number)
        )
    return render(
        request,
        visitor,
        "profile/sessions.html",
        found=listing.shown(found, number),
        current=visitor.session_id,
    )


@router.post("/sessions/{session_id}/end")
async def end_session(
    request: Request, visitor: VisitorDep, service: ServiceDep, session_id: KeyPath
) -> Response:
    async with service.database.writing() as session:
        now = await transaction_time(session)
        await auth_service.end(session, visitor.user.id, session_id, everywhere=False, now=now)
    return flash.back(request, f"{PLACE}/sessions", "That browser is signed out.")


@router.post("/sessions/end-all")
async def end_all(request: Request, visitor: VisitorDep, service: ServiceDep) -> Response:
    """End every login, this one too."""
    async with service.database.writing() as session:
        now = await transaction_time(session)
        await auth_service.end(
            session, visitor.user.id, visitor.session_id, everywhere=True, now=now
        )
    answer = flash.back(request, "/login", "You are signed out everywhere.")
    browser.remove_cookie(service, request, answer)
    return answer


def _page(
    request: Request,
    visitor: Visitor,
    given: dict[str, Any] | None = None,
    errors: dict[str, str] | None = None,
) -> HTMLResponse:
    now_so = {name: getattr(visitor.user, name) or "" for name in FIELDS}
    return render(
        request,
        visitor,
        "profile/show.html",
        status=422 if errors else 200,
        given={**now_so, **(given or {})},
        errors=errors or {},
    )
