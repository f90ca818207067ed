"""The catalogue of services. Incidents name a service in words, and those are matched exactly."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import func, select, text

from app.crud import base
from app.db.session import ReadSession, WriteSession
from app.domain.incident import IncidentStatus, Severity
from app.models import EscalationPolicy, Incident, Schedule, Service

NAMING = 6_104_982_378  # an advisory lock
UNRESOLVED = (IncidentStatus.OPEN, IncidentStatus.ACKNOWLEDGED)


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


# --- What a change of it needs to stay ----------------------------------------------------


async def wait_for_other_names(session: WriteSession) -> None:
    """Until commit nobody else names a service."""
    await session.execute(select(func.pg_advisory_xact_lock(NAMING)))


async def share(session: WriteSession, ids: Collection[int]) -> set[int]:
    """Those of these services that exist; they stay there until commit."""
    if not ids:
        return set()
    statement = (
        select(Service.id)
        .where(Service.id.in_(ids))
        .order_by(Service.id)
        .with_for_update(read=True)
    )
    return set((await session.scalars(statement)).all())


async def share_policy(session: WriteSession, policy_id: int) -> bool:
    """Whether there is such a policy; if so it stays there until commit."""
    statement = (
        select(EscalationPolicy.id)
        .where(EscalationPolicy.id == policy_id)
        .with_for_update(read=True)
    )
    return await session.scalar(statement) is not None


async def share_schedule(session: WriteSession, schedule_id: int) -> bool:
    """Whether there is such a schedule; if so it stays there until commit."""
    statement = (
        select(Schedule.id)
        .where(Schedule.id == schedule_id, Schedule.deleted_at.is_(None))
        .with_for_update(read=True)
    )
    return await session.scalar(statement) is not None


# --- What incidents say -------------------------------------------------------------------


class Unresolved(NamedTuple):
    """How many incidents are not resolved, by severity."""

    by_severity: dict[Severity, int]
    total: int
    is_bound: bool


async def unresolved(session: ReadSession, name: str) -> Unresolved:
    """How many incidents of a service are not resolved; drills are none."""
    some = (
        select(Incident.severity)
        .where(
            Incident.service == name,
            Incident.status.in_(UNRESOLVED),
            Incident.deleted_at.is_(None),
            ~Incident.is_drill,
        )
        .limit(base.COUNTED_AT_MOST + 1)
        .subquery()
    )
    counted = select(some.c.severity, func.count()).group_by(some.c.severity)
    found = dict((await session.execute(counted)).tuples().all())
    total, is_bound = base.bounded(sum(found.values()))
    return Unresolved(found, total, is_bound)


_UNRESOLVED_OF_EACH = text("""
    SELECT named.name, one.severity, count(*)
    FROM unnest(CAST(:names AS text[])) AS named (name)
    CROSS JOIN LATERAL (
        SELECT severity FROM incidents
        WHERE service = named.name AND status IN ('open', 'acknowledged')
          AND deleted_at IS NULL AND NOT is_drill
        LIMIT :most
    ) AS one
    GROUP BY named.name, one.severity
""")


async def unresolved_of_each(session: ReadSession, names: Collection[str]) -> dict[str, Unresolved]:
    """The same of many services at once; one without any is left out."""
    wanted = {"names": list(names), "most": base.COUNTED_AT_MOST + 1}
    found: dict[str, dict[Severity, int]] = {}
    for name, severity, count in await session.execute(_UNRESOLVED_OF_EACH, wanted):
        found.setdefault(name, {})[Severity(severity)] = count
    return {
        name: Unresolved(counted, *base.bounded(sum(counted.values())))
        for name, counted in found.items()
    }


class Uncatalogued(NamedTuple):
    """A service that incidents name and that nobody has catalogued."""

    name: str
    last_incident_at: datetime
    spelled: str | None


# From name to name along the index of incidents by service: what it costs are the names, and
# not the incidents. The latest incident of a name is the end of its stretch of the index, and is
# asked for as a place in it: for the greatest id of a name the planner might go by the ids.
_UNCATALOGUED = text("""
    WITH RECURSIVE names AS (
        (SELECT service AS name, 1 AS place FROM incidents ORDER BY service LIMIT 1)
        UNION ALL
        SELECT (
            SELECT service FROM incidents WHERE service > names.name ORDER BY service LIMIT 1
        ), names.place + 1
        FROM names WHERE names.name IS NOT NULL AND names.place < :looked_through
    ), found AS (
        SELECT names.name, latest.created_at, (
            SELECT s.name FROM services s WHERE lower(s.name) = lower(names.name)
        ) AS spelled
        FROM names
        CROSS JOIN LATERAL (
            SELECT near.created_at FROM (
                SELECT service, created_at, deleted_at, is_drill FROM incidents
                WHERE (service, id) <= (names.name, 9223372036854775807)
                ORDER BY service DESC, id DESC LIMIT 100
            ) near
            WHERE near.service = names.name AND near.deleted_at IS NULL AND NOT near.is_drill
            LIMIT 1
        ) latest
        WHERE latest.created_at >= :since
            AND NOT EXISTS (SELECT 1 FROM services s WHERE s.name = names.name)
        ORDER BY latest.created_at DESC, names.name
        LIMIT :most
    )
    SELECT passed.names, found.* FROM (
        SELECT count(*) AS names FROM names WHERE name IS NOT NULL
    ) passed
    LEFT JOIN found ON true
    ORDER BY found.created_at DESC, found.name
""")


async def uncatalogued(
    session: ReadSession, *, since: datetime, looked_through: int, most: int
) -> tuple[Sequence[Uncatalogued], bool]:
    """The latest names that incidents have used and nobody has catalogued, and whether that is
    all there are."""
    wanted = {"since": since, "looked_through": looked_through, "most": most + 1}
    rows = (await session.execute(_UNCATALOGUED, wanted)).all()
    found = [Uncatalogued(*row[1:]) for row in rows if row.name is not None]
    return found[:most], len(found) <= most and rows[0].names < looked_through
