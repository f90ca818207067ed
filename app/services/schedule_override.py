"""What people change about a schedule for a while: somebody instead, or other layers.

None of it changes the past: what begins in the past begins now, and what is taken back counted
up to now. The later wins over the earlier; an override wins over a temporary schedule.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from app.core.errors import ConflictError, InvalidInputError, NotFoundError
from app.crud import crud_schedule, crud_schedule_override, crud_user
from app.db.session import ReadSession, WriteSession
from app.models import ScheduleOverride, TemporarySchedule, User
from app.services import schedule as schedule_service
from app.services import schedule_check as check

Passing = TypeVar("Passing", ScheduleOverride, TemporarySchedule)

MOST_AHEAD = 500  # of each kind on one schedule
LONGEST = timedelta(days=400)
WORDS: dict[type[Any], str] = {
    ScheduleOverride: "override",
    TemporarySchedule: "temporary schedule",
}


class TooManyOverridesError(ConflictError):
    """There is an end to what is laid over a schedule."""

    code = "TOO_MANY_OVERRIDES"


@dataclass(frozen=True)
class Instead:
    """Who is on call when: instead of everybody, or of one person."""

    user_id: int
    starts_at: datetime | None
    ends_at: datetime
    replaces: int | None = None
    reason: str | None = None


async def put(
    session: WriteSession,
    schedule_id: int,
    wanted: Collection[Instead],
    *,
    by: User | None,
    now: datetime,
) -> list[ScheduleOverride]:
    """Put people on call instead, all or none; the later of them wins."""
    await schedule_service.held(session, schedule_id)
    await _require_room(session, ScheduleOverride, schedule_id, len(wanted), now=now)
    await _require_people(session, wanted)
    made = []
    for one in wanted:
        row = ScheduleOverride(
            schedule_id=schedule_id,
            starts_at=_start(one.starts_at, one.ends_at, now=now),
            ends_at=one.ends_at,
            user_id=one.user_id,
            replaces=one.replaces,
            reason=one.reason,
            created_by=None if by is None else by.id,
            created_at=now,
        )
        made.append(await crud_schedule_override.add(session, row))
    return made


async def put_temporary(
    session: WriteSession,
    schedule_id: int,
    fields: Mapping[str, Any],
    *,
    allow_gaps: bool,
    allow_overlaps: bool,
    by: User,
    now: datetime,
) -> TemporarySchedule:
    """Give a schedule other layers for a while, checked as a schedule is."""
    schedule = await schedule_service.editable(session, schedule_id, by)
    await _require_room(session, TemporarySchedule, schedule_id, 1, now=now)
    await check.require_people(session, fields["layers"], schedule.time_zone, now=now)
    await check.hold_calendars(session, fields["layers"], ())
    if not allow_overlaps:
        check.require_no_overlaps(fields["layers"])
    before = (await crud_schedule.load(session, [schedule_id]))[schedule_id]
    starts_at = _start(fields["starts_at"], fields["ends_at"], now=now)
    row = TemporarySchedule(
        **{**fields, "starts_at": starts_at},
        schedule_id=schedule_id,
        created_by=by.id,
        created_at=now,
    )
    made = await crud_schedule_override.add(session, row)
    if not allow_gaps:
        after = (await crud_schedule.load(session, [schedule_id]))[schedule_id]
        await check.require_no_new_gaps(before, after, now=now)
    return made


async def require(
    session: ReadSession, kind: type[Passing], schedule_id: int, number: int
) -> Passing:
    found = await crud_schedule_override.get(session, kind, schedule_id, number)
    if found is None:
        raise NotFoundError(WORDS[kind], number)
    return found


async def take_back(
    session: WriteSession,
    kind: type[Passing],
    schedule_id: int,
    number: int,
    *,
    by: User | None,
    now: datetime,
) -> Passing:
    """It counts no longer, from now on; what it did before stays. Again: nothing changes."""
    await schedule_service.held(session, schedule_id)
    found = await require(session, kind, schedule_id, number)
    if found.removed_at is None:
        found.removed_at = now
        found.removed_by = None if by is None else by.id
    return found


def _start(wanted: datetime | None, ends_at: datetime, *, now: datetime) -> datetime:
    if ends_at <= now:
        raise InvalidInputError(
            "It would be over already: the past stays what it was. Name a later end.",
            field="ends_at",
        )
    starts_at = now if wanted is None else max(wanted, now)
    if ends_at - starts_at > LONGEST:
        raise InvalidInputError(
            f"It would last longer than {LONGEST.days} days; change the schedule itself.",
            field="ends_at",
        )
    return starts_at


async def _require_room(
    session: ReadSession, kind: type[Passing], schedule_id: int, more: int, *, now: datetime
) -> None:
    if await crud_schedule_override.count_ahead(session, kind, schedule_id, now=now) + more > (
        MOST_AHEAD
    ):
        raise TooManyOverridesError(
            f"The schedule has {MOST_AHEAD} of them ahead already: take some back, or change the"
            " schedule itself."
        )


async def _require_people(session: ReadSession, wanted: Collection[Instead]) -> None:
    named = {one.user_id for one in wanted}
    replaced = {one.replaces for one in wanted if one.replaces is not None}
    users = await crud_user.by_ids(session, named | replaced)
    for user_id in sorted(named):
        if user_id not in users or not users[user_id].is_active:
            raise InvalidInputError(
                f"User {user_id} does not exist or is deactivated, and can take no call.",
                field="user_id",
            )
    for user_id in sorted(replaced):
        if user_id not in users:
            raise InvalidInputError(f"There is no user {user_id}.", field="replaces")
