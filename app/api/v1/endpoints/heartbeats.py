"""Monitors that must be heard of: a missed ping opens an incident, the next one resolves it."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from app.api.deps import (
    Admin,
    KeyPath,
    Now,
    Paging,
    Reader,
    ReadSession,
    ServiceDep,
    WriteSession,
    acting,
)
from app.api.errors import answers
from app.api.etags import CONDITIONAL, NOT_MODIFIED, Edited, IfMatch
from app.api.idempotency import Once, replays
from app.api.paging import PageQuery, paged
from app.api.resource_route import ResourceRoute
from app.api.state import Service
from app.crud import crud_heartbeat_monitor
from app.crud.crud_heartbeat_monitor import HeartbeatOrder
from app.db import session as db
from app.domain.heartbeat_monitor import MonitorState
from app.schemas.base import PageRead
from app.schemas.heartbeat_monitor import (
    HeartbeatCreate,
    HeartbeatCreated,
    HeartbeatOutageRead,
    HeartbeatPingsRead,
    HeartbeatRead,
    HeartbeatUpdate,
)
from app.schemas.types import ServiceName
from app.services import heartbeat_monitor as heartbeat_monitor_service
from app.services.heartbeat_monitor import NewAddress

router = APIRouter(prefix="/heartbeats", tags=["heartbeats"], route_class=ResourceRoute)

HeartbeatPaging = Annotated[PageQuery, Depends(paged(HeartbeatOrder, HeartbeatOrder.ID))]


async def _shown(session: db.ReadSession, heartbeat_id: int) -> HeartbeatRead:
    monitor = await heartbeat_monitor_service.require(session, heartbeat_id)
    return HeartbeatRead.at(monitor, await db.transaction_time(session))


EDITED = Edited(crud_heartbeat_monitor.lock, _shown, HeartbeatRead)


@router.get("", response_model=PageRead[HeartbeatRead], responses=answers(401, 422))
async def list_heartbeats(
    session: ReadSession,
    paging: HeartbeatPaging,
    _: Reader,
    state: Annotated[list[MonitorState], Query(description="Any of these.")] = [],  # noqa: B006
    service: Annotated[list[ServiceName], Query(description="Any of these.")] = [],  # noqa: B006
) -> dict[str, Any]:
    """List heartbeats, in the order they were made."""
    now = await db.transaction_time(session)
    found = await crud_heartbeat_monitor.list_page(session, state, service, paging.window, now=now)
    items = [HeartbeatRead.at(monitor, now) for monitor in found.items]
    return {**paging.shown(found), "items": items}


@router.post(
    "",
    response_model=HeartbeatCreated,
    status_code=201,
    responses=answers(401, 403, 409, 413, 422) | replays(HeartbeatRead),
)
async def create_heartbeat(
    request: Request,
    service: ServiceDep,
    session: WriteSession,
    body: HeartbeatCreate,
    now: Now,
    user: Admin,
    _: Once,
) -> HeartbeatCreated:
    """Make a monitor. The answer shows its ping URL, this once.

    Nothing is expected of it before its first ping.
    """
    made = await heartbeat_monitor_service.create(
        session, body.model_dump(), actor=acting(user), now=now
    )
    shown = HeartbeatRead.at(made.monitor, now)
    return HeartbeatCreated(**shown.model_dump(), ping_url=_url(service, request, made))


@router.get(
    "/{heartbeat_id}",
    response_model=HeartbeatRead,
    responses=answers(401, 404, 422) | NOT_MODIFIED,
    dependencies=CONDITIONAL,
)
async def read_heartbeat(session: ReadSession, heartbeat_id: KeyPath, _: Reader) -> HeartbeatRead:
    """Read one monitor and how it stands."""
    return await _shown(session, heartbeat_id)


@router.patch(
    "/{heartbeat_id}",
    response_model=HeartbeatRead,
    responses=answers(401, 403, 404, 409, 412, 413, 422),
)
async def update_heartbeat(
    session: WriteSession,
    heartbeat_id: KeyPath,
    body: HeartbeatUpdate,
    now: Now,
    _: Admin,
    expected: IfMatch,
) -> HeartbeatRead:
    """Change the named fields. New spans count from its last good ping on.

    Nothing is expected of one that is not active. Once it is active again, a whole interval is.
    """
    await expected.hold(EDITED, session, heartbeat_id)
    fields = body.model_dump(exclude_unset=True)
    monitor = await heartbeat_monitor_service.update(session, heartbeat_id, fields, now=now)
    return HeartbeatRead.at(monitor, now)


@router.delete("/{heartbeat_id}", status_code=204, responses=answers(401, 403, 404, 412, 422))
async def delete_heartbeat(
    session: WriteSession, heartbeat_id: KeyPath, _: Admin, expected: IfMatch
) -> Response:
    """Delete a monitor with its history. An incident that it opened stays as it is."""
    await expected.hold(EDITED, session, heartbeat_id)
    await heartbeat_monitor_service.remove(session, heartbeat_id)
    return Response(status_code=204)


@router.post(
    "/{heartbeat_id}/rotate-url",
    response_model=HeartbeatCreated,
    status_code=201,
    responses=answers(401, 403, 404, 409, 413, 422) | replays(HeartbeatRead),
)
async def rotate_heartbeat_url(
    request: Request,
    service: ServiceDep,
    session: WriteSession,
    heartbeat_id: KeyPath,
    now: Now,
    _: Admin,
    once: Once,
) -> HeartbeatCreated:
    """Give it another ping URL, which the answer shows this once. The old one ends at once."""
    made = await heartbeat_monitor_service.rotate(session, heartbeat_id, now=now)
    shown = HeartbeatRead.at(made.monitor, now)
    return HeartbeatCreated(**shown.model_dump(), ping_url=_url(service, request, made))


@router.get(
    "/{heartbeat_id}/pings",
    response_model=HeartbeatPingsRead,
    responses=answers(401, 404, 422),
)
async def list_heartbeat_pings(
    session: ReadSession, heartbeat_id: KeyPath, _: Reader
) -> dict[str, Any]:
    """List the last 25 pings of a monitor, newest first: all that are kept."""
    await heartbeat_monitor_service.require(session, heartbeat_id)
    return {"items": await crud_heartbeat_monitor.pings(session, heartbeat_id)}


@router.get(
    "/{heartbeat_id}/outages",
    response_model=PageRead[HeartbeatOutageRead],
    responses=answers(401, 404, 422),
)
async def list_heartbeat_outages(
    session: ReadSession, heartbeat_id: KeyPath, paging: Paging, _: Reader
) -> dict[str, Any]:
    """List when a monitor was down, newest first. The last 100 times are kept."""
    await heartbeat_monitor_service.require(session, heartbeat_id)
    found = await crud_heartbeat_monitor.list_outages(session, heartbeat_id, paging.window)
    return paging.shown(found)


def _url(service: Service, request: Request, made: NewAddress) -> str:
    """What to call, as callers know us."""
    base = service.settings.public_url or str(request.base_url)
    return f"{base.rstrip('/')}/v1/ping/{made.token}"
