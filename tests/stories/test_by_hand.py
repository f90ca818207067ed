"""People who call for more people: whoever is asked for is paged, whatever happened before."""

from typing import Any

from tests.world import Person, Scripted, World


async def crew(world: World) -> tuple[Person, Person, Person]:
    """An admin (whom the fallback pages), Ana and Ben."""
    return (
        await world.admin(),
        await world.person("ana@example.org", full_name="Ana"),
        await world.person("ben@example.org", full_name="Ben"),
    )


async def paged(world: World, mail: Scripted, **span: float) -> list[str]:
    """Who gets a page in that time, by the first part of the address."""
    mail.messages.clear()
    await world.pass_time(mail, **span)
    return [address.removesuffix("@example.org") for address in mail.recipients]


async def told(world: World, who: Person, number: int) -> list[str]:
    found = await world.call("GET", f"/v1/incidents/{number}/timeline", who)
    return [entry["description"] for entry in found["items"]]


async def run_of(world: World, who: Person, number: int, name: str) -> dict[str, Any]:
    found = await world.call("GET", f"/v1/incidents/{number}/escalation", who)
    (run,) = [run for run in found["escalations"] if run["policy_name"] == name]
    return dict(run)


async def test_the_next_step_comes_now_and_the_rest_counts_from_it(world: World) -> None:
    admin, ana, ben = await crew(world)
    await world.policy(admin, [(0, {"user": ana.id}), (30, {"user": ben.id}), (10, "admins")])
    number = (await world.declare(ana))["id"]
    mail = Scripted()
    assert await paged(world, mail) == ["ana"]

    await world.act(ana, number, "escalate")

    assert await paged(world, mail) == ["ben"]
    assert await paged(world, mail, minutes=9) == []
    assert await paged(world, mail, minutes=2) == ["admin"]


async def test_past_the_last_step_the_ladder_begins_again_at_once(world: World) -> None:
    admin, ana, _ = await crew(world)
    await world.policy(admin, [(5, {"user": ana.id})], repeat=1)
    number = (await world.declare(ana))["id"]
    mail = Scripted()
    assert await paged(world, mail, minutes=6) == ["ana"]

    await world.act(ana, number, "escalate")

    assert await paged(world, mail) == ["ana"]
    assert (await run_of(world, admin, number, "Primary"))["loop"] == 1
    await world.act(ana, number, "escalate")
    assert await paged(world, mail) == ["admin"]  # it has run out


async def test_past_the_last_step_of_a_ladder_that_ends_the_fallback_pages(world: World) -> None:
    admin, ana, _ = await crew(world)
    await world.policy(admin, [(0, {"user": ana.id})], final_delay_minutes=60)
    number = (await world.declare(ana))["id"]
    mail = Scripted()
    assert await paged(world, mail) == ["ana"]

    await world.act(ana, number, "escalate")

    assert await paged(world, mail) == ["admin"]
    assert (await run_of(world, admin, number, "Primary"))["status"] == "exhausted"
    assert "“Primary” has run out; paging the fallback." in await told(world, admin, number)


async def test_the_fallback_pages_as_often_as_somebody_asks(world: World) -> None:
    admin, ana, _ = await crew(world)
    number = (await world.declare(ana))["id"]
    mail = Scripted()
    assert await paged(world, mail) == ["admin"]
    for _ in range(3):
        await world.act(ana, number, "escalate")
        assert await paged(world, mail) == ["admin"]
    assert await world.sql("SELECT 1 FROM escalations WHERE loop > last_loop") == []
    assert await paged(world, mail, hours=1) == []  # it runs out once, as ever
    assert (await run_of(world, admin, number, "fallback"))["status"] == "exhausted"


async def test_with_everything_exhausted_the_fallback_begins_anew(world: World) -> None:
    _, ana, _ = await crew(world)
    number = (await world.declare(ana))["id"]
    mail = Scripted()
    await paged(world, mail)
    await paged(world, mail, hours=1)

    await world.act(ana, number, "escalate")

    assert await paged(world, mail) == ["admin"]


async def test_a_ladder_that_ends_by_hand_calls_a_fallback_that_runs_already(
    world: World,
) -> None:
    admin, ana, ben = await crew(world)
    idle = {"service": "nothing"}
    policy = await world.policy(admin, [(0, {"user": ben.id})], conditions=idle)
    number = (await world.declare(ana))["id"]
    run = await world.act(ana, number, "escalations", expect=201, json={"policy_id": policy["id"]})
    mail = Scripted()
    assert sorted(await paged(world, mail)) == ["admin", "ben"]

    await world.act(ana, number, "escalate", json={"escalation_id": run["id"]})

    assert await paged(world, mail) == ["admin"]


