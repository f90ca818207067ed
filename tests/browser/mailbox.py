"""The mails of a service that has no mail server: the files in its outbox."""

import asyncio
import email
import email.policy
import re
from email.message import EmailMessage
from pathlib import Path

TRIES = 600  # of a twentieth of a second; whoever waits that long waits for nothing


class Mailbox:
    """What was sent to one address, in no order."""

    def __init__(self, folder: Path, address: str) -> None:
        self._folder = folder
        self._address = address

    async def mail(self, saying: str) -> EmailMessage:
        """The first mail whose subject or text has these words, once it is there."""
        for _ in range(TRIES):
            for found in self._mails():
                if saying in str(found["Subject"]) or saying in text_of(found):
                    return found
            await asyncio.sleep(0.05)
        raise AssertionError(
            f"No mail says “{saying}”: {[str(one['Subject']) for one in self._mails()]}"
        )

    def _mails(self) -> list[EmailMessage]:
        read = [
            email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            for path in sorted(self._folder.glob("*.eml"))
        ]
        return [
            one for one in read if isinstance(one, EmailMessage) and self._address in str(one["To"])
        ]


def text_of(mail: EmailMessage) -> str:
    """What it says in plain text."""
    body = mail.get_body(("plain",))
    return str(body.get_content()) if body is not None else ""


def link_in(mail: EmailMessage, path: str) -> str:
    """The first link in a mail whose path begins so."""
    found = re.search(rf"https?://[^/\s]+({re.escape(path)}\S*)", text_of(mail))
    assert found is not None, text_of(mail)
    return found[1]
