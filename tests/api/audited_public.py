"""What the audit log tells of the status page: part of the tour of every route that changes
something."""

from typing import Any, Protocol

from tests.api.catalogue import in_hours
from tests.world import Person, World

PAGE = "/v1/status-page"


class Tour(Protocol):
    """As in `tests.api.test_audit_log_routes`."""

    world: World

    async def do(
        self, route: str, who: Person | None, said: str, *, json: Any = None, **keys: Any
    ) -> Any: ...


async def status_page(tour: Tour, admin: Person) -> None:
    await tour.do(f"PATCH {PAGE}", admin, "status_page.updated", json={"name": "Ours"})
    made = await tour.do(
        f"POST {PAGE}/groups", admin, "component_group.created", json={"name": "Shop"}
    )
    one, group = f"{PAGE}/groups/{{group_id}}", {"group_id": made["id"]}
    await tour.do(f"PATCH {one}", admin, "component_group.updated", json={"position": 1}, **group)
    await tour.do(f"DELETE {one}", admin, "component_group.deleted", **group)
    body: dict[str, Any] = {"name": "Checkout"}
    made = await tour.do(f"POST {PAGE}/components", admin, "component.created", json=body)
    one, component = f"{PAGE}/components/{{component_id}}", {"component_id": made["id"]}
    body = {"status": "degraded_performance"}
    said = "component.updated component.updated"  # what was set, and what is shown
    await tour.do(f"PATCH {one}", admin, said, json=body, **component)
    await _incidents(tour, admin, made["id"])
    await _maintenances(tour, admin)
    await tour.do(f"DELETE {one}", admin, "component.deleted", **component)


async def _incidents(tour: Tour, admin: Person, component: int) -> None:
    incident = await tour.world.declare(admin)
    one, which = "/v1/incidents/{incident_id}/public", {"incident_id": incident["id"]}
    body: dict[str, Any] = {"title": "Slow", "body": "We look into it."}
    said = "public_incident.created public_update.created"
    await tour.do(f"POST {one}", admin, said, json=body, **which)
    said = "public_incident.updated"
    await tour.do(f"PATCH {one}", admin, said, json={"title": "Very slow"}, **which)
    body = {"body": "Found.", "components": [{"id": component, "status": "major_outage"}]}
    said = "public_update.created component.updated"
    await tour.do(f"POST {one}/updates", admin, said, json=body, **which)
    body = {"body": "Not yet.", "is_draft": True, "status": "identified"}
    said = "public_update.created"
    draft = await tour.do(f"POST {one}/updates", admin, said, json=body, **which)
    path, update = f"{PAGE}/updates/{{update_id}}", {"update_id": draft["id"]}
    said = "public_update.updated"
    await tour.do(f"PATCH {path}", admin, said, json={"body": "Now."}, **update)
    said = "public_incident.updated public_update.posted"
    await tour.do(f"POST {path}/post", admin, said, **update)
    await tour.do(f"DELETE {path}", admin, "public_update.withdrawn", **update)
    said = "public_incident.withdrawn component.updated"
    await tour.do(f"DELETE {one}", admin, said, **which)


async def _maintenances(tour: Tour, admin: Person) -> None:
    path = f"{PAGE}/maintenances"
    body: dict[str, Any] = {
        "title": "Disks",
        "body": "New disks.",
        "scheduled_for": await in_hours(tour.world, 1),
        "scheduled_until": await in_hours(tour.world, 2),
    }
    said = "public_maintenance.created public_update.created"
    made = await tour.do(f"POST {path}", admin, said, json=body)
    one, which = f"{path}/{{maintenance_id}}", {"maintenance_id": made["id"]}
    said = "public_maintenance.updated"
    await tour.do(f"PATCH {one}", admin, said, json={"title": "New disks"}, **which)
    body = {"body": "It begins.", "status": "in_progress"}
    said = "public_maintenance.updated public_update.created"
    await tour.do(f"POST {one}/updates", admin, said, json=body, **which)
    await tour.do(f"DELETE {one}", admin, "public_maintenance.withdrawn", **which)
