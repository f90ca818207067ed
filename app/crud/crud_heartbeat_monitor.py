"""Heartbeat monitors as people see them: found, listed, counted, and what is kept of each."""

from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, case, delete, func, literal, or_, select

from app.crud import base
from app.db.session import ReadSession, WriteSession
from app.domain.heartbeat_monitor import MonitorState, Pulse
from app.models import HeartbeatMonitor, HeartbeatOutage, HeartbeatPing


class HeartbeatOrder(StrEnum):
    ID = "id"
    NAME = "name"
    CREATED_AT = "created_at"


ORDERS: base.Orders = {
    HeartbeatOrder.NAME: func.lower(HeartbeatMonitor.name),
    HeartbeatOrder.CREATED_AT: HeartbeatMonitor.created_at,
}


async def get(session: ReadSession, monitor_id: int) -> HeartbeatMonitor | None:
    return await base.get(session, HeartbeatMonitor, monitor_id)


async def lock(session: WriteSession, monitor_id: int) -> HeartbeatMonitor | None:
    """The monitor, held until commit: its pings wait."""
    return await base.lock(session, HeartbeatMonitor, monitor_id)


async def by_name(session: ReadSession, name: str) -> HeartbeatMonitor | None:
    statement = select(HeartbeatMonitor).where(HeartbeatMonitor.name == name)
    return (await session.scalars(statement)).one_or_none()


async def by_ids(session: ReadSession, ids: Collection[int]) -> Sequence[HeartbeatMonitor]:
    """These monitors as they are now, in the order of their ids."""
    statement = (
        select(HeartbeatMonitor)
        .where(HeartbeatMonitor.id.in_(ids))
        .order_by(HeartbeatMonitor.id)
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(statement)).all()


async def list_page(
    session: ReadSession,
    states: Collection[MonitorState],
    services: Collection[str],
    wanted: base.Window,
    *,
    now: datetime,
) -> base.Slice[HeartbeatMonitor]:
    """Those in any of these states and of any of these services; nothing given does not narrow."""
    statement = select(HeartbeatMonitor)
    if states:
        statement = statement.where(or_(*(_is(state, now) for state in states)))
    if services:
        statement = statement.where(HeartbeatMonitor.service.in_(services))
    return await base.window(
        session, statement, HeartbeatMonitor.id, wanted, descending=False, orders=ORDERS
    )


async def count_by_state(session: ReadSession, *, now: datetime) -> dict[MonitorState, int]:
    """How many monitors are in each state; each state is named."""
    states = [(_is(state, now), literal(state.value)) for state in MonitorState]
    found = select(case(*states).label("state")).subquery()
    statement = select(found.c.state, func.count()).group_by(found.c.state)
    counts = dict((await session.execute(statement)).tuples().all())
    return {state: counts.get(state.value, 0) for state in MonitorState}


def _is(state: MonitorState, now: datetime) -> ColumnElement[bool]:
    """The same as `state_of` says of one."""
    is_active, pulse = HeartbeatMonitor.is_active, HeartbeatMonitor.pulse
    match state:
        case MonitorState.PAUSED:
            return ~is_active
        case MonitorState.LATE:
            return and_(is_active, pulse == Pulse.UP, HeartbeatMonitor.expected_at <= now)
        case MonitorState.UP:
            return and_(is_active, pulse == Pulse.UP, HeartbeatMonitor.expected_at > now)
        case MonitorState.NEW | MonitorState.DOWN:
            return and_(is_active, pulse == Pulse(state.value))


async def add(session: WriteSession, monitor: HeartbeatMonitor) -> HeartbeatMonitor:
    return await base.add(session, monitor)


async def remove(session: WriteSession, monitor: HeartbeatMonitor) -> None:
    """Delete a monitor with what is kept of it; its incidents stay."""
    for kept in (HeartbeatPing, HeartbeatOutage):
        await session.execute(
            delete(kept)
            .where(kept.monitor_id == monitor.id)
            .execution_options(synchronize_session=False)
        )
    await base.delete(session, monitor)


async def pings(session: ReadSession, monitor_id: int) -> Sequence[HeartbeatPing]:
    """The last pings of a monitor, newest first: as many as are kept."""
    statement = (
        select(HeartbeatPing)
        .where(HeartbeatPing.monitor_id == monitor_id)
        .order_by(HeartbeatPing.number.desc())
    )
    return (await session.scalars(statement)).all()


async def list_outages(
    session: ReadSession, monitor_id: int, wanted: base.Window
) -> base.Slice[HeartbeatOutage]:
    """The last outages of a monitor, newest first."""
    statement = select(HeartbeatOutage).where(HeartbeatOutage.monitor_id == monitor_id)
    return await base.window(session, statement, HeartbeatOutage.id, wanted)
