"""The front door, and Swagger UI and ReDoc from our own files: they work in a closed network."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from app.core.version import VERSION
from app.web.templating import LOOSE_STYLE_POLICY, REDOC_POLICY, page

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
async def home(request: Request) -> Response:
    """What runs here: a page for a browser, JSON for the rest."""
    if _wants_html(request):
        return page("home.html", version=VERSION)
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


@router.get("/docs", include_in_schema=False)
async def docs() -> HTMLResponse:
    return page("docs.html", policy=LOOSE_STYLE_POLICY)


@router.get("/redoc", include_in_schema=False)
async def redoc() -> HTMLResponse:
    return page("redoc.html", policy=REDOC_POLICY)
