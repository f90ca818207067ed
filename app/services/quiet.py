"""Who is not paged yet: services that keep paging waiting, and asking again when they change.

Whatever begins to page asks `waits` first: what an alert or a person opens, what is reopened,
what changes its severity or service, what comes back from a snooze or an acknowledgement that
expired. What pages already goes on. A wait is a due time on the escalation (`keep_waiting`); the
ladder asks again when it has come. Whoever changes a service, or ends a window, calls `review`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from app.crud import crud_incident, crud_quiet, crud_silence
from app.crud.crud_escalation import Due
from app.crud.crud_quiet import Catalogue
from app.db.session import ReadSession, WriteSession, wake_after_commit
from app.domain import quiet
from app.domain.escalation import EscalationStatus
from app.domain.incident import Opening, Severity, TimelineType
from app.domain.quiet import Wait, WaitsFor
from app.models import Escalation, Incident

LOOP, LADDER = "quiet", "escalation"  # the loops that ask again, and that climb
ASKED_AT_ONCE = 500

Pinned = Mapping[str, int]


@dataclass(frozen=True)
class Beginning:
    """An incident whose paging would begin now."""

    incident_id: int
    service: str
    severity: Severity


async def catalogue(session: ReadSession, names: Collection[str], *, now: datetime) -> Catalogue:
    """How these services stand now."""
    return await crud_quiet.catalogue(session, names, now=now)


async def waits(
    session: WriteSession, beginnings: Collection[Beginning], *, now: datetime
) -> Mapping[int, Wait]:
    """Which of these incidents wait, until when and why. The caller writes that down.

    What they wait for is held until commit, so that whoever changes it finds them waiting.
    """
    names = {one.service for one in beginnings}
    found = _waits(await crud_quiet.catalogue(session, names, now=now), beginnings, now)
    if not found:
        return found
    return _waits(await crud_quiet.hold(session, names, now=now), beginnings, now)


def _waits(
    services: Catalogue, beginnings: Iterable[Beginning], now: datetime
) -> Mapping[int, Wait]:
    asked = (
        (one.incident_id, quiet.wait(services.standing(one.service), one.severity, now=now))
        for one in beginnings
    )
    return {incident_id: wait for incident_id, wait in asked if wait is not None}


def keep_waiting(
    rows: Iterable[dict[str, Any]], waits: Mapping[int, Wait], *, now: datetime
) -> list[dict[str, Any]]:
    """Let escalations that begin wait; what the timelines say of it."""
    kept = {}
    for row in rows:
        wait = waits.get(row["incident_id"])
        if wait is not None:
            row.update(next_step_at=wait.until, waits_until=wait.until, waits_for=wait.reason)
            kept[row["incident_id"]] = wait
    return [entry(incident_id, wait, now=now) for incident_id, wait in kept.items()]


async def pinned(session: ReadSession, names: Collection[str], *, now: datetime) -> Pinned:
    """The policy that each of these services pins, if it does."""
    return pins(await crud_quiet.catalogue(session, names, now=now), names)


def pins(services: Catalogue, names: Iterable[str]) -> Pinned:
    """The same of services whose standings are known."""
    found = ((name, services.standing(name).policy_id) for name in names)
    return {name: policy_id for name, policy_id in found if policy_id is not None}


def keeps_any_waiting(
    services: Catalogue, names: Iterable[str], beginnings: Iterable[Beginning], *, now: datetime
) -> bool:
    """Whether any of these services is under maintenance, or any of this paging would wait."""
    standings = (services.standing(name) for name in names)
    if any(quiet.under_maintenance(standing, now) for standing in standings):
        return True
    return bool(_waits(services, beginnings, now))


def ask_again(run: Escalation, *, now: datetime) -> None:
    """Let an escalation that waits be asked now whether it still has to; a snooze goes on."""
    if run.waits_until is None:
        return
    if run.deferred_from is None:
        run.next_step_at = now
    else:
        run.deferred_from = now
    run.updated_at = now


async def place(session: WriteSession, incident: Incident, *, now: datetime) -> None:
    """Have an incident as urgent as its service has it, and looked after if it may fall silent."""
    services = await crud_quiet.catalogue(session, {incident.service}, now=now)
    standing = services.standing(incident.service)
    incident.urgency = standing.urgency(incident.severity)
    if standing.silence is not None and incident.integration_id is not None:
        await crud_silence.watch(session, incident.id, since=now, due_at=now + standing.silence)


async def of_dues(
    session: WriteSession, dues: Iterable[Due], *, now: datetime
) -> Mapping[int, Wait]:
    """Which incidents wait, of those whose due escalation is to begin, or to begin anew."""
    beginnings = {
        due.incident.id: Beginning(due.incident.id, due.incident.service, due.incident.severity)
        for due in dues
        if begins(due)
    }
    return await waits(session, beginnings.values(), now=now) if beginnings else {}


def begins(due: Due) -> bool:
    """Whether its service is asked before this due escalation goes on."""
    run, incident = due.escalation, due.incident
    rested = run.status is EscalationStatus.PAUSED or incident.snoozed_until is not None
    return not incident.is_drill and (rested or run.waits_until is not None)


def entry(incident_id: int, wait: Wait, *, now: datetime) -> dict[str, Any]:
    """What the timeline says of a wait."""
    return crud_incident.entry(
        incident_id,
        TimelineType.PAGING_WAITS,
        wait.story,
        now=now,
        until=wait.until.isoformat(),
        waits_for=wait.reason.value,
    )


def placed(openings: Iterable[Opening], services: Catalogue) -> Sequence[Opening]:
    """The same incidents, as urgent as their services have them, and with what ends them."""
    return [_placed(opening, services) for opening in openings]


def _placed(opening: Opening, services: Catalogue) -> Opening:
    standing = services.standings.get(opening.service)
    if standing is None:
        return opening
    return replace(
        opening,
        urgency=standing.urgency(opening.severity),
        silence=None if opening.integration_id is None else standing.silence,
    )


async def suppressed(
    session: WriteSession, services: Mapping[int, str], *, now: datetime
) -> Mapping[int, str]:
    """Which of these incidents page nobody for maintenance, in words for the alerts about them;
    `services` says of each which service its alert named."""
    if not services:
        return {}
    found = await crud_quiet.catalogue(session, set(services.values()), now=now)
    on = (
        (key, quiet.under_maintenance(found.standing(name), now)) for key, name in services.items()
    )
    windows = {key: window for key, window in on if window is not None}
    if not windows:
        return {}
    waiting = await crud_quiet.waiting(session, windows.keys(), WaitsFor.MAINTENANCE)
    return {
        key: f"Suppressed by maintenance “{window.title}”: nobody is paged before it ends,"
        f" {window.ends_at:%Y-%m-%d %H:%M} UTC at the latest."
        for key, window in windows.items()
        if key in waiting
    }


async def review(session: WriteSession, names: Collection[str | None]) -> None:
    """Have whoever waits for these services asked again after commit; None is for all services.

    For every change that may end a wait or shorten it: of a service, of its name, of a window.
    """
    if names:
        await crud_quiet.review(session, names)
        wake_after_commit(session, LOOP)


async def ask_some_again(session: WriteSession, *, now: datetime) -> bool:
    """Ask some of those again who wait for a service that has changed; False if nobody is left.

    They are due at once, and the ladder finds out whether they still wait.
    """
    review = await crud_quiet.next_review(session)
    if review is None:
        return False
    if review.asked == 0 and review.service is not None:
        await _watch_again(session, review.service, now)
    ids = await crud_quiet.who_waits(session, review, most=ASKED_AT_ONCE)
    await _place_again(session, await crud_incident.lock_unresolved(session, ids), now)
    await crud_quiet.ask_again(session, ids, now=now)
    is_all = len(ids) < ASKED_AT_ONCE
    await crud_quiet.settle(session, review, asked=None if is_all else ids[-1])
    wake_after_commit(session, LADDER)
    return True


async def _place_again(session: WriteSession, waiting: Sequence[Incident], now: datetime) -> None:
    """Have incidents that page nobody yet as urgent as their services have them by now: it picks
    the rules by which people will be paged. What pages already keeps what it began with."""
    services = await crud_quiet.catalogue(session, {one.service for one in waiting}, now=now)
    entries = []
    for incident in waiting:
        urgency = services.standing(incident.service).urgency(incident.severity)
        if urgency is not incident.urgency:
            incident.urgency = urgency
            incident.touch(now)
            story = f"Service “{incident.service}” has changed: it is of {urgency} urgency now."
            entries.append(crud_incident.entry(incident.id, TimelineType.EDITED, story, now=now))
    await crud_incident.tell(session, entries)


async def _watch_again(session: WriteSession, name: str, now: datetime) -> None:
    """A service may have another idea of how long a silence is: look at all it has open."""
    services = await crud_quiet.catalogue(session, {name}, now=now)
    if services.standing(name).silence is not None:
        await crud_silence.watch_service(session, name, now=now)
        wake_after_commit(session, LOOP)
