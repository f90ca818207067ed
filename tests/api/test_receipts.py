"""A provider's own word, called back: no login, but an address that nobody can guess."""

import base64
import hashlib
import hmac
import itertools
from dataclasses import replace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.channels.base import Sent
from app.core.load import load_settings
from app.core.security import Signer
from tests.world import Person, Scripted, World

AUTH_TOKEN = "the auth token of the account"
DELIVERED = {"id": "msg-1", "status": "delivered"}
FAILED = {"id": "msg-1", "status": "failed", "error": "unknown number"}
SENT = {"id": "msg-1", "status": "sent"}


@pytest.fixture(autouse=True)
def _with_twilio(app: FastAPI) -> None:
    """A service that knows how Twilio signs."""
    settings = load_settings(
        public_url="https://tocsin.test",
        twilio_account_sid="AC0123",
        twilio_auth_token=AUTH_TOKEN,
        twilio_from="+15550100",
    )
    app.state.service = replace(app.state.service, settings=settings)


@pytest.fixture
async def ana(world: World) -> Person:
    admin = await world.admin()
    ana, ben = await world.person(), await world.person("ben@example.org")
    steps = [(0, {"user": ana.id}), (60, {"user": ben.id})]
    await world.policy(admin, steps, final_delay_minutes=600)
    return ana


@pytest.fixture
async def incident_id(world: World, ana: Person) -> int:
    """An incident whose one page a provider took."""
    incident = await world.declare(ana)
    await world.pass_time(Scripted(Sent("msg-1")))
    number: int = incident["id"]
    return number


async def page(world: World, ana: Person, incident_id: int) -> dict[str, Any]:
    return (await world.notifications(ana, incident_id))[0]


async def report(world: World, signer: Signer, number: int, **kw: Any) -> httpx.Response:
    return await world.client.post(f"/v1/receipts/{signer.link('receipt', number)}", **kw)


def signed(path: str, form: dict[str, str], token: str = AUTH_TOKEN) -> dict[str, str]:
    text = f"https://tocsin.test{path}" + "".join(key + form[key] for key in sorted(form))
    digest = hmac.digest(token.encode(), text.encode(), hashlib.sha1)
    return {"X-Twilio-Signature": base64.b64encode(digest).decode()}


async def test_a_gateway_says_that_it_arrived(
    world: World, ana: Person, incident_id: int, signer: Signer
) -> None:
    number = (await page(world, ana, incident_id))["id"]
    for _ in range(2):
        answer = await report(world, signer, number, json=DELIVERED)
        assert (answer.status_code, answer.content) == (204, b"")
    found = await page(world, ana, incident_id)
    assert (found["status"], found["reason"]) == ("delivered", None)
    assert found["delivered_at"] >= found["sent_at"]


async def test_a_gateway_says_that_it_is_lost_and_the_next_step_comes(
    world: World, ana: Person, incident_id: int, signer: Signer
) -> None:
    number = (await page(world, ana, incident_id))["id"]
    for _ in range(2):
        assert (await report(world, signer, number, json=FAILED)).status_code == 204
    found = await page(world, ana, incident_id)
    assert found["status"] == "failed"
    assert "unknown number" in found["reason"]
    assert [one["outcome"] for one in found["history"]] == ["gave_up"]
    story = await world.timeline(ana, incident_id)
    assert story.count("notification_failed") == story.count("escalation_hurried") == 1
    mail = Scripted()
    await world.pass_time(mail)
    assert mail.recipients == ["ben@example.org"]


@pytest.mark.parametrize("order", list(itertools.permutations([SENT, FAILED, DELIVERED])))
async def test_in_whatever_order_the_words_come_what_arrived_has_arrived(
    world: World, ana: Person, incident_id: int, signer: Signer, order: tuple[dict[str, str], ...]
) -> None:
    number = (await page(world, ana, incident_id))["id"]
    for word in order:
        assert (await report(world, signer, number, json=word)).status_code == 204
    found = await page(world, ana, incident_id)
    assert (found["status"], found["reason"]) == ("delivered", None)


async def test_a_word_that_is_no_news_changes_nothing(
    world: World, ana: Person, incident_id: int, signer: Signer
) -> None:
    before = await page(world, ana, incident_id)
    for word in (SENT, {"status": "queued"}, {}, [], "delivered", 7):
        assert (await report(world, signer, before["id"], json=word)).status_code == 204
    assert await page(world, ana, incident_id) == before


