"""Where a request came from is what the connection says, unless a trusted proxy says more."""

import httpx
import pytest
from fastapi import FastAPI, Request

from app.api.serving import server_config
from app.core.load import load_settings

PROXY = "10.0.0.5"
STRANGER = "203.0.113.7"
PERSON = "198.51.100.23"


async def seen(trusted: str, peer: str, **headers: str) -> tuple[str, str]:
    """The address and the scheme that the service sees, behind the server's own layers."""
    app = FastAPI()

    @app.get("/")
    async def show(request: Request) -> list[str]:
        assert request.client is not None
        return [request.client.host, request.url.scheme]

    config = server_config(app, load_settings(trusted_proxies=trusted))
    config.load()
    transport = httpx.ASGITransport(config.loaded_app, client=(peer, 4711))
    async with httpx.AsyncClient(transport=transport, base_url="http://tocsin.test") as client:
        answer = await client.get(
            "/", headers={name.replace("_", "-"): value for name, value in headers.items()}
        )
    address, scheme = answer.json()
    return address, scheme


@pytest.mark.parametrize("peer", [STRANGER, "127.0.0.1", "::1", PROXY])
async def test_by_default_nobody_is_believed(monkeypatch: pytest.MonkeyPatch, peer: str) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")  # the server's own setting is not ours
    told = await seen("", peer, x_forwarded_for=PERSON, x_forwarded_proto="https")
    assert told == (peer, "http")


@pytest.mark.parametrize("trusted", [PROXY, "10.0.0.0/24", f"::1, {PROXY}", "fd00::/8 10.0.0.4/30"])
async def test_a_trusted_proxy_tells_who_came_and_how(trusted: str) -> None:
    told = await seen(trusted, PROXY, x_forwarded_for=PERSON, x_forwarded_proto="https")
    assert told == (PERSON, "https")


async def test_a_stranger_is_not_believed_beside_a_trusted_proxy() -> None:
    told = await seen(PROXY, STRANGER, x_forwarded_for=PERSON, x_forwarded_proto="https")
    assert told == (STRANGER, "http")


async def test_what_a_stranger_wrote_before_the_proxy_counts_for_nothing() -> None:
    forged = f"{PERSON}, 127.0.0.1, {STRANGER}"
    assert (await seen(PROXY, PROXY, x_forwarded_for=forged))[0] == STRANGER


async def test_a_chain_of_proxies_leads_to_the_person() -> None:
    chain = f"{PERSON}, 10.0.0.9"
    assert (await seen("10.0.0.0/24", PROXY, x_forwarded_for=chain))[0] == PERSON
