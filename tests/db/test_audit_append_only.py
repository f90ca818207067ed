"""The audit log only grows, whoever asks: plain SQL with the role that the application has."""

import asyncpg
import pytest

from app.crud import crud_audit_log
from app.db.session import Database
from app.worker.housekeeping import Housekeeping
from tests.conftest import plain

ADD = """
    INSERT INTO audit_log (created_at, actor_kind, action, resource_type)
    VALUES (now() - make_interval(days => $1), 'system', 'test.done', 'test')
"""


@pytest.fixture
async def connection(database: Database, database_url: str) -> asyncpg.Connection:
    """The application's own role, without the application."""
    opened = await asyncpg.connect(plain(database_url))
    for days in (0, 29, 31, 500):
        await opened.execute(ADD, days)
    yield opened
    await opened.close()


async def _ages(connection: asyncpg.Connection) -> list[int]:
    rows = await connection.fetch(
        "SELECT extract(day FROM now() - created_at)::int AS days FROM audit_log ORDER BY 1"
    )
    return [row["days"] for row in rows]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_log SET actor = 'somebody else'",
        "UPDATE audit_log SET created_at = now() - interval '2 years'",
        "DELETE FROM audit_log",
        "DELETE FROM audit_log WHERE created_at < now() - interval '400 days'",
        "TRUNCATE audit_log",
        "TRUNCATE audit_log CASCADE",
        "WITH gone AS (DELETE FROM audit_log RETURNING id) SELECT * FROM gone",
        "INSERT INTO audit_log SELECT * FROM audit_log ON CONFLICT (id) DO UPDATE SET actor = 'x'",
        "SET tocsin.audit_forgets = 'on'; UPDATE audit_log SET actor = 'somebody else'",
        "SET tocsin.audit_forgets = 'on'; DELETE FROM audit_log",
        "SET tocsin.audit_forgets = 'on'; TRUNCATE audit_log",
        "SELECT audit_log_forget(29, 10)",
        "SELECT audit_log_forget(0, 10)",
        "SELECT audit_log_forget(-1, 10)",
    ],
)
async def test_nothing_is_changed_or_taken_away(
    connection: asyncpg.Connection, statement: str
) -> None:
    before = await connection.fetch("SELECT * FROM audit_log ORDER BY id")
    with pytest.raises(asyncpg.PostgresError) as refused:
        await connection.execute(statement)
    assert "audit log" in str(refused.value)
    assert await connection.fetch("SELECT * FROM audit_log ORDER BY id") == before


async def test_what_is_old_is_forgotten_by_the_function_alone(
    connection: asyncpg.Connection,
) -> None:
    assert await connection.fetchval("SELECT audit_log_forget(400, 10)") == 1
    assert await _ages(connection) == [0, 29, 31]
    assert await connection.fetchval("SELECT audit_log_forget(30, 10)") == 1
    assert await _ages(connection) == [0, 29]
    with pytest.raises(asyncpg.InsufficientPrivilegeError):  # the door is shut again
        await connection.execute("DELETE FROM audit_log")


async def test_the_door_is_shut_after_the_function_in_the_same_transaction(
    connection: asyncpg.Connection,
) -> None:
    async with connection.transaction():
        await connection.execute("SELECT audit_log_forget(400, 10)")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with connection.transaction():
                await connection.execute("DELETE FROM audit_log WHERE actor_kind = 'system'")
    assert await _ages(connection) == [0, 29, 31]


async def test_a_role_that_may_only_read_and_add_is_enough(
    connection: asyncpg.Connection,
) -> None:
    """Where another role owns the table, not even dropping the triggers is left."""
    role = "tocsin_only_serves"
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(f"CREATE ROLE {role}")
        await connection.execute(f"GRANT SELECT, INSERT ON audit_log TO {role}")
        await connection.execute(f"SET LOCAL ROLE {role}")
        await connection.execute(ADD, 900)
        assert await connection.fetchval("SELECT audit_log_forget(400, 10)") == 2
        assert await _ages(connection) == [0, 29, 31]
        for statement in (
            "DELETE FROM audit_log",
            "DROP TRIGGER audit_log_append_only ON audit_log",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                async with connection.transaction():
                    await connection.execute(statement)
    finally:
        await transaction.rollback()


async def test_it_forgets_in_bounded_batches(
    connection: asyncpg.Connection, database: Database
) -> None:
    for _ in range(4):
        await connection.execute(ADD, 600)
    async with database.writing() as session:
        assert await crud_audit_log.forget(session, kept_days=400, limit=3) == 3
    assert await _ages(connection) == [0, 29, 31, 500, 600]


@pytest.mark.parametrize(("kept_days", "left"), [(400, 3), (30, 2), (0, 4)])
async def test_housekeeping_keeps_it_as_long_as_is_set(
    connection: asyncpg.Connection, database: Database, kept_days: int, left: int
) -> None:
    await Housekeeping(database, audit_kept_days=kept_days).sweep()
    assert len(await _ages(connection)) == left
