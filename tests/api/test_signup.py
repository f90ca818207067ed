"""Making an account for oneself, and coming back after a forgotten password."""

from dataclasses import replace
from typing import Any

import pytest

from app.core.security import Signer
from tests.api.answers import refused, send
from tests.world import World

SIGNUP = "/v1/auth/signup"
CONFIRM = "/v1/auth/signup/confirm"
RECOVERY = "/v1/auth/password-recovery"
RESET = "/v1/auth/reset-password"
LOGIN = "/v1/auth/login/access-token"
NEW = {"email": "new@example.org", "password": "correct horse", "full_name": "Nia New"}


async def letters(world: World) -> list[tuple[str, str, Any]]:
    """What lies in the outbox: kind, address and facts, in order."""
    rows = await world.sql("SELECT kind, address, facts FROM notifications ORDER BY id")
    return [tuple(row) for row in rows]


async def link(world: World, purpose: str) -> str:
    """The token of the last mail of this kind, as the mail would carry it."""
    found = [facts for kind, _, facts in await letters(world) if kind == purpose]
    signer: Signer = world.service.signer
    return signer.link(purpose, found[-1]["challenge_id"])


async def test_whoever_reads_the_mail_gets_the_account(world: World) -> None:
    await world.call("POST", SIGNUP, expect=202, json=NEW)
    assert [letter[:2] for letter in await letters(world)] == [("signup", "new@example.org")]
    login = {"username": NEW["email"], "password": NEW["password"]}
    await refused(world, "POST", LOGIN, None, 401, "WRONG_CREDENTIALS", json=login)

    body = {"token": await link(world, "signup")}
    made = await world.call("POST", CONFIRM, expect=201, json=body)

    assert (made["email"], made["full_name"], made["role"]) == (
        "new@example.org", "Nia New", "viewer",
    )  # fmt: skip
    await world.call("POST", LOGIN, json=login)
    assert await world.sql("SELECT 1 FROM challenges WHERE facts = '{}'")  # no second copy


async def test_a_link_makes_one_account(world: World) -> None:
    await world.call("POST", SIGNUP, expect=202, json=NEW)
    body = {"token": await link(world, "signup")}
    await world.call("POST", CONFIRM, expect=201, json=body)
    await refused(world, "POST", CONFIRM, None, 422, "LINK_NOT_GOOD", json=body)


async def test_two_who_asked_for_the_same_address_make_one_account(world: World) -> None:
    await world.call("POST", SIGNUP, expect=202, json=NEW)
    first = {"token": await link(world, "signup")}
    await world.call("POST", SIGNUP, expect=202, json=NEW)
    second = {"token": await link(world, "signup")}
    await world.call("POST", CONFIRM, expect=201, json=second)
    await refused(world, "POST", CONFIRM, None, 409, "EMAIL_TAKEN", json=first)


async def test_signing_up_does_not_tell_who_has_an_account(world: World) -> None:
    await world.person("ana@example.org")
    known = await send(world, "POST", SIGNUP, json={**NEW, "email": "Ana@Example.org"})
    unknown = await send(world, "POST", SIGNUP, json=NEW)

    assert (known.status_code, known.json()) == (unknown.status_code, unknown.json())
    assert [letter[:2] for letter in await letters(world)] == [
        ("signup_known", "ana@example.org"),
        ("signup", "new@example.org"),
    ]
    login = {"username": "ana@example.org", "password": NEW["password"]}
    await refused(world, "POST", LOGIN, None, 401, "WRONG_CREDENTIALS", json=login)


async def test_a_setting_closes_the_signup(world: World) -> None:
    service = world.service
    closed = replace(service, settings=service.settings.model_copy(update={"signup": "closed"}))
    world.client._transport.app.state.service = closed  # type: ignore[attr-defined]
    await refused(world, "POST", SIGNUP, None, 403, "SIGNUP_CLOSED", json=NEW)
    assert await letters(world) == []


async def test_a_link_ends_after_its_time(world: World) -> None:
    await world.call("POST", SIGNUP, expect=202, json=NEW)
    body = {"token": await link(world, "signup")}
    world.clock.forward(hours=24, seconds=1)
    await refused(world, "POST", CONFIRM, None, 422, "LINK_NOT_GOOD", json=body)


