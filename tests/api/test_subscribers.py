"""The public subscribes, proves its address, chooses and leaves; admins look after them."""

import asyncio
import csv
import io
import logging
import re
from typing import Any

import pytest

from app.domain.notification import Channel
from app.domain.user import Role
from tests.api.answers import faulty, refusal, refused, send
from tests.channels.servers import Mailbox, answer, http_server, mail_server
from tests.worker.subscribing import (
    component,
    deliver,
    group,
    loops,
    notice,
    public_incident,
    run,
    sent,
    subscribe,
    to_server,
)
from tests.worker.test_subscribers import parsed, text_of
from tests.world import Scripted, World

DOOR = "/v1/public/subscribers"


async def ask(world: World, expect: int = 202, **fields: Any) -> Any:
    body = {"address": "sam@example.org", **fields}
    return await world.call("POST", DOOR, expect=expect, json=body)


async def link_sent(world: World, address: str = "sam@example.org") -> str:
    """The token of the link that was sent there last."""
    way = Scripted()
    await deliver(loops(world, [way]))
    [message] = [one for one in way.messages if one.address == address]
    found = re.search(r"/status/subscribe/([0-9A-Za-z_-]+)/confirm", message.text)
    assert found
    return found[1]


async def confirmed(world: World, **fields: Any) -> str:
    await ask(world, **fields)
    token = await link_sent(world, fields.get("address", "sam@example.org"))
    await world.call("POST", f"{DOOR}/{token}/confirm")
    return token


async def test_nobody_is_told_before_they_followed_the_link(world: World) -> None:
    incident = await public_incident(world)
    await ask(world)
    with mail_server() as mailbox:
        await run(loops(world, [to_server(mailbox)]))
        [envelope] = mailbox.envelopes
        mail = parsed(envelope.content)
        assert mail["Subject"] == "Confirm your subscription to Status"
        text = text_of(mail)
        assert "You are told at once about everything on the page." in text
        await notice(world, incident)
        await run(loops(world, [to_server(mailbox)]))
        assert len(mailbox.envelopes) == 1
        found = re.search(r"https://tocsin\.test/status/subscribe/(\S+)/confirm", text)
        assert found
        shown = await world.call("POST", f"{DOOR}/{found[1]}/confirm")
        assert shown == {
            "channel": "email",
            "address": "s…@example.org",
            "state": "active",
            "frequency": "immediate",
            "is_for_everything": True,
            "scopes": [],
            "signing_secret": None,
        }
        await notice(world, incident, kind="incident_updated")
        await run(loops(world, [to_server(mailbox)]))
    assert len(mailbox.envelopes) == 2


async def test_the_answer_tells_nobody_whether_an_address_is_known(world: World) -> None:
    first = await send(world, "POST", DOOR, json={"address": "sam@example.org"})
    again = await send(world, "POST", DOOR, json={"address": "SAM@example.org"})
    await confirmed(world, address="eva@example.org")
    known = await send(world, "POST", DOOR, json={"address": "eva@example.org"})
    assert first.status_code == again.status_code == known.status_code == 202
    assert first.json() == again.json() == known.json()


async def test_who_asks_twice_for_the_same_is_sent_one_link(world: World) -> None:
    await ask(world)
    await asyncio.gather(ask(world), ask(world, address="Sam@Example.org"))
    assert [row[:2] for row in await sent(world)] == [("confirmation", "pending")]
    world.clock.forward(minutes=10)
    way = Scripted()
    await deliver(loops(world, [way]))
    assert len(way.messages) == 1


async def test_many_who_ask_at_once_for_one_address_make_one_subscriber(world: World) -> None:
    await world.sql("SELECT 1")
    asked = [send(world, "POST", DOOR, json={"address": "sam@example.org"}) for _ in range(6)]
    found = [one.status_code for one in await asyncio.gather(*asked)]
    assert found.count(202) == 3  # the others are over the quota of the address
    assert found.count(429) == 3
    assert await world.sql("SELECT count(*) FROM subscribers") == [(1,)]


async def test_an_address_and_a_client_can_ask_only_so_often(world: World) -> None:
    for _ in range(3):
        await ask(world)
    answered = await send(world, "POST", DOOR, json={"address": "sam@example.org"})
    refusal(answered, 429, "TOO_MANY_REQUESTS")
    assert int(answered.headers["retry-after"]) > 60
    for number in range(26):
        await ask(world, address=f"s{number}@example.org")
    await ask(world, address="last@example.org", expect=429)


