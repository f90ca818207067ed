"""The crash test itself: green on the product as it is, red on each bug that it is there to see."""

import asyncio

import pytest

from tests.crash import planted, report
from tests.crash.run import Options, Outcome, run

pytestmark = [pytest.mark.crash, pytest.mark.timeout(900)]

SECONDS = 40.0
KILLS = 20


async def played(bug: str | None = None, *, seconds: float, kills: int) -> Outcome:
    patience = 50.0 if bug else 90.0  # longer than a lease
    options = Options(seed=4, duration=seconds, kills=kills, bug=bug, patience=patience)
    return await asyncio.create_task(run(options))


async def test_nothing_is_lost_or_doubled_whatever_is_killed() -> None:
    outcome = await played(seconds=SECONDS, kills=KILLS)
    found = report.results(outcome)
    assert found["verdict"] == "green", report.table(found)
    assert found["kills"] >= KILLS
    assert found["lost"] == found["doubled"] == found["after_answer"] == 0
    assert found["resent"] > 0, "no fault ever met a page: nothing was shown"
    assert {fault.kind for fault in outcome.books.faults} == {"kill", "database", "sink"}


@pytest.mark.parametrize(
    ("bug", "seen_as"),
    [
        ("claim-without-lock", "doubled"),
        ("recorded-before-sent", "lost"),
        ("lease-never-rescued", "lost"),
    ],
)
async def test_a_planted_bug_is_seen(bug: str, seen_as: str) -> None:
    outcome = await played(bug, seconds=15, kills=5)
    found = report.results(outcome)
    assert found["verdict"] == "red", report.table(found)
    assert found[seen_as] > 0, report.table(found)


def test_every_bug_that_can_be_planted_is_tried() -> None:
    assert set(planted.BUGS) == {
        "claim-without-lock",
        "recorded-before-sent",
        "lease-never-rescued",
    }
