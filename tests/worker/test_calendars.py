"""Calendars at a URL: what they say counts, from when on, and what does when they fail."""

from datetime import timedelta

from tests.calendar_files import duty, ics
from tests.channels.servers import answer, http_server
from tests.worker.following import CALENDARS, Mute, follow, loop, noon, read, schedule, who
from tests.world import World

HOUR = timedelta(hours=1)


async def test_who_stands_in_a_calendar_is_on_call(world: World) -> None:
    admin = await world.admin()
    ana, ben = await world.person(), await world.person("ben@example.org")
    day = await noon(world)
    body = ics(duty(day, "ANA@example.org"), duty(day + 8 * HOUR, "ben@example.org", uid="2"))
    async with http_server(answer(200, body)) as server:
        calendar = await follow(world, admin, server.url)
        assert calendar["state"] == "waiting"
        primary = await schedule(world, admin, {"calendar": calendar["id"]})

        await loop(world).round()

    assert await who(world, primary, day - HOUR) == ()
    assert await who(world, primary, day) == (ana.id,)
    assert await who(world, primary, day + 8 * HOUR) == (ben.id,)
    shown = await read(world, admin, calendar)
    assert (shown["state"], shown["entries_ahead"], shown["unmatched"]) == ("ok", 2, [])


async def test_the_last_good_copy_counts_while_a_calendar_fails(world: World) -> None:
    admin, ana = await world.admin(), await world.person()
    day = await noon(world)
    good = answer(200, ics(duty(day, ana.email)))
    login_page = answer(200, b"<html>Log in first</html>")
    async with http_server(good, answer(503, b"ow"), login_page, good) as server:
        calendar = await follow(world, admin, server.url)
        primary = await schedule(world, admin, {"calendar": calendar["id"]})
        works = loop(world)
        await works.round()
        for said in ("answered 503", "no iCalendar file"):
            world.clock.forward(hours=1)
            await works.round()

            shown = await read(world, admin, calendar)
            assert shown["state"] == "failing"
            assert said in shown["last_error"]
            assert await who(world, primary, day) == (ana.id,)
        world.clock.forward(hours=2)
        await works.round()
    shown = await read(world, admin, calendar)
    assert (shown["state"], shown["last_error"], shown["failing_since"]) == ("ok", None, None)
    assert len(server.requests) == 4


async def test_what_a_calendar_said_then_can_be_told(world: World) -> None:
    admin = await world.admin()
    ana, ben = await world.person(), await world.person("ben@example.org")
    day = await noon(world)
    said = [answer(200, ics(duty(day, one.email))) for one in (ana, ben)]
    async with http_server(*said) as server:
        calendar = await follow(world, admin, server.url)
        primary = await schedule(world, admin, {"calendar": calendar["id"]})
        await loop(world).round()
        world.clock.forward(minutes=1)
        between = (await world.clock.now()).isoformat().replace("+00:00", "Z")
        world.clock.forward(minutes=20)
        await loop(world).round()
    assert await who(world, primary, day) == (ben.id,)
    at = day.isoformat().replace("+00:00", "Z")
    path = f"/v1/schedules/{primary}/on-call?at={at}&known_at={between}"
    then = await world.call("GET", path, admin)
    assert [one["id"] for one in then["on_call"]] == [ana.id]


async def test_what_is_over_stays_as_it_was(world: World) -> None:
    """Many calendars forget their past, and a rota must not."""
    admin, ana = await world.admin(), await world.person()
    day = await noon(world)
    later = ics(duty(day + timedelta(days=9), ana.email, uid="9"))
    async with http_server(answer(200, ics(duty(day, ana.email))), answer(200, later)) as server:
        calendar = await follow(world, admin, server.url)
        primary = await schedule(world, admin, {"calendar": calendar["id"]})
        await loop(world).round()
        world.clock.forward(days=3)
        await loop(world).round()
    assert await who(world, primary, day) == (ana.id,)
    assert await who(world, primary, day + timedelta(days=9)) == (ana.id,)


async def test_a_shift_is_somebodys_as_soon_as_they_have_its_address(world: World) -> None:
    admin = await world.admin()
    day = await noon(world)
    async with http_server(answer(200, ics(duty(day, "cleo@example.org")))) as server:
        calendar = await follow(world, admin, server.url)
        primary = await schedule(world, admin, {"calendar": calendar["id"]})
        await loop(world).round()
        shown = await read(world, admin, calendar)
        assert [(one["mail"], one["shift_count"]) for one in shown["unmatched"]] == [
            ("cleo@example.org", 1)
        ]
        assert await who(world, primary, day) == ()

        cleo = await world.person("Cleo@example.org")
        world.clock.forward(minutes=20)
        await loop(world).round()

    assert await who(world, primary, day) == (cleo.id,)
    assert (await read(world, admin, calendar))["unmatched"] == []


