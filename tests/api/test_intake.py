"""Alerts that come at the same time are written together; each is answered for itself."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select, text

from app.api.intake import FLUSHERS, Intake
from app.db.coalesce import CrowdedError
from app.db.session import Database, transaction_time
from app.domain.integration import IntegrationKind
from app.models import Alert
from app.services import integration as integration_service
from app.services.integration import Item
from app.services.plain_intake import Parcel
from tests.world import World

PLAIN = "/v1/webhooks/alerts"


async def _post(world: World, key: str, body: Any, *, expect: int = 200) -> Any:
    headers = {"X-API-Key": key}
    return await world.call("POST", PLAIN, headers=headers, json=body, expect=expect)


@asynccontextmanager
async def _held(database: Database, statement: str) -> AsyncIterator[None]:
    """Another transaction that is in the way."""
    async with database.engine.connect() as connection, connection.begin():
        await connection.execute(text(statement))
        yield


Post = Callable[[], Awaitable[Any]]


async def _during_a_flush(world: World, key: str, posts: list[Post]) -> list[Any]:
    """The answers to posts that all come while the transactions before them are under way."""
    async with _held(world.database, "LOCK TABLE alerts IN EXCLUSIVE MODE"):
        before = []
        for n in range(FLUSHERS):
            before.append(asyncio.create_task(_post(world, key, {"title": f"before {n}"})))
            await _until(world, "flushing", n + 1)
        during = [asyncio.create_task(_call(post)) for post in posts]
        await _until(world, "waiting", len(posts))
    await asyncio.gather(*before)
    return await asyncio.gather(*during)


async def _call(post: Post) -> Any:
    return await post()


async def _until(world: World, what: str, count: int) -> None:
    async with asyncio.timeout(30):
        while getattr(world.service.intake, what) < count:
            await asyncio.sleep(0.005)


async def _transactions(world: World) -> int:
    """How many transactions wrote the alerts that are there."""
    async with world.database.reading() as session:
        found = await session.scalar(text("SELECT count(DISTINCT xmin::text) FROM alerts"))
    return int(found or 0)


async def test_what_comes_at_once_is_written_together(world: World) -> None:
    key = await world.integration_key(await world.admin())
    bodies = [{"title": f"disk {n}", "dedup_key": f"k{n}"} for n in range(40)]
    posts: list[Post] = [partial(_post, world, key, body) for body in bodies]
    answers = await _during_a_flush(world, key, posts)
    receipts = [answer["alerts"][0] for answer in answers]
    assert {receipt["outcome"] for receipt in receipts} == {"opened"}
    assert [receipt["dedup_key"] for receipt in receipts] == [f"k{n}" for n in range(40)]
    assert len({receipt["id"] for receipt in receipts}) == 40
    assert await _transactions(world) <= 2 * FLUSHERS


async def test_each_is_answered_with_its_own_alerts(world: World) -> None:
    key = await world.integration_key(await world.admin())
    bodies = [[{"title": f"{n}.{m}"} for m in range(n)] for n in range(1, 9)]
    answers = await asyncio.gather(*(_post(world, key, body) for body in bodies))
    assert [len(answer["alerts"]) for answer in answers] == list(range(1, 9))
    ids = [receipt["id"] for answer in answers for receipt in answer["alerts"]]
    titles = [alert["title"] for body in bodies for alert in body]
    async with world.database.reading() as session:
        rows = (await session.execute(select(Alert.id, Alert.title))).tuples().all()
        assert dict(rows) == dict(zip(ids, titles, strict=True))


async def test_one_hot_key_makes_one_incident_and_counts_every_alert(world: World) -> None:
    admin = await world.admin()
    key = await world.integration_key(admin)
    body = {"title": "disk full", "dedup_key": "hot"}
    answers = await asyncio.gather(*(_post(world, key, body) for _ in range(100)))
    outcomes = [answer["alerts"][0]["outcome"] for answer in answers]
    assert outcomes.count("opened") == 1
    assert outcomes.count("joined") == 99
    incident_id = answers[0]["alerts"][0]["incident_id"]
    found = await world.call("GET", f"/v1/incidents/{incident_id}", admin)
    assert found["alert_count"] == 100


@pytest.mark.parametrize("is_long", [False, True], ids=["short", "long"])
async def test_a_bad_one_fails_alone(
    world: World, monkeypatch: pytest.MonkeyPatch, is_long: bool
) -> None:
    key = await world.integration_key(await world.admin())
    row = integration_service.row

    def choosy(item: Item) -> dict[str, Any]:
        if b"poison" in item.delivery.body:
            raise RuntimeError("a bug of ours")
        return row(item)

    monkeypatch.setattr(integration_service, "row", choosy)
    posts: list[Post] = []
    for n in range(10):
        title, status = ("poison", 500) if n == 5 else (f"disk {n}", 200)
        end = [{"title": f"disk {n}", "status": "resolved"}] if is_long else []
        posts.append(partial(_post, world, key, [{"title": title}, *end], expect=status))
    await _during_a_flush(world, key, posts)
    async with world.database.reading() as session:
        taken = await session.scalar(text("SELECT count(*) FROM alerts WHERE title LIKE 'disk %'"))
    assert taken == (18 if is_long else 9)


async def test_a_key_that_was_revoked_a_moment_ago_opens_nothing(world: World) -> None:
    admin = await world.admin()
    key = await world.integration_key(admin)
    await _post(world, key, {"title": "known by now"})
    async with world.database.writing() as session:
        await session.execute(text("UPDATE integration_keys SET revoked_at = now()"))
    await _post(world, key, {"title": "too late"}, expect=401)
    async with world.database.reading() as session:
        assert await session.scalar(text("SELECT count(*) FROM alerts")) == 1


async def test_an_integration_that_was_switched_off_takes_nothing_in(world: World) -> None:
    admin = await world.admin()
    key = await world.integration_key(admin)
    await _post(world, key, {"title": "known by now"})
    async with world.database.writing() as session:
        await session.execute(text("UPDATE integrations SET is_active = false"))
    await _post(world, key, {"title": "too late"}, expect=401)


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        (IntegrationKind.ALERTMANAGER, 503, "OVERLOADED"),  # it tries again after 5xx only
        (IntegrationKind.ELASTIC, 429, "TOO_MANY_ALERTS"),
        (IntegrationKind.ALERTS, 429, "TOO_MANY_ALERTS"),
    ],
)
async def test_a_crowd_is_told_to_come_again_in_its_own_way(
    world: World, monkeypatch: pytest.MonkeyPatch, kind: IntegrationKind, status: int, code: str
) -> None:
    key = await world.integration_key(await world.admin())

    async def crowded(self: Intake, parcel: Parcel) -> None:
        raise CrowdedError

    monkeypatch.setattr(Intake, "add", crowded)
    response = await world.client.post(
        f"/v1/webhooks/{kind}", headers={"X-API-Key": key}, json={"title": "one too many"}
    )
    assert response.status_code == status
    assert response.json()["code"] == code
    assert int(response.headers["Retry-After"]) > 0


# --- The body as it came


async def _rows(world: World) -> list[Alert]:
    async with world.database.reading() as session:
        return list((await session.scalars(select(Alert).order_by(Alert.id))).all())


async def test_every_body_is_kept_as_it_came(world: World) -> None:
    key = await world.integration_key(await world.admin())
    body = b'{ "title":   "spaced out",\n "dedup_key": "k" }'
    await world.call("POST", PLAIN, headers={"X-API-Key": key}, content=body)
    [row] = await _rows(world)
    assert (row.raw_body, row.body_size, row.body_of) == (body, len(body), None)


async def test_a_body_of_many_alerts_is_kept_once(world: World) -> None:
    key = await world.integration_key(await world.admin())
    answers = await asyncio.gather(
        *(_post(world, key, [{"title": f"{n}.{m}"} for m in range(3)]) for n in range(4))
    )
    rows = {row.id: row for row in await _rows(world)}
    for answer in answers:
        first, *others = (rows[receipt["id"]] for receipt in answer["alerts"])
        assert first.raw_body is not None
        assert first.body_of is None
        assert [other.body_of for other in others] == [first.id, first.id]
        assert {other.raw_body for other in others} == {None}


async def test_of_a_large_body_the_beginning_is_kept_and_its_size(world: World) -> None:
    key = await world.integration_key(await world.admin())
    await _post(world, key, {"title": "large", "description": "x" * 100_000})
    [row] = await _rows(world)
    assert row.raw_body is not None
    assert len(row.raw_body) == integration_service.RAW_KEPT
    assert row.body_size is not None
    assert row.body_size > 100_000


async def test_the_time_of_an_alert_is_the_databases(world: World) -> None:
    key = await world.integration_key(await world.admin())
    world.clock.forward(hours=5)
    await _post(world, key, {"title": "late"})
    async with world.database.reading() as session:
        now = await transaction_time(session)
    [row] = await _rows(world)
    assert abs((row.received_at - now).total_seconds()) < 60
