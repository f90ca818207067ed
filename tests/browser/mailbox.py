"""The mails that a service has handed to its mail server."""

import asyncio
import email
import email.policy
import re
from email.message import EmailMessage

from tests.channels import servers

TRIES = 600  # of a twentieth of a second; whoever waits that long waits for nothing


class Mailbox:
    """What a mail server was handed for one address, in the order in which it came."""

    def __init__(self, server: servers.Mailbox, address: str) -> None:
        self._server = server
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
        contents = [
            envelope.content
            for envelope in list(self._server.envelopes)
            if self._address in envelope.rcpt_tos
        ]
        return [
            email.message_from_bytes(content, policy=email.policy.default)
            for content in contents
            if isinstance(content, bytes)
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
