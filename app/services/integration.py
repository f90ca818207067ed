"""Taking alerts in: dedup, open, join, resolve, for any number of alerts in one transaction.

Set-based throughout, so that the number of statements does not follow the number of alerts:
what a batch says of one problem is put together first, in the order it came. A problem's
history inside a batch (trigger, resolve, trigger) becomes rounds; almost always there is one.

What cannot be read is never dropped: it is kept as it came, and opens (or joins) an incident
about its integration, because many senders do not try again.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from app import integrations
from app.core.errors import ConflictError, NotFoundError, UnavailableError
from app.core.security import KEY_PREFIX, hash_key, new_integration_key
from app.crud import crud_alert, crud_incident, crud_intake, crud_integration
from app.crud.crud_intake import Key
from app.db.session import WriteSession
from app.domain.incident import Opening
from app.domain.integration import (
    UNREADABLE_KEY,
    AlertOutcome,
    IntegrationKind,
    Readings,
    Sender,
    Signal,
    SignalAction,
    Unreadable,
    complaint,
)
from app.domain.storm import UNLIMITED, ServiceLimit
from app.domain.user import Actor
from app.models import Integration, IntegrationKey
from app.services import incident as incident_service
from app.services import quiet

PAGING = (AlertOutcome.OPENED, AlertOutcome.JOINED, AlertOutcome.UNREADABLE)
RAW_KEPT = 64 * 1024
OPENING_RACES = 5


@dataclass(frozen=True)
class Delivery:
    """One request that came in: whose it is, what it says, and how it looked."""

    sender: Sender
    readings: Readings
    body: bytes
    body_size: int
    request_id: str | None = None
    replay_of: int | None = None  # the alert that somebody had read again


@dataclass
class Item:
    """One alert on its way through, and what became of it."""

    delivery: Delivery
    signal: Signal
    reason: str | None = None  # why it could not be read
    outcome: AlertOutcome = AlertOutcome.IGNORED
    incident_id: int | None = None
    alert_id: int = 0
    suppressed: str | None = None  # why nobody is paged for it yet

    @property
    def service(self) -> str:
        sender = self.delivery.sender
        return self.signal.service or sender.service or sender.name

    @property
    def key(self) -> Key:
        return self.delivery.sender.id, self.signal.dedup_key


async def receive(
    session: WriteSession,
    deliveries: Sequence[Delivery],
    *,
    now: datetime,
    limit: ServiceLimit = UNLIMITED,
    known: Mapping[Key, int] | None = None,
) -> list[Item]:
    """Take in everything these requests say; what became of each alert, in their order.

    `known` are the unresolved incidents of all their problems if the caller has looked already.
    May deadlock against another batch with the same problems; run it where clashes are retried.
    """
    items = [item for delivery in deliveries for item in items_of(delivery)]
    if known is None:
        known = await crud_intake.unresolved_by_key(session, {item.key for item in items})
    await _hold_what_may_end(session, items, deliveries, known)
    for turn, (triggers, resolves) in enumerate(_rounds(items)):
        await _resolve(session, resolves, now)
        await _trigger(session, triggers, now, limit, known if turn == 0 else None)
    for delivery in deliveries:
        await _resolve_absent(session, delivery, now)
    await _note_suppressed(session, items, now)
    ids = await crud_alert.record(session, _rows(items), now=now)
    for item, alert_id in zip(items, ids, strict=True):
        item.alert_id = alert_id
    return items


async def _hold_what_may_end(
    session: WriteSession,
    items: Sequence[Item],
    deliveries: Sequence[Delivery],
    known: Mapping[Key, int],
) -> None:
    """Incidents come before tallies: hold all that may end here before the first alert joins."""
    ending = {item.key for item in items if item.signal.action is SignalAction.RESOLVE}
    ids = {known[key] for key in ending if key in known}
    for delivery in deliveries:
        ids.update(await _absent(session, delivery))
    if ids:
        await crud_incident.lock_unresolved(session, ids)


def _rows(items: Sequence[Item]) -> list[dict[str, Any]]:
    """What is kept of every alert; of each body one copy, with the first of its alerts."""
    requests: dict[int, int] = {}
    rows = []
    for item in items:
        body = {} if id(item.delivery) not in requests else {"raw_body": None}
        request = requests.setdefault(id(item.delivery), len(requests))
        rows.append(row(item) | body | {"request": request, "incident_id": item.incident_id})
    return rows


def row(item: Item) -> dict[str, Any]:
    """What is kept of an alert that came alone in its request."""
    delivery, is_readable = item.delivery, item.reason is None
    return {
        "integration_id": delivery.sender.id,
        "replay_of": delivery.replay_of,
        "outcome": item.outcome,
        "dedup_key": item.signal.dedup_key if is_readable else None,
        "title": item.signal.title if is_readable else None,
        "reason": item.reason or item.suppressed,
        "request_id": delivery.request_id,
        "body_size": delivery.body_size,
        "raw_body": delivery.body[:RAW_KEPT],
    }


def items_of(delivery: Delivery) -> Iterable[Item]:
    """The alerts of a request, before anything became of them."""
    for alert in delivery.readings.alerts:
        if isinstance(alert, Unreadable):
            signal = complaint(delivery.sender, alert)
            yield Item(delivery, signal, alert.reason, AlertOutcome.UNREADABLE)
        else:
            yield Item(delivery, alert)


Round = tuple[dict[Key, list[Item]], dict[Key, list[Item]]]


def _rounds(items: Sequence[Item]) -> Iterable[Round]:
    """Triggers and resolves by problem, such that each problem has one kind in a round."""
    histories: dict[Key, list[Item]] = defaultdict(list)
    for item in items:
        histories[item.key].append(item)
    rounds: list[Round] = []
    for key, history in sorted(histories.items()):
        for turn, (action, run) in enumerate(groupby(history, lambda item: item.signal.action)):
            if turn == len(rounds):
                rounds.append(({}, {}))
            rounds[turn][action is SignalAction.RESOLVE][key] = list(run)
    return rounds


async def _resolve(session: WriteSession, resolves: dict[Key, list[Item]], now: datetime) -> None:
    found = await crud_intake.unresolved_by_key(session, list(resolves)) if resolves else {}
    ended = await _resolve_incidents(session, found.values(), "The source says it is over.", now)
    for key, run in resolves.items():
        incident_id = found.get(key)
        if incident_id in ended:
            run[0].outcome = AlertOutcome.RESOLVED
            for item in run:
                item.incident_id = incident_id


async def _resolve_incidents(
    session: WriteSession, ids: Collection[int], story: str, now: datetime
) -> set[int]:
    if not ids:
        return set()
    held = await crud_incident.lock_unresolved(session, ids)
    if held:
        await incident_service.resolve_many(session, held, story=story, now=now)
    return {incident.id for incident in held}


async def _trigger(
    session: WriteSession,
    triggers: dict[Key, list[Item]],
    now: datetime,
    limit: ServiceLimit,
    known: Mapping[Key, int] | None,
) -> None:
    """Join what is open, open the rest. `known` may be out of date: then we look again."""
    waiting = dict(triggers)
    for _ in range(OPENING_RACES):
        if not waiting:
            return
        if known is None:
            known = await crud_intake.unresolved_by_key(session, waiting)
        found = {key: known[key] for key in waiting if key in known}
        known = None
        counts = {incident: len(waiting[key]) for key, incident in found.items()}
        joined = await crud_intake.join_many(session, counts, now=now) if counts else set()
        for key, incident_id in found.items():
            if incident_id in joined:
                settle(waiting.pop(key), AlertOutcome.JOINED, incident_id)
        openings = {key: opening(run) for key, run in waiting.items()}
        if not openings:
            return
        opened = await incident_service.open_many(
            session, list(openings.values()), now=now, limit=limit
        )
        for key, one in openings.items():
            if one.uid in opened:
                settle(waiting.pop(key), AlertOutcome.OPENED, opened[one.uid])
    # Somebody opens and resolves the same problem faster than we can look.
    raise UnavailableError("Too much happens to the same problem at once; send it again.")


def settle(run: list[Item], first: AlertOutcome, incident_id: int | None = None) -> None:
    """Say what became of alerts about one problem: all but the first have joined."""
    for turn, item in enumerate(run):
        item.incident_id = incident_id
        if item.outcome is not AlertOutcome.UNREADABLE:
            item.outcome = first if turn == 0 else AlertOutcome.JOINED


def opening(run: list[Item]) -> Opening:
    """The incident that these alerts open: as the first of them tells it."""
    sender, signal = run[0].delivery.sender, run[0].signal
    return Opening(
        title=signal.title,
        description=signal.description,
        severity=signal.severity or sender.default_severity,
        service=run[0].service,
        source=signal.source,
        url=signal.url,
        tags=signal.tags,
        labels=signal.labels,
        integration_id=sender.id,
        dedup_key=signal.dedup_key,
        group_key=signal.group_key,
        alert_count=len(run),
        story=f"An alert from “{sender.name}” opened the incident.",
    )


async def _note_suppressed(session: WriteSession, items: Sequence[Item], now: datetime) -> None:
    """Say with each alert during maintenance that nobody is paged for it yet, if that is so."""
    paging = [item for item in items if item.outcome in PAGING]
    services = {item.incident_id: item.service for item in paging if item.incident_id is not None}
    stories = await quiet.suppressed(session, services, now=now)
    for item in paging:
        item.suppressed = stories.get(item.incident_id or 0)


async def _resolve_absent(session: WriteSession, delivery: Delivery, now: datetime) -> None:
    """What a sender leaves out of a complete list of its group is over."""
    absent = await _absent(session, delivery)
    await _resolve_incidents(
        session, absent, "The source no longer lists it in its group; it is over.", now
    )


async def _absent(session: WriteSession, delivery: Delivery) -> list[int]:
    group = delivery.readings.group
    if group is None:
        return []
    known = await crud_incident.unresolved_in_group(session, delivery.sender.id, group.group_key)
    return [incident for key, incident in known.items() if key not in group.present]


def read(kind: IntegrationKind, body: bytes) -> Readings:
    """What a body says, in our words. Never fails: what cannot be read is a reading, too."""
    return integrations.read(kind, body)


def problem(alert: Signal | Unreadable) -> str:
    """The dedup key of what this alert is about."""
    return UNREADABLE_KEY if isinstance(alert, Unreadable) else alert.dedup_key


def sender_of(integration: Integration) -> Sender:
    return Sender(
        integration.id,
        integration.name,
        integration.kind,
        integration.service,
        integration.default_severity,
    )


def unreadable(reason: str) -> Readings:
    """A whole request that could not be read."""
    return Readings((Unreadable(reason),))


# --- Integrations and their keys --------------------------------------------------------


class IntegrationNameTakenError(ConflictError):
    """Another integration has this name."""

    code = "INTEGRATION_NAME_TAKEN"


class LastKeyError(ConflictError):
    """Without a key nothing could come in."""

    code = "LAST_KEY"


@dataclass(frozen=True)
class NewKey:
    """A key as it is shown once, and the row that keeps its hash."""

    secret: str
    row: IntegrationKey


async def create(
    session: WriteSession, fields: Mapping[str, Any], *, actor: Actor, now: datetime
) -> tuple[Integration, NewKey]:
    """An integration with its first key."""
    await _require_free_name(session, fields["name"], None)
    integration = await crud_integration.add(
        session,
        Integration(**fields, created_by=actor.user_id, created_at=now, updated_at=now),
    )
    return integration, await add_key(session, integration.id, now=now)


async def update(
    session: WriteSession, integration_id: int, fields: Mapping[str, Any], *, now: datetime
) -> Integration:
    """Write the named fields. A deactivated integration's keys open nothing."""
    integration = await _held(session, integration_id)
    if "name" in fields:
        await _require_free_name(session, fields["name"], integration_id)
    integration.revise(fields, now=now)
    return integration