async def test_an_older_attempt_that_failed_says_nothing_of_the_last_one(
    world: World, ana: Person, incident_id: int, signer: Signer
) -> None:
    number = (await page(world, ana, incident_id))["id"]
    await report(world, signer, number, json={**FAILED, "id": "msg-0"})
    assert (await page(world, ana, incident_id))["status"] == "sent"


async def test_what_was_answered_or_never_left_stays_as_it_is(
    world: World, ana: Person, signer: Signer
) -> None:
    incident = await world.declare(ana)
    await world.climb()
    [waiting] = await world.notifications(ana, incident["id"])
    await report(world, signer, waiting["id"], json=DELIVERED)
    assert (await page(world, ana, incident["id"]))["status"] == "pending"
    await world.act(ana, incident["id"], "acknowledge")
    await report(world, signer, waiting["id"], json=DELIVERED)
    assert (await page(world, ana, incident["id"]))["status"] == "cancelled"


async def test_an_address_that_we_never_made_is_no_receipt(
    world: World, ana: Person, incident_id: int, signer: Signer
) -> None:
    found = await page(world, ana, incident_id)
    link = signer.link("receipt", found["id"])
    # Not its last character, of which a few bits may say nothing.
    tampered = f"{link[:-5]}{'B' if link[-5] == 'A' else 'A'}{link[-4:]}"
    forged = [
        signer.link("acknowledge", found["id"]),
        tampered,
        Signer("another secret key, long enough for all tests").link("receipt", found["id"]),
        "x",
        "%00",
        str(found["id"]),
    ]
    for token in forged:
        answer = await world.client.post(f"/v1/receipts/{token}", json=DELIVERED)
        assert (answer.status_code, answer.json()["code"]) == (404, "RECEIPT_NOT_FOUND"), token
        assert token not in answer.text or len(token) < 3
    assert (await page(world, ana, incident_id))["status"] == "sent"


async def test_a_receipt_for_what_was_removed_is_taken_in(world: World, signer: Signer) -> None:
    assert (await report(world, signer, 4711, json=DELIVERED)).status_code == 204


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"{"),
        ("application/json", b"\xff\xfe"),
        ("application/json", b"[" * 100_000),
        ("application/x-www-form-urlencoded", b"MessageStatus=%ff%fe"),
        ("application/x-www-form-urlencoded", b"\xff"),
        ("application/x-www-form-urlencoded", b"&".join([b"a=b"] * 200)),
    ],
)
async def test_what_cannot_be_read_is_refused(
    world: World, ana: Person, incident_id: int, signer: Signer, kind: str, body: bytes
) -> None:
    number = (await page(world, ana, incident_id))["id"]
    answer = await report(world, signer, number, content=body, headers={"content-type": kind})
    assert (answer.status_code, answer.json()["code"]) == (422, "RECEIPT_UNREADABLE")


async def test_a_body_has_an_end(
    world: World, ana: Person, incident_id: int, signer: Signer
) -> None:
    number = (await page(world, ana, incident_id))["id"]
    answer = await report(world, signer, number, content=b" " * 1_000_001)
    assert answer.status_code == 413


# --- Twilio, whose auth token we know -----------------------------------------------------


async def test_twilio_is_believed_with_its_signature(
    world: World, ana: Person, incident_id: int, signer: Signer
) -> None:
    number = (await page(world, ana, incident_id))["id"]
    form = {"MessageSid": "msg-1", "MessageStatus": "delivered", "To": "+49 30", "Empty": ""}
    path = f"/v1/receipts/{signer.link('receipt', number)}"
    answer = await world.client.post(path, data=form, headers=signed(path, form))
    assert answer.status_code == 204
    assert (await page(world, ana, incident_id))["status"] == "delivered"


async def test_whoever_does_not_know_the_auth_token_is_not_believed(
    world: World, ana: Person, incident_id: int, signer: Signer
) -> None:
    number = (await page(world, ana, incident_id))["id"]
    form = {"MessageSid": "msg-1", "MessageStatus": "failed", "ErrorCode": "30003"}
    path = f"/v1/receipts/{signer.link('receipt', number)}"
    other = f"/v1/receipts/{signer.link('receipt', number + 1)}"
    for headers in (
        {},
        signed(path, form, "another token"),
        signed(path, {**form, "MessageStatus": "delivered"}),
        signed(other, form),
    ):
        answer = await world.client.post(path, data=form, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "WRONG_SIGNATURE")
    assert (await page(world, ana, incident_id))["status"] == "sent"
    await world.client.post(path, data=form, headers=signed(path, form))
    found = await page(world, ana, incident_id)
    assert found["status"] == "failed"
    assert "switched off" in found["reason"]
