"""The hand-off brief: who hands over to whom, what is open, what was noisy, what is to come."""

from datetime import datetime, timedelta
from typing import Any

from tests.api.answers import refused
from tests.duty import midnight, move_to, override, schedule
from tests.world import Person, Scripted, World

HOUR = timedelta(hours=1)


def path(schedule_id: int) -> str:
    return f"/v1/schedules/{schedule_id}/brief"


async def people(world: World) -> tuple[Person, Person, Person]:
    ana = await world.person("ana@example.org", full_name="Ana")
    ben = await world.person("ben@example.org", full_name="Ben")
    return ana, ben, await world.person("cleo@example.org", full_name="Cleo")


def names(found: list[dict[str, Any]]) -> list[str]:
    return [one["name"] for one in found]


async def test_it_is_about_the_next_hand_off_or_that_of_the_last_hour(world: World) -> None:
    ana, ben, cleo = await people(world)
    rota = await schedule(world, ana, ben, cleo)
    day = await midnight(world)
    await move_to(world, day - 2 * HOUR)
    brief = await world.call("GET", path(rota), ben)
    assert datetime.fromisoformat(brief["handoff_at"]) == day
    assert datetime.fromisoformat(brief["shift_started_at"]) == day - 24 * HOUR
    assert datetime.fromisoformat(brief["next_handoff_at"]) == day + 24 * HOUR
    assert names(brief["outgoing"] + brief["incoming"] + brief["following"]) == [
        "Ana",
        "Ben",
        "Cleo",
    ]
    await move_to(world, day + HOUR / 2)
    assert (await world.call("GET", path(rota), ben))["handoff_at"] == brief["handoff_at"]
    await move_to(world, day + 2 * HOUR)
    later = await world.call("GET", path(rota), ben)
    assert names(later["outgoing"] + later["incoming"]) == ["Ben", "Cleo"]
    at = brief["handoff_at"]
    assert (await world.call("GET", f"{path(rota)}?at={at}", ben))["handoff_at"] == at


async def test_it_names_what_is_not_over_and_what_paged(world: World) -> None:
    ana, ben, _ = await people(world)
    admin = await world.admin()
    rota = await schedule(world, ana, ben)
    await world.sql("INSERT INTO services (name, schedule_id) VALUES ('shop', :rota)", rota=rota)
    day = await midnight(world)
    await move_to(world, day - 3 * HOUR)
    await world.policy(admin, [(0, {"user": ana.id})], repeat=1, final_delay_minutes=5)
    paged = await world.declare(admin, title="Disk full", service="database")
    await world.climb()
    sender = Scripted()
    await world.deliver(sender)
    await world.pass_time(sender, minutes=6)
    await world.act(ana, paged["id"], "acknowledge")
    served = await world.declare(admin, title="Shop is slow", service="shop", severity="critical")
    over = await world.declare(admin, title="Over", service="shop")
    await world.act(admin, over["id"], "resolve")
    await world.declare(admin, title="Somebody else’s", service="mail")

    brief = await world.call("GET", path(rota), ben)

    told = [(one["title"], one["status"]) for one in brief["incidents"]]
    assert told[:2] == [("Shop is slow", "open"), ("Disk full", "acknowledged")]
    assert len(told) == brief["incident_count"] == 2
    assert served["id"] == brief["incidents"][0]["id"]
    assert (brief["pages"], brief["night_pages"]) == (2, 0)
    [noisy] = brief["noisy"]
    assert (noisy["title"], noisy["pages"]) == ("Disk full", 2)


async def test_pages_at_night_are_counted_where_people_live(world: World) -> None:
    ana = await world.person("ana@example.org", time_zone="Asia/Tokyo")
    ben = await world.person("ben@example.org")
    admin = await world.admin()
    rota = await schedule(world, ana, ben)
    await world.policy(admin, [(0, {"user": ana.id})])
    day = await midnight(world)
    await move_to(world, day - 9 * HOUR)  # midnight in Tokyo
    await world.declare(admin)
    await world.climb()
    await world.deliver(Scripted())
    brief = await world.call("GET", path(rota), ben)
    assert (brief["pages"], brief["night_pages"], brief["noisy"]) == (1, 1, [])


async def test_it_tells_what_is_to_come_in_the_next_shift(world: World) -> None:
    ana, ben, cleo = await people(world)
    rota = await schedule(world, ana, ben)
    day = await midnight(world)
    await override(world, rota, cleo, cleo, day + 3 * HOUR, day + 5 * HOUR, replaces=ben)
    body = {
        "schedule_id": rota,
        "starts_at": (day + 8 * HOUR).isoformat(),
        "ends_at": (day + 9 * HOUR).isoformat(),
    }
    asked = await world.call("POST", "/v1/shift-requests", ben, expect=201, json=body)
    await move_to(world, day - HOUR)
    brief = await world.call("GET", path(rota), ben)
    assert [one["user_id"] for one in brief["overrides"]] == []
    assert datetime.fromisoformat(brief["next_handoff_at"]) == day + 3 * HOUR
    at = (day + 5 * HOUR).isoformat().replace("+00:00", "Z")
    brief = await world.call("GET", f"{path(rota)}?at={at}", ben)
    assert names(brief["outgoing"] + brief["incoming"]) == ["Cleo", "Ben"]
    assert [one["id"] for one in brief["requests"]] == [asked["id"]]


async def test_where_nobody_hands_over_it_says_so(world: World) -> None:
    ana, _, _ = await people(world)
    rota = await schedule(world, ana)
    brief = await world.call("GET", path(rota), ana)
    assert (brief["handoff_at"], brief["incoming"]) == (None, [])
    assert names(brief["outgoing"]) == ["Ana"]
    await refused(world, "GET", path(999), ana, 404, "SCHEDULE_NOT_FOUND")
