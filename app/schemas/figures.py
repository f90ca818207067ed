"""Figures on the wire. What each means is written in docs/figures.md, with examples."""

from typing import Generic, TypeVar

from pydantic import Field

from app.domain.incident import Severity
from app.schemas.base import Instant, ReadSchema

Row = TypeVar("Row", bound=ReadSchema)


class TakenRead(ReadSchema):
    """How long something took, in seconds. Null where there is nothing to take it of."""

    count: int = Field(description="Of how many incidents.", examples=[48])
    mean: float | None = Field(examples=[312.5])
    median: int | None = Field(examples=[180])
    p90: int | None = Field(description="Nine of ten took no longer.", examples=[840])


class MeanRead(ReadSchema):
    """How long something took in the mean, in seconds."""

    count: int = Field(examples=[48])
    mean: float | None = Field(examples=[312.5])


class FiguresRead(ReadSchema, Generic[Row]):
    """Figures about a time, a row for each thing that is told apart."""

    since: Instant
    until: Instant
    rows: list[Row]


class ResponseRead(ReadSchema):
    """How incidents were answered."""

    service: str | None = Field(description="Where grouped by it.", examples=["database"])
    severity: Severity | None = Field(description="Where grouped by it.", examples=[None])
    opened: int = Field(examples=[50])
    unresolved: int = Field(description="Not over yet.", examples=[2])
    unacknowledged: int = Field(description="Never acknowledged by anybody.", examples=[2])
    resolved_by_itself: int = Field(
        description="Resolved by its alert or by a policy, not by a person.", examples=[31]
    )
    time_to_acknowledge: TakenRead
    time_to_resolve: TakenRead


class FrequencyRead(ReadSchema):
    """How often something happened, among all that is counted."""

    key: str = Field(
        description="A service or severity; an hour (`00` to `23`) or a day (`monday` …) of the"
        " zone that was named, or both (`monday 09`).",
        examples=["database"],
    )
    opened: int = Field(examples=[50])
    share: float = Field(description="Of all in the answer, from 0 to 1.", examples=[0.25])


class TrendPartRead(ReadSchema):
    """One day, week or month of it."""

    since: Instant
    until: Instant
    opened: int
    time_to_acknowledge: MeanRead
    time_to_resolve: MeanRead


class TrendRead(FiguresRead[TrendPartRead]):
    """Part by part, and beside the time before, which is as long."""

    total: TrendPartRead
    before: TrendPartRead = Field(description="The time before this one, as a whole.")
    change: float | None = Field(
        description="How many more were opened than in the time before: 0.5 is half as many again;"
        " null where there were none.",
        examples=[-0.2],
    )


class LoadRow(ReadSchema):
    severity: Severity
    open: int = Field(examples=[3])
    acknowledged: int = Field(examples=[1])
    share: float = Field(description="Of all that is unresolved, from 0 to 1.", examples=[0.5])


class PresentLoadRead(FiguresRead[LoadRow]):
    """What is unresolved now, by severity; the time is that of `resolved_in_seven_days`."""

    open: int = Field(examples=[5])
    acknowledged: int = Field(examples=[3])
    resolved_in_seven_days: int = Field(examples=[42])


class PagedRead(ReadSchema):
    """What one person was paged with, by their own clock."""

    user_id: int
    name: str = Field(examples=["Ana"])
    time_zone: str = Field(examples=["Europe/Berlin"])
    pages: int = Field(description="Messages that were sent.", examples=[17])
    interruptions: int = Field(
        description="Quarters of an hour in which at least one page came.", examples=[9]
    )
    at_night: int = Field(description="Interruptions from 22:00 to 07:00.", examples=[2])
    on_weekends: int = Field(
        description="Interruptions on a Saturday or Sunday, at night or not.", examples=[3]
    )
    sleep_hours: int = Field(
        description="Hours of the clock, from 22:00 to 07:00, in which at least one page came.",
        examples=[2],
    )
    acknowledged: MeanRead = Field(description="Incidents they were the first to acknowledge.")


class OnCallHoursRead(ReadSchema):
    """How long one person was on call, and what part of everybody's it is."""

    user_id: int
    name: str = Field(examples=["Ana"])
    time_zone: str = Field(examples=["Europe/Berlin"])
    hours: float = Field(examples=[168.0])
    night_hours: float = Field(description="From 22:00 to 07:00 of their clock.", examples=[63.0])
    weekend_hours: float = Field(description="Saturdays and Sundays of theirs.", examples=[48.0])
    share_of_hours: float = Field(description="Of everybody's, from 0 to 1.", examples=[0.25])
    share_of_night_hours: float = Field(examples=[0.25])
    share_of_weekend_hours: float = Field(examples=[0.5])
    load: float = Field(
        description="Their hours beside an equal share among those listed: 1 is just that, 2 is"
        " twice as much.",
        examples=[1.0],
    )


class NoiseRead(ReadSchema):
    """What one problem of one integration brought."""

    integration_id: int
    integration: str = Field(examples=["Prometheus"])
    dedup_key: str = Field(examples=["disk-full:db1"])
    title: str = Field(description="Of the newest.", examples=["Disk full on db1"])
    service: str = Field(description="Of the newest.", examples=["database"])
    opened: int = Field(examples=[40])
    pages: int = Field(examples=[80])
    acknowledged: int = Field(examples=[30])
    acknowledged_without_action: int = Field(
        description="Acknowledged, and then resolved by itself: nobody commented, edited, assigned"
        " or escalated it.",
        examples=[28],
    )
    resolved_by_itself: int = Field(examples=[39])
