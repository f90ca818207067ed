"""What monitors cost: a tick reads what is due, a ping is one statement, and neither grows.

Counted in blocks that PostgreSQL looks at and in rows that it writes, not in time.
"""

from datetime import timedelta

import pytest
from sqlalchemy import text

from app.api.pings import Pings
from app.core.metrics import Metrics
from app.core.security import hash_key
from app.db.session import Database
from app.domain.heartbeat_monitor import OUTAGES_KEPT, PINGS_KEPT, Ping, PingKind
from app.domain.storm import ServiceLimit
from app.worker.monitors import Monitors
from tests.explain import blocks_of, counted_statements, plans_of
from tests.heartbeats import listening, monitor, pass_time, ping
from tests.world import World

MONITORS = 10_000
# By table, how often a hundred pings write a row again, and how many of those touch no index.
WRITTEN = [("heartbeat_monitors", 100, 0.9), ("heartbeat_pings", 76, 0.7)]
FILL = f"""
INSERT INTO heartbeat_monitors (name, interval_seconds, grace_seconds, token_hash, hint, pulse,
    last_ping_at, expected_at, due_at, description)
SELECT 'Job ' || n, 3600, 600, 'hash ' || n, 'thb_', 'up', now(), now() + interval '1 hour',
    now() + interval '70 minutes' + n * interval '1 second', repeat('what to do ', 20)
FROM generate_series(1, {MONITORS}) AS n
"""


@pytest.fixture
async def filled(world: World) -> Database:
    await world.sql(FILL)
    await listening(world)
    await world.sql("ANALYZE heartbeat_monitors")
    return world.database


async def look_at(world: World, count: int) -> None:
    """One round of the loop, with so many monitors due."""
    await world.sql(
        "UPDATE heartbeat_monitors SET due_at = now() - interval '1 second',"
        " expected_at = now() - interval '1 hour' WHERE id IN"
        " (SELECT id FROM heartbeat_monitors WHERE pulse = 'up' LIMIT :count)",
        count=count,
    )
    await Monitors(world.database, limit=ServiceLimit(0)).round()


async def test_a_tick_with_nothing_due_reads_next_to_nothing(
    world: World, filled: Database
) -> None:
    async with blocks_of(filled, "heartbeat_monitors.due_at <=") as counted:
        await Monitors(filled).round()
    assert len(counted) == 1
    assert counted[0] <= 5


async def test_a_tick_costs_what_is_due(world: World, filled: Database) -> None:
    async with plans_of(filled, "heartbeat_monitors.due_at <=") as plans:
        await look_at(world, 5)
    assert plans
    assert all("ix_heartbeat_monitors_due_at" in plan for plan in plans)
    assert all("Seq Scan on heartbeat_monitors" not in plan for plan in plans)
    [opened] = await world.sql("SELECT count(*) FROM incidents")
    assert opened[0] == 5


async def test_the_number_of_statements_does_not_follow_the_number_of_monitors(
    world: World, filled: Database
) -> None:
    counts = []
    for due in (2, 150):
        with counted_statements(filled) as sent:
            await look_at(world, due)
        counts.append(len(sent))
    assert counts[0] == counts[1]


async def test_many_pings_are_one_statement_that_reads_their_rows(
    world: World, filled: Database
) -> None:
    pings = Pings(filled, ServiceLimit(0), Metrics())
    names = [f"hash {n}" for n in range(1, 51)]
    async with plans_of(filled, "UPDATE heartbeat_monitors") as plans:
        await pings._take_in([Ping(name, PingKind.SUCCESS) for name in names])
    assert len(plans) == 1
    assert "Seq Scan on heartbeat_monitors" not in plans[0]


async def test_whoever_pings_all_the_time_touches_no_index(world: World) -> None:
    """The due time is indexed: were it written with each ping, each would be a new entry."""
    admin = await world.admin()
    made = await monitor(world, admin)
    token_hash = hash_key(made["ping"].rpartition("/")[2])
    pings = Pings(world.database, ServiceLimit(0), Metrics())
    await pings.add(Ping(token_hash, PingKind.SUCCESS))
    before = await _writes(world)
    for _ in range(PINGS_KEPT * 4):
        world.database.clock_shift += timedelta(seconds=15)
        await pings.add(Ping(token_hash, PingKind.SUCCESS, "a note of some length"))
    after = await _writes(world)
    for table, updates, share in WRITTEN:
        written, without_index = (
            new - old for new, old in zip(after[table], before[table], strict=True)
        )
        assert written >= updates
        assert without_index >= share * written, table


async def test_what_is_kept_of_a_monitor_has_an_end(world: World) -> None:
    admin = await world.admin()
    made = await monitor(world, admin)
    pings = Pings(world.database, ServiceLimit(0), Metrics())
    token_hash = hash_key(made["ping"].rpartition("/")[2])
    for _ in range(OUTAGES_KEPT + 3):
        for kind in (PingKind.FAIL, PingKind.SUCCESS):
            await pings.add(Ping(token_hash, kind))
    kept = {}
    for table in ("heartbeat_pings", "heartbeat_outages"):
        [found] = await world.sql(f"SELECT count(*) FROM {table}")
        kept[table] = found[0]
    assert kept == {"heartbeat_pings": PINGS_KEPT, "heartbeat_outages": OUTAGES_KEPT}


async def test_one_that_stays_down_is_looked_at_once_a_period(world: World) -> None:
    admin = await world.admin()
    made = await monitor(world, admin)
    await listening(world)
    await ping(world, made)
    await pass_time(world, minutes=71)
    before = await _writes(world)
    for _ in range(23):
        await pass_time(world, minutes=60)
    after = await _writes(world)
    written = after["heartbeat_monitors"][0] - before["heartbeat_monitors"][0]
    assert written <= 23 * 60 // 70 + 1


async def _writes(world: World) -> dict[str, tuple[int, int]]:
    """By table, how often a row was written again, and how often without any index."""
    async with world.database.engine.connect() as connection:
        await connection.execute(text("SELECT pg_stat_force_next_flush()"))
        await connection.commit()
        await connection.execute(text("SELECT pg_stat_clear_snapshot()"))
        rows = await connection.execute(
            text(
                "SELECT relname, n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables"
                " WHERE relname LIKE 'heartbeat%'"
            )
        )
        return {name: (written, hot) for name, written, hot in rows}
