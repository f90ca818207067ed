"""What the first page shows: what is on fire, who is on call, whether Tocsin is well.

Every part is asked for in a bounded number of statements, whatever has piled up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.api.state import Service
from app.crud import (
    crud_home,
    crud_incident_list,
    crud_incident_page,
    crud_schedule_list,
    crud_user,
)
from app.crud.base import Window
from app.crud.crud_incident_filter import IncidentFilter, IncidentOrder
from app.crud.crud_schedule_list import ScheduleFilter
from app.domain.incident import IncidentStatus
from app.schemas.incident import IncidentRead
from app.services import on_call as on_call_service
from app.services.on_call import Duty
from app.web import incident_rows
from app.web.deps import Visitor

MOST_INCIDENTS = 10  # of each status
MOST_SCHEDULES = 12


@dataclass(frozen=True)
class Fire:
    """Unresolved incidents of one status, the worst first."""

    status: IncidentStatus
    incidents: Sequence[IncidentRead]
    total: int
    total_is_bound: bool


@dataclass(frozen=True)
class Fires:
    open: Fire
    acknowledged: Fire
    people: Mapping[int, str]
    due: Mapping[int, datetime]

    def holder(self, incident: IncidentRead) -> str | None:
        """Who has it: whoever was given it, else whoever has answered."""
        found = incident.assigned_to or incident.acknowledged_by
        return self.people.get(found) if found is not None else None


@dataclass(frozen=True)
class OnDuty:
    duties: Sequence[Duty]
    more: int


@dataclass(frozen=True)
class Step:
    """A first step of a new installation."""

    words: str
    why: str
    verb: str
    href: str
    is_done: bool


async def fires(service: Service) -> Fires:
    """What nobody has resolved yet."""
    opened = await _fire(service, IncidentStatus.OPEN)
    answered = await _fire(service, IncidentStatus.ACKNOWLEDGED)
    shown = [*opened.incidents, *answered.incidents]
    holders = {key for one in shown for key in (one.assigned_to, one.acknowledged_by) if key}
    async with service.database.reading() as session:
        due = await crud_incident_page.next_steps(session, [one.id for one in shown])
        found = await crud_user.by_ids(session, holders)
    people = {key: person.display_name for key, person in found.items()}
    return Fires(opened, answered, people, due)


async def _fire(service: Service, status: IncidentStatus) -> Fire:
    window = Window(MOST_INCIDENTS, order=IncidentOrder.SEVERITY, descending=True)
    found = await crud_incident_list.list_page(
        service.database, IncidentFilter(status=[status]), window
    )
    return Fire(status, incident_rows.rows(found.items), found.total, found.total_is_bound)


async def on_duty(service: Service, *, now: datetime) -> OnDuty:
    """Who is on call by the first schedules."""
    async with service.database.reading() as session:
        found = await crud_schedule_list.page(
            session, ScheduleFilter(now), Window(MOST_SCHEDULES, descending=False)
        )
        duties = await on_call_service.duties(session, found.items, now=now)
    return OnDuty(duties, max(found.total - len(found.items), 0))


async def first_steps(service: Service, visitor: Visitor) -> Sequence[Step]:
    """What is still to be done before anybody is paged; nothing once all of it is."""
    if not visitor.may_administer:
        return ()
    async with service.database.reading() as session:
        done = await crud_home.set_up(session, visitor.user.id)
    steps = [Step(*words, is_done=done[name]) for name, words in _STEPS.items()]
    return () if all(step.is_done for step in steps) else steps


_STEPS: dict[str, tuple[str, str, str, str]] = {
    "contact": (
        "Say where you can be reached",
        "A page goes to a mail address, a phone or a browser that you have confirmed.",
        "Add a contact method",
        "/profile",
    ),
    "people": (
        "Bring your team in",
        "Somebody has to take over when you do not answer.",
        "Add people",
        "/users",
    ),
    "schedule": (
        "Say who is on call when",
        "A schedule hands the pager on by itself, and shows where nobody has it.",
        "Make a schedule",
        "/schedules",
    ),
    "policy": (
        "Say who is paged, and who after that",
        "A policy climbs step by step until somebody answers.",
        "Make a policy",
        "/policies",
    ),
    "integration": (
        "Let your monitoring in",
        "Alertmanager, Elastic and anything that can POST open incidents by themselves.",
        "Connect a tool",
        "/integrations",
    ),
    "incident": (
        "Try it before the night does",
        "Declare an incident, and see that the page arrives.",
        "Declare an incident",
        "/incidents/new",
    ),
}
