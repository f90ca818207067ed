"""The same request many times at once: one does it, nobody waits, a failed one may come again."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from app.crud import crud_idempotency_key
from app.services import idempotency_key as idempotency_key_service
from app.services.idempotency_key import KEPT, KeyInUseError, Mark
from app.worker.housekeeping import Housekeeping
from tests.api.answers import refusal, refused, send
from tests.world import Person, World

KEYED = {"Idempotency-Key": "first"}
INCIDENT = {"title": "Disk full", "severity": "high", "service": "database"}
USER = {"email": "new@example.org", "password": "correct horse"}
WAITS = """
    SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


async def count_of(world: World, table: str) -> int:
    ((count,),) = await world.sql(f"SELECT count(*) FROM {table}")
    return int(count)


@asynccontextmanager
async def at_work(world: World, who: Person, number: int) -> AsyncIterator[asyncio.Task[Any]]:
    """A request with the key that is in the middle of its work for as long as this lasts."""
    path = f"/v1/incidents/{number}/escalate"
    async with world.database.writing() as session:
        await session.execute(
            text("SELECT 1 FROM incidents WHERE id = :id FOR UPDATE"), {"id": number}
        )
        first = asyncio.create_task(send(world, "POST", path, who, headers=KEYED))
        while not await world.sql(WAITS):
            assert not first.done(), first.result().text
            await asyncio.sleep(0.01)
        yield first
    await first


@pytest.mark.parametrize(
    ("path", "table", "body", "many"),
    [
        ("/v1/incidents", "incidents", INCIDENT, 15),
        ("/v1/users", "users", USER, 15),
        ("/v1/fire-drills", "fire_drills", {}, 3),  # nothing but the key tells them apart
    ],
)
async def test_of_many_at_once_one_does_it(
    world: World, path: str, table: str, body: dict[str, Any], many: int
) -> None:
    admin = await world.admin()
    before = await count_of(world, table)
    answers = await asyncio.gather(
        *(send(world, "POST", path, admin, json=body, headers=KEYED) for _ in range(many))
    )
    statuses = Counter(answer.status_code for answer in answers)
    assert statuses[201] == 1
    assert set(statuses) <= {200, 201, 409}
    made = next(answer.json() for answer in answers if answer.status_code == 201)
    for answer in answers:
        if answer.status_code == 409:
            refusal(answer, 409, "IDEMPOTENCY_KEY_IN_USE")
        elif answer.status_code == 200:
            assert answer.json() == made
    assert await count_of(world, table) == before + 1
    assert await world.call("POST", path, admin, json=body, headers=KEYED) == made


async def test_while_the_first_is_at_work_others_are_told_at_once(world: World) -> None:
    """At once: the first cannot go on before they have their answer."""
    ana = await world.person()
    number = (await world.declare(ana))["id"]
    path = f"/v1/incidents/{number}/escalate"
    async with at_work(world, ana, number) as first:
        for _ in range(3):
            await refused(world, "POST", path, ana, 409, "IDEMPOTENCY_KEY_IN_USE", headers=KEYED)
        assert not first.done()
    assert first.result().status_code == 200
    again = await send(world, "POST", path, ana, headers=KEYED)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == first.result().json()
    assert (await world.timeline(ana, number)).count("escalated") == 1


async def test_another_key_and_another_caller_need_not_wait(world: World) -> None:
    ana, ben = await world.person(), await world.person("ben@example.org")
    number = (await world.declare(ana))["id"]
    async with at_work(world, ana, number):
        await world.call("POST", "/v1/incidents", ana, expect=201, json=INCIDENT, headers=KEYED)
        await world.call("POST", "/v1/incidents", ben, expect=201, json=INCIDENT, headers=KEYED)


@pytest.mark.parametrize(("path", "body"), [("/v1/incidents", INCIDENT), ("/v1/users", USER)])
async def test_a_key_whose_first_request_was_not_committed_can_be_used_again(
    world: World, path: str, body: dict[str, Any]
) -> None:
    admin = await world.admin()

    def refuse(session: Session) -> None:
        raise RuntimeError("disk full")

    event.listen(Session, "before_commit", refuse)
    try:
        failed = await send(world, "POST", path, admin, json=body, headers=KEYED)
    finally:
        event.remove(Session, "before_commit", refuse)
    refusal(failed, 500, "INTERNAL_ERROR")
    assert await count_of(world, "idempotency_keys") == 0
    await world.call("POST", path, admin, expect=201, json=body, headers=KEYED)


async def test_a_request_whose_connection_died_leaves_its_key_unused(world: World) -> None:
    ana = await world.person()
    number = (await world.declare(ana))["id"]
    path = f"/v1/incidents/{number}/escalate"
    async with at_work(world, ana, number) as first:
        await world.sql(WAITS.replace("SELECT 1", "SELECT pg_terminate_backend(pid)"))
        refusal(await first, 503, "DATABASE_UNAVAILABLE")
    assert await count_of(world, "idempotency_keys") == 0
    done = await send(world, "POST", path, ana, headers=KEYED)
    assert (done.status_code, "idempotency-replayed" in done.headers) == (200, False)
    assert (await world.timeline(ana, number)).count("escalated") == 1


async def test_the_lock_is_the_transactions_own(world: World) -> None:
    mark = Mark("ab" * 32, "cd" * 32)
    now = await world.clock.now()
    async with world.database.writing() as one:
        assert await idempotency_key_service.claim(one, mark, now=now) is None
        await idempotency_key_service.keep(one, mark, "{}", now=now)
        async with world.database.writing() as other:
            with pytest.raises(KeyInUseError):
                await idempotency_key_service.claim(other, mark, now=now)
    async with world.database.writing() as other:
        assert await idempotency_key_service.claim(other, mark, now=now) == "{}"


# --- Housekeeping -------------------------------------------------------------------------


async def test_answers_are_forgotten_after_a_day_in_batches(world: World) -> None:
    ana = await world.person()
    now = await world.clock.now()
    await world.sql(
        "INSERT INTO idempotency_keys SELECT lpad(to_hex(n), 64, '0'), 'x', '{}', :old"
        " FROM generate_series(1, 1200) n",
        old=now - KEPT - KEPT,
    )
    await world.call("POST", "/v1/incidents", ana, expect=201, json=INCIDENT, headers=KEYED)
    async with world.database.writing() as session:
        assert await crud_idempotency_key.remove_old(session, before=now - KEPT, limit=500) == 500
    await Housekeeping(world.database).sweep()
    assert await count_of(world, "idempotency_keys") == 1
    world.clock.forward(hours=25)
    await Housekeeping(world.database).sweep()
    assert await count_of(world, "idempotency_keys") == 0
