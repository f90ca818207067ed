"""A connection that rested is asked whether it still lives before it is used."""

import asyncio

import asyncpg
import pytest
from sqlalchemy import text

from app.db import session as sessions
from app.db.session import Database
from tests.conftest import plain


async def _end_all(database_url: str, own: Database) -> None:
    """As a restarted server does: every connection of the pool is gone."""
    connection = await asyncpg.connect(plain(database_url))
    try:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = $1"
            " AND pid <> pg_backend_pid()",
            sessions.APPLICATION_NAME,
        )
    finally:
        await connection.close()


async def _one(database: Database) -> int:
    async with database.reading() as session:
        found: int = (await session.execute(text("SELECT 1"))).scalar_one()
    return found


async def test_a_dead_connection_that_rested_is_replaced_unseen(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "RESTED", -1.0)
    database = Database(database_url, pool_size=2)
    try:
        assert await _one(database) == 1
        await _end_all(database_url, database)
        assert await _one(database) == 1
    finally:
        await database.close()


async def test_one_that_was_just_used_is_not_asked_but_never_given_out_dead(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "RESTED", 3600.0)
    database = Database(database_url, pool_size=1)
    try:
        assert await _one(database) == 1
        await _end_all(database_url, database)
        async with asyncio.timeout(10):
            while await _is_listed(database_url):
                await asyncio.sleep(0.01)
        assert await _one(database) == 1
    finally:
        await database.close()


async def _is_listed(database_url: str) -> bool:
    """Whether the server still has a connection of the pool."""
    connection = await asyncpg.connect(plain(database_url))
    try:
        found: int = await connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = $1",
            sessions.APPLICATION_NAME,
        )
    finally:
        await connection.close()
    return found > 0
