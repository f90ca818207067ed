"""Twilio's messages API as Twilio would see us, and what its answers make of a page."""

import base64
import json
from typing import Any
from urllib.parse import parse_qs

import pytest

from app.channels.base import GaveUp, Outcome, ReceiptReader, RetryLater, Sent
from app.channels.twilio import TwilioSender
from app.core.errors import SetupError
from app.domain.notification import Receipt
from tests.channels.factories import (
    ACCOUNT,
    CALLBACK,
    PHONE,
    QUICK,
    TWILIO_TOKEN,
    body_of,
    headers_of,
    make_text,
    make_twilio,
)
from tests.channels.servers import LOOPBACK, answer, http_server, silence

SID = "SM0123456789abcdef0123456789abcdef"
PATH = f"/2010-04-01/Accounts/{ACCOUNT}/Messages"


def told(status: int, /, **fields: Any) -> bytes:
    return answer(status, json.dumps(fields).encode(), content_type="application/json")


def refused(status: int, code: Any, message: str = "Something is wrong") -> bytes:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return told(status, code=code, message=message, more_info=more, status=status)


async def send_to(*replies: bytes, **options: Any) -> Outcome:
    async with http_server(*replies) as server:
        return await make_twilio(f"http://{LOOPBACK}:{server.port}/", **options).send(make_text())


async def test_a_text_arrives_as_twilio_wants_it() -> None:
    async with http_server(told(201, sid=SID, status="queued", error_code=None)) as server:
        outcome = await make_twilio(f"http://{LOOPBACK}:{server.port}").send(make_text())
    assert outcome == Sent(provider_id=SID)
    [request] = server.requests
    assert request.startswith(f"POST {PATH}.json HTTP/1.1\r\n".encode())
    headers = headers_of(request)
    login = base64.b64encode(f"{ACCOUNT}:{TWILIO_TOKEN}".encode()).decode()
    assert headers["authorization"] == f"Basic {login}"
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    assert parse_qs(body_of(request).decode(), strict_parsing=True) == {
        "To": [PHONE],
        "From": ["+15005550006"],
        "Body": [make_text().text],
        "StatusCallback": [CALLBACK],
    }


async def test_a_messaging_service_may_send_and_nobody_need_call_back() -> None:
    async with http_server(told(201, sid=SID, status="accepted")) as server:
        sender = make_twilio(f"http://{LOOPBACK}:{server.port}", sender="MG1234")
        assert await sender.send(make_text(receipt_url=None)) == Sent(provider_id=SID)
    form = parse_qs(body_of(server.requests[0]).decode())
    assert form.keys() == {"To", "Body", "MessagingServiceSid"}
    assert form["MessagingServiceSid"] == ["MG1234"]


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, 21211, GaveUp),
        (400, 21610, GaveUp),
        (404, 12345, GaveUp),
        (401, 20003, RetryLater),
        (400, 20003, RetryLater),
        (403, 20403, RetryLater),
        (404, 20404, RetryLater),
        (400, 21606, RetryLater),
        (429, 20429, RetryLater),
        (500, 20500, RetryLater),
        (503, 20503, RetryLater),
    ],
)
async def test_the_code_decides_and_is_told(status: int, code: int, kind: type[Outcome]) -> None:
    outcome = await send_to(refused(status, code, "The 'To' number\nis odd"))
    assert type(outcome) is kind
    assert not isinstance(outcome, Sent)
    assert f"Twilio says The 'To' number is odd ({status}, code {code})" in outcome.error


async def test_a_wish_to_wait_is_kept_with_a_code_too() -> None:
    body = json.dumps({"code": 20429, "message": "Too Many Requests"}).encode()
    outcome = await send_to(answer(429, body, retry_after="7"))
    assert isinstance(outcome, RetryLater)
    assert outcome.after is not None
    assert outcome.after.total_seconds() == 7


