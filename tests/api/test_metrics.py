"""The figures: they parse, they are right, they cost little, and they name nobody."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr
from sqlalchemy import event

from app.api.state import NoLoops
from app.api.watch import Watch
from app.channels.base import RetryLater
from app.core.metrics import Metrics, Settled
from app.db.session import Database
from app.domain.notification import Channel
from tests.conftest import Clock, plain
from tests.world import Scripted, World

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


class Ticks:
    """A clock that only a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture(autouse=True)
def _fresh_watch(app: FastAPI, ticks: Ticks) -> None:
    """The service is shared between tests; what it saw last is not."""
    app.state.service = replace(app.state.service, watch=Watch(ticks))


def read(text: str) -> Series:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def scrape(client: httpx.AsyncClient) -> Series:
    answer = await client.get("/metrics")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return read(answer.text)


def value(series: Series, name: str, **labels: str) -> float:
    return series[name, frozenset(labels.items())]


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


# --- Who may read them -------------------------------------------------------------------


async def test_without_a_token_set_they_are_open(client: httpx.AsyncClient) -> None:
    assert value(await scrape(client), "tocsin_database_up") == 1
    head = await client.head("/metrics")
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": "Bearer "}, 401),
        ({"Authorization": "Basic let-me-in"}, 401),
        ({"Authorization": "let-me-in"}, 401),
        ({"Authorization": "Bearer ünï"}, 401),
        ({"Authorization": "Bearer let-me-in"}, 200),
        ({"Authorization": "bearer  let-me-in"}, 200),
    ],
)
async def test_with_a_token_set_it_must_come(
    app: FastAPI, client: httpx.AsyncClient, sent: dict[str, str], status: int
) -> None:
    settings = app.state.service.settings.model_copy(
        update={"metrics_token": SecretStr("let-me-in")}
    )
    app.state.service = replace(app.state.service, settings=settings)
    headers = {name: header.encode() for name, header in sent.items()}
    answer = await client.get("/metrics", headers=headers)
    assert answer.status_code == status
    if status == 401:
        assert answer.json()["code"] == "UNAUTHORIZED"
        assert set(answer.json()) == {"code", "message", "request_id", "details"}
        assert "let-me-in" not in answer.text
        assert "tocsin_" not in answer.text


# --- The backlog -------------------------------------------------------------------------


async def test_what_is_due_is_counted_and_its_age_told(
    world: World, client: httpx.AsyncClient, clock: Clock, ticks: Ticks
) -> None:
    admin = await world.admin()
    await world.policy(admin, [(0, "admins"), (60, "admins")])
    await world.declare(admin)
    clock.forward(seconds=90)
    found = await scrape(client)
    assert value(found, "tocsin_steps_due") == 1
    assert 90 <= value(found, "tocsin_step_oldest_due_seconds") < 100
    assert value(found, "tocsin_messages_due", channel="email") == 0

    await world.climb()
    ticks.now += 60
    found = await scrape(client)
    assert value(found, "tocsin_steps_due") == 0
    assert value(found, "tocsin_step_oldest_due_seconds") == 0
    assert value(found, "tocsin_messages_due", channel="email") == 1
    assert 90 <= value(found, "tocsin_message_oldest_due_seconds", channel="email") < 100
    assert 90 <= value(found, "tocsin_page_oldest_unsent_seconds", channel="email") < 100
    assert value(found, "tocsin_page_oldest_unsent_seconds", channel="webhook") == 0

    await world.deliver(Scripted())
    ticks.now += 60
    found = await scrape(client)
    assert value(found, "tocsin_messages_due", channel="email") == 0
    assert value(found, "tocsin_page_oldest_unsent_seconds", channel="email") == 0


async def test_a_page_that_waits_for_its_next_try_is_late_all_the_same(
    world: World, client: httpx.AsyncClient, clock: Clock
) -> None:
    admin = await world.admin()
    await world.policy(admin, [(0, "admins")])
    await world.declare(admin)
    await world.climb()
    clock.forward(seconds=300)
    await world.sql("UPDATE notifications SET attempts = 5, ready_at = ready_at + '10 minutes'")
    found = await scrape(client)
    assert value(found, "tocsin_messages_due", channel="email") == 0
    assert 300 <= value(found, "tocsin_page_oldest_unsent_seconds", channel="email") < 310


