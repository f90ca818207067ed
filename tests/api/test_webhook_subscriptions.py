"""Webhook subscriptions: made, changed, tested, rotated, replayed, deleted; secrets shown once."""

import json
from typing import Any

import pytest

from app.domain.webhook import MOST_SUBSCRIPTIONS
from tests.api.answers import faulty, refusal, refused, send
from tests.channels.servers import answer, http_server
from tests.worker.hooks import (
    SUBSCRIPTIONS,
    deliveries,
    opened,
    run,
    shown,
    subscribe,
    tell,
    webhooks,
)
from tests.world import World

URL = "https://desk.example.org/hooks/tocsin"


async def test_a_subscription_is_made_and_shown_with_its_secret_this_once(world: World) -> None:
    admin = await world.admin()
    made = await subscribe(
        world, admin, URL, event_types=["incident.created"], severities=["P1", "high", "high"]
    )
    secret = made.pop("secret")
    assert secret.startswith("whsec_")
    times = {name: made[name] for name in ("id", "created_at", "updated_at")}
    assert made == {
        "name": "Desk",
        "url": URL,
        "event_types": ["incident.created"],
        "services": [],
        "severities": ["critical", "high"],
        "is_active": True,
        "previous_until": None,
        "failing_since": None,
        "disabled_at": None,
        "disabled_reason": None,
        "created_by": admin.id,
        "revision": 1,
        **times,
    }
    assert await shown(world, admin, made) == made
    listed = await world.call("GET", SUBSCRIPTIONS, admin)
    assert listed["items"] == [made]


async def test_the_database_holds_no_secret_in_the_clear(world: World) -> None:
    admin = await world.admin()
    made = await subscribe(world, admin, URL)
    path = f"{SUBSCRIPTIONS}/{made['id']}/rotate-secret"
    again = await world.call("POST", path, admin, expect=201)
    [row] = await world.sql("SELECT secret, previous_secret FROM webhook_subscriptions")
    for secret in (made["secret"], again["secret"]):
        for kept in row:
            assert secret.encode() not in kept
            assert secret.removeprefix("whsec_").encode() not in kept
    everything = json.dumps(await world.call("GET", "/v1/audit-log?per_page=100", admin))
    assert "whsec_" not in everything
    assert "/hooks/tocsin" not in everything


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"name": ""}, "name"),
        ({"url": "desk.example.org"}, "url"),
        ({"url": "ftp://desk.example.org/"}, "url"),
        ({"url": "https://user:password@desk.example.org/"}, "url"),
        ({"event_types": ["incident.exploded"]}, "event_types[0]"),
        ({"severities": ["awful"]}, "severities[0]"),
        ({"services": [""]}, "services[0]"),
        ({"secret": "whsec_mine"}, "secret"),
        ({"is_active": None}, "is_active"),
    ],
)
async def test_what_cannot_work_is_refused(world: World, fields: dict[str, Any], path: str) -> None:
    admin = await world.admin()
    body = {"name": "Desk", "url": URL, **fields}
    faults = await faulty(world, "POST", SUBSCRIPTIONS, admin, json=body)
    assert path in faults
    assert "password@" not in str(faults)
    made = await subscribe(world, admin, URL)
    await faulty(world, "PATCH", f"{SUBSCRIPTIONS}/{made['id']}", admin, json=fields)
    assert (await shown(world, admin, made))["revision"] == 1


async def test_there_is_an_end_to_how_many_there_may_be(world: World) -> None:
    admin = await world.admin()
    await world.sql(
        "INSERT INTO webhook_subscriptions (name, url) SELECT 'x', :url"
        " FROM generate_series(1, :count)",
        url=URL,
        count=MOST_SUBSCRIPTIONS,
    )
    body = {"name": "Desk", "url": URL}
    code = "TOO_MANY_WEBHOOK_SUBSCRIPTIONS"
    await refused(world, "POST", SUBSCRIPTIONS, admin, 409, code, json=body)
    [(last,)] = await world.sql("SELECT max(id) FROM webhook_subscriptions")
    await world.call("DELETE", f"{SUBSCRIPTIONS}/{last}", admin, expect=204)
    await subscribe(world, admin, URL)


