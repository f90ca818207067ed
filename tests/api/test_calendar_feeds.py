"""Feeds for calendar programs: read without a login, kept secret, ended at once."""

from typing import Any

import pytest

from app.domain.calendar_feed import MOST_FEEDS
from app.domain.user import Role
from tests.api.answers import refused, send
from tests.api.logs import logged
from tests.calendar_files import read_strictly
from tests.worker.following import schedule
from tests.world import Person, World

MINE = "/v1/users/me/calendar-feeds"


def turns(*people: Person) -> dict[str, Any]:
    ids = [one.id for one in people]
    return {"rotation": {"kind": "weekly", "handoff": "2026-01-05T09:00", "participants": ids}}


async def feed(world: World, who: Person, path: str = MINE) -> tuple[int, str]:
    """A new feed: its id, and the path of its address."""
    made = await world.call("POST", path, who, expect=201, json={"name": "Phone"})
    return made["id"], made["url"].removeprefix("https://tocsin.test")


async def test_a_person_sees_all_their_shifts_and_nobody_elses(world: World) -> None:
    admin, ana = await world.admin(), await world.person()
    ben = await world.person("ben@example.org")
    await schedule(world, admin, turns(ana, ben))
    await schedule(world, admin, turns(ben), turns(ana), name="Secondary, at night")
    await schedule(world, admin, turns(ben), name="Others")
    _, path = await feed(world, ana)
    answer = await send(world, "GET", path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    events = read_strictly(answer.content)
    assert {event["SUMMARY"] for event in events} == {
        "On call: Primary", "On call: Secondary\\, at night"
    }  # fmt: skip
    assert {event["UID"].split("-")[1] for event in events} == {str(ana.id)}


async def test_a_schedules_feed_names_everybody(world: World) -> None:
    admin = await world.admin()
    ana, ben = await world.person(full_name="Ana"), await world.person("ben@example.org")
    primary = await schedule(world, admin, turns(ana, ben))
    _, path = await feed(world, ana, f"/v1/schedules/{primary}/calendar-feeds")
    events = read_strictly((await send(world, "GET", path)).content)
    assert {event["SUMMARY"] for event in events} == {
        "Ana on call: Primary", "ben@example.org on call: Primary"
    }  # fmt: skip
    assert all(event["UID"].endswith("@tocsin.test") for event in events)


async def test_whoever_has_the_newest_is_told_so(world: World) -> None:
    admin, ana = await world.admin(), await world.person()
    primary = await schedule(world, admin, turns(ana))
    _, path = await feed(world, ana)
    first = await send(world, "GET", path)
    known = {"If-None-Match": first.headers["etag"]}
    again = await send(world, "GET", path, headers=known)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]

    body = {"name": "Primaries"}
    await world.call("PATCH", f"/v1/schedules/{primary}?allow_gaps=true", admin, json=body)
    changed = await send(world, "GET", path, headers=known)
    assert changed.status_code == 200
    head = await send(world, "HEAD", path)
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize("end", ["revoke", "admin", "deactivate"])
async def test_a_feed_that_is_over_is_as_one_that_never_was(world: World, end: str) -> None:
    admin, ana = await world.admin(), await world.person()
    number, path = await feed(world, ana)
    assert (await send(world, "GET", path)).status_code == 200
    if end == "deactivate":
        await world.call("PATCH", f"/v1/users/{ana.id}", admin, json={"is_active": False})
    else:
        by = admin if end == "admin" else ana
        await world.call("DELETE", f"{MINE}/{number}", by, expect=204)
    gone = await refused(world, "GET", path, None, 404, "CALENDAR_NOT_FOUND")
    never = path.replace("/calendar/", "/calendar/x")
    assert await refused(world, "GET", never, None, 404, "CALENDAR_NOT_FOUND") == gone


async def test_nobody_ends_anybody_elses_feed(world: World) -> None:
    ana, ben = await world.person(), await world.person("ben@example.org")
    number, path = await feed(world, ana)
    await refused(world, "DELETE", f"{MINE}/{number}", ben, 404, "CALENDAR_FEED_NOT_FOUND")
    assert (await send(world, "GET", path)).status_code == 200


async def test_an_address_is_shown_once_and_kept_nowhere(world: World) -> None:
    ana = await world.person(role=Role.VIEWER)
    _, path = await feed(world, ana)
    token = path.removeprefix("/v1/calendar/").removesuffix(".ics")
    listed = await send(world, "GET", MINE, ana)
    assert listed.json()["items"][0]["hint"] == token[:8]
    kept = await world.sql("SELECT row_to_json(f)::text FROM calendar_feeds f")
    told = await world.sql("SELECT row_to_json(a)::text FROM audit_log a")
    assert token not in listed.text + repr(kept) + repr(told)


async def test_no_log_shows_an_address(world: World) -> None:
    _, path = await feed(world, await world.person())
    with logged() as log:
        assert (await send(world, "GET", path)).status_code == 200
    assert [line["path"] for line in log.of("request")] == ["/v1/calendar/…"]
    assert path.removeprefix("/v1/calendar/")[:20] not in log.text


async def test_one_person_has_so_many_feeds(world: World) -> None:
    ana = await world.person()
    feeds = [await feed(world, ana) for _ in range(MOST_FEEDS)]
    body = {"name": "One more"}
    await refused(world, "POST", MINE, ana, 409, "TOO_MANY_CALENDAR_FEEDS", json=body)
    await world.call("DELETE", f"{MINE}/{feeds[0][0]}", ana, expect=204)
    await feed(world, ana)


async def test_the_use_of_a_feed_is_noted_to_the_hour(world: World) -> None:
    ana = await world.person()
    _, path = await feed(world, ana)
    seen = []
    for minutes in (0, 30, 45):
        world.clock.forward(minutes=minutes)
        await send(world, "GET", path)
        seen.append((await world.call("GET", MINE, ana))["items"][0]["last_used_at"])
    assert None not in seen
    assert seen[0] == seen[1] < seen[2]
