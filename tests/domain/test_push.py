"""Which subscriptions of browsers are taken."""

import base64
import json
from typing import Any

import pytest

from app.domain.push import decode_key, encode_key, read_subscription

POINT = b"\x04" + bytes(range(64))
AUTH = bytes(range(200, 216))
GOOD = {
    "endpoint": "https://push.example/send/AbC-1",
    "expirationTime": None,
    "keys": {"p256dh": encode_key(POINT), "auth": encode_key(AUTH)},
}


def changed(**keys: Any) -> dict[str, Any]:
    return {**GOOD, "keys": {**GOOD["keys"], **keys}}  # type: ignore[dict-item]


def test_what_a_browser_gives_is_read() -> None:
    subscription = read_subscription(GOOD)
    assert subscription.endpoint == "https://push.example/send/AbC-1"
    assert decode_key(subscription.p256dh) == POINT
    assert decode_key(subscription.auth) == AUTH
    assert json.loads(subscription.keys) == GOOD["keys"]
    assert read_subscription({**GOOD, "endpoint": "http://127.0.0.1:9/x"})


def test_padding_makes_no_difference() -> None:
    padded = changed(
        p256dh=base64.urlsafe_b64encode(POINT).decode(),
        auth=base64.urlsafe_b64encode(AUTH).decode(),
    )
    assert read_subscription(padded) == read_subscription(GOOD)


def test_its_keys_are_not_shown() -> None:
    shown = repr(read_subscription(GOOD))
    assert encode_key(AUTH) not in shown
    assert encode_key(POINT) not in shown


@pytest.mark.parametrize(
    "endpoint",
    [
        None,
        7,
        "",
        "push.example/x",
        "ftp://push.example/x",
        "javascript:x",
        "https://",
        "https://push.example/a b",
        "https://push.example/\n",
        "https://push.example/ü",
        "https://push.example/" + "x" * 2000,
    ],
)
def test_what_is_no_endpoint_is_refused(endpoint: Any) -> None:
    with pytest.raises(ValueError, match=r"[Tt]he endpoint"):
        read_subscription({**GOOD, "endpoint": endpoint})


@pytest.mark.parametrize(
    "p256dh",
    [
        None,
        "",
        encode_key(POINT[:-1]),
        encode_key(POINT + b"x"),
        encode_key(b"\x02" + POINT[1:]),
        "+/" + encode_key(POINT)[2:],
        encode_key(POINT) + " ",
        "B",
    ],
)
def test_what_is_no_point_is_refused(p256dh: Any) -> None:
    with pytest.raises(ValueError, match="p256dh must be 65 bytes"):
        read_subscription(changed(p256dh=p256dh))


@pytest.mark.parametrize("auth", [None, 1, "", encode_key(AUTH[:-1]), encode_key(AUTH + b"x")])
def test_what_is_no_auth_is_refused(auth: Any) -> None:
    with pytest.raises(ValueError, match="auth must be 16 bytes"):
        read_subscription(changed(auth=auth))


@pytest.mark.parametrize("keys", [None, "x", []])
def test_without_keys_it_is_refused(keys: Any) -> None:
    with pytest.raises(ValueError, match="needs its keys"):
        read_subscription({**GOOD, "keys": keys})
