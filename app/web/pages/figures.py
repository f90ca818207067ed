"""Figures at the console: how quickly people answer, what breaks how often, and who bears it.

The time and what it is narrowed to are in the address; every number is in a table and in a file.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from app.api import figures_query
from app.api import figures_shown as shown
from app.api.bounds import BoundedRoute
from app.api.deps import ServiceDep
from app.api.figures_query import Format
from app.api.figures_shown import Frequency
from app.api.state import Service
from app.core.errors import NotFoundError
from app.crud import crud_figures
from app.crud.crud_figures import FiguresFilter, Group
from app.db.session import ReadSession
from app.domain.figures import Per
from app.domain.incident import Severity
from app.domain.timeline import Interval
from app.schemas.base import ReadSchema
from app.schemas.figures import (
    FiguresRead,
    FrequencyRead,
    NoiseRead,
    OnCallHoursRead,
    PagedRead,
    ResponseRead,
)
from app.services import figures as figures_service
from app.web import asked, charts, choices
from app.web.charts import Point
from app.web.deps import Visitor, VisitorDep
from app.web.templating import duration, render

T = TypeVar("T")

router = APIRouter(prefix="/analytics", include_in_schema=False, route_class=BoundedRoute)

RANGES = {"7": "7 days", "30": "30 days", "90": "90 days", "365": "A year"}
USUAL = "30"
SEVERITIES = {
    "critical": "SEV1 Critical",
    "high": "SEV2 High",
    "medium": "SEV3 Medium",
    "low": "SEV4 Low",
}
NOISE_DAYS = 90
DAYS_BY_DAY = 31  # longer times are told by the week
FEW = 15  # bars of a chart; the table has all


class View(StrEnum):
    RESPONSE = "response"
    SERVICES = "services"
    FREQUENCY = "frequency"
    HOURS = "hours"
    TREND = "trend"
    PAGES = "pages"
    ON_CALL = "on-call"
    NOISE = "noise"


@dataclass(frozen=True)
class Wish:
    """What the address asks for."""

    days: str
    service: str
    severity: str
    team: str
    zone: str
    where: FiguresFilter

    @property
    def query(self) -> dict[str, str]:
        days = "" if self.days == USUAL else self.days
        return {
            "range": days,
            "service": self.service,
            "severity": self.severity,
            "team": self.team,
        }


def _wish(request: Request, visitor: Visitor, *, longest: int = 366) -> Wish:
    given = request.query_params
    days = given.get("range", USUAL)
    days = days if days in RANGES else USUAL
    span = timedelta(days=min(int(days), longest))
    service = given.get("service", "").replace("\x00", "").strip()[:100]
    severities = asked.among([given.get("severity", "")], Severity)
    team_id = asked.number(given.get("team"))
    where = FiguresFilter(
        Interval(visitor.now - span, visitor.now),
        (service,) if service else (),
        severities,
        team_id,
    )
    severity = severities[0].value if severities else ""
    zone = visitor.user.time_zone
    return Wish(days, service, severity, str(team_id or ""), zone, where)


@router.get("")
async def answering(request: Request, visitor: VisitorDep, service: ServiceDep) -> HTMLResponse:
    """How quickly incidents are acknowledged and resolved, and how many there are."""
    wish = _wish(request, visitor)
    per = Per.DAY if int(wish.days) <= DAYS_BY_DAY else Per.WEEK
    where = wish.where
    await _require_team(service, wish)
    [whole], by_severity, trend, load = await asyncio.gather(
        _read(service, lambda session: crud_figures.response(session, where, None)),
        _read(service, lambda session: crud_figures.response(session, where, Group.SEVERITY)),
        _read(service, lambda session: figures_service.trend(session, where, per, wish.zone)),
        _read(service, lambda session: figures_service.load(session, where, now=visitor.now)),
    )
    by_severity.sort(key=lambda one: Severity(one.key or "").rank)
    parts = [
        (f"{interval.starts_at.day} {interval.starts_at:%b}", p) for interval, p in trend.parts
    ]
    opened = [Point(name, p.opened, f"{p.opened} opened") for name, p in parts]
    means = [p.to_acknowledge.mean or 0 for _, p in parts]
    unit, divisor = charts.time_unit(means)
    taken = [
        Point(name, p.to_acknowledge.mean or 0, duration(p.to_acknowledge.mean or 0))
        for name, p in parts
    ]
    return await _page(
        request,
        visitor,
        service,
        wish,
        "analytics/answering.html",
        whole=whole,
        by_severity=by_severity,
        trend=trend,
        per=per,
        load=shown.load(load, visitor.now),
        opened=charts.columns(opened, "incidents"),
        taken=charts.columns(taken, unit, divisor=divisor),
        unit=unit,
    )


@router.get("/frequency")
async def how_often(request: Request, visitor: VisitorDep, service: ServiceDep) -> HTMLResponse:
    """What breaks how often, and at which hour."""
    wish = _wish(request, visitor)
    where, zone = wish.where, wish.zone
    await _require_team(service, wish)
    services, severities, of_week = await asyncio.gather(
        _read(service, lambda session: crud_figures.response(session, where, Group.SERVICE)),
        _read(
            service,
            lambda session: shown.frequency(session, where, Frequency.SEVERITY, zone),
        ),
        _read(service, lambda session: figures_service.by_hour(session, where, zone)),
    )
    severities.sort(key=lambda one: Severity(one.key).rank)
    hours = shown.by_clock(of_week, Frequency.HOUR)
    weekdays = shown.by_clock(of_week, Frequency.WEEKDAY)
    most = [Point(one.key or "", one.opened, f"{one.opened}") for one in services[:FEW]]
    links = ["/analytics" + _at(wish, service=point.name) for point in most]
    by_hour = [Point(f"{one.key}:00", one.opened, f"{one.opened} opened") for one in hours]
    by_day = [
        Point(one.key[:3].capitalize(), one.opened, f"{one.opened} opened") for one in weekdays
    ]
    return await _page(
        request,
        visitor,
        service,
        wish,
        "analytics/frequency.html",
        services=services,
        most=charts.bars(most, links),
        severities=severities,
        by_severity=charts.bars(
            [Point(SEVERITIES[o.key], o.opened, f"{o.opened}") for o in severities]
        ),
        by_hour=charts.columns(by_hour, "incidents"),
        by_day=charts.columns(by_day, "incidents"),
        hours=hours,
        weekdays=weekdays,
    )


@router.get("/people")
async def people(request: Request, visitor: VisitorDep, service: ServiceDep) -> HTMLResponse:
    """What woke whom, and who was on call how long."""
    wish = _wish(request, visitor)
    where, now = wish.where, visitor.now
    await _require_team(service, wish)
    found, duties = await asyncio.gather(
        _read(service, lambda session: figures_service.pages(session, where)),
        _read(
            service,
            lambda session: figures_service.on_call(session, (), where.during, now=now),
        ),
    )
    paged = [shown.paged(one) for one in found]
    on_call = [shown.on_call(one, len(duties)) for one in duties]
    at_night = sorted((one for one in paged if one.at_night), key=lambda one: -one.at_night)
    load = sorted(on_call, key=lambda one: -one.hours)
    return await _page(
        request,
        visitor,
        service,
        wish,
        "analytics/people.html",
        paged=paged,
        on_call=on_call,
        pages=charts.bars([Point(o.name, o.pages, f"{o.pages}") for o in paged[:FEW]]),
        nights=charts.bars([Point(o.name, o.at_night, f"{o.at_night}") for o in at_night[:FEW]]),
        hours=charts.bars([Point(o.name, o.hours, f"{o.hours:.0f} h") for o in load[:FEW]]),
    )


@router.get("/noise")
async def noise(request: Request, visitor: VisitorDep, service: ServiceDep) -> HTMLResponse:
    """The alerts that cry wolf."""
    wish = _wish(request, visitor, longest=NOISE_DAYS)
    async with service.database.reading() as session:
        await figures_service.require_team(session, wish.where.team_id)
        found = await figures_service.noise(session, wish.where)
    rows = [shown.noise(one) for one in found]
    return await _page(
        request,
        visitor,
        service,
        wish,
        "analytics/noise.html",
        rows=rows,
        most=charts.bars([Point(one.title, one.opened, f"{one.opened}") for one in rows[:FEW]]),
    )


@router.get("/{name}.csv")
async def export(request: Request, visitor: VisitorDep, service: ServiceDep, name: str) -> Response:
    """The numbers of a chart as a file, as the API tells them."""
    views = asked.among([name], View)
    if not views:
        raise NotFoundError("figure", name[:50])
    [view] = views
    wish = _wish(request, visitor, longest=NOISE_DAYS if view is View.NOISE else 366)
    async with service.database.reading() as session:
        await figures_service.require_team(session, wish.where.team_id)
        found = await _figures(session, view, wish, visitor)
    answer = figures_query.told(found, Format.CSV, name)
    assert isinstance(answer, Response)
    return answer


async def _figures(session: ReadSession, view: View, wish: Wish, visitor: Visitor) -> ReadSchema:
    where = wish.where
    during = {"since": where.during.starts_at, "until": where.during.ends_at}
    match view:
        case View.RESPONSE | View.SERVICES:
            group = Group.SEVERITY if view is View.RESPONSE else Group.SERVICE
            answered = await crud_figures.response(session, where, group)
            rows = [shown.response(one, group) for one in answered]
            return FiguresRead[ResponseRead](**during, rows=rows)
        case View.FREQUENCY | View.HOURS:
            by = Frequency.SEVERITY if view is View.FREQUENCY else Frequency.HOUR_OF_WEEK
            counted = await shown.frequency(session, where, by, wish.zone)
            return FiguresRead[FrequencyRead](**during, rows=counted)
        case View.TREND:
            per = Per.DAY if int(wish.days) <= DAYS_BY_DAY else Per.WEEK
            trend = await figures_service.trend(session, where, per, wish.zone)
            return shown.trend(trend, where.during)
        case View.PAGES:
            paged = [shown.paged(one) for one in await figures_service.pages(session, where)]
            return FiguresRead[PagedRead](**during, rows=paged)
        case View.ON_CALL:
            duties = await figures_service.on_call(session, (), where.during, now=visitor.now)
            hours = [shown.on_call(one, len(duties)) for one in duties]
            return FiguresRead[OnCallHoursRead](**during, rows=hours)
        case View.NOISE:
            noisy = [shown.noise(one) for one in await figures_service.noise(session, where)]
            return FiguresRead[NoiseRead](**during, rows=noisy)


async def _require_team(service: Service, wish: Wish) -> None:
    await _read(service, lambda session: figures_service.require_team(session, wish.where.team_id))


async def _read(service: Service, ask: Callable[[ReadSession], Awaitable[T]]) -> T:
    """Each kind of figures of a page is counted on a connection of its own, all at once."""
    async with service.database.reading() as session:
        return await ask(session)


def _at(wish: Wish, **changed: str) -> str:
    from_ = {**wish.query, **changed}
    pairs = [(name, value) for name, value in from_.items() if value]
    return "?" + urlencode(pairs) if pairs else ""


async def _page(
    request: Request,
    visitor: Visitor,
    service: Service,
    wish: Wish,
    template: str,
    **values: Any,
) -> HTMLResponse:
    async with service.database.reading() as session:
        offered = await choices.offered(session, now=visitor.now)
    return render(
        request,
        visitor,
        template,
        wish=wish,
        ranges=RANGES,
        teams=asked.offers(offered.teams, wish.team, "Every team"),
        known_services=[one.name for one in offered.services],
        **values,
    )