async def test_what_a_stranger_asks_for_counts_only_once_it_is_proved(world: World) -> None:
    shop = await component(world)
    token = await confirmed(world, components=[shop])
    world.clock.forward(hours=2)
    await ask(world, frequency="daily")
    shown = await world.call("GET", f"{DOOR}/{token}")
    assert (shown["frequency"], shown["is_for_everything"]) == ("immediate", False)
    assert await link_sent(world) == token
    shown = await world.call("POST", f"{DOOR}/{token}/confirm")
    assert (shown["frequency"], shown["is_for_everything"]) == ("daily", True)
    assert [one["name"] for one in shown["scopes"]] == ["Checkout"]


async def test_one_incident_alone_can_be_followed(world: World) -> None:
    this = await public_incident(world)
    other = await public_incident(world, code="other")
    token = await confirmed(world, incident="c0de")
    shown = await world.call("GET", f"{DOOR}/{token}")
    assert shown["scopes"] == [
        {"kind": "incident", "id": None, "code": "c0de", "name": "Checkout is slow"}
    ]
    way = Scripted()
    await notice(world, this, kind="incident_updated", body="This one.")
    await notice(world, other, kind="incident_updated", body="That one.")
    await run(loops(world, [way]))
    assert len(way.messages) == 1
    assert "This one." in way.messages[0].text


async def test_somebody_chooses_what_they_are_told(world: World) -> None:
    shop, pay = await group(world), await component(world, "Pay")
    token = await confirmed(world)
    wish = {"is_for_everything": False, "components": [pay], "groups": [shop]}
    shown = await world.call("PATCH", f"{DOOR}/{token}", json={**wish, "frequency": "daily"})
    assert [one["kind"] for one in shown["scopes"]] == ["component", "group"]
    assert shown["frequency"] == "daily"
    nothing = {"components": [], "groups": []}
    details = await refused(
        world, "PATCH", f"{DOOR}/{token}", None, 422, "INVALID_INPUT", json=nothing
    )
    assert details["field"] == "components"
    unknown = {"components": [4711]}
    await refused(world, "PATCH", f"{DOOR}/{token}", None, 422, "INVALID_INPUT", json=unknown)


async def test_who_leaves_can_come_back_and_an_old_link_still_ends_it(world: World) -> None:
    token = await confirmed(world)
    for _ in range(2):
        shown = await world.call("POST", f"{DOOR}/{token}/unsubscribe")
        assert shown["state"] == "unsubscribed"
    await refused(world, "POST", f"{DOOR}/{token}/confirm", None, 409, "SUBSCRIPTION_NOT_CONFIRMED")
    world.clock.forward(hours=2)
    assert await confirmed(world) == token
    assert (await world.call("GET", f"{DOOR}/{token}"))["state"] == "active"


@pytest.mark.parametrize("token", ["x", "AAAAAAAAAAcAAAAA", "a" * 36])
async def test_a_token_that_is_none_of_ours_leads_nowhere(world: World, token: str) -> None:
    await refused(world, "GET", f"{DOOR}/{token}", None, 404, "SUBSCRIPTION_NOT_FOUND")
    await refused(world, "POST", f"{DOOR}/{token}/confirm", None, 404, "SUBSCRIPTION_NOT_FOUND")


