"""Schedules rendered: who is on call from when to when.

What is past is told as it was: each time by what the schedule said when it came, so an edit
changes nothing of it. `known_at` asks for something else: everything as it was known then.
Renderings are made off the event loop: a page must not wait for one.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from app.core.errors import InvalidInputError, NotFoundError
from app.crud import crud_schedule, crud_schedule_override
from app.crud.base import Span, Window
from app.db.session import ReadSession
from app.domain.course import course
from app.domain.rota_document import LayerDocument
from app.domain.schedule import Schedule, render, render_layers
from app.domain.time_zone import time_zone_version, zone
from app.domain.timeline import Interval, Stretch, gaps, overlaps
from app.models import ScheduleOverride, TemporarySchedule
from app.services.rota_people import Person, named

LONGEST = timedelta(days=400)
MOST_STRETCHES = 20_000
MOST_VERSIONS = 200
MOST_PASSING = 500


class RenderingTooLongError(InvalidInputError):
    """A shorter time can be shown."""

    code = "RENDERING_TOO_LONG"


@dataclass(frozen=True)
class Part:
    """A stretch, with what the wall shows."""

    starts_at: datetime
    ends_at: datetime
    people: tuple[int, ...]
    local_starts_at: str
    local_ends_at: str


@dataclass(frozen=True)
class LayerParts:
    name: str | None
    stretches: list[Part]


@dataclass(frozen=True)
class Rendered:
    """Who is on call from when to when."""

    time_zone: str
    since: datetime
    until: datetime
    final: list[Part]
    layers: list[LayerParts]
    gaps: list[Interval]
    overlaps: list[Part]
    people: list[Person] = field(default_factory=list)
    time_zone_version: str = field(default_factory=time_zone_version)


async def shown(
    session: ReadSession,
    schedule_id: int,
    during: Interval,
    *,
    known_at: datetime | None,
    now: datetime,
) -> dict[str, Any]:
    """A schedule rendered, as its answer has it."""
    require_short(during)
    known = None if known_at is None else require_past(known_at, now)
    version = await crud_schedule.version_at(session, schedule_id, known or now)
    loaded = await crud_schedule.load(session, [schedule_id], as_of=known, during=during)
    schedule = loaded.get(schedule_id)
    if version is None or schedule is None:
        raise NotFoundError("schedule", schedule_id)
    eras = await crud_schedule.eras(session, [schedule_id], during, limit=MOST_VERSIONS + 1)
    if len(eras[schedule_id]) > MOST_VERSIONS and known is None:
        raise RenderingTooLongError(
            f"The schedule was edited more than {MOST_VERSIONS} times in this time: ask for a"
            " shorter one.",
            field="until",
        )

    def rendering() -> Rendered:
        final = render(schedule, during) if known else course(eras[schedule_id], during)
        return rendered_of(schedule, version.layers, final, during)

    rendered = await asyncio.to_thread(rendering)
    touching, at_most = Span(*during), Window(MOST_PASSING)
    overrides = await crud_schedule_override.page(
        session, ScheduleOverride, schedule_id, touching, at_most, removed=False
    )
    temporaries = await crud_schedule_override.page(
        session, TemporarySchedule, schedule_id, touching, at_most, removed=False
    )
    return {
        **await with_people(session, rendered),
        "schedule_id": schedule_id,
        "schedule_name": version.name,
        "known_at": known,
        "overrides": overrides.items,
        "temporary_schedules": temporaries.items,
    }


def require_short(during: Interval) -> None:
    """Refuse what ends before it begins, or lasts too long to be rendered."""
    if during.ends_at <= during.starts_at:
        raise InvalidInputError("until must be after since.", field="until")
    if during.ends_at - during.starts_at > LONGEST:
        raise RenderingTooLongError(
            f"At most {LONGEST.days} days are rendered at once: ask for a shorter time.",
            field="until",
        )


def require_past(known_at: datetime, now: datetime) -> datetime:
    """When something was known; refused if it lies ahead."""
    if known_at > now:
        raise InvalidInputError(
            "known_at lies ahead; what will be known then is not known yet.", field="known_at"
        )
    return known_at


def rendered_of(
    schedule: Schedule, layers: Iterable[LayerDocument], final: list[Stretch], during: Interval
) -> Rendered:
    """A schedule with its layers; `final` is who is on call, all in all."""
    each = render_layers(schedule, during)
    if sum(map(len, each)) + len(final) > MOST_STRETCHES:
        raise too_long()

    def parts(stretches: Iterable[Stretch]) -> list[Part]:
        return [_part(stretch, schedule.time_zone) for stretch in stretches]

    return Rendered(
        schedule.time_zone,
        *during,
        parts(final),
        [
            LayerParts(layer.get("name"), parts(one))
            for layer, one in zip(layers, each, strict=True)
        ],
        gaps(final, during),
        parts(overlaps(final)),
    )


async def with_people(
    session: ReadSession, rendered: Rendered, more: Iterable[int] = ()
) -> dict[str, Any]:
    """A rendering as its answer has it, with the names of everybody in it."""
    parts = [*rendered.final, *(part for layer in rendered.layers for part in layer.stretches)]
    users = await named(session, {*more, *(one for part in parts for one in part.people)})
    return {**vars(rendered), "people": [users[one] for one in sorted(users)]}


def _part(stretch: Stretch, time_zone: str) -> Part:
    starts_at, ends_at, people = stretch
    local = local_time(starts_at, time_zone), local_time(ends_at, time_zone)
    return Part(starts_at, ends_at, people, *local)


def local_time(moment: datetime, time_zone: str) -> str:
    """What the clock on the wall shows, with its offset."""
    return moment.astimezone(zone(time_zone)).isoformat()


def too_long() -> RenderingTooLongError:
    return RenderingTooLongError(
        f"This would be more than {MOST_STRETCHES:,} stretches: ask for a shorter time.",
        field="until",
    )
