"""Schedules: found, listed, kept by version, and loaded as what the engine takes.

What a schedule says is known from its version's start to its end, so whatever was known at an
instant is known for ever. An override or a temporary schedule that was taken back counts up to
then: what it did before stays what it was.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Select, or_, select

from app.crud import base, crud_calendar_shift
from app.db.session import ReadSession, WriteSession
from app.domain import schedule as engine
from app.domain.course import Era
from app.domain.rota_document import Given, calendars_named, read_layers
from app.domain.timeline import Interval
from app.models import Schedule, ScheduleOverride, ScheduleVersion, TemporarySchedule

Passing = TypeVar("Passing", ScheduleOverride, TemporarySchedule)


@dataclass(frozen=True)
class _Said:
    """What a schedule said of itself at one time."""

    schedule_id: int
    time_zone: str
    layers: list[dict[str, Any]]
    holidays: list[int]


async def get(session: ReadSession, schedule_id: int) -> Schedule | None:
    found = await base.get(session, Schedule, schedule_id)
    return found if found is not None and found.deleted_at is None else None


async def lock(session: WriteSession, schedule_id: int) -> Schedule | None:
    """The schedule, held until commit."""
    found = await base.lock(session, Schedule, schedule_id)
    return found if found is not None and found.deleted_at is None else None


async def add(session: WriteSession, schedule: Schedule) -> Schedule:
    return await base.add(session, schedule)


async def load(
    session: ReadSession,
    ids: Collection[int],
    *,
    as_of: datetime | None = None,
    during: Interval | None = None,
) -> dict[int, engine.Schedule]:
    """Schedules as the engine takes them, by id: as they are, or as they were known then.

    Whoever asks about a certain time says `during`, and is spared the overrides of all others.
    One that is deleted, or was not there yet, is left out.
    """
    said = await _said(session, ids, as_of)
    made = await _schedules(session, said, as_of, during)
    return {one.schedule_id: schedule for one, schedule in zip(said, made, strict=True)}


async def drafted(
    session: ReadSession,
    schedule_id: int | None,
    time_zone: str,
    layers: list[dict[str, Any]],
    holidays: list[int],
) -> engine.Schedule:
    """What a schedule would be, were this written in it; None: a new one."""
    said = _Said(schedule_id or 0, time_zone, layers, holidays)
    return (await _schedules(session, [said], None, None))[0]


async def eras(
    session: ReadSession, ids: Collection[int], during: Interval, *, limit: int
) -> dict[int, list[Era]]:
    """What schedules said in a time, version by version, deleted ones included; of more than
    `limit` versions the first."""
    version = ScheduleVersion
    statement = (
        select(version)
        .where(
            version.schedule_id.in_(ids),
            version.known_from < during.ends_at,
            or_(version.known_until.is_(None), version.known_until > during.starts_at),
        )
        .order_by(version.known_from)
        .limit(limit)
    )
    versions = (await session.scalars(statement)).all()
    said = [_Said(one.schedule_id, one.time_zone, one.layers, one.holidays) for one in versions]
    found: dict[int, list[Era]] = defaultdict(list)
    for one, made in zip(versions, await _schedules(session, said, None, during), strict=True):
        found[one.schedule_id].append(Era(one.known_from, one.known_until, made))
    return found


async def _said(session: ReadSession, ids: Collection[int], as_of: datetime | None) -> list[_Said]:
    rows: Select[Any] = select(
        Schedule.id, Schedule.time_zone, Schedule.layers, Schedule.holidays
    ).where(Schedule.id.in_(ids), Schedule.deleted_at.is_(None))
    if as_of is not None:
        rows = select(
            ScheduleVersion.schedule_id,
            ScheduleVersion.time_zone,
            ScheduleVersion.layers,
            ScheduleVersion.holidays,
        ).where(
            ScheduleVersion.schedule_id.in_(ids),
            ScheduleVersion.known_from <= as_of,
            or_(ScheduleVersion.known_until.is_(None), ScheduleVersion.known_until > as_of),
        )
    return [_Said(*row) for row in (await session.execute(rows)).tuples()]


async def _schedules(
    session: ReadSession,
    said: Sequence[_Said],
    as_of: datetime | None,
    during: Interval | None,
) -> list[engine.Schedule]:
    ids = {one.schedule_id for one in said}
    temporaries = await _passing(session, TemporarySchedule, ids, as_of, during)
    overrides = await _passing(session, ScheduleOverride, ids, as_of, during)
    documents = [one.layers for one in said]
    documents += [row.layers for rows in temporaries.values() for row in rows]
    calendars = {number for document in documents for _, number in calendars_named(document)}
    given = await crud_calendar_shift.given(session, calendars, as_of=as_of)
    resting = {number for one in said for number in one.holidays}
    holidays = await crud_calendar_shift.holidays(session, resting, as_of=as_of)
    return [
        _made(one, temporaries[one.schedule_id], overrides[one.schedule_id], given, holidays, as_of)
        for one in said
    ]


async def _passing(
    session: ReadSession,
    kind: type[Passing],
    ids: Collection[int],
    as_of: datetime | None,
    during: Interval | None,
) -> dict[int, list[Passing]]:
    # What was taken back before it began never counted.
    rows = select(kind).where(
        kind.schedule_id.in_(ids),
        or_(kind.removed_at.is_(None), kind.removed_at > kind.starts_at),
    )
    if as_of is not None:
        rows = select(kind).where(kind.schedule_id.in_(ids), kind.created_at <= as_of)
    if during is not None:
        rows = rows.where(kind.starts_at < during.ends_at, kind.ends_at > during.starts_at)
    found: dict[int, list[Passing]] = defaultdict(list)
    for row in await session.scalars(rows.order_by(kind.id)):
        found[row.schedule_id].append(row)
    return found


def _made(
    said: _Said,
    temporaries: Iterable[TemporarySchedule],
    overrides: Iterable[ScheduleOverride],
    given: Given,
    holidays: Mapping[int, Sequence[Interval]],
    as_of: datetime | None,
) -> engine.Schedule:
    return engine.Schedule(
        said.time_zone,
        read_layers(said.layers, given),
        tuple(day for number in said.holidays for day in holidays.get(number, ())),
        tuple(
            engine.Temporary(row.starts_at, until, read_layers(row.layers, given))
            for row, until in _counting(temporaries, as_of)
        ),
        tuple(
            engine.Override(row.starts_at, until, row.user_id, row.replaces)
            for row, until in _counting(overrides, as_of)
        ),
    )


def _counting(
    rows: Iterable[Passing], as_of: datetime | None
) -> Iterable[tuple[Passing, datetime]]:
    for row in rows:
        until = row.ends_at
        if row.removed_at is not None and (as_of is None or row.removed_at <= as_of):
            until = min(until, row.removed_at)
        if row.starts_at < until:
            yield row, until


async def versions_page(
    session: ReadSession, schedule_id: int, wanted: base.Window
) -> base.Slice[ScheduleVersion]:
    """What it said, the newest first."""
    statement = select(ScheduleVersion).where(ScheduleVersion.schedule_id == schedule_id)
    return await base.window(session, statement, ScheduleVersion.id, wanted)


async def current_version(session: ReadSession, schedule_id: int) -> ScheduleVersion | None:
    """What it says now; whoever wants to end it holds the schedule."""
    statement = (
        select(ScheduleVersion)
        .where(ScheduleVersion.schedule_id == schedule_id, ScheduleVersion.known_until.is_(None))
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(statement)).one_or_none()


async def version_at(
    session: ReadSession, schedule_id: int, known_at: datetime
) -> ScheduleVersion | None:
    """What it said then; None if it was not there."""
    statement = select(ScheduleVersion).where(
        ScheduleVersion.schedule_id == schedule_id,
        ScheduleVersion.known_from <= known_at,
        or_(ScheduleVersion.known_until.is_(None), ScheduleVersion.known_until > known_at),
    )
    return (await session.scalars(statement)).one_or_none()


async def add_version(session: WriteSession, version: ScheduleVersion) -> ScheduleVersion:
    return await base.add(session, version)


async def end_version(session: WriteSession, version: ScheduleVersion, at: datetime) -> None:
    """It is over, before another begins: there is one at a time."""
    version.known_until = at
    await session.flush()
