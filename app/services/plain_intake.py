"""Taking in what needs no transaction of several statements: alerts that only open or join.

Nearly all do, above all in a storm. Whatever comes with something else (an end, a whole group,
several alerts in one request, a service that keeps its paging waiting) goes the longer way of
`services.integration`, and what becomes of an alert is the same on either.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.crud import crud_plain_intake
from app.crud.crud_intake import Key, Problem, Seen
from app.crud.crud_plain_intake import Batch
from app.db.session import Ask
from app.domain.event import RELAY
from app.domain.integration import AlertOutcome, Readings, Signal, SignalAction
from app.domain.search import READER
from app.domain.storm import ServiceLimit
from app.services import escalation as escalation_service
from app.services import integration as integration_service
from app.services import quiet, storm
from app.services.escalation import Subject
from app.services.integration import Delivery, Item


@dataclass(frozen=True)
class Parcel:
    """One request, as it came: the key it showed, what it says, and how it looked."""

    key_hash: str
    readings: Readings
    body: bytes
    body_size: int
    request_id: str | None
    was_overtaken: bool = False


@dataclass(frozen=True)
class Taken:
    """What became of a request: its alerts; None if its key opens nothing any more.

    Overtaken is one of which nothing was written, because somebody else opened or resolved the
    same: it has to go the longer way, where it can look again.
    """

    items: Sequence[Item] | None
    is_overtaken: bool = False


def is_plain(parcel: Parcel) -> bool:
    """Whether a request says one thing, and that is no end of anything."""
    alerts, group = parcel.readings.alerts, parcel.readings.group
    if parcel.was_overtaken or group is not None or len(alerts) != 1:
        return False
    (alert,) = alerts
    return not isinstance(alert, Signal) or alert.action is SignalAction.TRIGGER


def problems(parcels: Sequence[Parcel]) -> list[Problem]:
    """Every problem once; a request without any alert still asks for its key."""
    return list(
        {
            (parcel.key_hash, integration_service.problem(alert))
            for parcel in parcels
            for alert in parcel.readings.alerts
        }
        | {(parcel.key_hash, "") for parcel in parcels if not parcel.readings.alerts}
    )


def services(parcels: Sequence[Parcel]) -> set[str]:
    """Every service that an alert names."""
    alerts = (alert for parcel in parcels for alert in parcel.readings.alerts)
    return {alert.service for alert in alerts if isinstance(alert, Signal) and alert.service}


async def take_in(
    ask: Ask, parcels: Sequence[Parcel], *, limit: ServiceLimit, shift: timedelta
) -> tuple[list[Taken], set[str]] | None:
    """Take in plain requests: what became of each, and the loops that have work by that.

    None, and nothing is done, if a service among theirs keeps its paging waiting.
    """
    seen, lately = await crud_plain_intake.look(
        ask, problems(parcels), services(parcels), limit, shift=shift
    )
    items = [_item(parcel, seen) for parcel in parcels]
    known = [item for item in items if item is not None]
    batch = _decided(known, seen, lately, limit)
    if batch is None:
        return None
    written = await crud_plain_intake.write(ask, batch, now=seen.now) if known else []
    for item, settled in zip(known, written, strict=True):
        if settled is not None:
            item.alert_id, item.incident_id = settled
    return [_taken(item) for item in items], _wake(batch, seen.now)


def _item(parcel: Parcel, seen: Seen) -> Item | None:
    sender = seen.senders.get(parcel.key_hash)
    if sender is None:
        return None
    delivery = Delivery(sender, parcel.readings, parcel.body, parcel.body_size, parcel.request_id)
    (item,) = integration_service.items_of(delivery)
    return item


def _taken(item: Item | None) -> Taken:
    if item is None:
        return Taken(None)
    return Taken([item], is_overtaken=item.incident_id is None)


def _decided(
    items: Sequence[Item], seen: Seen, lately: Mapping[str, int], limit: ServiceLimit
) -> Batch | None:
    """All that is to be written of these; None if a service keeps its paging waiting."""
    runs: dict[Key, list[Item]] = defaultdict(list)
    for item in items:
        runs[item.key].append(item)
    new = sorted(key for key in runs if key not in seen.known)
    openings = quiet.placed((integration_service.opening(runs[key]) for key in new), seen.services)
    # What is yet to be opened has no number: it goes by its turn.
    subjects = [
        Subject(turn, escalation_service.attributes_of(opening))
        for turn, opening in enumerate(openings)
    ]
    names = {item.service for item in items}
    beginnings = [subject.beginning for subject in subjects]
    if quiet.keeps_any_waiting(seen.services, names, beginnings, now=seen.now):
        return None
    pins = quiet.pins(seen.services, names)
    rows, entries = escalation_service.plan(subjects, seen.policies, pins, now=seen.now)
    newcomers = [subject.newcomer for subject in subjects]
    entries += storm.hold(rows, newcomers, lately, limit=limit, now=seen.now)
    for key, run in runs.items():
        is_new = key not in seen.known
        integration_service.settle(run, AlertOutcome.OPENED if is_new else AlertOutcome.JOINED)
    turns = {key: turn for turn, key in enumerate(new)}
    return Batch(
        joins={seen.known[key]: len(run) for key, run in runs.items() if key in seen.known},
        openings=openings,
        runs=rows,
        entries=entries,
        alerts=[_row(item, turns, seen.known) for item in items],
    )


def _row(item: Item, turns: Mapping[Key, int], known: Mapping[Key, int]) -> dict[str, Any]:
    """What is kept of an alert, and where it is to go: the turn of an opening, or an incident."""
    return integration_service.row(item) | {
        "turn": turns.get(item.key),
        "joins": known.get(item.key),
    }


def _wake(batch: Batch, now: datetime) -> set[str]:
    if not batch.openings:
        return set()
    loops = {RELAY, READER}
    if escalation_service.is_near(batch.runs, now):
        loops.add(escalation_service.LOOP)
    return loops
