"""What the page of an incident fetches when somebody asks for it: a comment as it will look, and
the body that an alert came in."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from app.api.bounds import BoundedRoute
from app.api.deps import KeyPath, ServiceDep
from app.core.errors import NotFoundError
from app.crud import crud_alert
from app.services import alert as alert_service
from app.web import forms
from app.web.deps import RespondingDep
from app.web.incident_view import require
from app.web.templating import render

router = APIRouter(include_in_schema=False, route_class=BoundedRoute)

MOST_SHOWN = 20_000  # characters of a body; the API has the whole


@router.post("/markdown")
async def show_markdown(request: Request, visitor: RespondingDep) -> HTMLResponse:
    """A text as it will look. Nothing is kept."""
    given = await forms.given(request)
    text = (given.get("content") or given.get("body") or "")[:10_000]
    return render(request, visitor, "incidents/markdown.html", text=text)


@router.get("/incidents/{incident_id}/alerts/{alert_id}/body")
async def show_body(
    request: Request,
    visitor: RespondingDep,
    service: ServiceDep,
    incident_id: KeyPath,
    alert_id: KeyPath,
) -> HTMLResponse:
    """What came, as text. It may hold secrets of its sender, so viewers do not see it."""
    async with service.database.reading() as session:
        incident = await require(session, incident_id)
        alert = await crud_alert.get(session, alert_id)
        if alert is None or alert.incident_id != incident_id:
            raise NotFoundError("alert", alert_id)
        kept = await alert_service.require_body(session, alert_id)
    is_text = alert_service.is_text(kept)
    text = kept.body.decode(errors="replace") if is_text else ""
    return render(
        request,
        visitor,
        "incidents/body.html",
        block="body" if "hx-request" in request.headers else None,
        incident=incident,
        alert=alert,
        text=text[:MOST_SHOWN],
        is_text=is_text,
        is_cut=alert_service.is_cut(kept) or len(text) > MOST_SHOWN,
    )
