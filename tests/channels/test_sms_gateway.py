"""An SMS gateway as its operator describes it: what it is sent, and what it says to that."""

import json
from typing import Any

import pytest

from app.channels.base import GaveUp, RetryLater, Sent
from app.core.errors import SetupError
from app.domain.notification import Receipt
from tests.channels.factories import (
    CALLBACK,
    PHONE,
    QUICK,
    body_of,
    headers_of,
    make_gateway,
    make_text,
)
from tests.channels.servers import LOOPBACK, answer, free_port, http_server, silence

STATUS_URL = "http://127.0.0.1:9/status/{id}"


async def test_a_text_arrives_as_json_with_its_mark() -> None:
    async with http_server(answer(202, b'{"id": "m-1", "status": "queued"}')) as server:
        sender = make_gateway(server.url, token="tok3n")
        outcome = await sender.send(make_text())
    assert outcome == Sent(provider_id="m-1")
    [request] = server.requests
    assert request.startswith(b"POST /hook HTTP/1.1\r\n")
    headers = headers_of(request)
    assert headers["content-type"] == "application/json"
    assert headers["authorization"] == "Bearer tok3n"
    assert headers["idempotency-key"] == "ntf-4711-a"
    assert json.loads(body_of(request)) == {
        "to": PHONE,
        "text": make_text().text,
        "reference": "ntf-4711-a",
        "callback_url": CALLBACK,
    }


async def test_what_is_not_there_is_left_out() -> None:
    async with http_server(answer(200)) as server:
        await make_gateway(server.url).send(make_text(receipt_url=None))
    [request] = server.requests
    assert "authorization" not in headers_of(request)
    assert set(json.loads(body_of(request))) == {"to", "text", "reference"}


async def test_a_template_is_filled_as_values_whatever_the_text_holds() -> None:
    template = json.dumps(
        {
            "messages": [{"dst": ["{to}"], "body": "[Tocsin] {text}"}],
            "options": {"ref": "{reference}", "dlr": "{callback_url}", "flash": False, "n": 1.5},
        }
    )
    text = 'a "quote", a {to}, a \\ and a\nline \ud800'
    async with http_server(answer(200)) as server:
        await make_gateway(server.url, body=template).send(make_text(text=text, receipt_url=None))
    assert json.loads(body_of(server.requests[0])) == {
        "messages": [{"dst": [PHONE], "body": f"[Tocsin] {text[:-1]}?"}],
        "options": {"ref": "ntf-4711-a", "flash": False, "n": 1.5},
    }


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("{", "not JSON"),
        ('{"to": "{to}", "text": "{text}", "n": NaN}', "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('"{to} {text}"', "object or list"),
        ('{"to": "{to}", "text": "{message}"}', "no {message}"),
        ('{"to": "{to}"}', "{to} and {text}"),
        ('{"text": "{text}"}', "{to} and {text}"),
        ('{"{to}": "{text}"}', "{to} and {text}"),
    ],
)
def test_a_bad_template_is_a_fault_of_the_setup(template: str, why: str) -> None:
    with pytest.raises(SetupError) as caught:
        make_gateway(STATUS_URL, body=template)
    assert why in str(caught.value)
    assert "{reference} and {callback_url}" in str(caught.value)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"url": "ftp://sms.example/"}, "http://"),
        ({"url": "https://u:s3cret@sms.example/"}, "user or password"),
        ({"token": "s3cret\r\nx: y"}, "printable ASCII"),
        ({"token": "s3crét"}, "printable ASCII"),
        ({"status_url": "https://sms.example/status"}, "{id}"),
        ({"status_url": "https://{id}.sms.example/"}, "behind the host"),
        ({"status_url": "{id}"}, "http://"),
    ],
)
def test_a_bad_setting_is_a_fault_of_the_setup(options: dict[str, Any], why: str) -> None:
    with pytest.raises(SetupError, match=why) as caught:
        make_gateway(**{"url": "https://sms.example/", **options})
    assert "s3cr" not in str(caught.value)


