"""The pager, taken on the spot and given back."""

from datetime import datetime, timedelta

from tests.api.answers import faulty, refused
from tests.duty import midnight, move_to, on_call, schedule, told, turn
from tests.world import Person, World


def take(schedule_id: int) -> str:
    return f"/v1/schedules/{schedule_id}/take"


async def people(world: World) -> tuple[Person, Person]:
    return await world.person("ana@example.org"), await world.person("ben@example.org")


async def test_who_takes_the_pager_has_it_until_the_next_hand_off(world: World) -> None:
    ana, ben = await people(world)
    rota = await schedule(world, ana)
    other = await schedule(world, ana, ben, name="Daily")
    day = await midnight(world)
    taken = await world.call("POST", take(other), ben, expect=201)
    assert datetime.fromisoformat(taken["ends_at"]) == day
    assert (taken["user_id"], taken["relieved"]) == (ben.id, [ana.id])
    assert await on_call(world, other, await world.clock.now()) == [ben.id]
    code = "NO_HANDOFF_AHEAD"
    await refused(world, "POST", take(rota), ben, 422, code)


async def test_for_as_long_as_is_said(world: World) -> None:
    ana, ben = await people(world)
    rota = await schedule(world, ana)
    now = await world.clock.now()
    taken = await world.call("POST", take(rota), ben, expect=201, json={"for_minutes": 30})
    began = datetime.fromisoformat(taken["starts_at"])
    assert began >= now
    assert datetime.fromisoformat(taken["ends_at"]) - began == timedelta(minutes=30)
    world.clock.forward(minutes=31)
    assert await on_call(world, rota, await world.clock.now()) == [ana.id]
    until = (await world.clock.now() + timedelta(hours=2)).isoformat()
    taken = await world.call("POST", take(rota), ben, expect=201, json={"until": until})
    assert datetime.fromisoformat(taken["ends_at"]) == datetime.fromisoformat(until)


async def test_it_is_given_back_and_what_was_stays(world: World) -> None:
    ana, ben = await people(world)
    rota = await schedule(world, ana)
    await refused(world, "DELETE", take(rota), ben, 409, "PAGER_NOT_TAKEN")
    await world.call("POST", take(rota), ben, expect=201, json={"for_minutes": 600})
    world.clock.forward(minutes=10)
    before = await world.clock.now()
    await refused(world, "DELETE", take(rota), ana, 409, "PAGER_NOT_TAKEN")
    world.clock.forward(minutes=10)
    answer = await world.call("DELETE", take(rota), ben)
    assert answer == {"schedule_id": rota, "on_call": [ana.id]}
    assert await on_call(world, rota, before) == [ben.id]
    await refused(world, "DELETE", take(rota), ben, 409, "PAGER_NOT_TAKEN")


async def test_who_has_it_anyway_is_told_so(world: World) -> None:
    ana, ben = await people(world)
    rota = await schedule(world, ana, ben)
    await refused(world, "POST", take(rota), ana, 409, "ALREADY_ON_CALL")
    longer = {"for_minutes": 60 * 48}
    taken = await world.call("POST", take(rota), ana, expect=201, json=longer)
    assert taken["relieved"] == []
    tomorrow = await midnight(world) + timedelta(hours=1)
    assert await on_call(world, rota, tomorrow) == [ana.id]


async def test_an_end_that_cannot_be_is_refused(world: World) -> None:
    ana, ben = await people(world)
    rota = await schedule(world, ana)
    past = (await world.clock.now() - timedelta(minutes=1)).isoformat()
    await refused(world, "POST", take(rota), ben, 422, "INVALID_INPUT", json={"until": past})
    for body in ({"for_minutes": 0}, {"for_minutes": 10**6}, {"hours": 1}):
        await faulty(world, "POST", take(rota), ben, json=body)
    both = {"for_minutes": 5, "until": past}
    await faulty(world, "POST", take(rota), ben, json=both)
    await refused(world, "POST", take(999), ben, 404, "SCHEDULE_NOT_FOUND")


async def test_who_is_relieved_is_told_and_who_took_it_is_not(world: World) -> None:
    ana, ben = await people(world)
    rota = await schedule(world, ana)
    await turn(world)
    await move_to(world, await midnight(world) + timedelta(hours=10))
    await world.call("POST", take(rota), ben, expect=201, json={"for_minutes": 60})
    await turn(world)
    assert await told(world, ana) == ["duty_changed"]
    assert await told(world, ben) == []
    world.clock.forward(minutes=10)
    await world.call("DELETE", take(rota), ben)
    await turn(world)
    assert await told(world, ana) == ["duty_changed", "duty_changed"]
    assert await told(world, ben) == []
