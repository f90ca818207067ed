"""What the stories of storms share: floods of alerts, and what people were told of them."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from fastapi import FastAPI

from app.channels.base import Message
from tests.world import Person, World


def set_service_limit(app: FastAPI, incidents: int) -> None:
    """So many incidents of a service page one by one from now on; 0 for all."""
    service = app.state.service
    settings = service.settings.model_copy(update={"service_limit": incidents})
    app.state.service = replace(service, settings=settings)


async def at_the_minute(world: World, *, and_seconds: float = 0) -> None:
    """Move the clock to a whole minute: what is held from then on is held for almost a minute."""
    now = await world.clock.now()
    world.clock.forward(seconds=60 - now.second - now.microsecond / 1e6 + and_seconds)


async def flood(
    world: World, key: str, count: int, *, first: int = 0, **fields: Any
) -> dict[int, int]:
    """So many alerts in requests of a hundred; the incident of each."""
    found: dict[int, int] = {}
    for start in range(first, first + count, 100):
        numbers = range(start, min(start + 100, first + count))
        alert = {"service": "payments", "severity": "high", **fields}
        body = [{**alert, "title": f"Problem {n}", "dedup_key": f"problem {n}"} for n in numbers]
        headers = {"X-API-Key": key}
        answer = await world.call("POST", "/v1/webhooks/alerts", headers=headers, json=body)
        incidents = [one["incident_id"] for one in answer["alerts"]]
        found.update(zip(numbers, incidents, strict=True))
    return found


async def climb(world: World) -> None:
    """Take every step that is due, whatever a batch holds."""
    while await world.climb():
        pass


def incidents_in(message: Message) -> list[int]:
    said = message.data["data"]
    return [one["id"] for one in said.get("incidents") or [said["incident"]]]


def told(messages: Iterable[Message]) -> dict[str, Counter[int]]:
    """How often each address was told of each incident."""
    count: dict[str, Counter[int]] = defaultdict(Counter)
    for message in messages:
        count[message.address].update(incidents_in(message))
    return count


async def stories(world: World, who: Person, incident_id: int, kind: str) -> list[str]:
    """What a timeline says of one kind."""
    answer = await world.call("GET", f"/v1/incidents/{incident_id}/timeline", who)
    return [one["description"] for one in answer["items"] if one["event_type"] == kind]