async def test_what_was_acknowledged_goes_on_where_it_stood(world: World) -> None:
    admin, ana, ben = await crew(world)
    await world.policy(admin, [(0, {"user": ana.id}), (30, {"user": ben.id}), (10, "admins")])
    number = (await world.declare(ana))["id"]
    mail = Scripted()
    assert await paged(world, mail) == ["ana"]
    await world.act(ana, number, "acknowledge")
    assert await paged(world, mail, hours=2) == []

    await world.act(ana, number, "escalate")

    assert await paged(world, mail) == ["ben"]
    await world.act(ben, number, "acknowledge")
    assert await paged(world, mail, hours=2) == []
    await world.act(ben, number, "escalate")
    assert await paged(world, mail) == ["admin"]


async def test_calling_on_one_policy_lets_the_others_go_on_in_their_time(world: World) -> None:
    admin, ana, ben = await crew(world)
    await world.policy(admin, [(5, {"user": ana.id})], name="One")
    await world.policy(admin, [(20, {"user": ben.id})], name="Two")
    number = (await world.declare(admin))["id"]
    await world.act(ana, number, "acknowledge")
    mail = Scripted()
    assert await paged(world, mail, hours=1) == []

    one = await run_of(world, admin, number, "One")
    await world.act(ana, number, "escalate", json={"escalation_id": one["id"]})

    assert await paged(world, mail) == ["ana"]
    assert await paged(world, mail, minutes=19) == ["admin"]  # One has run out meanwhile
    assert await paged(world, mail, minutes=2) == ["ben"]


async def test_a_step_that_acknowledged_is_not_taken_twice_and_the_next_one_pages(
    world: World,
) -> None:
    """Its number in this loop is used up: taking it again would page nobody."""
    admin, ana, ben = await crew(world)
    notify = {"type": "notify", "target": {"user": ana.id}}
    calm = {"type": "set_status", "status": "acknowledged"}
    steps = [
        {"delay_minutes": 0, "actions": [notify, calm]},
        {"delay_minutes": 5, "actions": [{"type": "notify", "target": {"user": ben.id}}]},
    ]
    await world.policy(admin, [], steps=steps)
    number = (await world.declare(ana))["id"]
    mail = Scripted()
    await paged(world, mail)
    assert (await run_of(world, admin, number, "Primary"))["status"] == "paused"

    await world.act(ana, number, "escalate")

    assert await paged(world, mail) == ["ben"]
    assert (await run_of(world, admin, number, "Primary"))["last_fault"] is None


async def test_what_a_snooze_held_back_is_sent_when_somebody_escalates(world: World) -> None:
    admin, ana, ben = await crew(world)
    await world.policy(admin, [(0, {"user": ana.id}), (30, {"user": ben.id})])
    number = (await world.declare(ana))["id"]
    await world.climb()  # promised, and not yet sent
    await world.act(ana, number, "snooze", json={"minutes": 600})
    mail = Scripted()
    assert await paged(world, mail) == []

    await world.act(ana, number, "escalate")

    assert sorted(await paged(world, mail)) == ["ana", "ben"]


async def test_a_policy_put_to_work_by_hand_climbs_its_whole_ladder(world: World) -> None:
    admin, ana, ben = await crew(world)
    idle = {"service": "nothing"}
    pages = [(5, {"user": ana.id}), (5, {"user": ben.id})]
    policy = await world.policy(admin, pages, conditions=idle, repeat=1)
    number = (await world.declare(ana))["id"]
    mail = Scripted()
    assert await paged(world, mail, minutes=10) == ["admin"]
    await world.act(ana, number, "acknowledge")

    body = {"policy_id": policy["id"]}
    await world.act(ana, number, "escalations", expect=201, json=body)

    assert await paged(world, mail, minutes=4) == []
    assert await paged(world, mail, minutes=1.5) == ["ana"]
    assert await paged(world, mail, minutes=5) == ["ben"]
    assert await paged(world, mail, minutes=10) == ["ana"]  # the second round
    await world.act(ben, number, "acknowledge")
    assert await paged(world, mail, hours=3) == []


async def test_a_policy_that_was_stopped_pages_nobody_any_more(world: World) -> None:
    admin, ana, ben = await crew(world)
    await world.policy(admin, [(0, {"user": ana.id}), (5, {"user": ben.id})], name="One")
    await world.policy(admin, [(10, {"user": ana.id})], name="Two")
    number = (await world.declare(admin))["id"]
    await world.climb()

    one = await run_of(world, admin, number, "One")
    await world.act(admin, number, f"escalations/{one['id']}/cancel")

    mail = Scripted()
    assert await paged(world, mail, minutes=9) == []
    assert await paged(world, mail, minutes=2) == ["ana"]
    (stopped, _) = await world.notifications(admin, number)
    assert (stopped["status"], stopped["reason"]) == (
        "cancelled",
        "admin@example.org stopped its policy.",
    )
