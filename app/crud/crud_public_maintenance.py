"""Public maintenances and the components that they are for.

Whoever changes one holds the page's row.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, delete, func, insert, select

from app.crud import base
from app.db.session import ReadSession, WriteSession
from app.domain.public_maintenance import MaintenanceStatus
from app.models import PublicMaintenance, PublicMaintenanceComponent, StatusComponent


@dataclass(frozen=True)
class MaintenanceFilter:
    """Which maintenances; an empty field does not narrow."""

    status: Collection[MaintenanceStatus] = ()
    starting: base.Span = base.ALWAYS


def _shown() -> Select[tuple[PublicMaintenance]]:
    return select(PublicMaintenance).where(PublicMaintenance.withdrawn_at.is_(None))


async def get(session: ReadSession, maintenance_id: int) -> PublicMaintenance | None:
    return _unless_withdrawn(await base.get(session, PublicMaintenance, maintenance_id))


async def lock(session: WriteSession, maintenance_id: int) -> PublicMaintenance | None:
    """The maintenance, held until commit."""
    return _unless_withdrawn(await base.lock(session, PublicMaintenance, maintenance_id))


def _unless_withdrawn(found: PublicMaintenance | None) -> PublicMaintenance | None:
    return found if found is not None and found.withdrawn_at is None else None


async def by_code(session: ReadSession, code: str) -> PublicMaintenance | None:
    """What the public knows by this name."""
    found = await session.scalars(_shown().where(PublicMaintenance.code == code))
    return found.one_or_none()


async def list_page(
    session: ReadSession, where: MaintenanceFilter, wanted: base.Window
) -> base.Slice[PublicMaintenance]:
    """Those that begin last come first."""
    statement = where.starting.narrow(_shown(), PublicMaintenance.scheduled_for)
    if where.status:
        statement = statement.where(PublicMaintenance.status.in_(where.status))
    orders: base.Orders = {base.BY_ID: PublicMaintenance.scheduled_for}
    return await base.window(session, statement, PublicMaintenance.id, wanted, orders=orders)


async def ahead(session: ReadSession, *, most: int) -> Sequence[PublicMaintenance]:
    """What is not over, nearest first."""
    statement = (
        _shown()
        .where(PublicMaintenance.completed_at.is_(None))
        .order_by(PublicMaintenance.scheduled_for, PublicMaintenance.id)
        .limit(most)
    )
    return (await session.scalars(statement)).all()


async def started(
    session: ReadSession, span: base.Span, *, most: int
) -> Sequence[PublicMaintenance]:
    """What was to begin within a time, newest first."""
    statement = span.narrow(_shown(), PublicMaintenance.scheduled_for)
    ordered = statement.order_by(
        PublicMaintenance.scheduled_for.desc(), PublicMaintenance.id.desc()
    )
    return (await session.scalars(ordered.limit(most))).all()


async def first_scheduled_for(session: ReadSession) -> datetime | None:
    """When the first of them was to begin."""
    found: datetime | None = await session.scalar(
        select(func.min(PublicMaintenance.scheduled_for)).where(
            PublicMaintenance.withdrawn_at.is_(None)
        )
    )
    return found


async def add(session: WriteSession, maintenance: PublicMaintenance) -> PublicMaintenance:
    return await base.add(session, maintenance)


async def components(
    session: ReadSession, ids: Collection[int]
) -> dict[int, list[StatusComponent]]:
    """What each of these is for, in the order of the page."""
    link = PublicMaintenanceComponent
    statement = (
        select(link.public_maintenance_id, StatusComponent)
        .join(StatusComponent, StatusComponent.id == link.component_id)
        .where(link.public_maintenance_id.in_(ids), StatusComponent.deleted_at.is_(None))
        .order_by(StatusComponent.position, StatusComponent.id)
    )
    found: dict[int, list[StatusComponent]] = {key: [] for key in ids}
    for key, component in (await session.execute(statement)).tuples():
        found[key].append(component)
    return found


async def set_components(
    session: WriteSession, maintenance_id: int, component_ids: Collection[int]
) -> None:
    """Have a maintenance be for these components and no others."""
    link = PublicMaintenanceComponent
    await session.execute(
        delete(link)
        .where(link.public_maintenance_id == maintenance_id)
        .execution_options(synchronize_session=False)
    )
    rows = [
        {"public_maintenance_id": maintenance_id, "component_id": key}
        for key in sorted(component_ids)
    ]
    if rows:
        await session.execute(insert(link), rows)


# --- What happens by itself -------------------------------------------------------------


async def next_at(session: ReadSession) -> datetime | None:
    """When the next of them begins or ends by itself."""
    found: datetime | None = await session.scalar(select(func.min(PublicMaintenance.next_at)))
    return found


async def first_due(session: WriteSession, *, now: datetime) -> PublicMaintenance | None:
    """The most overdue of them. The caller holds the page, and so every maintenance."""
    statement = (
        select(PublicMaintenance)
        .where(PublicMaintenance.next_at <= now)
        .order_by(PublicMaintenance.next_at, PublicMaintenance.id)
        .limit(1)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(statement)).one_or_none()
