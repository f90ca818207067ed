"""Messages as the delivery loop would hand them to a channel."""

from dataclasses import replace
from typing import Any

from app.channels.base import Message

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