async def test_a_login_that_fails_waits_for_its_operator_without_a_code_too() -> None:
    outcome = await send_to(answer(401, b"Authenticate"))
    assert isinstance(outcome, RetryLater)
    assert "another login" in outcome.error


async def test_the_login_is_never_quoted() -> None:
    login = base64.b64encode(f"{ACCOUNT}:{TWILIO_TOKEN}".encode()).decode()
    for reply in (refused(400, 21211, f"{TWILIO_TOKEN} {login}"), answer(400, login.encode())):
        outcome = await send_to(reply)
        assert isinstance(outcome, GaveUp)
        assert "s3cret" not in outcome.error
        assert login[:-2] not in outcome.error


@pytest.mark.parametrize("status", ["failed", "undelivered", "canceled"])
async def test_a_message_that_failed_at_once_is_given_up(status: str) -> None:
    outcome = await send_to(told(201, sid=SID, status=status, error_code=30005))
    assert outcome == GaveUp(
        "Twilio could not deliver it: the number is unknown or no longer in service (30005).",
        is_answer=True,
    )


async def test_a_callback_that_twilio_will_not_call_costs_no_page() -> None:
    replies = (refused(400, 21609, "Invalid StatusCallback"), told(201, sid=SID, status="queued"))
    async with http_server(*replies) as server:
        outcome = await make_twilio(f"http://{LOOPBACK}:{server.port}").send(make_text())
    assert outcome == Sent(provider_id=SID)
    first, second = (parse_qs(body_of(request).decode()) for request in server.requests)
    assert first.keys() - second.keys() == {"StatusCallback"}
    assert isinstance(await send_to(replies[0]), GaveUp)  # once, not over and over


async def test_what_is_no_phone_number_is_given_up_unsent() -> None:
    async with http_server(answer(200)) as server:
        sender = make_twilio(f"http://{LOOPBACK}:{server.port}")
        for address in ("", "0151 123", "whatsapp:+4915112345678"):
            assert isinstance(await sender.send(make_text(address=address)), GaveUp)
    assert server.requests == []


async def test_twilio_is_asked_what_became_of_a_text() -> None:
    replies = (
        told(200, sid=SID, status="delivered", error_code=None),
        told(200, sid=SID, status="undelivered", error_code=30003),
        told(200, sid=SID, status="sent"),
        refused(404, 20404),
        answer(200, b"oops"),
    )
    async with http_server(*replies) as server:
        sender = make_twilio(f"http://{LOOPBACK}:{server.port}")
        receipts = [await sender.read_receipt(SID) for _ in replies]
    error = "Twilio could not deliver it: the phone is switched off or out of reach (30003)."
    assert receipts == [Receipt(is_delivered=True), Receipt(error=error), *[Receipt()] * 3]
    assert server.requests[0].startswith(f"GET {PATH}/{SID}.json HTTP/1.1\r\n".encode())
    assert headers_of(server.requests[0])["authorization"].startswith("Basic ")
    assert isinstance(sender, ReceiptReader)


async def test_a_twilio_that_does_not_answer_has_nothing_to_say() -> None:
    async with http_server(silence) as server:
        sender = make_twilio(f"http://{LOOPBACK}:{server.port}", timeout=QUICK)
        assert await sender.read_receipt(SID) == Receipt()


@pytest.mark.parametrize(
    ("account", "token", "sender", "url"),
    [
        ("", "t", "+15005550006", "https://api.example"),
        ("AC/../x", "t", "+15005550006", "https://api.example"),
        ("AC1", "", "+15005550006", "https://api.example"),
        ("AC1", "s3cret\n", "+15005550006", "https://api.example"),
        ("AC1", "t", "", "https://api.example"),
        ("AC1", "t", "+15005550006", "api.example"),
    ],
)
def test_a_bad_setting_is_a_fault_of_the_setup(
    account: str, token: str, sender: str, url: str
) -> None:
    with pytest.raises(SetupError, match="Twilio") as caught:
        TwilioSender(account, token, sender, api_url=url)
    assert "s3cret" not in str(caught.value)
