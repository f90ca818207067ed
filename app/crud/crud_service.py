"""The catalogue of services. Incidents name a service in words, and those are matched exactly."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import func, select

from app.crud import base
from app.db.session import ReadSession, WriteSession
from app.models import Service


class ServiceOrder(StrEnum):
    ID = "id"
    NAME = "name"
    CREATED_AT = "created_at"
    UPDATED_AT = "updated_at"


ORDERS: base.Orders = {
    ServiceOrder.NAME: func.lower(Service.name),
    ServiceOrder.CREATED_AT: Service.created_at,
    ServiceOrder.UPDATED_AT: Service.updated_at,
}


@dataclass(frozen=True)
class ServiceFilter:
    """Which services; an empty field does not narrow. `search` is a part of a name."""

    name: Collection[str] = ()
    search: str | None = None
    team_id: int | None = None
    policy_id: int | None = None
    schedule_id: int | None = None


async def get(session: ReadSession, service_id: int) -> Service | None:
    return await base.get(session, Service, service_id)


async def lock(session: WriteSession, service_id: int) -> Service | None:
    """The service, held until commit."""
    return await base.lock(session, Service, service_id)


async def by_name(session: ReadSession, name: str) -> Service | None:
    """The service of this name; case does not matter, as no two differ in it alone."""
    statement = select(Service).where(func.lower(Service.name) == func.lower(name))
    return (await session.scalars(statement)).one_or_none()


async def by_names(session: ReadSession, names: Collection[str]) -> dict[str, Service]:
    """Those that incidents with these names belong to: letter for letter, as everywhere."""
    if not names:
        return {}
    found = await session.scalars(select(Service).where(Service.name.in_(names)))
    return {service.name: service for service in found}


async def by_ids(session: ReadSession, ids: Collection[int]) -> dict[int, Service]:
    """Those of these services that exist."""
    found = await session.scalars(select(Service).where(Service.id.in_(ids)))
    return {service.id: service for service in found}


async def list_page(
    session: ReadSession, where: ServiceFilter, wanted: base.Window
) -> base.Slice[Service]:
    """In the order in which they were made, unless another is wanted."""
    statement = select(Service)
    if where.name:
        statement = statement.where(Service.name.in_(where.name))
    if where.search is not None:
        statement = statement.where(Service.name.icontains(where.search, autoescape=True))
    for column, wanted_id in (
        (Service.team_id, where.team_id),
        (Service.policy_id, where.policy_id),
        (Service.schedule_id, where.schedule_id),
    ):
        if wanted_id is not None:
            statement = statement.where(column == wanted_id)
    return await base.window(
        session, statement, Service.id, wanted, descending=False, orders=ORDERS
    )


async def add(session: WriteSession, service: Service) -> Service:
    return await base.add(session, service)


async def remove(session: WriteSession, service: Service) -> None:
    await base.delete(session, service)


async def pinning(session: ReadSession, policy_id: int, *, most: int) -> list[str]:
    """The names of up to `most` services that have pinned this policy."""
    statement = (
        select(Service.name)
        .where(Service.policy_id == policy_id)
        .order_by(Service.name)
        .limit(most)
    )
    return list((await session.scalars(statement)).all())
