"""Whatever goes wrong, the answer has one shape, and says nothing that it should not."""

import re
from collections.abc import AsyncIterator, MutableMapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.api.bounds import LARGEST_BODY
from app.api.deps import service_of
from app.core.config import Settings
from app.crud import crud_user
from app.domain.subscriber_import import LARGEST_FILE
from app.main import Setup, create_app
from tests.api.answers import refusal, refused, send
from tests.api.logs import logged
from tests.world import World


async def test_an_unknown_path_is_not_found(world: World) -> None:
    for path in ("/nope", "/v1", "/v1/nope", "/v2/incidents", "/static/nope", "/static/../app.py"):
        assert await refused(world, "GET", path, None, 404, "NOT_FOUND") == {}


async def test_a_wrong_method_is_told_and_so_is_the_right_one(world: World) -> None:
    for method, path, allowed in (
        ("DELETE", "/v1/incidents", "GET, HEAD, POST"),
        ("PUT", "/v1/incidents/7", "GET, HEAD, PATCH, DELETE"),
        (
            "PUT",
            "/v1/users/me",
            "GET, HEAD, PATCH, DELETE",
        ),  # one by its own name, one by a number's
        ("POST", "/health", "GET, HEAD"),
        ("GET", "/v1/webhooks/alerts", "POST"),
        ("POST", "/static/tocsin.css", "GET"),
    ):
        answer = await send(world, method, path)
        refusal(answer, 405, "METHOD_NOT_ALLOWED")
        assert allowed in answer.headers["allow"]


async def test_what_is_not_there_says_where_to_look(world: World) -> None:
    nowhere = (await send(world, "GET", "/v1/nope")).json()
    assert "/openapi.json" in nowhere["message"]
    wrong = (await send(world, "PUT", "/v1/incidents")).json()
    assert "Allow" in wrong["message"]


async def test_a_fault_is_told_once(world: World) -> None:
    ana = await world.person()
    for query in ("status=x", "since=x", "search=%00", "page=0"):
        answer = await send(world, "GET", f"/v1/incidents?{query}", ana)
        assert len(refusal(answer, 422, "VALIDATION_ERROR")["errors"]) == 1, query


async def test_nobody_is_told_to_log_in(world: World) -> None:
    answer = await send(world, "GET", "/v1/incidents")
    refusal(answer, 401, "UNAUTHORIZED")
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_what_a_role_does_not_allow_is_told_with_what_it_needs(world: World) -> None:
    viewer = await world.person(role="viewer")  # type: ignore[arg-type]
    body = {"title": "x", "severity": "high", "service": "y"}
    details = await refused(world, "POST", "/v1/incidents", viewer, 403, "FORBIDDEN", json=body)
    assert details == {"needs": "respond"}


async def test_a_fault_repeats_nothing_that_was_sent(world: World) -> None:
    body = {"email": "a@example.org", "password": "hunter2"}
    answer = await send(world, "POST", "/v1/users", await world.admin(), json=body)
    assert answer.status_code == 422
    assert "hunter2" not in answer.text


async def chunks(size: int) -> AsyncIterator[bytes]:
    while size > 0:
        yield b"x" * min(size, 65_536)
        size -= 65_536


async def test_a_body_too_large_is_refused_on_every_route_of_people(
    world: World, document: dict[str, Any]
) -> None:
    admin = await world.admin()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            theirs = path.startswith(("/v1/webhooks/", "/v1/receipts/", "/v1/ping/"))
            if "requestBody" not in operation or theirs:
                continue
            kind = next(iter(operation["requestBody"]["content"]))
            largest = LARGEST_FILE if path == "/v1/subscriber-imports" else LARGEST_BODY
            declared = b'"' + b"x" * largest
            for body in (declared, chunks(largest + 1)):
                answer = await send(
                    world,
                    method,
                    re.sub(r"\{\w+\}", "1", path),
                    admin,
                    content=body,
                    headers={"Content-Type": kind},
                )
                assert refusal(answer, 413, "BODY_TOO_LARGE") == {}


