"""Senders, and messages as the delivery loop would hand them to a channel."""

import base64
import email
import email.policy
import json
import os
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from app.channels.base import GaveUp, Message, Outcome, RetryLater
from app.channels.chat import ChatSender
from app.channels.email import SmtpSender, SmtpServer
from app.channels.push import PushSender
from app.channels.sms_gateway import SmsGatewaySender
from app.channels.targets import parse_networks
from app.channels.tls import client_context
from app.channels.twilio import TwilioSender
from app.channels.webhook import WebhookSender
from tests.channels.servers import LOOPBACK

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8G"
BODY = {"type": "incident.opened", "timestamp": "2026-11-21T03:00:00Z", "data": {"title": "Ü 🔥"}}
TRUST = client_context()  # slow to make
QUICK = timedelta(seconds=0.2)
PATIENCE = timedelta(seconds=30)  # for an answer that comes, however busy the machine is

_MESSAGE = Message(
    mark="ntf-4711-a",
    thread="incident-12",
    address="alice@example.org",
    subject="[critical] Disk full on db-1",
    text="Disk full on db-1\n\nAcknowledge: https://tocsin.example/a/x\n",
)


def make_message(**changes: Any) -> Message:
    """One page about one incident."""
    return replace(_MESSAGE, **changes)


def make_mail_sender(server: SmtpServer | int, **options: Any) -> SmtpSender:
    """A sender to a loopback port, or to a server with more to it."""
    if isinstance(server, int):
        server = SmtpServer(LOOPBACK, server)
    options.setdefault("timeout", PATIENCE)
    options.setdefault("tls", TRUST)
    return SmtpSender(server, "Tocsin <tocsin@pager.example>", **options)


def parsed(content: Any) -> EmailMessage:
    """What arrived, as the library of the receiver would read it."""
    mail = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    return mail


def text_of(mail: EmailMessage, kind: str = "plain") -> str:
    """The body a reader is shown."""
    part = mail.get_body((kind,))
    assert part is not None
    content: str = part.get_content()
    return content.replace("\r\n", "\n")


def make_webhook_sender(**options: Any) -> WebhookSender:
    """A sender that may reach the loopback network."""
    options.setdefault("allowed", parse_networks("127.0.0.0/8"))
    options.setdefault("timeout", PATIENCE)
    options.setdefault("tls", TRUST)
    return WebhookSender(SECRET, "0.1.0", **options)


def make_hook(url: str, **changes: Any) -> Message:
    """One page for a webhook."""
    return make_message(**{"address": url, "data": BODY, **changes})


def headers_of(request: bytes) -> dict[str, str]:
    """The headers of a raw request, by lower-case name."""
    lines = request.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
    return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}


def body_of(request: bytes) -> bytes:
    """What follows the headers."""
    return request.partition(b"\r\n\r\n")[2]


def error_of(outcome: Outcome) -> str:
    """The error of an outcome that has one."""
    assert isinstance(outcome, RetryLater | GaveUp)
    return outcome.error


PHONE = "+4915112345678"
CALLBACK = "https://tocsin.example/v1/receipts/sms?token=x"
ACCOUNT = "AC0123456789abcdef0123456789abcdef"
TWILIO_TOKEN = "tw1l10-s3cret-token"
VAPID = bytes(range(32))


def make_text(**changes: Any) -> Message:
    """One page as a text message."""
    text = "Disk full on db-1 – reply? https://tocsin.example/a/x"
    return make_message(**{"address": PHONE, "text": text, "receipt_url": CALLBACK, **changes})


def make_gateway(url: str, **options: Any) -> SmsGatewaySender:
    """A sender to an SMS gateway at this URL."""
    options.setdefault("timeout", PATIENCE)
    options.setdefault("tls", TRUST)
    return SmsGatewaySender(url, **options)


def make_twilio(url: str, *, sender: str = "+15005550006", **options: Any) -> TwilioSender:
    """A sender to a Twilio at this URL."""
    options.setdefault("timeout", PATIENCE)
    options.setdefault("tls", TRUST)
    return TwilioSender(ACCOUNT, TWILIO_TOKEN, sender, api_url=url, **options)


def make_push_sender(**options: Any) -> PushSender:
    """A sender that may reach the loopback network."""
    options.setdefault("allowed", parse_networks("127.0.0.0/8"))
    options.setdefault("timeout", PATIENCE)
    options.setdefault("tls", TRUST)
    options.setdefault("subject", "mailto:ops@tocsin.example")
    return PushSender(VAPID, **options)


def make_chat_sender(**options: Any) -> ChatSender:
    """A sender that may reach the loopback network."""
    options.setdefault("allowed", parse_networks("127.0.0.0/8"))
    options.setdefault("timeout", PATIENCE)
    return ChatSender(**options)


class Browser:
    """The other end of a push: it holds the keys of one subscription."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._auth = os.urandom(16)

    def push(self, endpoint: str, **changes: Any) -> Message:
        """One page for this browser."""
        point = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        keys = {
            name: base64.urlsafe_b64encode(value).decode().rstrip("=")
            for name, value in (("p256dh", point), ("auth", self._auth))
        }
        return make_message(**{"address": endpoint, "secret": json.dumps(keys), **changes})

    def read(self, request: bytes) -> dict[str, Any]:
        """What a push service was given, opened by another's implementation."""
        opened = http_ece.decrypt(
            body_of(request),
            private_key=self._key,
            auth_secret=self._auth,
            version="aes128gcm",
        )
        shown: dict[str, Any] = json.loads(opened)
        return shown
