"""The form in which a schedule is written, drawn: its faults, its questions and its preview."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse

from app.api.state import Service
from app.crud import crud_calendar
from app.crud.base import Window
from app.domain.calendar import MOST_CALENDARS, CalendarKind
from app.domain.time_zone import time_zones
from app.models import Schedule
from app.web import choices, listing, rota_form
from app.web.deps import Visitor
from app.web.rota_chart import hours
from app.web.templating import render
from app.web.tree_form import Tree
from app.web.wall import Wall, wall_of

CHANGED_MEANWHILE = (
    "Somebody changed the schedule while you wrote. Open it in another tab, and put what you wrote"
    " into what it says now."
)
Saving = Callable[[Tree], Awaitable[str]]  # saves a draft, and says where to go


@dataclass(frozen=True)
class Building:
    """A draft, of which schedule, and what is to be said about it."""

    draft: Tree
    schedule: Schedule | None = None
    is_temporary: bool = False
    errors: Mapping[str, str] = field(default_factory=dict)
    gaps: Sequence[Mapping[str, str]] = ()
    overlaps: Sequence[Mapping[str, str]] = ()
    preview: Mapping[str, Any] | None = None
    revision: str = ""  # what the form was made from

    def of(self, draft: Tree, **told: Any) -> "Building":
        return replace(self, draft=draft, **told)

    @property
    def address(self) -> str:
        if self.schedule is None:
            return "/schedules/new"
        return f"/schedules/{self.schedule.id}/{'temporary/new' if self.is_temporary else 'edit'}"

    @property
    def is_refused(self) -> bool:
        return bool(self.errors or self.gaps or self.overlaps)


async def draw(
    request: Request,
    visitor: Visitor,
    service: Service,
    building: Building,
    *,
    block: str | None = None,
) -> HTMLResponse:
    """The page of the form, or the block of it that is asked for."""
    async with service.database.reading() as session:
        offered = await choices.offered(session, now=visitor.now)
        calendars = (
            await crud_calendar.list_page(session, Window(MOST_CALENDARS), kind=None)
        ).items
    zone = str(building.draft.get("time_zone") or "")
    if building.is_temporary and building.schedule is not None:
        zone = building.schedule.time_zone
    people = listing.people(offered.users)[1:]
    return render(
        request,
        visitor,
        "schedules/edit.html",
        block=block,
        status=422 if building.is_refused else 200,
        building=building,
        draft=building.draft,
        schedule=building.schedule,
        errors=building.errors,
        shown=_shown(building.errors),
        preview=building.preview,
        people=people,
        known_people={key for key, _ in people},
        teams=[("", "No team: admins only"), *((str(one.id), one.name) for one in offered.teams)],
        duty_calendars=[
            (str(one.id), one.name) for one in calendars if one.kind is CalendarKind.ON_CALL
        ],
        holiday_calendars=[
            (str(one.id), one.name) for one in calendars if one.kind is CalendarKind.HOLIDAYS
        ],
        zones=sorted(time_zones()),
        wall=wall_of(zone),
        hours=hours,
        kinds=rota_form.KINDS,
        days=rota_form.DAYS,
        on_holidays=rota_form.ON_HOLIDAYS,
        gaps=[_gap(one, wall_of(zone)) for one in building.gaps],
    )


def _shown(errors: Mapping[str, str]) -> set[str]:
    """The faults that stand at a field; a fault of the form as a whole stands above it."""
    return {place for place in errors if place}


def _gap(gap: Mapping[str, str], wall: Wall) -> str:
    """“Mon 23 Nov, 09:00 – Tue 24 Nov, 09:00 (1 d)”."""
    since, until = (datetime.fromisoformat(gap[name]) for name in ("starts_at", "ends_at"))
    return f"{wall.told(since)} – {wall.told(until)} ({hours(until - since)})"
