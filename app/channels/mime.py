"""A page as mail: the same bytes whether a server takes them or the outbox keeps them.

Nothing a message carries can add a header: controls are folded out of the subject, marks are
tokens, addresses are checked. The body is ASCII on the wire (quoted-printable or base64), so
every server can take it; only an address outside ASCII asks the server for more.
"""

import email.policy
import re
from dataclasses import dataclass
from email.headerregistry import Address, HeaderRegistry, MessageIDHeader
from email.message import EmailMessage
from email.utils import localtime, parseaddr
from typing import Any

from app.channels.base import Message
from app.channels.plain import one_line, stable_token
from app.core.errors import SetupError

_ATOM = r"[^\s<>()\[\]:;@\\,\"\x00-\x1f\x7f-\x9f\ud800-\udfff]+"
_ADDRESS = re.compile(rf"({_ATOM})@({_ATOM})")
_BREAKS = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_MAX_SUBJECT = 500


class _Verbatim:
    """A header that is one token, however long: folded, mail programs would not know the URL."""

    max_count = 1

    @classmethod
    def parse(cls, value: str, kwds: dict[str, Any]) -> None:
        kwds["decoded"] = value
        kwds["parse_tree"] = None
        kwds["defects"] = []

    def fold(self, *, policy: email.policy.Policy) -> str:
        return f"List-Unsubscribe: {self}{policy.linesep}"


def _header_registry() -> HeaderRegistry:
    # The standard library takes these for prose and, where one is longer than a line,
    # writes it as an encoded word, which breaks threading.
    registry = HeaderRegistry()
    for name in ("in-reply-to", "references", "x-tocsin-notification"):
        registry.map_to_type(name, MessageIDHeader)  # type: ignore[arg-type]  # it wants a mixin
    registry.map_to_type("list-unsubscribe", _Verbatim)  # type: ignore[arg-type]  # likewise
    return registry


_ASCII = email.policy.SMTP.clone(cte_type="7bit", header_factory=_header_registry())
_UTF8 = _ASCII.clone(utf8=True)


class AddressError(ValueError):
    """This is no address mail can be sent to."""


@dataclass(frozen=True)
class Author:
    """Who our mail is from, and the ASCII domain our message ids live in."""

    name: str
    address: str
    domain: str


@dataclass(frozen=True)
class Mail:
    """One message as it goes over the wire, with its envelope."""

    sender: str
    recipient: str
    content: bytes
    needs_utf8: bool  # an address is not ASCII: the server must offer SMTPUTF8


def parse_author(mail_from: str) -> Author:
    """`Tocsin <tocsin@example.org>`, or the bare address, as the author of all our mail."""
    name, address = parseaddr(mail_from)
    match = _ADDRESS.fullmatch(address)
    if match is None or _BREAKS.sub(" ", mail_from) != mail_from:
        raise SetupError(
            f"TOCSIN_MAIL_FROM is no mail address: {one_line(mail_from, 100)!r}; "
            "write it like Tocsin <tocsin@example.org>."
        )
    try:
        domain = match[2].encode("idna").decode("ascii")
    except UnicodeError:
        raise SetupError(
            f"TOCSIN_MAIL_FROM names no valid domain: {one_line(match[2], 100)!r}."
        ) from None
    return Author(name, address, domain)


def compose(message: Message, author: Author) -> Mail:
    """The message as mail, or `AddressError` when its address can never be one."""
    recipient = message.address.strip()
    if _ADDRESS.fullmatch(recipient) is None:
        raise AddressError(f"This is no mail address: {one_line(recipient, 100)!r}.")
    needs_utf8 = not (author.address + recipient).isascii()
    mark, thread = stable_token(message.mark), stable_token(message.thread)

    mail = EmailMessage(policy=_UTF8 if needs_utf8 else _ASCII)
    mail["From"] = _mailbox(author.address, author.name)
    mail["To"] = _mailbox(recipient)
    mail["Subject"] = _BREAKS.sub(" ", message.subject).strip()[:_MAX_SUBJECT]
    mail["Date"] = localtime()
    mail["Message-ID"] = f"<{mark}@{author.domain}>"
    mail["In-Reply-To"] = mail["References"] = f"<{thread}@{author.domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Tocsin-Notification"] = mark
    if message.unsubscribe_url is not None and not _BREAKS.search(message.unsubscribe_url):
        mail["List-Unsubscribe"] = f"<{message.unsubscribe_url}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content(_CONTROLS.sub("", message.text))
    if message.html is not None:
        mail.add_alternative(_CONTROLS.sub("", message.html), subtype="html")
    return Mail(author.address, recipient, mail.as_bytes(), needs_utf8)


def _mailbox(address: str, name: str = "") -> Address:
    username, _, domain = address.rpartition("@")
    return Address(display_name=name, username=username, domain=domain)
