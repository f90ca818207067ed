"""Claim and advance: steps that are due, through the product's own climber.

The limit is what PostgreSQL alone needs for the same rows: the same claim and the same writes
as one statement a batch, with no Python and no people to look up.
"""

import asyncio
import random
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import asyncpg

from app.db.session import Database
from app.worker.escalation import BATCH, Climber
from app.worker.loop import Loop
from tests.bench import seeds
from tests.bench.figures import Figure
from tests.bench.ground import Bench

OPEN, RESOLVED, MORE = 100_000, 1_000_000, 900_000
AT_ONCE, BACKLOG, CHURNED = 1_000, 20_000, 50_000
RATE = 100  # steps a second

# Steps are due again: from the start of a loop that has not been yet.
_ARM = """
    UPDATE escalations SET loop = loop + 1, last_loop = loop + 1, next_step = 0,
        next_step_at = now() + CAST($2 AS interval) * (a.turn - 1)
    FROM (SELECT id, row_number() OVER () AS turn FROM unnest(CAST($1 AS bigint[])) AS id) a
    WHERE escalations.id = a.id
"""
_BARE = f"""
    WITH due AS MATERIALIZED (
        SELECT e.* FROM escalations e JOIN incidents i ON i.id = e.incident_id
        WHERE NOT e.is_critical AND e.next_step_at <= now()
        ORDER BY e.next_step_at, e.id LIMIT {BATCH}
        FOR NO KEY UPDATE OF i, e SKIP LOCKED
    ), promised AS (
        INSERT INTO notifications (incident_id, escalation_id, loop, step, action, recipient, rule,
            channel, user_id, contact_method_id, facts, due_at, ready_at)
        SELECT d.incident_id, d.id, d.loop, d.next_step, 0, 'user:' || r.user_id, r.id,
            'webhook', r.user_id, r.contact_method_id, jsonb '{{"target": "user"}}',
            d.next_step_at, d.next_step_at
        FROM due d JOIN notification_rules r
            ON r.user_id = CAST(d.steps->0->'actions'->0->'target'->'user' AS bigint)
        ON CONFLICT DO NOTHING
    ), recorded AS (
        INSERT INTO escalation_events (incident_id, policy_id, escalation_id, loop, step, status,
            due_at, completed_at, metadata)
        SELECT incident_id, policy_id, id, loop, next_step, 'completed', next_step_at, now(),
            jsonb '{{"paged": 1, "skipped": []}}' FROM due
    ), moved AS (
        UPDATE escalations e SET next_step = e.next_step + 1, updated_at = now(),
            next_step_at = e.next_step_at + interval '600 minutes'
        FROM due d WHERE e.id = d.id
    ), told AS (
        INSERT INTO timeline_events (incident_id, event_type, description, metadata)
        SELECT incident_id, 'escalation_step', 'Step 1 of “bench” pages Person 7 (webhook).',
            jsonb '{{"escalation_id": 7, "loop": 1, "step": 0}}' FROM due
    )
    SELECT count(*) FROM due
"""


@dataclass
class Ground:
    """A seeded database, somebody who climbs it all the time, and a hand to make steps due."""

    database: Database
    hand: "asyncpg.Connection[Any]"
    climber: Climber
    late: list[float] = field(default_factory=list)
    chance: random.Random = field(default_factory=lambda: random.Random(7))
    ids: list[int] = field(default_factory=list)

    async def arm(self, count: int, *, apart: timedelta = timedelta()) -> None:
        await self.hand.execute(_ARM, self.chance.sample(self.ids, count), apart)

    async def drain(self, count: int) -> float:
        """Seconds until so many steps, due at the same instant, are all taken."""
        await self.arm(count)
        began = time.perf_counter()
        taken = await self.climber.climb_due()
        spent = time.perf_counter() - began
        assert taken == count, f"{taken} of {count} were taken"
        return spent

    async def bare(self, count: int) -> float:
        """The same by PostgreSQL alone."""
        await self.arm(count)
        began = time.perf_counter()
        while await self.hand.fetchval(_BARE):
            pass
        return time.perf_counter() - began

    async def idle(self) -> float:
        """Seconds of one look with nothing due."""
        began = time.perf_counter()
        assert await self.climber.climb_due() == 0
        return time.perf_counter() - began


async def measure(bench: Bench) -> list[Figure]:
    url = await bench.new_database()
    hand = await bench.connect(url)
    database = Database(url)
    late: list[float] = []
    climber = Climber(database, on_step=lambda step: late.append(step.total_seconds()))
    ground = Ground(database, hand, climber, late)
    try:
        await seeds.people(hand)
        await _seed(bench, ground, open_=OPEN, resolved=RESOLVED)
        return [
            *await _quiet(bench, ground),
            *await _long_reader(bench, ground, url),
            *await _million(bench, ground),
        ]
    finally:
        await database.close()
        await hand.close()


async def _seed(bench: Bench, ground: Ground, *, open_: int, resolved: int = 0) -> None:
    began = time.monotonic()
    await seeds.incidents(ground.hand, open_=open_, resolved=resolved)
    bench.say(f"{open_} open and {resolved} resolved seeded in {time.monotonic() - began:.0f} s")
    rows = await ground.hand.fetch("SELECT id FROM escalations WHERE next_step_at IS NOT NULL")
    ground.ids = [row["id"] for row in rows]


async def _rounds(bench: Bench, once: Callable[[], Awaitable[float]], what: str) -> float:
    found = [await once() for _ in range(max(bench.rounds, 5))]
    bench.say(f"{what}: " + ", ".join(f"{seconds * 1000:.0f}" for seconds in found) + " ms")
    return statistics.median(found)


