"""The whole ordered list of a person's rules, replaced at once."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from fastapi import FastAPI

from app.channels.unconfigured import UnconfiguredSender
from app.domain.notification import Channel
from app.domain.user import Role
from app.services.notification_preference import NOT_CONFIGURED
from tests.api.answers import faulty, refused, send
from tests.reaching import add, add_verified, methods_of, rules_of
from tests.world import Person, World

RULES = "/v1/users/me/notification-rules"


@pytest.fixture
async def ana(world: World) -> Person:
    return await world.person(role=Role.VIEWER, full_name="Ana Díaz")


@pytest.fixture
async def mail(world: World, ana: Person) -> int:
    """The contact method that Ana's account came with."""
    [method] = (await world.call("GET", methods_of(ana), ana))["items"]
    number: int = method["id"]
    return number


async def test_the_set_that_everybody_starts_with_pages_by_mail_at_once(
    world: World, ana: Person, mail: int
) -> None:
    told = await world.call("GET", RULES, ana)
    [rule] = told["items"]
    assert rule.pop("id") > 0
    assert rule == {
        "position": 0,
        "contact_method_id": mail,
        "channel": "email",
        "address": "ana@example.org",
        "label": "mail",
        "is_verified": True,
        "delay_minutes": 0,
        "min_severity": None,
        "urgency": None,
        "quiet_from": None,
        "quiet_until": None,
    }
    assert told["warnings"] == []


async def test_the_list_is_kept_as_it_was_put(world: World, ana: Person, mail: int) -> None:
    hook = await add_verified(world, ana, channel="webhook", url="https://hooks.example.org/x")
    items = [
        {"contact_method_id": hook["id"], "min_severity": "SEV2", "quiet_from": "22:00",
         "quiet_until": "06:30"},
        {"contact_method_id": mail, "delay_minutes": 2.5},
        {"contact_method_id": mail},
    ]  # fmt: skip
    put = await world.call("PUT", RULES, ana, json={"items": items})
    shown = [
        (one["position"], one["channel"], one["delay_minutes"], one["min_severity"],
         one["quiet_from"], one["quiet_until"])
        for one in put["items"]
    ]  # fmt: skip
    assert shown == [
        (0, "webhook", 0, "high", "22:00", "06:30"),
        (1, "email", 2.5, None, None, None),
        (2, "email", 0, None, None, None),
    ]
    assert await world.call("GET", RULES, ana) == put


async def test_a_rule_keeps_its_id_by_its_place_and_what_is_gone_is_gone(
    world: World, ana: Person, mail: int
) -> None:
    three = {"items": [{"contact_method_id": mail, "delay_minutes": n} for n in (0, 1, 2)]}
    first = [one["id"] for one in (await world.call("PUT", RULES, ana, json=three))["items"]]
    two = {"items": [{"contact_method_id": mail, "delay_minutes": n} for n in (9, 8)]}
    second = (await world.call("PUT", RULES, ana, json=two))["items"]
    assert [(one["id"], one["delay_minutes"]) for one in second] == [(first[0], 9), (first[1], 8)]
    third = (await world.call("PUT", RULES, ana, json={"items": []}))["items"]
    assert third == []


async def test_the_same_list_again_writes_nothing(world: World, ana: Person, mail: int) -> None:
    body = {"items": [{"contact_method_id": mail, "quiet_from": "22:00", "quiet_until": "06:00"}]}
    await world.call("PUT", RULES, ana, json=body)
    written = "SELECT updated_at, xmin::text FROM notification_rules"
    before = await world.sql(written)
    await world.call("PUT", RULES, ana, json=body)
    assert await world.sql(written) == before


async def test_of_many_lists_at_once_one_stands_whole(world: World, ana: Person, mail: int) -> None:
    def body(writer: int) -> dict[str, Any]:
        rule = {"contact_method_id": mail, "delay_minutes": writer}
        return {"items": [rule] * (writer + 1)}

    answers = await asyncio.gather(
        *(send(world, "PUT", RULES, ana, json=body(writer)) for writer in range(8))
    )
    assert {answer.status_code for answer in answers} == {200}
    items = (await world.call("GET", RULES, ana))["items"]
    [writer] = {one["delay_minutes"] for one in items}
    assert [one["position"] for one in items] == list(range(int(writer) + 1))


async def test_a_rule_of_anothers_address_is_refused_and_nothing_changes(
    world: World, ana: Person, mail: int
) -> None:
    ben = await world.person("ben@example.org")
    [theirs] = (await world.call("GET", methods_of(ben), ben))["items"]
    before = await world.call("GET", RULES, ana)
    body = {"items": [{"contact_method_id": mail, "delay_minutes": 3},
                      {"contact_method_id": theirs["id"]},
                      {"contact_method_id": 999_999}]}  # fmt: skip
    details = await refused(world, "PUT", RULES, ana, 422, "INVALID_RULES", json=body)
    assert [fault["path"] for fault in details["errors"]] == [
        "items[1].contact_method_id",
        "items[2].contact_method_id",
    ]
    assert await world.call("GET", RULES, ana) == before


