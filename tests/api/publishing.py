"""What tests of the status page share: making what is on it."""

from datetime import timedelta
from typing import Any

from app.worker.public_page import PublicPages
from tests.world import Person, World

PAGE = "/v1/status-page"
COMPONENTS, GROUPS = f"{PAGE}/components", f"{PAGE}/groups"
MAINTENANCES, UPDATES = f"{PAGE}/maintenances", f"{PAGE}/updates"
V2 = "/api/v2"


async def a_component(world: World, admin: Person, name: str = "Checkout", **fields: Any) -> Any:
    return await world.call("POST", COMPONENTS, admin, expect=201, json={"name": name, **fields})


async def a_group(world: World, admin: Person, name: str = "Shop", **fields: Any) -> Any:
    return await world.call("POST", GROUPS, admin, expect=201, json={"name": name, **fields})


def public(incident: Any) -> str:
    """Where the public side of an incident is."""
    return f"/v1/incidents/{incident['id']}/public"


def hitting(status: str, *components: Any) -> list[dict[str, Any]]:
    return [{"id": component["id"], "status": status} for component in components]


async def publish(
    world: World, who: Person, incident: Any, expect: int = 201, **fields: Any
) -> Any:
    body = {"title": "Checkout is slow", "body": "We are looking into it.", **fields}
    return await world.call("POST", public(incident), who, expect=expect, json=body)


async def post(world: World, who: Person, incident: Any, expect: int = 201, **fields: Any) -> Any:
    body = {"body": "We have found the cause.", **fields}
    return await world.call("POST", f"{public(incident)}/updates", who, expect=expect, json=body)


async def announce(world: World, who: Person, *components: Any, **fields: Any) -> Any:
    """A maintenance in an hour, for an hour."""
    now: Any = await world.clock.now()
    body = {
        "title": "New disks",
        "body": "Checkout will be read-only.",
        "scheduled_for": (now + timedelta(hours=1)).isoformat(),
        "scheduled_until": (now + timedelta(hours=2)).isoformat(),
        "component_ids": [component["id"] for component in components],
        **fields,
    }
    return await world.call("POST", MAINTENANCES, who, expect=201, json=body)


async def turn(world: World) -> None:
    """Have the loop of the status page do all that is due."""
    loop = PublicPages(world.database)
    while await loop.round() == timedelta():
        pass


async def status_of(world: World, component: Any) -> str:
    """How the public sees a component."""
    shown = await world.call("GET", "/v1/public/status")
    return next(
        str(one["status"])
        for group in shown["groups"]
        for one in group["components"]
        if one["id"] == component["id"]
    )
