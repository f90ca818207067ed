"""People who take turns: fairly, once each step, whoever else climbs meanwhile."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from app.crud import crud_ladder
from app.worker.escalation import Climber
from tests.duties import assigned_to, deactivate, keep_team, people_paged
from tests.reaching import add_verified, methods_of, rules_of
from tests.stories.maintained import alter, ask_again, end, service, window
from tests.stories.storms import stories
from tests.world import Person, World


@pytest.fixture
async def admin(world: World) -> Person:
    return await world.admin()


@pytest.fixture
async def people(world: World) -> list[Person]:
    return [
        await world.person(f"{name}@example.org", full_name=name) for name in ("Ana", "Ben")
    ] + [await world.person("cleo@example.org", full_name="Cleo")]


def in_turn(*people: Person) -> dict[str, Any]:
    return {"round_robin": [person.id for person in people]}


async def declare(world: World, who: Person, times: int) -> list[int]:
    return [(await world.declare(who))["id"] for _ in range(times)]


async def only_from(world: World, person: Person, severity: str) -> None:
    """Let somebody be paged for what is as bad as this, and nothing below it."""
    [mail] = (await world.call("GET", methods_of(person), person))["items"]
    rule = {"contact_method_id": mail["id"], "min_severity": severity}
    await world.call("PUT", rules_of(person), person, json={"items": [rule]})


async def test_each_incident_is_the_next_persons(
    world: World, admin: Person, people: list[Person]
) -> None:
    ana, ben, cleo = people
    await world.policy(admin, [(0, in_turn(cleo, ana, ben))])
    paged = []
    for _ in range(4):
        [number] = await declare(world, admin, 1)
        await world.climb()
        paged += await people_paged(world, number)
        assert await assigned_to(world, admin, number) == paged[-1]
    assert paged == [cleo.id, ana.id, ben.id, cleo.id]


async def test_incidents_of_one_batch_are_different_peoples(
    world: World, admin: Person, people: list[Person]
) -> None:
    await world.policy(admin, [(0, in_turn(*people))])
    await declare(world, admin, 6)
    await world.climb()
    assert Counter(await people_paged(world)) == {person.id: 2 for person in people}


async def test_the_steps_of_one_ladder_reach_different_people(
    world: World, admin: Person, people: list[Person]
) -> None:
    target = in_turn(*people)
    await world.policy(admin, [(0, target), (5, target), (5, target)])
    await declare(world, admin, 1)
    for _ in range(3):
        await world.climb()
        world.clock.forward(minutes=5)
    assert await people_paged(world) == [person.id for person in people]


async def test_one_step_means_one_person_whatever_it_does_with_them(
    world: World, admin: Person, people: list[Person]
) -> None:
    ana, ben, _ = people
    target = in_turn(ana, ben)
    actions = [
        {"type": "assign", "target": target},
        {"type": "notify", "target": target, "channels": ["email"]},
        {"type": "notify", "target": target, "channels": ["sms"]},
    ]
    await world.policy(admin, [], steps=[{"delay_minutes": 0, "actions": actions}])
    first, second = await declare(world, admin, 2)
    await world.climb()
    for number, person in ((first, ana), (second, ben)):
        assert await people_paged(world, number) == [person.id]
        assert await assigned_to(world, admin, number) == person.id


async def test_who_is_deactivated_is_passed_over(
    world: World, admin: Person, people: list[Person]
) -> None:
    ana, ben, cleo = people
    await world.policy(admin, [(0, in_turn(*people))])
    await declare(world, admin, 1)
    await world.climb()
    await deactivate(world, ben)
    await declare(world, admin, 1)
    await world.climb()
    await deactivate(world, cleo)  # whoever had the last turn
    await declare(world, admin, 1)
    await world.climb()
    assert await people_paged(world) == [ana.id, cleo.id, ana.id]


async def test_if_all_of_them_are_deactivated_the_next_step_comes_at_once(
    world: World, admin: Person, people: list[Person]
) -> None:
    ana, ben, cleo = people
    await world.policy(admin, [(0, in_turn(ana, ben)), (60, {"user": cleo.id})])
    [number] = await declare(world, admin, 1)
    for person in (ana, ben):
        await deactivate(world, person)
    await world.climb()
    [told] = await stories(world, admin, number, "escalation_reached_nobody")
    assert told.endswith("Of those who take turns nobody is active any more.")
    assert await people_paged(world) == [cleo.id]


async def test_who_cannot_be_reached_is_passed_over_and_the_timeline_says_so(
    world: World, admin: Person, people: list[Person]
) -> None:
    ana, ben, cleo = people
    await world.policy(admin, [(0, in_turn(*people))])
    await only_from(world, ana, "critical")
    switches = {"channels": {"email": False}}
    await world.call("PUT", "/v1/notification-preferences", ben, json=switches)
    first, second = await declare(world, admin, 2)
    await world.climb()
    assert await people_paged(world) == [cleo.id, cleo.id]
    told = "Ana wants email only from critical up. Ben has switched email off."
    for number in (first, second):
        [story] = await stories(world, admin, number, "escalation_step")
        assert story == f"Step 1 of “Primary” pages Cleo (email). {told}"
        assert await assigned_to(world, admin, number) == cleo.id
    await world.declare(admin, severity="critical")
    await world.climb()
    assert await people_paged(world) == [cleo.id, cleo.id, ana.id]


async def test_a_turn_is_of_whoever_the_channels_of_the_step_reach(
    world: World, admin: Person, people: list[Person]
) -> None:
    ana, ben, _ = people
    hook = await add_verified(world, ben, channel="webhook", url="https://hooks.example.org/ben")
    await world.call("PUT", rules_of(ben), ben, json={"items": [{"contact_method_id": hook["id"]}]})
    action = {"type": "notify", "target": in_turn(ana, ben), "channels": ["webhook"]}
    steps = [{"delay_minutes": 0, "actions": [action]}]
    policy = await world.policy(admin, [], steps=steps)
    await declare(world, admin, 2)
    await world.climb()
    assert await people_paged(world) == [ben.id, ben.id]
    drill = {"policy_id": policy["id"]}
    await world.call("POST", "/v1/fire-drills", admin, expect=201, json=drill)
    await world.climb()
    assert await people_paged(world) == [ben.id] * 3


async def test_if_nobody_of_them_can_be_reached_it_is_told_of_each_and_no_turn_is_taken(
    world: World, admin: Person, people: list[Person]
) -> None:
    ana, ben, cleo = people
    policy = await world.policy(admin, [(0, in_turn(ana, ben)), (60, {"user": cleo.id})])
    for person in (ana, ben):
        await only_from(world, person, "critical")
    [number] = await declare(world, admin, 1)
    await world.climb()
    [told] = await stories(world, admin, number, "escalation_reached_nobody")
    assert told.endswith(
        "Ana wants email only from critical up. Ben wants email only from critical up."
    )
    assert await people_paged(world) == [cleo.id]
    assert await world.sql("SELECT turns, last_user_id FROM round_robins") == [(0, None)]
    for person in (ana, ben):
        await world.call("PUT", rules_of(person), person, json={"items": []})
    await world.call(
        "PATCH",
        f"/v1/escalation/policies/{policy['id']}",
        admin,
        json={
            "steps": [
                {"delay_minutes": 0, "actions": [{"type": "notify", "target": in_turn(ana, ben)}]}
            ]
        },
    )
    drill = {"policy_id": policy["id"]}
    refusal = await world.call("POST", "/v1/fire-drills", admin, expect=409, json=drill)
    assert (
        "Ana has no rule for any channel. Ben has no rule for any channel." in (refusal["message"])
    )


async def test_a_step_that_is_kept_waiting_takes_no_turn_however_often_it_is_asked(
    world: World, admin: Person, people: list[Person]
) -> None:
    """Whose turn it is, is decided when it pages, and not when it was to page."""
    await world.policy(admin, [(0, in_turn(*people))])
    window_id = await window(world, await service(world, "kept"))
    number = (await world.declare(admin, service="kept"))["id"]
    for _ in range(3):
        world.clock.forward(minutes=10)
        await alter(world, window_id, description=f"{await world.clock.now()}")
        await ask_again(world)
    assert await people_paged(world) == []
    assert await world.sql("SELECT 1 FROM round_robins") == []
    await declare(world, admin, 1)
    await world.climb()
    await end(world, window_id)
    await ask_again(world)
    await world.climb()
    assert await people_paged(world) == [people[0].id, people[1].id]
    assert await people_paged(world, number) == [people[1].id]


async def test_a_team_may_take_turns_and_keeps_the_place_of_who_left(
    world: World, admin: Person, people: list[Person]
) -> None:
    ana, ben, cleo = people
    team = await keep_team(world, *people)
    await world.policy(admin, [(0, {"team": team, "pick": "round_robin"})])
    for leaves in (None, None, ben, None):
        if leaves is not None:  # the one who had the last turn
            await world.sql("DELETE FROM team_members WHERE user_id = :id", id=leaves.id)
        await declare(world, admin, 1)
        await world.climb()
    assert await people_paged(world) == [ana.id, ben.id, cleo.id, ana.id]


async def test_a_team_is_everybody_active_in_it_and_nobodys_turn(
    world: World, admin: Person, people: list[Person]
) -> None:
    ana, ben, cleo = people
    team = await keep_team(world, *people)
    await deactivate(world, ben)
    await world.policy(admin, [(0, {"team": team})])
    [number] = await declare(world, admin, 1)
    await world.climb()
    assert await people_paged(world) == [ana.id, cleo.id]
    assert await assigned_to(world, admin, number) is None


@pytest.mark.parametrize(
    ("is_empty", "why"),
    [
        (True, "Nobody is in team “Storage”."),
        (False, "Everybody in team “Storage” is deactivated."),
    ],
)
async def test_a_team_of_nobody_says_so(
    world: World, admin: Person, people: list[Person], is_empty: bool, why: str
) -> None:
    team = await keep_team(world, *([] if is_empty else people[:1]))
    await deactivate(world, people[0])
    await world.policy(admin, [(0, {"team": team}), (5, {"user": people[2].id})])
    [number] = await declare(world, admin, 1)
    await world.climb()
    [told] = await stories(world, admin, number, "escalation_reached_nobody")
    assert told.endswith(why)


# --- Whoever else climbs --------------------------------------------------------------------


async def test_climbers_side_by_side_take_turns_fairly(
    world: World, admin: Person, people: list[Person]
) -> None:
    """Two rings in every step, named in either order: nobody waits for nobody for ever."""
    ana, ben, cleo = people
    team = await keep_team(world, *people)
    targets: list[Any] = [in_turn(ana, ben, cleo), {"team": team, "pick": "round_robin"}]
    for name, both in (("One", targets), ("Two", targets[::-1])):
        actions = [{"type": "notify", "target": target} for target in both]
        steps = [{"delay_minutes": 0, "actions": actions}]
        await world.policy(admin, [], name=name, steps=steps, final_delay_minutes=60)
    numbers = await declare(world, admin, 9)
    climbers = [Climber(world.database, batch=2) for _ in range(4)]
    await asyncio.gather(*(climber.climb_due() for climber in climbers))
    await climbers[0].climb_due()
    taken = dict(await world.sql("SELECT ring, turns FROM round_robins"))
    assert taken == {f"users:{ana.id},{ben.id},{cleo.id}": 18, f"team:{team}": 18}
    assert len(await world.sql("SELECT 1 FROM escalation_events")) == 2 * len(numbers)


async def test_a_step_that_breaks_keeps_its_turn(
    world: World, admin: Person, people: list[Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is rolled back was nobody's turn, and whoever tries again gets the same answer."""
    ana, ben, _ = people
    await world.policy(admin, [(0, in_turn(ana, ben))])
    await declare(world, admin, 1)
    advance = crud_ladder.advance

    async def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("out of order")

    monkeypatch.setattr(crud_ladder, "advance", broken)
    await world.climb()
    monkeypatch.setattr(crud_ladder, "advance", advance)
    await world.pass_time(minutes=2)
    await declare(world, admin, 1)
    await world.climb()
    assert await people_paged(world) == [ana.id, ben.id]
