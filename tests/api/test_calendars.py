"""Calendars of others: followed, uploaded, changed, and what people have to mend in them."""

from datetime import timedelta
from typing import Any

import pytest

from app.domain.user import Role
from tests.api.answers import faulty, refused, send
from tests.calendar_files import duty, ics
from tests.worker.following import CALENDARS, Mute, follow, loop, noon, read, schedule, who
from tests.world import World

URL = "https://calendar.example.org/private-s3cr3t/basic.ics?key=s3cr3t"
HOLIDAY = ics("UID:1\nDTSTART;VALUE=DATE:20261225\nSUMMARY:Christmas\nRRULE:FREQ=YEARLY").decode()


async def test_only_the_place_of_a_calendar_is_ever_shown(world: World) -> None:
    admin = await world.admin()
    made = await follow(world, admin, URL)
    assert made["url"] == "https://calendar.example.org/…"
    shown = await send(world, "GET", f"{CALENDARS}/{made['id']}", admin)
    listed = await send(world, "GET", CALENDARS, await world.person(role=Role.VIEWER))
    log = await send(world, "GET", "/v1/audit-log", admin)
    assert "s3cr3t" not in shown.text + listed.text + log.text
    assert "https://calendar.example.org/…" in log.text


async def test_a_webcal_address_is_one_over_tls(world: World) -> None:
    admin = await world.admin()
    made = await follow(world, admin, "webcal://calendar.example.org/x")
    assert made["url"] == "https://calendar.example.org/…"


async def test_an_uploaded_calendar_counts_at_once(world: World) -> None:
    admin = await world.admin()
    made = await follow(world, admin, kind="holidays", ical=HOLIDAY)
    assert (made["state"], made["url"]) == ("ok", None)
    shifts = await world.call("GET", f"{CALENDARS}/{made['id']}/shifts", admin)
    days = [(one["summary"], one["starts_at"][5:]) for one in shifts["items"]]
    assert days == [("Christmas", "12-24T23:00:00Z")] * len(days)
    assert len(days) in (1, 2)


async def test_layers_rest_on_the_holidays_of_a_calendar(world: World) -> None:
    admin, ana = await world.admin(), await world.person()
    day = await noon(world, 5)
    body = ics(f"UID:1\nDTSTART;VALUE=DATE:{day:%Y%m%d}\nSUMMARY:Feast").decode()
    made = await follow(world, admin, kind="holidays", ical=body)
    turns = {"kind": "weekly", "handoff": "2026-01-05T09:00", "participants": [ana.id]}
    primary = await schedule(
        world, admin, {"rotation": turns, "on_holidays": "rests"}, holidays=[made["id"]]
    )
    assert await who(world, primary, day) == ()
    assert await who(world, primary, day + timedelta(days=1)) == (ana.id,)


async def test_another_file_takes_the_place_of_the_one_before(world: World) -> None:
    admin = await world.admin()
    ana, ben = await world.person(), await world.person("ben@example.org")
    day = await noon(world)
    made = await follow(world, admin, ical=ics(duty(day, ana.email)).decode())
    primary = await schedule(world, admin, {"calendar": made["id"]})
    assert await who(world, primary, day) == (ana.id,)

    body = {"ical": ics(duty(day, ben.email)).decode()}
    await world.call("PATCH", f"{CALENDARS}/{made['id']}", admin, json=body)
    assert await who(world, primary, day) == (ben.id,)


async def test_an_uploaded_calendar_is_told_out_further_as_time_goes_on(world: World) -> None:
    admin, ana = await world.admin(), await world.person()
    day = await noon(world)
    body = ics(duty(day, ana.email) + "\nRRULE:FREQ=WEEKLY").decode()
    made = await follow(world, admin, ical=body)
    primary = await schedule(world, admin, {"calendar": made["id"]})
    far = day + timedelta(weeks=60)
    assert await who(world, primary, far) == ()
    world.clock.forward(days=60)
    await loop(world, Mute()).round()
    assert await who(world, primary, far) == (ana.id,)


