"""After a restore the feed leaps: a bookmark that was given out since the backup was taken is
never given to another event, though the restored database knows nothing of it."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from app.crud import crud_event, crud_webhook
from app.db import migrations
from app.db.session import Database
from app.models import Event
from app.worker.relay import Relay
from tests.db.test_backup import execute, read, write

KEPT = "kept and read"
SUBSCRIBE = """
INSERT INTO webhook_subscriptions (name, url, position)
SELECT 'chat', 'https://example.org/hook', position FROM event_feed
"""


async def happen(url: str, *titles: str) -> int:
    """Events with these titles get their places; the last place that was given out."""
    database = Database(url, pool_size=2)
    try:
        for title in titles:
            await execute(
                url,
                "INSERT INTO events (type, data) VALUES ('incident.updated',"
                f" jsonb_build_object('title', '{title}'))",
            )
        await Relay(database).round()
        async with database.reading() as session:
            return await crud_event.last_position(session)
    finally:
        await database.close()


async def told(url: str, bookmark: int) -> list[str]:
    """What somebody is told who comes back with this bookmark."""
    database = Database(url, pool_size=2)
    try:
        async with database.reading() as session:
            return _titles(await crud_event.read_after(session, bookmark, 100))
    finally:
        await database.close()


async def subscription_is_told(url: str) -> list[str]:
    """The same for the subscription that was restored."""
    database = Database(url, pool_size=2)
    try:
        async with database.writing() as session:
            last = await crud_event.last_position(session)
            behind = await crud_webhook.lock_behind(session, last)
            assert behind is not None, "nobody would look for anything new"
            return _titles(await crud_event.read_after(session, behind.position, 100))
    finally:
        await database.close()


def _titles(events: Sequence[Event]) -> list[str]:
    return [event.data["title"] for event in events]


@pytest.fixture
async def url(empty_database_url: str) -> str:
    await asyncio.to_thread(migrations.upgrade, empty_database_url)
    return empty_database_url


async def test_no_bookmark_is_given_to_another_event(url: str, tmp_path: Path) -> None:
    await happen(url, KEPT, KEPT)
    await execute(url, SUBSCRIBE)
    await asyncio.to_thread(write, url, tmp_path / "one.dump")
    bookmarks = [await happen(url, f"lost {n}") for n in range(3)]
    await execute(url, f"UPDATE webhook_subscriptions SET position = {bookmarks[-1]}")

    await asyncio.to_thread(read, url, tmp_path / "one.dump", force=True)
    assert await happen(url, "first", "second") > max(bookmarks) + 1
    for bookmark in bookmarks:
        assert await told(url, bookmark) == ["first", "second"]
    assert await subscription_is_told(url) == ["first", "second"]
    assert await told(url, 0) == [KEPT, KEPT, "first", "second"]


async def test_nor_where_nothing_had_happened_yet_when_the_backup_was_taken(
    url: str, tmp_path: Path
) -> None:
    """There the feed has no row that could leap."""
    assert await execute(url, "SELECT position FROM event_feed") == []
    await asyncio.to_thread(write, url, tmp_path / "one.dump")
    bookmark = await happen(url, "lost", "lost")

    await asyncio.to_thread(read, url, tmp_path / "one.dump", force=True)
    assert await happen(url, "first", "second") > bookmark + 1
    assert await told(url, bookmark) == ["first", "second"]


async def test_nor_after_a_second_restore(url: str, tmp_path: Path) -> None:
    """Of the same backup: bookmarks of the time between the two are out there, too."""
    await happen(url, KEPT)
    await asyncio.to_thread(write, url, tmp_path / "one.dump")
    await asyncio.to_thread(read, url, tmp_path / "one.dump", force=True)
    bookmark = await happen(url, "lost", "lost")
    await asyncio.to_thread(write, url, tmp_path / "two.dump")
    await happen(url, "lost")
    await asyncio.to_thread(read, url, tmp_path / "two.dump", force=True)
    assert await happen(url, "first") > bookmark + 1
    assert await told(url, bookmark) == ["first"]
