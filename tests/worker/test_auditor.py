"""The auditor: what somebody forgot is found by its rows, told, and never mended in silence."""

import logging
from typing import Any

import pytest

from app.crud import crud_health
from app.crud.crud_health import Overdue
from app.worker.auditor import Auditor
from tests.conftest import Clock
from tests.world import Person, Scripted, World


@pytest.fixture
async def admin(world: World) -> Person:
    admin = await world.admin()
    await world.policy(admin, [(0, "admins"), (60, "admins")])
    return admin


@pytest.fixture
def auditor(world: World) -> Auditor:
    return Auditor(world.database)


async def found(auditor: Auditor) -> dict[str, int]:
    """What the auditor finds now, without what it does not."""
    await auditor.look()
    assert auditor.found is not None
    return {name: count for name, count in vars(auditor.found).items() if count}


async def test_a_life_of_an_incident_without_a_fault(
    world: World, admin: Person, auditor: Auditor
) -> None:
    """Whatever people and ladders do in good order, nothing is forgotten."""
    number = (await world.declare(admin))["id"]
    assert await found(auditor) == {}
    await world.pass_time(Scripted(), seconds=1)
    assert await found(auditor) == {}
    await world.act(admin, number, "snooze", json={"minutes": 30})
    world.clock.forward(minutes=20)
    assert await found(auditor) == {}
    await world.pass_time(Scripted(), minutes=11)
    assert await found(auditor) == {}
    await world.act(admin, number, "acknowledge")
    world.clock.forward(days=3)
    assert await found(auditor) == {}
    await world.act(admin, number, "snooze", json={"minutes": 30})
    await world.pass_time(Scripted(), minutes=31)  # it is open again
    assert await found(auditor) == {}
    for _ in range(3):  # the ladder runs out, and so does the fallback
        await world.pass_time(Scripted(), hours=2)
        assert await found(auditor) == {}
    assert (await world.call("GET", f"/v1/incidents/{number}", admin))["status"] == "open"
    await world.act(admin, number, "resolve")
    assert await found(auditor) == {}
    await world.act(admin, number, "reopen")
    assert await found(auditor) == {}


async def test_stopped_by_hand_is_not_forgotten(
    world: World, admin: Person, auditor: Auditor
) -> None:
    number = (await world.declare(admin))["id"]
    [run] = await world.sql("SELECT id FROM escalations")
    await world.act(admin, number, f"escalations/{run.id}/cancel")
    assert await found(auditor) == {}


async def test_a_step_and_a_page_that_nobody_takes(
    world: World, admin: Person, auditor: Auditor, clock: Clock
) -> None:
    await world.declare(admin)
    clock.forward(minutes=1)
    assert await found(auditor) == {}
    clock.forward(minutes=2)
    assert await found(auditor) == {"steps": 1}
    await world.climb()
    clock.forward(minutes=3)
    assert await found(auditor) == {"pages": 1}
    await world.deliver(Scripted())
    assert await found(auditor) == {}


async def test_a_sender_that_vanished_and_whose_lease_nobody_took_over(
    world: World, admin: Person, auditor: Auditor
) -> None:
    await world.declare(admin)
    await world.climb()
    await world.sql(
        "UPDATE notifications SET status = 'sending', claimed_at = now(), attempts = 1,"
        " ready_at = now() - interval '3 minutes'"
    )
    assert await found(auditor) == {"leases": 1}


async def test_a_step_that_breaks_again_and_again(
    world: World, admin: Person, auditor: Auditor
) -> None:
    await world.declare(admin)
    again = "UPDATE escalations SET next_step_at = now() + interval '50 seconds', faults = "
    await world.sql(again + "2")
    assert await found(auditor) == {}
    await world.sql(again + "3")
    assert await found(auditor) == {"faults": 1}


async def test_a_ladder_that_stands_still_although_nobody_answered(
    world: World, admin: Person, auditor: Auditor
) -> None:
    await world.declare(admin)
    await world.sql("UPDATE escalations SET status = 'paused', next_step_at = NULL")
    assert await found(auditor) == {"clocks": 1}


@pytest.mark.parametrize(
    "fault",
    [
        "DELETE FROM escalations",
        "UPDATE escalations SET status = 'completed', next_step_at = NULL, finished_at = now()",
        # It ran out, and the fallback was not paged.
        "UPDATE escalations SET status = 'exhausted', next_step_at = NULL, finished_at = now()",
    ],
)
async def test_an_open_incident_that_no_ladder_watches(
    world: World, admin: Person, auditor: Auditor, fault: str
) -> None:
    await world.declare(admin)
    await world.sql(fault)
    assert await found(auditor) == {"incidents": 1}


async def test_a_round_through_all_incidents_takes_as_many_looks_as_it_must(
    world: World, admin: Person, auditor: Auditor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crud_health, "SLICE", 2)
    numbers = [(await world.declare(admin, title=f"Problem {n}"))["id"] for n in range(5)]
    await world.sql("DELETE FROM escalations WHERE incident_id = :it", it=numbers[0])
    assert [await found(auditor) for _ in range(3)] == [{}, {}, {"incidents": 1}]
    # It counts until the next round has come past it, and not for longer.
    await world.sql("UPDATE incidents SET status = 'resolved', resolved_at = now()")
    assert [await found(auditor) for _ in range(2)] == [{}, {}]


async def test_what_was_found_counts_until_the_round_comes_past_it_again(
    world: World, admin: Person, auditor: Auditor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crud_health, "SLICE", 2)
    numbers = [(await world.declare(admin, title=f"Problem {n}"))["id"] for n in range(3)]
    await world.sql("DELETE FROM escalations WHERE incident_id = :it", it=numbers[2])
    assert await found(auditor) == {"incidents": 1}
    assert await found(auditor) == {"incidents": 1}
    assert await found(auditor) == {"incidents": 1}


async def test_it_tells_when_something_changes_and_mends_nothing(
    world: World, admin: Person, auditor: Auditor, caplog: pytest.LogCaptureFixture
) -> None:
    number = (await world.declare(admin))["id"]
    await world.sql("DELETE FROM escalations")
    caplog.set_level(logging.INFO, "app.worker.auditor")

    def said() -> list[Any]:
        return [record.getMessage() for record in caplog.records if "audit" in record.name]

    await auditor.look()
    await auditor.look()
    assert said() == ["audit.overdue"]
    record = next(record for record in caplog.records if "audit" in record.name)
    assert (record.levelname, record.incidents, record.examples) == ("ERROR", 1, [number])  # type: ignore[attr-defined]
    assert await world.sql("SELECT 1 FROM escalations") == []

    await world.act(admin, number, "resolve")
    await auditor.look()
    assert auditor.found == Overdue()
    assert said() == ["audit.overdue", "audit.nothing_overdue_any_more"]
