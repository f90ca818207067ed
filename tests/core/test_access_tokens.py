"""Access tokens: one algorithm, an end, a user, an issuer and an audience, or none at all."""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jose import jwt

from app.core.security import Signer

QUICK = settings(derandomize=True, max_examples=150, deadline=None, database=None)
HOUR = timedelta(hours=1)
NO_HEADS: list[object] = [[], {}, None, 1, "alg", b"\xff", b"{"]

signer = Signer("a secret key that is long enough for the tests")
other_signer = Signer("another secret key that is long enough as well")


def made(life: timedelta = HOUR, user_id: int = 7) -> str:
    """A token as somebody gets it who logs in now."""
    return signer.access_token(user_id, 3, now=datetime.now(UTC), life=life)


def claims(**changed: Any) -> dict[str, Any]:
    """The claims of a good token, but for what is changed; None leaves a claim out."""
    good = {"sub": "7", "sid": 3, "exp": datetime.now(UTC) + HOUR, "iss": "tocsin", "aud": "tocsin"}
    return {name: value for name, value in (good | changed).items() if value is not None}


def signed(said: Mapping[str, Any], algorithm: str = "HS256", key: str | None = None) -> str:
    """A token signed with the right key, unless another is given."""
    return str(jwt.encode(dict(said), key or signer.derive("access token").hex(), algorithm))


def encoded(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value, default=str).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@pytest.mark.parametrize("user_id", [1, 7, 2**63 - 1])
def test_a_token_names_its_user(user_id: int) -> None:
    assert signer.read_access_token(made(user_id=user_id)) == (user_id, 3)


def test_a_token_signed_by_hand_with_all_its_claims_is_good() -> None:
    assert signer.read_access_token(signed(claims())) == (7, 3)


def test_a_token_ends() -> None:
    assert signer.read_access_token(made(life=timedelta(minutes=-1))) is None


def test_a_token_outlives_its_end_by_the_skew_of_two_clocks() -> None:
    assert signer.read_access_token(made(life=timedelta(seconds=-5))) == (7, 3)


def test_a_token_of_another_installation_is_no_good() -> None:
    assert other_signer.read_access_token(made()) is None


@pytest.mark.parametrize("claim", ["exp", "sub", "iss", "aud"])
def test_a_token_without_one_of_its_claims_is_no_good(claim: str) -> None:
    assert signer.read_access_token(signed(claims(**{claim: None}))) is None


@pytest.mark.parametrize(
    "changed",
    [
        *({"iss": "evil"}, {"aud": "evil"}, {"aud": ["evil"]}, {"iss": ["tocsin"]}),
        *({"sub": "ana"}, {"sub": ""}, {"sub": "7.0"}, {"sub": 7}, {"sub": ["7"]}),
        *({"exp": "tomorrow"}, {"nbf": datetime.now(UTC) + HOUR}),
    ],
)
def test_a_token_with_a_wrong_claim_is_no_good(changed: dict[str, Any]) -> None:
    assert signer.read_access_token(signed(claims(**changed))) is None


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_a_token_of_another_algorithm_is_no_good_even_with_the_right_key(algorithm: str) -> None:
    assert signer.read_access_token(signed(claims(), algorithm)) is None


@pytest.mark.parametrize("name", ["none", "None", "NONE", "", None, "hs256", ["HS256"], {}, 1])
def test_a_token_that_names_no_algorithm_of_ours_is_no_good(name: Any) -> None:
    _, body, signature = signed(claims()).split(".")
    head = encoded({"alg": name, "typ": "JWT"})
    assert signer.read_access_token(f"{head}.{body}.") is None
    assert signer.read_access_token(f"{head}.{body}.{signature}") is None


def test_a_token_without_its_signature_is_no_good() -> None:
    head, body, _ = made().split(".")
    assert signer.read_access_token(f"{head}.{body}.") is None
    assert signer.read_access_token(f"{head}.{body}") is None


@pytest.mark.parametrize("purpose", ["webhook signatures", "link: acknowledge", ""])
def test_a_token_signed_with_a_secret_for_something_else_is_no_good(purpose: str) -> None:
    assert signer.read_access_token(signed(claims(), key=signer.derive(purpose).hex())) is None


def test_the_installations_secret_itself_signs_no_token() -> None:
    key = "a secret key that is long enough for the tests"
    assert signer.read_access_token(signed(claims(), key=key)) is None


def test_no_part_of_a_token_can_be_changed() -> None:
    token = made()
    for place, letter in enumerate(token[:-1]):  # the last one holds two bits of padding
        wrong = token[:place] + ("B" if letter == "A" else "A") + token[place + 1 :]
        assert signer.read_access_token(wrong) is None


def test_the_claims_of_one_token_do_not_go_with_the_signature_of_another() -> None:
    head, _, signature = made(user_id=7).split(".")
    body = made(user_id=8).split(".")[1]
    assert signer.read_access_token(f"{head}.{body}.{signature}") is None


def test_a_link_is_no_token() -> None:
    assert signer.read_access_token(signer.link("access token", 7)) is None


@pytest.mark.parametrize(
    "token",
    [
        *("", ".", "..", "a.b.c", "ü.ü.ü", "\ud800.x.y", "\x00"),
        *(encoded(head) + ".e30." for head in NO_HEADS),
    ],
)
def test_what_is_no_token_is_no_good(token: str) -> None:
    assert signer.read_access_token(token) is None


@pytest.mark.parametrize("head", [b"[", b'{"a":', b"9"])
def test_an_endless_token_is_no_good(head: bytes) -> None:
    assert signer.read_access_token(encoded(head * 100_000) + ".e30.") is None
    assert signer.read_access_token("x" * 1_000_000) is None


@QUICK
@given(st.text(st.characters(codec=None, exclude_categories=()) | st.sampled_from(".eyJ_-=")))
def test_no_text_breaks_the_reading_of_a_token(token: str) -> None:
    assert signer.read_access_token(token) is None
    assert signer.read_access_token(f"{encoded({'alg': 'HS256'})}.{token}") is None


def test_a_token_tells_nothing_but_the_user_the_login_and_the_times() -> None:
    said = jwt.get_unverified_claims(made())
    assert set(said) == {"sub", "sid", "iat", "exp", "iss", "aud"}
