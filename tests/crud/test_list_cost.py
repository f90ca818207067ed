"""A page by cursor costs the same at the beginning of a list and at its end.

Counted in blocks that PostgreSQL looks at, not in time. Reading the whole table takes more
than a thousand of them.
"""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.core.paging import Place
from app.crud import crud_incident_list, crud_search
from app.crud.base import Window
from app.crud.crud_incident_list import IncidentFilter, IncidentOrder
from app.db.session import Database
from app.domain.incident import IncidentStatus, Severity
from tests.explain import blocks_of
from tests.world import World

ROWS = 20_000
PER_PAGE = 10
MOST_BLOCKS = 120
START = datetime(2027, 1, 1, tzinfo=UTC)
# Old ones are mostly over, services come and go, few are tagged, deleted or drills.
FILL = f"""
INSERT INTO integrations (name, kind) VALUES ('tool', 'alerts');
INSERT INTO users (email, hashed_password) VALUES ('ana@example.org', '-');
WITH made AS (
    INSERT INTO incidents (title, description, severity, service, source, status, resolved_at,
        acknowledged_at, tags, deleted_at, is_drill, integration_id, dedup_key, created_at,
        updated_at, assigned_to)
    SELECT 'Incident ' || n, repeat('what happened ', 8),
        (ARRAY['critical', 'high', 'medium', 'low'])[1 + n % 4],
        'service ' || n / 1000, 'source ' || n % 20,
        CASE n % 400 WHEN 0 THEN 'open' WHEN 1 THEN 'acknowledged' ELSE 'resolved' END,
        CASE WHEN n % 400 > 1 THEN now() END, CASE WHEN n % 400 = 1 THEN now() END,
        CASE WHEN n % 100 = 3 THEN ARRAY['eu', 'tag' || n % 7] ELSE '{{}}' END,
        CASE WHEN n % 200 = 7 THEN now() END, n % 200 = 8,
        CASE WHEN n % 10 = 4 THEN (SELECT max(id) FROM integrations) END,
        CASE WHEN n % 10 = 4 THEN 'key ' || n END,
        timestamptz '{START}' + n * interval '1 minute',
        timestamptz '{START}' + (n * 7919 % {ROWS}) * interval '1 minute',
        CASE WHEN n % 70 = 5 THEN (SELECT max(id) FROM users) END
    FROM generate_series(1, {ROWS}) AS n RETURNING id
) INSERT INTO incident_tallies (incident_id) SELECT id FROM made;
ANALYZE incidents; ANALYZE incident_tallies
"""


@pytest.fixture
async def filled(world: World) -> Database:
    for statement in FILL.split(";\n"):
        for part in statement.split("; "):
            await world.sql(part)
    while await world.database.write(crud_search.read_next):
        pass
    # As a vacuum does: what has just come waits in a list that every search reads.
    for index in ("ix_search_words_words", "ix_incidents_tags"):
        await world.sql(f"SELECT gin_clean_pending_list('{index}')")
    await world.sql("ANALYZE search_words, search_queue")
    return world.database


OPEN, TAKEN, OVER = IncidentStatus
FILTERS = {
    "nothing": IncidentFilter(),
    "a status": IncidentFilter(status=[OPEN]),
    "the usual status": IncidentFilter(status=[OVER]),
    "statuses": IncidentFilter(status=[OPEN, TAKEN]),
    "a severity": IncidentFilter(severity=[Severity.HIGH]),
    "severities": IncidentFilter(severity=[Severity.HIGH, Severity.LOW]),
    "an old service": IncidentFilter(service=["service 3"]),
    "services": IncidentFilter(service=["service 3", "service 17"]),
    "a source": IncidentFilter(source=["source 3"]),
    "an integration": IncidentFilter(integration_id=0),
    "an assignee": IncidentFilter(assigned_to=0),
    "nobody": IncidentFilter(unassigned=True),
    "opened": IncidentFilter(since=START + timedelta(days=3), until=START + timedelta(days=5)),
    "changed": IncidentFilter(updated_since=START + timedelta(days=12)),
    "deleted": IncidentFilter(deleted=True),
    "drills": IncidentFilter(drill=True),
}
ID, OPENED, CHANGED, SEVERITY, STATUS, _ = IncidentOrder
# Every filter in the order that it comes in by itself, every order, and both where they meet.
CHEAP = [
    *((name, where.order) for name, where in FILTERS.items()),
    *(("nothing", order) for order in (OPENED, CHANGED, SEVERITY, STATUS)),
    *((name, SEVERITY) for name in ("a severity", "severities")),
    *((name, STATUS) for name in ("a status", "the usual status", "statuses")),
]


