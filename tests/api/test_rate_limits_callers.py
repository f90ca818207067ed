"""Who is counted as whom: people by name, links by themselves, strangers by address."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from app.api.errors import envelope
from app.api.limited import Limited
from app.api.serving import server_config
from app.core import source
from app.core.load import load_settings
from app.core.source import Source
from app.db.session import Database
from app.domain import api_key
from app.domain.audit_log import ActorKind
from app.services.notification import LINK_PURPOSE
from tests.api.limited import Hand, at, replica, status
from tests.conftest import Clock
from tests.world import World

PROXY = "10.0.0.5"


@pytest.fixture
def app(database: Database, data_dir: Path) -> FastAPI:
    """Where everybody has two reads."""
    return replica(database, data_dir, Hand(), rate_limit_reads="2/minute")


async def reads(app: FastAPI, *addresses: str, path: str = "/v1/incidents", **kw: object) -> str:
    """One read from each address in turn: `+` was let in, `-` was refused."""
    found = ""
    for address in addresses:
        async with at(app, address) as client:
            found += "-" if await status(client, "GET", path, **kw) == 429 else "+"
    return found


async def test_strangers_are_counted_by_address(app: FastAPI) -> None:
    assert await reads(app, "192.0.2.1", "192.0.2.1", "192.0.2.1") == "++-"
    assert await reads(app, "192.0.2.2") == "+"


async def test_a_customer_with_ipv6_is_counted_as_one_whatever_address_he_takes(
    app: FastAPI,
) -> None:
    one = [f"2001:db8:1:2:{host}::1" for host in range(3)]
    assert await reads(app, *one) == "++-"
    assert await reads(app, "2001:db8:1:3::1") == "+"
    mapped = ["::ffff:192.0.2.7", "192.0.2.7", "::ffff:192.0.2.7"]
    assert await reads(app, *mapped) == "++-"


async def test_people_behind_one_address_each_have_a_quota(app: FastAPI, world: World) -> None:
    ana, ben = await world.person(), await world.person("ben@example.org")
    again = await world.login(ana.id)
    home = "192.0.2.1"
    assert await reads(app, home, home, headers=ana.headers) == "++"
    assert await reads(app, home, headers=again.headers) == "-"  # another login, the same person
    assert await reads(app, "192.0.2.2", headers=ana.headers) == "-"
    assert await reads(app, home, home, home, headers=ben.headers) == "++-"


@pytest.mark.parametrize(
    "invented",
    [
        lambda n: {"Authorization": f"Bearer token-{n}"},
        lambda n: {"Authorization": f"Bearer {api_key.sealed(f'{n:040}')}"},
        lambda n: {"X-API-Key": api_key.sealed(f"{n:040}")},
        lambda n: {"X-Forwarded-For": f"192.0.2.{n}"},
    ],
)
async def test_who_invents_tokens_keys_or_addresses_gains_nothing(
    app: FastAPI, invented: object
) -> None:
    assert callable(invented)
    found = [await reads(app, "192.0.2.200", headers=invented(number)) for number in range(4)]
    assert found == ["+", "+", "-", "-"]


async def test_a_trusted_proxy_says_who_calls(app: FastAPI) -> None:
    config = server_config(app, load_settings(trusted_proxies=PROXY))
    config.load()
    transport = httpx.ASGITransport(config.loaded_app, client=(PROXY, 4711))
    async with httpx.AsyncClient(transport=transport, base_url="http://tocsin.test") as client:
        for address, expected in (("198.51.100.1", [401, 401, 429]), ("198.51.100.2", [401])):
            headers = {"X-Forwarded-For": address}
            found = [
                await status(client, "GET", "/v1/incidents", headers=headers) for _ in expected
            ]
            assert found == expected


async def test_a_link_of_ours_is_counted_by_itself(app: FastAPI) -> None:
    signer = app.state.service.signer
    office = ["192.0.2.1"] * 3
    assert await reads(app, *office) == "++-"
    first, second = (f"/a/{signer.link(LINK_PURPOSE, number)}" for number in (1, 2))
    assert await reads(app, *office, path=first) == "++-"
    assert await reads(app, "192.0.2.1", path=second) == "+"
    assert await reads(app, "192.0.2.1", path="/a/made-up") == "-"


@pytest.fixture
def keyed(app: FastAPI) -> Iterator[Limited]:
    """Behind the limits: one key that opens something, as the real doors tell it."""

    async def doors(scope: Scope, receive: Receive, send: Send) -> None:
        is_good = (b"x-api-key", GOOD.encode()) in scope["headers"]
        source.forget()
        if is_good:
            source.declare(Source(ActorKind.API_KEY, "ci", user_id=1, api_key_id=1))
        answer = envelope("1", 200 if is_good else 401, "X", "x")
        await answer(scope, receive, send)

    async def outside(scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})["request_id"] = "1"
        await inside(scope, receive, send)

    inside = Limited(doors, app.state.service.limits)
    yield outside  # type: ignore[misc]
    source.forget()


GOOD = api_key.sealed("a" * api_key.CHANCE)


async def test_a_key_is_counted_as_itself_once_it_has_opened_something(keyed: Limited) -> None:
    transport = httpx.ASGITransport(keyed, client=("192.0.2.1", 1))
    key = {"X-API-Key": GOOD}
    async with httpx.AsyncClient(transport=transport, base_url="http://tocsin.test") as client:
        # The first by address, because nobody knew it yet; then a quota of its own.
        found = [await status(client, "GET", "/", headers=key) for _ in range(4)]
        assert found == [200, 200, 200, 429]
        # Of the address one is left, whatever the key has used.
        assert [await status(client, "GET", "/") for _ in range(2)] == [401, 429]


async def test_counts_are_kept_under_no_address_and_no_name(app: FastAPI, clock: Clock) -> None:
    limits = app.state.service.limits
    name = limits._name("reads", "from 192.0.2.1")
    assert name.startswith("tocsin:reads:")
    assert "192.0.2.1" not in name
    assert name != limits._name("reads", "from 192.0.2.2")
