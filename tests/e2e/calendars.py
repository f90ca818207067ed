"""Calendars that come in, and those that go out, over real HTTP."""

from typing import Any

from tests.e2e.steps import Group
from tests.e2e.tour import Tour, check

calendars = Group("Calendars")

CALENDARS = "/v1/calendars"
NOBODY = "http://localhost:9/s3cr3t/basic.ics"  # a name, for where nobody listens
HOLIDAYS = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\nBEGIN:VEVENT\r\nUID:1\r\n"
    "DTSTART;VALUE=DATE:20261225\r\nSUMMARY:Christmas\r\nRRULE:FREQ=YEARLY\r\n"
    "END:VEVENT\r\nEND:VCALENDAR\r\n"
)


@calendars
def upload(tour: Tour) -> None:
    """Holidays are uploaded, read at once, and deleted."""
    admin = tour.people["admin"]
    body = {"name": f"Feasts {tour.mark}", "kind": "holidays", "time_zone": "Europe/Berlin"}
    made = tour.call("POST", CALENDARS, admin, expect=201, json={**body, "ical": HOLIDAYS})
    path = f"{CALENDARS}/{made['id']}"
    tour.later("DELETE", path)
    check(made["state"] == "ok", "it was not read")
    days = tour.call("GET", f"{path}/shifts", admin)["items"]
    check({day["summary"] for day in days} == {"Christmas"}, "Christmas is missing")
    wrong = {**body, "ical": "<html>"}
    tour.call("POST", CALENDARS, admin, expect=422, code="CALENDAR_UNREADABLE", json=wrong)


@calendars
def follow(tour: Tour) -> None:
    """One that cannot be had says so, and its address is shown to nobody."""
    admin = tour.people["admin"]
    body = {"name": f"Rota {tour.mark}", "kind": "on_call", "time_zone": "UTC", "url": NOBODY}
    path = f"{CALENDARS}/{tour.call('POST', CALENDARS, admin, expect=201, json=body)['id']}"
    tour.later("DELETE", path)
    failing = tour.until(
        lambda: _if_failing(tour.call("GET", path, tour.people["viewer"])),
        "nobody says that it cannot be had",
    )
    check("s3cr3t" not in str(failing), "its secret address is shown")
    tour.call("PATCH", path, admin, json={"name": f"Rota of {tour.mark}"})
    tour.call("POST", f"{path}/refresh", admin, expect=202)
    listed = tour.call("GET", f"{CALENDARS}?kind=on_call&per_page=100", admin)["items"]
    check(f"Rota of {tour.mark}" in {one["name"] for one in listed}, "it is not listed")


def _if_failing(calendar: Any) -> Any:
    return calendar if calendar["state"] == "failing" else None


@calendars
def subscribe(tour: Tour) -> None:
    """A calendar program reads somebody's shifts, until the feed ends."""
    who = tour.people["responder"]
    made = tour.call("POST", MINE, who, expect=201, json={"name": f"Phone {tour.mark}"})
    check("url" not in tour.call("GET", MINE, who)["items"][0], "the address is shown again")
    path = _read(tour, made["url"])
    tour.call("DELETE", f"{MINE}/{made['id']}", who, expect=204)
    tour.call("GET", path, expect=404, code="CALENDAR_NOT_FOUND")


@calendars
def subscribe_to_a_schedule(tour: Tour) -> None:
    """A schedule has feeds, too."""
    admin, who = tour.people["admin"], tour.people["responder"]
    body = {"name": f"Calendars {tour.mark}", "time_zone": "UTC", "layers": []}
    schedule = tour.call("POST", "/v1/schedules", admin, expect=201, json={**body, **GAPS})
    tour.later("DELETE", f"/v1/schedules/{schedule['id']}")
    feeds = f"/v1/schedules/{schedule['id']}/calendar-feeds"
    made = tour.call("POST", feeds, who, expect=201, json={"name": "Wall"})
    _read(tour, made["url"])
    check(tour.call("GET", feeds, who)["total"] == 1, "it is not listed")
    tour.call("DELETE", f"{feeds}/{made['id']}", who, expect=204)


MINE = "/v1/users/me/calendar-feeds"
GAPS = {"allow_gaps": True}


def _read(tour: Tour, url: str) -> str:
    """Read a feed as a calendar program does; the path of its address."""
    path = "/v1/calendar/" + url.rpartition("/")[2]
    body = tour.send("GET", path)
    check(body.status_code == 200, f"the feed answered {body.status_code}")
    check(body.text.startswith("BEGIN:VCALENDAR\r\n"), "that is no calendar")
    return path
