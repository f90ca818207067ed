"""The crash test itself: green on the product as it is, red on each bug that it is there to see."""

import asyncio

import pytest

from tests.crash import planted, report
from tests.crash.run import Options, Outcome, run

pytestmark = [pytest.mark.crash, pytest.mark.timeout(900)]

SECONDS = 40.0
KILLS = 20
SEED = 4
SEED_OF_BUGS = 321  # what each bug needs happens to the first few messages of every sink


async def played(bug: str | None = None, *, seconds: float, kills: int) -> Outcome:
    patience = 50.0 if bug else 90.0  # longer than a lease
    seed = SEED_OF_BUGS if bug else SEED
    options = Options(seed=seed, duration=seconds, kills=kills, bug=bug, patience=patience)
    return await asyncio.create_task(run(options))


async def test_nothing_is_lost_or_doubled_whatever_is_killed() -> None:
    outcome = await played(seconds=SECONDS, kills=KILLS)
    found = report.results(outcome)
    assert found["verdict"] == "green", report.table(found)
    assert found["kills"] >= KILLS
    assert found["lost"] == found["doubled"] == found["after_answer"] == 0
    assert found["events_lost"] == found["events_doubled"] == 0
    for name in ("resent", "events_owed", "events_resent"):
        assert found[name] > 0, f"no {name}: nothing was shown"
    assert {fault.kind for fault in outcome.books.faults} == {"kill", "database", "sink"}


@pytest.mark.parametrize(
    ("bug", "seen_as"),
    [
        ("claim-without-lock", ["doubled", "events_doubled"]),
        ("recorded-before-sent", ["lost", "events_lost"]),
        ("lease-never-rescued", ["lost", "events_lost"]),
        ("place-moved-first", ["events_lost"]),
    ],
)
async def test_a_planted_bug_is_seen(bug: str, seen_as: list[str]) -> None:
    outcome = await played(bug, seconds=15, kills=5)
    found = report.results(outcome)
    assert found["verdict"] == "red", report.table(found)
    for name in seen_as:
        assert found[name] > 0, report.table(found)


def test_every_bug_that_can_be_planted_is_tried() -> None:
    assert set(planted.BUGS) == {
        "claim-without-lock",
        "recorded-before-sent",
        "lease-never-rescued",
        "place-moved-first",
    }
