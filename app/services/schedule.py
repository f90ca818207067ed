"""Making and changing schedules. Each is checked whole before it is saved, and kept by version.

What was saved before stays what it was: an edit ends the version there was and begins another.
Whoever changes a schedule, or what counts in it for a while, holds its row.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from app.core.errors import ConflictError, InvalidInputError, NotFoundError
from app.crud import crud_schedule, crud_schedule_list
from app.db.session import ReadSession, WriteSession
from app.domain import schedule as engine
from app.domain.on_call import INSTANT
from app.models import Schedule, ScheduleVersion, User
from app.services import schedule_check as check
from app.services import team as team_service

SAID = frozenset({"name", "time_zone", "layers", "holidays"})  # what a version keeps
MOST_SCHEDULES = 5_000


class ScheduleNameTakenError(ConflictError):
    """Another schedule has this name."""

    code = "SCHEDULE_NAME_TAKEN"


class ScheduleInUseError(ConflictError):
    """Something pages whoever is on call by it; `details` names what."""

    code = "SCHEDULE_IN_USE"


class TooManySchedulesError(ConflictError):
    """There is an end to how many are looked at for one person."""

    code = "TOO_MANY_SCHEDULES"


async def require(session: ReadSession, schedule_id: int) -> Schedule:
    return there(await crud_schedule.get(session, schedule_id), schedule_id)


async def held(session: WriteSession, schedule_id: int) -> Schedule:
    """The schedule, held until commit."""
    return there(await crud_schedule.lock(session, schedule_id), schedule_id)


async def editable(session: WriteSession, schedule_id: int, by: User) -> Schedule:
    """The schedule, held; refused to whoever may not edit it, whether it is there or not."""
    schedule = await crud_schedule.lock(session, schedule_id)
    await team_service.require_lead(session, by, [None if schedule is None else schedule.team_id])
    return there(schedule, schedule_id)


def there(found: Schedule | None, schedule_id: int) -> Schedule:
    if found is None:
        raise NotFoundError("schedule", schedule_id)
    return found


async def create(
    session: WriteSession,
    fields: Mapping[str, Any],
    *,
    allow_gaps: bool = False,
    allow_overlaps: bool = False,
    by: User,
    now: datetime,
) -> Schedule:
    """A schedule, checked whole: `allow_…` says that a doubtful thing is meant."""
    await team_service.require_lead(session, by, [fields.get("team_id")])
    await crud_schedule_list.wait_for_other_names(session)
    if await crud_schedule_list.count(session) >= MOST_SCHEDULES:
        raise TooManySchedulesError(
            f"There are {MOST_SCHEDULES:,} schedules already; delete one first."
        )
    await _require_free(session, fields["name"])
    await _check(session, fields, fields["time_zone"], allow_overlaps=allow_overlaps, now=now)
    schedule = await crud_schedule.add(
        session, Schedule(**fields, revision=1, created_at=now, updated_at=now)
    )
    await _keep(session, schedule, None, by=by, now=now)
    if not allow_gaps:
        await check.require_no_new_gaps(None, await _loaded(session, schedule.id), now=now)
    return schedule


async def update(
    session: WriteSession,
    schedule_id: int,
    fields: Mapping[str, Any],
    *,
    allow_gaps: bool = False,
    allow_overlaps: bool = False,
    by: User,
    now: datetime,
) -> Schedule:
    """Write the named fields. What was on call up to now stays what it was."""
    if "name" in fields:
        await crud_schedule_list.wait_for_other_names(session)
    schedule = await editable(session, schedule_id, by)
    await team_service.require_lead(session, by, [fields.get("team_id", schedule.team_id)])
    if fields.get("name", schedule.name) != schedule.name:
        await _require_free(session, fields["name"])
    zone = fields.get("time_zone", schedule.time_zone)
    await _check(session, fields, zone, allow_overlaps=allow_overlaps, now=now)
    before = await _loaded(session, schedule_id)
    changed = schedule.revise(fields, now=now)
    if SAID.isdisjoint(changed):
        return schedule
    current = await crud_schedule.current_version(session, schedule_id)
    await _keep(session, schedule, current, by=by, now=now)
    if not allow_gaps and changed.keys() - {"name"}:
        after = await _loaded(session, schedule_id)
        await check.require_no_new_gaps(before, after, now=now)
    return schedule


async def remove(session: WriteSession, schedule_id: int, *, by: User, now: datetime) -> None:
    """Delete a schedule that nothing pages by. What it said when stays known."""
    schedule = await editable(session, schedule_id, by)
    users = await crud_schedule_list.used_by(session, schedule_id)
    if any(users.values()):
        told = "; ".join(
            f"{kind} {', '.join(f'“{name}”' for name in names)}"
            for kind, names in users.items()
            if names
        )
        raise ScheduleInUseError(
            f"The schedule is used by {told}: name another schedule there first.", **users
        )
    schedule.revise({"deleted_at": now}, now=now)
    current = await crud_schedule.current_version(session, schedule_id)
    if current is not None:
        await crud_schedule.end_version(session, current, max(now, current.known_from + INSTANT))


async def _require_free(session: ReadSession, name: str) -> None:
    if await crud_schedule_list.by_name(session, name) is not None:
        raise ScheduleNameTakenError("There is a schedule with this name already.", field="name")


async def _check(
    session: WriteSession,
    fields: Mapping[str, Any],
    time_zone: str,
    *,
    allow_overlaps: bool,
    now: datetime,
) -> None:
    if fields.get("team_id") is not None:
        await _require_team(session, fields["team_id"])
    layers: Collection[Mapping[str, Any]] = fields.get("layers", ())
    await check.require_people(session, layers, time_zone, now=now)
    await check.hold_calendars(session, layers, fields.get("holidays", ()))
    if not allow_overlaps:
        check.require_no_overlaps(layers)


async def _require_team(session: WriteSession, team_id: int) -> None:
    if not await team_service.share(session, team_id):
        raise InvalidInputError(
            f"There is no team {team_id}; name one that is there.", field="team_id"
        )


async def _loaded(session: ReadSession, schedule_id: int) -> engine.Schedule:
    return (await crud_schedule.load(session, [schedule_id]))[schedule_id]


async def _keep(
    session: WriteSession,
    schedule: Schedule,
    last: ScheduleVersion | None,
    *,
    by: User,
    now: datetime,
) -> None:
    since = now
    if last is not None:
        # Who waited for another edit began before it, and was yet saved after it.
        since = max(now, last.known_from + INSTANT)
        await crud_schedule.end_version(session, last, since)
    version = ScheduleVersion(
        schedule_id=schedule.id,
        number=schedule.revision,
        name=schedule.name,
        time_zone=schedule.time_zone,
        layers=schedule.layers,
        holidays=schedule.holidays,
        known_from=since,
        changed_by=by.id,
    )
    await crud_schedule.add_version(session, version)