async def test_a_page_that_rests_on_purpose_is_not_late(
    world: World, client: httpx.AsyncClient, clock: Clock
) -> None:
    admin = await world.admin()
    await world.policy(admin, [(0, "admins")])
    number = (await world.declare(admin))["id"]
    await world.pass_time(Scripted(RetryLater("not now")), seconds=1)
    await world.act(admin, number, "snooze", json={"minutes": 30})
    clock.forward(minutes=20)
    found = await scrape(client)
    assert value(found, "tocsin_page_oldest_unsent_seconds", channel="email") == 0
    clock.forward(minutes=15)
    late = (await world.call("GET", "/health"))["lateness"]["pages"]
    assert late > 0


async def test_a_letter_is_no_page(world: World, client: httpx.AsyncClient, clock: Clock) -> None:
    ana = await world.admin()
    await world.call("POST", "/v1/auth/password-recovery", json={"email": ana.email}, expect=202)
    clock.forward(minutes=3)
    found = await scrape(client)
    assert value(found, "tocsin_messages_due", channel="email") == 1
    assert value(found, "tocsin_message_oldest_due_seconds", channel="email") >= 180
    assert value(found, "tocsin_page_oldest_unsent_seconds", channel="email") == 0


# --- What they cost ----------------------------------------------------------------------


@pytest.fixture
async def questions(world: World) -> AsyncIterator[list[str]]:
    """Every statement that the service sends."""
    sent: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        sent.append(statement)

    engine = world.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    yield sent
    event.remove(engine, "before_cursor_execute", note)


async def test_a_storm_of_scrapes_costs_one_look_a_second(
    client: httpx.AsyncClient, questions: list[str], ticks: Ticks
) -> None:
    await scrape(client)
    once = len(questions)
    assert once > 0
    await asyncio.gather(*(scrape(client) for _ in range(20)))
    ticks.now += 0.9
    await scrape(client)
    assert len(questions) == once
    ticks.now += 0.2
    await asyncio.gather(*(scrape(client) for _ in range(20)))
    assert len(questions) == 2 * once


async def test_a_look_that_took_long_serves_for_longer(
    client: httpx.AsyncClient, questions: list[str], ticks: Ticks, world: World
) -> None:
    def take_long(*_: Any) -> None:
        ticks.now += 0.5

    engine = world.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", take_long)
    await scrape(client)
    event.remove(engine, "before_cursor_execute", take_long)
    once = len(questions)
    ticks.now += 19 * 0.5 * once
    await scrape(client)
    assert len(questions) == once
    ticks.now += 2 * 0.5 * once
    await scrape(client)
    assert len(questions) == 2 * once


async def test_without_the_database_the_rest_is_there(
    app: FastAPI, client: httpx.AsyncClient
) -> None:
    gone = Database("postgresql+asyncpg://nobody@127.0.0.1:1/nothing")
    app.state.service = replace(app.state.service, database=gone)
    found = await scrape(client)
    await gone.close()
    assert value(found, "tocsin_database_up") == 0
    assert ("tocsin_steps_due", frozenset()) not in found
    assert any(name == "tocsin_http_request_seconds_count" for name, _ in found)


async def test_tables_of_another_version_cost_their_figures_and_no_more(
    client: httpx.AsyncClient, world: World
) -> None:
    await world.sql("ALTER TABLE escalations RENAME COLUMN next_step_at TO another")
    try:
        found = await scrape(client)
    finally:
        await world.sql("ALTER TABLE escalations RENAME COLUMN another TO next_step_at")
    assert value(found, "tocsin_database_up") == 0


# --- The server and this process ---------------------------------------------------------


async def test_a_snapshot_that_somebody_holds_is_seen(
    client: httpx.AsyncClient, database_url: str, ticks: Ticks
) -> None:
    """As a backup does, or a session that was left alone in a transaction."""
    other = await asyncpg.connect(plain(database_url))
    transaction = other.transaction(isolation="repeatable_read")
    await transaction.start()
    await other.execute("SELECT count(*) FROM incidents")
    found = await scrape(client)
    assert value(found, "tocsin_database_oldest_snapshot_seconds") > 0
    assert value(found, "tocsin_database_oldest_idle_transaction_seconds") > 0
    await transaction.rollback()
    await other.close()
    ticks.now += 60
    found = await scrape(client)
    assert value(found, "tocsin_database_oldest_idle_transaction_seconds") == 0


async def test_connections_in_use_are_told(
    client: httpx.AsyncClient, database: Database, ticks: Ticks
) -> None:
    before = value(await scrape(client), "tocsin_database_connections_in_use")
    ticks.now += 60
    async with database.reading():
        found = await scrape(client)
    assert before == 0
    assert value(found, "tocsin_database_connections_in_use") == 1
    assert value(found, "tocsin_database_connections_most") == 20


