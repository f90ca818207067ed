"""What the catalogue asks of incidents costs as little among many of them.

Counted in blocks that PostgreSQL looks at, not in time. Reading the whole table takes several
hundred.
"""

from datetime import timedelta

import pytest

from app.crud import crud_service
from app.db.session import Database, transaction_time
from app.domain.incident import Severity
from tests.explain import blocks_of
from tests.world import World

NAMES = 10
EACH = 2_000
FILL = (
    "INSERT INTO incidents (title, severity, service, status, resolved_at)"
    " SELECT repeat('x', 200), 'high', 'service ' || n, 'resolved', now()"
    f" FROM generate_series(1, {NAMES}) n, generate_series(1, {EACH}) ORDER BY n",
    "INSERT INTO incidents (title, severity, service)"
    " SELECT 'x', 'low', 'service ' || n FROM generate_series(1, 5) n, generate_series(1, 3)",
    "ANALYZE incidents",
)


@pytest.fixture
async def filled(world: World) -> Database:
    for statement in FILL:
        await world.sql(statement)
    rows = await world.sql("SELECT pg_relation_size('incidents') / 8192 AS blocks")
    assert rows[0].blocks > 500
    return world.database


async def test_what_is_unresolved_costs_what_is_unresolved(filled: Database) -> None:
    async with filled.reading() as session, blocks_of(filled, "FROM incidents") as blocks:
        found = await crud_service.unresolved(session, "service 3")
        nothing = await crud_service.unresolved(session, "service 9")
    assert (found.by_severity, found.total) == ({Severity.LOW: 3}, 3)
    assert nothing.total == 0
    assert max(blocks) < 60


async def test_names_that_nobody_has_catalogued_cost_the_names(filled: Database) -> None:
    async with filled.reading() as session, blocks_of(filled, "WITH RECURSIVE names") as blocks:
        since = await transaction_time(session) - timedelta(days=30)
        found, is_whole = await crud_service.uncatalogued(
            session, since=since, looked_through=100, most=100
        )
    assert (len(found), is_whole) == (NAMES, True)
    assert max(blocks) < 15 * NAMES