async def test_no_token_is_in_the_table_or_in_the_log(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    token = await confirmed(world)
    rows = await world.sql("SELECT to_jsonb(s)::text FROM subscribers s")
    assert token not in rows[0][0]
    ours = [one.getMessage() for one in caplog.records if not one.name.startswith("http")]
    assert ours
    assert token not in " ".join(ours)


@pytest.mark.parametrize(
    ("channel", "address", "said"),
    [
        ("email", "no address", "mail address"),
        ("webhook", "ftp://example.org/", "http://"),
        ("webhook", "http://10.0.0.1/hook", "not a public address"),
        ("chat", "json://example.org/", "No chat begins"),
        ("chat", "mmosts://chat.example.org/token", "only an admin"),
    ],
)
async def test_an_address_that_would_never_be_sent_to_is_refused(
    world: World, channel: str, address: str, said: str
) -> None:
    body = {"channel": channel, "address": address}
    details = await refused(world, "POST", DOOR, None, 422, "INVALID_ADDRESS", json=body)
    assert said in details["errors"][0]["message"]
    assert details["errors"][0]["path"] == "address"


async def test_a_channel_that_is_not_set_up_is_refused(world: World) -> None:
    body = {"channel": "sms", "address": "+49 30 1234567"}
    await refused(world, "POST", DOOR, None, 422, "CHANNEL_UNAVAILABLE", json=body)


async def test_a_webhook_proves_itself_by_the_url_that_it_is_sent(world: World) -> None:
    async with http_server(answer(200)) as server:
        await ask(world, channel="webhook", address=server.url)
        await deliver(loops(world))
        [request] = server.requests
        found = re.search(rb"/status/subscribe/([0-9A-Za-z_-]+)/confirm", request)
        assert found
        assert b'"confirmation"' in request
        shown = await world.call("POST", f"{DOOR}/{found[1].decode()}/confirm")
    assert shown["channel"] == "webhook"
    assert shown["signing_secret"].startswith("whsec_")
    assert shown["address"] == f"{server.url.rpartition('/')[0]}/…"


# --- Those who look after them ----------------------------------------------------------


async def test_only_admins_see_whole_addresses_and_search_for_them(world: World) -> None:
    admin, ben = await world.admin(), await world.person("ben@example.org", Role.RESPONDER)
    sam = await subscribe(world)
    await world.sql(
        "UPDATE subscribers SET state = 'bouncing', bounced_at = now(),"
        " bounce_reason = '550 <sam@example.org> unknown'"
    )
    [whole] = (await world.call("GET", "/v1/subscribers?search=sam@", admin))["items"]
    assert (whole["id"], whole["address"]) == (sam.id, "sam@example.org")
    answered = await send(world, "GET", "/v1/subscribers?state=bouncing", ben)
    assert "sam@example.org" not in answered.text
    assert answered.json()["items"][0]["address"] == "s…@example.org"
    await refused(world, "GET", "/v1/subscribers?search=sam@", ben, 403, "FORBIDDEN")


async def test_an_admin_adds_pauses_nobody_and_forgets(world: World) -> None:
    admin = await world.admin()
    pay = await component(world, "Pay")
    body = {"address": "eva@example.org", "components": [pay], "have_agreed": True}
    made = await world.call("POST", "/v1/subscribers", admin, expect=201, json=body)
    assert (made["state"], made["origin"], made["created_by"]) == ("active", "admin", admin.id)
    await refused(world, "POST", "/v1/subscribers", admin, 409, "ADDRESS_SUBSCRIBED", json=body)
    path = f"/v1/subscribers/{made['id']}"
    changed = await world.call("PATCH", path, admin, json={"frequency": "daily"})
    assert (changed["frequency"], changed["revision"]) == ("daily", made["revision"] + 1)
    old = {"If-Match": '"1"'}
    await refused(
        world, "PATCH", path, admin, 412, "PRECONDITION_FAILED", json={"components": [pay]},
        headers=old,
    )  # fmt: skip
    await world.call("DELETE", path, admin, expect=204)
    assert await world.sql("SELECT count(*) FROM subscribers") == [(0,)]


async def test_an_address_that_refused_is_told_again_once_an_admin_says_so(world: World) -> None:
    admin = await world.admin()
    sam = await subscribe(world)
    incident = await public_incident(world)
    await notice(world, incident)
    with mail_server(Mailbox({"sam@example.org": "550 unknown"})) as mailbox:
        await run(loops(world, [to_server(mailbox)]))
    path = f"/v1/subscribers/{sam.id}"
    shown = await world.call("PATCH", path, admin, json={"is_paused": False})
    assert (shown["state"], shown["bounced_at"]) == ("active", None)
    [failed] = (await world.call("GET", "/v1/subscriber-deliveries", admin))["items"]
    assert (failed["status"], failed["attempts"], failed["address"]) == (
        "failed",
        1,
        "sam@example.org",
    )
    again = f"/v1/subscriber-deliveries/{failed['id']}/resend"
    await world.call("POST", again, admin, expect=202)
    await refused(world, "POST", again, admin, 409, "DELIVERY_STILL_WAITING")
    with mail_server() as mailbox:
        await run(loops(world, [to_server(mailbox)]))
    assert len(mailbox.envelopes) == 1


async def test_a_file_of_all_subscribers_holds_no_formula_and_no_secret(world: World) -> None:
    admin = await world.admin()
    pay = await component(world, "Pay")
    await subscribe(world, "=cmd@example.org", components=[pay])
    chat = "slack://TokenA/TokenB/TokenC"
    await subscribe(world, chat, channel=Channel.CHAT)
    answered = await send(world, "GET", "/v1/subscribers/export", admin)
    assert answered.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answered.text)))
    assert [row["channel"] for row in rows] == ["chat", "email"]
    assert rows[1]["address"] == "'=cmd@example.org"
    assert rows[1]["components"] == "Pay"
    assert "TokenB" not in answered.text


async def test_faults_are_told_at_their_fields(world: World) -> None:
    faults = await faulty(
        world, "POST", DOOR, None, json={"address": "", "components": ["x"], "more": 1}
    )
    assert set(faults) == {"address", "components[0]", "more"}
