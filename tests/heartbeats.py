"""Monitors, their pings and their loop, at a test's command."""

from typing import Any

from app.domain.storm import ServiceLimit
from app.worker.monitors import Monitors
from tests.world import Person, World

MINUTE = 60
HOUR = 60 * MINUTE


async def monitor(world: World, admin: Person, **fields: Any) -> dict[str, Any]:
    """A monitor that is expected every hour and may be ten minutes late. `ping` is its path."""
    body = {"name": "Nightly backup", "interval_seconds": HOUR, "grace_seconds": 10 * MINUTE}
    made: dict[str, Any] = await world.call(
        "POST", "/v1/heartbeats", admin, expect=201, json={**body, **fields}
    )
    return {**made, "ping": made["ping_url"].removeprefix("https://tocsin.test")}


async def ping(world: World, made: dict[str, Any], signal: str = "", **kw: Any) -> None:
    """Ping it, and see that it is taken."""
    path = f"{made['ping']}/{signal}" if signal else made["ping"]
    response = await world.client.request("POST" if kw else "GET", path, **kw)
    assert (response.status_code, response.text) == (200, "OK\n"), response.text


async def seen(world: World, who: Person, made: dict[str, Any]) -> dict[str, Any]:
    """How it stands now."""
    found: dict[str, Any] = await world.call("GET", f"/v1/heartbeats/{made['id']}", who)
    return found


async def listening(world: World) -> None:
    """As if pings could have come in all the time until now."""
    await world.sql(
        "INSERT INTO heartbeat_listening (id, seen_at) VALUES (1, :now)"
        " ON CONFLICT (id) DO UPDATE SET seen_at = :now",
        now=await world.clock.now(),
    )


async def look(world: World, **kw: Any) -> None:
    """Let the loop look at what is due now."""
    await Monitors(world.database, limit=ServiceLimit(0), **kw).round()


async def pass_time(world: World, **span: float) -> None:
    """Move the clock on while pings can come in, and look."""
    world.clock.forward(**span)
    await listening(world)
    await look(world)


async def incidents(world: World, who: Person) -> list[dict[str, Any]]:
    """All of them, the oldest first."""
    found = await world.call("GET", "/v1/incidents?sort_by=id&sort_order=asc", who)
    items: list[dict[str, Any]] = found["items"]
    return items
