"""Schedules, services and teams for stories about whom steps page."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.world import Person, World

ANCHOR = "2026-01-05T09:00"  # a Monday


def turns(
    *people: Person, kind: str = "daily", handoff: str = ANCHOR, **more: Any
) -> dict[str, Any]:
    """A layer in which these people take turns."""
    participants = [person.id for person in people]
    return {"rotation": {"kind": kind, "handoff": handoff, "participants": participants}, **more}


async def keep_schedule(
    world: World, *layers: dict[str, Any], name: str = "DB", time_zone: str = "UTC"
) -> int:
    """A schedule of these layers, the lowest first; its number."""
    [(number,)] = await world.sql(
        "INSERT INTO schedules (name, time_zone, layers)"
        " VALUES (:name, :zone, CAST(:layers AS jsonb)) RETURNING id",
        name=name,
        zone=time_zone,
        layers=json.dumps(layers),
    )
    return int(number)


async def keep_service(world: World, name: str = "database", schedule: int | None = None) -> int:
    [(number,)] = await world.sql(
        "INSERT INTO services (name, schedule_id) VALUES (:name, :schedule) RETURNING id",
        name=name,
        schedule=schedule,
    )
    return int(number)


async def keep_team(world: World, *people: Person, name: str = "Storage") -> int:
    [(number,)] = await world.sql("INSERT INTO teams (name) VALUES (:name) RETURNING id", name=name)
    for person in people:
        await world.sql(
            "INSERT INTO team_members (team_id, user_id) VALUES (:team, :person)",
            team=number,
            person=person.id,
        )
    return int(number)


async def deactivate(world: World, person: Person) -> None:
    await world.sql("UPDATE users SET is_active = false WHERE id = :id", id=person.id)


async def go_to(world: World, hour: int, minute: int = 0) -> datetime:
    """Move the clock on to the next time that it shows this in UTC."""
    now = await world.clock.now()
    then = now.astimezone(UTC).replace(hour=hour, minute=minute, second=0, microsecond=0)
    then += timedelta(days=then <= now)
    world.clock.forward(seconds=(then - now).total_seconds())
    return then


async def people_paged(world: World, incident_id: int | None = None) -> list[int]:
    """Whom steps have paged, in the order of the promises."""
    rows = await world.sql(
        "SELECT user_id FROM notifications WHERE kind = 'page'"
        " AND (CAST(:id AS bigint) IS NULL OR incident_id = :id) ORDER BY id",
        id=incident_id,
    )
    return [row[0] for row in rows]


async def assigned_to(world: World, who: Person, incident_id: int) -> int | None:
    shown = await world.call("GET", f"/v1/incidents/{incident_id}", who)
    person: int | None = shown["assigned_to"]
    return person
