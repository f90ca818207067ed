"""Rendering schedules: a year of an ordinary one, and of the worst that anybody may save.

Processor time, so that a busy machine does not count.
"""

import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from app.domain.on_call import on_call
from app.domain.restriction import EVERY_DAY
from app.domain.schedule import (
    ExplicitShifts,
    Layer,
    OnHolidays,
    Override,
    Schedule,
    Temporary,
    WallShift,
    render,
)
from app.domain.timeline import Interval
from app.schemas.rota import MOST_HANDOFFS, MOST_LAYERS, MOST_RESTRICTIONS, MOST_SHIFTS
from app.services.schedule_override import MOST_AHEAD
from tests.bench.figures import Figure
from tests.bench.ground import Bench
from tests.domain.rotas import BERLIN, WORKDAYS, restricted, turning, wall

YEAR = Interval(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
NIGHT = datetime(2026, 10, 25, 1, tzinfo=UTC)  # on which the clocks go back
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
HOLIDAYS = tuple(
    Interval(YEAR.starts_at + n * 30 * DAY, YEAR.starts_at + n * 30 * DAY + DAY) for n in range(12)
)


def ordinary() -> Schedule:
    """Twelve people in four layers: round the clock, nights, office hours without holidays, and
    one that hands over every twelve hours at weekends; fifty overrides."""
    everybody = range(1, 13)
    return Schedule(
        BERLIN,
        (
            turning("weekly", "2025-01-06T09:00", *everybody),
            turning(
                "daily",
                "2025-01-06T22:00",
                *everybody,
                restrictions=(restricted("22:00", "06:00"),),
            ),
            turning(
                "daily",
                "2025-01-06T09:00",
                *everybody,
                restrictions=(restricted("09:00", "17:00", WORKDAYS),),
                on_holidays=OnHolidays.RESTS,
            ),
            turning(
                "hourly",
                "2025-01-06T09:00",
                *everybody,
                every=12,
                restrictions=(restricted("00:00", "00:00", EVERY_DAY - WORKDAYS),),
            ),
        ),
        HOLIDAYS,
        overrides=tuple(
            Override(
                YEAR.starts_at + n * 7 * DAY, YEAR.starts_at + n * 7 * DAY + 5 * HOUR, 1 + n % 12
            )
            for n in range(50)
        ),
    )


def worst() -> Schedule:
    """As many layers, hand-offs, restrictions, shifts, overrides and temporary schedules as may be
    saved, all of which cut one another."""
    turns = [
        turning(
            "hourly",
            f"2025-01-06T00:{n:02}",
            *range(1, 11),
            every=MOST_LAYERS * 24 // MOST_HANDOFFS,
        )
        for n in range(MOST_LAYERS - 1)
    ]
    cuts = tuple(
        restricted(f"{n // 2:02}:{30 * (n % 2):02}", f"{n // 2:02}:{30 * (n % 2) + 20:02}")
        for n in range(MOST_RESTRICTIONS)
    )
    shifts = tuple(
        WallShift(at := wall("2026-01-01") + n * 4 * HOUR, at + 3 * HOUR, 11 + n % 100)
        for n in range(MOST_SHIFTS)
    )
    top = Layer(ExplicitShifts(shifts), restrictions=cuts, on_holidays=OnHolidays.RESTS)
    layers = (*turns, top)
    return Schedule(
        BERLIN,
        layers,
        HOLIDAYS,
        temporaries=tuple(
            Temporary(at := YEAR.starts_at + n * 16 * HOUR, at + 100 * DAY, layers)
            for n in range(MOST_AHEAD)
        ),
        overrides=tuple(
            Override(
                at := YEAR.starts_at + n * 11 * HOUR, at + 100 * HOUR, 1 + n % 10, 1 + (n + 1) % 10
            )
            for n in range(MOST_AHEAD)
        ),
    )


def took(work: Callable[[], object], rounds: int) -> float:
    """Milliseconds of the processor."""
    found = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        found.append((time.process_time() - began) * 1000)
    return statistics.median(found)


async def measure(bench: Bench) -> list[Figure]:
    rounds = max(3, bench.rounds)
    usual, hostile = ordinary(), worst()
    found = [
        ("schedule_year", "a year of 12 people in 4 layers", lambda: render(usual, YEAR), 50.0),
        ("schedule_now", "who is on call by it at an instant", lambda: on_call(usual, NIGHT), 5.0),
        (
            "schedule_worst_year",
            "a year of the worst schedule",
            lambda: render(hostile, YEAR),
            5000.0,
        ),
        ("schedule_worst_now", "who is on call by it", lambda: on_call(hostile, NIGHT), 50.0),
    ]
    figures = []
    for name, what, work, goal in found:
        value = took(work, rounds)
        bench.say(f"{what}: {value:.1f} ms")
        figures.append(Figure(name, value, "ms", what, goal=goal, smaller=True))
    return figures