async def test_only_the_named_fields_are_written_and_nobody_overwrites_what_they_have_not_seen(
    world: World,
) -> None:
    admin = await world.admin()
    made = await subscribe(world, admin, URL, services=["checkout"])
    path = f"{SUBSCRIPTIONS}/{made['id']}"
    found = await world.call("PATCH", path, admin, json={"name": "Help desk"})
    assert (found["name"], found["services"], found["revision"]) == ("Help desk", ["checkout"], 2)
    late = await send(world, "PATCH", path, admin, json={"name": "x"}, headers={"If-Match": '"1"'})
    assert late.status_code == 412
    assert late.json()["details"]["current"]["name"] == "Help desk"


async def test_a_lost_answer_can_be_asked_for_again_without_its_secret(world: World) -> None:
    admin = await world.admin()
    body = {"name": "Desk", "url": URL}
    once = {"Idempotency-Key": "desk-1"}
    made = await world.call("POST", SUBSCRIPTIONS, admin, expect=201, json=body, headers=once)
    again = await world.call("POST", SUBSCRIPTIONS, admin, json=body, headers=once)
    assert {**again, "secret": made["secret"]} == made
    path = f"{SUBSCRIPTIONS}/{made['id']}/rotate-secret"
    once = {"Idempotency-Key": "rotate-1"}
    first = await world.call("POST", path, admin, expect=201, headers=once)
    again = await world.call("POST", path, admin, headers=once)
    assert again == {"previous_until": first["previous_until"]}
    assert (await world.call("GET", SUBSCRIPTIONS, admin))["total"] == 1


async def test_a_deleted_subscription_is_gone_with_its_secret_and_what_was_waiting(
    world: World,
) -> None:
    admin = await world.admin()
    async with http_server(answer(200)) as server:
        made = await subscribe(world, admin, server.url)
        await tell(world)
        await webhooks(world).read_feed()
        await world.call("DELETE", f"{SUBSCRIPTIONS}/{made['id']}", admin, expect=204)
        await tell(world, incident_id=8)
        await run(webhooks(world))
    assert server.requests == []
    path = f"{SUBSCRIPTIONS}/{made['id']}"
    ways = (("GET", ""), ("DELETE", ""), ("GET", "/deliveries"), ("POST", "/test"),
            ("POST", "/rotate-secret"), ("POST", "/deliveries/1/replay"))  # fmt: skip
    for method, end in ways:
        code = "WEBHOOK_SUBSCRIPTION_NOT_FOUND"
        await refused(world, method, f"{path}{end}", admin, 404, code)
    assert (await world.call("GET", SUBSCRIPTIONS, admin))["items"] == []
    [row] = await world.sql("SELECT secret, previous_secret FROM webhook_subscriptions")
    assert tuple(row) == (None, None)
    assert await world.sql("SELECT status FROM webhook_deliveries") == [("cancelled",)]


async def test_a_test_goes_out_at_once_and_says_what_came_back(world: World) -> None:
    admin = await world.admin()
    async with http_server(answer(204), answer(503, b"Closed")) as server:
        made = await subscribe(world, admin, server.url, is_active=False)
        path = f"{SUBSCRIPTIONS}/{made['id']}/test"
        good = await world.call("POST", path, admin)
        bad = await world.call("POST", path, admin)
    assert (good["is_taken"], good["response_code"], good["error"]) == (True, 204, None)
    assert (bad["is_taken"], bad["response_code"]) == (False, 503)
    assert bad["error"] == "127.0.0.1 answered 503: Closed"
    body = opened(server.requests[0], made["secret"])
    assert body["type"] == "ping"
    assert body["data"] == {"subscription_id": made["id"], "name": "Desk"}
    assert await deliveries(world, admin, made) == []


async def test_a_test_of_a_private_address_says_why_nothing_was_sent(world: World) -> None:
    admin = await world.admin()
    made = await subscribe(world, admin, URL)
    await world.sql("UPDATE webhook_subscriptions SET url = 'http://10.0.0.1/hook'")  # once allowed
    told = await world.call("POST", f"{SUBSCRIPTIONS}/{made['id']}/test", admin)
    assert (told["is_taken"], told["response_code"]) == (False, None)
    assert "is not a public address" in told["error"]


