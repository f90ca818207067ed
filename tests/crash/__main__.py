"""Kills, cuts and stalls everything around a few replicas, and counts what became of the pages.

    python -m tests.crash [--seed N] [--duration SECONDS] [--kills N]

Prints a table, writes crash_results.json, and exits with 0 only if no page was lost, doubled or
sent after an answer. See docs/crash-test.md.
"""

import argparse
import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from random import SystemRandom

from tests.crash import planted, report
from tests.crash.database import TheDatabase
from tests.crash.run import Options, run

FULL = 300.0  # seconds
KILLS_A_SECOND = 2 / 3  # 200 in a full run


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--seed", type=int, help="repeats the schedule of faults of that run")
    parser.add_argument("--duration", type=float, default=FULL, help="seconds of faults")
    parser.add_argument("--kills", type=int, help="fewer kills than this are red")
    parser.add_argument("--results", type=Path, default=Path("crash_results.json"))
    parser.add_argument("--keep", type=Path, help="a folder for the ledger and the replicas’ logs")
    parser.add_argument("--bug", choices=sorted(planted.BUGS), help="plant it, and see it caught")
    return parser.parse_args()


def main(database: Callable[[Path], TheDatabase] = TheDatabase) -> int:
    given = arguments()
    options = Options(
        seed=SystemRandom().randrange(10_000) if given.seed is None else given.seed,
        duration=given.duration,
        kills=int(given.duration * KILLS_A_SECOND) if given.kills is None else given.kills,
        bug=given.bug,
        folder=given.keep,
        say=lambda line: print(line, flush=True),
        database=database,
    )
    print(
        f"Seed {options.seed}: {options.duration:g} s, at least {options.kills} kills", flush=True
    )
    outcome = asyncio.run(run(options))
    found = report.results(outcome)
    report.write(given.results, found)
    print("\n" + report.table(found))
    return 0 if outcome.verdict.is_green else 1


if __name__ == "__main__":
    sys.exit(main())
