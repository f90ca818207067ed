"""What cannot be read is answered 2xx, kept as it came, and told to people."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from app.services.integration import RAW_KEPT
from tests.api.answers import send
from tests.world import World

DOOR = "/v1/webhooks/"
LIMIT = 1_000_000


async def receipts(world: World, key: str, kind: str, **sent: Any) -> list[dict[str, Any]]:
    answer = await send(world, "POST", DOOR + kind, headers={"X-API-Key": key}, **sent)
    assert answer.status_code == 200, answer.text
    alerts: list[dict[str, Any]] = answer.json()["alerts"]
    return alerts


@pytest.mark.parametrize("kind", ["alerts", "alertmanager", "elastic"])
async def test_every_door_keeps_what_it_cannot_read_and_tells_people(
    world: World, kind: str
) -> None:
    admin = await world.admin()
    key = await world.integration_key(admin, kind, name="Nagios", default_severity="low")
    body = b'{"title": "half an al'

    (receipt,) = await receipts(world, key, kind, content=body)

    assert receipt["outcome"] == "unreadable"
    assert "not JSON" in receipt["reason"]
    opened = await world.call("GET", f"/v1/incidents/{receipt['incident_id']}", admin)
    assert opened["title"] == "Integration “Nagios” sends alerts that cannot be read"
    assert (opened["severity"], opened["service"], opened["status"]) == ("high", "Nagios", "open")
    (kept,) = await world.sql("SELECT raw_body, reason, outcome FROM alerts")
    assert (bytes(kept.raw_body), kept.outcome) == (body, "unreadable")
    assert kept.reason == receipt["reason"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   \n",
        b"null",
        b"5",
        b'"text"',
        b"{}",
        b"\x00\x01\x02\xff\xfe",
        bytes(range(256)) * 10,
        b"[" * 100_000,
        b"<?xml version='1.0'?><alert/>",
        b"title=Disk+full",
        b'{"title": ""}',
        b'{"title": null}',
    ],
)
async def test_a_body_that_says_nothing_is_unreadable(world: World, body: bytes) -> None:
    admin = await world.admin()
    key = await world.integration_key(admin)
    (receipt,) = await receipts(world, key, "alerts", content=body)
    assert receipt["outcome"] == "unreadable"
    assert receipt["reason"]
    (kept,) = await world.sql("SELECT raw_body FROM alerts")
    assert bytes(kept.raw_body) == body[:RAW_KEPT]


async def test_what_cannot_be_read_pages_like_any_incident(world: World) -> None:
    admin = await world.admin()
    key = await world.integration_key(admin)
    (receipt,) = await receipts(world, key, "alerts", content=b"?")
    await world.pass_time()
    assert len(await world.notifications(admin, receipt["incident_id"])) == 1


async def test_a_sender_that_goes_on_joins_the_one_incident_about_it(world: World) -> None:
    admin = await world.admin()
    key = await world.integration_key(admin)
    first = (await receipts(world, key, "alerts", content=b"?"))[0]
    again = (await receipts(world, key, "alerts", content=b"!"))[0]
    assert again["incident_id"] == first["incident_id"]
    assert again["outcome"] == "unreadable"
    shown = await world.call("GET", f"/v1/incidents/{first['incident_id']}", admin)
    assert shown["alert_count"] == 2


async def test_no_sender_can_resolve_the_incident_about_it(world: World) -> None:
    admin = await world.admin()
    key = await world.integration_key(admin)
    (receipt,) = await receipts(world, key, "alerts", content=b"?")
    shown = await world.call("GET", f"/v1/incidents/{receipt['incident_id']}", admin)
    ended = await world.alert(key, dedup_key=shown["dedup_key"], status="resolved")
    assert ended["outcome"] == "ignored"


def large(size: int) -> bytes:
    return b'{"title": "Large", "description": "' + b"d" * (size - 37) + b'"}'


async def test_a_body_of_just_the_limit_is_read(world: World) -> None:
    admin = await world.admin()
    key = await world.integration_key(admin)
    body = large(LIMIT)
    assert len(body) == LIMIT
    (receipt,) = await receipts(world, key, "alerts", content=body)
    assert receipt["outcome"] == "opened"


async def test_a_body_past_the_limit_is_unreadable_and_kept_in_part(world: World) -> None:
    admin = await world.admin()
    key = await world.integration_key(admin)
    body = large(LIMIT + 1)
    (receipt,) = await receipts(world, key, "alerts", content=body)
    assert receipt["outcome"] == "unreadable"
    assert "1000000 bytes" in receipt["reason"]
    (kept,) = await world.sql("SELECT raw_body FROM alerts")
    assert bytes(kept.raw_body) == body[:RAW_KEPT]


async def chunks(size: int) -> AsyncIterator[bytes]:
    body = large(size)
    for start in range(0, size, 65_536):
        yield body[start : start + 65_536]


async def test_a_body_in_chunks_has_the_same_limit(world: World) -> None:
    admin = await world.admin()
    key = await world.integration_key(admin)
    (fits,) = await receipts(world, key, "alerts", content=chunks(LIMIT))
    (cut,) = await receipts(world, key, "alerts", content=chunks(LIMIT + 1))
    assert (fits["outcome"], cut["outcome"]) == ("opened", "unreadable")


async def test_a_body_without_end_is_answered_before_its_end(world: World) -> None:
    key = await world.integration_key(await world.admin())
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 65_536
            yield b"x" * 65_536

    (receipt,) = await receipts(world, key, "alerts", content=endless())
    assert receipt["outcome"] == "unreadable"
    assert sent < 11 * LIMIT


async def test_alerts_past_the_thousandth_are_told_as_unread(world: World) -> None:
    key = await world.integration_key(await world.admin())
    many = [{"title": "Same", "dedup_key": "same"}] * 1002
    told = await receipts(world, key, "alerts", json=many)
    assert len(told) == 1001
    assert told[-1]["outcome"] == "unreadable"
    assert "the last 2" in told[-1]["reason"]


async def test_the_request_of_an_alert_is_kept_with_it(world: World) -> None:
    key = await world.integration_key(await world.admin())
    answer: httpx.Response = await send(
        world, "POST", DOOR + "alerts", content=b"?", headers={"X-API-Key": key}
    )
    (kept,) = await world.sql("SELECT request_id FROM alerts")
    assert kept.request_id == answer.headers["x-request-id"]
