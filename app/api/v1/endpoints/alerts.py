"""What became of every alert, the body it came in, and reading that again."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from app.api.deps import (
    KeyPath,
    Now,
    Reader,
    ReadSession,
    Responder,
    ServiceDep,
    WriteSession,
    acting,
)
from app.api.errors import answers
from app.api.idempotency import Once, replays
from app.api.paging import PageQuery, paged
from app.api.resource_route import ResourceRoute
from app.core.errors import NotFoundError
from app.core.paging import BIGGEST_KEY
from app.crud import crud_alert, crud_incident
from app.crud.crud_alert import AlertFilter, AlertOrder
from app.db.session import transaction_time
from app.domain.integration import AlertOutcome, IntegrationKind
from app.schemas.alert import AlertRead, DedupKey, When
from app.schemas.base import PageRead
from app.schemas.integration import Received
from app.services import alert as alert_service

router = APIRouter(tags=["alerts"], route_class=ResourceRoute)

AlertPaging = Annotated[PageQuery, Depends(paged(AlertOrder, None))]

TEXT, BINARY = "text/plain; charset=utf-8", "application/octet-stream"
BODY: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The body as it came, for saving. Nothing vouches for what it holds.",
        "content": {
            "text/plain": {"schema": {"type": "string"}},
            BINARY: {"schema": {"type": "string", "format": "binary"}},
        },
        "headers": {
            "X-Body-Cut": {
                "description": "Whether more came than is kept.",
                "schema": {"type": "string", "enum": ["true", "false"]},
            }
        },
    }
}


@router.get("/alerts", response_model=PageRead[AlertRead], responses=answers(401, 422))
async def list_alerts(
    session: ReadSession,
    paging: AlertPaging,
    _: Reader,
    integration_id: Annotated[int | None, Query(ge=1, le=BIGGEST_KEY)] = None,
    incident_id: Annotated[int | None, Query(ge=1, le=BIGGEST_KEY)] = None,
    outcome: Annotated[list[AlertOutcome], Query(description="Any of these.")] = [],  # noqa: B006
    dedup_key: Annotated[DedupKey | None, Query()] = None,
    since: Annotated[When | None, Query(description="Received then or later.")] = None,
    until: Annotated[When | None, Query(description="Received before then.")] = None,
) -> dict[str, Any]:
    """List alerts, newest first, each with what became of it."""
    where = AlertFilter(integration_id, incident_id, outcome, dedup_key, since, until)
    found = await crud_alert.list_page(session, where, paging.window)
    now = await transaction_time(session)
    return paging.shown(found) | {"items": await alert_service.told(session, found.items, now=now)}


@router.get("/alerts/{alert_id}", response_model=AlertRead, responses=answers(401, 404, 422))
async def read_alert(session: ReadSession, alert_id: KeyPath, _: Reader) -> dict[str, Any]:
    """Read what became of one alert."""
    return await alert_service.require(session, alert_id, now=await transaction_time(session))


@router.get(
    "/alerts/{alert_id}/body",
    response_class=Response,
    responses={**answers(401, 403, 404, 422), **BODY},
)
async def read_alert_body(session: ReadSession, alert_id: KeyPath, _: Responder) -> Response:
    """Save the body that an alert came in, as it came: it may hold secrets of its sender.

    Bodies are kept for two weeks unless a setting says otherwise, and no more than 64 KiB of each.
    """
    kept = await alert_service.require_body(session, alert_id)
    is_text = alert_service.is_text(kept)
    name = f"alert-{alert_id}.{'txt' if is_text else 'bin'}"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "X-Content-Type-Options": "nosniff",
        "X-Body-Cut": "true" if alert_service.is_cut(kept) else "false",
    }
    return Response(kept.body, media_type=TEXT if is_text else BINARY, headers=headers)


@router.post(
    "/alerts/{alert_id}/replay",
    response_model=Received,
    responses=answers(401, 403, 404, 409, 413, 422) | replays(Received),
)
async def replay_alert(
    request: Request,
    service: ServiceDep,
    session: WriteSession,
    alert_id: KeyPath,
    now: Now,
    user: Responder,
    _: Once,
    kind: Annotated[
        IntegrationKind | None,
        Query(description="The format of the body, if it is not the integration's own."),
    ] = None,
) -> dict[str, Any]:
    """Read an alert's body again with today's parser, and take it in as if it came now.

    Everything that came in the same request is read again with it. The answer is what a tool
    would get; each incident that is touched says on its timeline who did it.
    """
    items = await alert_service.replay(
        session,
        alert_id,
        kind,
        by=acting(user),
        request_id=request.state.request_id,
        limit=service.service_limit,
        now=now,
    )
    return {"alerts": items}


@router.get(
    "/incidents/{incident_id}/alerts",
    response_model=PageRead[AlertRead],
    responses=answers(401, 404, 422),
)
async def list_alerts_of_incident(
    session: ReadSession, incident_id: KeyPath, paging: AlertPaging, _: Reader
) -> dict[str, Any]:
    """List the alerts that opened an incident, joined it or resolved it, newest first."""
    if await crud_incident.get(session, incident_id) is None:
        raise NotFoundError("incident", incident_id)
    where = AlertFilter(incident_id=incident_id)
    found = await crud_alert.list_page(session, where, paging.window)
    now = await transaction_time(session)
    return paging.shown(found) | {"items": await alert_service.told(session, found.items, now=now)}
