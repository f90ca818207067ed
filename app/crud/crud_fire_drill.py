"""Fire drills, and the rows that make one: its incident, its ladder, its pages."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_, select

from app.crud import base
from app.db.session import ReadSession, WriteSession
from app.domain.fire_drill import DrillState
from app.domain.incident import IncidentStatus
from app.models import (
    ContactMethod,
    EscalationEvent,
    FireDrill,
    Incident,
    IncidentTally,
    Notification,
)


async def open_incident(session: WriteSession, incident: Incident) -> Incident:
    """An incident with the tally that every one has."""
    await base.add(session, incident)
    await base.add(session, IncidentTally(incident_id=incident.id))
    return incident


async def add(session: WriteSession, drill: FireDrill) -> FireDrill:
    return await base.add(session, drill)


async def record(session: WriteSession, event: EscalationEvent) -> EscalationEvent:
    """Write what a step came to that was taken when the drill began."""
    return await base.add(session, event)


async def get(session: ReadSession, drill_id: int) -> FireDrill | None:
    return await base.get(session, FireDrill, drill_id)


@dataclass(frozen=True)
class DrillFilter:
    """Which drills; an empty field does not narrow."""

    state: Collection[DrillState] = ()
    started_by: int | None = None
    policy_id: int | None = None


_UNDECIDED = and_(FireDrill.answered_at.is_(None), FireDrill.missed_at.is_(None))
_RESOLVED = exists().where(
    Incident.id == FireDrill.incident_id, Incident.status == IncidentStatus.RESOLVED
)
# As `services.fire_drill` tells the state of one.
_IN_STATE: Mapping[DrillState, ColumnElement[Any]] = {
    DrillState.ANSWERED: FireDrill.answered_at.is_not(None),
    DrillState.MISSED: and_(FireDrill.answered_at.is_(None), FireDrill.missed_at.is_not(None)),
    DrillState.CALLED_OFF: and_(_UNDECIDED, _RESOLVED),
    DrillState.RUNNING: and_(_UNDECIDED, ~_RESOLVED),
}


async def list_page(
    session: ReadSession, where: DrillFilter, wanted: base.Window
) -> base.Slice[FireDrill]:
    """Newest first."""
    statement = select(FireDrill)
    if where.state:
        statement = statement.where(or_(*(_IN_STATE[state] for state in where.state)))
    if where.started_by is not None:
        statement = statement.where(FireDrill.started_by == where.started_by)
    if where.policy_id is not None:
        statement = statement.where(FireDrill.policy_id == where.policy_id)
    return await base.window(session, statement, FireDrill.id, wanted)


async def lock_of_incident(session: WriteSession, incident_id: int) -> FireDrill | None:
    """The drill of an incident that the caller holds."""
    statement = (
        select(FireDrill)
        .where(FireDrill.incident_id == incident_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(statement)).one_or_none()


async def of_incident(session: ReadSession, incident_id: int) -> FireDrill | None:
    statement = (
        select(FireDrill)
        .where(FireDrill.incident_id == incident_id)
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(statement)).one_or_none()


async def answering(session: ReadSession, incident_id: int) -> Notification | None:
    """The page of a drill whose link was used."""
    statement = (
        select(Notification)
        .where(Notification.incident_id == incident_id, Notification.link_used_at.is_not(None))
        .order_by(Notification.link_used_at, Notification.id)
        .limit(1)
    )
    return (await session.scalars(statement)).one_or_none()


async def method(session: ReadSession, method_id: int) -> ContactMethod | None:
    """A contact method of anybody's."""
    return await base.get(session, ContactMethod, method_id)


async def statuses(
    session: ReadSession, incident_ids: Collection[int]
) -> dict[int, IncidentStatus]:
    """How these incidents stand, the deleted ones, too."""
    statement = select(Incident.id, Incident.status).where(Incident.id.in_(incident_ids))
    return dict((await session.execute(statement)).tuples().all())


async def pages(
    session: ReadSession, incident_ids: Collection[int], *, limit: int
) -> dict[int, list[Notification]]:
    """What was promised for each of these, in the order of the promises; the newest of many."""
    statement = (
        select(Notification)
        .where(Notification.incident_id.in_(incident_ids))
        .order_by(Notification.id.desc())
        .limit(limit)
        .execution_options(populate_existing=True)
    )
    found: dict[int, list[Notification]] = defaultdict(list)
    rows: Sequence[Notification] = (await session.scalars(statement)).all()
    for row in reversed(rows):
        if row.incident_id is not None:
            found[row.incident_id].append(row)
    return found