@pytest.mark.parametrize(
    ("path", "body", "provider_id"),
    [
        ("id", b'{"id": 4711}', "4711"),
        ("data.0.message_id", b'{"data": [{"message_id": "abc"}]}', "abc"),
        ("data.1.id", b'{"data": [{"id": "abc"}]}', None),
        ("data.id", b'{"data": [{"id": "abc"}]}', None),
        ("0", b'["abc"]', "abc"),
        ("id", b'{"id": null}', None),
        ("id", b'{"id": true}', None),
        ("id", b'{"id": {"x": 1}}', None),
        ("id", b'{"id": ""}', None),
        ("id", json.dumps({"id": "x" * 201}).encode(), None),
    ],
)
async def test_the_id_is_read_where_it_lies(
    path: str, body: bytes, provider_id: str | None
) -> None:
    async with http_server(answer(200, body)) as server:
        outcome = await make_gateway(server.url, id_field=path).send(make_text())
    assert outcome == Sent(provider_id=provider_id)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "0151 123",
        "+49 151 12345678",
        "+49151",
        "+0151123456",
        "+1234567890123456",
        "+49١٢٣٤٥٦٧٨٩",
    ],
)
async def test_what_is_no_phone_number_is_given_up_unsent(address: str) -> None:
    async with http_server(answer(200)) as server:
        outcome = await make_gateway(server.url).send(make_text(address=address))
    assert isinstance(outcome, GaveUp)
    assert "phone number" in outcome.error
    assert server.requests == []


@pytest.mark.parametrize("status", [302, 401, 403, 407])
async def test_what_an_operator_can_mend_is_tried_again(status: int) -> None:
    async with http_server(answer(status, location="/x")) as server:
        outcome = await make_gateway(server.url, token="t").send(make_text())
    assert isinstance(outcome, RetryLater)
    assert f"answered {status}" in outcome.error


async def test_a_yes_that_says_failed_is_no_yes() -> None:
    body = b'{"id": "m-1", "Status": "REJECTED", "error": "no\\ncredit"}'
    async with http_server(answer(200, body)) as server:
        outcome = await make_gateway(server.url).send(make_text())
    assert outcome == GaveUp("The SMS gateway says that it is REJECTED: no credit", is_answer=True)


async def test_the_gateway_is_asked_what_became_of_a_text() -> None:
    replies = (
        answer(200, b'{"status": "Delivered"}'),
        answer(200, b'{"status": "failed", "error": "blocked"}'),
        answer(200, b'{"status": "sent"}'),
        answer(404, b'{"status": "failed"}'),
        answer(200, b"oops"),
    )
    async with http_server(*replies) as server:
        url = f"http://{LOOPBACK}:{server.port}/m/{{id}}/status?key=x"
        sender = make_gateway(server.url, token="tok3n", status_url=url)
        receipts = [await sender.read_receipt("a/b ?1") for _ in replies]
    assert receipts == [
        Receipt(is_delivered=True),
        Receipt(error="The SMS gateway says that it is failed: blocked"),
        Receipt(),
        Receipt(),
        Receipt(),
    ]
    assert server.requests[0].startswith(b"GET /m/a%2Fb%20%3F1/status?key=x HTTP/1.1\r\n")
    assert headers_of(server.requests[0])["authorization"] == "Bearer tok3n"


async def test_a_gateway_that_does_not_answer_has_nothing_to_say() -> None:
    gone = f"http://{LOOPBACK}:{free_port()}/{{id}}"
    assert await make_gateway(STATUS_URL, status_url=gone).read_receipt("m-1") == Receipt()
    assert await make_gateway(STATUS_URL).read_receipt("m-1") == Receipt()
    async with http_server(silence) as server:
        sender = make_gateway(STATUS_URL, status_url=server.url + "/{id}", timeout=QUICK)
        assert await sender.read_receipt("m-1") == Receipt()
