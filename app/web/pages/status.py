"""The status page, as everybody sees it: no login, no cookie, nothing internal (promise 7).

What is drawn comes from one picture (`app/services/public_page.py`); proxies may keep it for some
seconds, and ask after it by its tag.
"""

import hashlib
import re
from collections.abc import Callable, Mapping

from fastapi import APIRouter, Request, Response

from app.api.bounds import BoundedRoute
from app.api.deps import FromAnybody, ReadSession, ServiceDep
from app.api.etags import TAG
from app.api.state import Service
from app.db.session import transaction_time
from app.domain.public_history import MonthName
from app.domain.public_page import PublicPage
from app.services import public_history, public_page
from app.web import public_page as draw

router = APIRouter(
    prefix="/status",
    include_in_schema=False,
    route_class=BoundedRoute,
    dependencies=[FromAnybody],
)

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SHORTLY = "public, max-age=15, stale-while-revalidate=60"
CODE = re.compile("[A-Za-z0-9_-]{1,50}")
HTML, SVG = "text/html; charset=utf-8", "image/svg+xml"
FEEDS = {"rss": "application/rss+xml", "atom": "application/atom+xml"}
# What other sites show of us: a picture or a feed, and never a page in a frame.
OPEN = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
NO_POLICY = "default-src 'none'; frame-ancestors 'none'"


@router.get("")
async def show(request: Request, service: ServiceDep, session: ReadSession) -> Response:
    return _answer(request, draw.home(await _picture(request, service, session)))


@router.get("/incidents/{code}")
async def show_incident(
    request: Request, service: ServiceDep, session: ReadSession, code: str
) -> Response:
    page = await _picture(request, service, session)
    if CODE.fullmatch(code) is None:
        return _answer(request, draw.nothing(page), status=404)
    now = await transaction_time(session)
    incident = await public_page.incident(session, code, now=now)
    if incident is not None:
        return _answer(request, draw.incident(page, incident))
    maintenance = await public_page.maintenance(session, code)
    if maintenance is not None:
        return _answer(request, draw.maintenance(page, maintenance))
    return _answer(request, draw.nothing(page), status=404)


@router.get("/history")
async def show_history(
    request: Request, service: ServiceDep, session: ReadSession, month: str | None = None
) -> Response:
    page = await _picture(request, service, session)
    wanted = MonthName.read(month) if month is not None else None
    found = None
    if month is None or wanted is not None:
        now = await transaction_time(session)
        found = await public_history.month(session, wanted, now=now)
    if found is None:
        return _answer(request, draw.nothing(page), status=404)
    return _answer(request, draw.history(page, found))


@router.get("/history.rss")
async def show_rss(request: Request, service: ServiceDep, session: ReadSession) -> Response:
    return await _feed("rss", request, service, session)


@router.get("/history.atom")
async def show_atom(request: Request, service: ServiceDep, session: ReadSession) -> Response:
    return await _feed("atom", request, service, session)


@router.get("/badge.svg")
async def show_badge(request: Request, service: ServiceDep, session: ReadSession) -> Response:
    return await _badge(request, service, session, draw.page_badge)


@router.get("/badges/{component_id}.svg")
async def show_component_badge(
    request: Request, service: ServiceDep, session: ReadSession, component_id: int
) -> Response:
    return await _badge(
        request, service, session, lambda page: draw.component_badge(page, component_id)
    )


async def _picture(request: Request, service: Service, session: ReadSession) -> PublicPage:
    address = service.settings.public_url or str(request.base_url)
    now = await transaction_time(session)
    return await service.public_picture.look(session, address.rstrip("/"), now=now)


async def _feed(kind: str, request: Request, service: Service, session: ReadSession) -> Response:
    page = await _picture(request, service, session)
    text = draw.feed(kind, page, await public_history.newest(session))
    return _answer(request, text, kind=f"{FEEDS[kind]}; charset=utf-8", more=OPEN)


async def _badge(
    request: Request,
    service: Service,
    session: ReadSession,
    drawn: Callable[[PublicPage], str | None],
) -> Response:
    svg = drawn(await _picture(request, service, session))
    if svg is None:
        return Response(status_code=404, headers={**OPEN, "Cache-Control": SHORTLY})
    return _answer(request, svg, kind=SVG, more=OPEN)


def _answer(
    request: Request,
    text: str,
    *,
    status: int = 200,
    kind: str = HTML,
    more: Mapping[str, str] | None = None,
) -> Response:
    """The answer under its tag; or that it is still the same, to whoever has it."""
    body = text.encode()
    tag = f'"{hashlib.blake2s(body, digest_size=12).hexdigest()}"'
    headers = {
        "ETag": tag,
        "Cache-Control": SHORTLY,
        "Content-Security-Policy": POLICY if kind == HTML else NO_POLICY,
        **(more or {}),
    }
    offered = request.headers.get("if-none-match", "")
    if status == 200 and (offered == "*" or tag[1:-1] in TAG.findall(offered)):
        return Response(status_code=304, headers=headers)
    return Response(body, status, headers=headers, media_type=kind)
