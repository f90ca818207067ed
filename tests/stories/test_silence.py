"""What has fallen silent is resolved, if its service says so: never while alerts come, and
nothing that somebody looks after."""

import asyncio
from typing import Any

import pytest

from app.worker.quiet import BATCH, Quiet
from tests.stories.maintained import change, service, told
from tests.world import Person, World


@pytest.fixture
async def admin(world: World) -> Person:
    made = await world.admin()
    await world.policy(made, [(0, "admins")], final_delay_minutes=600)
    return made


@pytest.fixture
async def key(world: World, admin: Person) -> str:
    return await world.integration_key(admin)


async def status(world: World, who: Person, incident_id: int) -> str:
    answer = await world.call("GET", f"/v1/incidents/{incident_id}", who)
    return str(answer["status"])


async def look(world: World, **span: float) -> None:
    """Let time pass, then turn the loop."""
    world.clock.forward(**span)
    await Quiet(world.database).round()


async def watches(world: World) -> int:
    [[count]] = await world.sql("SELECT count(*) FROM silence_watches")
    return int(count)


async def test_two_hours_without_an_alert_resolve_it_with_a_story(
    world: World, admin: Person, key: str
) -> None:
    await service(world, auto_resolve_after_minutes=120)
    number = (await world.alert(key))["incident_id"]
    await look(world, minutes=119)
    assert await status(world, admin, number) == "open"
    await look(world, minutes=1)
    assert await status(world, admin, number) == "resolved"
    assert await told(world, admin, number, "resolved") == [
        "No alert came for 2 hours, and that means for service “database” that it is over."
    ]
    assert await watches(world) == 0
    again = await world.alert(key)
    assert again["outcome"] == "opened"


async def test_every_alert_that_joins_puts_the_end_off(
    world: World, admin: Person, key: str
) -> None:
    await service(world, auto_resolve_after_minutes=60)
    number = (await world.alert(key))["incident_id"]
    for _ in range(5):
        await look(world, minutes=50)
        assert (await world.alert(key))["incident_id"] == number
    await look(world, minutes=59)
    assert await status(world, admin, number) == "open"
    await look(world, minutes=1)
    assert await status(world, admin, number) == "resolved"


async def test_what_somebody_looks_after_stays_until_nobody_does(
    world: World, admin: Person, key: str
) -> None:
    await service(world, auto_resolve_after_minutes=60)
    taken = (await world.alert(key, dedup_key="taken"))["incident_id"]
    snoozed = (await world.alert(key, dedup_key="snoozed"))["incident_id"]
    await world.act(admin, taken, "acknowledge")
    await world.act(admin, snoozed, "snooze", json={"minutes": 180})
    await look(world, minutes=170)
    assert [await status(world, admin, one) for one in (taken, snoozed)] == ["acknowledged", "open"]
    await world.call("DELETE", f"/v1/incidents/{snoozed}/snooze", admin)
    await look(world, minutes=60)
    assert await status(world, admin, snoozed) == "resolved"
    assert await status(world, admin, taken) == "acknowledged"


async def test_a_service_may_want_what_is_acknowledged_resolved_too(
    world: World, admin: Person, key: str
) -> None:
    await service(world, auto_resolve_after_minutes=60, auto_resolve_acknowledged=True)
    number = (await world.alert(key))["incident_id"]
    await world.act(admin, number, "acknowledge")
    await look(world, minutes=60)
    assert await status(world, admin, number) == "resolved"


async def test_what_a_person_declared_is_never_silent(world: World, admin: Person) -> None:
    await service(world, auto_resolve_after_minutes=60)
    incident = await world.declare(admin)
    await look(world, hours=3)
    assert await status(world, admin, incident["id"]) == "open"
    assert await watches(world) == 0


async def test_who_reopens_it_gets_the_whole_time_again(
    world: World, admin: Person, key: str
) -> None:
    await service(world, auto_resolve_after_minutes=60)
    number = (await world.alert(key))["incident_id"]
    await look(world, minutes=60)
    await world.act(admin, number, "reopen")
    await look(world, minutes=59)
    assert await status(world, admin, number) == "open"
    await look(world, minutes=1)
    assert await status(world, admin, number) == "resolved"


