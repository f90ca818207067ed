"""`python -m tests.bench [part …] [--seconds N] [--rounds N]`: measure, print, write results."""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from app.db.embedded import EmbeddedPostgres
from tests.bench import (
    claim,
    delivery,
    figures,
    heartbeats,
    idle,
    incident_figures,
    ingest,
    lists,
    pages,
    peers,
    reads,
    schedules,
    streams,
)
from tests.bench.figures import Figure
from tests.bench.ground import SETTINGS, Bench, MissingToolError

Part = Callable[[Bench], Awaitable[list[Figure]]]
PARTS: dict[str, Part] = {
    "ingest": ingest.measure,
    "claim": claim.measure,
    "delivery": delivery.measure,
    "lists": lists.measure,
    "reads": reads.measure,
    "pages": pages.measure,
    "figures": incident_figures.measure,
    "schedules": schedules.measure,
    "heartbeats": heartbeats.measure,
    "streams": streams.measure,
    "idle": idle.measure,
}
PEERS: dict[str, Part] = {"peers": peers.measure}
ROOT = Path(__file__).parents[2]


async def _measure(names: list[str], bench: Bench) -> list[Figure]:
    found: list[Figure] = []
    for name in names:
        began = time.monotonic()
        print(f"{name} …", flush=True)
        found += await (PARTS | PEERS)[name](bench)
        print(f"{name}: {time.monotonic() - began:.0f} s\n", flush=True)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS, *PEERS], help="default: all")
    parser.add_argument("--peers", action="store_true", help="beside Alerta, too")
    parser.add_argument("--seconds", type=float, default=8, help="of load in each round")
    parser.add_argument("--rounds", type=int, default=3, help="of each measurement")
    parser.add_argument("--into", type=Path, default=ROOT, help="where the results go")
    asked = parser.parse_args()
    asked.into.mkdir(parents=True, exist_ok=True)  # before the minutes, not after them
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # the server may run as another user
        with EmbeddedPostgres(folder, settings=SETTINGS) as server:
            bench = Bench(server, folder, seconds=asked.seconds, rounds=asked.rounds)
            try:
                parts = asked.parts or [*PARTS, *(PEERS if asked.peers else ())]
                found = asyncio.run(_measure(parts, bench))
            except MissingToolError as missing:
                print(missing, file=sys.stderr)
                return 2
    print(figures.as_table(found))
    title = f"Tocsin against its limits ({os.cpu_count()} cores, load generator included)"
    figures.write(found, asked.into, title)
    return 0


if __name__ == "__main__":
    sys.exit(main())
