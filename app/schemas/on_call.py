"""Who is on call: now, at another time, for how long, and after an edit."""

from pydantic import Field

from app.schemas.base import Instant, ReadSchema, WriteSchema
from app.schemas.rota import Holidays, Layers, RotaTime
from app.schemas.schedule import OverrideRead, TemporaryRead
from app.schemas.types import Key, TimeZone

LOCAL = "The same on the schedule’s wall, with the offset that counts there then."


class PersonRead(ReadSchema):
    id: int
    name: str
    is_active: bool = Field(description="Whoever is deactivated takes no call.")


class NextRead(ReadSchema):
    """Who follows, and when."""

    at: Instant
    people: list[PersonRead] = Field(description="Empty: nobody does, and a gap begins.")


class OnCallRead(ReadSchema):
    """Who is on call by one schedule at one instant."""

    schedule_id: int
    schedule_name: str
    time_zone: str
    time_zone_version: str = Field(description="Of the zones’ data.", examples=["2026b"])
    at: Instant
    local_time: str = Field(description=LOCAL, examples=["2026-01-05T09:00:00+01:00"])
    known_at: Instant = Field(description="The answer is as it was known then.")
    on_call: list[PersonRead] = Field(description="Empty: nobody.")
    next: NextRead | None = Field(
        description="Null if nobody else is on call for as long as was looked."
    )


class DutyRead(ReadSchema):
    """Who is on call by one of many schedules."""

    schedule_id: int
    schedule_name: str
    team_id: int | None
    time_zone: str
    on_call: list[PersonRead]
    next: NextRead | None = Field(description="Null if nobody else is within 31 days.")


class IntervalRead(ReadSchema):
    starts_at: Instant
    ends_at: Instant


class StretchRead(IntervalRead):
    """A time in which the same people are on call."""

    local_starts_at: str = Field(description=LOCAL, examples=["2026-01-05T09:00:00+01:00"])
    local_ends_at: str = Field(examples=["2026-01-12T09:00:00+01:00"])
    people: list[int]


class LayerRead(ReadSchema):
    """Who would be on call by one layer alone, as it is now."""

    name: str | None
    stretches: list[StretchRead]


class RenderedRead(ReadSchema):
    """Who is on call from when to when."""

    time_zone: str
    time_zone_version: str = Field(examples=["2026b"])
    since: Instant
    until: Instant
    final: list[StretchRead] = Field(description="Who is on call, all in all.")
    layers: list[LayerRead] = Field(description="From the lowest to the highest.")
    gaps: list[IntervalRead] = Field(description="Nobody is.")
    overlaps: list[StretchRead] = Field(description="More than one is.")
    people: list[PersonRead] = Field(description="Everybody named here.")


class ShiftsRead(RenderedRead):
    """A schedule rendered: what was, and what will be as things stand."""

    schedule_id: int
    schedule_name: str
    known_at: Instant | None = Field(
        description="Everything as it was known then. Null: each time as it was known when it"
        " came, which is how it was."
    )
    overrides: list[OverrideRead] = Field(description="Those that touch this time.")
    temporary_schedules: list[TemporaryRead]


class DutyChangeRead(IntervalRead):
    """A time in which an edit puts others on call."""

    before: list[int]
    after: list[int]


class LoadRead(ReadSchema):
    """How long somebody is on call in this time, before and after."""

    user_id: int
    seconds_before: int
    seconds_after: int


class ClashRead(ReadSchema):
    """Two explicit shifts of one layer that overlap."""

    path: str = Field(examples=["layers[0].shifts[1]"])
    other: str = Field(examples=["layers[0].shifts[0]"])
    since: str
    until: str


class SchedulePreviewRead(RenderedRead):
    """What an edit would change, before it is saved."""

    schedule_id: int | None
    changes: list[DutyChangeRead] = Field(description="Who takes over from whom, and when.")
    opened_gaps: list[IntervalRead] = Field(
        description="Nobody is on call here any more; to save it takes `allow_gaps`."
    )
    clashes: list[ClashRead] = Field(description="To save it takes `allow_overlaps`.")
    load: list[LoadRead]


class SchedulePreview(WriteSchema):
    """A draft, or a change of a schedule: what is left out is as it is there."""

    schedule_id: Key | None = Field(None, description="What the draft changes.", examples=[None])
    time_zone: TimeZone | None = None
    layers: Layers | None = None
    holidays: Holidays | None = None
    since: RotaTime | None = Field(None, description="Left out: now.", examples=[None])
    until: RotaTime | None = Field(None, description="Left out: 30 days on.", examples=[None])


class ShiftRead(IntervalRead):
    """A time in which somebody is on call by one schedule."""

    schedule_id: int
    schedule_name: str


class UserOnCallRead(ReadSchema):
    """When somebody is on call, by all schedules together."""

    user_id: int
    at: Instant
    now: list[ShiftRead] = Field(
        description="Those that run; a start or end outside of `since` and `until` is cut there."
    )
    next: ShiftRead | None = Field(description="The first that begins later, up to `until`.")
    shifts: list[ShiftRead] = Field(
        description="All between `since` and `until`, in order, and cut there."
    )
    since: Instant
    until: Instant
    time_zone_version: str = Field(examples=["2026b"])
