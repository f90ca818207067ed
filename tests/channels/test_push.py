"""A push as the browser reads it and as its push service sees it."""

import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jose import jwt

from app.channels.base import GaveUp, RetryLater, Sent
from app.channels.push import vapid_public_key
from app.core.errors import SetupError
from app.domain.push import decode_key
from tests.channels.factories import VAPID, Browser, body_of, headers_of, make_push_sender
from tests.channels.servers import LOOPBACK, answer, http_server, make_certificate

NOW = 1_800_000_000.0
LONG = 'Die Platte läuft über 🔥 "sofort"\n' * 500


def claims_of(authorization: str, audience: str) -> dict[str, Any]:
    """What the proof says, once its signature is checked with the key it names."""
    scheme, _, rest = authorization.partition(" ")
    assert scheme == "vapid"
    parts = dict(part.strip().split("=", 1) for part in rest.split(","))
    assert parts["k"] == vapid_public_key(VAPID)
    point = decode_key(parts["k"])
    assert point is not None
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    pem = key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()
    options = {"verify_exp": False}
    claims: dict[str, Any] = jwt.decode(
        parts["t"], pem, algorithms=["ES256"], audience=audience, options=options
    )
    return claims


async def pushed(**changes: Any) -> tuple[dict[str, Any], bytes]:
    """What the browser shows of a page, and the request that brought it."""
    browser = Browser()
    async with http_server(answer(201)) as server:
        outcome = await make_push_sender().send(browser.push(server.url, **changes))
    assert outcome == Sent()
    [request] = server.requests
    return browser.read(request), request


async def test_a_page_arrives_sealed_and_proven() -> None:
    browser = Browser()
    data = {"incident": 12, "url": "https://tocsin.example/i/12", "title": "Ü 🔥"}
    async with http_server(answer(201, location="https://push.example/m/1")) as server:
        endpoint = f"http://{LOOPBACK}:{server.port}/send/abc?x=1"
        sender = make_push_sender(clock=lambda: NOW, ttl=timedelta(minutes=90))
        outcome = await sender.send(browser.push(endpoint, data=data, text="Disk full\nßüß"))

    assert outcome == Sent(provider_id="https://push.example/m/1")
    [request] = server.requests
    assert request.startswith(b"POST /send/abc?x=1 HTTP/1.1\r\n")
    assert browser.read(request) == {
        "title": "[critical] Disk full on db-1",
        "body": "Disk full\nßüß",
        "tag": "incident-12",
        "data": data,
    }
    headers = headers_of(request)
    assert headers["content-encoding"] == "aes128gcm"
    assert (headers["ttl"], headers["urgency"]) == ("5400", "high")
    origin = f"http://{LOOPBACK}:{server.port}"
    claims = claims_of(headers["authorization"], origin)
    assert claims.keys() == {"aud", "exp", "sub"}
    assert (claims["aud"], claims["sub"]) == (origin, "mailto:ops@tocsin.example")
    assert NOW < claims["exp"] <= NOW + 86400


async def test_no_two_pushes_are_sealed_alike() -> None:
    browser = Browser()
    async with http_server(answer(201)) as server:
        for _ in range(2):
            await make_push_sender().send(browser.push(server.url))
    first, second = map(body_of, server.requests)
    assert first[:16] != second[:16]  # the salt
    assert first[21:86] != second[21:86]  # our half of the exchange


async def test_a_newer_page_replaces_an_older_one_of_the_same_incident_only() -> None:
    topics = [
        headers_of((await pushed(thread=thread))[1])["topic"]
        for thread in ("incident-12", "incident-12", "incident-13", "ü" * 300)
    ]
    assert topics[0] == topics[1]
    assert len(set(topics)) == 3
    for topic in topics:
        assert len(topic) == 32
        assert topic.replace("-", "").replace("_", "").isalnum()


async def test_a_long_page_is_cut_to_what_a_push_service_takes() -> None:
    shown, request = await pushed(text=LONG, subject="long " * 100, thread="t" * 300)
    assert 4000 < len(body_of(request)) <= 4096
    assert len(shown["title"]) == 100
    assert shown["body"].endswith("…")
    assert LONG.startswith(shown["body"][:-1])
    assert len(shown["body"].encode()) > 3000


async def test_data_comes_as_far_as_it_fits_and_never_before_the_text() -> None:
    data = {"url": "u" * 100, "huge": "x" * 5000, "at": object(), "n": float("nan"), "id": 7}
    shown, request = await pushed(text=LONG, data=data)
    assert len(body_of(request)) <= 4096
    assert shown["data"] == {"url": "u" * 100, "id": 7}
    shown, _ = await pushed(text=LONG, data={f"k{n}": "y" * 90 for n in range(100)})
    assert len(shown["data"]) > 10
    assert len(json.dumps(shown["body"], ensure_ascii=False).encode()) > 1900


