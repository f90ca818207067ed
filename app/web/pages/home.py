"""The front door, and Swagger UI and ReDoc from our own files: they work in a closed network."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from app.api.bounds import BoundedRoute
from app.api.deps import ServiceDep
from app.api.state import Service
from app.core.version import VERSION
from app.services import preflight as preflight_service
from app.services.notification_preference import unconfigured
from app.web import home_view
from app.web.deps import RespondingDep, SignInNeededError, Visitor, VisitorDep, visitor_of
from app.web.templating import LOOSE_STYLE_POLICY, REDOC_POLICY, page, render
from app.web.wellness import look

router = APIRouter()
parts = APIRouter(prefix="/home", include_in_schema=False, route_class=BoundedRoute)


def _wants_html(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


@router.get(
    "/",
    tags=["health"],
    operation_id="home",
    responses={
        200: {
            "content": {
                "application/json": {
                    "example": {"name": "Tocsin", "version": "0.1.0", "docs": "/docs"}
                },
                "text/html": {},
            }
        }
    },
)
async def home(request: Request, service: ServiceDep) -> Response:
    """What runs here: the console for a browser, JSON for the rest."""
    if _wants_html(request):
        return await _console(request, service)
    return JSONResponse(
        {
            "name": "Tocsin",
            "version": VERSION,
            "docs": "/docs",
            "redoc": "/redoc",
            "openapi": "/openapi.json",
            "health": "/health",
        }
    )


async def _console(request: Request, service: Service) -> HTMLResponse:
    visitor = await visitor_of(request, service)
    if visitor is None:
        raise SignInNeededError("/")
    return render(
        request,
        visitor,
        "home/index.html",
        fires=await home_view.fires(service),
        on_duty=await home_view.on_duty(service, now=visitor.now),
        wellness=await look(service),
        steps=await home_view.first_steps(service, visitor),
    )


@parts.get("/fires")
async def fires(request: Request, visitor: VisitorDep, service: ServiceDep) -> HTMLResponse:
    found = await home_view.fires(service)
    return _part(request, visitor, "fires", fires=found)


@parts.get("/on-call")
async def on_call(request: Request, visitor: VisitorDep, service: ServiceDep) -> HTMLResponse:
    found = await home_view.on_duty(service, now=visitor.now)
    return _part(request, visitor, "on_call", on_duty=found)


@parts.get("/wellness")
async def wellness(request: Request, visitor: VisitorDep, service: ServiceDep) -> HTMLResponse:
    return _part(request, visitor, "wellness", wellness=await look(service))


@parts.get("/findings")
async def findings(
    request: Request, visitor: RespondingDep, service: ServiceDep, part: str = ""
) -> HTMLResponse:
    """What would let a page reach nobody; looked for anew, so on its own."""
    silent = unconfigured(service.channel_states())
    async with service.database.reading() as session:
        report = await preflight_service.report(session, silent, now=visitor.now)
    block = "findings" if part else None
    return render(request, visitor, "home/findings.html", block=block, report=report)


def _part(request: Request, visitor: Visitor, block: str, **values: Any) -> HTMLResponse:
    return render(request, visitor, "home/index.html", block=block, part=True, **values)


@router.get("/docs", include_in_schema=False)
async def docs() -> HTMLResponse:
    return page("docs.html", policy=LOOSE_STYLE_POLICY)


@router.get("/redoc", include_in_schema=False)
async def redoc() -> HTMLResponse:
    return page("redoc.html", policy=REDOC_POLICY)