def place_of(item: dict[str, Any], order: IncidentOrder) -> Place:
    value = item[order]
    if order is IncidentOrder.SEVERITY:
        value = len(Severity) - Severity(value).rank
    elif order in (IncidentOrder.CREATED_AT, IncidentOrder.UPDATED_AT):
        value = datetime.fromisoformat(value)
    return Place(value, item["id"], ROWS)


async def known(database: Database, where: IncidentFilter) -> IncidentFilter:
    """With the ids that are there in place of 0."""
    some = await page(database, IncidentFilter(), Window(100, order=ID))
    for field in ("integration_id", "assigned_to"):
        if getattr(where, field) == 0:
            where = replace(where, **{field: next(one[field] for one in some if one[field])})
    return where


async def page(database: Database, where: IncidentFilter, window: Window) -> list[dict[str, Any]]:
    found = await crud_incident_list.list_page(database, where, window)
    return [json.loads(item) for item in found.items]


@pytest.mark.parametrize("way", ["asc", "desc"])
async def test_a_page_costs_the_same_at_the_beginning_and_at_the_end(
    filled: Database, way: str
) -> None:
    dear = {}
    for name, order in CHEAP:
        where = await known(filled, FILTERS[name])
        window = Window(PER_PAGE, order=order, descending=way == "desc")
        other_way = replace(window, per_page=30, descending=way == "asc")
        last = (await page(filled, where, other_way))[-1]
        begin = (await page(filled, where, replace(window, per_page=1)))[0]
        for at in (begin, last):
            async with blocks_of(filled, "AS reached") as blocks:
                found = await page(filled, where, replace(window, after=place_of(at, order)))
            assert len(found) == PER_PAGE, (name, order)
            if max(blocks) > MOST_BLOCKS:
                dear[name, str(order), at["id"]] = blocks
    assert dear == {}


async def test_tags_cost_as_many_as_there_are_with_them(filled: Database) -> None:
    async with blocks_of(filled, "AS reached") as blocks:
        found = await page(filled, IncidentFilter(tag=["eu"]), Window(PER_PAGE, order=ID))
    assert len(found) == PER_PAGE
    # Three for each that matches, once for the page and once for the count.
    assert max(blocks) < 2 * 3 * ROWS / 100 + MOST_BLOCKS


@pytest.mark.parametrize("name", ["a status", "statuses", "an assignee"])
async def test_few_cost_as_many_as_there_are_in_every_order(filled: Database, name: str) -> None:
    where = await known(filled, FILTERS[name])
    dear = {}
    for order in (OPENED, CHANGED, SEVERITY, STATUS):
        for is_down in (False, True):
            window = Window(PER_PAGE, order=order, descending=is_down)
            begin = (await page(filled, where, window))[0]
            window = replace(window, after=place_of(begin, order))
            async with blocks_of(filled, "AS reached") as blocks:
                assert len(await page(filled, where, window)) == PER_PAGE
            if max(blocks) > ROWS / 70 + MOST_BLOCKS:
                dear[str(order), is_down] = blocks
    assert dear == {}


async def test_the_oldest_that_is_open_costs_what_is_open(filled: Database, world: World) -> None:
    # Many enough for PostgreSQL to believe that in any order it soon meets some.
    await world.sql(
        "UPDATE incidents SET status = 'open', resolved_at = NULL, acknowledged_at = NULL"
        f" WHERE id > (SELECT max(id) - {ROWS / 20} FROM incidents) AND deleted_at IS NULL"
    )
    await world.sql("ANALYZE incidents")
    window = Window(PER_PAGE, order=OPENED, descending=False)
    where = IncidentFilter(status=[OPEN])
    begin = (await page(filled, where, window))[-1]
    async with blocks_of(filled, "AS reached") as blocks:
        assert len(await page(filled, where, replace(window, after=place_of(begin, OPENED)))) > 0
    assert max(blocks) < 2 * MOST_BLOCKS + 20  # 245 were counted


async def test_a_search_for_few_costs_little(filled: Database) -> None:
    window = Window(PER_PAGE, order=IncidentOrder.RELEVANCE)
    async with blocks_of(filled, "tsquery") as blocks:
        found = await page(filled, IncidentFilter(search='"4711"'), window)
    assert [one["title"] for one in found] == ["Incident 4711"]
    assert max(blocks) < 3 * MOST_BLOCKS  # of more than a thousand
