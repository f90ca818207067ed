"""Calendars that are followed, at a test's command: served on loopback, the loop turned by hand."""

from datetime import UTC, datetime, timedelta
from typing import Any

from app.channels.calendar import CalendarFetcher
from app.channels.targets import parse_networks
from app.domain.calendar import Copy, Failed
from app.services import on_call
from app.worker.calendars import Calendars
from tests.channels.factories import TRUST
from tests.world import Person, World

CALENDARS = "/v1/calendars"
SCHEDULES = "/v1/schedules"


def fetcher(**options: Any) -> CalendarFetcher:
    """The way out, which may reach the loopback network."""
    options.setdefault("allowed", parse_networks("127.0.0.0/8"))
    options.setdefault("timeout", timedelta(seconds=20))
    return CalendarFetcher("0.1.0", tls=TRUST, **options)


class Mute:
    """A way out to nowhere, which counts how often it was asked."""

    timeout = timedelta(seconds=1)

    def __init__(self) -> None:
        self.asked = 0

    async def fetch(
        self, url: str, *, etag: str | None = None, last_modified: str | None = None
    ) -> Copy | Failed:
        self.asked += 1
        return Failed("Nobody answers.")

    async def close(self) -> None:
        pass


def loop(world: World, way: Any = None, **options: Any) -> Calendars:
    """The loop of one process; without jitter."""
    options.setdefault("chance", lambda: 0.5)
    return Calendars(world.database, way or fetcher(), **options)


async def follow(world: World, admin: Person, url: str | None = None, **fields: Any) -> Any:
    body = {"name": "Rota", "kind": "on_call", "time_zone": "Europe/Berlin", **fields}
    if url is not None:
        body["url"] = url
    return await world.call("POST", CALENDARS, admin, expect=201, json=body)


async def read(world: World, who: Person, calendar: Any) -> Any:
    return await world.call("GET", f"{CALENDARS}/{calendar['id']}", who)


async def schedule(world: World, admin: Person, *layers: Any, **fields: Any) -> int:
    """A schedule of these layers."""
    body = {"name": "Primary", "time_zone": "Europe/Berlin", "layers": layers, "allow_gaps": True}
    made = await world.call("POST", SCHEDULES, admin, expect=201, json={**body, **fields})
    return int(made["id"])


async def who(world: World, schedule_id: int, at: datetime) -> tuple[int, ...]:
    """Who is on call at an instant."""
    async with world.database.reading() as session:
        return (await on_call.who(session, [schedule_id], at=at))[schedule_id]


async def noon(world: World, days: int = 1) -> datetime:
    """A noon in so many days."""
    day = await world.clock.now() + timedelta(days=days)
    return day.astimezone(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
