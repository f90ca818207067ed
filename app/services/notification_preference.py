"""By which rules a person is paged, and what they have switched off.

Whoever changes the addresses or rules of a person holds that person's row: two who do so at
once take turns.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.core.errors import InvalidInputError, NotFoundError
from app.crud import crud_contact_method, crud_notification_preference, crud_user
from app.db.session import ReadSession, WriteSession
from app.domain.contact_method import MOST_RULES, doubts
from app.domain.notification import Channel
from app.models import ContactMethod, NotificationRule, User
from app.services import audit_log
from app.services import user as user_service

NOT_CONFIGURED = "not configured"  # how a channel stands that nobody has set up


class InvalidRulesError(InvalidInputError):
    """A rule cannot work; `details.errors` names each place."""

    code = "INVALID_RULES"


@dataclass(frozen=True)
class Rules:
    """A person's rules in their order, and what may keep pages from reaching them."""

    items: Sequence[NotificationRule]
    warnings: Sequence[str]


def unconfigured(states: Mapping[str, str]) -> set[Channel]:
    """The channels over which nothing can be sent, of all by how they stand."""
    return {Channel(name) for name, state in states.items() if state == NOT_CONFIGURED}


async def hold(session: WriteSession, user_id: int) -> User:
    """The person, held until commit; whose account is deleted is nobody."""
    user = await crud_user.lock(session, user_id)
    if user is None or user.deleted_at is not None:
        raise NotFoundError("user", user_id)
    return user


async def rules(session: ReadSession, user_id: int, states: Mapping[str, str]) -> Rules:
    """The rules, with doubts about them, as the channels stand."""
    await user_service.require(session, user_id)
    items = await crud_notification_preference.rules_of(session, user_id)
    recipient = (await crud_user.recipients(session, [user_id]))[user_id]
    return Rules(items, doubts(recipient, unconfigured=unconfigured(states)))


async def replace_rules(
    session: WriteSession, user_id: int, wanted: Sequence[Mapping[str, Any]], *, now: datetime
) -> None:
    """Let these be all the rules. The one at a place stays the same row, whatever it says."""
    await hold(session, user_id)
    methods = await crud_contact_method.of_user(session, user_id)
    found = _faults(wanted, {method.id for method in methods})
    if found:
        raise InvalidRulesError(
            f"The rules cannot be saved: {found[0]['path']} {found[0]['message']}.", errors=found
        )
    there = await crud_notification_preference.rules_of(session, user_id)
    for position, fields in enumerate(wanted):
        if position < len(there):
            amend(there[position], {**fields, "position": position}, now=now)
        else:
            await _add(session, user_id, {**fields, "position": position}, now=now)
    beyond = [rule.id for rule in there[len(wanted) :]]
    await crud_notification_preference.remove_rules(session, beyond)
    await _note_removed(session, there[len(wanted) :], now=now)


async def drop_rules_over(session: WriteSession, method: ContactMethod, *, now: datetime) -> None:
    """Remove the rules that page over this contact method; the others close ranks.

    The caller holds the person.
    """
    there = await crud_notification_preference.rules_of(session, method.user_id)
    gone = [rule for rule in there if rule.contact_method_id == method.id]
    await crud_notification_preference.remove_rules(session, [rule.id for rule in gone])
    await _note_removed(session, gone, now=now)
    await crud_notification_preference.close_ranks(session, method.user_id, now=now)


async def page_over(session: WriteSession, method: ContactMethod, *, now: datetime) -> None:
    """Page over this contact method at once, unless some rule uses it or there are too many.

    The caller holds the person.
    """
    there = await crud_notification_preference.rules_of(session, method.user_id)
    if len(there) >= MOST_RULES or any(rule.contact_method_id == method.id for rule in there):
        return
    fields = {"contact_method_id": method.id, "position": len(there), "delay_minutes": 0}
    await _add(session, method.user_id, fields, now=now)


async def switches(session: ReadSession, user_id: int) -> dict[Channel, bool]:
    """Every channel, and whether it is on."""
    await user_service.require(session, user_id)
    touched = await crud_notification_preference.switches_of(session, user_id)
    return {channel: touched.get(channel, True) for channel in Channel}


async def switch(
    session: WriteSession, user_id: int, wanted: Mapping[Channel, bool], *, now: datetime
) -> None:
    """Switch the named channels; the others stay as they are."""
    await hold(session, user_id)
    touched = await crud_notification_preference.switches_of(session, user_id)
    await crud_notification_preference.switch(session, user_id, wanted, now=now)
    was = {str(channel): touched.get(channel, True) for channel in wanted}
    if was != wanted:
        new = {str(channel): is_on for channel, is_on in wanted.items()}
        await audit_log.note(
            session, "notification_preference.updated", user_id, before=was, after=new, now=now
        )


def amend(
    row: NotificationRule | ContactMethod, fields: Mapping[str, Any], *, now: datetime
) -> None:
    """Write the named fields; a change of nothing leaves the row as it was."""
    changed = {name: value for name, value in fields.items() if getattr(row, name) != value}
    for name, value in changed.items():
        setattr(row, name, value)
    if changed:
        row.updated_at = now


async def _note_removed(
    session: WriteSession, gone: Sequence[NotificationRule], *, now: datetime
) -> None:
    """Rules are removed in bulk, so the audit log has to be told."""
    for rule in gone:
        was = {"user_id": rule.user_id, "contact_method_id": rule.contact_method_id}
        await audit_log.note(session, "notification_rule.deleted", rule.id, before=was, now=now)


async def _add(
    session: WriteSession, user_id: int, fields: Mapping[str, Any], *, now: datetime
) -> None:
    rule = NotificationRule(user_id=user_id, **fields, created_at=now, updated_at=now)
    await crud_notification_preference.add_rule(session, rule)


def _faults(wanted: Sequence[Mapping[str, Any]], own: Collection[int]) -> list[dict[str, str]]:
    found = []
    for place, fields in enumerate(wanted):
        method_id = fields["contact_method_id"]
        if method_id not in own:
            found.append(
                {
                    "path": f"items[{place}].contact_method_id",
                    "message": f"names contact method {method_id}, which this person does not have",
                }
            )
        since, until = fields.get("quiet_from"), fields.get("quiet_until")
        if (since is None) != (until is None):
            missing = "quiet_from" if since is None else "quiet_until"
            found.append(
                {
                    "path": f"items[{place}].{missing}",
                    "message": "is missing: quiet hours have a beginning and an end",
                }
            )
        elif since is not None and since == until:
            found.append(
                {
                    "path": f"items[{place}].quiet_until",
                    "message": "is when they begin; to be paged never, leave the rule out",
                }
            )
    return found
