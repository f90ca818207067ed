"""The door for pings: what curl and cron can call, and what it tells to nobody."""

import logging

import pytest

from app.api.limits import PING_RATE
from tests.api.answers import refusal, refused
from tests.api.logs import logged
from tests.heartbeats import listening, monitor, ping, seen
from tests.world import Person, World


@pytest.fixture
async def admin(world: World) -> Person:
    await listening(world)
    return await world.admin()


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
async def test_every_way_to_call_it_is_a_ping(world: World, admin: Person, method: str) -> None:
    made = await monitor(world, admin)
    response = await world.client.request(method, made["ping"])
    assert response.status_code == 200
    assert response.text == ("" if method == "HEAD" else "OK\n")
    assert response.headers["content-type"].startswith("text/plain")
    assert response.headers["cache-control"] == "no-store"
    shown = await seen(world, admin, made)
    assert (shown["state"], shown["ping_count"]) == ("up", 1)


@pytest.mark.parametrize(
    ("body", "note"),
    [
        (b"12 tables", "12 tables"),
        (b"", None),
        (b"{]", "{]"),
        (b"\xff\x00 raw", "�� raw"),
        (b"x" * 50_000, "x" * 1_000),
    ],
)
async def test_whatever_comes_with_it_is_kept_as_a_note(
    world: World, admin: Person, body: bytes, note: str | None
) -> None:
    made = await monitor(world, admin)
    await ping(world, made, content=body, headers={"Content-Type": "application/json"})
    [kept] = (await world.call("GET", f"/v1/heartbeats/{made['id']}/pings", admin))["items"]
    assert (kept["kind"], kept["note"], kept["number"]) == ("success", note, 1)


async def test_an_address_that_nobody_has(world: World, admin: Person) -> None:
    await monitor(world, admin)
    for path in ("/v1/ping/thb_guess", "/v1/ping/thb_guess/fail"):
        await refused(world, "GET", path, None, 404, "HEARTBEAT_NOT_FOUND")
        await refused(world, "POST", path, None, 404, "HEARTBEAT_NOT_FOUND")
    await refused(world, "GET", "/v1/ping/a%20b", None, 422, "VALIDATION_ERROR")
    await refused(world, "GET", "/v1/ping/thb_guess/stop", None, 422, "VALIDATION_ERROR")
    await refused(world, "GET", "/v1/ping/thb_guess/1234", None, 422, "VALIDATION_ERROR")


async def test_no_line_of_the_log_has_an_address(world: World, admin: Person) -> None:
    made = await monitor(world, admin)
    token = made["ping"].rpartition("/")[2]
    with logged() as log:
        await ping(world, made)
        await ping(world, made, "fail", content="secret of a job")
        await world.client.head(made["ping"])
        await world.client.get(f"{made['ping']}/")
        await world.client.get(f"/v1//ping//{token}")
        await world.client.get(f"{made['ping']}/stop")
        await world.client.put(made["ping"])
        logging.getLogger("tocsin.http").info("so that there is something")
    assert len(log.of("request")) == 7
    assert token not in log.text
    assert "secret of a job" not in log.text


async def test_nobody_pings_one_address_all_the_time(world: World, admin: Person) -> None:
    """What others do with theirs counts for nobody else."""
    made, other = await monitor(world, admin), await monitor(world, admin, name="Other")
    answers = [await world.client.get(made["ping"]) for _ in range(PING_RATE.limit + 1)]
    assert {one.status_code for one in answers[:-1]} == {200}
    details = refusal(answers[-1], 429, "RATE_LIMITED")
    assert answers[-1].headers["retry-after"] == str(details["retry_after"])
    await ping(world, other)
    assert (await seen(world, admin, made))["ping_count"] == PING_RATE.limit
