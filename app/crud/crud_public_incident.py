"""Published incidents and what they do to components; who is to be reminded of them.

Whoever changes one holds its incident, then the page's row. A reminder holds the published
incident alone, for as long as it takes to write it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.dialects.postgresql import insert as upsert

from app.crud import base
from app.db.session import ReadSession, WriteSession
from app.domain.incident import IncidentStatus
from app.domain.public_incident import PublicStatus
from app.domain.status_component import ComponentStatus
from app.models import Incident, PublicIncident, PublicIncidentComponent, StatusComponent


@dataclass(frozen=True)
class PublicIncidentFilter:
    """Which published incidents; an empty field does not narrow."""

    status: Collection[PublicStatus] = ()
    component_id: int | None = None
    starting: base.Span = base.ALWAYS


@dataclass(frozen=True)
class Effect:
    """What an incident does to a component."""

    component: StatusComponent
    status: ComponentStatus

    @property
    def id(self) -> int:
        return self.component.id

    @property
    def name(self) -> str:
        return self.component.name


def _shown() -> Select[tuple[PublicIncident]]:
    return select(PublicIncident).where(PublicIncident.withdrawn_at.is_(None))


async def of_incident(session: ReadSession, incident_id: int) -> PublicIncident | None:
    """What the public is told of an incident; None where it is told nothing."""
    statement = _shown().where(PublicIncident.incident_id == incident_id)
    found = await session.scalars(statement.execution_options(populate_existing=True))
    return found.one_or_none()


async def lock_with_incident(session: WriteSession, incident_id: int) -> PublicIncident | None:
    """The same, held until commit; the incident is held first, as by everybody."""
    await base.lock(session, Incident, incident_id)
    return await lock(session, incident_id)


async def lock(session: WriteSession, incident_id: int) -> PublicIncident | None:
    """The same, held until commit. The caller holds the incident."""
    statement = _shown().where(PublicIncident.incident_id == incident_id)
    held = statement.with_for_update(key_share=True).execution_options(populate_existing=True)
    return (await session.scalars(held)).one_or_none()


async def by_code(session: ReadSession, code: str) -> PublicIncident | None:
    """What the public knows by this name."""
    return (await session.scalars(_shown().where(PublicIncident.code == code))).one_or_none()


async def by_ids(session: ReadSession, ids: Collection[int]) -> dict[int, PublicIncident]:
    found = await session.scalars(select(PublicIncident).where(PublicIncident.id.in_(ids)))
    return {incident.id: incident for incident in found}


async def list_page(
    session: ReadSession, where: PublicIncidentFilter, wanted: base.Window
) -> base.Slice[PublicIncident]:
    """Those that began last come first."""
    statement = where.starting.narrow(_shown(), PublicIncident.started_at)
    if where.status:
        statement = statement.where(PublicIncident.status.in_(where.status))
    if where.component_id is not None:
        hit = select(PublicIncidentComponent.public_incident_id).where(
            PublicIncidentComponent.component_id == where.component_id
        )
        statement = statement.where(PublicIncident.id.in_(hit))
    orders: base.Orders = {base.BY_ID: PublicIncident.started_at}
    return await base.window(session, statement, PublicIncident.id, wanted, orders=orders)


async def unresolved(session: ReadSession, *, most: int) -> Sequence[PublicIncident]:
    """What is not over, newest first."""
    statement = (
        _shown()
        .where(PublicIncident.resolved_at.is_(None))
        .order_by(PublicIncident.started_at.desc(), PublicIncident.id.desc())
        .limit(most)
    )
    return (await session.scalars(statement)).all()


async def started(session: ReadSession, span: base.Span, *, most: int) -> Sequence[PublicIncident]:
    """What began within a time, newest first."""
    statement = span.narrow(_shown(), PublicIncident.started_at)
    ordered = statement.order_by(PublicIncident.started_at.desc(), PublicIncident.id.desc())
    return (await session.scalars(ordered.limit(most))).all()


async def first_started_at(session: ReadSession) -> datetime | None:
    """When the first of them began."""
    found: datetime | None = await session.scalar(
        select(func.min(PublicIncident.started_at)).where(PublicIncident.withdrawn_at.is_(None))
    )
    return found


async def add(session: WriteSession, incident: PublicIncident) -> PublicIncident:
    return await base.add(session, incident)


# --- What they do to components ---------------------------------------------------------


async def effects(session: ReadSession, ids: Collection[int]) -> dict[int, list[Effect]]:
    """What each of these does, or did, to components, in the order of the page.

    A component that was deleted since is left out.
    """
    link = PublicIncidentComponent
    statement = (
        select(link.public_incident_id, StatusComponent, link.status)
        .join(StatusComponent, StatusComponent.id == link.component_id)
        .where(link.public_incident_id.in_(ids), StatusComponent.deleted_at.is_(None))
        .order_by(StatusComponent.position, StatusComponent.id)
    )
    found: dict[int, list[Effect]] = {key: [] for key in ids}
    for key, component, status in (await session.execute(statement)).tuples():
        found[key].append(Effect(component, status))
    return found


async def hitting(
    session: ReadSession, component_ids: Collection[int], *, since: datetime, most: int
) -> Sequence[tuple[int, PublicIncident]]:
    """By component, which incidents were not over by then, newest first."""
    link = PublicIncidentComponent
    statement = (
        select(link.component_id, PublicIncident)
        .join(PublicIncident, PublicIncident.id == link.public_incident_id)
        .where(
            link.component_id.in_(component_ids),
            PublicIncident.withdrawn_at.is_(None),
            (PublicIncident.resolved_at.is_(None)) | (PublicIncident.resolved_at > since),
        )
        .order_by(PublicIncident.started_at.desc(), PublicIncident.id.desc())
        .limit(most)
    )
    return (await session.execute(statement)).tuples().all()


async def put_effects(
    session: WriteSession, public_incident_id: int, wanted: Mapping[int, ComponentStatus]
) -> None:
    """Have an incident do this to components, whatever it did to them before."""
    if not wanted:
        return
    rows = [
        {"public_incident_id": public_incident_id, "component_id": key, "status": status}
        for key, status in sorted(wanted.items())
    ]
    statement = upsert(PublicIncidentComponent).values(rows)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["public_incident_id", "component_id"],
            set_={"status": statement.excluded.status},
        )
    )


# --- Who waits to hear ------------------------------------------------------------------


async def next_reminder(session: ReadSession) -> datetime | None:
    """When somebody is to be reminded next of what the public was promised."""
    found: datetime | None = await session.scalar(select(func.min(PublicIncident.remind_at)))
    return found


async def claim_due(session: WriteSession, *, now: datetime, most: int) -> Sequence[PublicIncident]:
    """Those of which people are to be reminded now and whom nobody else reminds, held."""
    statement = (
        select(PublicIncident)
        .where(PublicIncident.remind_at <= now)
        .order_by(PublicIncident.remind_at, PublicIncident.id)
        .limit(most)
        .with_for_update(key_share=True, skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(statement)).all()


def _ended() -> Select[tuple[PublicIncident]]:
    """What is over and the public was not told, nor their people reminded. There are never many:
    only what is not over for the public is looked at."""
    return (
        _shown()
        .join(Incident, Incident.id == PublicIncident.incident_id)
        .where(
            PublicIncident.resolved_at.is_(None),
            Incident.status == IncidentStatus.RESOLVED,
            PublicIncident.end_reminded_of.is_distinct_from(Incident.resolved_at),
        )
    )


async def is_any_ended(session: ReadSession) -> bool:
    found = await session.scalars(_ended().with_only_columns(PublicIncident.id).limit(1))
    return found.one_or_none() is not None


async def claim_ended(
    session: WriteSession, *, most: int
) -> Sequence[tuple[PublicIncident, datetime]]:
    """The same, held, with when each was resolved."""
    statement = (
        _ended()
        .add_columns(Incident.resolved_at)
        .order_by(PublicIncident.id)
        .limit(most)
        .with_for_update(key_share=True, skip_locked=True, of=PublicIncident)
        .execution_options(populate_existing=True)
    )
    return [(row, at) for row, at in (await session.execute(statement)).tuples() if at is not None]
