"""The reader: what people search is found before it was read, and after."""

from typing import Any

from app.crud import crud_search
from app.db.session import Database
from app.worker.loop import SKIPPED
from app.worker.reader import Reader
from tests.world import Person, World

INCIDENTS = "/v1/incidents"


async def found(world: World, person: Person, words: str) -> list[str]:
    page = await world.call("GET", f"{INCIDENTS}?search={words}&sort_by=id", person)
    return [incident["title"] for incident in page["items"]]


async def read_all(world: World) -> None:
    while await Reader(world.database).round() is not None:
        pass


async def change(world: World, who: Person, incident: Any, **fields: str) -> None:
    await world.call("PATCH", f"{INCIDENTS}/{incident['id']}", who, json=fields)


async def is_waiting(database: Database) -> bool:
    return await crud_search.is_anything_queued(database)


async def test_what_was_opened_is_found_before_it_was_read_and_after(world: World) -> None:
    ana = await world.person()
    await world.declare(ana, title="disk full")
    await world.declare(ana, title="disk gone")
    assert await is_waiting(world.database)
    assert await found(world, ana, "disk") == ["disk gone", "disk full"]

    assert await Reader(world.database).round() is None

    assert not await is_waiting(world.database)
    assert await found(world, ana, "disk") == ["disk gone", "disk full"]


async def test_a_new_title_counts_at_once_and_the_old_one_no_more(world: World) -> None:
    ana = await world.person()
    incident = await world.declare(ana, title="disk full")
    await Reader(world.database).round()

    await change(world, ana, incident, title="disk gone")

    for _ in ("before it was read again", "after"):
        assert await found(world, ana, "gone") == ["disk gone"]
        assert await found(world, ana, "full") == []
        await Reader(world.database).round()
    assert not await is_waiting(world.database)


async def test_a_change_of_anything_else_is_not_read(world: World) -> None:
    ana = await world.person()
    incident = await world.declare(ana, title="disk full")
    await Reader(world.database).round()
    await change(world, ana, incident, severity="low")
    assert not await is_waiting(world.database)


async def test_what_is_newer_than_most_that_wait_is_found(world: World) -> None:
    ana = await world.person()
    most = crud_search.MOST_UNREAD + crud_search.MOST_READ
    await world.sql(
        "WITH made AS (INSERT INTO incidents (title, severity, service)"
        f" SELECT 'storm', 'low', 'x' FROM generate_series(1, {most}) RETURNING id)"
        " INSERT INTO incident_tallies (incident_id) SELECT id FROM made"
    )
    await world.declare(ana, title="disk full")
    assert await found(world, ana, "disk") == ["disk full"]
    await read_all(world)
    assert not await is_waiting(world.database)
    assert await found(world, ana, "disk") == ["disk full"]


async def test_one_reads_at_a_time(world: World) -> None:
    ana = await world.person()
    await world.declare(ana, title="disk full")
    async with world.database.writing() as first:
        assert await crud_search.read_next(first) == 1
        assert await Reader(world.database).round() == SKIPPED
        await first.rollback()
    assert await is_waiting(world.database), "a reader that dies has taken nothing"
    assert await found(world, ana, "disk") == ["disk full"]


async def test_a_reader_that_is_rung_all_the_time_rests_all_the_same(world: World) -> None:
    ana = await world.person()
    reader = Reader(world.database)
    await world.declare(ana, title="disk full")
    assert await reader.round() is None
    await world.declare(ana, title="disk gone")
    assert await reader.round() is not None
    assert await is_waiting(world.database)
    assert await found(world, ana, "gone") == ["disk gone"]


async def test_it_reads_a_few_at_a_time_and_says_when_it_comes_again(world: World) -> None:
    await world.sql(
        "INSERT INTO incidents (title, severity, service)"
        f" SELECT 'storm', 'low', 'x' FROM generate_series(1, {crud_search.MOST_READ + 1})"
    )
    reader = Reader(world.database)
    rest = await reader.round()
    assert rest is not None
    assert await world.sql("SELECT count(*) FROM search_queue") == [(1,)]
    assert await Reader(world.database).round() is None