async def test_recovery_sets_a_new_password_and_ends_every_login(world: World) -> None:
    ana = await world.person()
    await world.call("POST", RECOVERY, expect=202, json={"email": "ANA@example.org"})
    assert [letter[:2] for letter in await letters(world)] == [("recovery", ana.email)]
    body = {"token": await link(world, "recovery"), "new_password": "a better one"}

    await world.call("POST", RESET, json=body)

    assert (await send(world, "GET", "/v1/users/me", ana)).status_code == 401
    await world.call("POST", LOGIN, json={"username": ana.email, "password": "a better one"})
    await refused(world, "POST", RESET, None, 422, "LINK_NOT_GOOD", json=body)
    assert (await letters(world))[-1][0] == "password_changed"


async def test_recovery_does_not_tell_who_has_an_account(world: World) -> None:
    admin = await world.admin()
    await world.person("ana@example.org")
    gone = await world.person("gone@example.org")
    await world.call("PATCH", f"/v1/users/{gone.id}", admin, json={"is_active": False})
    answers = [
        await send(world, "POST", RECOVERY, json={"email": email})
        for email in ("ana@example.org", "nobody@example.org", "gone@example.org")
    ]
    assert [answer.status_code for answer in answers] == [202] * 3
    assert len({answer.text for answer in answers}) == 1
    assert [address for _, address, _ in await letters(world)] == ["ana@example.org"]


async def test_only_the_newest_recovery_mail_counts(world: World) -> None:
    await world.person("ana@example.org")
    await world.call("POST", RECOVERY, expect=202, json={"email": "ana@example.org"})
    older = {"token": await link(world, "recovery"), "new_password": "a better one"}
    await world.call("POST", RECOVERY, expect=202, json={"email": "ana@example.org"})
    await refused(world, "POST", RESET, None, 422, "LINK_NOT_GOOD", json=older)
    newer = {**older, "token": await link(world, "recovery")}
    await world.call("POST", RESET, json=newer)


async def test_a_recovery_link_ends_after_half_an_hour(world: World) -> None:
    await world.person("ana@example.org")
    await world.call("POST", RECOVERY, expect=202, json={"email": "ana@example.org"})
    body = {"token": await link(world, "recovery"), "new_password": "a better one"}
    world.clock.forward(minutes=30, seconds=1)
    await refused(world, "POST", RESET, None, 422, "LINK_NOT_GOOD", json=body)


async def test_a_link_for_one_purpose_serves_no_other(world: World, signer: Signer) -> None:
    await world.person("ana@example.org")
    await world.call("POST", SIGNUP, expect=202, json=NEW)
    await world.call("POST", RECOVERY, expect=202, json={"email": "ana@example.org"})
    recovery, signup = await link(world, "recovery"), await link(world, "signup")
    forged = [
        recovery[:-1] + ("A" if recovery[-1] != "A" else "B"),
        signer.link("acknowledge", 1),
        signer.link("recovery", 4_711),
        "x",
    ]
    for token in (signup, *forged):
        body = {"token": token, "new_password": "a better one"}
        await refused(world, "POST", RESET, None, 422, "LINK_NOT_GOOD", json=body)
    for token in (recovery, *forged):
        await refused(world, "POST", CONFIRM, None, 422, "LINK_NOT_GOOD", json={"token": token})


async def test_a_deactivated_persons_link_sets_nothing(world: World) -> None:
    admin = await world.admin()
    ana = await world.person("ana@example.org")
    await world.call("POST", RECOVERY, expect=202, json={"email": "ana@example.org"})
    body = {"token": await link(world, "recovery"), "new_password": "a better one"}
    await world.call("PATCH", f"/v1/users/{ana.id}", admin, json={"is_active": False})
    await refused(world, "POST", RESET, None, 422, "LINK_NOT_GOOD", json=body)


@pytest.mark.parametrize(
    ("path", "body"), [(RECOVERY, {"email": "ana@example.org"}), (SIGNUP, NEW)]
)
async def test_an_address_gets_a_few_mails_an_hour(
    world: World, path: str, body: dict[str, Any]
) -> None:
    """Whether it has an account or not: the refusal tells nothing, either."""
    for _ in range(3):
        await world.call("POST", path, expect=202, json=body)
    answer = await send(world, "POST", path, json=body)
    assert answer.status_code == 429
    assert 3500 < int(answer.headers["retry-after"]) <= 3600
    world.clock.forward(hours=1)
    await world.call("POST", path, expect=202, json=body)
