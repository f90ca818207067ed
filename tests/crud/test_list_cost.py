"""A page by cursor costs the same at the beginning of a list and at its end.

Counted in blocks that PostgreSQL looks at, not in time. Reading the whole table takes more
than a thousand of them.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.core.paging import Place
from app.crud import crud_incident_list
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
WITH made AS (
    INSERT INTO incidents (title, description, severity, service, source, status, resolved_at,
        acknowledged_at, tags, deleted_at, is_drill, integration_id, dedup_key, created_at,
        updated_at)
    SELECT 'Incident ' || n, repeat('what happened ', 8),
        (ARRAY['critical', 'high', 'medium', 'low'])[1 + n % 4],
        'service ' || n / 1000, 'source ' || n % 20,
        CASE WHEN n % 50 = 0 THEN 'open' WHEN n % 50 = 1 THEN 'acknowledged' ELSE 'resolved' END,
        CASE WHEN n % 50 > 1 THEN now() END, CASE WHEN n % 50 = 1 THEN now() END,
        CASE WHEN n % 100 = 3 THEN ARRAY['eu', 'tag' || n % 7] ELSE '{{}}' END,
        CASE WHEN n % 200 = 7 THEN now() END, n % 200 = 8,
        CASE WHEN n % 10 = 4 THEN (SELECT max(id) FROM integrations) END,
        CASE WHEN n % 10 = 4 THEN 'key ' || n END,
        timestamptz '{START}' + n * interval '1 minute',
        timestamptz '{START}' + (n * 7919 % {ROWS}) * interval '1 minute'
    FROM generate_series(1, {ROWS}) AS n RETURNING id
) INSERT INTO incident_tallies (incident_id) SELECT id FROM made;
ANALYZE incidents; ANALYZE incident_tallies
"""


@pytest.fixture
async def filled(world: World) -> Database:
    for statement in FILL.split(";\n"):
        for part in statement.split("; "):
            await world.sql(part)
    # As a vacuum does: what has just come waits in a list that every search reads.
    for index in ("words", "tags"):
        await world.sql(f"SELECT gin_clean_pending_list('ix_incidents_{index}')")
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
    "an integration": IncidentFilter(),
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
    is_rank = order is IncidentOrder.SEVERITY
    return Place(
        len(Severity) - Severity(item["severity"]).rank if is_rank else item[order],
        item["id"],
        ROWS,
    )


async def page(database: Database, where: IncidentFilter, window: Window) -> list[dict[str, Any]]:
    async with database.reading() as session:
        return list((await crud_incident_list.list_page(session, where, window)).items)


@pytest.mark.parametrize("way", ["asc", "desc"])
async def test_a_page_costs_the_same_at_the_beginning_and_at_the_end(
    filled: Database, way: str
) -> None:
    dear = {}
    tool = await page(filled, FILTERS["nothing"], Window(10, order=ID))
    integration = next(one["integration_id"] for one in tool if one["integration_id"])
    for name, order in CHEAP:
        where = FILTERS[name]
        if name == "an integration":
            where = replace(where, integration_id=integration)
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
    assert max(blocks) < 3 * ROWS / 100 + 10  # three for each that matches, and the way there


async def test_a_search_for_few_costs_little(filled: Database) -> None:
    window = Window(PER_PAGE, order=IncidentOrder.RELEVANCE)
    async with blocks_of(filled, "tsquery") as blocks:
        found = await page(filled, IncidentFilter(search='"4711"'), window)
    assert [one["title"] for one in found] == ["Incident 4711"]
    assert max(blocks) < 3 * MOST_BLOCKS  # of more than a thousand
