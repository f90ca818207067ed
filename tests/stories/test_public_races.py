"""Everybody at the status page at once: nobody is refused for the lock, and nothing is torn."""

import asyncio
from typing import Any

from app.worker.public_page import PublicPages
from tests.api.publishing import (
    COMPONENTS,
    a_component,
    announce,
    hitting,
    post,
    public,
    publish,
)
from tests.world import World


async def test_people_and_loops_change_the_page_at_once(world: World) -> None:
    admin = await world.admin()
    components = [await a_component(world, admin, f"Part {n}") for n in range(3)]
    incidents = [await world.declare(admin, severity="critical") for _ in range(2)]
    for n, incident in enumerate(incidents):
        await publish(
            world, admin, incident, components=hitting("partial_outage", components[n % 3])
        )
    for component in components:
        await announce(world, admin, component)
    world.clock.forward(minutes=61)
    loops = [PublicPages(world.database) for _ in range(2)]

    async def call(method: str, path: str, body: Any) -> int:
        answer = await world.client.request(method, path, json=body, headers=admin.headers)
        return answer.status_code

    acts = []
    for n, incident in enumerate(incidents):
        mine = components[n % 3]
        effects = hitting("major_outage", *components)
        body = {"body": "Worse.", "components": effects}
        acts.append(call("POST", f"{public(incident)}/updates", body))
        acts.append(call("PATCH", public(incident), {"impact": "major"}))
        acts.append(call("PATCH", f"{COMPONENTS}/{mine['id']}", {"status": "partial_outage"}))
        told = {"public_update": {"body": "Over."}}
        acts.append(call("POST", f"/v1/incidents/{incident['id']}/resolve", told))
        acts.append(call("POST", f"/v1/incidents/{incident['id']}/acknowledge", None))
    answers, *_ = await asyncio.gather(
        asyncio.gather(*acts),
        *(loop.round() for loop in loops for _ in range(2)),
    )
    assert set(answers) <= {200, 201, 400}, answers
    for incident in incidents:
        now = await world.call("GET", public(incident), admin)
        inside = await world.call("GET", f"/v1/incidents/{incident['id']}", admin)
        assert (now["status"], inside["status"]) == ("resolved", "resolved")
        await post(world, admin, incident, body="Really over.")
    torn = await world.sql(
        "SELECT count(*) FROM component_spells a JOIN component_spells b"
        " ON a.component_id = b.component_id AND a.id < b.id"
        " AND a.starts_at < coalesce(b.ends_at, 'infinity')"
        " AND b.starts_at < coalesce(a.ends_at, 'infinity')"
    )
    assert torn[0][0] == 0
    shown = await world.sql(
        "SELECT c.status = s.status FROM status_components c"
        " JOIN component_spells s ON s.component_id = c.id AND s.ends_at IS NULL"
    )
    assert [row[0] for row in shown] == [True] * 3


async def test_a_commit_that_fails_tells_nobody_anything(world: World) -> None:
    """The event, the notice and the timeline are of the same transaction as the update."""
    admin = await world.admin()
    incident = await world.declare(admin)
    await publish(world, admin, incident)
    before = await _counts(world)
    await world.sql(
        "ALTER TABLE public_notices ADD CONSTRAINT broken CHECK (kind <> 'incident_updated')"
        " NOT VALID"
    )
    try:
        path = f"{public(incident)}/updates"
        answer = await world.client.post(path, json={"body": "Hm."}, headers=admin.headers)
        assert answer.status_code == 500
    finally:
        await world.sql("ALTER TABLE public_notices DROP CONSTRAINT broken")
    assert await _counts(world) == before


async def _counts(world: World) -> Any:
    tables = ("public_updates", "public_notices", "events", "timeline_events", "audit_log")
    counted = ", ".join(f"(SELECT count(*) FROM {table})" for table in tables)
    return (await world.sql(f"SELECT {counted}, (SELECT version FROM status_pages)"))[0]
