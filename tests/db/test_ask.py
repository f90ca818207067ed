"""One statement by the driver alone: what it gives, and what becomes of its connection."""

import asyncio

import asyncpg
import pytest

from app.db.session import Database, is_outage
from tests.world import World

ME = "SELECT pg_backend_pid() AS me"


@pytest.fixture
async def database(world: World) -> Database:
    return world.database


@pytest.fixture
async def narrow(database: Database) -> Database:
    """The same database through one connection."""
    other = Database(database.engine.url, pool_size=1)
    yield other
    await other.close()


async def test_it_answers_and_leaves_no_transaction_behind(narrow: Database) -> None:
    [row] = await narrow.ask("SELECT $1::bigint + 1 AS next, $2::text AS word", 41, "so")
    assert (row["next"], row["word"]) == (42, "so")
    [row] = await narrow.ask("SELECT state FROM pg_stat_activity WHERE pid = pg_backend_pid()")
    assert row["state"] == "active"
    first, second = [(await narrow.ask("SELECT now() AS at"))[0]["at"] for _ in range(2)]
    assert second > first  # each is a transaction of its own


async def test_a_refused_statement_costs_no_connection(narrow: Database) -> None:
    [before] = await narrow.ask(ME)
    with pytest.raises(asyncpg.DivisionByZeroError):
        await narrow.ask("SELECT 1 / $1::int", 0)
    [after] = await narrow.ask(ME)
    assert after["me"] == before["me"]


async def test_one_that_is_given_up_in_the_middle_is_not_used_again(narrow: Database) -> None:
    [before] = await narrow.ask(ME)
    asking = asyncio.ensure_future(narrow.ask("SELECT pg_sleep(60)"))
    while not narrow.engine.pool.checkedout():  # type: ignore[attr-defined]
        await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    [after] = await narrow.ask(ME)
    assert after["me"] != before["me"]


async def test_a_lost_connection_is_an_outage_once(narrow: Database, world: World) -> None:
    [row] = await narrow.ask(ME)
    asking = asyncio.ensure_future(narrow.ask("SELECT pg_sleep(60)"))
    sleeping = "SELECT count(*) FROM pg_stat_activity WHERE pid = {} AND query LIKE '%pg_sleep%'"
    while not (await world.sql(sleeping.format(row["me"])))[0][0]:
        pass
    await world.sql(f"SELECT pg_terminate_backend({row['me']})")
    with pytest.raises(asyncpg.PostgresError) as lost:
        await asking
    assert is_outage(lost.value)
    assert (await narrow.ask("SELECT 1 AS one"))[0]["one"] == 1


async def test_a_table_that_changes_its_shape_meanwhile_is_read_anew(
    database: Database, world: World
) -> None:
    await world.sql("CREATE TABLE IF NOT EXISTS shapes (a bigint)")
    try:
        assert await database.ask("SELECT * FROM shapes") == []
        await world.sql("ALTER TABLE shapes ADD COLUMN b text")
        await world.sql("INSERT INTO shapes VALUES (1, 'x')")
        [row] = await database.ask("SELECT * FROM shapes")
        assert dict(row) == {"a": 1, "b": "x"}
    finally:
        await world.sql("DROP TABLE shapes")
