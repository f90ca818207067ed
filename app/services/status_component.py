"""The components of the status page and their groups: what the public knows of the service.

One that is deleted leaves the page and every list; what was told of it stays. Locking: the page.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.core.errors import ConflictError, InvalidInputError, NotFoundError
from app.crud import crud_service, crud_status_component, crud_status_page
from app.db.session import ReadSession, WriteSession
from app.domain.public_update import NoticeKind
from app.models import ComponentGroup, StatusComponent
from app.services import component_state, public_news, status_page

MOST_COMPONENTS = 200
MOST_GROUPS = 50


class TooManyComponentsError(ConflictError):
    """Nobody reads a page of more."""

    code = "TOO_MANY_COMPONENTS"


class TooManyGroupsError(ConflictError):
    """Nobody reads a page of more."""

    code = "TOO_MANY_COMPONENT_GROUPS"


class InvalidComponentError(InvalidInputError):
    """What it names does not exist; `details.errors` names each place."""

    code = "INVALID_COMPONENT"


async def require(session: ReadSession, component_id: int) -> StatusComponent:
    return _there(await crud_status_component.get(session, component_id), component_id)


async def lock(session: WriteSession, component_id: int) -> StatusComponent | None:
    """The component, held until commit; the page is held first, as by everybody."""
    await crud_status_page.lock(session)
    return await crud_status_component.lock(session, component_id)


async def lock_group(session: WriteSession, group_id: int) -> ComponentGroup | None:
    """The group, held until commit; the page is held first, as by everybody."""
    await crud_status_page.lock(session)
    return await crud_status_component.lock_group(session, group_id)


async def create(
    session: WriteSession, fields: Mapping[str, Any], *, now: datetime
) -> StatusComponent:
    """A component, which from now on has a history."""
    at = (await status_page.hold(session, now=now)).changed_at
    if await crud_status_component.count(session) >= MOST_COMPONENTS:
        raise TooManyComponentsError(f"A page has {MOST_COMPONENTS} components at most.")
    await _require_links(session, fields)
    written = dict(fields)
    status = written.pop("status")
    component = StatusComponent(
        **written,
        status=status,
        set_status=status,
        revision=1,
        created_at=at,
        updated_at=at,
    )
    return await crud_status_component.add(session, component, now=at)


async def update(
    session: WriteSession, component_id: int, fields: Mapping[str, Any], *, now: datetime
) -> StatusComponent:
    """Write the named fields. A status is what somebody says by hand: what public incidents and
    maintenances say stays, and the worst of all is shown."""
    at = (await status_page.hold(session, now=now)).changed_at
    component = await _held(session, component_id)
    await _require_links(session, fields)
    written = dict(fields)
    if "status" in written:
        written["set_status"] = written.pop("status")
    component.revise(written, now=at)
    for change in await component_state.settle(session, [component_id], now=at):
        kind = NoticeKind.COMPONENT_STATUS_CHANGED
        await public_news.notify(session, kind, change.component, [change.component], now=at)
    return component


async def remove(session: WriteSession, component_id: int, *, now: datetime) -> None:
    """Take a component off the page; its history ends now."""
    at = (await status_page.hold(session, now=now)).changed_at
    component = await _held(session, component_id)
    await component_state.end(session, component, now=at)
    component.deleted_at = at
    component.touch(at)


# --- Groups -----------------------------------------------------------------------------


async def require_group(session: ReadSession, group_id: int) -> ComponentGroup:
    return _there_group(await crud_status_component.get_group(session, group_id), group_id)


async def create_group(
    session: WriteSession, fields: Mapping[str, Any], *, now: datetime
) -> ComponentGroup:
    """A group with nothing in it."""
    at = (await status_page.hold(session, now=now)).changed_at
    if await crud_status_component.count_groups(session) >= MOST_GROUPS:
        raise TooManyGroupsError(f"A page has {MOST_GROUPS} groups at most.")
    group = ComponentGroup(**fields, revision=1, created_at=at, updated_at=at)
    return await crud_status_component.add_group(session, group)


async def update_group(
    session: WriteSession, group_id: int, fields: Mapping[str, Any], *, now: datetime
) -> ComponentGroup:
    """Write the named fields."""
    at = (await status_page.hold(session, now=now)).changed_at
    group = await _held_group(session, group_id)
    group.revise(fields, now=at)
    return group


async def remove_group(session: WriteSession, group_id: int, *, now: datetime) -> None:
    """Take a group off the page; its components stay, without one."""
    await status_page.hold(session, now=now)
    await crud_status_component.remove_group(session, await _held_group(session, group_id))


async def _require_links(session: WriteSession, fields: Mapping[str, Any]) -> None:
    group_id, service_id = fields.get("group_id"), fields.get("service_id")
    if group_id is not None and (await crud_status_component.get_group(session, group_id) is None):
        raise _invalid("group_id", f"names group {group_id}, which does not exist")
    if service_id is not None and service_id not in await crud_service.share(session, [service_id]):
        raise _invalid("service_id", f"names service {service_id}, which does not exist")


def _invalid(path: str, message: str) -> InvalidComponentError:
    return InvalidComponentError(
        f"The component cannot be saved: {path} {message}.",
        errors=[{"path": path, "message": message}],
    )


async def _held(session: WriteSession, component_id: int) -> StatusComponent:
    return _there(await crud_status_component.lock(session, component_id), component_id)


async def _held_group(session: WriteSession, group_id: int) -> ComponentGroup:
    return _there_group(await crud_status_component.lock_group(session, group_id), group_id)


def _there(component: StatusComponent | None, component_id: int) -> StatusComponent:
    if component is None:
        raise NotFoundError("status component", component_id)
    return component


def _there_group(group: ComponentGroup | None, group_id: int) -> ComponentGroup:
    if group is None:
        raise NotFoundError("component group", group_id)
    return group
