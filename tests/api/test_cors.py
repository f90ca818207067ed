"""Which web pages may call from a browser, and that those can read whatever they are answered."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from app.api import errors, middleware
from app.core.load import load_settings
from app.core.metrics import Metrics
from app.main import Setup, create_app
from tests.api.answers import refusal

CONSOLE = "https://console.example.org"
OTHER = "https://evil.example"
ASKS = {"Access-Control-Request-Method": "POST"}


def stage(*origins: str) -> FastAPI:
    """A service with one answer of each kind."""
    app = FastAPI()
    errors.install(app)
    middleware.install(app, metrics=Metrics(), origins=origins, is_https=True)

    @app.get("/v1/thing")
    async def thing() -> dict[str, str]:
        return {"it": "works"}

    @app.get("/v1/broken")
    async def broken() -> None:
        raise RuntimeError("the disk is full")

    @app.get("/v1/outage")
    async def outage() -> None:
        raise ConnectionRefusedError

    return app


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """A page of any origin, at a service that knows the console's."""
    transport = httpx.ASGITransport(stage(CONSOLE, "http://localhost:5173"))
    async with httpx.AsyncClient(transport=transport, base_url="https://tocsin.test") as made:
        yield made


def may_read(answer: httpx.Response, origin: str = CONSOLE) -> bool:
    """Whether a browser lets a page of this origin see the answer."""
    return answer.headers.get("access-control-allow-origin") in (origin, "*")


@pytest.mark.parametrize(
    ("path", "status"),
    [("/v1/thing", 200), ("/v1/nope", 404), ("/v1/broken", 500), ("/v1/outage", 503)],
)
async def test_the_console_can_read_every_answer(
    client: httpx.AsyncClient, path: str, status: int
) -> None:
    answer = await client.get(path, headers={"Origin": CONSOLE})
    assert answer.status_code == status
    assert may_read(answer)
    shown = answer.headers["access-control-expose-headers"]
    for name in ("X-Request-ID", "Retry-After", "RateLimit", "RateLimit-Policy"):
        assert name in shown.split(", ")
    assert answer.headers["x-request-id"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "Origin" in answer.headers["vary"]


@pytest.mark.parametrize(
    "origin",
    [
        *(OTHER, "null", "https://console.example.org.evil.example", "http://console.example.org"),
        *("https://console.example.org:8443", "https://CONSOLE.example.org", "*", ""),
        "https://evil.example/https://console.example.org",
    ],
)
async def test_no_other_page_can_read_anything(client: httpx.AsyncClient, origin: str) -> None:
    for path in ("/v1/thing", "/v1/broken"):
        answer = await client.get(path, headers={"Origin": origin})
        assert "access-control-allow-origin" not in answer.headers
        assert "Origin" in answer.headers["vary"]  # no cache hands it to the console


async def test_a_browser_that_asks_is_told_what_may_be_sent(client: httpx.AsyncClient) -> None:
    wanted = "authorization,content-type,x-request-id,idempotency-key,if-match,last-event-id"
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        answer = await client.options(
            "/v1/thing",
            headers={
                "Origin": CONSOLE,
                "Access-Control-Request-Method": method,
                "Access-Control-Request-Headers": wanted,
            },
        )
        assert answer.status_code == 200, method
        assert may_read(answer)
        assert method in answer.headers["access-control-allow-methods"].split(", ")
        allowed = answer.headers["access-control-allow-headers"].lower().split(", ")
        assert set(wanted.split(",")) <= set(allowed)
        assert answer.headers["x-request-id"]
        assert answer.headers["strict-transport-security"]


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"Origin": OTHER, **ASKS}, "origin"),
        ({"Origin": CONSOLE, "Access-Control-Request-Method": "TRACE"}, "method"),
        ({"Origin": CONSOLE, **ASKS, "Access-Control-Request-Headers": "x-csrf-token"}, "headers"),
    ],
)
async def test_a_browser_that_may_not_is_refused_in_our_own_shape(
    client: httpx.AsyncClient, headers: dict[str, str], said: str
) -> None:
    answer = await client.options("/v1/thing", headers=headers)
    assert refusal(answer, 400, "CORS_REFUSED") == {}
    assert said in answer.json()["message"]
    assert "TOCSIN_CORS_ORIGINS" in answer.json()["message"]


async def test_no_page_comes_with_a_cookie(client: httpx.AsyncClient) -> None:
    for answer in (
        await client.get("/v1/thing", headers={"Origin": CONSOLE}),
        await client.options("/v1/thing", headers={"Origin": CONSOLE, **ASKS}),
    ):
        assert "access-control-allow-credentials" not in answer.headers


async def test_an_ordinary_options_is_an_ordinary_request(client: httpx.AsyncClient) -> None:
    for headers in ({"Origin": CONSOLE}, ASKS, {}):
        answer = await client.options("/v1/thing", headers=headers)
        refusal(answer, 405, "METHOD_NOT_ALLOWED")


async def test_without_origins_no_page_may_call() -> None:
    transport = httpx.ASGITransport(stage())
    async with httpx.AsyncClient(transport=transport, base_url="https://tocsin.test") as client:
        answers = [
            await client.get("/v1/thing", headers={"Origin": CONSOLE}),
            await client.options("/v1/thing", headers={"Origin": CONSOLE, **ASKS}),
        ]
    assert [answer.status_code for answer in answers] == [200, 405]
    assert not any(name.startswith("access-control") for a in answers for name in a.headers)


async def test_while_developing_every_page_may() -> None:
    transport = httpx.ASGITransport(stage("*"))
    async with httpx.AsyncClient(transport=transport, base_url="https://tocsin.test") as client:
        answer = await client.get("/v1/broken", headers={"Origin": OTHER})
    assert answer.headers["access-control-allow-origin"] == "*"


async def test_the_service_has_the_origins_of_its_settings(data_dir: Path) -> None:
    """No database is there: what comes is refused or fails, and can be read all the same."""
    setup = Setup(
        settings=load_settings(password_rounds=4, cors_origins=f"{CONSOLE}/"),
        database_url="postgresql+asyncpg://nobody@127.0.0.1:1/nothing",
        data_dir=data_dir,
        secret_key="a secret key that is long enough for the tests",
        public_url="https://tocsin.test",
    )
    transport = httpx.ASGITransport(create_app(setup, with_worker=False))
    async with httpx.AsyncClient(transport=transport, base_url="https://tocsin.test") as client:
        asked = await client.options("/v1/incidents", headers={"Origin": CONSOLE, **ASKS})
        assert asked.status_code == 200  # before anybody has logged in
        assert may_read(asked)
        for path, status in (("/v1/incidents", 401), ("/v1/nope", 404)):
            answer = await client.get(path, headers={"Origin": CONSOLE})
            assert (answer.status_code, may_read(answer)) == (status, True)
        lost = await client.post(
            "/v1/webhooks/alerts", headers={"Origin": CONSOLE, "X-API-Key": "tik_x"}
        )
        assert (lost.status_code, may_read(lost)) == (503, True)
