"""The alerts of one integration, the messages of one person: a page costs as little among many
others, at the beginning of the table and at its end.

Counted in blocks that PostgreSQL looks at, not in time. Reading a whole table takes several
hundred.
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.crud import crud_alert, crud_notification
from app.crud.base import Span, Window
from app.crud.crud_alert import AlertFilter
from app.crud.crud_notification import NotificationFilter
from app.db.session import Database, transaction_time
from tests.explain import blocks_of, plans_of, without_count
from tests.world import World

OWNERS = 20
EACH = 1000
PER_PAGE = 10
MOST_BLOCKS = 60
EACH_HAS_BLOCKS = 100
# One after the other, as they come and go: whose are oldest is as good as gone.
FILL = (
    "INSERT INTO integrations (name, kind)"
    f" SELECT 'tool ' || n, 'alerts' FROM generate_series(1, {OWNERS}) n",
    "INSERT INTO alerts (integration_id, outcome, title, received_at)"
    " SELECT i.id, 'ignored', repeat('x', 100), now() FROM integrations i,"
    f" generate_series(1, {EACH}) ORDER BY i.id",
    "INSERT INTO users (email, hashed_password)"
    f" SELECT 'person-' || n || '@example.org', '-' FROM generate_series(1, {OWNERS}) n",
    "INSERT INTO notifications (kind, recipient, rule, channel, user_id, status, due_at, sent_at)"
    " SELECT 'recovery', 'user:' || u.id, 0, 'email', u.id, 'sent', now(), now() FROM users u,"
    f" generate_series(1, {EACH}) ORDER BY u.id",
    "ANALYZE alerts, notifications",
)


@pytest.fixture
async def filled(world: World) -> Database:
    for statement in FILL:
        await world.sql(statement)
    return world.database


async def ends(world: World, table: str) -> list[int]:
    rows = await world.sql(f"SELECT min(id), max(id) FROM {table}")
    return list(rows[0])


@pytest.mark.parametrize("is_down", [True, False])
async def test_alerts_of_one_integration(filled: Database, world: World, is_down: bool) -> None:
    for owner in await ends(world, "integrations"):
        where = AlertFilter(owner, None, [], None, None, None)
        window = Window(PER_PAGE, order="id", descending=is_down)
        async with filled.reading() as session:
            async with plans_of(filled, "FROM alerts") as plans:
                first = await crud_alert.list_page(session, where, window)
            async with blocks_of(filled, "FROM alerts") as blocks:
                after = replace(window, after=first.next_after)
                assert len((await crud_alert.list_page(session, where, after)).items) == PER_PAGE
        assert first.total == EACH
        assert "ix_alerts_integration_id_id" in without_count(plans[0])
        assert max(blocks) < MOST_BLOCKS


@pytest.mark.parametrize("is_down", [True, False])
@pytest.mark.parametrize("is_admin", [True, False])
async def test_messages_of_one_person(
    filled: Database, world: World, is_admin: bool, is_down: bool
) -> None:
    for owner in await ends(world, "users"):
        where = NotificationFilter(user_id=owner, seen_by=None if is_admin else owner)
        async with filled.reading() as session:
            window = Window(PER_PAGE, descending=is_down)
            first = await crud_notification.list_page(session, where, window)
            assert first.total == EACH
            after = replace(window, after=first.next_after)
            async with blocks_of(filled, "FROM notifications") as blocks:
                await crud_notification.list_page(session, where, after)
        assert max(blocks) < MOST_BLOCKS


async def test_messages_of_one_person_of_a_time_in_which_there_were_none(
    filled: Database, world: World
) -> None:
    """At worst it looks at all that they have, and at nothing of anybody else's."""
    for owner in await ends(world, "users"):
        async with filled.reading() as session:
            later = Span(since=await transaction_time(session) + timedelta(hours=1))
            where = NotificationFilter(user_id=owner, promised=later)
            async with blocks_of(filled, "FROM notifications") as blocks:
                found = await crud_notification.list_page(session, where, Window(PER_PAGE))
        assert found.total == 0
        assert max(blocks) < EACH_HAS_BLOCKS