async def _quiet(bench: Bench, ground: Ground) -> list[Figure]:
    await ground.drain(AT_ONCE)  # warms the caches
    ours, bare = [], []
    for _ in range(max(bench.rounds, 5)):
        ours.append(await ground.drain(AT_ONCE))
        bare.append(await ground.bare(AT_ONCE))
    drain, limit = statistics.median(ours), statistics.median(bare)
    bench.say(f"1,000 due at once: {drain * 1000:.0f} ms, PostgreSQL alone {limit * 1000:.0f} ms")
    sustained = BACKLOG / await ground.drain(BACKLOG)
    alone = BACKLOG / await ground.bare(BACKLOG)
    bench.say(f"sustained: {sustained:.0f} steps/s, PostgreSQL alone {alone:.0f}")
    p50, p99 = await _lateness(bench, ground)
    same = "PostgreSQL alone: the same rows as one statement a batch"
    return [
        Figure("claim_drain", drain * 1000, "ms", "1,000 steps due at the same instant are taken, "
               "100,000 open and 1,000,000 resolved", goal=300, smaller=True),
        Figure("claim_rate", AT_ONCE / drain, "steps/s", "that, as a rate",
               limit=AT_ONCE / limit, limit_is=same),
        Figure("claim_sustained", sustained, "steps/s", "a backlog of 20,000", goal=3_000),
        Figure("claim_sustained_share", sustained, "steps/s", "a backlog of 20,000",
               limit=alone, limit_is=same),
        Figure("claim_lateness_p50", p50 * 1000, "ms", "100 steps due a second: how late"),
        Figure("claim_lateness_p99", p99 * 1000, "ms", "their 99th percentile",
               goal=100, smaller=True),
    ]  # fmt: skip


async def _lateness(bench: Bench, ground: Ground) -> tuple[float, float]:
    """How late steps are taken that come at an even rate, by the loop that runs in production."""
    count = int(RATE * max(bench.seconds, 5))
    loop = Loop("escalation", ground.climber.round, longest_sleep=timedelta(seconds=10))
    loop.start()
    await asyncio.sleep(1)
    ground.late.clear()
    await ground.arm(count, apart=timedelta(seconds=1) / RATE)
    loop.ring()
    async with asyncio.timeout(count / RATE + 60):
        while len(ground.late) < count:
            await asyncio.sleep(0.1)
    await loop.stop()
    late = sorted(ground.late)
    p50, p99 = late[len(late) // 2], late[len(late) * 99 // 100]
    bench.say(f"lateness at {RATE}/s: p50 {p50 * 1000:.1f}, p99 {p99 * 1000:.1f} ms")
    return p50, p99


async def _churn(ground: Ground) -> None:
    """Many passes over the same rows."""
    everything, ground.ids = ground.ids, ground.ids[: CHURNED // 5]
    for _ in range(5):
        await ground.drain(len(ground.ids))
    ground.ids = everything


async def _long_reader(bench: Bench, ground: Ground, url: str) -> list[Figure]:
    """A backup that holds its snapshot while many steps are taken."""
    normal = await _rounds(bench, lambda: ground.drain(AT_ONCE), "before")
    reader = await bench.connect(url)
    await reader.execute("SET idle_in_transaction_session_timeout = 0")  # a backup is never idle
    async with reader.transaction(isolation="repeatable_read", readonly=True):
        await reader.fetchval("SELECT count(*) FROM users")
        await _churn(ground)
        held = await _rounds(bench, lambda: ground.drain(AT_ONCE), "a snapshot is held")
        idle = await _rounds(bench, ground.idle, "an idle look then")
    await reader.close()
    for _ in range(10):  # as long as the goal gives, with as much to do as a quiet night has
        await asyncio.sleep(1)
        await ground.idle()
    after = await _rounds(bench, lambda: ground.drain(AT_ONCE), "10 s after it was let go")
    before = "before the snapshot"
    return [
        Figure("claim_held_snapshot", held * 1000, "ms",
               "1,000 steps due at once, after 50,000 steps beside a held snapshot",
               limit=normal * 1000, limit_is=before, goal=5, smaller=True),
        Figure("claim_held_idle", idle * 1000, "ms", "one look with nothing due then"),
        Figure("claim_after_snapshot", after * 1000, "ms", "10 s after the snapshot was let go",
               limit=normal * 1000, limit_is=before, goal=1.3, smaller=True),
    ]  # fmt: skip


async def _million(bench: Bench, ground: Ground) -> list[Figure]:
    normal = await _rounds(bench, lambda: ground.drain(AT_ONCE), f"{OPEN} open")
    await _seed(bench, ground, open_=MORE)
    await ground.drain(AT_ONCE)
    drain = await _rounds(bench, lambda: ground.drain(AT_ONCE), f"{OPEN + MORE} open")
    await _churn(ground)
    churned = await _rounds(bench, lambda: ground.drain(AT_ONCE), "after churn")
    fewer = "100,000 open"
    return [
        Figure("claim_drain_1m", drain * 1000, "ms", "1,000 due at once, 1,000,000 open",
               limit=normal * 1000, limit_is=fewer, goal=1.3, smaller=True),
        Figure("claim_drain_churned", churned * 1000, "ms", "the same after 50,000 more steps",
               limit=normal * 1000, limit_is=fewer, goal=1.3, smaller=True),
    ]  # fmt: skip
