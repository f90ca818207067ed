"""What pages offer to choose from: people, services, teams, schedules, and until when to sleep.

Every list is bounded. Whoever has more of something than is offered types its name.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.core.paging import BIGGEST_KEY
from app.crud import crud_schedule_list, crud_service, crud_team, crud_user
from app.crud.base import Window
from app.crud.crud_schedule_list import ScheduleFilter, ScheduleOrder
from app.crud.crud_service import ServiceFilter, ServiceOrder
from app.crud.crud_team import TeamFilter, TeamOrder
from app.crud.crud_user import UserFilter, UserOrder
from app.db.session import ReadSession
from app.models import Schedule, Service, Team, User
from app.web.deps import Visitor

MOST_OFFERED = 200
MORNING = 9  # o'clock, where the reader is
TARGETS = ("user", "schedule", "team")


@dataclass(frozen=True)
class Offered:
    """Everything by name, the first so many of each."""

    services: Sequence[Service]
    teams: Sequence[Team]
    users: Sequence[User]
    schedules: Sequence[Schedule]


async def offered(session: ReadSession, *, now: datetime) -> Offered:
    """What there is to choose from just now."""
    services = Window(MOST_OFFERED, order=ServiceOrder.NAME)
    teams = Window(MOST_OFFERED, order=TeamOrder.NAME)
    users = Window(MOST_OFFERED, order=UserOrder.NAME)
    schedules = Window(MOST_OFFERED, order=ScheduleOrder.NAME)
    return Offered(
        (await crud_service.list_page(session, ServiceFilter(), services)).items,
        (await crud_team.list_page(session, TeamFilter(), teams)).items,
        (await crud_user.list_page(session, UserFilter(is_active=True), users)).items,
        (await crud_schedule_list.page(session, ScheduleFilter(now), schedules)).items,
    )


@dataclass(frozen=True)
class Nap:
    """Until when paging could rest."""

    words: str
    until: datetime


def naps(visitor: Visitor) -> list[Nap]:
    """Some spans from now, and the next morning where the reader is."""
    now = visitor.now
    spans = ((15, "15 minutes"), (30, "30 minutes"), (60, "1 hour"), (240, "4 hours"))
    here = now.astimezone(ZoneInfo(visitor.user.time_zone))
    morning = here.replace(hour=MORNING, minute=0, second=0, microsecond=0)
    if morning <= here + timedelta(hours=1):
        morning += timedelta(days=1)
    day = "today" if morning.date() == here.date() else "tomorrow"
    return [
        *(Nap(words, now + timedelta(minutes=minutes)) for minutes, words in spans),
        Nap(f"Until {MORNING}:00 {day}", morning.astimezone(UTC)),
    ]


def target(word: str) -> Any:
    """The target that an option such as `schedule:3` means; None for what is no option."""
    kind, _, number = word.partition(":")
    is_key = number.isascii() and number.isdigit() and len(number) <= 16
    if kind not in TARGETS or not is_key or not 1 <= int(number) <= BIGGEST_KEY:
        return None
    return {kind: int(number)}
