"""Signing in and out, and what people do who cannot: ask for an account, or for a new password.

Whoever has not signed in yet holds a cookie of their own, so that no other site can sign them in
as somebody else.
"""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from app.api import browser
from app.api.bounds import BoundedRoute
from app.api.deps import FromAnybody, ServiceDep
from app.api.errors import status_of
from app.api.grants import origin_of
from app.api.signing_in import ask_for_account, ask_for_recovery, sign_in
from app.api.state import Service
from app.core.errors import TocsinError
from app.core.security import new_cookie
from app.db.session import WriteSession, transaction_time
from app.models import User
from app.schemas.auth import Credentials, RecoveryRequest, SignupRequest
from app.services import auth as auth_service
from app.services.account import SignupClosedError
from app.web import flash, forms
from app.web.deps import VisitorDep, local, prove_form, visitor_of
from app.web.forms import FormFault, faults_of
from app.web.templating import render

router = APIRouter(include_in_schema=False, route_class=BoundedRoute, dependencies=[FromAnybody])
STATUS = 422


@router.get("/login")
async def show_login(request: Request, service: ServiceDep, next: str = "/") -> Response:
    if await visitor_of(request, service) is not None:
        return RedirectResponse(local(next), 303)
    return _form(request, service, "sessions/login.html", next=local(next))


@router.post("/login")
async def log_in(request: Request, service: ServiceDep) -> Response:
    given = await forms.given(request)
    to = local(given.get("next"))

    async def begin(session: WriteSession, user: User, now: datetime) -> str:
        return await auth_service.begin_in_browser(
            session,
            user,
            user.hashed_password,
            origin_of(request),
            life=service.settings.refresh_token_life,
            now=now,
        )

    try:
        await prove_form(request, service, browser.STRANGER)
        credentials = await forms.read(request, Credentials)
        cookie = await sign_in(service, request, credentials, begin)
    except (FormFault, TocsinError) as fault:
        return _again(request, service, "sessions/login.html", given, fault, next=to)
    answer = RedirectResponse(to, 303)
    browser.set_cookie(service, request, answer, cookie)
    return answer


@router.post("/logout")
async def log_out(request: Request, service: ServiceDep, visitor: VisitorDep) -> Response:
    async with service.database.writing() as session:
        now = await transaction_time(session)
        await auth_service.end(
            session, visitor.user.id, visitor.session_id, everywhere=False, now=now
        )
    answer = flash.back(request, "/login", "You are signed out.")
    browser.remove_cookie(service, request, answer)
    return answer


@router.get("/signup")
async def show_signup(request: Request, service: ServiceDep) -> Response:
    if not service.settings.signup_is_open:
        raise SignupClosedError("Accounts are made by admins here; ask one of them.")
    return _form(request, service, "sessions/signup.html", done=False)


@router.post("/signup")
async def sign_up(request: Request, service: ServiceDep) -> Response:
    given = await forms.given(request)
    try:
        await prove_form(request, service, browser.STRANGER)
        await ask_for_account(service, request, await forms.read(request, SignupRequest))
    except (FormFault, TocsinError) as fault:
        return _again(request, service, "sessions/signup.html", given, fault, done=False)
    return _form(request, service, "sessions/signup.html", given=given, done=True)


@router.get("/forgotten")
async def show_forgotten(request: Request, service: ServiceDep) -> Response:
    return _form(request, service, "sessions/forgotten.html", done=False)


@router.post("/forgotten")
async def recover(request: Request, service: ServiceDep) -> Response:
    given = await forms.given(request)
    try:
        await prove_form(request, service, browser.STRANGER)
        await ask_for_recovery(service, request, await forms.read(request, RecoveryRequest))
    except (FormFault, TocsinError) as fault:
        return _again(request, service, "sessions/forgotten.html", given, fault, done=False)
    return _form(request, service, "sessions/forgotten.html", given=given, done=True)


def _again(
    request: Request,
    service: Service,
    template: str,
    given: dict[str, str],
    fault: FormFault | TocsinError,
    **values: Any,
) -> Response:
    """The form with what was typed, but for passwords, and what is wrong with it."""
    status, headers = STATUS, {}
    if isinstance(fault, FormFault):
        errors = fault.errors
    else:
        errors = faults_of(fault)
        status = status_of(fault)
        wait = getattr(fault, "retry_after", None)
        headers = {} if wait is None else {"Retry-After": str(wait)}
    answer = _form(request, service, template, status=status, given=given, errors=errors, **values)
    answer.headers.update(headers)
    return answer


def _form(
    request: Request,
    service: Service,
    template: str,
    *,
    status: int = 200,
    given: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
    **values: Any,
) -> Response:
    known = browser.cookie_of(service, request, browser.STRANGER)
    cookie = known or new_cookie()
    values["csrf"] = browser.form_token(service.signer, cookie)
    values |= {"given": given or {}, "errors": errors or {}}
    values["signup_is_open"] = service.settings.signup_is_open
    answer = render(request, None, template, status=status, **values)
    browser.set_stranger(service, request, answer, cookie)
    return answer