async def test_a_body_of_just_the_limit_is_read(world: World) -> None:
    body = b'"' + b"x" * (LARGEST_BODY - 2) + b'"'
    json = {"Content-Type": "application/json"}
    admin = await world.admin()
    for content in (body, chunks(LARGEST_BODY)):
        answer = await send(world, "POST", "/v1/users", admin, content=content, headers=json)
        refusal(answer, 422, "VALIDATION_ERROR")


async def test_what_breaks_inside_says_no_more_than_that(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = await world.admin()

    async def broken(*_: object) -> None:
        raise RuntimeError("the secret of the vault is 42")

    monkeypatch.setattr(crud_user, "list_page", broken)
    with logged() as log:
        answer = await send(world, "GET", "/v1/users", admin)

    assert refusal(answer, 500, "INTERNAL_ERROR") == {}
    assert "vault" not in answer.text
    assert "Traceback" not in answer.text
    (line,) = log.of("request.failed")
    assert line["request_id"] == answer.headers["x-request-id"]
    assert "RuntimeError: the secret of the vault is 42" in line["exception"]
    assert [line["status"] for line in log.of("request")] == [500]


async def test_a_broken_dependency_is_an_answer_too(world: World, app: FastAPI) -> None:
    def broken() -> None:
        raise KeyError("settings")

    ana = await world.person()
    app.dependency_overrides[service_of] = broken
    await refused(world, "GET", "/v1/users/me", ana, 500, "INTERNAL_ERROR")


async def test_a_sender_that_goes_away_is_no_failure_of_ours(app: FastAPI, world: World) -> None:
    key = await world.integration_key(await world.admin())
    sent: list[MutableMapping[str, Any]] = []
    coming = [
        {"type": "http.request", "body": b'{"title"', "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> MutableMapping[str, Any]:
        return coming.pop(0)

    async def answer(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/webhooks/alerts",
        "query_string": b"",
        "headers": [(b"x-api-key", key.encode())],
        "state": {},
    }
    with logged() as log:
        await app(scope, receive, answer)
    assert sent == []
    assert log.of("request.failed") == []
    assert await world.sql("SELECT 1 FROM alerts") == []


@pytest.fixture
async def cut_off(settings: Settings, data_dir: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A service whose database nobody answers for."""
    setup = Setup(
        settings=settings,
        database_url="postgresql+asyncpg://nobody@127.0.0.1:1/nothing",
        data_dir=data_dir,
        secret_key="a secret key that is long enough for the tests",
        public_url="https://tocsin.test",
    )
    transport = httpx.ASGITransport(create_app(setup, with_worker=False))
    async with httpx.AsyncClient(transport=transport, base_url="https://tocsin.test") as made:
        yield made


async def test_without_its_database_it_says_not_now(
    cut_off: httpx.AsyncClient, world: World
) -> None:
    ana = await world.person()
    calls: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", "/v1/incidents", {"headers": ana.headers}),
        ("POST", "/v1/incidents/1/acknowledge", {"headers": ana.headers}),
        ("POST", "/v1/auth/login/access-token", {"json": {"username": "a", "password": "b"}}),
        ("POST", "/v1/webhooks/alerts", {"headers": {"X-API-Key": "tik_x"}, "content": b"{}"}),
    ]
    for method, path, kw in calls:
        answer = await cut_off.request(method, path, **kw)
        refusal(answer, 503, "DATABASE_UNAVAILABLE")
        assert answer.headers["retry-after"] == "1"
        assert "nobody" not in answer.text


async def test_an_outage_is_logged_as_one(cut_off: httpx.AsyncClient) -> None:
    with logged() as log:
        await cut_off.post("/v1/webhooks/alerts", headers={"X-API-Key": "tik_x"})
    assert len(log.of("database.unavailable")) == 1
    assert log.of("request.failed") == []
