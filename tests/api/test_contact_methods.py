"""The addresses a person is reached at: adding, showing, changing and removing them."""

import asyncio
from typing import Any

import pytest

from app.domain.user import Role
from tests.api.answers import faulty, refused, send
from tests.reaching import PUSH_KEYS, add, add_verified, methods_of, push, rules, rules_of
from tests.world import World

MINE = "/v1/users/me/contact-methods"


async def test_everybody_begins_with_the_verified_mail_address_of_the_account(world: World) -> None:
    ana = await world.person()
    [method] = (await world.call("GET", MINE, ana))["items"]
    assert (method["channel"], method["address"]) == ("email", "ana@example.org")
    assert method["verified_at"] is not None


ADDRESSES: list[tuple[dict[str, Any], str]] = [
    ({"channel": "email", "address": " Ana@Example.ORG "}, "Ana@example.org"),
    ({"channel": "sms", "phone": "+49 30 123-45 67"}, "+49301234567"),
    ({"channel": "sms", "phone": "+1 (555) 010.0000"}, "+15550100000"),
    ({"channel": "webhook", "url": "https://hooks.example.org/x?y=1"}, "https://hooks.example.org/x?y=1"),
    (push(), "https://push.example.org/send/1"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "address"), ADDRESSES)
async def test_an_address_is_kept_as_it_is_written_properly(
    world: World, body: dict[str, Any], address: str
) -> None:
    ben = await world.person("ben@example.org", Role.VIEWER)
    made = await add(world, ben, **body)
    assert (made["channel"], made["address"]) == (body["channel"], address)
    listed = (await world.call("GET", methods_of(ben), ben))["items"]
    assert listed[1] == {name: made[name] for name in listed[1]}


