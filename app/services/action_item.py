"""Action items: what people do so that it does not happen again, and when they are reminded.

Whoever changes an item holds its row, and plans its reminders anew in the same transaction: what
was planned before is withdrawn, what was told stays told. What is finished, nobody's, or due on no
day has none.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from app.core.errors import ConflictError, InvalidInputError, NotFoundError
from app.crud import crud_action_item, crud_on_call_notice, crud_postmortem, crud_user
from app.crud.crud_on_call_notice import Hearer
from app.db.session import ReadSession, WriteSession, wake_after_commit
from app.domain.action_item import (
    UNFINISHED,
    ReminderKind,
    ReminderState,
    reminded_at,
    reminders,
)
from app.domain.notification import NotificationKind
from app.models import ActionItem, ActionItemReminder, Postmortem, User
from app.services import duty_letter
from app.services.on_call_notice import LOOP

MOST_TOLD = 50  # reminders of one round
KINDS = {
    ReminderKind.DUE: NotificationKind.ACTION_ITEM_DUE,
    ReminderKind.OVERDUE: NotificationKind.ACTION_ITEM_OVERDUE,
}


class TooManyActionItemsError(ConflictError):
    """A postmortem of so many things to do is a project."""

    code = "TOO_MANY_ACTION_ITEMS"


class InvalidActionItemError(InvalidInputError):
    """It names who is not there; `details.errors` names the place."""

    code = "INVALID_ACTION_ITEM"


async def require(session: ReadSession, item_id: int) -> ActionItem:
    found = await crud_action_item.get(session, item_id)
    if found is None:
        raise NotFoundError("action item", item_id)
    return found


async def require_postmortem(session: ReadSession, postmortem_id: int) -> Postmortem:
    found = await crud_postmortem.by_id(session, postmortem_id)
    if found is None:
        raise NotFoundError("postmortem", postmortem_id)
    return found


async def create(
    session: WriteSession,
    postmortem_id: int,
    fields: Mapping[str, Any],
    *,
    by: User,
    now: datetime,
) -> ActionItem:
    """Promise to do something about an incident."""
    postmortem = await require_postmortem(session, postmortem_id)
    await crud_postmortem.lock(session, postmortem.incident_id)
    if await crud_action_item.count_of(session, postmortem_id) >= crud_action_item.MOST_OF_ONE:
        raise TooManyActionItemsError(
            f"A postmortem has at most {crud_action_item.MOST_OF_ONE} action items; remove one"
            " that nobody needs any more.",
            most=crud_action_item.MOST_OF_ONE,
        )
    await _require_owner(session, fields)
    item = ActionItem(
        postmortem_id=postmortem_id,
        created_by=by.id,
        revision=1,
        created_at=now,
        updated_at=now,
        **fields,
    )
    _finish(item, now)
    await crud_action_item.add(session, item)
    await _plan(session, item, now)
    return await require(session, item.id)


async def update(
    session: WriteSession, item_id: int, fields: Mapping[str, Any], *, now: datetime
) -> ActionItem:
    """Write the named fields; its reminders follow."""
    item = await _held(session, item_id)
    await _require_owner(session, fields)
    changed = item.revise(fields, now=now)
    if "state" in changed:
        _finish(item, now)
    if changed.keys() & {"state", "owner_id", "due_on"}:
        await crud_action_item.withdraw_reminders(session, [item.id], now=now)
        await _plan(session, item, now)
    return await require(session, item_id)


async def remove(session: WriteSession, item_id: int) -> None:
    """Take it away, with what was planned of it; the audit log keeps what it said."""
    await crud_action_item.remove(session, await _held(session, item_id))


def _finish(item: ActionItem, now: datetime) -> None:
    item.finished_at = None if item.state in (None, *UNFINISHED) else item.finished_at or now


async def _held(session: WriteSession, item_id: int) -> ActionItem:
    item = await crud_action_item.lock(session, item_id)
    if item is None:
        raise NotFoundError("action item", item_id)
    return item


async def _require_owner(session: ReadSession, fields: Mapping[str, Any]) -> None:
    key = fields.get("owner_id")
    if key is None:
        return
    owner = (await crud_user.by_ids(session, [key])).get(key)
    if owner is None or not owner.is_active:
        message = f"names user {key}, who is not active"
        raise InvalidActionItemError(
            f"The action item cannot be saved: owner_id {message}.",
            errors=[{"path": "owner_id", "message": message}],
        )


# --- Reminders ----------------------------------------------------------------------------


async def _plan(session: WriteSession, item: ActionItem, now: datetime) -> None:
    if item.owner_id is None or item.due_on is None or item.state not in UNFINISHED:
        return
    owners = await crud_user.by_ids(session, [item.owner_id])
    ahead = list(reminders(item.due_on, owners[item.owner_id].time_zone, now=now))
    await crud_action_item.plan_reminders(session, item, item.due_on, item.owner_id, ahead, now=now)
    wake_after_commit(session, LOOP)


async def tell_due(session: WriteSession, *, now: datetime) -> int:
    """Remind some of those whose time has come; how many that settled or moved on."""
    due = await crud_action_item.lock_due_reminders(session, now=now, limit=MOST_TOLD)
    if not due:
        return 0
    users = {one.user_id for one in due}
    people = await crud_on_call_notice.hearers(session, users)
    deaf = await crud_action_item.not_to_be_reminded(session, users)
    items = await crud_action_item.by_ids(session, {one.action_item_id for one in due})
    letters: list[dict[str, Any]] = []
    for one in due:
        item, hearer = items.get(one.action_item_id), people.get(one.user_id)
        if hearer is None or one.user_id in deaf or not _still(item, one, hearer):
            _settle(one, ReminderState.WITHDRAWN, now)
            continue
        assert item is not None  # it still is so
        letters += _told(one, item, hearer, now)
    await duty_letter.promise(session, letters)
    return len(due)


def _still(item: ActionItem | None, one: ActionItemReminder, hearer: Hearer) -> bool:
    """Whether it is still worth saying, to somebody who can be told."""
    return (
        item is not None
        and item.state in UNFINISHED
        and (item.owner_id, item.due_on) == (one.user_id, one.due_on)
        and hearer.is_active
        and bool(hearer.addresses)
    )


def _told(
    one: ActionItemReminder, item: ActionItem, hearer: Hearer, now: datetime
) -> list[dict[str, Any]]:
    """Letters over every address that is not in its quiet hours; if all are, it waits for one.

    So it does where the owner's clock was set to another zone since, in which it is not morning.
    """
    morning = reminded_at(one.kind, one.due_on, hearer.time_zone) or now
    due = {address: duty_letter.due_at(hearer, address, now) for address in hearer.addresses}
    first = max(min(due.values()), morning)
    if first > now:
        one.ready_at, one.updated_at = first, now
        return []
    _settle(one, ReminderState.TOLD, now)
    facts = {
        "title": item.title,
        "incident_id": item.postmortem.incident_id,
        "due_on": one.due_on.isoformat(),
    }
    return [
        duty_letter.letter(KINDS[one.kind], hearer, address, facts, good_until=None, now=now)
        for address, when in due.items()
        if when <= now
    ]


def _settle(one: ActionItemReminder, state: ReminderState, now: datetime) -> None:
    one.state, one.ready_at, one.updated_at = state, None, now


def today(now: datetime) -> date:
    """The day that it is in UTC; what was due on one before is overdue wherever one looks."""
    return now.date()
