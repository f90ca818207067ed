"""Services that keep paging waiting, at a story's command, and the loop that asks again."""

from datetime import datetime, timedelta
from typing import Any

from app.db.session import transaction_time
from app.models import MaintainedService, MaintenanceWindow, Service
from app.services import quiet
from app.worker.quiet import Quiet
from tests.world import Person, World

BERLIN_HOURS = {
    "time_zone": "Europe/Berlin",
    "hours": [{"since": "09:00", "until": "17:00", "days": ["mon", "tue", "wed", "thu", "fri"]}],
}
LOW = {"medium": "low", "low": "low"}


async def service(world: World, name: str = "database", **fields: Any) -> int:
    """A service in the catalogue."""
    async with world.database.writing() as session:
        row = Service(name=name, **fields)
        session.add(row)
        await session.flush()
        return row.id


async def change(world: World, service_id: int, **fields: Any) -> None:
    """Change a service, as whoever changes it must."""
    async with world.database.writing() as session:
        row = await session.get_one(Service, service_id, with_for_update={"key_share": True})
        was = row.name
        row.revise(fields, now=await transaction_time(session))
        await quiet.review(session, {was, row.name})


async def window(world: World, *services: int, hours: float = 2, **fields: Any) -> int:
    """Maintenance from now on; without services of everything."""
    async with world.database.writing() as session:
        now = await transaction_time(session)
        whole = {"title": "Upgrade", "starts_at": now, "ends_at": now + timedelta(hours=hours)}
        row = MaintenanceWindow(**whole | fields, is_for_everything=not services)
        session.add(row)
        await session.flush()
        for one in services:
            session.add(MaintainedService(maintenance_window_id=row.id, service_id=one))
        return row.id


async def alter(world: World, window_id: int, **fields: Any) -> None:
    """Change a window, as whoever changes it must; its services are asked for again."""
    async with world.database.writing() as session:
        row = await session.get_one(
            MaintenanceWindow, window_id, with_for_update={"key_share": True}
        )
        row.revise(fields, now=await transaction_time(session))
        await quiet.review(session, [None])


async def end(world: World, window_id: int) -> None:
    """End maintenance early."""
    await alter(world, window_id, ended_at=await world.clock.now())


async def ask_again(world: World) -> None:
    """Turn the loop that asks again, then climb."""
    await Quiet(world.database).round()
    await world.climb()


async def put_clock(world: World, when: str) -> None:
    """Put the clock forward, or back, to an instant."""
    world.database.clock_shift += datetime.fromisoformat(when) - await world.clock.now()


async def pages(world: World, who: Person, incident_id: int) -> list[datetime]:
    """When the pages for an incident were due."""
    found = await world.notifications(who, incident_id)
    return [datetime.fromisoformat(one["due_at"]) for one in found if one["kind"] == "page"]


async def told(world: World, who: Person, incident_id: int, kind: str) -> list[str]:
    """What the timeline says of one kind of thing."""
    answer = await world.call("GET", f"/v1/incidents/{incident_id}/timeline", who)
    return [one["description"] for one in answer["items"] if one["event_type"] == kind]
