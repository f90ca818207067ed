"""People and replicas that meet over one shift: one wins, and each notice is made once."""

import asyncio
from datetime import timedelta

from app.worker.notices import Notices
from tests.api.answers import refusal, send
from tests.duty import midnight, move_to, on_call, schedule, told
from tests.world import World


async def test_of_four_who_take_a_shift_at_once_one_does(world: World) -> None:
    ana = await world.person("ana@example.org")
    others = [await world.person(f"p{n}@example.org") for n in range(4)]
    rota = await schedule(world, ana)
    day = await midnight(world)
    body = {
        "schedule_id": rota,
        "starts_at": day.isoformat(),
        "ends_at": (day + timedelta(days=1)).isoformat(),
    }
    request = await world.call("POST", "/v1/shift-requests", ana, expect=201, json=body)
    path = f"/v1/shift-requests/{request['id']}/take"
    answers = await asyncio.gather(*(send(world, "POST", path, who) for who in others))
    [winner] = [answer.json()["taken_by"] for answer in answers if answer.status_code == 200]
    for answer in answers:
        if answer.status_code != 200:
            details = refusal(answer, 409, "SHIFT_REQUEST_SETTLED")
            assert details["taken_by"] == winner
    assert await on_call(world, rota, day) == [winner]
    assert await world.sql("SELECT count(*) FROM schedule_overrides") == [(1,)]


async def test_of_two_who_take_the_pager_at_once_the_later_has_it(world: World) -> None:
    ana = await world.person("ana@example.org")
    others = [await world.person(f"p{n}@example.org") for n in range(2)]
    rota = await schedule(world, ana)
    path = f"/v1/schedules/{rota}/take"
    body = {"for_minutes": 60}
    answers = await asyncio.gather(*(send(world, "POST", path, who, json=body) for who in others))
    assert [answer.status_code for answer in answers] == [201, 201]
    later = max((answer.json() for answer in answers), key=lambda one: one["override_id"])
    world.clock.forward(minutes=1)
    assert await on_call(world, rota, await world.clock.now()) == [later["user_id"]]


async def test_many_replicas_that_turn_at_once_tell_each_thing_once(world: World) -> None:
    ana, ben = await world.person("ana@example.org"), await world.person("ben@example.org")
    for n in range(3):
        await schedule(world, ana, ben, name=f"Rota {n}")
    day = await midnight(world)

    async def turn() -> None:
        replica = Notices(world.database)
        for _ in range(10):
            await replica.round()

    for at in (day - timedelta(hours=3), day - timedelta(hours=1), day):
        await move_to(world, at)
        await asyncio.gather(*(turn() for _ in range(4)))
    assert sorted(await told(world, ben)) == ["duty_reminder"] * 3 + ["duty_started"] * 3
    assert await told(world, ana) == []
