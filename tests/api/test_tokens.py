"""Which bearer tokens open the door."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from jose import jwt

from app.core.security import ALGORITHM, AUDIENCE, ISSUER, Signer
from tests.api.answers import refusal, send
from tests.world import Person, World

ME = "/v1/users/me"
HOUR = timedelta(hours=1)


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def claims(ana: Person, **changes: Any) -> dict[str, Any]:
    whole = {
        "sub": str(ana.id),
        "sid": ana.session_id,
        "iat": datetime.now(UTC),
        "exp": datetime.now(UTC) + HOUR,
        "iss": ISSUER,
        "aud": AUDIENCE,
        **changes,
    }
    return {name: value for name, value in whole.items() if value is not None}


def signed(signer: Signer, content: dict[str, Any], algorithm: str = ALGORITHM) -> str:
    return jwt.encode(content, signer.derive("access token").hex(), algorithm)


async def assert_refused(world: World, token: str) -> None:
    answer = await send(world, "GET", ME, headers={"Authorization": f"Bearer {token}"})
    refusal(answer, 401, "UNAUTHORIZED")
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_token_as_we_make_it_opens(world: World, signer: Signer) -> None:
    ana = await world.person()
    headers = {"Authorization": f"Bearer {signed(signer, claims(ana))}"}
    assert (await world.call("GET", ME, headers=headers))["email"] == ana.email


async def test_the_scheme_may_be_written_in_any_case(world: World) -> None:
    ana = await world.person()
    token = ana.headers["Authorization"].split()[1]
    await world.call("GET", ME, headers={"Authorization": f"bEARER {token}"})


async def test_what_is_no_bearer_token_is_refused(world: World) -> None:
    for header in ("", "Bearer", "Bearer ", "Basic YTpi", "Digest x", "Token", "Bearer é"):
        answer = await send(world, "GET", ME, headers={"Authorization": header.encode()})  # type: ignore[arg-type]
        refusal(answer, 401, "UNAUTHORIZED")


CHANGES: list[dict[str, Any]] = [
    {"exp": datetime(2020, 1, 1, tzinfo=UTC)},
    {"exp": None},
    {"sub": None},
    {"sub": "ana"},
    {"sub": ""},
    {"sid": None},
    {"sid": "here"},
    {"sid": [3]},
    {"sid": 4_711},
    {"iss": "somebody else"},
    {"iss": None},
    {"aud": "another service"},
    {"aud": None},
]


@pytest.mark.parametrize("changes", CHANGES)
async def test_a_token_whose_claims_are_not_ours_is_refused(
    world: World, signer: Signer, changes: dict[str, Any]
) -> None:
    ana = await world.person()
    await assert_refused(world, signed(signer, claims(ana, **changes)))


async def test_a_token_ends_after_its_life(world: World, signer: Signer) -> None:
    ana = await world.person()
    long_ago = datetime.now(UTC) - HOUR - timedelta(seconds=30)
    await assert_refused(
        world, signer.access_token(ana.id, ana.session_id, now=long_ago, life=HOUR)
    )


async def test_a_token_of_another_installation_is_refused(world: World) -> None:
    ana = await world.person()
    elsewhere = Signer("the secret key of some other installation")
    await assert_refused(
        world, elsewhere.access_token(ana.id, ana.session_id, now=datetime.now(UTC), life=HOUR)
    )


async def test_a_token_under_another_algorithm_is_refused(world: World, signer: Signer) -> None:
    ana = await world.person()
    for algorithm in ("HS384", "HS512"):
        await assert_refused(world, signed(signer, claims(ana), algorithm))


async def test_a_token_without_a_signature_is_refused(world: World) -> None:
    ana = await world.person()
    content = encoded(json.dumps(claims(ana, iat=1, exp=4_000_000_000)).encode())
    for name in ("none", "None", "NONE", "", ALGORITHM):
        head = encoded(json.dumps({"alg": name, "typ": "JWT"}).encode())
        await assert_refused(world, f"{head}.{content}.")


async def test_a_token_with_changed_claims_is_refused(world: World) -> None:
    ana = await world.person()
    admin = await world.admin()
    head, _, signature = ana.headers["Authorization"].split()[1].split(".")
    _, others, _ = admin.headers["Authorization"].split()[1].split(".")
    await assert_refused(world, f"{head}.{others}.{signature}")


GARBAGE = [
    "a",
    "..",
    "a.b.c",
    "e30.e30.e30",
    "%00.%00.%00",
    f"{encoded(b'5')}.e30.e30",
    f"{encoded(b'[]')}.e30.e30",
    f"{encoded(b'{}')}.e30.e30",
    f"{encoded(b'{' + b'[' * 5000)}.e30.e30",
    f"{encoded(b'[' * 5000)}.e30.e30",
    f"{encoded(json.dumps({'alg': ['HS256']}).encode())}.e30.e30",
    f"{encoded(json.dumps({'alg': {}}).encode())}.e30.e30",
    "x" * 20_000,
]


async def test_garbage_is_no_token(world: World) -> None:
    for token in GARBAGE:
        await assert_refused(world, token)


async def test_a_link_of_a_page_is_no_token(world: World, signer: Signer) -> None:
    ana = await world.person()
    await assert_refused(world, signer.link("acknowledge", ana.id))


async def test_a_deactivated_users_token_stops_working(world: World) -> None:
    admin, ana = await world.admin(), await world.person()
    await world.call("GET", ME, ana)
    await world.call("PATCH", f"/v1/users/{ana.id}", admin, json={"is_active": False})
    refusal(await send(world, "GET", ME, ana), 401, "UNAUTHORIZED")


async def test_a_user_who_lost_a_role_loses_it_at_once(world: World) -> None:
    admin, other = await world.admin(), await world.admin("other@example.org")
    await world.call("PATCH", f"/v1/users/{other.id}", admin, json={"role": "viewer"})
    answer = await send(world, "POST", "/v1/users", other, json={})
    assert answer.status_code in (403, 422)
    body = {"email": "x@example.org", "password": "password"}
    refusal(await send(world, "POST", "/v1/users", other, json=body), 403, "FORBIDDEN")
