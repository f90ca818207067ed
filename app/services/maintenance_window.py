"""Maintenance windows: opening, changing, ending and cancelling them.

One that has begun is never cancelled and never moved: what it kept quiet was quiet. It is ended.
Whoever waited for it is asked again at once (`services.quiet`), which is why each change says
which services it is about.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from app.core.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from app.crud import crud_maintenance_window, crud_service
from app.db.session import ReadSession, WriteSession
from app.domain.maintenance_window import (
    WindowStatus,
    begins_too_early,
    fault_of,
)
from app.domain.user import Permission
from app.models import MaintenanceWindow, Service, User
from app.services import audit_log, quiet


class InvalidWindowError(InvalidInputError):
    """Its times or its services cannot be; `details.errors` names each place."""

    code = "INVALID_MAINTENANCE_WINDOW"

    def __init__(self, path: str, message: str) -> None:
        super().__init__(
            f"The maintenance window cannot be saved: {path} {message}.",
            errors=[{"path": path, "message": message}],
        )


class WindowBegunError(ConflictError):
    """It has begun, so it is ended and neither cancelled nor moved."""

    code = "MAINTENANCE_WINDOW_BEGUN"


class WindowNotBegunError(ConflictError):
    """It has not begun, so it is cancelled and not ended."""

    code = "MAINTENANCE_WINDOW_NOT_BEGUN"


class WindowOverError(ConflictError):
    """It is over or cancelled; what was stays as it was."""

    code = "MAINTENANCE_WINDOW_OVER"


async def require(session: ReadSession, window_id: int) -> MaintenanceWindow:
    return _there(await crud_maintenance_window.get(session, window_id), window_id)


async def plan(
    session: WriteSession,
    fields: Mapping[str, Any],
    service_ids: Collection[int],
    *,
    by: User,
    now: datetime,
) -> MaintenanceWindow:
    """A window from its start on, or from now."""
    starts_at = fields["starts_at"] or now
    if begins_too_early(starts_at, now=now):
        raise InvalidWindowError("starts_at", "has passed; leave it out to begin now")
    _require_times(starts_at, fields["ends_at"], now=now)
    if fields["is_for_everything"]:
        _require_admin(by)
    await _require_services(session, service_ids)
    window = MaintenanceWindow(
        **{**fields, "starts_at": starts_at},
        created_by=by.id,
        revision=1,
        created_at=now,
        updated_at=now,
    )
    await crud_maintenance_window.add(session, window)
    await crud_maintenance_window.set_services(session, window.id, service_ids)
    return await _saved(session, window.id, [], now=now)


async def update(
    session: WriteSession,
    window_id: int,
    fields: Mapping[str, Any],
    service_ids: Collection[int] | None,
    *,
    by: User,
    now: datetime,
) -> MaintenanceWindow:
    """Write the named fields of a window that is not over; its start only before it begins."""
    window = await _held(session, window_id, by)
    status = window.status_at(now)
    if status in (WindowStatus.OVER, WindowStatus.CANCELLED):
        raise WindowOverError(f"The maintenance window is {status}; open another one.")
    starts_at = fields.get("starts_at", window.starts_at)
    if starts_at != window.starts_at:
        if status is WindowStatus.RUNNING:
            raise WindowBegunError("The maintenance window has begun, so its start stays.")
        if begins_too_early(starts_at, now=now):
            raise InvalidWindowError("starts_at", "has passed")
    _require_times(starts_at, fields.get("ends_at", window.ends_at), now=now)
    before = window.services
    if service_ids is not None:
        await _change_services(session, window, service_ids, now=now)
    window.revise(fields, now=now)
    return await _saved(session, window_id, before, now=now)


async def end(
    session: WriteSession, window_id: int, *, by: User, now: datetime
) -> MaintenanceWindow:
    """End a window that is on: from now on people are paged again. One that is over stays so."""
    window = await _held(session, window_id, by)
    status = window.status_at(now)
    if status is WindowStatus.SCHEDULED:
        raise WindowNotBegunError("The maintenance window has not begun; cancel it instead.")
    if status is WindowStatus.CANCELLED:
        raise WindowOverError("The maintenance window was cancelled.")
    if status is WindowStatus.RUNNING:
        window.revise({"ended_at": now}, now=now)
    return await _saved(session, window_id, [], now=now)


async def cancel(session: WriteSession, window_id: int, *, by: User, now: datetime) -> None:
    """Have a window that has not begun never begin. It stays in the list, as cancelled."""
    window = await _held(session, window_id, by)
    status = window.status_at(now)
    if status in (WindowStatus.RUNNING, WindowStatus.OVER):
        raise WindowBegunError(
            "The maintenance window has begun: what it kept quiet was quiet. End it instead."
            if status is WindowStatus.RUNNING
            else "The maintenance window is over; it stays in the list."
        )
    if status is WindowStatus.SCHEDULED:
        window.revise({"cancelled_at": now}, now=now)


async def _change_services(
    session: WriteSession, window: MaintenanceWindow, service_ids: Collection[int], *, now: datetime
) -> None:
    if window.is_for_everything:
        raise InvalidWindowError("service_ids", "cannot be named: the window is for everything")
    before = [service.id for service in window.services]
    if sorted(before) == sorted(service_ids):
        return
    await _require_services(session, service_ids)
    await crud_maintenance_window.set_services(session, window.id, service_ids)
    window.touch(now)
    await audit_log.note(
        session,
        "maintenance_window.services_changed",
        window.id,
        before={"service_ids": sorted(before)},
        after={"service_ids": sorted(service_ids)},
        now=now,
    )


async def _saved(
    session: WriteSession, window_id: int, before: Sequence[Service], *, now: datetime
) -> MaintenanceWindow:
    """The window as it is now. Whoever waits for what it is, or was, for is asked again."""
    window = await require(session, window_id)
    names = {service.name for service in (*before, *window.services)}
    await quiet.review(session, [None] if window.is_for_everything else sorted(names))
    return window.seen_at(now)


async def _require_services(session: WriteSession, service_ids: Collection[int]) -> None:
    there = await crud_service.share(session, service_ids)
    for place, service_id in enumerate(sorted(service_ids)):
        if service_id not in there:
            raise InvalidWindowError(
                f"service_ids[{place}]", f"names service {service_id}, which does not exist"
            )


def _require_times(starts_at: datetime, ends_at: datetime, *, now: datetime) -> None:
    fault = fault_of(starts_at, ends_at, now=now)
    if fault is not None:
        raise InvalidWindowError(fault.field, fault.message)


def _require_admin(by: User) -> None:
    if not by.may(Permission.ADMINISTER):
        raise ForbiddenError(
            "Maintenance of everything keeps every page waiting; ask an admin.",
            needs=Permission.ADMINISTER.value,
        )


async def _held(session: WriteSession, window_id: int, by: User) -> MaintenanceWindow:
    window = _there(await crud_maintenance_window.lock(session, window_id), window_id)
    if window.is_for_everything:
        _require_admin(by)
    return window


def _there(window: MaintenanceWindow | None, window_id: int) -> MaintenanceWindow:
    if window is None:
        raise NotFoundError("maintenance window", window_id)
    return window
