"""Layers as people send them: bounded, and every fault with its place.

The bounds keep the engine quick whatever is sent, and its arithmetic within the calendar.
"""

import re
from collections.abc import Iterable
from datetime import datetime, time
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, model_validator

from app.domain.conditions import WEEKDAYS
from app.domain.rotation import RotationKind
from app.domain.schedule import OnHolidays
from app.schemas.alert import When
from app.schemas.base import WriteSchema
from app.schemas.types import Key, Name, NumberOnly

MOST_LAYERS = 20
MOST_PEOPLE = 200
MOST_SHIFTS = 2_000
MOST_RESTRICTIONS = 40
MOST_HANDOFFS = 60  # a day
MOST_HOLIDAYS = 10
LONGEST_EVERY = 366
FIRST_YEAR, LAST_YEAR = 1970, 2200

OFFSET = (
    "must be a time on the wall, such as 2026-01-05T09:00, without an offset: the schedule’s time"
    " zone says which instant it is"
)


CLOCK = "([01][0-9]|2[0-3]):[0-5][0-9](:00)?"
WALL_FORM = rf"^[0-9]{{4}}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T{CLOCK}$"
DAY_FORM = rf"^{CLOCK}$"


def _on_the_wall(text: str) -> str:
    try:
        shown = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("is no date and time, such as 2026-01-05T09:00") from None
    if shown.tzinfo is not None:
        raise ValueError(OFFSET)
    if re.fullmatch(WALL_FORM, text) is None:
        raise ValueError("must be a date and a time to the minute, such as 2026-01-05T09:00")
    if not FIRST_YEAR <= shown.year < LAST_YEAR:
        raise ValueError(f"lies beyond the years {FIRST_YEAR} to {LAST_YEAR - 1}")
    return shown.isoformat(timespec="minutes")


def _time_of_day(text: str) -> str:
    try:
        shown = time.fromisoformat(text)
    except ValueError:
        raise ValueError("is no time of day, such as 22:00") from None
    if re.fullmatch(DAY_FORM, text) is None:
        raise ValueError("must be a time of day to the minute, such as 22:00, without an offset")
    return shown.isoformat(timespec="minutes")


WallTime = Annotated[
    str,
    StringConstraints(max_length=32),
    AfterValidator(_on_the_wall),
    Field(
        examples=["2026-01-05T09:00"],
        json_schema_extra={"pattern": WALL_FORM, "format": "wall-clock-time"},
    ),
]
TimeOfDay = Annotated[
    str,
    StringConstraints(max_length=16),
    AfterValidator(_time_of_day),
    Field(examples=["22:00"], json_schema_extra={"pattern": DAY_FORM}),
]


def _within(moment: datetime) -> datetime:
    if not FIRST_YEAR <= moment.year < LAST_YEAR:
        raise ValueError(f"lies beyond the years {FIRST_YEAR} to {LAST_YEAR - 1}")
    return moment


