"""Policies, and the claim of due escalations."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, case, func, insert, null, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from app.crud import base
from app.db.session import ReadSession, WriteSession
from app.domain.escalation import LIVE, EscalationEventStatus, EscalationStatus
from app.models import Escalation, EscalationEvent, EscalationPolicy, Incident


async def active_policies(session: ReadSession) -> Sequence[EscalationPolicy]:
    statement = (
        select(EscalationPolicy).where(EscalationPolicy.is_active).order_by(EscalationPolicy.id)
    )
    return (await session.scalars(statement)).all()


async def get_policy(session: ReadSession, policy_id: int) -> EscalationPolicy | None:
    return await base.get(session, EscalationPolicy, policy_id)


async def lock_policy(session: WriteSession, policy_id: int) -> EscalationPolicy | None:
    return await base.lock(session, EscalationPolicy, policy_id)


async def add_policy(session: WriteSession, policy: EscalationPolicy) -> EscalationPolicy:
    return await base.add(session, policy)


async def delete_policy(session: WriteSession, policy: EscalationPolicy) -> None:
    await base.delete(session, policy)


async def policy_by_name(session: ReadSession, name: str) -> EscalationPolicy | None:
    statement = select(EscalationPolicy).where(EscalationPolicy.name == name)
    return (await session.scalars(statement)).one_or_none()


async def policy_page(session: ReadSession, wanted: base.Window) -> base.Slice[EscalationPolicy]:
    return await base.window(
        session, select(EscalationPolicy), EscalationPolicy.id, wanted, descending=False
    )


async def of_incident(session: ReadSession, incident_id: int) -> Sequence[Escalation]:
    """All escalations an incident ever had, in the order they started."""
    statement = (
        select(Escalation).where(Escalation.incident_id == incident_id).order_by(Escalation.id)
    )
    return (await session.scalars(statement)).all()


async def events_of(session: ReadSession, incident_id: int) -> Sequence[EscalationEvent]:
    statement = (
        select(EscalationEvent)
        .where(EscalationEvent.incident_id == incident_id)
        .order_by(EscalationEvent.id)
    )
    return (await session.scalars(statement)).all()


@dataclass(frozen=True)
class EventFilter:
    """Which events; an empty field does not narrow."""

    incident_id: int | None = None
    policy_id: int | None = None
    status: Collection[EscalationEventStatus] = ()


async def event_page(
    session: ReadSession, where: EventFilter, wanted: base.Window
) -> base.Slice[EscalationEvent]:
    """What steps came to, newest first; of deleted incidents nothing."""
    statement = _seen_events()
    if where.incident_id is not None:
        statement = statement.where(EscalationEvent.incident_id == where.incident_id)
    if where.policy_id is not None:
        statement = statement.where(EscalationEvent.policy_id == where.policy_id)
    if where.status:
        statement = statement.where(EscalationEvent.status.in_(where.status))
    return await base.window(session, statement, EscalationEvent.id, wanted)


async def get_event(session: ReadSession, event_id: int) -> EscalationEvent | None:
    statement = _seen_events().where(EscalationEvent.id == event_id)
    return (await session.scalars(statement)).one_or_none()


def _seen_events() -> Select[tuple[EscalationEvent]]:
    return (
        select(EscalationEvent)
        .join(Incident, Incident.id == EscalationEvent.incident_id)
        .where(Incident.deleted_at.is_(None))
    )


async def policy_names(session: ReadSession, escalation_ids: Collection[int]) -> dict[int, str]:
    """Of each escalation, what its policy was called when it started."""
    statement = select(Escalation.id, Escalation.policy_name).where(
        Escalation.id.in_(escalation_ids)
    )
    return dict((await session.execute(statement)).tuples().all())


async def get(session: ReadSession, escalation_id: int) -> Escalation | None:
    return await base.get(session, Escalation, escalation_id)


async def was_taken(session: ReadSession, escalation_id: int, loop: int, step: int) -> bool:
    """Whether a step was taken in a loop already; to take it again would page nobody."""
    statement = select(EscalationEvent.id).where(
        EscalationEvent.escalation_id == escalation_id,
        EscalationEvent.loop == loop,
        EscalationEvent.step == step,
    )
    return await session.scalar(statement) is not None


async def live(session: WriteSession, incident_id: int) -> Sequence[Escalation]:
    """An incident's escalations that have not ended. The caller holds the incident."""
    statement = (
        select(Escalation)
        .where(Escalation.incident_id == incident_id, Escalation.status.in_(LIVE))
        .order_by(Escalation.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(statement)).all()


async def add(session: WriteSession, escalation: Escalation) -> Escalation:
    return await base.add(session, escalation)


async def start_many(session: WriteSession, rows: Sequence[dict[str, Any]]) -> None:
    """Write escalations that begin now. A policy that runs on the incident already goes on."""
    if rows:
        await session.execute(upsert(Escalation).on_conflict_do_nothing(), rows)


async def end_live(
    session: WriteSession,
    incident_ids: Collection[int],
    status: EscalationStatus,
    *,
    now: datetime,
) -> None:
    """End whatever still runs on these incidents. The caller holds the incidents."""
    await session.execute(
        update(Escalation)
        .where(Escalation.incident_id.in_(incident_ids), Escalation.status.in_(LIVE))
        .values(
            status=status,
            next_step_at=null(),
            deferred_from=null(),
            finished_at=now,
            updated_at=now,
        )
        .execution_options(synchronize_session=False)
    )


async def pause_live(
    session: WriteSession, incident_ids: Collection[int], *, now: datetime
) -> None:
    """Stop the clocks of these incidents' escalations. The caller holds the incidents."""
    await session.execute(
        update(Escalation)
        .where(Escalation.incident_id.in_(incident_ids), Escalation.status.in_(LIVE))
        .values(
            status=EscalationStatus.PAUSED,
            next_step_at=null(),
            deferred_from=null(),
            updated_at=now,
        )
        .execution_options(synchronize_session=False)
    )


async def put_off(
    session: WriteSession, incident_id: int, *, until: datetime, now: datetime
) -> None:
    """Let an incident's escalations rest until `until`, remembering what was due before.

    A paused one (acknowledged) has nothing due: it is told to wake then.
    """
    is_active = Escalation.status == EscalationStatus.ACTIVE
    due_at = func.coalesce(Escalation.deferred_from, Escalation.next_step_at)
    await session.execute(
        update(Escalation)
        .where(Escalation.incident_id == incident_id, Escalation.status.in_(LIVE))
        .values(
            deferred_from=case((is_active, due_at), else_=null()),
            next_step_at=case((is_active, func.greatest(due_at, until)), else_=until),
            updated_at=now,
        )
        .execution_options(synchronize_session=False)
    )


async def bring_back(session: WriteSession, incident_id: int, *, now: datetime) -> None:
    """Undo `put_off`: what was due is due again as it was, but not before now."""
    await session.execute(
        update(Escalation)
        .where(Escalation.incident_id == incident_id, Escalation.status.in_(LIVE))
        .values(
            next_step_at=case(
                (
                    Escalation.status == EscalationStatus.ACTIVE,
                    func.greatest(
                        func.coalesce(Escalation.deferred_from, Escalation.next_step_at), now
                    ),
                ),
                else_=null(),
            ),
            deferred_from=null(),
            updated_at=now,
        )
        .execution_options(synchronize_session=False)
    )


@dataclass(frozen=True)
class Due:
    """A claimed escalation with its incident; both rows are held until commit."""

    escalation: Escalation
    incident: Incident


async def claim_due(session: WriteSession, *, now: datetime, limit: int) -> list[Due]:
    """The most overdue escalations that nobody else holds, their incidents held with them.

    Both rows are locked, because the incident is the aggregate's lock and the escalation is
    what PostgreSQL checks again once it has waited: locking the escalation alone deadlocks
    against acknowledgement, the incident alone takes a step twice. What is returned is what
    was locked; a join to the locked ids would read the older snapshot and repeat a step.
    """
    statement = (
        select(Escalation, Incident)
        .join(Incident, Incident.id == Escalation.incident_id)
        .where(Escalation.next_step_at <= now)
        .order_by(Escalation.next_step_at, Escalation.id)
        .limit(limit)
        .with_for_update(of=(Incident, Escalation), key_share=True, skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return [Due(*row) for row in (await session.execute(statement)).tuples()]


async def next_due_at(session: ReadSession) -> datetime | None:
    """When the next step of any escalation is due, in the past if it is late."""
    return await session.scalar(
        select(Escalation.next_step_at)
        .where(Escalation.next_step_at.is_not(None))
        .order_by(Escalation.next_step_at)
        .limit(1)
    )


async def move_many(session: WriteSession, moves: Sequence[dict[str, Any]]) -> None:
    """Write where escalations stand now: `key` and every column of the position."""
    if not moves:
        return
    table = Escalation.__table__
    statement = (
        update(Escalation)
        .where(Escalation.id == bindparam("key"))
        .values(
            {name: bindparam(name, type_=table.c[name].type) for name in moves[0] if name != "key"}
        )
        .execution_options(synchronize_session=False)
    )
    connection = await session.connection()
    await connection.execute(statement, list(moves))


async def record_events(session: WriteSession, rows: Sequence[dict[str, Any]]) -> None:
    """Write what steps came to."""
    if rows:
        await session.execute(insert(EscalationEvent), rows)


async def set_event_status(
    session: WriteSession, escalation_id: int, loop: int, step: int, status: EscalationEventStatus
) -> None:
    """Correct what a step came to, once its pages are known to be lost."""
    await session.execute(
        update(EscalationEvent)
        .where(
            EscalationEvent.escalation_id == escalation_id,
            EscalationEvent.loop == loop,
            EscalationEvent.step == step,
        )
        .values(status=status)
        .execution_options(synchronize_session=False)
    )


async def postpone(
    session: WriteSession, escalation_id: int, *, until: datetime, fault: str, now: datetime
) -> None:
    """Put a step that broke off, so that it holds up none of the rest."""
    await session.execute(
        update(Escalation)
        .where(Escalation.id == escalation_id)
        .values(next_step_at=until, faults=Escalation.faults + 1, last_fault=fault, updated_at=now)
        .execution_options(synchronize_session=False)
    )