@pytest.mark.parametrize(
    ("was", "becomes", "after"), [(None, 60, 60), (600, 60, 60), (60, None, 600)]
)
async def test_a_service_may_change_its_mind(
    world: World, admin: Person, key: str, was: int | None, becomes: int | None, after: int
) -> None:
    made = await service(world, auto_resolve_after_minutes=was)
    number = (await world.alert(key))["incident_id"]
    await change(world, made, auto_resolve_after_minutes=becomes)
    await look(world)
    await look(world, minutes=after - 1)
    assert await status(world, admin, number) == "open"
    await look(world, minutes=1)
    expected = "open" if becomes is None else "resolved"
    assert await status(world, admin, number) == expected
    assert await watches(world) == 0


async def test_what_comes_to_such_a_service_is_looked_after(
    world: World, admin: Person, key: str
) -> None:
    await service(world, auto_resolve_after_minutes=60)
    number = (await world.alert(key, service="website"))["incident_id"]
    await world.call("PATCH", f"/v1/incidents/{number}", admin, json={"service": "database"})
    await look(world, minutes=60)
    assert await status(world, admin, number) == "resolved"


async def test_an_alert_that_comes_as_it_is_resolved_joins_or_opens_another(
    world: World, admin: Person, key: str
) -> None:
    """Whatever wins, no alert is in an incident that was over before it came."""
    await service(world, auto_resolve_after_minutes=60)
    for turn in range(15):
        dedup_key = f"disk {turn}"
        first = await world.alert(key, dedup_key=dedup_key)
        world.clock.forward(minutes=60)
        _, then = await asyncio.gather(
            Quiet(world.database).round(), world.alert(key, dedup_key=dedup_key)
        )
        number = first["incident_id"]
        if then["outcome"] == "joined":
            assert then["incident_id"] == number
            assert await status(world, admin, number) == "open"
        else:
            assert then["outcome"] == "opened"
            assert await status(world, admin, number) == "resolved"
        assert await status(world, admin, then["incident_id"]) == "open"


async def test_replicas_resolve_each_once(world: World, admin: Person, key: str) -> None:
    await service(world, auto_resolve_after_minutes=60)
    count = BATCH + 20
    alerts: list[dict[str, Any]] = [
        {"title": "Disk full", "service": "database", "dedup_key": str(n)} for n in range(count)
    ]
    for part in (alerts[:100], alerts[100:]):
        await world.call(
            "POST", "/v1/webhooks/alerts", headers={"X-API-Key": key}, json={"alerts": part}
        )
    world.clock.forward(minutes=60)
    await asyncio.gather(*(Quiet(world.database).round() for _ in range(4)))
    await Quiet(world.database).round()
    [[resolved, entries]] = await world.sql(
        "SELECT (SELECT count(*) FROM incidents WHERE status = 'resolved'),"
        " (SELECT count(*) FROM timeline_events WHERE event_type = 'resolved')"
    )
    assert (resolved, entries) == (count, count)


async def test_one_that_breaks_holds_up_none_of_the_others(
    world: World, admin: Person, key: str
) -> None:
    await service(world, auto_resolve_after_minutes=60)
    numbers = [(await world.alert(key, dedup_key=str(n)))["incident_id"] for n in range(3)]
    await world.sql(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'no'; END $$"
    )
    await world.sql(
        "CREATE TRIGGER refuse BEFORE UPDATE ON incidents FOR EACH ROW"
        f" WHEN (OLD.id = {numbers[1]}) EXECUTE FUNCTION refuse()"
    )
    try:
        await look(world, minutes=60)
    finally:
        await world.sql("DROP TRIGGER refuse ON incidents")
        await world.sql("DROP FUNCTION refuse()")
    found = [await status(world, admin, number) for number in numbers]
    assert found == ["resolved", "open", "resolved"]
    await look(world, minutes=1)
    assert await status(world, admin, numbers[1]) == "resolved"
