"""Senders, and messages as the delivery loop would hand them to a channel."""

import email
import email.policy
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

from app.channels.base import GaveUp, Message, Outcome, RetryLater
from app.channels.email import SmtpSender, SmtpServer
from app.channels.targets import parse_networks
from app.channels.tls import client_context
from app.channels.webhook import WebhookSender
from tests.channels.servers import LOOPBACK

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8G"
BODY = {"type": "incident.opened", "timestamp": "2026-11-21T03:00:00Z", "data": {"title": "Ü 🔥"}}
TRUST = client_context()  # slow to make
QUICK = timedelta(seconds=0.2)

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
    options.setdefault("timeout", timedelta(seconds=3))
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
    options.setdefault("timeout", timedelta(seconds=3))
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
