"""Figures in the shape of the wire."""

from datetime import datetime
from enum import StrEnum

from app.crud import crud_figures
from app.crud.crud_figures import FiguresFilter, Group, Load, Part, Response
from app.crud.crud_figures_people import Noise
from app.db.session import ReadSession
from app.domain.figures import HOUR, WEEKDAYS, share
from app.domain.incident import Severity
from app.domain.timeline import Interval
from app.schemas.figures import (
    FrequencyRead,
    LoadRow,
    MeanRead,
    NoiseRead,
    OnCallHoursRead,
    PagedRead,
    PresentLoadRead,
    ResponseRead,
    TakenRead,
    TrendPartRead,
    TrendRead,
)
from app.services import figures as figures_service
from app.services.figures import Answering, OnCall, Trend


class Frequency(StrEnum):
    """By what incidents are told apart."""

    SERVICE = "service"
    SEVERITY = "severity"
    HOUR = "hour"
    WEEKDAY = "weekday"
    HOUR_OF_WEEK = "hour_of_week"


def response(found: Response, group: Group | None) -> ResponseRead:
    return ResponseRead(
        service=found.key if group is Group.SERVICE else None,
        severity=Severity(found.key) if group is Group.SEVERITY and found.key else None,
        opened=found.opened,
        unresolved=found.unresolved,
        unacknowledged=found.unacknowledged,
        resolved_by_itself=found.resolved_by_itself,
        time_to_acknowledge=TakenRead.model_validate(found.to_acknowledge),
        time_to_resolve=TakenRead.model_validate(found.to_resolve),
    )


async def frequency(
    session: ReadSession, where: FiguresFilter, by: Frequency, zone_name: str
) -> list[FrequencyRead]:
    """How often, by a word; hours and days all of them, in their order."""
    match by:
        case Frequency.SERVICE | Frequency.SEVERITY:
            return _shares(await crud_figures.frequency(session, where, Group(by)))
        case _:
            return by_clock(await figures_service.by_hour(session, where, zone_name), by)


def by_clock(hours: dict[tuple[int, int], int], by: Frequency) -> list[FrequencyRead]:
    """The hours of a week told by hour, by weekday, or each by itself."""
    found: dict[str, int] = {}
    for (day, hour), opened in hours.items():
        match by:
            case Frequency.HOUR:
                key = f"{hour:02}"
            case Frequency.WEEKDAY:
                key = WEEKDAYS[day]
            case _:
                key = f"{WEEKDAYS[day]} {hour:02}"
        found[key] = found.get(key, 0) + opened
    return _shares(list(found.items()))


def _shares(counted: list[tuple[str, int]]) -> list[FrequencyRead]:
    whole = sum(opened for _, opened in counted)
    return [
        FrequencyRead(key=key, opened=opened, share=share(opened, whole)) for key, opened in counted
    ]


def trend(found: Trend, during: Interval) -> TrendRead:
    was = found.total_before.opened
    return TrendRead(
        since=during.starts_at,
        until=during.ends_at,
        rows=[_part(part, interval) for interval, part in found.parts],
        total=_part(found.total, during),
        before=_part(found.total_before, found.before),
        change=round((found.total.opened - was) / was, 4) if was else None,
    )


def _part(part: Part, interval: Interval) -> TrendPartRead:
    return TrendPartRead(
        since=interval.starts_at,
        until=interval.ends_at,
        opened=part.opened,
        time_to_acknowledge=MeanRead.model_validate(part.to_acknowledge),
        time_to_resolve=MeanRead.model_validate(part.to_resolve),
    )


def load(found: Load, now: datetime) -> PresentLoadRead:
    unresolved = {
        severity: found.open.get(severity, 0) + found.acknowledged.get(severity, 0)
        for severity in Severity
    }
    whole = sum(unresolved.values())
    return PresentLoadRead(
        since=now - crud_figures.LATELY,
        until=now,
        rows=[
            LoadRow(
                severity=severity,
                open=found.open.get(severity, 0),
                acknowledged=found.acknowledged.get(severity, 0),
                share=share(unresolved[severity], whole),
            )
            for severity in Severity
        ],
        open=sum(found.open.values()),
        acknowledged=sum(found.acknowledged.values()),
        resolved_in_seven_days=found.resolved_lately,
    )


def paged(found: Answering) -> PagedRead:
    one = found.paged
    return PagedRead(
        user_id=one.user_id,
        name=one.name,
        time_zone=one.time_zone,
        pages=one.pages,
        interruptions=one.interruptions,
        at_night=one.at_night,
        on_weekends=one.on_weekends,
        sleep_hours=one.sleep_hours,
        acknowledged=MeanRead.model_validate(found.acknowledged),
    )


def on_call(found: OnCall, people: int) -> OnCallHoursRead:
    return OnCallHoursRead(
        user_id=found.user_id,
        name=found.name,
        time_zone=found.time_zone,
        hours=round(found.duty.total / HOUR, 2),
        night_hours=round(found.duty.night / HOUR, 2),
        weekend_hours=round(found.duty.weekend / HOUR, 2),
        share_of_hours=found.share_of_hours,
        share_of_night_hours=found.share_of_nights,
        share_of_weekend_hours=found.share_of_weekends,
        load=figures_service.fairness(found.share_of_hours, people),
    )


def noise(found: Noise) -> NoiseRead:
    return NoiseRead(
        integration_id=found.integration_id,
        integration=found.integration,
        dedup_key=found.dedup_key,
        title=found.title,
        service=found.service,
        opened=found.opened,
        pages=found.pages,
        acknowledged=found.acknowledged,
        acknowledged_without_action=found.without_action,
        resolved_by_itself=found.by_itself,
    )
