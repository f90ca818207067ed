"""Housekeeping: what is over goes, what is not stays, whoever else is at it."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from app.db.session import transaction_time
from app.domain.notification import Channel, NotificationKind
from app.services import outbox
from app.services.outbox import Letter
from app.worker import housekeeping
from app.worker.housekeeping import Housekeeping
from tests.world import Scripted, World


async def left(world: World) -> dict[str, int]:
    tables = ("throttles", "login_sessions", "challenges", "notifications", "notification_attempts")
    return {table: (await world.sql(f"SELECT count(*) FROM {table}"))[0][0] for table in tables}


async def fill(world: World) -> None:
    """A login, a count, a challenge and its letter, a page."""
    ana = await world.admin()
    await world.call("POST", "/v1/auth/password-recovery", json={"email": ana.email}, expect=202)
    await world.policy(ana, [(0, "admins")])
    await world.declare(ana)
    await world.pass_time(Scripted())


async def test_what_is_over_goes_and_what_is_not_stays(world: World) -> None:
    await fill(world)
    before = await left(world)
    keeper = Housekeeping(world.database)
    await keeper.sweep()
    assert (await left(world), keeper.removed) == (before, 0)

    world.clock.forward(hours=2)
    await keeper.sweep()
    assert await left(world) == {**before, "throttles": 0}

    world.clock.forward(days=31)
    await keeper.sweep()
    assert await left(world) == {**before, "throttles": 0, "challenges": 0}

    world.clock.forward(days=60)
    await keeper.sweep()
    assert await left(world) == {
        "throttles": 0,
        "login_sessions": 0,
        "challenges": 0,
        "notifications": 1,
        "notification_attempts": 1,
    }
    assert (await world.sql("SELECT kind FROM notifications"))[0][0] == "page"


async def test_a_letter_that_still_waits_is_kept_however_old(world: World) -> None:
    async with world.database.writing() as session:
        now = await transaction_time(session)
        letter = Letter(NotificationKind.SIGNUP_KNOWN, Channel.EMAIL, address="a@example.org")
        await outbox.post(session, letter, now=now)
    world.clock.forward(days=365)
    await Housekeeping(world.database).sweep()
    assert (await left(world))["notifications"] == 1


async def test_many_keepers_sweep_in_batches_and_clash_with_nobody(world: World) -> None:
    count = 3 * housekeeping.BATCH + 7
    await world.sql(
        "INSERT INTO throttles (key, count, ends_at)"
        " SELECT 'key ' || n, 1, now() - interval '1 hour' FROM generate_series(1, :count) n",
        count=count,
    )
    await world.sql(
        "INSERT INTO notifications (kind, channel, recipient, rule, address, status, due_at,"
        " reason, created_at) SELECT 'signup', 'email', 'address', 0, 'a@example.org',"
        " 'cancelled', now(), 'x', now() - interval '91 days' FROM generate_series(1, :count)",
        count=count,
    )
    keepers = [Housekeeping(world.database) for _ in range(4)]
    await asyncio.gather(*(keeper.sweep() for keeper in keepers))
    await keepers[0].sweep()
    assert sum(keeper.removed for keeper in keepers) == 2 * count
    assert sum((await left(world)).values()) == 0


async def bodies(world: World) -> list[tuple[int, bytes | None, int | None]]:
    found = await world.sql("SELECT id, raw_body, body_size FROM alerts ORDER BY id")
    return [(key, body, size) for key, body, size in found]


async def test_bodies_of_alerts_are_forgotten_and_what_became_of_them_is_not(
    world: World,
) -> None:
    ana = await world.admin()
    key = await world.integration_key(ana)
    old = await world.alert(key, title="Old")
    world.clock.forward(days=3)
    young = await world.alert(key, title="Young")
    before = await bodies(world)
    assert all(body for _, body, _ in before)
    keeper = Housekeeping(world.database, bodies_kept=timedelta(days=5))

    world.clock.forward(days=1, hours=23)
    await keeper.sweep()
    assert await bodies(world) == before

    world.clock.forward(hours=1, seconds=1)
    assert await keeper.sweep() is None
    [first, second] = await bodies(world)
    assert first == (old["id"], None, before[0][2])
    assert second == before[1]
    told = await world.call("GET", f"/v1/alerts/{old['id']}", ana)
    assert (told["outcome"], told["title"], told["has_body"]) == ("opened", "Old", False)
    assert (await world.call("GET", f"/v1/alerts/{young['id']}", ana))["has_body"]


async def test_bodies_are_kept_for_two_weeks_unless_told_otherwise(world: World) -> None:
    await world.alert(await world.integration_key(await world.admin()))
    world.clock.forward(days=13, hours=23)
    await Housekeeping(world.database).sweep()
    [(_, body, _)] = await bodies(world)
    assert body
    world.clock.forward(hours=2)
    await Housekeeping(world.database).sweep()
    [(_, body, _)] = await bodies(world)
    assert body is None


async def test_what_is_too_much_for_one_round_is_gone_on_with_soon(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More bodies may come in an hour than one round forgets."""
    monkeypatch.setattr(housekeeping, "BATCH", 10)
    monkeypatch.setattr(housekeeping, "MOST_BATCHES", 2)
    first = await world.alert(await world.integration_key(await world.admin()))
    await world.sql(
        "INSERT INTO alerts (integration_id, outcome, raw_body, body_size, received_at)"
        " SELECT integration_id, 'ignored', 'x', 1, now() - interval '30 days'"
        " FROM alerts, generate_series(1, 25) WHERE id = :id",
        id=first["id"],
    )
    keeper = Housekeeping(world.database)
    assert await keeper.sweep() == housekeeping.NEXT_ROUND
    assert keeper.removed == 20
    assert await keeper.sweep() is None
    assert keeper.removed == 25
    assert [key for key, body, _ in await bodies(world) if body] == [first["id"]]


async def test_forgetting_bodies_waits_for_nobody_and_keeps_nobody_waiting(world: World) -> None:
    ana = await world.admin()
    key = await world.integration_key(ana)
    held, free = await world.alert(key), await world.alert(key)
    world.clock.forward(days=15)
    async with world.database.writing() as session:
        await session.execute(
            text("SELECT 1 FROM alerts WHERE id = :id FOR UPDATE"), {"id": held["id"]}
        )
        await asyncio.wait_for(Housekeeping(world.database).sweep(), 5)
        assert [bool(body) for _, body, _ in await bodies(world)] == [True, False]
        assert free["id"] == (await bodies(world))[1][0]
    await Housekeeping(world.database).sweep()
    assert [bool(body) for _, body, _ in await bodies(world)] == [False, False]
