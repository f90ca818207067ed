"""The front door, and Swagger UI and ReDoc from our own files: they work in a closed network."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from app.api.deps import ServiceDep
from app.api.state import Service
from app.core.version import VERSION
from app.web.deps import SignInNeededError, visitor_of
from app.web.templating import LOOSE_STYLE_POLICY, REDOC_POLICY, page, render

router = APIRouter()


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
    return render(request, visitor, "home/index.html")


@router.get("/docs", include_in_schema=False)
async def docs() -> HTMLResponse:
    return page("docs.html", policy=LOOSE_STYLE_POLICY)


@router.get("/redoc", include_in_schema=False)
async def redoc() -> HTMLResponse:
    return page("redoc.html", policy=REDOC_POLICY)
