"""Which loops are rung, and when."""

from collections.abc import Iterable
from datetime import timedelta

import pytest

from app.domain.notification import Channel
from app.worker import Worker
from app.worker.compose import composer
from tests.world import Scripted, World

TICK = timedelta(seconds=60)


@pytest.fixture
def worker(world: World) -> Worker:
    """Not started, so that whoever was rung stays so."""
    compose = composer(world.service.signer, "https://tocsin.test")
    return Worker(
        world.database, [Scripted(), Scripted(channel=Channel.CHAT)], compose, safety_tick=TICK
    )


def rung(worker: Worker) -> set[str]:
    found = {name for name, loop in worker._loops.items() if loop._rung.is_set()}
    for name in found:
        worker._loops[name]._rung.clear()
    return found


def test_a_ring_is_for_the_loop_of_that_name_or_for_all_below_it(worker: Worker) -> None:
    for name, meant in {
        "delivery": {"delivery.email", "delivery.chat"},
        "delivery.chat": {"delivery.chat"},
        "deliver": set(),
        "escalation": {"escalation"},
        "delivery.carrier_pigeon": set(),  # another replica may know more than we
    }.items():
        worker.ring(name)
        assert rung(worker) == meant, name


async def test_a_page_wakes_its_channel_alone(world: World, worker: Worker) -> None:
    ana = await world.admin()
    await world.policy(ana, [(0, "admins")])

    def wake(loops: Iterable[str]) -> None:
        for name in loops:
            worker.ring(name)

    await world.declare(ana)
    world.database.wake = wake
    await world.climb()
    assert {name for name in rung(worker) if name.startswith("delivery")} == {"delivery.email"}


async def test_the_ticks_come_one_after_the_other(worker: Worker) -> None:
    worker.start()
    try:
        ticks = min(worker._scheduler.get_jobs(), key=lambda job: job.trigger.interval)
        for loop in worker._loops.values():
            await loop.stop()  # whoever is rung from now on stays so
        rung(worker)
        met: set[str] = set()
        for _ in range(round(TICK / ticks.trigger.interval)):
            await ticks.func()
            now = rung(worker)
            assert len(now) <= 1
            met |= now
        assert {
            "escalation",
            "delivery.email",
            "delivery.chat",
            "relay",
            "heartbeat_monitors",
        } <= met
    finally:
        await worker.stop()