NONSENSE: list[tuple[dict[str, Any], str]] = [
    ({"channel": "sms", "phone": "030 1234567"}, "phone"),
    ({"channel": "sms", "phone": "+0301234567"}, "phone"),
    ({"channel": "sms", "phone": "+49 (0) 30 1234567"}, "phone"),
    ({"channel": "sms", "phone": "+49 30 CALL NOW"}, "phone"),
    ({"channel": "sms", "phone": "+" + "1" * 16}, "phone"),
    ({"channel": "chat", "url": "https://chat.example.org/hook"}, "url"),
    ({"channel": "chat", "url": "file:///etc/passwd"}, "url"),
    ({"channel": "webhook", "url": "http://10.0.0.1/hook"}, "url"),
    ({"channel": "webhook", "url": "https://[fd00::1]:8443/"}, "url"),
    (
        {"channel": "push", "subscription": {
            "endpoint": "https://p.example.org/", "keys": {**PUSH_KEYS, "auth": "short"}}},
        "subscription",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("body", "path"), NONSENSE)
async def test_what_is_no_address_is_refused_where_it_stands(
    world: World, body: dict[str, Any], path: str
) -> None:
    ana = await world.person()
    details = await refused(world, "POST", MINE, ana, 422, "INVALID_ADDRESS", json=body)
    assert [fault["path"] for fault in details["errors"]] == [path]


MALFORMED: list[tuple[dict[str, Any], str]] = [
    ({"channel": "email", "address": "nobody"}, "address"),
    ({"channel": "webhook", "url": "ftp://example.org"}, "url"),
    ({"channel": "pigeon", "address": "the roof"}, "channel"),
    ({"address": "a@b.example"}, "channel"),
    ({"channel": "email"}, "address"),
    (
        {"channel": "push", "subscription": {"endpoint": "https://p.example.org/"}},
        "subscription.keys",
    ),
    ({"channel": "email", "address": "a@b.example", "secret": "x"}, "secret"),
    ({"channel": "email", "address": "a@b.example", "label": ""}, "label"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "path"), MALFORMED)
async def test_what_is_malformed_is_refused_where_it_stands(
    world: World, body: dict[str, Any], path: str
) -> None:
    ana = await world.person()
    assert set(await faulty(world, "POST", MINE, ana, json=body)) == {path}


async def test_an_address_is_there_once(world: World) -> None:
    ana = await world.person()
    for address in ("ana@example.org", "ANA@example.org"):
        body = {"channel": "email", "address": address}
        await refused(world, "POST", MINE, ana, 409, "CONTACT_METHOD_EXISTS", json=body)
    await add(world, ana, channel="sms", phone="+49301234567")
    body = {"channel": "sms", "phone": "+49 30 1234567"}
    await refused(world, "POST", MINE, ana, 409, "CONTACT_METHOD_EXISTS", json=body)


async def test_of_two_who_add_the_same_at_once_one_succeeds(world: World) -> None:
    ana = await world.person()
    body = {"channel": "sms", "phone": "+49301234567"}
    made = await asyncio.gather(*(send(world, "POST", MINE, ana, json=body) for _ in range(4)))
    assert sorted(answer.status_code for answer in made) == [201, 409, 409, 409]


async def test_two_people_may_share_an_address(world: World) -> None:
    for name in ("ana", "ben"):
        person = await world.person(f"{name}@example.org")
        await add(world, person, channel="sms", phone="+49301234567")


async def test_twenty_addresses_are_enough(world: World) -> None:
    ana = await world.person()
    for number in range(19):
        await add(world, ana, **push(f"https://push.example.org/{number}"))
    details = push("https://push.example.org/one-more")
    await refused(world, "POST", MINE, ana, 409, "TOO_MANY_CONTACT_METHODS", json=details)
    assert len((await world.call("GET", MINE, ana))["items"]) == 20


async def test_label_and_updates_can_be_changed_and_the_address_cannot(world: World) -> None:
    ana = await world.person()
    made = await add(world, ana)
    assert (made["label"], made["wants_updates"]) == (None, False)
    path = f"{MINE}/{made['id']}"
    body = {"label": "at home", "wants_updates": True}
    changed = await world.call("PATCH", path, ana, json=body)
    assert {name: changed[name] for name in body} == body
    assert changed["updated_at"] > made["updated_at"]
    assert await world.call("PATCH", path, ana, json={"label": "at home"}) == changed
    assert set(await faulty(world, "PATCH", path, ana, json={"address": "x@b.example"})) == {
        "address"
    }
    assert set(await faulty(world, "PATCH", path, ana, json={"wants_updates": None})) == {
        "wants_updates"
    }
    assert (await world.call("PATCH", path, ana, json={"label": None}))["label"] is None


async def test_a_removed_address_takes_its_rules_along_and_the_rest_close_ranks(
    world: World,
) -> None:
    ana = await world.person()
    [mail] = (await world.call("GET", MINE, ana))["items"]
    phone = await add_verified(world, ana, channel="sms", phone="+49301234567")
    order = [phone["id"], mail["id"], phone["id"], mail["id"]]
    body = {
        "items": [{"contact_method_id": one, "delay_minutes": n} for n, one in enumerate(order)]
    }
    before = (await world.call("PUT", rules_of(ana), ana, json=body))["items"]

    await world.call("DELETE", f"{MINE}/{phone['id']}", ana, expect=204)

    after = await rules(world, ana)
    assert [(one["position"], one["delay_minutes"]) for one in after] == [(0, 1), (1, 3)]
    assert [one["id"] for one in after] == [before[1]["id"], before[3]["id"]]
    await refused(world, "DELETE", f"{MINE}/{phone['id']}", ana, 404, "CONTACT_METHOD_NOT_FOUND")


async def test_removing_the_last_address_is_allowed_and_warned_of(world: World) -> None:
    ana = await world.person()
    [mail] = (await world.call("GET", MINE, ana))["items"]
    await world.call("DELETE", f"{MINE}/{mail['id']}", ana, expect=204)
    told = await world.call("GET", rules_of(ana), ana)
    assert told["items"] == []
    assert told["warnings"][0].startswith("Nobody can page ana@example.org: there is no rule.")


async def test_what_was_sent_to_a_removed_address_stays_on_record(world: World) -> None:
    ana = await world.person()
    phone = await add_verified(world, ana, channel="sms", phone="+49301234567")
    await world.call("POST", f"{MINE}/{phone['id']}/test", ana, expect=202)
    await world.call("DELETE", f"{MINE}/{phone['id']}", ana, expect=204)
    rows = await world.sql("SELECT kind, contact_method_id FROM notifications ORDER BY id")
    assert [tuple(row) for row in rows] == [("verification", None), ("test", None)]


async def test_nobody_reaches_into_anothers_addresses(world: World) -> None:
    ana = await world.person()
    ben = await world.person("ben@example.org")
    method = await add(world, ben)
    for method_name, path, body in [
        ("GET", "", None),
        ("POST", "", {"channel": "email", "address": "x@b.example"}),
        ("PATCH", f"/{method['id']}", {"label": "x"}),
        ("DELETE", f"/{method['id']}", None),
        ("POST", f"/{method['id']}/send-code", None),
        ("POST", f"/{method['id']}/verify", {"code": "000000"}),
        ("POST", f"/{method['id']}/test", None),
    ]:
        kw = {"json": body} if body else {}
        await refused(world, method_name, methods_of(ben) + path, ana, 403, "FORBIDDEN", **kw)
        # Nor by naming it as one's own.
        if path:
            await refused(
                world, method_name, MINE + path, ana, 404, "CONTACT_METHOD_NOT_FOUND", **kw
            )


async def test_an_admin_looks_after_the_addresses_of_others_but_cannot_vouch(world: World) -> None:
    admin = await world.admin()
    ana = await world.person()
    body = {"channel": "sms", "phone": "+49301234567"}
    made = await world.call("POST", methods_of(ana), admin, expect=201, json=body)
    assert made["verified_at"] is None
    assert len((await world.call("GET", MINE, ana))["items"]) == 2
    await world.call("DELETE", f"{methods_of(ana)}/{made['id']}", admin, expect=204)


async def test_a_deleted_account_has_no_addresses_and_gets_none(world: World) -> None:
    admin = await world.admin()
    ana = await world.person()
    await world.call("DELETE", f"/v1/users/{ana.id}", admin, expect=204)
    body = {"channel": "email", "address": "a@b.example"}
    await refused(world, "GET", methods_of(ana), admin, 404, "USER_NOT_FOUND")
    await refused(world, "POST", methods_of(ana), admin, 404, "USER_NOT_FOUND", json=body)
    await refused(world, "GET", "/v1/users/999999/contact-methods", admin, 404, "USER_NOT_FOUND")


async def test_nothing_is_sent_to_somebody_who_is_deactivated(world: World) -> None:
    admin = await world.admin()
    ana = await world.person()
    waiting = await add(world, ana)
    [mail, _] = (await world.call("GET", MINE, ana))["items"]
    await world.call("PATCH", f"/v1/users/{ana.id}", admin, json={"is_active": False})
    base = methods_of(ana)
    body = {"channel": "sms", "phone": "+49301234567"}
    await refused(world, "POST", base, admin, 422, "USER_INACTIVE", json=body)
    path = f"{base}/{waiting['id']}/send-code"
    await refused(world, "POST", path, admin, 422, "USER_INACTIVE")
    await refused(world, "POST", f"{base}/{mail['id']}/test", admin, 422, "USER_INACTIVE")


async def test_an_account_may_move_to_an_address_its_owner_has_added_before(world: World) -> None:
    """The admin changes the account's address; whoever was paged at the old one is at the new."""
    admin = await world.admin()
    ana = await world.person()
    added = await add(world, ana, address="new@example.org")
    body = {"email": "new@example.org"}
    await world.call("PATCH", f"/v1/users/{ana.id}", admin, json=body)
    [method] = (await world.call("GET", MINE, ana))["items"]
    assert (method["id"], method["address"]) == (added["id"], "new@example.org")
    assert method["verified_at"] is not None
    [rule] = await rules(world, ana)
    assert rule["contact_method_id"] == added["id"]
