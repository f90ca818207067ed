"""Looking at schedules: what is to be told of the hours ahead is planned, and what changed since
the look before is told.

Whoever looks holds the schedule's watch, so of many replicas one plans. Those who made a change
themselves, or agreed to it, are not told of it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from app.crud import crud_duty_change, crud_on_call_notice, crud_schedule, crud_shift_request
from app.db.session import WriteSession
from app.domain import schedule as engine
from app.domain.on_call_notice import (
    AHEAD,
    CHANGES_WITHIN,
    LOOK_EVERY,
    Changed,
    NoticeKind,
    Plan,
    changes,
    plans,
)
from app.domain.timeline import Interval, Stretch
from app.models import OnCallWatch
from app.services import shift_request as shift_request_service

MOST_LOOKED = 20  # schedules of one round
MOST_REQUESTS = 200
MOST_PARTS = 10  # of a change, told one by one


async def look(session: WriteSession, *, now: datetime) -> int:
    """Look at some schedules whose time has come; how many those were."""
    watches = await crud_on_call_notice.lock_due_watches(session, now=now, limit=MOST_LOOKED)
    if not watches:
        return 0
    during = Interval(now, now + AHEAD)
    ids = [watch.schedule_id for watch in watches]
    rotas = await crud_schedule.load(session, ids, during=during)
    await _settle_stale(session, [watch for watch in watches if watch.looked_at], now=now)
    ahead: dict[int, list[Stretch]] = {}
    changed: dict[int, Mapping[int, Changed]] = {}
    for watch in watches:
        rota = rotas.get(watch.schedule_id)
        if rota is None:
            await crud_on_call_notice.withdraw_all(session, watch.schedule_id, now=now)
            await crud_on_call_notice.remove_watch(session, watch)
            continue
        ahead[watch.schedule_id] = stretches = engine.render(rota, during)
        if watch.looked_at is not None:
            known_until = watch.looked_at + AHEAD
            soon = Interval(now, max(now, min(now + CHANGES_WITHIN, known_until)))
            changed[watch.schedule_id] = changes(_read(watch.ahead), stretches, soon)
    await _plan(session, ahead, during, now=now)
    await _plan_changes(session, watches, changed, now=now)
    for watch in watches:
        if watch.schedule_id in ahead:
            watch.looked_at = now
            watch.next_look_at = now + LOOK_EVERY
            watch.ahead = _written(ahead[watch.schedule_id])
    return len(watches)


async def _settle_stale(
    session: WriteSession, watches: Sequence[OnCallWatch], *, now: datetime
) -> None:
    ids = [watch.schedule_id for watch in watches]
    requests = await crud_shift_request.lock_open_of(session, ids, limit=MOST_REQUESTS)
    if not requests:
        return
    begin = min(request.starts_at for request in requests)
    end = max(max(request.ends_at, request.wanted_until or request.ends_at) for request in requests)
    during = Interval(min(begin, now), end)
    rotas = await crud_schedule.load(
        session, {request.schedule_id for request in requests}, during=during
    )
    await shift_request_service.settle_stale(session, requests, rotas, now=now)


async def _plan(
    session: WriteSession,
    ahead: Mapping[int, Sequence[Stretch]],
    during: Interval,
    *,
    now: datetime,
) -> None:
    people = {user_id for its in ahead.values() for stretch in its for user_id in stretch.people}
    wishes = await crud_on_call_notice.wishes_of(session, people)
    planned: dict[int, list[Plan]] = {
        key: plans(stretches, wishes, during) for key, stretches in ahead.items()
    }
    if planned:
        await crud_on_call_notice.replan(session, planned, now=now)


async def _plan_changes(
    session: WriteSession,
    watches: Iterable[OnCallWatch],
    changed: Mapping[int, Mapping[int, Changed]],
    *,
    now: datetime,
) -> None:
    since = {watch.schedule_id: watch.looked_at for watch in watches if watch.looked_at}
    touched = {key: since[key] for key, people in changed.items() if people}
    if not touched:
        return
    known = await crud_duty_change.makers(session, touched)
    rows = [
        {
            "schedule_id": key,
            "user_id": user_id,
            "kind": NoticeKind.CHANGE,
            "about_at": change.begins_at,
            "facts": _facts(change),
        }
        for key in sorted(touched)
        for user_id, change in changed[key].items()
        if user_id not in known[key]
    ]
    await crud_on_call_notice.plan_changes(session, rows, now=now)


def _facts(change: Changed) -> dict[str, Any]:
    return {
        name: [[one.isoformat() for one in part] for part in parts[:MOST_PARTS]]
        for name, parts in (("gained", change.gained), ("lost", change.lost))
    }


def _written(stretches: Sequence[Stretch]) -> list[Any]:
    return [
        [starts_at.isoformat(), ends_at.isoformat(), list(people)]
        for starts_at, ends_at, people in stretches
    ]


def _read(document: Sequence[Any]) -> list[Stretch]:
    return [
        Stretch(datetime.fromisoformat(since), datetime.fromisoformat(until), tuple(people))
        for since, until, people in document
    ]
