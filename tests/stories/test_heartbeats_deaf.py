"""Silence can be ours: what was missed while nobody could be heard is nobody's fault."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from app.api.listening import Listening
from app.domain.heartbeat_monitor import DEAF_AFTER
from app.worker.loop import SKIPPED
from app.worker.monitors import Monitors
from tests.heartbeats import MINUTE, incidents, listening, look, monitor, pass_time, ping, seen
from tests.world import Person, World


@pytest.fixture
async def admin(world: World) -> Person:
    admin = await world.admin()
    await listening(world)
    return admin


async def come_back(world: World, **span: float) -> None:
    """Nobody takes pings for a while; then somebody does, and the loop looks."""
    world.clock.forward(**span)
    await look(world)
    await Listening(world.database).round()
    await look(world)


def at(told: dict[str, Any], name: str) -> datetime:
    return datetime.fromisoformat(told[name])


async def test_while_nobody_listens_nothing_is_missed(world: World, admin: Person) -> None:
    await ping(world, await monitor(world, admin))
    world.clock.forward(hours=3)
    assert await Monitors(world.database).round() is None
    assert await incidents(world, admin) == []


async def test_what_was_expected_meanwhile_is_expected_when_it_would_come_next(
    world: World, admin: Person
) -> None:
    """Not after a grace only: a whole installation’s monitors would seem to be missing at once."""
    made = await monitor(world, admin)
    await ping(world, made)
    first = at(await seen(world, admin, made), "expected_at")
    await come_back(world, hours=3, minutes=30)
    assert await incidents(world, admin) == []
    assert at(await seen(world, admin, made), "expected_at") == first + timedelta(hours=3)
    await pass_time(world, minutes=39)
    assert await incidents(world, admin) == []
    await pass_time(world, minutes=2)
    assert len(await incidents(world, admin)) == 1


async def test_what_was_late_already_gets_a_fresh_grace(world: World, admin: Person) -> None:
    made = await monitor(world, admin)
    await ping(world, made)
    await pass_time(world, minutes=65)
    await come_back(world, hours=2)
    assert (await seen(world, admin, made))["state"] == "late"
    await pass_time(world, minutes=9)
    assert await incidents(world, admin) == []
    await pass_time(world, minutes=2)
    assert len(await incidents(world, admin)) == 1


async def test_what_was_missed_before_is_missed_after(world: World, admin: Person) -> None:
    """Its time was over while pings could come in; only the loop had not looked yet."""
    made = await monitor(world, admin)
    await ping(world, made)
    world.clock.forward(minutes=71)
    await listening(world)
    await come_back(world, hours=2)
    assert len(await incidents(world, admin)) == 1


async def test_what_was_not_expected_meanwhile_is_as_it_was(world: World, admin: Person) -> None:
    made = await monitor(world, admin, interval_seconds=24 * 60 * MINUTE)
    await ping(world, made)
    before = await seen(world, admin, made)
    await come_back(world, hours=3)
    assert await seen(world, admin, made) == before


async def test_a_moment_excuses_nobody(world: World, admin: Person) -> None:
    """A restart of a few seconds is no outage: curl tries again for longer."""
    made = await monitor(world, admin)
    await ping(world, made)
    world.clock.forward(minutes=69, seconds=50)
    await listening(world)
    await come_back(world, seconds=DEAF_AFTER.total_seconds() - 1)
    assert len(await incidents(world, admin)) == 1


async def test_whoever_was_down_is_not_opened_again_for_our_silence(
    world: World, admin: Person
) -> None:
    made = await monitor(world, admin)
    await ping(world, made)
    await pass_time(world, minutes=71)
    [incident] = await incidents(world, admin)
    await world.act(admin, incident["id"], "resolve")
    await come_back(world, hours=5)
    assert len(await incidents(world, admin)) == 1
    await pass_time(world, minutes=71)
    assert len(await incidents(world, admin)) == 2


async def test_of_two_that_come_back_together_one_excuses(world: World, admin: Person) -> None:
    made = await monitor(world, admin)
    await ping(world, made)
    world.clock.forward(hours=2, minutes=30)
    await Listening(world.database).round()
    expected = (await seen(world, admin, made))["expected_at"]
    world.clock.forward(seconds=5)
    await Listening(world.database).round()
    assert (await seen(world, admin, made))["expected_at"] == expected


async def test_the_loop_is_told_when_somebody_listens_again(world: World, admin: Person) -> None:
    rung: set[str] = set()
    world.database.wake = rung.update
    await come_back(world, hours=1)
    assert "heartbeat_monitors" in rung


async def test_the_loop_sleeps_until_the_next_is_due(world: World, admin: Person) -> None:
    loop = Monitors(world.database)
    assert await loop.round() is None
    await ping(world, await monitor(world, admin))
    lead = await loop.round()
    assert lead is not None
    assert SKIPPED < lead <= timedelta(minutes=70)
