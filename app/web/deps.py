"""What a page may ask for: who is looking, and whether they may.

Whoever is not signed in is sent to sign in and comes back to where they were. A request that
changes something has shown, by the time its handler runs, that it comes from a page of this very
login.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request

from app.api import browser, callers
from app.api.browser import ForeignRequestError
from app.api.callers import READING
from app.api.deps import ServiceDep
from app.api.state import Service
from app.core.errors import ForbiddenError
from app.core.security import COOKIE
from app.domain.user import Permission
from app.models import User

TOKEN_FIELD = "csrf"  # noqa: S105  # a name
TOKEN_HEADER = "X-CSRF-Token"  # noqa: S105


class SignInNeededError(Exception):
    """Nobody is signed in here. `back_to` is where they wanted to go."""

    def __init__(self, back_to: str) -> None:
        super().__init__(back_to)
        self.back_to = back_to


@dataclass(frozen=True)
class Visitor:
    """Whoever is looking at a page. `csrf` goes into every form that it holds; what happens
    after `heard`, a place in the change feed, it does not show yet."""

    user: User
    session_id: int
    csrf: str
    now: datetime
    heard: int

    @property
    def may_respond(self) -> bool:
        return self.user.may(Permission.RESPOND)

    @property
    def may_administer(self) -> bool:
        return self.user.may(Permission.ADMINISTER)


async def visitor_of(request: Request, service: Service) -> Visitor | None:
    """Who is signed in, if anybody is; the audit log is told. Looked up once a request."""
    known: Visitor | None = getattr(request.state, "visitor", None)
    if known is not None:
        return known
    login = await browser.login_of(service, request)
    if login is None:
        return None
    callers.note_person(request, login.user)
    csrf = browser.form_token(service.signer, login.cookie)
    found = Visitor(login.user, login.session_id, csrf, login.now, login.heard)
    request.state.visitor = found
    return found


async def visitor(request: Request, service: ServiceDep) -> Visitor:
    """Who is signed in. Asked before a page opens a session of its own."""
    found = await visitor_of(request, service)
    if found is None:
        raise SignInNeededError(_place(request))
    if request.method not in READING:
        await prove_form(request, service, COOKIE)
    return found


VisitorDep = Annotated[Visitor, Depends(visitor)]


async def prove_form(request: Request, service: Service, name: str) -> None:
    """Refuse a form that no page of ours has made for whoever holds this cookie."""
    cookie = browser.cookie_of(service, request, name)
    token = request.headers.get(TOKEN_HEADER) or (await request.form()).get(TOKEN_FIELD)
    is_ours = (
        cookie is not None
        and isinstance(token, str)
        and browser.is_form_token(service.signer, cookie, token)
    )
    if not is_ours or browser.is_from_elsewhere(service, request):
        raise ForeignRequestError


def _place(request: Request) -> str:
    """Where somebody was: the page itself, or the one that holds the form or the part of it."""
    if request.method in READING and "hx-request" not in request.headers:
        return local(f"{request.url.path}?{request.url.query}".rstrip("?"))
    page = urlsplit(request.headers.get("hx-current-url") or request.headers.get("referer", ""))
    return local(f"{page.path}?{page.query}".rstrip("?"))


def local(path: str | None) -> str:
    """The path if it leads to a page of ours, else the first page.

    Nobody is led off to another site by a link to ours: what a browser could take for a host, or
    for less than it says, is refused.
    """
    is_ours = (
        path is not None
        and path.startswith("/")
        and not path.startswith(("//", "/login", "/logout", "/v1/"))
        and "\\" not in path
        and path.isprintable()
        and path.isascii()
        and len(path) <= 2000
    )
    return path if path is not None and is_ours else "/"


def _with(permission: Permission) -> Callable[[Visitor], Awaitable[Visitor]]:
    async def check(found: VisitorDep) -> Visitor:
        if not found.user.may(permission):
            raise ForbiddenError(
                f"Your role ({found.user.role}) does not allow this; ask an admin.",
                needs=permission.value,
            )
        return found

    return check


RespondingDep = Annotated[Visitor, Depends(_with(Permission.RESPOND))]
AdminDep = Annotated[Visitor, Depends(_with(Permission.ADMINISTER))]
