"""What is looked at before a schedule is saved: whom it names, who clashes, where nobody is.

People: everybody named must be there, and active if they are still to come. Clashes are of
explicit shifts, as they were written down. Gaps are of the whole schedule, with its overrides and
temporary schedules, and only those that a save opens: a hole that was there is no reason to
refuse its repair.
"""

import asyncio
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from app.core.errors import ConflictError, InvalidInputError
from app.crud import crud_schedule_list, crud_user
from app.db.session import ReadSession, WriteSession
from app.domain import schedule as engine
from app.domain.calendar import CalendarKind
from app.domain.conditions import Fault
from app.domain.rota_document import LayerDocument, calendars_named, overlapping, people_named
from app.domain.time_zone import zone
from app.domain.timeline import Interval, Stretch, differences, gaps, union
from app.domain.wall_clock import shown_at

AHEAD = timedelta(days=30)
MOST_SHOWN = 100


class InvalidScheduleError(InvalidInputError):
    """Something in the schedule cannot work; `details.errors` names each place."""

    code = "INVALID_SCHEDULE"


class ScheduleHasGapsError(ConflictError):
    """Nobody would be on call at times at which somebody is now."""

    code = "SCHEDULE_HAS_GAPS"


class ScheduleHasOverlapsError(ConflictError):
    """Shifts of one layer put several people on call at once."""

    code = "SCHEDULE_HAS_OVERLAPS"


async def require_people(
    session: ReadSession, layers: Collection[LayerDocument], time_zone: str, *, now: datetime
) -> None:
    """Refuse who does not exist, and whoever is deactivated and would still have a turn."""
    today = shown_at(now, zone(time_zone)).isoformat(timespec="minutes")
    named = list(people_named(layers))
    users = await crud_user.by_ids(session, {one.user_id for one in named})
    found: list[Fault] = []
    for path, user_id, until in named:
        user = users.get(user_id)
        if user is None or user.deleted_at is not None:
            found.append(Fault(path, f"names user {user_id}, who does not exist"))
        elif not user.is_active and (until is None or until > today):
            found.append(
                Fault(path, f"names {user.display_name}, who is deactivated; put somebody else")
            )
    _refuse(found)


async def require_calendars(
    session: ReadSession, layers: Collection[LayerDocument], holidays: Sequence[int]
) -> None:
    """Refuse calendars that are not there, or give something else."""
    shifts = list(calendars_named(layers))
    kinds = await crud_schedule_list.calendars(session, {n for _, n in shifts} | {*holidays})
    found = [
        Fault(path, f"names calendar {number}, which gives no shifts")
        for path, number in shifts
        if kinds.get(number) is not CalendarKind.ON_CALL
    ]
    found += [
        Fault(f"holidays[{place}]", f"names calendar {number}, which gives no holidays")
        for place, number in enumerate(holidays)
        if kinds.get(number) is not CalendarKind.HOLIDAYS
    ]
    _refuse(found)


async def hold_calendars(
    session: WriteSession, layers: Collection[LayerDocument], holidays: Sequence[int]
) -> None:
    """Refuse likewise; those that are there cannot be deleted before the caller’s commit."""
    named = {number for _, number in calendars_named(layers)} | {*holidays}
    await crud_schedule_list.share_calendars(session, named)
    await require_calendars(session, layers, holidays)


def _refuse(found: Sequence[Fault]) -> None:
    if found:
        raise InvalidScheduleError(
            f"The schedule cannot be saved: {found[0].path} {found[0].message}.",
            errors=[{"path": fault.path, "message": fault.message} for fault in found],
        )


def require_no_overlaps(layers: Collection[LayerDocument]) -> None:
    """Refuse explicit shifts of one layer that overlap, naming the pair."""
    found = overlapping(layers)
    if found:
        first = found[0]
        raise ScheduleHasOverlapsError(
            f"{first.path} overlaps {first.other} from {first.since} to {first.until}, so two"
            " shifts would be on at once: change one of them, or send allow_overlaps: true.",
            overlaps=[
                {"path": one.path, "other": one.other, "since": one.since, "until": one.until}
                for one in found[:MOST_SHOWN]
            ],
        )


async def require_no_new_gaps(
    before: engine.Schedule | None, after: engine.Schedule, *, now: datetime
) -> None:
    """Refuse what leaves nobody on call, in the days ahead, where somebody was."""
    during = Interval(now, now + AHEAD)

    def look() -> list[Interval]:
        old = None if before is None else engine.render(before, during)
        return opened(old, engine.render(after, during), during)

    found = await asyncio.to_thread(look)
    if found:
        first = found[0]
        raise ScheduleHasGapsError(
            f"Nobody would be on call from {_told(first.starts_at)} to {_told(first.ends_at)}"
            f"{f', and in {len(found) - 1} more gaps' if len(found) > 1 else ''}: add somebody or"
            " a layer below that is always on, or send allow_gaps: true.",
            gaps=[
                {"starts_at": _told(gap.starts_at), "ends_at": _told(gap.ends_at)}
                for gap in found[:MOST_SHOWN]
            ],
        )


def opened(
    before: Sequence[Stretch] | None, after: Sequence[Stretch], during: Interval
) -> list[Interval]:
    """The times at which nobody is on call any more; of a new schedule, all its gaps."""
    if before is None:
        return gaps(after, during)
    return union(Interval(*one[:2]) for one in differences(before, after) if not one.after)


def _told(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
