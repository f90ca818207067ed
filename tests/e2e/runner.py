"""Taking the steps, one after the other, and cleaning up behind them."""

import time
import traceback

from tests.e2e.report import Result
from tests.e2e.steps import Step
from tests.e2e.tour import NoMail, Tour, Wrong

NO_MAIL = "its mail cannot be read here (only a local outbox can)"


def take(tour: Tour, steps: list[Step]) -> list[Result]:
    """Every step in its order. One that fails does not keep the next from trying."""
    results = []
    try:
        for step in steps:
            results.append(_one(tour, step))  # noqa: PERF401  # one by one, with its effects
    finally:
        tour.clean_up()
    return results


def _one(tour: Tour, step: Step) -> Result:
    before, started = len(tour.calls), time.perf_counter()
    status, problem = "passed", None
    try:
        step.play(tour)
    except NoMail:
        status, problem = "skipped", NO_MAIL
    except Wrong as wrong:
        status, problem = "failed", str(wrong)
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        status, problem = "failed", f"{type(error).__name__}: {error} ({where.name}:{where.lineno})"
    took = (time.perf_counter() - started) * 1000
    return Result(step.group, step.name, status, round(took, 1), len(tour.calls) - before, problem)
