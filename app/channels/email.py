"""Mail over SMTP: one message, one conversation with the server, one outcome.

A page is `Sent` once the server says that it took the whole of it, and at no other time. What
ends before that answer is `RetryLater`, even where the server may have taken it: the resend
bears the same Message-ID. `GaveUp` is for a recipient or a message that the server refuses
for good; what an operator can mend (a password, a certificate, a sender) is tried again.

Credentials cross TLS or the loopback interface, nothing else, and no error text holds them.
"""

import asyncio
import base64
import contextlib
import re
import socket
import ssl
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from ipaddress import IPv6Address, ip_address
from typing import cast
from urllib.parse import parse_qs, quote, unquote, urlsplit

from aiosmtplib import (
    SMTP,
    SMTPDataError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPResponseException,
)

from app.channels.base import GaveUp, Message, Outcome, RetryLater, Sender, Sent
from app.channels.mime import AddressError, Mail, compose, parse_author
from app.channels.plain import one_line
from app.channels.tls import client_context
from app.core.errors import SetupError
from app.domain.demo import is_made_up
from app.domain.notification import Channel

_PATIENCE_FOR_QUIT = 1.0
_FOR_GOOD = range(500, 600)
_GOING_AWAY = 421  # RFC 5321 §3.8, whatever command it answers
_LOGIN_CODES = {530, 534, 535, 538}  # RFC 4954 §6, whatever command they answer
_HANDING_OVER = "handing over the message"


class StartTls(StrEnum):
    AUTO = "auto"  # when the server offers it
    REQUIRED = "required"  # or nothing is sent
    OFF = "off"


@dataclass(frozen=True)
class SmtpServer:
    """Where mail goes out and how we get in."""

    host: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    is_tls: bool = False  # from the first byte (smtps://)
    starttls: StartTls = StartTls.AUTO


