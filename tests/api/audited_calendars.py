"""What the audit log tells of calendars that come in and go out."""

from typing import Any, Protocol

from tests.calendar_files import ics
from tests.worker.following import CALENDARS, schedule
from tests.world import Person, World

HOLIDAY = ics("UID:1\nDTSTART;VALUE=DATE:20261225").decode()


class Tour(Protocol):
    world: World
    seen: set[str]

    async def do(
        self, route: str, who: Person | None, said: str, *, json: Any = None, **keys: Any
    ) -> Any: ...


async def calendars(tour: Tour, admin: Person) -> None:
    body = {"name": "Feasts", "kind": "holidays", "time_zone": "UTC", "ical": HOLIDAY}
    made = await tour.do(f"POST {CALENDARS}", admin, "calendar.created", json=body)
    one, which = f"{CALENDARS}/{{calendar_id}}", {"calendar_id": made["id"]}
    body = {"url": "https://calendar.example.org/a-secret-calendar"}
    await tour.do(f"PATCH {one}", admin, "calendar.updated", json=body, **which)
    await tour.do(f"DELETE {one}", admin, "calendar.deleted", **which)
    told = str(await tour.world.sql("SELECT changes FROM audit_log"))
    assert "a-secret-calendar" not in told
    assert "https://calendar.example.org/…" in told

    primary = await schedule(tour.world, admin, name="For calendars")
    ways: dict[str, dict[str, int]] = {
        "/v1/users/me/calendar-feeds": {},
        "/v1/schedules/{schedule_id}/calendar-feeds": {"schedule_id": primary},
    }
    for path, keys in ways.items():
        said = "calendar_feed.created"
        made = await tour.do(f"POST {path}", admin, said, json={"name": "Phone"}, **keys)
        one, said = f"{path}/{{feed_id}}", "calendar_feed.revoked"
        await tour.do(f"DELETE {one}", admin, said, **keys, feed_id=made["id"])
