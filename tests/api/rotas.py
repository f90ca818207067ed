"""Schedules as tests send them."""

from typing import Any

from tests.world import Person, World

OFFICE = [{"since": "09:00", "until": "17:00", "days": ["mon", "tue", "wed", "thu", "fri"]}]


def weekly(*people: int, **fields: Any) -> dict[str, Any]:
    """A layer in which people take turns, each Monday at 09:00."""
    rotation = {"kind": "weekly", "handoff": "2020-01-06T09:00", "participants": [*people]}
    return {"rotation": rotation, **fields}


def explicit(*shifts: tuple[str, str, int]) -> dict[str, Any]:
    """A layer of shifts on the wall."""
    return {
        "shifts": [{"starts": starts, "ends": ends, "user": user} for starts, ends, user in shifts]
    }


async def schedule(
    world: World, who: Person, *layers: dict[str, Any], expect: int = 201, **fields: Any
) -> Any:
    body = {"name": "Databases", "time_zone": "Europe/Berlin", "layers": [*layers], **fields}
    return await world.call("POST", "/v1/schedules", who, expect=expect, json=body)


async def on_call(world: World, who: Person, schedule_id: int, **query: str) -> Any:
    return await world.call("GET", f"/v1/schedules/{schedule_id}/on-call", who, params=query)


async def ids_on_call(world: World, who: Person, schedule_id: int, **query: str) -> list[int]:
    answer = await on_call(world, who, schedule_id, **query)
    return [one["id"] for one in answer["on_call"]]
