"""Whom the targets that depend on schedules and teams mean at one instant. Pure.

Everything that a batch of steps may want is put in at once, and each schedule is rendered once,
however many steps ask for it. Where a target means nobody it says why, in a sentence for the
timeline.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.domain.on_call import next_change, on_call, relief
from app.domain.schedule import Schedule
from app.domain.target import Target
from app.domain.time_zone import zone

# Who comes next is looked for this far ahead, and the end of a gap this far.
AHEAD = timedelta(days=62)
GAP_AHEAD = timedelta(days=8)


@dataclass(frozen=True)
class Rota:
    """A schedule by its name."""

    name: str
    schedule: Schedule


@dataclass(frozen=True)
class Crew:
    """A team by its name, with those of its people who are active."""

    name: str
    user_ids: tuple[int, ...]
    has_members: bool


@dataclass(frozen=True)
class Meant:
    """Whom a target means, through which schedule or team; if nobody, why."""

    user_ids: tuple[int, ...]
    through: str | None = None
    why: str | None = None


@dataclass(frozen=True)
class Duty:
    """Schedules, teams and the services that page by them, as they are at an instant."""

    at: datetime
    rotas: Mapping[int, Rota] = field(default_factory=dict)
    crews: Mapping[int, Crew] = field(default_factory=dict)
    # Of services that are in the catalogue, by name, their schedule, if they have one.
    services: Mapping[str, int | None] = field(default_factory=dict)
    _rendered: dict[tuple[int, bool], Meant] = field(default_factory=dict)

    def meant(self, target: Target, service: str) -> Meant:
        """Whom a target means for an incident of this service."""
        if target.schedule_id is not None:
            return self._by_schedule(target.schedule_id, is_next=target.is_next)
        if target.team_id is not None:
            return self._in_team(target.team_id)
        if target.user_ids:
            return Meant(target.user_ids)
        if service not in self.services:
            return Meant((), why=f"Service “{service}” is not in the catalogue.")
        schedule_id = self.services[service]
        if schedule_id is None:
            return Meant((), why=f"Service “{service}” has no schedule.")
        return self._by_schedule(schedule_id, is_next=target.is_next)

    def _by_schedule(self, schedule_id: int, *, is_next: bool) -> Meant:
        asked = schedule_id, is_next
        if asked not in self._rendered:
            rota = self.rotas.get(schedule_id)
            if rota is None:
                self._rendered[asked] = Meant((), why=f"Schedule {schedule_id} is deleted.")
            else:
                self._rendered[asked] = _next(rota, self.at) if is_next else _now(rota, self.at)
        return self._rendered[asked]

    def _in_team(self, team_id: int) -> Meant:
        crew = self.crews.get(team_id)
        if crew is None:
            return Meant((), why=f"Team {team_id} is deleted.")
        if crew.user_ids:
            return Meant(crew.user_ids, crew.name)
        if crew.has_members:
            return Meant((), crew.name, f"Everybody in team “{crew.name}” is deactivated.")
        return Meant((), crew.name, f"Nobody is in team “{crew.name}”.")


def _now(rota: Rota, at: datetime) -> Meant:
    people = on_call(rota.schedule, at)
    if people:
        return Meant(people, rota.name)
    return Meant((), rota.name, f"Nobody is on call on “{rota.name}”{_until(rota, at)}.")


def _next(rota: Rota, at: datetime) -> Meant:
    people = relief(rota.schedule, at, horizon=AHEAD)
    if people:
        return Meant(people, rota.name)
    return Meant((), rota.name, f"Nobody else is on call on “{rota.name}” next.")


def _until(rota: Rota, at: datetime) -> str:
    """When the gap ends, on the schedule's own clock."""
    change = next_change(rota.schedule, at, horizon=GAP_AHEAD)
    if change is None:
        return ""
    clock = zone(rota.schedule.time_zone)
    here, then = at.astimezone(clock), change.at.astimezone(clock)
    shown = f"{then:%H:%M}" if then.date() == here.date() else f"{then:%A %H:%M}"
    return f" until {shown} {rota.schedule.time_zone}"
