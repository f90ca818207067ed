"""A tick of the loop that looks at 10,000 monitors: with none overdue, some, and all of them.

Monitors are spread over services of their own, so no storm holds their incidents together; nobody
has a policy for them, so the fallback starts for each, as it would at worst.
"""

import time
from typing import Any

import asyncpg

from app.db.session import Database
from app.worker.monitors import Monitors
from tests.bench import seeds
from tests.bench.figures import Figure
from tests.bench.ground import Bench

MONITORS = 10_000
OVERDUE = {100: 500.0, MONITORS: 60_000.0}  # and within how many milliseconds
FEW, ALIKE = 10, 1.5
_FILL = """
    INSERT INTO heartbeat_monitors (name, interval_seconds, grace_seconds, token_hash, hint, pulse,
        last_ping_at, expected_at, due_at)
    SELECT 'Job ' || n, 3600, 600, 'hash ' || n, 'thb_', 'up', now(), now() + interval '1 hour',
        now() + interval '70 minutes'
    FROM generate_series($1::bigint, $2) AS n
"""
_MISS = """
    UPDATE heartbeat_monitors SET last_ping_at = now() - interval '2 hours',
        expected_at = now() - interval '1 hour', due_at = now() - interval '1 second'
    WHERE id IN (SELECT id FROM heartbeat_monitors WHERE pulse = 'up' ORDER BY id LIMIT $1)
"""
# They were heard of again, and nothing is left of their outages.
_HEAL = """
    UPDATE heartbeat_monitors SET pulse = 'up', down_since = NULL, incident_id = NULL,
        last_ping_at = now(), expected_at = now() + interval '1 hour',
        due_at = now() + interval '70 minutes'
    WHERE pulse = 'down'
"""
# As if a service took pings all the while.
_LISTEN = """
    INSERT INTO heartbeat_listening (id, seen_at) VALUES (1, now() + interval '10 minutes')
    ON CONFLICT (id) DO UPDATE SET seen_at = EXCLUDED.seen_at
"""


async def tick(database: Database, hand: "asyncpg.Connection[Any]", overdue: int) -> float:
    """Milliseconds of one round of the loop with so many overdue."""
    await hand.execute(_HEAL)
    await hand.execute(_MISS, overdue)
    await hand.execute("VACUUM ANALYZE heartbeat_monitors")
    await hand.execute(_LISTEN)
    before = await hand.fetchval("SELECT count(*) FROM incidents")
    began = time.perf_counter()
    await Monitors(database).round()
    took = (time.perf_counter() - began) * 1000
    opened = await hand.fetchval("SELECT count(*) FROM incidents") - before
    assert opened == overdue, f"{opened} incidents of {overdue}"
    return took


async def measure(bench: Bench) -> list[Figure]:
    url = await bench.new_database()
    hand = await bench.connect(url)
    await seeds.people(hand)
    with bench.database(url) as database:

        async def median(overdue: int) -> float:
            await tick(database, hand, min(overdue, 1))  # connections are made, plans are known
            return await bench.median_of_rounds(lambda: tick(database, hand, overdue))

        await hand.execute(_FILL, 1, FEW)
        few = await median(0)
        await hand.execute(_FILL, FEW + 1, MONITORS)
        found = [
            Figure(
                "heartbeats_0",
                await median(0),
                "ms",
                f"a tick of {MONITORS:,} monitors, none overdue",
                limit=few,
                limit_is=f"the same with {FEW} monitors",
                goal=ALIKE,
                smaller=True,
            )
        ]
        for overdue, goal in OVERDUE.items():
            what = f"a tick of {MONITORS:,} monitors, {overdue:,} of them overdue"
            value = await median(overdue)
            found.append(
                Figure(f"heartbeats_{overdue}", value, "ms", what, goal=goal, smaller=True)
            )
        await database.close()
    await hand.close()
    for figure in found:
        bench.say(f"{figure.what}: {figure.value:,.1f} ms")
    return found