async def add_key(session: WriteSession, integration_id: int, *, now: datetime) -> NewKey:
    """Another key, so that one can replace the other without a gap."""
    await _held(session, integration_id)
    secret = new_integration_key()
    row = IntegrationKey(
        integration_id=integration_id,
        key_hash=hash_key(secret),
        hint=secret[: len(KEY_PREFIX) + 4],
        created_at=now,
    )
    return NewKey(secret, await crud_integration.add_key(session, row))


async def revoke_key(
    session: WriteSession, integration_id: int, key_id: int, *, now: datetime
) -> None:
    """End a key. The last live one stays: deactivate the integration instead."""
    await _held(session, integration_id)
    live = await crud_integration.live_keys(session, integration_id)
    row = next((row for row in live if row.id == key_id), None)
    if row is None:
        raise NotFoundError("key", key_id)
    if len(live) == 1:
        raise LastKeyError(
            "This is the last key. Add another first, or deactivate the integration."
        )
    row.revoked_at = now


async def _held(session: WriteSession, integration_id: int) -> Integration:
    integration = await crud_integration.lock(session, integration_id)
    if integration is None:
        raise NotFoundError("integration", integration_id)
    return integration


async def _require_free_name(session: WriteSession, name: str, own_id: int | None) -> None:
    other = await crud_integration.by_name(session, name)
    if other is not None and other.id != own_id:
        raise IntegrationNameTakenError(
            "There is an integration with this name already.", field="name"
        )
