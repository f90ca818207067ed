"""The dead man's switch: called while this process does its work, silent in every doubt."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import event

from app.core.metrics import Metrics
from app.db.session import Database
from app.worker.compose import composer
from app.worker.heartbeat import Heartbeat
from app.worker.loop import Loop
from app.worker.runner import ESCALATION, Monitor, Worker
from tests.channels.servers import HttpRecord, answer, free_port, http_server, silence
from tests.conftest import Clock
from tests.world import RetryLater, Scripted, World

SECRET = "/ping/5e0c1d7e-secret"


class Ticks:
    """A clock that only a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
async def monitor() -> AsyncIterator[HttpRecord]:
    async with http_server(answer(200)) as record:
        yield record


def heart(url: str, database: Database, ticks: Ticks, *, turns: bool = True) -> Heartbeat:
    return Heartbeat(
        url + SECRET,
        database,
        lambda: turns,
        every=timedelta(seconds=60),
        longest_send=timedelta(seconds=20),
        metrics=Metrics(),
        clock=ticks,
    )


async def calls(heartbeat: Heartbeat, record: HttpRecord) -> int:
    """How many calls one beat makes."""
    before = len(record.requests)
    await heartbeat.beat()
    return len(record.requests) - before


async def test_all_is_well_and_the_monitor_hears_it(
    world: World, monitor: HttpRecord, ticks: Ticks
) -> None:
    heartbeat = heart(monitor.url, world.database, ticks)
    assert heartbeat.report() == {"last": None, "reason": None, "seconds_since_sent": None}
    assert await calls(heartbeat, monitor) == 1
    assert monitor.requests[0].startswith(f"GET /hook{SECRET} ".encode())
    ticks.now += 7
    assert heartbeat.report() == {"last": "sent", "reason": None, "seconds_since_sent": 7.0}
    await heartbeat.stop()


async def test_silence_while_a_loop_stands_still(
    world: World, monitor: HttpRecord, ticks: Ticks
) -> None:
    heartbeat = heart(monitor.url, world.database, ticks, turns=False)
    assert await calls(heartbeat, monitor) == 0
    assert heartbeat.report()["reason"] == "A loop of this process stands still."
    await heartbeat.stop()


async def test_a_worker_whose_escalation_loop_hangs_is_silent(
    world: World, monitor: HttpRecord
) -> None:
    """Everything else of it turns, and the database is well."""
    compose = composer(world.service.signer, "https://tocsin.test")
    worker = Worker(
        world.database,
        [Scripted()],
        compose,
        safety_tick=timedelta(milliseconds=20),
        monitor=Monitor(monitor.url + SECRET, timedelta(hours=1)),
    )
    began, gate = asyncio.Event(), asyncio.Event()

    async def hang() -> timedelta | None:
        began.set()
        await gate.wait()
        return None

    hanging = Loop(ESCALATION, hang, longest_sleep=timedelta(milliseconds=40))
    worker._loops[ESCALATION] = hanging
    worker.start()
    heartbeat = worker._heartbeat
    assert heartbeat is not None
    try:
        await began.wait()
        while heartbeat.report()["last"] is None:  # its first beat, before anybody could know
            await asyncio.sleep(0.01)
        hanging._turned_at -= 3600  # it has hung for an hour
        assert await calls(heartbeat, monitor) == 0
        assert heartbeat.report()["reason"] == "A loop of this process stands still."

        gate.set()
        while hanging._age() > 60:  # it turns again
            await asyncio.sleep(0.01)
        assert await calls(heartbeat, monitor) == 1
    finally:
        gate.set()
        await worker.stop()


async def test_silence_while_the_database_is_gone(monitor: HttpRecord, ticks: Ticks) -> None:
    gone = Database(f"postgresql+asyncpg://nobody@127.0.0.1:{free_port()}/nothing")
    heartbeat = heart(monitor.url, gone, ticks)
    assert await calls(heartbeat, monitor) == 0
    assert "The database cannot be asked" in heartbeat.report()["reason"]
    await heartbeat.stop()
    await gone.close()


async def test_silence_while_the_database_takes_no_writes(
    world: World, monitor: HttpRecord, ticks: Ticks
) -> None:
    def demote(connection: object, _: object) -> None:
        cursor = connection.cursor()  # type: ignore[attr-defined]
        cursor.execute("SET default_transaction_read_only = on")
        connection.commit()  # type: ignore[attr-defined]

    standby = Database(world.database.engine.url.render_as_string(hide_password=False))
    event.listen(standby.engine.sync_engine, "connect", demote)
    heartbeat = heart(monitor.url, standby, ticks)
    assert await calls(heartbeat, monitor) == 0
    assert heartbeat.report()["reason"] == "The database takes no writes."
    await heartbeat.stop()
    await standby.close()


