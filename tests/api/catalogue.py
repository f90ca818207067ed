"""What tests of the catalogue share: making what is in it."""

from datetime import timedelta
from typing import Any

from tests.world import Person, World

TEAMS, SERVICES, WINDOWS = "/v1/teams", "/v1/services", "/v1/maintenance-windows"
POLICIES = "/v1/escalation/policies"


async def a_team(
    world: World,
    admin: Person,
    name: str = "Payments",
    leads: tuple[Person, ...] = (),
    **fields: Any,
) -> Any:
    body = {"name": name, **fields}
    made = await world.call("POST", TEAMS, admin, expect=201, json=body)
    for lead in leads:
        await a_member(world, admin, made, lead, is_lead=True)
    return made


async def a_member(
    world: World, admin: Person, team: Any, who: Person, *, is_lead: bool = False
) -> Any:
    path = f"{TEAMS}/{team['id']}/members"
    body = {"user_id": who.id, "is_lead": is_lead}
    return await world.call("POST", path, admin, expect=201, json=body)


async def a_service(world: World, who: Person, name: str = "checkout", **fields: Any) -> Any:
    return await world.call("POST", SERVICES, who, expect=201, json={"name": name, **fields})


async def in_hours(world: World, hours: float) -> str:
    """An instant from now on, as the wire has it."""
    now: Any = await world.clock.now()
    return str((now + timedelta(hours=hours)).isoformat())


async def a_window(
    world: World, who: Person, *services: Any, lasts: float = 2, **fields: Any
) -> Any:
    body = {
        "title": "New disks",
        "ends_at": await in_hours(world, lasts),
        "service_ids": [service["id"] for service in services],
        **fields,
    }
    return await world.call("POST", WINDOWS, who, expect=201, json=body)