def parse_smtp_url(url: str) -> SmtpServer:
    """`smtp://user:pass@host:port?starttls=required` as a server; no error quotes the URL.

    Without a port: 465 for smtps, 587 for smtp with a login, 25 for smtp without.
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port
        options = parse_qs(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
        host = parts.hostname or ""
        host.encode("idna")
    except ValueError:  # its text may quote the password
        raise _bad_url("it cannot be read") from None
    if parts.scheme not in ("smtp", "smtps"):
        raise _bad_url("it must begin with smtp:// or smtps://")
    if not host or re.search(r"[\s%\x00-\x1f]", host) or port == 0:
        raise _bad_url("it names no valid host and port")
    if parts.path not in ("", "/") or parts.fragment or options.keys() - {"starttls"}:
        raise _bad_url("only ?starttls= may follow the host and port")
    try:
        starttls = StartTls(options.get("starttls", ["auto"])[-1])
    except ValueError:
        raise _bad_url("starttls must be auto, required or off") from None
    is_tls = parts.scheme == "smtps"
    if is_tls and starttls is StartTls.REQUIRED:
        raise _bad_url("smtps:// is encrypted from the start, so starttls belongs to smtp://")
    username = None if parts.username is None else unquote(parts.username)
    password = None if parts.password is None else unquote(parts.password)
    if (username is None) != (password is None) or username == "":
        raise _bad_url("a user and a password come together or not at all")
    if re.search(r"[\x00-\x1f\x7f]", (username or "") + (password or "")):
        raise _bad_url("the user or password holds control characters")
    if port is None:
        port = 465 if is_tls else 25 if username is None else 587
    return SmtpServer(host, port, username, password, is_tls, starttls)


def _bad_url(why: str) -> SetupError:
    return SetupError(
        f"TOCSIN_SMTP_URL is no mail server: {why}; write smtp://user:password@host:port "
        "and percent-encode special characters in the user and password."
    )


class SmtpSender:
    """Hands mail to one server, each message over a connection of its own."""

    channel: Channel = Channel.EMAIL
    has_many_providers = False

    def __init__(
        self,
        server: SmtpServer,
        mail_from: str,
        *,
        timeout: timedelta = timedelta(seconds=20),
        concurrency: int = 8,
        tls: ssl.SSLContext | None = None,
        aside: Sender | None = None,
    ) -> None:
        self.timeout = timeout
        self.concurrency = concurrency
        self._server = server
        self._author = parse_author(mail_from)
        self._tls = tls or client_context()
        self._secrets = _spellings(server)
        self._aside = aside  # takes mail to people who are made up

    async def send(self, message: Message) -> Outcome:
        """Hand one message to the server, or say why that did not work."""
        if self._aside is not None and is_made_up(message.address):
            return await self._aside.send(message)
        try:
            mail = compose(message, self._author)
        except AddressError as exc:
            return GaveUp(str(exc))
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.timeout.total_seconds()
        conversation = _Conversation(self._server, self._tls)
        try:
            async with asyncio.timeout_at(deadline):
                await conversation.open()
                reply = await conversation.hand_over(mail)
            await conversation.leave(min(deadline, loop.time() + _PATIENCE_FOR_QUIT))
        except _StoppedError as stop:
            return self._without_secrets(stop.outcome)
        except (SMTPException, OSError, ValueError) as exc:
            return self._without_secrets(self._outcome_of(exc, conversation.doing))
        finally:
            conversation.abort()
        return Sent(provider_id=one_line(reply, 100) or None)

    def provider_of(self, message: Message) -> str:
        """The mail server, whoever the message is for."""
        return f"{self._server.host}:{self._server.port}"

    def state(self) -> str:
        """`ready`: each message finds out anew whether the server is there."""
        return "ready"

    async def close(self) -> None:
        """Nothing is held between messages."""

    def _outcome_of(self, exc: Exception, doing: str) -> RetryLater | GaveUp:
        where = _name(self._server)
        doubt = "; it may have arrived" if doing == _HANDING_OVER else ""
        match _root(exc):
            case ssl.SSLCertVerificationError() as fault:
                return RetryLater(
                    f"{where} shows a certificate that does not check out "
                    f"({fault.verify_message}): name the server as its certificate does, trust "
                    "its issuer, or set ?starttls=off on a network you trust."
                )
            case SMTPResponseException(code=code, message=text) if code in _LOGIN_CODES:
                return RetryLater(
                    f"{where} wants another login: check the user and password in "
                    f"TOCSIN_SMTP_URL ({code} {text})"
                )
            case SMTPRecipientRefused(code=code, message=text) if code in _FOR_GOOD:
                said = f"{where} refused the recipient: {code} {text}"
                return GaveUp(said, is_answer=True, refuses_recipient=True)
            case SMTPDataError(code=code, message=text) if code in _FOR_GOOD:
                return GaveUp(f"{where} refused the message: {code} {text}", is_answer=True)
            case SMTPRecipientRefused(code=code, message=text) if code != _GOING_AWAY:
                said = f"{where} puts the recipient off: {code} {text}"
                return RetryLater(said, is_about_message=True)  # greylisted, or a full mailbox
            case SMTPResponseException(code=code, message=text):
                return RetryLater(f"{where} answered {code} {text} while {doing}.")
            case TimeoutError():
                seconds = self.timeout.total_seconds()
                return RetryLater(f"{where} took over {seconds:g} s, still {doing}{doubt}.")
            case fault:
                return RetryLater(f"{where} failed us while {doing}{doubt}: {fault}")

    def _without_secrets(self, outcome: RetryLater | GaveUp) -> RetryLater | GaveUp:
        text = outcome.error
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return replace(outcome, error=one_line(text))


class _StoppedError(Exception):
    """We do not go on, for a reason of our own."""

    def __init__(self, outcome: RetryLater | GaveUp) -> None:
        super().__init__(outcome.error)
        self.outcome = outcome


class _Conversation:
    """One connection to the server; `doing` says how far it came."""

    def __init__(self, server: SmtpServer, tls: ssl.SSLContext) -> None:
        self.doing = "connecting"
        self._server = server
        self._client = SMTP(
            hostname=server.host,
            port=server.port,
            use_tls=server.is_tls,
            start_tls=False,  # `_encrypt` decides
            tls_context=tls,
            timeout=None,  # one deadline for all of it, not one for each command
            local_hostname="localhost",  # else a DNS query that can stall; see `_own_name`
        )

    async def open(self) -> None:
        """Connect, encrypt and log in, as the server's settings say."""
        client = self._client
        await client.connect()
        self.doing = "greeting"
        client.local_hostname = _own_name(client.get_transport_info("sockname")[0])
        await client.ehlo()
        if not self._server.is_tls:
            await self._encrypt()
        if self._server.username is not None:
            await self._log_in(self._server.username, self._server.password or "")

    async def hand_over(self, mail: Mail) -> str:
        """What the server said when it took the message."""
        client = self._client
        if mail.needs_utf8 and not client.supports_extension("smtputf8"):
            raise _StoppedError(
                GaveUp(
                    f"{_name(self._server)} offers no SMTPUTF8, which an address outside ASCII "
                    "needs; if only the part after the @ is, write that as xn--…."
                )
            )
        options, encoding = (["SMTPUTF8"], "utf-8") if mail.needs_utf8 else ([], "ascii")
        self.doing = "naming the sender"
        await client.mail(mail.sender, options=options, encoding=encoding)
        self.doing = "naming the recipient"
        await client.rcpt(mail.recipient, encoding=encoding)
        self.doing = _HANDING_OVER
        return (await client.data(mail.content)).message

    async def leave(self, deadline: float) -> None:
        """Say goodbye; the message is taken, so whatever goes wrong now does not matter."""
        with contextlib.suppress(SMTPException, OSError):
            async with asyncio.timeout_at(deadline):
                await self._client.quit()

    def abort(self) -> None:
        """Drop the connection at once; a close would wait for a stalled server to read."""
        if self._client.transport is not None:
            # A TLS transport that has closed already raises here before Python 3.11.3; raised
            # after the server took the message, that would send it a second time.
            with contextlib.suppress(AttributeError):
                cast(asyncio.WriteTransport, self._client.transport).abort()
        self._client.close()

    async def _encrypt(self) -> None:
        if self._server.starttls is StartTls.OFF:
            return
        if self._client.supports_extension("starttls"):
            self.doing = "starting TLS"
            await self._client.starttls()
            await self._client.ehlo()
        elif self._server.starttls is StartTls.REQUIRED:
            raise _StoppedError(
                RetryLater(
                    f"{_name(self._server)} offers no STARTTLS, which ?starttls=required demands."
                )
            )

    async def _log_in(self, username: str, password: str) -> None:
        client = self._client
        if client.get_transport_info("sslcontext") is None:
            peer = ip_address(client.get_transport_info("peername")[0].partition("%")[0])
            if not peer.is_loopback:
                raise _StoppedError(
                    RetryLater(
                        f"The connection to {_name(self._server)} is not encrypted, so the "
                        "password was not sent: use smtps:// or a server with STARTTLS."
                    )
                )
        self.doing = "logging in"
        await client.login(username, password)


def _root(exc: Exception) -> BaseException:
    # aiosmtplib wraps what goes wrong in TLS only when TLS comes first
    return exc.__cause__ if isinstance(exc.__cause__, ssl.SSLError) else exc


def _name(server: SmtpServer) -> str:
    return f"The mail server {server.host}:{server.port}"


def _own_name(address: str) -> str:
    """What we call ourselves: the full name of this machine, else an address (RFC 5321 §4.1.4)."""
    name = socket.gethostname()
    if "." in name and re.fullmatch(r"[A-Za-z0-9.-]+", name):
        return name
    ip = ip_address(address.partition("%")[0])
    return f"[IPv6:{ip}]" if isinstance(ip, IPv6Address) else f"[{ip}]"


def _spellings(server: SmtpServer) -> list[str]:
    """The password in each form that a server's answer might quote, longest first."""
    if not server.password:
        return []
    username, password = (server.username or "").encode(), server.password.encode()
    raw = (password, b"\0" + username + b"\0" + password)
    spelled = {base64.b64encode(form).decode() for form in raw}
    return sorted(
        {*spelled, server.password, quote(server.password, safe="")}, key=len, reverse=True
    )