@pytest.mark.parametrize(
    "fields",
    [{}, {"url": URL, "ical": HOLIDAY}, {"url": "ftp://x.example/"}, {"url": URL, "kind": "x"},
     {"url": URL, "time_zone": "Mars"}, {"ical": ""}, {"url": None}],
)  # fmt: skip
async def test_a_calendar_that_cannot_be_is_refused(world: World, fields: dict[str, Any]) -> None:
    body = {"name": "x", "kind": "on_call", "time_zone": "UTC", **fields}
    assert await faulty(world, "POST", CALENDARS, await world.admin(), json=body)


async def test_what_is_no_calendar_is_refused_with_the_reason(world: World) -> None:
    admin = await world.admin()
    body = {"name": "x", "kind": "on_call", "time_zone": "UTC", "ical": "<html>"}
    told = await refused(world, "POST", CALENDARS, admin, 422, "CALENDAR_UNREADABLE", json=body)
    assert told["errors"][0]["path"] == "ical"
    private = {**body, "ical": None, "url": "http://10.0.0.1/x"}
    told = await refused(world, "POST", CALENDARS, admin, 422, "INVALID_ADDRESS", json=private)
    assert told["errors"][0]["path"] == "url"


async def test_what_people_have_to_mend_is_listed(world: World) -> None:
    admin = await world.admin()
    day = await noon(world)
    events = [duty(day + timedelta(days=n), "gone@example.org", uid=f"{n}") for n in range(3)]
    nameless = f"UID:x\nDTSTART:{day:%Y%m%dT%H%M%SZ}\nDURATION:PT1H\nSUMMARY:Ana"
    over = duty(day - timedelta(days=9), "past@example.org", uid="o")
    made = await follow(world, admin, ical=ics(*events, nameless, over, "UID:y").decode())
    shown = await read(world, admin, made)
    told = [(one["mail"], one["summary"], one["shift_count"]) for one in shown["unmatched"]]
    assert told == [("gone@example.org", "On call", 3), (None, "Ana", 1)]
    assert shown["entries_ahead"] == 4
    assert shown["faults"] == ["Line 38: it has no DTSTART."]


async def test_a_calendar_that_a_schedule_follows_is_not_deleted(world: World) -> None:
    admin = await world.admin()
    made = await follow(world, admin, kind="holidays", ical=HOLIDAY)
    feast = await schedule(world, admin, holidays=[made["id"]])
    path = f"{CALENDARS}/{made['id']}"
    told = await refused(world, "DELETE", path, admin, 409, "CALENDAR_IN_USE")
    assert told == {"schedule_ids": [feast]}
    await world.call("DELETE", f"/v1/schedules/{feast}", admin, expect=204)
    await world.call("DELETE", path, admin, expect=204)
    await refused(world, "GET", path, admin, 404, "CALENDAR_NOT_FOUND")
    [row] = await world.sql("SELECT url, body, next_fetch_at FROM calendars")
    assert tuple(row) == (None, None, None)


async def test_shifts_are_listed_in_the_order_of_time_and_narrowed_to_a_span(world: World) -> None:
    admin, ana = await world.admin(), await world.person()
    day = await noon(world)
    events = [duty(day + timedelta(days=n), ana.email, uid=f"{n}") for n in (2, 0, 1, 3)]
    made = await follow(world, admin, ical=ics(*events).decode())
    path = f"{CALENDARS}/{made['id']}/shifts"
    first = await world.call("GET", f"{path}?per_page=3", admin)
    rest = await world.call("GET", f"{path}?per_page=3&cursor={first['next_cursor']}", admin)
    begins = [one["starts_at"] for one in [*first["items"], *rest["items"]]]
    assert begins == sorted(begins)
    assert len(begins) == first["total"] == 4
    since = (day + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    until = (day + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    some = await world.call("GET", f"{path}?since={since}&until={until}", admin)
    assert [one["uid"] for one in some["items"]] == ["1"]
    assert {one["user_id"] for one in some["items"]} == {ana.id}
