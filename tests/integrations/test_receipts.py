"""What providers call back to say, and how a call that is not theirs is told."""

import base64
import hmac
from typing import Any

import pytest

from app.domain.notification import Receipt
from app.integrations.receipts import (
    read_gateway_receipt,
    read_twilio_receipt,
    twilio_signature_is_good,
)

# The example that Twilio's own documentation and libraries sign.
TOKEN = "12345"
URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
FORM = {
    "CallSid": "CA1234567890ABCDE",
    "Caller": "+14158675309",
    "Digits": "1234",
    "From": "+14158675309",
    "To": "+18005551212",
}
SIGNATURE = "RSOYDt4T1cUTdK1PDd93/VVr8B8="


def test_twilios_own_example_is_good() -> None:
    assert twilio_signature_is_good(TOKEN, URL, FORM, SIGNATURE)
    assert twilio_signature_is_good(TOKEN, URL, dict(reversed(FORM.items())), SIGNATURE)


@pytest.mark.parametrize(
    ("token", "url", "form", "signature"),
    [
        ("12346", URL, FORM, SIGNATURE),
        (TOKEN, URL + "&x=1", FORM, SIGNATURE),
        (TOKEN, URL.replace("https", "http"), FORM, SIGNATURE),
        (TOKEN, URL.replace(".com", ".com:8443"), FORM, SIGNATURE),
        (TOKEN, URL, {**FORM, "Digits": "1235"}, SIGNATURE),
        (TOKEN, URL, {**FORM, "More": "x"}, SIGNATURE),
        (TOKEN, URL, {}, SIGNATURE),
        (TOKEN, URL, FORM, ""),
        (TOKEN, URL, FORM, SIGNATURE.lower()),
        (TOKEN, URL, FORM, "ü" * 28),
        (TOKEN, URL, FORM, "\ud800"),
        (TOKEN, "https://[", {"\ud800": "x"}, SIGNATURE),
    ],
)
def test_any_other_call_is_not(token: str, url: str, form: dict[str, str], signature: str) -> None:
    assert not twilio_signature_is_good(token, url, form, signature)


def test_without_a_token_nobody_is_believed() -> None:
    signed = URL + "".join(key + FORM[key] for key in sorted(FORM))
    forged = base64.b64encode(hmac.digest(b"", signed.encode(), "sha1")).decode()
    assert not twilio_signature_is_good("", URL, FORM, forged)


@pytest.mark.parametrize("url", [URL, URL.replace(".com", ".com:443")])
def test_the_default_port_may_be_signed_or_not(url: str) -> None:
    for signature in (SIGNATURE, "kvajT1Ptam85bY51eRf/AJRuM3w="):
        assert twilio_signature_is_good(TOKEN, url, FORM, signature)


@pytest.mark.parametrize(
    ("form", "provider_id", "receipt"),
    [
        ({"MessageSid": "SM1", "MessageStatus": "delivered"}, "SM1", Receipt(is_delivered=True)),
        ({"SmsSid": "SM1", "SmsStatus": "read"}, "SM1", Receipt(is_delivered=True)),
        ({"MessageSid": "SM1", "MessageStatus": "sent"}, "SM1", Receipt()),
        ({"MessageSid": "SM1", "MessageStatus": "queued"}, "SM1", Receipt()),
        ({"MessageSid": "SM1", "MessageStatus": "canceled"}, "SM1",
         Receipt(error="Twilio says that it is canceled.")),
        ({"MessageSid": "SM1", "MessageStatus": "undelivered", "ErrorCode": "30006"}, "SM1",
         Receipt(error="Twilio could not deliver it: the number is a landline, or its carrier "
                 "takes no messages (30006).")),
        ({"MessageSid": "SM1", "MessageStatus": "failed", "ErrorCode": "63038",
          "ErrorMessage": "Daily\nlimit"}, "SM1",
         Receipt(error="Twilio says that it is failed (error 63038: Daily limit).")),
        ({"MessageSid": "SM1", "MessageStatus": "sent", "ErrorCode": "30003"}, "SM1", Receipt()),
        ({"MessageStatus": "delivered"}, None, Receipt(is_delivered=True)),
        ({"MessageSid": "x" * 201}, None, Receipt()),
        ({}, None, Receipt()),
    ],
)  # fmt: skip
def test_twilios_word_is_read(
    form: dict[str, str], provider_id: str | None, receipt: Receipt
) -> None:
    assert read_twilio_receipt(form) == (provider_id, receipt)


@pytest.mark.parametrize("code", ["30003", "30004", "30005", "30006", "30007", "30008"])
def test_the_commonest_faults_are_told_in_words(code: str) -> None:
    form = {"MessageSid": "SM1", "MessageStatus": "undelivered", "ErrorCode": code}
    error = read_twilio_receipt(form)[1].error
    assert error is not None
    assert error.endswith(f"({code}).")
    assert error.startswith("Twilio could not deliver it: the ")


@pytest.mark.parametrize(
    ("document", "provider_id", "receipt"),
    [
        ({"id": "m-1", "status": "delivered"}, "m-1", Receipt(is_delivered=True)),
        ({"ID": 7, "Status": "DELIVRD"}, "7", Receipt(is_delivered=True)),
        ({"id": "m-1", "status": " Sent "}, "m-1", Receipt()),
        ({"id": "m-1", "status": "buffered"}, "m-1", Receipt()),
        ({"id": "m-1", "status": "FAILED", "error": "no\r\nroute"}, "m-1",
         Receipt(error="The SMS gateway says that it is FAILED: no route")),
        ({"id": "m-1", "status": "EXPIRED", "error": {"x": 1}}, "m-1",
         Receipt(error="The SMS gateway says that it is EXPIRED.")),
        ({"id": "m-1", "status": "rejected", "error": "x" * 999}, "m-1",
         Receipt(error="The SMS gateway says that it is rejected: " + "x" * 200)),
        ({"id": "m-1", "error": "no route"}, "m-1", Receipt()),
        ({"id": True, "status": ["delivered"]}, None, Receipt()),
        ({}, None, Receipt()),
        ([], None, Receipt()),
        ("delivered", None, Receipt()),
        (None, None, Receipt()),
    ],
)  # fmt: skip
def test_a_gateways_word_is_read(document: Any, provider_id: str | None, receipt: Receipt) -> None:
    assert read_gateway_receipt(document) == (provider_id, receipt)
