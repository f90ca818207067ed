"""The components of the status page, their groups, and how each of them was when.

Whoever changes any of it holds the page's row.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ARRAY, BigInteger, DateTime, bindparam, func, select, text

from app.crud import base
from app.db.session import ReadSession, WriteSession
from app.domain.public_maintenance import UNDER_WAY
from app.domain.status_component import ComponentStatus
from app.domain.uptime import Day
from app.models import (
    ComponentGroup,
    ComponentSpell,
    PublicIncident,
    PublicIncidentComponent,
    PublicMaintenance,
    PublicMaintenanceComponent,
    StatusComponent,
)


@dataclass(frozen=True)
class ComponentFilter:
    """Which components; an empty field does not narrow."""

    group_id: int | None = None
    status: Collection[ComponentStatus] = ()


async def get(session: ReadSession, component_id: int) -> StatusComponent | None:
    return _unless_deleted(await base.get(session, StatusComponent, component_id))


async def lock(session: WriteSession, component_id: int) -> StatusComponent | None:
    """The component, held until commit."""
    return _unless_deleted(await base.lock(session, StatusComponent, component_id))


def _unless_deleted(component: StatusComponent | None) -> StatusComponent | None:
    return component if component is not None and component.deleted_at is None else None


async def by_ids(session: ReadSession, ids: Collection[int]) -> dict[int, StatusComponent]:
    """Those of these components that are there."""
    statement = (
        select(StatusComponent)
        .where(StatusComponent.id.in_(ids), StatusComponent.deleted_at.is_(None))
        .order_by(StatusComponent.position, StatusComponent.id)
        .execution_options(populate_existing=True)
    )
    return {component.id: component for component in await session.scalars(statement)}


async def list_all(session: ReadSession) -> Sequence[StatusComponent]:
    """Every component, in the order of the page."""
    statement = (
        select(StatusComponent)
        .where(StatusComponent.deleted_at.is_(None))
        .order_by(StatusComponent.position, StatusComponent.id)
    )
    return (await session.scalars(statement)).all()


async def list_page(
    session: ReadSession, where: ComponentFilter, wanted: base.Window
) -> base.Slice[StatusComponent]:
    """In the order of the page."""
    statement = select(StatusComponent).where(StatusComponent.deleted_at.is_(None))
    if where.group_id is not None:
        statement = statement.where(StatusComponent.group_id == where.group_id)
    if where.status:
        statement = statement.where(StatusComponent.status.in_(where.status))
    orders: base.Orders = {base.BY_ID: StatusComponent.position}
    return await base.window(
        session, statement, StatusComponent.id, wanted, descending=False, orders=orders
    )


async def count(session: ReadSession) -> int:
    there = select(func.count()).where(StatusComponent.deleted_at.is_(None))
    return (await session.scalars(there)).one()


async def add(
    session: WriteSession, component: StatusComponent, *, now: datetime
) -> StatusComponent:
    """A new component, whose history begins now."""
    await base.add(session, component)
    spell = ComponentSpell(component_id=component.id, status=component.status, starts_at=now)
    await base.add(session, spell)
    return component


# --- Groups -----------------------------------------------------------------------------


async def get_group(session: ReadSession, group_id: int) -> ComponentGroup | None:
    return await base.get(session, ComponentGroup, group_id)


async def lock_group(session: WriteSession, group_id: int) -> ComponentGroup | None:
    """The group, held until commit."""
    return await base.lock(session, ComponentGroup, group_id)


async def list_groups(session: ReadSession) -> Sequence[ComponentGroup]:
    """Every group, in the order of the page."""
    statement = select(ComponentGroup).order_by(ComponentGroup.position, ComponentGroup.id)
    return (await session.scalars(statement)).all()


async def page_of_groups(session: ReadSession, wanted: base.Window) -> base.Slice[ComponentGroup]:
    """In the order of the page."""
    orders: base.Orders = {base.BY_ID: ComponentGroup.position}
    return await base.window(
        session, select(ComponentGroup), ComponentGroup.id, wanted, descending=False, orders=orders
    )


async def count_groups(session: ReadSession) -> int:
    return (await session.scalars(select(func.count()).select_from(ComponentGroup))).one()


async def add_group(session: WriteSession, group: ComponentGroup) -> ComponentGroup:
    return await base.add(session, group)


async def remove_group(session: WriteSession, group: ComponentGroup) -> None:
    """Remove a group; its components stay, without one."""
    await base.delete(session, group)


# --- How they are, and were -------------------------------------------------------------


async def incident_effects(
    session: ReadSession, ids: Collection[int]
) -> Sequence[tuple[int, ComponentStatus]]:
    """What public incidents that are not over do to these components."""
    statement = (
        select(PublicIncidentComponent.component_id, PublicIncidentComponent.status)
        .join(PublicIncident, PublicIncident.id == PublicIncidentComponent.public_incident_id)
        .where(
            PublicIncidentComponent.component_id.in_(ids),
            PublicIncident.resolved_at.is_(None),
            PublicIncident.withdrawn_at.is_(None),
        )
    )
    return (await session.execute(statement)).tuples().all()


async def maintained(session: ReadSession, ids: Collection[int]) -> set[int]:
    """Those of these components that a public maintenance is under way for."""
    maintenance, link = PublicMaintenance, PublicMaintenanceComponent
    statement = (
        select(link.component_id)
        .join(maintenance, maintenance.id == link.public_maintenance_id)
        .where(
            link.component_id.in_(ids),
            maintenance.status.in_(UNDER_WAY),
            maintenance.withdrawn_at.is_(None),
        )
    )
    return set((await session.scalars(statement)).all())


async def current_spells(session: ReadSession, ids: Collection[int]) -> dict[int, ComponentSpell]:
    """The time that each of these components is in."""
    statement = select(ComponentSpell).where(
        ComponentSpell.component_id.in_(ids), ComponentSpell.ends_at.is_(None)
    )
    return {spell.component_id: spell for spell in await session.scalars(statement)}


async def begin_spell(
    session: WriteSession, component_id: int, status: ComponentStatus, *, now: datetime
) -> None:
    """A new time of a component, whose last one has ended."""
    await session.flush()  # there is one at a time
    await base.add(session, ComponentSpell(component_id=component_id, status=status, starts_at=now))


_SPENT = text("""
    SELECT s.component_id, d.n, s.status, sum(EXTRACT(epoch FROM
        least(coalesce(s.ends_at, :now), d.ends_at) - greatest(s.starts_at, d.starts_at)))::float8
    FROM unnest(:starts, :ends) WITH ORDINALITY AS d(starts_at, ends_at, n)
    JOIN component_spells s ON s.component_id = ANY(:ids)
        AND s.starts_at < d.ends_at AND coalesce(s.ends_at, :now) > d.starts_at
    GROUP BY s.component_id, d.n, s.status
""").bindparams(
    bindparam("ids", type_=ARRAY(BigInteger())),
    bindparam("starts", type_=ARRAY(DateTime(timezone=True))),
    bindparam("ends", type_=ARRAY(DateTime(timezone=True))),
    bindparam("now", type_=DateTime(timezone=True)),
)

Spent = dict[ComponentStatus, float]  # seconds in each status


async def spent(
    session: ReadSession, ids: Collection[int], days: Sequence[Day], *, now: datetime
) -> dict[int, list[Spent]]:
    """How long each of these components was how, day by day: by one statement, however often
    they changed."""
    found: dict[int, list[Spent]] = {key: [{} for _ in days] for key in ids}
    parameters = {
        "ids": sorted(ids),
        "starts": [day.starts_at for day in days],
        "ends": [day.ends_at for day in days],
        "now": now,
    }
    for key, turn, status, seconds in (await session.execute(_SPENT, parameters)).tuples():
        found[key][turn - 1][ComponentStatus(status)] = seconds
    return found
