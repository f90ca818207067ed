"""A batch is no larger than it may be, whichever way PostgreSQL chooses to run the statement.

What is to go is chosen with a limit and with locks that skip what others hold. As a plain
sub-query PostgreSQL may run that choice once for each row that it compares, and each run chooses
others: the rows of the run before are gone. Here it is left nothing that would keep what the
first run chose.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime

import pytest
from sqlalchemy import text

from app.crud import (
    crud_auth,
    crud_event,
    crud_idempotency_key,
    crud_throttle,
    crud_webhook_delivery,
)
from app.db.session import WriteSession, transaction_time
from tests.world import World

MANY, LIMIT = 20, 3
KEEPING = ("hashjoin", "mergejoin", "hashagg", "sort", "material", "memoize")
EACH = f"FROM generate_series(1, {MANY}) n"
OLD = "timestamptz '2020-01-01'"

Remove = Callable[[WriteSession, datetime], Awaitable[int]]


async def throttles(session: WriteSession, now: datetime) -> int:
    return await crud_throttle.remove_over(session, now=now, limit=LIMIT)


async def logins(session: WriteSession, now: datetime) -> int:
    return await crud_auth.remove_over(session, before=now, limit=LIMIT)


async def answers(session: WriteSession, now: datetime) -> int:
    return await crud_idempotency_key.remove_old(session, before=now, limit=LIMIT)


async def deliveries(session: WriteSession, now: datetime) -> int:
    return await crud_webhook_delivery.remove_over(session, before=now, limit=LIMIT)


async def events(session: WriteSession, now: datetime) -> int:
    return await crud_event.remove_old(session, before=now, limit=LIMIT)


@pytest.mark.parametrize(
    ("remove", "fill"),
    [
        (throttles, f"INSERT INTO throttles SELECT n::text, 1, {OLD} {EACH}"),
        (
            logins,
            "INSERT INTO login_sessions (user_id, last_used_at, expires_at)"
            f" SELECT id, {OLD}, {OLD} FROM users, generate_series(1, {MANY})",
        ),
        (
            logins,
            "INSERT INTO challenges (purpose, user_id, expires_at)"
            f" SELECT 'signup', id, {OLD} FROM users, generate_series(1, {MANY})",
        ),
        (
            answers,
            "INSERT INTO idempotency_keys SELECT lpad(to_hex(n), 64, '0'), 'x', '{}',"
            f" {OLD} {EACH}",
        ),
        (
            deliveries,
            "WITH s AS (INSERT INTO webhook_subscriptions (name, url)"
            " VALUES ('chat', 'https://example.org') RETURNING id)"
            " INSERT INTO webhook_deliveries (subscription_id, event_id, type, data, occurred_at,"
            f" settled_at, status) SELECT id, n, 'x', '{{}}', {OLD}, {OLD}, 'delivered'"
            f" FROM s, generate_series(1, {MANY}) n",
        ),
        (
            events,
            "INSERT INTO events (type, position, created_at)"
            f" SELECT 'incident.updated', n, {OLD} {EACH}",
        ),
    ],
    ids=["throttles", "logins", "challenges", "answers", "deliveries", "events"],
)
async def test_no_more_than_the_limit_goes_at_once(world: World, remove: Remove, fill: str) -> None:
    await world.person()
    await world.sql(fill)
    gone = []
    for _ in range(MANY // LIMIT + 2):
        async with world.database.writing() as session:
            for way in KEEPING:
                await session.execute(text(f"SET LOCAL enable_{way} = off"))
            gone.append(await remove(session, await transaction_time(session)))
    assert gone == [LIMIT] * (MANY // LIMIT) + [MANY % LIMIT, 0]
