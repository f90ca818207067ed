"""Templates of incidents, and which incidents were declared with one."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import func, select

from app.crud import base
from app.db.session import ReadSession, WriteSession
from app.models import IncidentTemplate, IncidentTemplateUse

NAMING = 6_104_982_379  # an advisory lock
MOST_OFFERED = 200


class IncidentTemplateOrder(StrEnum):
    ID = "id"
    NAME = "name"
    CREATED_AT = "created_at"
    UPDATED_AT = "updated_at"


ORDERS: base.Orders = {
    IncidentTemplateOrder.NAME: func.lower(IncidentTemplate.name),
    IncidentTemplateOrder.CREATED_AT: IncidentTemplate.created_at,
    IncidentTemplateOrder.UPDATED_AT: IncidentTemplate.updated_at,
}


@dataclass(frozen=True)
class IncidentTemplateFilter:
    """Which templates; an empty field does not narrow. `search` is a part of a name."""

    search: str | None = None
    is_active: bool | None = None


async def get(session: ReadSession, template_id: int) -> IncidentTemplate | None:
    return await base.get(session, IncidentTemplate, template_id)


async def lock(session: WriteSession, template_id: int) -> IncidentTemplate | None:
    """The template, held until commit."""
    return await base.lock(session, IncidentTemplate, template_id)


async def by_name(session: ReadSession, name: str) -> IncidentTemplate | None:
    """The template of this name; case does not matter."""
    statement = select(IncidentTemplate).where(
        func.lower(IncidentTemplate.name) == func.lower(name)
    )
    return (await session.scalars(statement)).one_or_none()


async def list_page(
    session: ReadSession, where: IncidentTemplateFilter, wanted: base.Window
) -> base.Slice[IncidentTemplate]:
    """In the order in which they were made, unless another is wanted."""
    statement = select(IncidentTemplate)
    if where.search is not None:
        statement = statement.where(IncidentTemplate.name.icontains(where.search, autoescape=True))
    if where.is_active is not None:
        statement = statement.where(IncidentTemplate.is_active.is_(where.is_active))
    return await base.window(
        session, statement, IncidentTemplate.id, wanted, descending=False, orders=ORDERS
    )


async def offered(session: ReadSession) -> Sequence[IncidentTemplate]:
    """Those that somebody who declares can take, by name."""
    statement = (
        select(IncidentTemplate)
        .where(IncidentTemplate.is_active)
        .order_by(func.lower(IncidentTemplate.name))
        .limit(MOST_OFFERED)
    )
    return (await session.scalars(statement)).all()


async def used_for(session: ReadSession, incident_id: int) -> IncidentTemplate | None:
    """The template that an incident was declared with, as it is now."""
    statement = (
        select(IncidentTemplate)
        .join(IncidentTemplateUse, IncidentTemplateUse.template_id == IncidentTemplate.id)
        .where(IncidentTemplateUse.incident_id == incident_id)
    )
    return (await session.scalars(statement)).one_or_none()


async def share(session: WriteSession, template_id: int) -> IncidentTemplate | None:
    """The template, which stays as it is until commit."""
    return await session.get(
        IncidentTemplate, template_id, with_for_update={"read": True}, populate_existing=True
    )


async def add(session: WriteSession, template: IncidentTemplate) -> IncidentTemplate:
    return await base.add(session, template)


async def add_use(session: WriteSession, use: IncidentTemplateUse) -> IncidentTemplateUse:
    return await base.add(session, use)


async def remove(session: WriteSession, template: IncidentTemplate) -> None:
    await base.delete(session, template)


async def wait_for_other_names(session: WriteSession) -> None:
    """Until commit nobody else names a template."""
    await session.execute(select(func.pg_advisory_xact_lock(NAMING)))