async def test_a_lone_surrogate_costs_no_page() -> None:
    shown, _ = await pushed(text="odd \ud800", subject="odd \ud800", thread="odd \ud800")
    assert shown["body"] == "odd ?"


@pytest.mark.parametrize("status", [404, 410])
async def test_a_subscription_that_has_ended_is_gone(status: int) -> None:
    async with http_server(answer(status, b"unsubscribed")) as server:
        outcome = await make_push_sender().send(Browser().push(server.url))
    assert isinstance(outcome, GaveUp)
    assert outcome.is_gone
    assert "has ended" in outcome.error
    assert f"{status}: unsubscribed" in outcome.error


@pytest.mark.parametrize("status", [401, 403])
async def test_a_proof_that_is_refused_is_given_up_with_the_reason(status: int) -> None:
    async with http_server(answer(status, b"bad\nkey " + b"x" * 999)) as server:
        outcome = await make_push_sender().send(Browser().push(server.url))
    assert isinstance(outcome, GaveUp)
    assert not outcome.is_gone
    assert f"answered {status}: bad key xxx" in outcome.error
    assert len(outcome.error) <= 300


@pytest.mark.parametrize(
    "secret",
    [
        None,
        "",
        "[]",
        "nonsense",
        "{}",
        '{"p256dh": "AAAA", "auth": "AAAAAAAAAAAAAAAAAAAAAA"}',
        '{"p256dh": "B' + "A" * 86 + '", "auth": "AAAAAAAAAAAAAAAAAAAAAA"}',  # not on the curve
    ],
)
async def test_a_damaged_subscription_is_given_up_unsent(secret: str | None) -> None:
    async with http_server(answer(201)) as server:
        outcome = await make_push_sender().send(Browser().push(server.url, secret=secret))
    assert isinstance(outcome, GaveUp)
    assert "anew" in outcome.error
    assert server.requests == []


async def test_an_endpoint_on_a_private_network_gets_no_connection() -> None:
    async with http_server(answer(201)) as server:
        outcome = await make_push_sender(allowed=()).send(Browser().push(server.url))
    assert isinstance(outcome, GaveUp)
    assert "TOCSIN_ALLOW_PRIVATE_TARGETS" in outcome.error
    assert server.requests == []


async def test_without_https_only_an_allowed_network_is_pushed_to() -> None:
    async def public(host: str, port: int) -> Sequence[str]:
        return ["93.184.216.34"]

    sender = make_push_sender(resolver=public)
    outcome = await sender.send(Browser().push("http://push.example/x"))
    assert isinstance(outcome, GaveUp)
    assert "without https" in outcome.error


async def test_over_https_the_name_is_resolved_once_and_pinned(tmp_path: Path) -> None:
    asked = []

    async def names(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return [LOOPBACK]

    server_tls, client_tls = make_certificate(tmp_path, "push.invalid")
    browser = Browser()
    async with http_server(answer(201), tls=server_tls) as server:
        endpoint = f"https://push.invalid:{server.port}/x"
        sender = make_push_sender(tls=client_tls, resolver=names)
        assert await sender.send(browser.push(endpoint)) == Sent()
        stranger = make_push_sender(resolver=names)
        assert isinstance(await stranger.send(browser.push(endpoint)), RetryLater)
    assert asked == ["push.invalid"] * 2
    assert browser.read(server.requests[0])["tag"] == "incident-12"
    origin = f"https://push.invalid:{server.port}"
    assert claims_of(headers_of(server.requests[0])["authorization"], origin)["aud"] == origin


async def test_a_location_too_long_to_keep_is_not_kept() -> None:
    async with http_server(answer(201, location="https://push.example/" + "x" * 500)) as server:
        assert await make_push_sender().send(Browser().push(server.url)) == Sent()


def test_the_public_key_is_a_browsers_and_always_the_same() -> None:
    key = vapid_public_key(VAPID)
    assert make_push_sender().public_key() == key == vapid_public_key(bytes(VAPID))
    point = decode_key(key)
    assert point is not None
    assert (len(point), point[0], "=" in key) == (65, 4, False)
    assert vapid_public_key(b"\xff" * 32) != key
    assert vapid_public_key(b"\x00" * 32)  # zero is no key, so it stands for another one


@pytest.mark.parametrize("key", [b"", b"x" * 31, b"x" * 33])
def test_a_key_of_another_length_is_refused(key: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        vapid_public_key(key)


@pytest.mark.parametrize("subject", ["", "ops@tocsin.example", "http://tocsin.example"])
def test_a_contact_that_push_services_refuse_is_a_fault_of_the_setup(subject: str) -> None:
    with pytest.raises(SetupError, match="mailto:"):
        make_push_sender(subject=subject)
