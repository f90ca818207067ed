"""The bell between replicas: what one process rings, the others hear."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from app.db.listen import Bell
from app.db.session import Database
from app.domain.event import changed

PATIENCE = 20.0  # seconds; what is not heard at all, fails


@pytest.fixture
async def heard(database: Database) -> AsyncIterator[list[str]]:
    """What another process hears; it listens already."""
    rings: list[str] = []
    there = Bell(database, rings.append)
    there.start()
    async with asyncio.timeout(PATIENCE):
        while not rings:
            await database.ask("SELECT pg_notify('tocsin', 'here')")
            await asyncio.sleep(0.02)
    rings.clear()
    yield rings
    await there.stop()


@pytest.mark.parametrize(
    "rung",
    [
        pytest.param(["delivery.email", "escalation"], id="what is to be done"),
        pytest.param([changed("team")], id="a hint alone"),
        pytest.param([changed("team"), "relay"], id="a hint with others"),
    ],
)
async def test_every_process_hears_what_one_rings(
    database: Database, heard: list[str], rung: list[str]
) -> None:
    here: list[str] = []
    bell = Bell(database, here.append)
    bell.start()
    try:
        bell.ring(rung)
        assert here == rung
        async with asyncio.timeout(PATIENCE):
            while not set(rung) <= set(heard):
                await asyncio.sleep(0.02)
    finally:
        await bell.stop()
    assert here == rung  # not again, from itself
