"""Idle cost: what a whole service takes from a machine on which nothing happens.

One process with its embedded PostgreSQL, as `tocsin serve` starts it: the processor time of both
over a minute, and their memory (PSS: what is shared is counted once). Nothing to compare with
in the same run: the goals are absolute, and small enough that a busy machine does not matter.
"""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.bench.figures import Figure
from tests.bench.ground import Bench
from tests.process.service import Service, postgres_processes

SETTLED_AFTER = 15.0  # seconds: the first round of everything is over
WATCHED_FOR = 60.0
TICKS = os.sysconf("SC_CLK_TCK")


def processor_seconds(pid: int) -> float:
    """User and system time of a process so far; of one that ended meanwhile, none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory(pid: int) -> float:
    """Proportional set size, in MiB."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def descendants(pid: int) -> Iterator[int]:
    """A process and everything it started that still runs."""
    yield pid
    children = Path(f"/proc/{pid}/task/{pid}/children")
    for child in children.read_text().split() if children.exists() else ():
        yield from descendants(int(child))


def server(folder: Path) -> set[int]:
    """The embedded server and all of its backends."""
    return {each for found in postgres_processes(folder) for each in descendants(found)}


async def measure(bench: Bench) -> list[Figure]:
    folder = Path(tempfile.mkdtemp(dir=bench.folder))
    folder.chmod(0o755)
    service = Service(folder, TOCSIN_LOG_FORMAT="json")
    try:
        await asyncio.sleep(SETTLED_AFTER)
        ours = service.process.pid
        theirs = server(folder)
        before = processor_seconds(ours), sum(map(processor_seconds, theirs))
        await asyncio.sleep(WATCHED_FOR)
        spent = (
            processor_seconds(ours) - before[0],
            sum(map(processor_seconds, theirs)) - before[1],
        )
        own, beside = memory(ours), sum(map(memory, server(folder)))
    finally:
        service.end()
        shutil.rmtree(folder, ignore_errors=True)
    bench.say(
        f"Tocsin {spent[0] / WATCHED_FOR:.2%} of a core and {own:.0f} MiB,"
        f" its PostgreSQL {spent[1] / WATCHED_FOR:.2%} and {beside:.0f} MiB"
    )
    return [
        Figure(
            name="idle_processor",
            value=100 * sum(spent) / WATCHED_FOR,
            unit="% of a core",
            what="Idle: processor, with the embedded PostgreSQL",
            goal=2.0,
            smaller=True,
        ),
        Figure(
            name="idle_memory",
            value=own + beside,
            unit="MiB",
            what="Idle: memory (PSS), with the embedded PostgreSQL",
            goal=250.0,
            smaller=True,
        ),
    ]
