"""What tests of postmortems share: an incident that is over, its postmortem, and what follows."""

from datetime import timedelta
from typing import Any

from tests.world import Person, World


def path_of(incident_id: int) -> str:
    return f"/v1/incidents/{incident_id}/postmortem"


async def resolved(world: World, who: Person, **fields: Any) -> int:
    """An incident that was acknowledged after ten minutes and resolved after an hour."""
    incident = await world.declare(who, **fields)
    world.clock.forward(minutes=10)
    await world.act(who, incident["id"], "acknowledge")
    world.clock.forward(minutes=50)
    await world.act(who, incident["id"], "resolve")
    return int(incident["id"])


async def begun(world: World, who: Person, incident_id: int, **fields: Any) -> dict[str, Any]:
    """The postmortem of an incident."""
    made: dict[str, Any] = await world.call(
        "POST", path_of(incident_id), who, expect=201, json=fields
    )
    return made


async def publicly_known(world: World, incident_id: int, title: str = "Checkout is slow") -> str:
    """Let the public know of an incident; the code by which it does."""
    code = f"code{incident_id}"
    await world.sql(
        "INSERT INTO public_incidents (incident_id, code, title, status, started_at, resolved_at)"
        " VALUES (:id, :code, :title, 'resolved', now(), now())",
        id=incident_id,
        code=code,
        title=title,
    )
    return code


async def item(world: World, who: Person, postmortem_id: int, **fields: Any) -> dict[str, Any]:
    """An action item, in a week from now unless told otherwise."""
    today = (await world.clock.now()).date()
    body = {"title": "Rotate the logs", "due_on": (today + timedelta(days=7)).isoformat(), **fields}
    made: dict[str, Any] = await world.call(
        "POST", f"/v1/postmortems/{postmortem_id}/action-items", who, expect=201, json=body
    )
    return made