class Pulse(NoLoops):
    def report(self) -> dict[str, Any]:
        return {"escalation": {"alive": False, "seconds_since_last_round": 31.5}}

    def providers(self) -> dict[str, Any]:
        many = {f"h{n}.example": {"state": "closed"} for n in range(200)}
        return {"webhook": {**many, "down.example": {"state": "open"}}}

    def overdue(self) -> dict[str, int] | None:
        return {"steps": 0, "leases": 3}


async def test_loops_breakers_and_the_auditor_are_told(
    app: FastAPI, client: httpx.AsyncClient
) -> None:
    app.state.service = replace(app.state.service, pulse=Pulse())
    found = await scrape(client)
    assert value(found, "tocsin_loop_age_seconds", loop="escalation") == 31.5
    assert value(found, "tocsin_loop_alive", loop="escalation") == 0
    assert value(found, "tocsin_overdue", promise="leases") == 3
    assert (
        value(found, "tocsin_breaker_state", channel="webhook", provider="down.example") == 2
    )  # the one in trouble is among the few that are shown
    assert sum(name == "tocsin_breaker_state" for name, _ in found) == 50


# --- What is counted as it happens -------------------------------------------------------


async def test_requests_are_counted_by_the_template_of_their_route(
    world: World, client: httpx.AsyncClient
) -> None:
    admin = await world.admin()

    async def counted(route: str, status: str, method: str = "GET") -> float:
        found = await scrape(client)
        labels = {"method": method, "route": route, "status": status}
        key = ("tocsin_http_request_seconds_count", frozenset(labels.items()))
        return found.get(key, 0)

    one = "/v1/incidents/{incident_id}"
    before = [
        await counted(one, "4xx"),
        await counted("none", "4xx"),
        await counted("/v1/webhooks/alerts", "4xx", "POST"),
        await counted("none", "4xx", "other"),
    ]
    await world.call("GET", "/v1/incidents/1234567", admin, expect=404)
    await world.call("GET", "/v1/incidents/7654321/", admin, expect=404)
    await world.call("GET", "/no-such-secret-path", admin, expect=404)
    await world.call("POST", "/v1/webhooks/alerts", expect=401)
    await client.request("BREW", "/no-such-secret-path")
    after = [
        await counted(one, "4xx"),
        await counted("none", "4xx"),
        await counted("/v1/webhooks/alerts", "4xx", "POST"),
        await counted("none", "4xx", "other"),
    ]
    assert [new - old for new, old in zip(after, before, strict=True)] == [2, 1, 1, 1]
    text = (await client.get("/metrics")).text
    for sent in ("1234567", "no-such", "BREW"):
        assert sent not in text


async def test_what_is_counted_is_shown(app: FastAPI, client: httpx.AsyncClient) -> None:
    counted = Metrics()
    app.state.service = replace(app.state.service, metrics=counted)
    counted.step_taken(seconds(0.02))
    counted.step_taken(seconds(3))
    counted.page_settled(Channel.SMS, "page", Settled.RESENT, seconds(45))
    counted.page_settled(Channel.SMS, "page", Settled.RETRIED, seconds(45))
    counted.page_settled(Channel.EMAIL, "resolved", Settled.SENT)
    counted.alerts_taken_in("alertmanager", "joined", 12)
    found = await scrape(client)
    assert value(found, "tocsin_step_lateness_seconds_bucket", le="0.025") == 1
    assert value(found, "tocsin_step_lateness_seconds_count") == 2
    late = "tocsin_page_lateness_seconds_bucket"
    assert value(found, late, channel="sms", le="30.0") == 0
    assert value(found, late, channel="sms", le="60.0") == 1  # a retry has not left
    assert value(found, late, channel="email", le="+Inf") == 0  # no page, so never late
    outcomes = {"channel": "sms", "kind": "page"}
    assert value(found, "tocsin_messages_total", outcome="resent", **outcomes) == 1
    assert value(found, "tocsin_messages_total", outcome="retried", **outcomes) == 1
    assert value(found, "tocsin_messages_total", outcome="failed", **outcomes) == 0
    assert value(found, "tocsin_alerts_total", kind="alertmanager", outcome="joined") == 12


def test_services_in_one_process_count_for_themselves() -> None:
    one, other = Metrics(), Metrics()
    one.alerts_taken_in("alerts", "opened")
    opened = "tocsin_alerts_total"
    labels = {"kind": "alerts", "outcome": "opened"}
    assert value(read(one.render().decode()), opened, **labels) == 1
    assert value(read(other.render().decode()), opened, **labels) == 0
