"""One of everything that the public is told, and of what is learned afterwards."""

from typing import Any

from tests.api import publishing
from tests.permissions import BODIES
from tests.world import Person, World

TEMPLATE = {"name": "Database", "title": "It is down", "severity": "high"}


async def everything(world: World, admin: Person, incident: Any) -> dict[str, Any]:
    """Makes it of this incident; the keys of all of it, by the names they have in addresses."""

    async def make(path: str, **kw: Any) -> Any:
        return await world.call("POST", path, admin, expect=201, **kw)

    component = await publishing.a_component(world, admin)
    group = await publishing.a_group(world, admin)
    told = await publishing.publish(world, admin, incident)
    maintenance = await publishing.announce(world, admin, component)
    template = await make("/v1/incident-templates", json=TEMPLATE)
    subscriber = await make("/v1/subscribers", json=BODIES["POST /v1/subscribers"])
    file = {"content": "address\nmo@example.org\n", "headers": {"Content-Type": "text/csv"}}
    sent = await world.call("POST", "/v1/subscriber-imports", admin, expect=202, **file)

    one = f"/v1/incidents/{incident['id']}"
    await world.call("POST", f"{one}/resolve", admin)
    learned = await make(f"{one}/postmortem", json={"public_summary": "It was slow."})
    promised = await make(f"/v1/postmortems/{learned['id']}/action-items", json={"title": "x"})
    for step, body in {"submit": None, "approve": None, "publish": {"is_public": True}}.items():
        await world.call("POST", f"{one}/postmortem/{step}", admin, json=body)
    updates = await world.call("GET", f"{one}/public/updates", admin)
    return {
        "component_id": component["id"],
        "group_id": group["id"],
        "maintenance_id": maintenance["id"],
        "update_id": updates["items"][0]["id"],
        "code": told["code"],
        "template_id": template["id"],
        "subscriber_id": subscriber["id"],
        "import_id": sent["id"],
        "postmortem_id": learned["id"],
        "item_id": promised["id"],
    }
