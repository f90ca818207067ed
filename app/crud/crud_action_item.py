"""Action items, and the reminders of those that are not finished."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Date, Select, cast, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import contains_eager, joinedload

from app.crud import base
from app.db.session import ReadSession, WriteSession
from app.domain.action_item import (
    UNFINISHED,
    ActionItemPriority,
    ActionItemState,
    Reminder,
    ReminderState,
)
from app.models import ActionItem, ActionItemReminder, DigestPreference, Incident, Postmortem

MOST_OF_ONE = 100
NEVER = 10_000_000  # days: what has no day comes last
# `due_on` as a number, which is never null: days since 1970.
_DAYS = func.coalesce(ActionItem.due_on - cast(literal("1970-01-01"), Date), NEVER)


class ActionItemOrder(StrEnum):
    ID = "id"
    DUE_ON = "due_on"
    UPDATED_AT = "updated_at"


ORDERS: base.Orders = {
    ActionItemOrder.DUE_ON: cast(_DAYS, BigInteger),
    ActionItemOrder.UPDATED_AT: ActionItem.updated_at,
}


@dataclass(frozen=True)
class ActionItemFilter:
    """Which items; an empty field does not narrow. `overdue_on`: unfinished and due before."""

    state: Collection[ActionItemState] = ()
    priority: Collection[ActionItemPriority] = ()
    owner_id: int | None = None
    is_owned: bool | None = None
    incident_id: int | None = None
    postmortem_id: int | None = None
    due_before: date | None = None
    overdue_on: date | None = None
    search: str | None = None


def _visible() -> Select[tuple[ActionItem]]:
    """With its postmortem and incident, unless that was deleted."""
    return (
        select(ActionItem)
        .join(ActionItem.postmortem)
        .join(Postmortem.incident)
        .where(Incident.deleted_at.is_(None))
        .options(
            joinedload(ActionItem.owner),
            contains_eager(ActionItem.postmortem).contains_eager(Postmortem.incident),
        )
    )


async def get(session: ReadSession, item_id: int) -> ActionItem | None:
    statement = _visible().where(ActionItem.id == item_id)
    found = await session.scalars(statement.execution_options(populate_existing=True))
    return found.one_or_none()


async def lock(session: WriteSession, item_id: int) -> ActionItem | None:
    """The item, held until commit."""
    statement = (
        _visible().where(ActionItem.id == item_id).with_for_update(of=ActionItem, key_share=True)
    )
    found = await session.scalars(statement.execution_options(populate_existing=True))
    return found.one_or_none()


async def add(session: WriteSession, item: ActionItem) -> ActionItem:
    return await base.add(session, item)


async def remove(session: WriteSession, item: ActionItem) -> None:
    await base.delete(session, item)


async def count_of(session: ReadSession, postmortem_id: int) -> int:
    statement = select(func.count()).where(ActionItem.postmortem_id == postmortem_id)
    return (await session.scalars(statement)).one()


async def of_postmortem(session: ReadSession, postmortem_id: int) -> Sequence[ActionItem]:
    """All of one postmortem, in the order they were made."""
    statement = (
        select(ActionItem)
        .where(ActionItem.postmortem_id == postmortem_id)
        .options(joinedload(ActionItem.owner))
        .order_by(ActionItem.id)
        .limit(MOST_OF_ONE)
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(statement)).all()


async def unfinished(
    session: ReadSession, postmortem_ids: Collection[int]
) -> dict[int, tuple[int, int]]:
    """Of each of these postmortems: how many items are not finished, and of how many."""
    statement = (
        select(
            ActionItem.postmortem_id,
            func.count().filter(ActionItem.state.in_(UNFINISHED)),
            func.count(),
        )
        .where(ActionItem.postmortem_id.in_(postmortem_ids))
        .group_by(ActionItem.postmortem_id)
    )
    return {key: (left, whole) for key, left, whole in await session.execute(statement)}


async def list_page(
    session: ReadSession, where: ActionItemFilter, wanted: base.Window
) -> base.Slice[ActionItem]:
    """Newest first, unless another order is wanted."""
    statement = _visible()
    if where.state:
        statement = statement.where(ActionItem.state.in_(where.state))
    if where.priority:
        statement = statement.where(ActionItem.priority.in_(where.priority))
    if where.owner_id is not None:
        statement = statement.where(ActionItem.owner_id == where.owner_id)
    if where.is_owned is not None:
        is_owned = ActionItem.owner_id.is_not(None)
        statement = statement.where(is_owned if where.is_owned else ~is_owned)
    if where.incident_id is not None:
        statement = statement.where(Postmortem.incident_id == where.incident_id)
    if where.postmortem_id is not None:
        statement = statement.where(ActionItem.postmortem_id == where.postmortem_id)
    if where.due_before is not None:
        statement = statement.where(ActionItem.due_on < where.due_before)
    if where.overdue_on is not None:
        statement = statement.where(
            ActionItem.due_on < where.overdue_on, ActionItem.state.in_(UNFINISHED)
        )
    if where.search is not None:
        statement = statement.where(ActionItem.title.icontains(where.search, autoescape=True))
    return await base.window(session, statement, ActionItem.id, wanted, orders=ORDERS)


async def overdue_of(
    session: ReadSession, user_id: int, today: date, *, limit: int
) -> tuple[Sequence[ActionItem], int]:
    """What somebody has not finished in time, the longest due first, and how many there are."""
    where = (
        ActionItem.owner_id == user_id,
        ActionItem.due_on < today,
        ActionItem.state.in_(UNFINISHED),
    )
    found = await session.scalars(
        _visible().where(*where).order_by(ActionItem.due_on, ActionItem.id).limit(limit)
    )
    keys = _visible().where(*where).with_only_columns(ActionItem.id)
    count = (await session.scalars(base.counted(keys))).one()
    return found.all(), count


# --- Reminders ----------------------------------------------------------------------------


async def withdraw_reminders(
    session: WriteSession, item_ids: Collection[int], *, now: datetime
) -> None:
    """What was planned of these items is not told; what was told stays so."""
    statement = (
        update(ActionItemReminder)
        .where(
            ActionItemReminder.action_item_id.in_(item_ids),
            ActionItemReminder.state == ReminderState.PLANNED,
        )
        .values(state=ReminderState.WITHDRAWN, ready_at=None, updated_at=now)
    )
    await session.execute(statement.execution_options(synchronize_session=False))


async def plan_reminders(
    session: WriteSession,
    item: ActionItem,
    due_on: date,
    user_id: int,
    reminders: Sequence[Reminder],
    *,
    now: datetime,
) -> None:
    """Let these be told when their time comes; one that was told before is not told again."""
    if not reminders:
        return
    rows = [
        {
            "action_item_id": item.id,
            "user_id": user_id,
            "kind": one.kind,
            "due_on": due_on,
            "ready_at": one.due_at,
            "state": ReminderState.PLANNED,
            "created_at": now,
            "updated_at": now,
        }
        for one in reminders
    ]
    statement = upsert(ActionItemReminder).values(rows)
    kept = statement.on_conflict_do_update(
        index_elements=["action_item_id", "user_id", "kind", "due_on"],
        set_={
            "ready_at": statement.excluded.ready_at,
            "state": ReminderState.PLANNED,
            "updated_at": now,
        },
        where=ActionItemReminder.state == ReminderState.WITHDRAWN,
    )
    await session.execute(kept.execution_options(synchronize_session=False))


async def next_reminder(session: ReadSession) -> datetime | None:
    """When the next one is due."""
    statement = select(func.min(ActionItemReminder.ready_at)).where(
        ActionItemReminder.ready_at.is_not(None)
    )
    return await session.scalar(statement)


async def lock_due_reminders(
    session: WriteSession, *, now: datetime, limit: int
) -> Sequence[ActionItemReminder]:
    """Those that are due, held; what others hold is left to them."""
    statement = (
        select(ActionItemReminder)
        .where(ActionItemReminder.ready_at <= now)
        .order_by(ActionItemReminder.ready_at, ActionItemReminder.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(statement)).all()


async def by_ids(session: ReadSession, ids: Collection[int]) -> Mapping[int, ActionItem]:
    """Those of these items that anybody can see."""
    statement = _visible().where(ActionItem.id.in_(ids))
    found = await session.scalars(statement.execution_options(populate_existing=True))
    return {item.id: item for item in found}


async def not_to_be_reminded(session: ReadSession, user_ids: Collection[int]) -> set[int]:
    """Those of these people who have switched reminders off."""
    statement = select(DigestPreference.user_id).where(
        DigestPreference.user_id.in_(user_ids), ~DigestPreference.action_reminders
    )
    return set((await session.scalars(statement)).all())
