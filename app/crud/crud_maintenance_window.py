"""Maintenance windows and the services that they are for.

Whoever changes a window holds its row.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, and_, delete, exists, func, insert, or_, select
from sqlalchemy.orm import selectinload

from app.crud import base
from app.db.session import ReadSession, WriteSession
from app.domain.maintenance_window import WindowStatus
from app.models import MaintainedService, MaintenanceWindow


class WindowOrder(StrEnum):
    ID = "id"
    STARTS_AT = "starts_at"
    ENDS_AT = "ends_at"


ORDERS: base.Orders = {
    WindowOrder.STARTS_AT: MaintenanceWindow.starts_at,
    WindowOrder.ENDS_AT: MaintenanceWindow.ends_at,
}


@dataclass(frozen=True)
class WindowFilter:
    """Which windows; an empty field does not narrow. One for everything is for each service."""

    status: Collection[WindowStatus] = ()
    service_id: int | None = None
    starting: base.Span = base.ALWAYS


def _whole() -> Select[tuple[MaintenanceWindow]]:
    return (
        select(MaintenanceWindow)
        .options(selectinload(MaintenanceWindow.services))
        .execution_options(populate_existing=True)
    )


async def get(session: ReadSession, window_id: int) -> MaintenanceWindow | None:
    """The window with its services."""
    statement = _whole().where(MaintenanceWindow.id == window_id)
    return (await session.scalars(statement)).one_or_none()


async def lock(session: WriteSession, window_id: int) -> MaintenanceWindow | None:
    """The window with its services, held until commit."""
    statement = _whole().where(MaintenanceWindow.id == window_id)
    held = statement.with_for_update(key_share=True, of=MaintenanceWindow)
    return (await session.scalars(held)).one_or_none()


async def add(session: WriteSession, window: MaintenanceWindow) -> MaintenanceWindow:
    return await base.add(session, window)


async def list_page(
    session: ReadSession, where: WindowFilter, wanted: base.Window, *, now: datetime
) -> base.Slice[MaintenanceWindow]:
    """Those that begin last come first, unless another order is wanted."""
    statement = where.starting.narrow(_whole(), MaintenanceWindow.starts_at)
    if where.status:
        statement = statement.where(or_(*(_stands(status, now) for status in where.status)))
    if where.service_id is not None:
        named = exists().where(
            MaintainedService.maintenance_window_id == MaintenanceWindow.id,
            MaintainedService.service_id == where.service_id,
        )
        statement = statement.where(MaintenanceWindow.is_for_everything | named)
    return await base.window(session, statement, MaintenanceWindow.id, wanted, orders=ORDERS)


def _stands(status: WindowStatus, now: datetime) -> ColumnElement[bool]:
    """What `domain.maintenance_window.status_at` says, of rows."""
    window = MaintenanceWindow
    if status is WindowStatus.CANCELLED:
        return window.cancelled_at.is_not(None)
    if status is WindowStatus.OVER:
        ended = window.ended_at.is_not(None) | (window.ends_at <= now)
        return window.cancelled_at.is_(None) & ended
    begun = window.starts_at <= now if status is WindowStatus.RUNNING else window.starts_at > now
    return and_(_live(now), begun)


def _live(now: datetime) -> ColumnElement[bool]:
    return and_(
        MaintenanceWindow.ended_at.is_(None),
        MaintenanceWindow.cancelled_at.is_(None),
        MaintenanceWindow.ends_at > now,
    )


async def running_until(session: ReadSession, service_id: int, *, now: datetime) -> datetime | None:
    """When the last of the windows ends that are on for a service just now."""
    named = exists().where(
        MaintainedService.maintenance_window_id == MaintenanceWindow.id,
        MaintainedService.service_id == service_id,
    )
    statement = select(func.max(MaintenanceWindow.ends_at)).where(
        _live(now),
        MaintenanceWindow.starts_at <= now,
        MaintenanceWindow.is_for_everything | named,
    )
    last: datetime | None = await session.scalar(statement)
    return last


async def set_services(session: WriteSession, window_id: int, service_ids: Collection[int]) -> None:
    """Have a window be for these services and no others. The caller holds the window."""
    await session.execute(
        delete(MaintainedService)
        .where(MaintainedService.maintenance_window_id == window_id)
        .execution_options(synchronize_session=False)
    )
    rows = [
        {"maintenance_window_id": window_id, "service_id": service_id}
        for service_id in sorted(service_ids)
    ]
    if rows:
        await session.execute(insert(MaintainedService), rows)
