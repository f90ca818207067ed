"""Mail to people of the demo never comes to a mail server, whatever is configured."""

from pathlib import Path

import pytest

from app.channels.base import Sent
from app.channels.outbox import OutboxSender
from app.domain.demo import is_made_up
from tests.channels.factories import make_mail_sender, make_message
from tests.channels.servers import mail_server


@pytest.mark.parametrize(
    ("address", "made_up"),
    [
        ("mara@demo.example.org", True),
        ("Mara@DEMO.Example.ORG", True),
        ("mara@example.org", False),
        ("mara@notdemo.example.org", False),
        ("demo.example.org@example.com", False),
    ],
)
async def test_who_is_made_up_is_kept_here(tmp_path: Path, address: str, made_up: bool) -> None:
    assert is_made_up(address) is made_up
    with mail_server() as mailbox:
        outbox = OutboxSender(tmp_path / "outbox", "Tocsin <tocsin@example.org>")
        sender = make_mail_sender(mailbox.port, aside=outbox)
        outcome = await sender.send(make_message(address=address))
    assert isinstance(outcome, Sent)
    assert (outcome.kept_at is not None) is made_up
    assert len(mailbox.envelopes) == (0 if made_up else 1)
