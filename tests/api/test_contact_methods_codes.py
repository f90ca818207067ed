"""An address is paged once the code that was sent there has been entered."""

import asyncio
from dataclasses import replace

import pytest
from fastapi import FastAPI

from tests.api.answers import faulty, refusal, refused, send
from tests.reaching import add, add_verified, code_of, methods_of, push, rules
from tests.world import Person, World

MINE = "/v1/users/me/contact-methods"


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


@pytest.fixture
async def ana(world: World) -> Person:
    return await world.person()


async def test_a_code_is_sent_at_once_and_the_answer_says_so(world: World, ana: Person) -> None:
    made = await add(world, ana, channel="webhook", url="https://hooks.example.org/x")
    assert made["verified_at"] is None
    assert made["code_sent"]["message"] == (
        "A code is on its way to https://hooks.example.org/x; enter it within 15 minutes."
    )
    assert made["code_sent"]["expires_at"] > made["created_at"]
    [row] = await world.sql("SELECT kind, channel, user_id, contact_method_id FROM notifications")
    assert tuple(row) == ("verification", "webhook", ana.id, made["id"])


async def test_a_channel_that_nobody_set_up_is_not_said_to_carry_a_code(
    world: World, ana: Person, app: FastAPI
) -> None:
    states = {**world.service.channel_states(), "sms": "not configured"}
    app.state.service = replace(world.service, channel_states=lambda: states)
    made = await add(world, ana, channel="sms", phone="+49301234567")
    assert made["code_sent"]["message"].startswith("No code can leave: sms is not set up")


async def test_the_right_code_verifies_and_adds_a_rule_that_pages_at_once(
    world: World, ana: Person
) -> None:
    made = await add(world, ana)
    assert len(await rules(world, ana)) == 1
    path = f"{MINE}/{made['id']}/verify"
    verified = await world.call("POST", path, ana, json={"code": await code_of(world, made)})
    assert verified["verified_at"] is not None
    last = (await rules(world, ana))[-1]
    assert (last["position"], last["contact_method_id"], last["delay_minutes"]) == (
        1,
        made["id"],
        0,
    )
    assert last["is_verified"] is True


async def test_a_rule_that_uses_it_already_is_not_doubled(world: World, ana: Person) -> None:
    made = await add(world, ana)
    body = {"items": [{"contact_method_id": made["id"], "delay_minutes": 7}]}
    path = "/v1/users/me/notification-rules"
    await world.call("PUT", path, ana, json=body)
    code = await code_of(world, made)
    await world.call("POST", f"{MINE}/{made['id']}/verify", ana, json={"code": code})
    assert [one["delay_minutes"] for one in await rules(world, ana)] == [7]


async def test_a_browser_that_subscribed_needs_no_code(world: World, ana: Person) -> None:
    made = await add(world, ana, **push())
    assert made["verified_at"] is not None
    assert made["code_sent"] is None
    assert [one["channel"] for one in await rules(world, ana)] == ["email", "push"]
    assert await world.sql("SELECT id FROM notifications") == []
    path = f"{MINE}/{made['id']}/send-code"
    await refused(world, "POST", path, ana, 409, "ALREADY_VERIFIED")


async def test_a_wrong_code_is_counted_although_it_is_refused(world: World, ana: Person) -> None:
    made = await add(world, ana)
    path = f"{MINE}/{made['id']}/verify"
    wrong = {"code": other_than(await code_of(world, made))}
    left = []
    for _ in range(5):
        details = await refused(world, "POST", path, ana, 422, "INVALID_CODE", json=wrong)
        left.append(details["tries_left"])
    assert left == [4, 3, 2, 1, 0]
    right = {"code": await code_of(world, made)}
    await refused(world, "POST", path, ana, 409, "CODE_EXPIRED", json=right)
    await world.call("POST", f"{MINE}/{made['id']}/send-code", ana, expect=202)
    await world.call("POST", path, ana, json={"code": await code_of(world, made)})


async def test_many_guesses_at_once_are_all_counted(world: World, ana: Person) -> None:
    made = await add(world, ana)
    path = f"{MINE}/{made['id']}/verify"
    wrong = {"code": other_than(await code_of(world, made))}
    answers = await asyncio.gather(*(send(world, "POST", path, ana, json=wrong) for _ in range(12)))
    assert sorted(answer.status_code for answer in answers) == [409] * 7 + [422] * 5


async def test_only_the_newest_code_counts(world: World, ana: Person) -> None:
    made = await add(world, ana)
    first = await code_of(world, made)
    sent = await world.call("POST", f"{MINE}/{made['id']}/send-code", ana, expect=202)
    assert "a@b.example" in sent["message"]
    path = f"{MINE}/{made['id']}/verify"
    await refused(world, "POST", path, ana, 422, "INVALID_CODE", json={"code": first})
    await world.call("POST", path, ana, json={"code": await code_of(world, made)})


