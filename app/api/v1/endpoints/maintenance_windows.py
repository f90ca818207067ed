"""Times in which services are worked on: alerts are recorded, and nobody is paged."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from app.api.deps import KeyPath, Now, Reader, ReadSession, Responder, WriteSession
from app.api.errors import answers
from app.api.etags import CONDITIONAL, NOT_MODIFIED, Edited, IfMatch
from app.api.idempotency import Once, replays
from app.api.paging import InSpan, PageQuery, paged
from app.api.resource_route import ResourceRoute
from app.core.paging import BIGGEST_KEY
from app.crud import crud_maintenance_window
from app.crud.crud_maintenance_window import WindowFilter, WindowOrder
from app.db.session import ReadSession as Reading
from app.db.session import transaction_time
from app.domain.maintenance_window import WindowStatus
from app.models import MaintenanceWindow
from app.schemas.base import PageRead
from app.schemas.maintenance_window import (
    MaintenanceWindowCreate,
    MaintenanceWindowRead,
    MaintenanceWindowUpdate,
)
from app.services import maintenance_window as maintenance_window_service

router = APIRouter(prefix="/maintenance-windows", tags=["catalogue"], route_class=ResourceRoute)

WindowPaging = Annotated[PageQuery, Depends(paged(WindowOrder, WindowOrder.STARTS_AT))]


async def _shown(session: Reading, window_id: int) -> MaintenanceWindow:
    now = await transaction_time(session)
    return (await maintenance_window_service.require(session, window_id)).seen_at(now)


EDITED = Edited(crud_maintenance_window.lock, _shown, MaintenanceWindowRead)


@router.get("", response_model=PageRead[MaintenanceWindowRead], responses=answers(401, 422))
async def list_maintenance_windows(
    session: ReadSession,
    paging: WindowPaging,
    _: Reader,
    starting: InSpan,
    status: Annotated[list[WindowStatus], Query(description="Any of these.")] = [],  # noqa: B006
    service_id: Annotated[
        int | None,
        Query(ge=1, le=BIGGEST_KEY, description="Only those for this service, or everything."),
    ] = None,
) -> dict[str, Any]:
    """List maintenance windows, those that begin last first. `since`, `until`: by `starts_at`."""
    now = await transaction_time(session)
    where = WindowFilter(status, service_id, starting)
    found = await crud_maintenance_window.list_page(session, where, paging.window, now=now)
    return paging.shown(found) | {"items": [window.seen_at(now) for window in found.items]}


@router.post(
    "",
    response_model=MaintenanceWindowRead,
    status_code=201,
    responses=answers(401, 403, 409, 413, 422) | replays(MaintenanceWindowRead),
)
async def create_maintenance_window(
    session: WriteSession, body: MaintenanceWindowCreate, now: Now, user: Responder, once: Once
) -> MaintenanceWindow:
    """Plan maintenance of services, or begin it now. Alerts are recorded and nobody is paged.

    What is open when it ends pages then: nothing is dropped.
    """
    fields = body.model_dump(exclude={"service_ids"})
    return await maintenance_window_service.plan(
        session, fields, body.service_ids, by=user, now=now
    )


@router.get(
    "/{window_id}",
    response_model=MaintenanceWindowRead,
    responses=answers(401, 404, 422) | NOT_MODIFIED,
    dependencies=CONDITIONAL,
)
async def read_maintenance_window(
    session: ReadSession, window_id: KeyPath, _: Reader
) -> MaintenanceWindow:
    """Read one maintenance window."""
    return await _shown(session, window_id)


@router.patch(
    "/{window_id}",
    response_model=MaintenanceWindowRead,
    responses=answers(401, 403, 404, 409, 412, 413, 422),
)
async def update_maintenance_window(
    session: WriteSession,
    window_id: KeyPath,
    body: MaintenanceWindowUpdate,
    now: Now,
    user: Responder,
    expected: IfMatch,
) -> MaintenanceWindow:
    """Change the named fields of a window that is not over; its start only before it begins."""
    await expected.hold(EDITED, session, window_id)
    fields = body.model_dump(exclude_unset=True, exclude={"service_ids"})
    return await maintenance_window_service.update(
        session, window_id, fields, body.service_ids, by=user, now=now
    )


@router.post(
    "/{window_id}/end",
    response_model=MaintenanceWindowRead,
    responses=answers(401, 403, 404, 409, 412, 422),
)
async def end_maintenance_window(
    session: WriteSession, window_id: KeyPath, now: Now, user: Responder, expected: IfMatch
) -> MaintenanceWindow:
    """End a window that is on. Whoever waited for it is paged. One that is over stays as it is."""
    await expected.hold(EDITED, session, window_id)
    return await maintenance_window_service.end(session, window_id, by=user, now=now)


@router.delete("/{window_id}", status_code=204, responses=answers(401, 403, 404, 409, 412, 422))
async def cancel_maintenance_window(
    session: WriteSession, window_id: KeyPath, now: Now, user: Responder, expected: IfMatch
) -> Response:
    """Cancel a window that has not begun. It stays in the list, as cancelled."""
    await expected.hold(EDITED, session, window_id)
    await maintenance_window_service.cancel(session, window_id, by=user, now=now)
    return Response(status_code=204)
