"""Everything that the page of a schedule shows, gathered in one look."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import Request

from app.core.errors import ForbiddenError
from app.crud import (
    crud_schedule_list,
    crud_schedule_override,
    crud_shift_request,
    crud_team,
)
from app.crud.base import Span, Window
from app.crud.crud_shift_request import RequestFilter
from app.crud.crud_team import TeamFilter
from app.db.session import ReadSession
from app.domain.shift_request import RequestStatus
from app.domain.timeline import Interval
from app.domain.user import Permission
from app.models import Schedule, ScheduleOverride, ShiftRequest, TemporarySchedule, User
from app.services import on_call as on_call_service
from app.services import rota
from app.services import schedule as schedule_service
from app.services import team as team_service
from app.services.on_call import OnCall
from app.services.rota import RenderingTooLongError
from app.services.rota_people import named
from app.web import rota_chart
from app.web.deps import Visitor
from app.web.rota_chart import WEEKS, Chart
from app.web.wall import MINE, OWN, Wall, wall_of

MOST_PASSING = 100
MOST_REQUESTS = 50
MOST_TEAMS = 200
USUAL_WEEKS = 2


@dataclass(frozen=True)
class Asked:
    """Which days a page shows, and by whose clock."""

    first: str
    weeks: int
    whose: str

    @property
    def query(self) -> dict[str, str]:
        """As the address has it, without what is usual."""
        told = {"from": self.first, "weeks": str(self.weeks), "zone": self.whose}
        usual = {"from": "", "weeks": str(USUAL_WEEKS), "zone": MINE}
        return {name: word for name, word in told.items() if word != usual[name]}

    def wall(self, visitor: Visitor, schedule_zone: str) -> Wall:
        return wall_of(schedule_zone if self.whose == OWN else visitor.user.time_zone)


def asked(request: Request) -> Asked:
    """What the address asks for; what nobody understands in it is left out."""
    query = request.query_params
    weeks = query.get("weeks", "")
    return Asked(
        query.get("from", "")[:10],
        int(weeks) if weeks in {str(one) for one in WEEKS} else USUAL_WEEKS,
        OWN if query.get("zone") == OWN else MINE,
    )


@dataclass(frozen=True)
class Seen:
    """A schedule with all that hangs on it."""

    schedule: Schedule
    wall: Wall
    chart: Chart | None
    too_long: str | None
    on_call: OnCall
    overrides: Sequence[ScheduleOverride]
    temporaries: Sequence[TemporarySchedule]
    requests: Sequence[ShiftRequest]
    names: Mapping[int, str]
    used_by: Mapping[str, Sequence[str]]
    may_edit: bool
    has_taken: bool


async def look(session: ReadSession, visitor: Visitor, schedule_id: int, wanted: Asked) -> Seen:
    """The schedule as it is now."""
    now = visitor.now
    schedule = await schedule_service.require(session, schedule_id)
    wall = wanted.wall(visitor, schedule.time_zone)
    ahead, some = Span(now, None), Window(MOST_PASSING)
    overrides = await crud_schedule_override.page(
        session, ScheduleOverride, schedule_id, ahead, some, removed=False
    )
    temporaries = await crud_schedule_override.page(
        session, TemporarySchedule, schedule_id, ahead, some, removed=False
    )
    where = RequestFilter(schedule_id, None, (RequestStatus.OPEN, RequestStatus.TAKEN))
    requests = await crud_shift_request.list_page(session, where, Window(MOST_REQUESTS))
    current = [one for one in requests.items if one.ends_at > now]
    chart, too_long = await _chart(session, schedule, wall, wanted, now=now)
    return Seen(
        schedule,
        wall,
        chart,
        too_long,
        await on_call_service.at_instant(session, schedule_id, at=now, known_at=None, now=now),
        sorted(overrides.items, key=lambda one: one.starts_at),
        sorted(temporaries.items, key=lambda one: one.starts_at),
        current,
        await names_of(session, _people(overrides.items, current)),
        await crud_schedule_list.used_by(session, schedule_id),
        await may_edit(session, visitor.user, schedule.team_id),
        await _has_taken(session, schedule_id, visitor, now=now),
    )


async def may_edit(session: ReadSession, user: User, team_id: int | None) -> bool:
    """Whether somebody may edit what this team owns; as the services have it."""
    try:
        await require_edit(session, user, team_id)
    except ForbiddenError:
        return False
    return True


async def require_edit(session: ReadSession, user: User, team_id: int | None) -> None:
    """Refuse whoever may not edit what this team owns."""
    await team_service.require_lead(session, user, [team_id])


async def may_make(session: ReadSession, user: User) -> bool:
    """Whether somebody may make a schedule: admins, and whoever leads some team."""
    if user.may(Permission.ADMINISTER):
        return True
    teams = await crud_team.list_page(session, TeamFilter(), Window(MOST_TEAMS))
    return bool(await crud_team.led(session, user.id, {one.id for one in teams.items}))


async def my_requests(session: ReadSession, user_id: int, *, now: datetime) -> dict[str, Any]:
    """What somebody asked, was asked or took; and what asks anybody. Nothing that is over."""
    window = Window(MOST_REQUESTS)
    mine = await crud_shift_request.list_page(session, RequestFilter(None, user_id), window)
    is_open = RequestFilter(status=(RequestStatus.OPEN,))
    others = await crud_shift_request.list_page(session, is_open, window)
    own = [one for one in mine.items if one.ends_at > now]
    known = {one.id for one in own}
    anybodys = [
        one
        for one in others.items
        if one.asked_of is None and one.id not in known and one.expires_at > now
    ]
    everyone = [*own, *anybodys]
    schedules = await crud_schedule_list.by_ids(session, {one.schedule_id for one in everyone})
    return {
        "own": own,
        "anybodys": anybodys,
        "names": await names_of(session, _people((), everyone)),
        "schedule_names": {key: one.name for key, one in schedules.items()},
    }


async def names_of(session: ReadSession, user_ids: Iterable[int | None]) -> dict[int, str]:
    found = await named(session, {one for one in user_ids if one is not None})
    return {key: person.name for key, person in found.items()}


async def _chart(
    session: ReadSession, schedule: Schedule, wall: Wall, wanted: Asked, *, now: datetime
) -> tuple[Chart | None, str | None]:
    during = rota_chart.frame(wall, rota_chart.first_day(wall, now, wanted.first), wanted.weeks)
    try:
        rendered = await rota.shown(session, schedule.id, during, known_at=None, now=now)
    except RenderingTooLongError as error:
        return None, error.message
    return await drawn(session, rendered, wall, during, now=now, since=schedule.created_at), None


async def drawn(
    session: ReadSession,
    rendered: Mapping[str, Any],
    wall: Wall,
    during: Interval,
    *,
    now: datetime,
    since: datetime | None = None,
) -> Chart:
    """A rendering as a chart, with the names of those whom overrides name, too."""
    known = {one.id for one in rendered["people"]}
    more = {one.user_id for one in rendered.get("overrides", ())} - known
    others = await named(session, more) if more else {}
    people = [*rendered["people"], *others.values()]
    return rota_chart.chart_of({**rendered, "people": people}, wall, during, now=now, since=since)


def _people(
    overrides: Sequence[ScheduleOverride], requests: Sequence[ShiftRequest]
) -> set[int | None]:
    of_overrides = {key for one in overrides for key in (one.user_id, one.replaces)}
    return of_overrides | {
        key for one in requests for key in (one.asked_by, one.asked_of, one.taken_by)
    }


async def _has_taken(
    session: ReadSession, schedule_id: int, visitor: Visitor, *, now: datetime
) -> bool:
    user = visitor.user.id
    return bool(await crud_shift_request.running_takes(session, schedule_id, user, at=now))