RotaTime = Annotated[When, AfterValidator(_within)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def _in_order(days: list[Weekday]) -> list[Weekday]:
    return sorted(set(days), key=WEEKDAYS.index)


def _lasts(starts: str | None, ends: str | None) -> None:
    if starts is not None and ends is not None and ends <= starts:
        raise ValueError(f"ends at {ends}, which is not after its start at {starts}")


class RotationWrite(WriteSchema):
    """People who hand over to one another at fixed times on the wall."""

    kind: RotationKind
    every: Annotated[int, Field(ge=1, le=LONGEST_EVERY), NumberOnly] = Field(
        1, description="A hand-off every so many hours, days, weeks or months."
    )
    handoff: WallTime = Field(
        description="When the first person takes over. Its time, weekday or day of the month say"
        " when all other hand-offs are."
    )
    participants: list[Key] = Field(
        min_length=1,
        max_length=MOST_PEOPLE,
        description="Users, in the order of their turns; who is there twice has two turns.",
        examples=[[3, 5]],
    )


class ShiftWrite(WriteSchema):
    """One shift, as it is written down: on the wall."""

    starts: WallTime
    ends: WallTime
    user: Key

    @model_validator(mode="after")
    def _has_length(self) -> "ShiftWrite":
        _lasts(self.starts, self.ends)
        return self


class RestrictionWrite(WriteSchema):
    """Hours of the day in which a layer counts; up to an earlier or the same hour: overnight."""

    since: TimeOfDay = Field(examples=["22:00"])
    until: TimeOfDay = Field(examples=["06:00"])
    days: Annotated[list[Weekday], AfterValidator(_in_order)] = Field(
        list(WEEKDAYS),  # type: ignore[arg-type]  # the same words
        min_length=1,
        max_length=7,
        description="On which days the hours start; left out, every day.",
    )


class LayerWrite(WriteSchema):
    """Who is on call, by one source: `rotation`, `shifts` or `calendar`; and when it counts."""

    name: Name | None = Field(None, examples=["Weekly"])
    rotation: RotationWrite | None = None
    shifts: list[ShiftWrite] | None = Field(None, max_length=MOST_SHIFTS)
    calendar: Key | None = Field(None, description="A calendar’s shifts.", examples=[None])
    starts: WallTime | None = Field(
        None, description="From then on; left out, a rotation counts from its first hand-off."
    )
    ends: WallTime | None = Field(None, description="Up to then.", examples=[None])
    restrictions: list[RestrictionWrite] = Field(
        [], max_length=MOST_RESTRICTIONS, description="Within any of these; none: always."
    )
    on_holidays: OnHolidays = Field(
        OnHolidays.WORKS,
        description="On the schedule’s holidays: `works` as on any day, `rests`, or works on these"
        " `only`.",
    )

    @model_validator(mode="after")
    def _has_one_source(self) -> "LayerWrite":
        sources = [self.rotation, self.shifts, self.calendar]
        if sum(source is not None for source in sources) != 1:
            raise ValueError("needs exactly one source: `rotation`, `shifts` or `calendar`")
        _lasts(self.starts, self.ends)
        return self


def _bounded(layers: list[LayerWrite]) -> list[LayerWrite]:
    shifts = [shift for layer in layers for shift in layer.shifts or ()]
    if len(shifts) > MOST_SHIFTS:
        raise ValueError(f"hold {len(shifts)} shifts in all; at most {MOST_SHIFTS} are allowed")
    people = {shift.user for shift in shifts}
    for layer in layers:
        people.update(layer.rotation.participants if layer.rotation else ())
    if len(people) > MOST_PEOPLE:
        raise ValueError(f"name {len(people)} people; at most {MOST_PEOPLE} are allowed")
    restrictions = sum(len(layer.restrictions) for layer in layers)
    if restrictions > MOST_RESTRICTIONS:
        raise ValueError(
            f"have {restrictions} restrictions in all; at most {MOST_RESTRICTIONS} are allowed"
        )
    handoffs = sum(_handoffs_a_day(layer.rotation) for layer in layers if layer.rotation)
    if handoffs > MOST_HANDOFFS:
        raise ValueError(
            f"hand over {handoffs:.0f} times a day in all; at most {MOST_HANDOFFS} are allowed"
        )
    return layers


def _handoffs_a_day(rotation: RotationWrite) -> float:
    hourly = rotation.kind is RotationKind.HOURLY
    return (24 if hourly else 1) / rotation.every


EXAMPLE_LAYERS = [
    {
        "name": "Weekly",
        "rotation": {
            "kind": "weekly",
            "handoff": "2026-01-05T09:00",
            "participants": [1],
        },
    }
]
Layers = Annotated[
    list[LayerWrite],
    Field(
        max_length=MOST_LAYERS,
        description="From the lowest to the highest: of several that have somebody on call, the"
        " last one wins.",
        examples=[EXAMPLE_LAYERS],
    ),
    AfterValidator(_bounded),
]


def written(layers: Iterable[BaseModel]) -> list[dict[str, object]]:
    """Layers as they are kept."""
    return [layer.model_dump(mode="json", exclude_none=True) for layer in layers]


def once(values: list[int]) -> list[int]:
    return list(dict.fromkeys(values))


Holidays = Annotated[
    list[Key],
    Field(
        max_length=MOST_HOLIDAYS,
        description="The calendars that say which days are holidays.",
        examples=[[]],
    ),
    AfterValidator(once),
]
