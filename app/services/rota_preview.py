"""What an edit of a schedule would change for whom, before it is saved."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.core.errors import InvalidInputError
from app.crud import crud_schedule
from app.db.session import ReadSession
from app.domain.rota_document import Clash, LayerDocument, overlapping
from app.domain.schedule import Schedule, render
from app.domain.timeline import Difference, Interval, Stretch, differences
from app.services import schedule as schedule_service
from app.services import schedule_check as check
from app.services.rota import Rendered, rendered_of, require_short, with_people


@dataclass(frozen=True)
class Draft:
    """What is to be shown: a new schedule, or how one would be changed."""

    schedule_id: int | None
    fields: Mapping[str, Any]
    during: Interval


@dataclass(frozen=True)
class Load:
    user_id: int
    seconds_before: int
    seconds_after: int


@dataclass(frozen=True)
class Effect:
    """What an edit would change."""

    changes: list[Difference]
    opened_gaps: list[Interval]
    clashes: list[Clash]
    load: list[Load]


async def preview(session: ReadSession, draft: Draft, *, now: datetime) -> dict[str, Any]:
    """What an edit would change for whom, as its answer has it. Nothing is saved."""
    require_short(draft.during)
    before, after, layers = await _drafted(session, draft, now=now)

    def rendering() -> tuple[Rendered, Effect]:
        final = render(after, draft.during)
        old = None if before is None else render(before, draft.during)
        effect = Effect(
            [] if old is None else differences(old, final),
            check.opened(old, final, draft.during),
            overlapping(layers),
            _loads(old or [], final),
        )
        return rendered_of(after, layers, final, draft.during), effect

    rendered, effect = await asyncio.to_thread(rendering)
    more = {one.user_id for one in effect.load}
    return {
        **await with_people(session, rendered, more),
        **vars(effect),
        "schedule_id": draft.schedule_id,
    }


async def _drafted(
    session: ReadSession, draft: Draft, *, now: datetime
) -> tuple[Schedule | None, Schedule, Sequence[LayerDocument]]:
    fields = dict(draft.fields)
    before = None
    if draft.schedule_id is not None:
        row = await schedule_service.require(session, draft.schedule_id)
        kept = {name: getattr(row, name) for name in ("time_zone", "layers", "holidays")}
        fields = {**kept, **fields}
        before = (await crud_schedule.load(session, [row.id]))[row.id]
    missing = [name for name in ("time_zone", "layers") if name not in fields]
    if missing:
        raise InvalidInputError(
            f"A new schedule needs {' and '.join(missing)}; or name the schedule_id of one that"
            " is to be changed.",
            field=missing[0],
        )
    holidays = fields.get("holidays", [])
    if "layers" in draft.fields:
        await check.require_people(session, fields["layers"], fields["time_zone"], now=now)
    await check.require_calendars(session, fields["layers"], holidays)
    after = await crud_schedule.drafted(
        session, draft.schedule_id, fields["time_zone"], fields["layers"], holidays
    )
    return before, after, fields["layers"]


def _loads(before: Iterable[Stretch], after: Iterable[Stretch]) -> list[Load]:
    old, new = _seconds(before), _seconds(after)
    return [Load(user_id, old[user_id], new[user_id]) for user_id in sorted({*old, *new})]


def _seconds(stretches: Iterable[Stretch]) -> Counter[int]:
    found: Counter[int] = Counter()
    for starts_at, ends_at, people in stretches:
        for user_id in people:
            found[user_id] += round((ends_at - starts_at).total_seconds())
    return found
