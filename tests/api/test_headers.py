"""Every answer, whatever it is, says how a browser shall treat it; the log never says too much."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import Response

from app.api import middleware
from app.core.metrics import Metrics
from tests.api.answers import send
from tests.api.logs import logged
from tests.world import World

PATHS = [
    *("/", "/health", "/ready", "/docs", "/redoc", "/openapi.json", "/static/tocsin.css"),
    *("/a/x", "/nope", "/v1/incidents", "/v1/nope", "/docs/"),
]
CLOSED = "default-src 'none'; frame-ancestors 'none'"


async def test_every_answer_has_the_safe_headers(world: World) -> None:
    for path in PATHS:
        answer = await send(world, "GET", path)
        assert answer.headers["x-content-type-options"] == "nosniff", path
        assert answer.headers["x-frame-options"] == "DENY", path
        assert answer.headers["referrer-policy"] == "no-referrer", path
        assert answer.headers["cross-origin-opener-policy"] == "same-origin", path
        assert "camera=()" in answer.headers["permissions-policy"], path
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy, path
        assert "frame-ancestors 'none'" in policy, path


async def test_what_is_no_page_may_load_nothing(world: World) -> None:
    for path in ("/", "/health", "/openapi.json", "/v1/incidents", "/nope", "/static/tocsin.css"):
        answer = await send(world, "GET", path)
        assert answer.headers["content-security-policy"] == CLOSED, path


async def test_a_page_keeps_its_own_policy(world: World) -> None:
    for path in ("/docs", "/a/x"):
        policy = (await send(world, "GET", path)).headers["content-security-policy"]
        assert "style-src 'self'" in policy, path


async def test_no_cache_keeps_an_answer_of_the_api(world: World) -> None:
    admin = await world.admin()
    for method, path in (
        ("GET", "/v1/users/me"),
        ("GET", "/v1/incidents"),
        ("GET", "/v1/nope"),
        ("POST", "/v1/incidents"),
        ("POST", "/v1/auth/login/access-token"),
        ("GET", "/v1/incidents/"),
    ):
        answer = await send(world, method, path, admin)
        assert answer.headers["cache-control"] == "no-store", (path, answer.status_code)


async def test_files_may_be_kept(world: World) -> None:
    answer = await send(world, "GET", "/static/tocsin.css")
    assert answer.headers["cache-control"] == "no-cache"  # kept, and asked for: has it changed?
    assert answer.headers["etag"]


async def test_a_service_that_people_reach_by_https_tells_browsers_to_stay_there(
    world: World,
) -> None:
    answer = await send(world, "GET", "/nope")
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


@pytest.fixture
async def plain() -> AsyncIterator[httpx.AsyncClient]:
    """A service that people reach by http, with an answer that has headers of its own."""
    app = FastAPI()
    middleware.install(app, metrics=Metrics())

    @app.get("/v1/stream")
    async def stream() -> Response:
        own = {"Cache-Control": "no-cache", "Content-Security-Policy": "sandbox"}
        return Response("data: 1\n\n", media_type="text/event-stream", headers=own)

    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://tocsin.test") as made:
        yield made


async def test_where_there_is_no_https_nobody_is_told_to_use_it(plain: httpx.AsyncClient) -> None:
    assert "strict-transport-security" not in (await plain.get("/v1/stream")).headers


async def test_an_answer_that_knows_better_is_left_alone(plain: httpx.AsyncClient) -> None:
    answer = await plain.get("/v1/stream")
    assert answer.headers.get_list("cache-control") == ["no-cache"]
    assert answer.headers.get_list("content-security-policy") == ["sandbox"]


# --- The log line --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/a/hunter2", "/a/…"),
        ("/a/hunter2/more", "/a/…"),
        ("//a//hunter2", "/a/…"),
        ("/A/hunter2", "/A/…"),
        ("/a/hunter2%0Ahunter2", "/a/…"),
        ("/v1/receipts/hunter2", "/v1/receipts/…"),
        ("/v1/calendar/hunter2.ics", "/v1/calendar/…"),
        ("/v1//calendar/hunter2.ics", "/v1//calendar/…"),
        ("/v1/receipts/twilio/hunter2", "/v1/receipts/…"),
        ("/account/reset/hunter2", "/account/reset/…"),
        ("/account/signup/hunter2/", "/account/signup/…"),
        ("/account/reset", "/account/reset"),
        ("/v1/receipts", "/v1/receipts"),
        ("/v1/users/1", "/v1/users/1"),
        ("/about/us", "/about/us"),
    ],
)
async def test_the_log_shows_a_path_without_the_secret_of_a_link(
    world: World, path: str, shown: str
) -> None:
    with logged() as log:
        for method in ("GET", "POST"):
            await send(world, method, f"https://tocsin.test{path}")
    assert [line["path"] for line in log.of("request")] == [shown] * 2
    assert "hunter2" not in log.text


async def test_the_log_shows_no_query_and_no_header(world: World) -> None:
    headers = {
        "Authorization": "Bearer hunter2-bearer",
        "Cookie": "session=hunter2-cookie",
        "X-API-Key": "hunter2-key",
        "User-Agent": "hunter2-agent",
    }
    with logged() as log:
        for path in ("/health", "/v1/incidents", "/v1/webhooks/alerts", "/nope"):
            await send(world, "GET", f"{path}?token=hunter2-query", headers=headers)
            await send(world, "POST", f"{path}?token=hunter2-query", headers=headers)
    assert len(log.of("request")) == 8
    assert "hunter2" not in log.text


async def test_a_line_of_the_log_has_all_that_a_search_needs(world: World) -> None:
    with logged("info") as log:
        answer = await send(world, "GET", "/v1/nope")
    (line,) = log.of("request")
    assert line.keys() == {
        *("event", "level", "logger", "timestamp", "request_id"),
        *("method", "path", "status", "duration_ms"),
    }
    assert (line["level"], line["status"]) == ("info", 404)
    assert line["request_id"] == answer.headers["x-request-id"]