async def test_silence_while_a_step_is_due_and_nobody_takes_it(
    world: World, monitor: HttpRecord, ticks: Ticks, clock: Clock
) -> None:
    """The loops turn, and still nothing moves: a moment is forgiven, a while is not."""
    admin = await world.admin()
    await world.policy(admin, [(0, "admins")])
    await world.declare(admin)
    heartbeat = heart(monitor.url, world.database, ticks)
    assert await calls(heartbeat, monitor) == 1  # not due for long
    clock.forward(minutes=5)
    assert await calls(heartbeat, monitor) == 1  # seen for the first time: it may move yet
    ticks.now += 79
    assert await calls(heartbeat, monitor) == 1
    ticks.now += 2
    assert await calls(heartbeat, monitor) == 0
    assert heartbeat.report()["reason"] == "Nothing moves in: steps."
    await world.climb()
    assert await calls(heartbeat, monitor) == 1
    await heartbeat.stop()


async def test_silence_while_a_page_is_due_and_nobody_takes_it(
    world: World, monitor: HttpRecord, ticks: Ticks, clock: Clock
) -> None:
    admin = await world.admin()
    await world.policy(admin, [(0, "admins")])
    await world.declare(admin)
    await world.climb()
    clock.forward(minutes=5)
    heartbeat = heart(monitor.url, world.database, ticks)
    await heartbeat.beat()
    ticks.now += 120
    assert await calls(heartbeat, monitor) == 0
    assert heartbeat.report()["reason"] == "Nothing moves in: email."
    await heartbeat.stop()


async def test_a_provider_that_is_down_is_not_our_death(
    world: World, monitor: HttpRecord, ticks: Ticks, clock: Clock
) -> None:
    """Its pages are tried again and again, so they move; that they are late is told elsewhere."""
    admin = await world.admin()
    await world.policy(admin, [(0, "admins")])
    await world.declare(admin)
    heartbeat = heart(monitor.url, world.database, ticks)
    for _ in range(5):
        await world.pass_time(Scripted(RetryLater("connection refused")), minutes=6)
        ticks.now += 360
        assert await calls(heartbeat, monitor) == 1
    await heartbeat.stop()


async def test_a_backlog_that_is_worked_off_is_not_our_death(
    world: World, monitor: HttpRecord, ticks: Ticks, clock: Clock
) -> None:
    admin = await world.admin()
    await world.policy(admin, [(0, "admins")], final_delay_minutes=600)
    for n in range(4):
        await world.declare(admin, title=f"Problem {n}")
    await world.climb()
    clock.forward(hours=1)  # this replica comes after an outage
    heartbeat = heart(monitor.url, world.database, ticks)
    for _ in range(4):
        assert await calls(heartbeat, monitor) == 1
        ticks.now += 120
        await world.sql(
            "UPDATE notifications SET ready_at = now() + interval '2 hours' WHERE id ="
            " (SELECT id FROM notifications WHERE ready_at < now() ORDER BY ready_at, id LIMIT 1)"
        )
    await heartbeat.stop()


async def test_a_monitor_that_fails_is_noted_once_and_its_url_never(
    world: World, ticks: Ticks, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "app")
    nobody = f"http://127.0.0.1:{free_port()}"
    async with http_server(answer(500), answer(302, Location="/elsewhere")) as record:
        heartbeat = heart(nobody, world.database, ticks)
        for _ in range(3):
            await heartbeat.beat()
        assert heartbeat.report()["reason"] == "The monitor cannot be reached (ConnectError)."
        heartbeat._url = record.url + SECRET
        await heartbeat.beat()
        assert heartbeat.report()["reason"] == "The monitor answered 500."
        await heartbeat.beat()
        assert heartbeat.report()["reason"] == "The monitor answered 302."
        assert len(record.requests) == 2  # a redirect leads nowhere
    said = [record.getMessage() for record in caplog.records if record.name.startswith("app")]
    assert said == ["heartbeat.unanswered"] * 3
    told = "".join(str(vars(record)) for record in caplog.records if record.name[:3] == "app")
    assert "secret" not in told + str(heartbeat.report()) + repr(Monitor(nobody + SECRET, ticks))
    await heartbeat.stop()


async def test_a_monitor_that_never_answers_holds_up_nobody(
    world: World, ticks: Ticks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.worker.heartbeat.CALL_PATIENCE", 0.05)
    async with http_server(silence) as record:
        heartbeat = heart(record.url, world.database, ticks)
        await heartbeat.beat()
        assert "cannot be reached" in heartbeat.report()["reason"]
        heartbeat.start()
        await heartbeat.stop()


async def test_a_loop_that_hangs_does_not_keep_the_process_from_stopping(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.worker.runner.ROUND_PATIENCE", 0.05)
    compose = composer(world.service.signer, "https://tocsin.test")
    worker = Worker(world.database, [Scripted()], compose, safety_tick=timedelta(seconds=5))
    began = asyncio.Event()

    async def hang() -> timedelta | None:
        began.set()
        await asyncio.Event().wait()
        return None

    worker._loops[ESCALATION] = Loop(ESCALATION, hang, longest_sleep=timedelta(seconds=5))
    worker.start()
    await began.wait()
    await worker.stop()
    assert not worker.is_alive()


async def test_without_a_monitor_nobody_is_called(world: World) -> None:
    compose = composer(world.service.signer, "https://tocsin.test")
    worker = Worker(world.database, [Scripted()], compose, safety_tick=timedelta(seconds=5))
    assert worker.heartbeat() is None
