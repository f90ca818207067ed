"""Guessing passwords has to wait: for one account from anywhere, and from one place at all."""

import asyncio

import httpx

from app.api.client import client_of
from tests.api.answers import refusal, send
from tests.world import World

LOGIN = "/v1/auth/login/access-token"


async def guess(world: World, email: str, password: str = "wrong") -> httpx.Response:
    return await send(world, "POST", LOGIN, json={"username": email, "password": password})


async def test_an_account_takes_ten_wrong_passwords_in_a_quarter_of_an_hour(world: World) -> None:
    await world.person("ana@example.org")
    for _ in range(10):
        refusal(await guess(world, "ana@example.org"), 401, "WRONG_CREDENTIALS")

    answer = await guess(world, "Ana@example.org", "password")  # not even the right one

    details = refusal(answer, 429, "TOO_MANY_REQUESTS")
    assert 800 < details["retry_after"] <= 900
    assert answer.headers["retry-after"] == str(details["retry_after"])
    world.clock.forward(minutes=15)
    assert (await guess(world, "ana@example.org", "password")).status_code == 200


async def test_an_address_that_nobody_has_waits_like_one_that_somebody_has(world: World) -> None:
    for _ in range(10):
        refusal(await guess(world, "nobody@example.org"), 401, "WRONG_CREDENTIALS")
    refusal(await guess(world, "nobody@example.org"), 429, "TOO_MANY_REQUESTS")


async def test_the_right_password_begins_the_count_anew(world: World) -> None:
    await world.person("ana@example.org")
    for _ in range(3):
        for _ in range(9):
            await guess(world, "ana@example.org")
        assert (await guess(world, "ana@example.org", "password")).status_code == 200


async def test_many_guesses_at_once_are_all_counted(world: World) -> None:
    await world.person("ana@example.org")
    answers = await asyncio.gather(*(guess(world, "ana@example.org") for _ in range(25)))
    told = sorted(answer.status_code for answer in answers)
    assert told == [401] * 10 + [429] * 15


async def test_one_place_may_not_try_many_accounts(world: World) -> None:
    for number in range(50):
        await guess(world, f"somebody{number}@example.org")
    refusal(await guess(world, "another@example.org"), 429, "TOO_MANY_REQUESTS")


async def test_people_who_know_their_password_use_nothing_up(world: World) -> None:
    """An office behind one address logs in as often as it likes."""
    await world.person("ana@example.org")
    for _ in range(60):
        assert (await guess(world, "ana@example.org", "password")).status_code == 200


async def test_the_counts_name_nobody(world: World) -> None:
    await guess(world, "ana@example.org")
    rows = await world.sql("SELECT key FROM throttles")
    assert len(rows) == 2
    assert "ana" not in str(rows)


def test_a_customer_with_a_whole_ipv6_network_is_one_client() -> None:
    class Knock:
        def __init__(self, host: str) -> None:
            self.client = httpx.URL(f"//[{host}]") if ":" in host else httpx.URL(f"//{host}")

    assert client_of(Knock("2001:db8:1:2:3:4:5:6")) == "2001:db8:1:2::/64"  # type: ignore[arg-type]
    assert client_of(Knock("2001:db8:1:2::9")) == "2001:db8:1:2::/64"  # type: ignore[arg-type]
    assert client_of(Knock("::ffff:192.0.2.7")) == "192.0.2.7"  # type: ignore[arg-type]
    assert client_of(Knock("192.0.2.7")) == "192.0.2.7"  # type: ignore[arg-type]
