"""API keys for tests of the doors."""

from typing import Any

from tests.world import Person, World


async def make_key(world: World, who: Person, *scopes: str, **fields: Any) -> dict[str, Any]:
    """A key of theirs, as it is shown once."""
    body = {"name": "bot", "scopes": list(scopes or ["read"]), **fields}
    made: dict[str, Any] = await world.call("POST", "/v1/api-keys", who, expect=201, json=body)
    return made


async def program(world: World, who: Person, *scopes: str) -> Person:
    """A program that acts as them with a key."""
    made = await make_key(world, who, *scopes)
    return Person(who.id, who.email, {"Authorization": f"Bearer {made['key']}"})