async def test_nothing_is_written_when_a_calendar_says_the_same(world: World) -> None:
    admin, ana = await world.admin(), await world.person()
    day = await noon(world)
    # The same shift under another name: some programs give new ones each time.
    said = [answer(200, ics(duty(day, ana.email, uid=uid))) for uid in ("a", "b")]
    async with http_server(*said) as server:
        await follow(world, admin, server.url)
        for _ in said:
            await loop(world).round()
            world.clock.forward(minutes=20)
    assert len(await world.sql("SELECT 1 FROM calendar_shifts")) == 1


async def test_a_calendar_is_asked_only_for_what_has_changed(world: World) -> None:
    admin, ana = await world.admin(), await world.person()
    body = ics(duty(await noon(world), ana.email))
    async with http_server(
        answer(200, body, etag='"7"', last_modified="Sat, 21 Nov 2026 10:00:00 GMT"), answer(304)
    ) as server:
        calendar = await follow(world, admin, server.url)
        await loop(world).round()
        world.clock.forward(minutes=20)
        await loop(world).round()
    assert b'if-none-match: "7"' in server.requests[1]
    assert b"if-modified-since: Sat, 21 Nov 2026" in server.requests[1]
    shown = await read(world, admin, calendar)
    assert (shown["state"], shown["entries_ahead"]) == ("ok", 1)


async def test_one_that_repeats_is_told_out_further_as_time_goes_on(world: World) -> None:
    admin, ana = await world.admin(), await world.person()
    day = await noon(world)
    body = ics(duty(day, ana.email) + "\nRRULE:FREQ=DAILY")
    async with http_server(answer(200, body, etag='"7"'), answer(304)) as server:
        calendar = await follow(world, admin, server.url)
        primary = await schedule(world, admin, {"calendar": calendar["id"]})
        await loop(world).round()
        world.clock.forward(days=100)
        await loop(world).round()
    assert await who(world, primary, day + timedelta(days=450)) == (ana.id,)


async def test_what_no_table_can_hold_is_left_out(world: World) -> None:
    admin, ana = await world.admin(), await world.person()
    event = duty(await noon(world), ana.email, uid="a\x00b").replace("On call", "On\x00 call")
    odd = b"BEGIN:VCALENDAR\nEND:\x00\n"
    async with http_server(answer(200, ics(event)), answer(200, odd)) as server:
        calendar = await follow(world, admin, server.url)
        await loop(world).round()
        assert (await read(world, admin, calendar))["state"] == "ok"
        world.clock.forward(minutes=20)
        await loop(world).round()
    assert "closes nothing" in (await read(world, admin, calendar))["last_error"]


async def test_those_who_fail_are_asked_less_and_less_often(world: World) -> None:
    admin, way = await world.admin(), Mute()
    await follow(world, admin, "https://calendar.example.org/x")
    waits = []
    for _ in range(6):
        lead = await loop(world, way).round()
        assert lead is not None
        waits.append(round(lead.total_seconds() / 60))
        world.clock.forward(minutes=waits[-1] + 1)
    assert waits == [30, 60, 120, 240, 360, 360]
    assert way.asked == 6


async def test_two_workers_do_not_fetch_one_calendar_twice(world: World) -> None:
    admin, way = await world.admin(), Mute()
    for number in range(5):
        await follow(world, admin, f"https://calendar.example.org/{number}")
    one, other = loop(world, way), loop(world, way)
    await one.round()
    await other.round()
    assert way.asked == 5


async def test_whoever_vanished_while_fetching_holds_nobody_up_for_long(world: World) -> None:
    admin, way = await world.admin(), Mute()
    await follow(world, admin, "https://calendar.example.org/x")
    works = loop(world, way)
    assert len(await world.database.write(works._lease)) == 1  # and is gone

    await loop(world, way).round()
    assert way.asked == 0
    world.clock.forward(minutes=2)
    await loop(world, way).round()
    assert way.asked == 1


async def test_a_look_that_is_asked_for_comes_at_once(world: World) -> None:
    admin, way = await world.admin(), Mute()
    calendar = await follow(world, admin, "https://calendar.example.org/x")
    await loop(world, way).round()
    await world.call("POST", f"{CALENDARS}/{calendar['id']}/refresh", admin, expect=202)
    await loop(world, way).round()
    assert way.asked == 2
