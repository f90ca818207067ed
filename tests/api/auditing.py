"""Reading the audit log in tests."""

from typing import Any

from tests.world import Person, World

LOG = "/v1/audit-log"


async def entries(world: World, admin: Person, **where: Any) -> list[dict[str, Any]]:
    """What the log says, the oldest first."""
    answer = await world.call("GET", LOG, admin, params={"per_page": 100, **where})
    return list(reversed(answer["items"]))


async def newest(world: World, admin: Person, action: str) -> dict[str, Any]:
    return (await entries(world, admin, action=action))[-1]


async def actions_since(world: World, key: int) -> tuple[list[str], int]:
    """What was done after the entry `key`, and the newest entry now."""
    rows = await world.sql("SELECT id, action FROM audit_log WHERE id > :key ORDER BY id", key=key)
    return [row[1] for row in rows], rows[-1][0] if rows else key
