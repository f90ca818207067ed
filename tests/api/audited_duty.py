"""What the log tells of shifts that change hands, the pager, and what people want to hear."""

from datetime import timedelta
from typing import Any, Protocol

from tests.duty import midnight, schedule
from tests.world import Person, World


class Tour(Protocol):
    """Calls that change something; each must leave the entries that it says."""

    world: World

    async def do(
        self, route: str, who: Person | None, said: str, *, json: Any = None, **keys: Any
    ) -> Any: ...


async def being_on_call(tour: Tour, admin: Person) -> None:
    world = tour.world
    other = await world.person("relief@example.org")
    rota = await schedule(world, admin, name="Relief")
    day = await midnight(world)
    requests, one = "/v1/shift-requests", "/v1/shift-requests/{request_id}"
    body = {
        "schedule_id": rota,
        "starts_at": day.isoformat(),
        "ends_at": (day + timedelta(days=1)).isoformat(),
        "asked_of": other.id,
    }
    for verb, who in (("decline", other), ("cancel", admin)):
        made = await tour.do(f"POST {requests}", admin, "shift_request.created", json=body)
        said = f"shift_request.{'declined' if verb == 'decline' else 'cancelled'}"
        await tour.do(f"POST {one}/{verb}", who, said, request_id=made["id"])
    made = await tour.do(f"POST {requests}", admin, "shift_request.created", json=body)
    which = {"request_id": made["id"]}
    said = "schedule_override.created shift_request.taken"
    await tour.do(f"POST {one}/take", other, said, **which)
    said = "shift_request.given_back schedule_override.removed"
    await tour.do(f"POST {one}/give-back", other, said, **which)

    pager = "/v1/schedules/{schedule_id}/take"
    body, place = {"for_minutes": 30}, {"schedule_id": rota}
    await tour.do(f"POST {pager}", other, "schedule_override.created", json=body, **place)
    await tour.do(f"DELETE {pager}", other, "schedule_override.removed", **place)

    path = "PUT /v1/users/{user_id}/on-call-notices"
    said = "on_call_notice_preference.created"
    await tour.do(path, other, said, json={"end": True}, user_id="me")
    said = "on_call_notice_preference.updated"
    await tour.do(path, other, said, json={"end": False}, user_id="me")
