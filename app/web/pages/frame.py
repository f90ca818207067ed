"""What the frame of every page asks for: the choice of a theme, and how Tocsin is."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from app.api.bounds import BoundedRoute
from app.api.deps import ServiceDep
from app.web import flash, forms, theme
from app.web.deps import VisitorDep, local
from app.web.templating import render
from app.web.wellness import look

router = APIRouter(prefix="/frame", include_in_schema=False, route_class=BoundedRoute)


@router.post("/theme")
async def choose_theme(request: Request, _: VisitorDep) -> Response:
    given = await forms.given(request)
    answer = flash.back(request, local(given.get("next")))
    theme.choose(answer, given.get("theme", ""))
    return answer


@router.get("/wellness")
async def wellness(request: Request, visitor: VisitorDep, service: ServiceDep) -> HTMLResponse:
    found = await look(service)
    return render(request, visitor, "frame/wellness.html", wellness=found)
