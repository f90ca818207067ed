"""Calling for people by hand, many at once: each step is taken once, and nobody deadlocks."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.api.answers import refusal, send
from tests.world import Person, World

INCIDENTS = "/v1/incidents"
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


@pytest.fixture(autouse=True)
async def _without_deadlocks(world: World) -> AsyncIterator[None]:
    """A request that deadlocked would be run again, unseen."""
    before = await world.sql(DEADLOCKS)
    yield
    assert await world.sql(DEADLOCKS) == before


async def idle_policy(world: World, admin: Person) -> int:
    """A policy that no incident of these tests matches."""
    conditions = {"service": "nothing"}
    policy = await world.policy(admin, [(5, "admins")], name="By hand", conditions=conditions)
    return int(policy["id"])


async def test_of_four_who_start_the_same_policy_at_once_one_does(world: World) -> None:
    admin = await world.admin()
    policy = await idle_policy(world, admin)
    number = (await world.declare(admin))["id"]
    path = f"{INCIDENTS}/{number}/escalations"
    answers = await asyncio.gather(
        *(send(world, "POST", path, admin, json={"policy_id": policy}) for _ in range(4))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    for answer in answers:
        if answer.status_code == 409:
            refusal(answer, 409, "ALREADY_RUNNING")


async def test_people_who_escalate_at_once_take_each_step_once(world: World) -> None:
    admin = await world.admin()
    people = [await world.person(f"p{n}@example.org") for n in range(4)]
    await world.policy(admin, [(5, "admins")] * 3, repeat=1)
    for _ in range(5):
        number = (await world.declare(admin))["id"]
        answers = await asyncio.gather(
            *(send(world, "POST", f"{INCIDENTS}/{number}/escalate", who) for who in people),
            *(world.climb() for _ in range(3)),
        )
        assert {answer.status_code for answer in answers[:4] if not isinstance(answer, int)} == {
            200
        }
        await world.climb()
        pages = await world.notifications(admin, number)
        steps = [(page["escalation_id"], page["loop"], page["step"]) for page in pages]
        assert len(steps) == len(set(steps)) >= 1
    [[faults]] = await world.sql("SELECT count(*) FROM escalations WHERE faults > 0")
    assert faults == 0


async def test_two_who_escalate_before_anybody_climbs_take_one_step(world: World) -> None:
    admin = await world.admin()
    await world.policy(admin, [(5, "admins")] * 3)
    number = (await world.declare(admin))["id"]
    await asyncio.gather(*(world.act(admin, number, "escalate") for _ in range(2)))
    await world.climb()
    assert [page["step"] for page in await world.notifications(admin, number)] == [0]


async def test_escalating_meets_answering(world: World) -> None:
    admin = await world.admin()
    policy = await idle_policy(world, admin)
    await world.policy(admin, [(0, "admins"), (5, "admins")])
    for _ in range(5):
        number = (await world.declare(admin))["id"]
        where = await world.call("GET", f"{INCIDENTS}/{number}/escalation", admin)
        run = where["escalations"][0]["id"]
        path = f"{INCIDENTS}/{number}"
        body = {"policy_id": policy}
        answers = await asyncio.gather(
            send(world, "POST", f"{path}/escalate", admin),
            send(world, "POST", f"{path}/escalations", admin, json=body),
            send(world, "POST", f"{path}/escalations/{run}/cancel", admin),
            send(world, "POST", f"{path}/acknowledge", admin),
            send(world, "PATCH", path, admin, json={"severity": "low"}),
            world.climb(),
            send(world, "POST", f"{path}/resolve", admin),
        )
        met = {answer.status_code for answer in answers if not isinstance(answer, int)}
        assert met <= {200, 201, 400, 409}
        assert (await world.call("GET", path, admin))["status"] == "resolved"
    waiting = await world.sql(
        "SELECT 1 FROM notifications WHERE ready_at IS NOT NULL"
        " UNION ALL SELECT 1 FROM escalations WHERE next_step_at IS NOT NULL OR faults > 0"
    )
    assert waiting == []
