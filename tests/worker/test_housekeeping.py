"""Housekeeping: what is over goes, what is not stays, whoever else is at it."""

import asyncio

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
