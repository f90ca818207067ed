"""Maintenance of a service: alerts are kept, incidents are opened, and nobody is paged until it
is over; what is unresolved then pages."""

from datetime import timedelta

import pytest

from tests.stories.maintained import alter, ask_again, end, pages, service, told, window
from tests.world import Person, World


@pytest.fixture
async def admin(world: World) -> Person:
    made = await world.admin()
    await world.policy(made, [(0, "admins"), (5, "admins")])
    return made


@pytest.fixture
async def database_service(world: World, admin: Person) -> int:
    return await service(world)


async def test_during_maintenance_nobody_is_paged_and_at_its_end_whoever_must_be(
    world: World, admin: Person, database_service: int
) -> None:
    key = await world.integration_key(admin)
    over = await world.clock.now() + timedelta(hours=2)
    await window(world, database_service, ends_at=over)
    receipt = await world.alert(key)
    assert receipt["outcome"] == "opened"
    assert receipt["reason"].startswith("Suppressed by maintenance “Upgrade”")
    number = receipt["incident_id"]

    await world.pass_time(minutes=119)
    assert await pages(world, admin, number) == []
    [story] = await told(world, admin, number, "paging_waits")
    assert "under maintenance (“Upgrade”)" in story

    await world.pass_time(minutes=1)
    assert await pages(world, admin, number) == [over]
    assert len(await told(world, admin, number, "paging_begins")) == 1

    await world.pass_time(minutes=5)
    assert len(await pages(world, admin, number)) == 2, "from there on the ladder climbs as ever"


async def test_what_is_resolved_during_maintenance_never_pages(
    world: World, admin: Person, database_service: int
) -> None:
    await window(world, database_service)
    incident = await world.declare(admin)
    await world.act(admin, incident["id"], "resolve")
    await world.pass_time(hours=3)
    assert await pages(world, admin, incident["id"]) == []


async def test_an_alert_says_that_it_was_suppressed_and_one_that_pages_does_not(
    world: World, admin: Person, database_service: int
) -> None:
    key = await world.integration_key(admin)
    before = await world.alert(key, dedup_key="before")
    await world.climb()
    await window(world, database_service)
    joined = await world.alert(key, dedup_key="before")
    opened = await world.alert(key, dedup_key="during")
    again = await world.alert(key, dedup_key="during")
    for receipt in (before, joined):
        assert receipt["reason"] is None
    for receipt in (opened, again):
        shown = await world.call("GET", f"/v1/alerts/{receipt['id']}", admin)
        assert shown["reason"] == receipt["reason"]
        assert shown["summary"].endswith(receipt["reason"])
        assert "Suppressed by maintenance" in shown["summary"]


async def test_what_was_open_before_goes_on_paging(
    world: World, admin: Person, database_service: int
) -> None:
    incident = await world.declare(admin)
    await world.climb()
    await window(world, database_service)
    await world.pass_time(minutes=5)
    assert len(await pages(world, admin, incident["id"])) == 2


async def test_maintenance_that_is_ended_early_pages_at_once(
    world: World, admin: Person, database_service: int
) -> None:
    made = await window(world, database_service, hours=10)
    incident = await world.declare(admin)
    other = await world.declare(admin, service="website")
    world.clock.forward(minutes=30)
    await end(world, made)
    await ask_again(world)
    [due] = await pages(world, admin, incident["id"])
    assert await world.clock.now() - due < timedelta(minutes=1)
    assert len(await pages(world, admin, other["id"])) > 0


async def test_a_window_that_is_made_longer_keeps_what_waits_waiting(
    world: World, admin: Person, database_service: int
) -> None:
    made = await window(world, database_service, hours=1)
    incident = await world.declare(admin)
    longer = await world.clock.now() + timedelta(hours=3)
    await alter(world, made, ends_at=longer)
    await ask_again(world)
    await world.pass_time(hours=2)
    assert await pages(world, admin, incident["id"]) == []
    assert len(await told(world, admin, incident["id"], "paging_waits")) == 2
    await world.pass_time(hours=1.1)
    assert len(await pages(world, admin, incident["id"])) >= 1


async def test_the_next_window_is_waited_for_where_one_ends(
    world: World, admin: Person, database_service: int
) -> None:
    now = await world.clock.now()
    await window(world, database_service, hours=1)
    incident = await world.declare(admin)
    await window(
        world,
        database_service,
        title="Second",
        starts_at=now + timedelta(minutes=50),
        ends_at=now + timedelta(hours=2),
    )
    await world.pass_time(hours=1.5)
    assert await pages(world, admin, incident["id"]) == []
    await world.pass_time(hours=1)
    assert len(await pages(world, admin, incident["id"])) >= 1


async def test_maintenance_of_everything_is_for_services_that_nobody_catalogued(
    world: World, admin: Person
) -> None:
    await window(world, hours=1)
    incident = await world.declare(admin, service="nobody knows", severity="critical")
    await world.pass_time(minutes=30)
    assert await pages(world, admin, incident["id"]) == []
    await world.pass_time(minutes=31)
    assert len(await pages(world, admin, incident["id"])) >= 1


async def test_whoever_asks_for_people_during_maintenance_gets_them(
    world: World, admin: Person, database_service: int
) -> None:
    await window(world, database_service)
    incident = await world.declare(admin)
    await world.act(admin, incident["id"], "escalate")
    await world.climb()
    assert len(await pages(world, admin, incident["id"])) == 1


async def test_what_comes_to_the_service_or_leaves_it_follows_its_maintenance(
    world: World, admin: Person, database_service: int
) -> None:
    await window(world, database_service, hours=5)
    incident = await world.declare(admin)
    path = f"/v1/incidents/{incident['id']}"
    await world.climb()
    assert await pages(world, admin, incident["id"]) == []
    await world.call("PATCH", path, admin, json={"service": "website"})
    await world.climb()
    assert len(await pages(world, admin, incident["id"])) == 1
    await world.call("PATCH", path, admin, json={"service": "database"})
    await world.pass_time(minutes=6)
    assert len(await pages(world, admin, incident["id"])) == 2, "what pages already goes on"


@pytest.mark.parametrize("action", ["reopen", "snooze"])
async def test_what_begins_anew_during_maintenance_waits_for_its_end(
    world: World, admin: Person, database_service: int, action: str
) -> None:
    incident = await world.declare(admin)
    await world.climb()
    number = incident["id"]
    if action == "reopen":
        await world.act(admin, number, "resolve")
    else:
        await world.act(admin, number, "acknowledge")
        await world.act(admin, number, "snooze", json={"minutes": 10})
    before = len(await pages(world, admin, number))
    await window(world, database_service, hours=1)
    if action == "reopen":
        await world.act(admin, number, "reopen")
    await world.pass_time(minutes=30)
    assert len(await pages(world, admin, number)) == before
    await world.pass_time(minutes=31)
    assert len(await pages(world, admin, number)) > before


async def test_a_snooze_of_what_waits_ends_in_its_own_time(
    world: World, admin: Person, database_service: int
) -> None:
    made = await window(world, database_service, hours=1)
    incident = await world.declare(admin)
    await world.act(admin, incident["id"], "snooze", json={"minutes": 180})
    await end(world, made)
    await ask_again(world)
    await world.pass_time(minutes=90)
    assert await pages(world, admin, incident["id"]) == []
    await world.pass_time(minutes=91)
    assert len(await pages(world, admin, incident["id"])) >= 1
