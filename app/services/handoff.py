"""The hand-off brief: what whoever comes on call should know of the shift that ends.

It is about one hand-off: the instant at which other people come on call. It tells who hands over
to whom, what is still open, how often the shift was paged and by what, and what is to come.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.crud import crud_handoff, crud_schedule, crud_user
from app.db.session import ReadSession
from app.domain import on_call
from app.domain import schedule as engine
from app.domain.figures import NIGHT_BEGINS, NIGHT_ENDS
from app.domain.time_zone import zone
from app.domain.timeline import Interval, Stretch
from app.messages.plain import counted, cut
from app.models import Incident, Schedule, ScheduleOverride, ShiftRequest, User
from app.services import schedule as schedule_service

LONGEST_SHIFT = timedelta(days=31)  # what is looked back at, and ahead
JUST_BEGUN = timedelta(hours=1)  # whoever came on so lately still reads the brief of that
MOST_SHOWN = 50
MOST_COUNTED = 1000
MOST_PAGES = 5000
NOISIEST = 5
IN_SHORT = 5


@dataclass(frozen=True)
class Noisy:
    """Something that paged more than once in the shift."""

    title: str
    service: str
    dedup_key: str | None
    incident_id: int
    pages: int


@dataclass(frozen=True)
class Brief:
    """Everything about one hand-off; `handoff_at` is None where none is in sight."""

    schedule: Schedule
    handoff_at: datetime | None
    shift_started_at: datetime
    next_handoff_at: datetime | None
    outgoing: Sequence[User]
    incoming: Sequence[User]
    following: Sequence[User]
    incidents: Sequence[Incident]
    incident_count: int
    pages: int
    night_pages: int
    noisy: Sequence[Noisy]
    overrides: Sequence[ScheduleOverride]
    requests: Sequence[ShiftRequest]


async def of_schedule(
    session: ReadSession, schedule_id: int, *, at: datetime | None, now: datetime
) -> Brief:
    """The brief of the first hand-off at or after a time; of the last hour's, or the next one."""
    schedule = await schedule_service.require(session, schedule_id)
    since = now - JUST_BEGUN if at is None else at
    during = Interval(since - LONGEST_SHIFT, since + 3 * LONGEST_SHIFT)
    rota = (await crud_schedule.load(session, [schedule_id], during=during))[schedule_id]
    change = on_call.next_change(rota, since - on_call.INSTANT, horizon=LONGEST_SHIFT)
    return await brief(session, schedule, rota, at=change.at if change else None, now=now)


async def brief(
    session: ReadSession,
    schedule: Schedule,
    rota: engine.Schedule,
    *,
    at: datetime | None,
    now: datetime,
) -> Brief:
    """The brief of the hand-off at this instant; None: of whoever is on call, without an end."""
    middle = now if at is None else at
    stretches = engine.render(rota, Interval(middle - LONGEST_SHIFT, middle + LONGEST_SHIFT))
    ending = _at(stretches, middle - on_call.INSTANT)
    coming = _at(stretches, middle) if at is not None else None
    begun = ending.starts_at if ending is not None else middle
    until = coming.ends_at if coming is not None else None
    after = _at(stretches, until) if until is not None else None
    if until == middle + LONGEST_SHIFT:
        until = None  # it goes on beyond what was looked at
    shift = Interval(begun, max(begun, min(middle, now)))
    people = _people(ending)
    users = await crud_user.by_ids(session, {*people, *_people(coming), *_people(after)})
    incidents, count = await crud_handoff.unresolved(
        session, schedule.id, people, shift, limit=MOST_SHOWN, most=MOST_COUNTED
    )
    paged = await crud_handoff.pages(session, people, shift, limit=MOST_PAGES)
    ahead = Interval(middle, until or middle + LONGEST_SHIFT)
    return Brief(
        schedule,
        at,
        begun,
        until,
        _named(users, people),
        _named(users, _people(coming)),
        _named(users, _people(after)),
        incidents,
        count,
        len(paged),
        sum(_is_night(users[one[0]], one[1]) for one in paged),
        _noisy([one[2:] for one in paged]),
        await crud_handoff.overrides(session, schedule.id, ahead, limit=MOST_SHOWN),
        await crud_handoff.requests(session, schedule.id, ahead, limit=MOST_SHOWN),
    )


def in_short(brief: Brief) -> list[str]:
    """A few sentences of it, for a message."""
    names = " and ".join(user.display_name for user in brief.outgoing)
    said = [f"{names} hands over." if names else "Nobody was on call before you."]
    if brief.incident_count:
        is_more = brief.incident_count > IN_SHORT
        shown = ", ".join(
            f"#{one.id} {cut(one.title, 60)} ({one.severity})" for one in brief.incidents[:IN_SHORT]
        )
        rest = f" and {brief.incident_count - IN_SHORT} more" if is_more else ""
        said.append(f"Not over yet: {shown}{rest}.")
    else:
        said.append("Nothing is open.")
    night = f", {brief.night_pages} of them at night" if brief.night_pages else ""
    said.append(f"{counted(brief.pages, 'page')} in the last shift{night}.")
    if brief.noisy:
        worst = brief.noisy[0]
        said.append(f"The noisiest: {cut(worst.title, 60)} ({worst.pages} pages).")
    if brief.overrides:
        said.append(f"{counted(len(brief.overrides), 'override')} in your shift.")
    return said


def _at(stretches: Sequence[Stretch], at: datetime) -> Stretch | None:
    return next((one for one in stretches if one.starts_at <= at < one.ends_at), None)


def _people(stretch: Stretch | None) -> tuple[int, ...]:
    return stretch.people if stretch is not None else ()


def _named(users: dict[int, User], people: Collection[int]) -> list[User]:
    return [users[user_id] for user_id in people if user_id in users]


def _is_night(user: User, at: datetime) -> bool:
    hour = at.astimezone(zone(user.time_zone)).hour
    return hour >= NIGHT_BEGINS or hour < NIGHT_ENDS


def _noisy(paged: Sequence[tuple[int, str, str | None, str]]) -> list[Noisy]:
    """What paged most: incidents of one dedup key and service are one thing."""
    counts: Counter[tuple[str, str]] = Counter()
    newest: dict[tuple[str, str], tuple[int, str, str | None, str]] = {}
    for one in paged:
        incident_id, _, dedup_key, service = one
        key = (service, dedup_key if dedup_key is not None else f"#{incident_id}")
        counts[key] += 1
        newest.setdefault(key, one)
    return [
        Noisy(newest[key][1], newest[key][3], newest[key][2], newest[key][0], pages)
        for key, pages in counts.most_common(NOISIEST)
        if pages > 1
    ]
