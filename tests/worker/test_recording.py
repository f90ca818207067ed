"""Outcomes are written down together, and each for itself."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import event

from app.core.metrics import Metrics
from app.domain.lease import Leased
from app.domain.notification import Channel
from app.services.outcome import Again, HandedBack, Kept, Lost, Taken, Verdict
from app.worker.recording import Recorder
from tests.worker.lanes import MANY, lease, pages
from tests.world import Person, World

WAIT = timedelta(minutes=1)
PATIENCE = 0.0  # tried once


@pytest.fixture
async def ana(world: World) -> Person:
    admin = await world.admin()
    ana, ben = await world.person(), await world.person("ben@example.org")
    steps = [(0, {"user": ana.id}), (600, {"user": ben.id})]
    await world.policy(admin, steps, final_delay_minutes=600)
    return ana


async def leased(world: World, ana: Person, count: int) -> list[Leased]:
    for number in range(count):
        await world.declare(ana, title=f"Problem {number}")
    await world.climb()
    async with world.database.writing() as session:
        return (await lease(session, MANY, free=count)).leased


async def record(recorder: Recorder, told: list[tuple[Leased, Verdict]]) -> None:
    await asyncio.gather(
        *(recorder.record(one, verdict, patience=PATIENCE) for one, verdict in told)
    )


@contextmanager
def commits(world: World) -> Iterator[list[object]]:
    seen: list[object] = []
    engine = world.database.engine.sync_engine

    def note(connection: object) -> None:
        seen.append(connection)

    event.listen(engine, "commit", note)
    try:
        yield seen
    finally:
        event.remove(engine, "commit", note)


async def test_each_gets_its_own_end_in_one_transaction(world: World, ana: Person) -> None:
    sent, kept, again, back, spare = await leased(world, ana, 5)
    recorder = Recorder(world.database)
    first = asyncio.create_task(recorder.record(spare, Taken("id-0"), patience=PATIENCE))
    second = asyncio.create_task(recorder.record(sent, Taken("id-1"), patience=PATIENCE))
    await asyncio.sleep(0)
    told: list[tuple[Leased, Verdict]] = [
        (kept, Kept("/outbox/1.eml", "odd")),
        (again, Again("Busy.", WAIT)),
        (back, HandedBack(back.claimed_at + WAIT, "It is down.")),
    ]
    with commits(world) as seen:
        await record(recorder, told)
        await asyncio.gather(first, second)
    assert len(seen) <= 3, "two that began at once, and the rest together"
    rows = {row["id"]: row for row in await pages(world, ana)}
    found = {key: (row["status"], row["attempts"], row["last_error"]) for key, row in rows.items()}
    assert found == {
        sent.id: ("sent", 1, None),
        spare.id: ("sent", 1, None),
        kept.id: ("suppressed", 1, "odd"),
        again.id: ("pending", 1, "Busy."),
        back.id: ("pending", 0, "It is down."),
    }
    assert rows[sent.id]["history"][0]["provider_id"] == "id-1"
    assert [len(rows[key]["history"]) for key in (kept.id, again.id, back.id)] == [1, 1, 0]


async def test_one_that_cannot_be_written_fails_alone(
    world: World, ana: Person, caplog: pytest.LogCaptureFixture
) -> None:
    first, bad, last = await leased(world, ana, 3)
    recorder = Recorder(world.database)
    await record(
        recorder, [(first, Taken()), (bad, Taken(note="no text \x00 at all")), (last, Taken())]
    )
    rows = {row["id"]: row["status"] for row in await pages(world, ana)}
    assert rows == {first.id: "sent", bad.id: "sending", last.id: "sent"}
    assert [r.notification_id for r in caplog.records if r.msg == "delivery.not_recorded"] == [  # type: ignore[attr-defined]
        bad.id
    ]


async def test_many_losses_at_once_tell_their_incidents_and_let_the_next_step_come(
    world: World, ana: Person
) -> None:
    lost = await leased(world, ana, 4)
    await record(Recorder(world.database), [(one, Lost("No such mailbox.")) for one in lost])
    for one in lost:
        assert one.incident is not None
        story = await world.timeline(ana, one.incident.id)
        assert {"notification_failed", "escalation_hurried"} <= set(story)


async def test_who_lost_the_lease_changes_nothing_for_who_has_it_now(
    world: World, ana: Person
) -> None:
    [old] = await leased(world, ana, 1)
    world.clock.forward(minutes=5)
    async with world.database.writing() as session:
        [new] = (await lease(session, MANY)).leased
    recorder = Recorder(world.database)
    for late in (Lost("Too late."), Taken("not mine"), HandedBack()):
        await record(recorder, [(old, late)])
        [row] = await pages(world, ana)
        assert (row["status"], row["attempts"]) == ("sending", 2)
    await record(recorder, [(new, Taken("mine"))])
    [row] = await pages(world, ana)
    assert (row["status"], row["attempts"]) == ("sent", 2)
    assert [attempt["provider_id"] for attempt in row["history"]] == [None, "mine"]


async def test_what_was_handed_back_is_leased_as_if_it_had_never_been(
    world: World, ana: Person
) -> None:
    [one] = await leased(world, ana, 1)
    await record(Recorder(world.database), [(one, HandedBack())])
    async with world.database.writing() as session:
        [again] = (await lease(session, MANY)).leased
    assert (again.attempts, again.is_resend, again.before.claimed_at) == (1, False, None)


async def test_what_is_counted_tells_what_became_of_it_and_how_late(
    world: World, ana: Person
) -> None:
    sent, again, back, lost = await leased(world, ana, 4)
    counted = Metrics()
    told: list[tuple[Leased, Verdict]] = [
        (sent, Taken()), (again, Again("Busy.", WAIT)), (back, HandedBack()), (lost, Lost("No."))
    ]  # fmt: skip
    await record(Recorder(world.database, counted), told)
    text = counted.render().decode()
    for outcome in ("sent", "retried", "handed_back", "failed"):
        assert (
            f'tocsin_messages_total{{channel="email",kind="page",outcome="{outcome}"}} 1.0' in text
        )
    assert f'tocsin_page_lateness_seconds_count{{channel="{Channel.EMAIL}"}} 1.0' in text