@pytest.mark.parametrize(
    "host", ["10.0.0.1", "127.0.0.2:8080", "169.254.169.254", "[::1]", "[::ffff:10.0.0.1]"]
)
async def test_a_url_that_is_a_private_address_is_refused_with_what_would_allow_it(
    world: World, host: str
) -> None:
    admin = await world.admin()
    made = await subscribe(world, admin, "http://127.0.0.1:9/hook")  # which is allowed here
    body = {"name": "Desk", "url": f"http://{host}/hook"}
    one = f"{SUBSCRIPTIONS}/{made['id']}"
    for method, path in (("POST", SUBSCRIPTIONS), ("PATCH", one)):
        response = await send(world, method, path, admin, json=body)
        details = refusal(response, 422, "INVALID_ADDRESS")
        assert [fault["path"] for fault in details["errors"]] == ["url"]
        assert "TOCSIN_ALLOW_PRIVATE_TARGETS" in response.json()["message"]
    assert (await shown(world, admin, made))["url"] == made["url"]
    await world.call("PATCH", one, admin, json={"name": "Other"})


async def test_only_the_last_two_secrets_ever_sign(world: World) -> None:
    admin = await world.admin()
    async with http_server(answer(200)) as server:
        made = await subscribe(world, admin, server.url)
        path = f"{SUBSCRIPTIONS}/{made['id']}"
        second = await world.call("POST", f"{path}/rotate-secret", admin, expect=201)
        assert (await shown(world, admin, made))["previous_until"] == second["previous_until"]
        third = await world.call("POST", f"{path}/rotate-secret", admin, expect=201)
        await world.call("POST", f"{path}/test", admin)
    [request] = server.requests
    assert opened(request, second["secret"]) == opened(request, third["secret"])
    with pytest.raises(Exception, match="No matching signature"):
        opened(request, made["secret"])


async def test_what_waits_is_not_replayed_and_nothing_is_while_it_is_switched_off(
    world: World,
) -> None:
    admin = await world.admin()
    made = await subscribe(world, admin, URL)
    other = await subscribe(world, admin, URL)
    await tell(world)
    await webhooks(world).read_feed()
    [waiting] = await deliveries(world, admin, made)
    path = f"{SUBSCRIPTIONS}/{made['id']}"
    replay = f"{path}/deliveries/{waiting['id']}/replay"
    await refused(world, "POST", replay, admin, 409, "DELIVERY_STILL_WAITING")
    await world.call("PATCH", path, admin, json={"is_active": False})
    await refused(world, "POST", replay, admin, 409, "WEBHOOK_SUBSCRIPTION_INACTIVE")
    foreign = replay.replace(path, f"{SUBSCRIPTIONS}/{other['id']}")
    await refused(world, "POST", foreign, admin, 404, "WEBHOOK_DELIVERY_NOT_FOUND")
    [waiting] = await deliveries(world, admin, made)
    assert waiting["status"] == "cancelled"


async def test_deliveries_are_listed_newest_first_page_by_page_and_by_status(world: World) -> None:
    admin = await world.admin()
    async with http_server(answer(200), answer(500)) as server:
        made = await subscribe(world, admin, server.url)
        for number in (1, 2):
            await tell(world, incident_id=number)
            await run(webhooks(world))
    first, second = await deliveries(world, admin, made)
    assert (first["status"], second["status"]) == ("pending", "delivered")
    assert await deliveries(world, admin, made, "?status=delivered") == [second]
    both = "?status=delivered&status=pending&per_page=1"
    page = await world.call("GET", f"{SUBSCRIPTIONS}/{made['id']}/deliveries{both}", admin)
    assert (page["items"], page["total"]) == ([first], 2)
    rest = await deliveries(world, admin, made, f"{both}&cursor={page['next_cursor']}")
    assert rest == [second]
    answer_ = await send(
        world, "GET", f"{SUBSCRIPTIONS}/{made['id']}/deliveries?status=lost", admin
    )
    refusal(answer_, 422, "VALIDATION_ERROR")