async def test_a_code_is_good_for_a_quarter_of_an_hour(world: World, ana: Person) -> None:
    made = await add(world, ana)
    code = {"code": await code_of(world, made)}
    world.clock.forward(minutes=15)
    path = f"{MINE}/{made['id']}/verify"
    await refused(world, "POST", path, ana, 409, "CODE_EXPIRED", json=code)


async def test_entering_the_code_twice_is_as_good_as_once(world: World, ana: Person) -> None:
    made = await add(world, ana)
    body = {"code": await code_of(world, made)}
    path = f"{MINE}/{made['id']}/verify"
    answers = await asyncio.gather(*(send(world, "POST", path, ana, json=body) for _ in range(4)))
    assert [answer.status_code for answer in answers] == [200] * 4
    assert len(await rules(world, ana)) == 2


async def test_a_code_of_another_address_is_no_code(world: World, ana: Person) -> None:
    one = await add(world, ana, address="one@b.example")
    two = await add(world, ana, address="two@b.example")
    body = {"code": await code_of(world, one)}
    path = f"{MINE}/{two['id']}/verify"
    await refused(world, "POST", path, ana, 422, "INVALID_CODE", json=body)


@pytest.mark.parametrize("code", ["12345", "1234567", "12345a", "١٢٣٤٥٦", "", 123456])
async def test_what_is_no_six_digits_uses_up_no_try(
    world: World, ana: Person, code: object
) -> None:
    made = await add(world, ana)
    path = f"{MINE}/{made['id']}/verify"
    assert set(await faulty(world, "POST", path, ana, json={"code": code})) == {"code"}
    assert await world.sql("SELECT failures FROM challenges") == [(0,)]


async def test_a_verified_address_needs_no_code(world: World, ana: Person) -> None:
    made = await add_verified(world, ana)
    path = f"{MINE}/{made['id']}/send-code"
    await refused(world, "POST", path, ana, 409, "ALREADY_VERIFIED")


async def test_five_codes_an_hour_go_to_an_address_whoever_asks(world: World, ana: Person) -> None:
    ben = await world.person("ben@example.org")
    phone = {"channel": "sms", "phone": "+49301234567"}
    made = await add(world, ana, **phone)
    path = f"{MINE}/{made['id']}/send-code"
    for _ in range(4):
        await world.call("POST", path, ana, expect=202)
    answer = await send(world, "POST", path, ana)
    assert refusal(answer, 429, "TOO_MANY_REQUESTS")["retry_after"] > 3000
    assert int(answer.headers["retry-after"]) > 3000
    # Neither removing it nor another account begins the count anew.
    await world.call("DELETE", f"{MINE}/{made['id']}", ana, expect=204)
    await refused(world, "POST", MINE, ana, 429, "TOO_MANY_REQUESTS", json=phone)
    await refused(world, "POST", methods_of(ben), ben, 429, "TOO_MANY_REQUESTS", json=phone)
    world.clock.forward(hours=1)
    await add(world, ben, **phone)


async def test_twenty_codes_an_hour_are_sent_for_a_person(world: World, ana: Person) -> None:
    for number in range(19):
        await add(world, ana, address=f"a{number}@b.example")
    made = (await world.call("GET", MINE, ana))["items"][1]
    await world.call("POST", f"{MINE}/{made['id']}/send-code", ana, expect=202)
    path = f"{MINE}/{made['id']}/send-code"
    await refused(world, "POST", path, ana, 429, "TOO_MANY_REQUESTS")


async def test_a_test_message_goes_to_a_verified_address(world: World, ana: Person) -> None:
    [mail] = (await world.call("GET", MINE, ana))["items"]
    sent = await world.call("POST", f"{MINE}/{mail['id']}/test", ana, expect=202)
    [row] = await world.sql("SELECT id, kind, channel, contact_method_id FROM notifications")
    assert tuple(row) == (sent["notification_id"], "test", "email", mail["id"])
    made = await add(world, ana)
    await refused(world, "POST", f"{MINE}/{made['id']}/test", ana, 409, "NOT_VERIFIED")


async def test_test_messages_have_to_wait_at_some_point(world: World, ana: Person) -> None:
    [mail] = (await world.call("GET", MINE, ana))["items"]
    path = f"{MINE}/{mail['id']}/test"
    for _ in range(20):
        await world.call("POST", path, ana, expect=202)
    await refused(world, "POST", path, ana, 429, "TOO_MANY_REQUESTS")
    ((count,),) = await world.sql("SELECT count(*) FROM notifications")
    assert count == 20