QUIET: list[tuple[dict[str, Any], str]] = [
    ({"quiet_from": "22:00"}, "quiet_until"),
    ({"quiet_until": "22:00"}, "quiet_from"),
    ({"quiet_from": "22:00", "quiet_until": "22:00"}, "quiet_until"),
]


@pytest.mark.parametrize(("fields", "path"), QUIET)
async def test_quiet_hours_are_whole_and_no_whole_day(
    world: World, ana: Person, mail: int, fields: dict[str, Any], path: str
) -> None:
    body = {"items": [{"contact_method_id": mail, **fields}]}
    details = await refused(world, "PUT", RULES, ana, 422, "INVALID_RULES", json=body)
    assert [fault["path"] for fault in details["errors"]] == [f"items[0].{path}"]


MALFORMED: list[tuple[dict[str, Any], str]] = [
    ({"delay_minutes": -1}, "delay_minutes"),
    ({"delay_minutes": 10081}, "delay_minutes"),
    ({"min_severity": "awful"}, "min_severity"),
    ({"quiet_from": "24:00", "quiet_until": "06:00"}, "quiet_from"),
    ({"quiet_from": "22:00:00", "quiet_until": "06:00"}, "quiet_from"),
    ({"quiet_from": 22, "quiet_until": "06:00"}, "quiet_from"),
    ({"quiet_from": "2:00", "quiet_until": "06:00"}, "quiet_from"),
    ({"contact_method_id": 0}, "contact_method_id"),
    ({"position": 1}, "position"),
]


@pytest.mark.parametrize(("fields", "path"), MALFORMED)
async def test_what_is_malformed_is_refused_where_it_stands(
    world: World, ana: Person, mail: int, fields: dict[str, Any], path: str
) -> None:
    body = {"items": [{"contact_method_id": mail}, {"contact_method_id": mail, **fields}]}
    assert set(await faulty(world, "PUT", RULES, ana, json=body)) == {f"items[1].{path}"}


async def test_fifty_rules_are_enough(world: World, ana: Person, mail: int) -> None:
    rule = {"contact_method_id": mail}
    put = await world.call("PUT", RULES, ana, json={"items": [rule] * 50})
    assert len(put["items"]) == 50
    assert set(await faulty(world, "PUT", RULES, ana, json={"items": [rule] * 51})) == {"items"}
    # One more address is verified and gets no fifty-first rule, which no list could keep.
    await add_verified(world, ana)
    assert len((await world.call("GET", RULES, ana))["items"]) == 50


async def test_the_answer_warns_of_what_keeps_pages_away(
    world: World, ana: Person, mail: int
) -> None:
    waiting = await add(world, ana, channel="webhook", url="https://hooks.example.org/x")
    body = {"items": [{"contact_method_id": waiting["id"]}]}
    put = await world.call("PUT", RULES, ana, json=body)
    assert put["items"][0]["is_verified"] is False
    assert put["warnings"] == [
        "Nobody can page Ana Díaz: no rule can be used as it stands.",
        "Rule 1 pages nobody until its contact method for webhook is verified."
        " Enter the code that was sent to it, or send a new one.",
    ]
    body = {"items": [{"contact_method_id": mail, "delay_minutes": 10}]}
    assert (await world.call("PUT", RULES, ana, json=body))["warnings"] == [
        "Nothing pages Ana Díaz at once: the first page comes 10 minutes later."
    ]
    off = {"channels": {"email": False}}
    await world.call("PUT", "/v1/notification-preferences", ana, json=off)
    warnings = (await world.call("GET", RULES, ana))["warnings"]
    assert warnings[1] == "Rule 1 pages nobody while email is switched off."


async def test_a_channel_that_nobody_set_up_is_warned_of(
    world: World, ana: Person, mail: int, app: FastAPI
) -> None:
    states = {**world.service.channel_states(), "email": "not configured"}
    app.state.service = replace(world.service, channel_states=lambda: states)
    warnings = (await world.call("GET", RULES, ana))["warnings"]
    assert "email is not set up in this installation" in warnings[1]


def test_a_channel_that_nobody_set_up_is_known_by_how_it_stands() -> None:
    assert UnconfiguredSender(Channel.SMS).state() == NOT_CONFIGURED


async def test_rules_are_ones_own_or_an_admins_matter(world: World, ana: Person, mail: int) -> None:
    admin = await world.admin()
    ben = await world.person("ben@example.org")
    body = {"items": [{"contact_method_id": mail, "delay_minutes": 1}]}
    await refused(world, "GET", rules_of(ana), ben, 403, "FORBIDDEN")
    await refused(world, "PUT", rules_of(ana), ben, 403, "FORBIDDEN", json=body)
    put = await world.call("PUT", rules_of(ana), admin, json=body)
    assert await world.call("GET", rules_of(ana), ana) == put
    await world.call("DELETE", f"/v1/users/{ana.id}", admin, expect=204)
    await refused(world, "GET", rules_of(ana), admin, 404, "USER_NOT_FOUND")
    await refused(world, "PUT", rules_of(ana), admin, 404, "USER_NOT_FOUND", json={"items": []})
