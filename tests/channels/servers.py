"""Real servers on the loopback interface, honest and otherwise, that keep what they were sent."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

LOOPBACK = "127.0.0.1"
HANG_UP = "hang up"


def free_port() -> int:
    """A port nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def make_certificate(folder: Path, *names: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context with a self-signed certificate, and a client's that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tocsin test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([_alternative(n) for n in names]), False)
        .sign(key, hashes.SHA256())
    )
    pem, private = folder / "server.pem", folder / "server.key"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem, private)
    return server, ssl.create_default_context(cafile=str(pem))


def _alternative(name: str) -> x509.GeneralName:
    with contextlib.suppress(ValueError):
        return x509.IPAddress(ip_address(name))
    return x509.DNSName(name)


@dataclass
class Mailbox:
    """An aiosmtpd handler that keeps envelopes, and refuses the recipients it is told to."""

    refusals: Mapping[str, str] = field(default_factory=dict)
    envelopes: list[Envelope] = field(default_factory=list)
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)
    over_tls: list[bool] = field(default_factory=list)
    port: int = 0

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Any, envelope: Envelope, address: str, _options: Any
    ) -> str:
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Envelope) -> str:  # noqa: N802
        self.envelopes.append(envelope)
        self.over_tls.append(session.ssl is not None)
        return "250 2.0.0 Ok: queued as 4F2A1"

    def authenticate(self, *args: Any) -> AuthResult:
        login = args[-1]
        assert isinstance(login, LoginPassword)
        self.logins.append((login.login, login.password))
        return AuthResult(success=login.password == b"right:p@ss", handled=False)


class _ThoroughController(Controller):
    """aiosmtpd's controller stops its loop on connections that are still closing."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self.connections: list[asyncio.BaseTransport] = []
        super().__init__(*args, **options)

    def factory(self) -> SMTP:
        connections = self.connections

        class Tracked(SMTP):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                connections.append(transport)
                super().connection_made(transport)

        return Tracked(self.handler, **self.SMTP_kwargs)

    def stop(self, no_assert: bool = False) -> None:
        async def hang_up() -> None:
            for transport in self.connections:
                assert isinstance(transport, asyncio.Transport)
                with contextlib.suppress(AttributeError):  # closed already, before Python 3.11.3
                    transport.abort()
            for _ in range(3):
                await asyncio.sleep(0)

        asyncio.run_coroutine_threadsafe(hang_up(), self.loop).result()
        super().stop(no_assert)


@contextlib.contextmanager
def mail_server(mailbox: Mailbox | None = None, **options: Any) -> Iterator[Mailbox]:
    """An aiosmtpd server in a thread of its own."""
    mailbox = mailbox or Mailbox()
    mailbox.port = free_port()
    controller = _ThoroughController(
        mailbox, hostname=LOOPBACK, port=mailbox.port, server_hostname="mx.test", **options
    )
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()


@contextlib.asynccontextmanager
async def listening(
    converse: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    *,
    host: str = LOOPBACK,
    port: int = 0,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[int]:
    """A port whose connections are conversed with, and cut when the test is over."""
    tasks: set[asyncio.Task[None]] = set()

    async def converse_and_close(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            # Cancelled only by us, below; asyncio's streams would log it as an error.
            faults = (OSError, asyncio.IncompleteReadError, asyncio.CancelledError)
            with contextlib.suppress(*faults):
                await converse(reader, writer)
        finally:
            with contextlib.suppress(OSError):
                writer.close()
                await writer.wait_closed()

    server = await asyncio.start_server(converse_and_close, host, port, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@dataclass
class Scripted:
    port: int
    lines: list[str] = field(default_factory=list)  # what the client said, without the mail
    mails: list[bytes] = field(default_factory=list)
    connections: int = 0


SCRIPT = {
    "GREETING": "220 mx.test",
    "EHLO": "250 mx.test",
    "MAIL": "250 OK",
    "RCPT": "250 OK",
    "DATA": "354 Go on",
    "MAIL TAKEN": "250 queued",
    "QUIT": "221 Bye",
}


@contextlib.asynccontextmanager
async def scripted_smtp(**replies: str | None) -> AsyncIterator[Scripted]:
    """A server that follows `SCRIPT` but for `replies`: None is silence, HANG_UP closes."""
    script: dict[str, str | None] = {
        **SCRIPT,
        **{k.replace("_", " "): v for k, v in replies.items()},
    }
    record = Scripted(0)

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        record.connections += 1

        def say(step: str) -> bool:
            reply = script.get(step, "502 what?")
            if reply == HANG_UP:
                return False
            if reply is not None:
                writer.write(reply.encode() + b"\r\n")
            return True

        going_on = say("GREETING")
        while going_on and (line := (await reader.readline()).decode()):
            record.lines.append(line.rstrip("\r\n"))
            verb = line.split()[0].upper() if line.strip() else ""
            going_on = say(verb)
            if verb == "DATA" and (script["DATA"] or "").startswith("354"):
                record.mails.append(await reader.readuntil(b"\r\n.\r\n"))
                going_on = say("MAIL TAKEN")
            going_on = going_on and verb != "QUIT"

    async with listening(converse) as port:
        record.port = port
        yield record


Reply = bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class HttpRecord:
    port: int
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    hung_up: int = 0  # by the client, between two requests
    server_names: list[str | None] = field(default_factory=list)  # the SNI of each connection

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}/hook"


def answer(status: int, body: bytes = b"", **headers: str) -> bytes:
    """One HTTP/1.1 response."""
    fields = {"content_length": str(len(body)), **headers}
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} Whatever\r\n{head}\r\n".encode() + body


@contextlib.asynccontextmanager
async def http_server(
    *replies: Reply, tls: ssl.SSLContext | None = None, is_patient: bool = False
) -> AsyncIterator[HttpRecord]:
    """Gives each request the next reply, the last one over and over, and keeps its raw bytes.

    It hangs up after an answer, without having said so, unless it is patient.
    """
    record = HttpRecord(0)
    if tls is not None:
        tls.sni_callback = lambda _, name, __: record.server_names.append(name)

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        record.connections += 1
        await respond(reader, writer)
        while is_patient:
            try:
                await respond(reader, writer)
            except asyncio.IncompleteReadError:
                record.hung_up += 1
                return

    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        lengths = [
            int(line.partition(b":")[2])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        ]
        length = sum(lengths[:1])  # a GET has none
        record.requests.append(head + await reader.readexactly(length))
        reply = replies[min(len(record.requests), len(replies)) - 1]
        if isinstance(reply, bytes):
            writer.write(reply)
            await writer.drain()
        else:
            await reply(writer)

    async with listening(converse, tls=tls) as port:
        record.port = port
        yield record


async def silence(_: asyncio.StreamWriter) -> None:
    """A reply that never comes."""
    await asyncio.sleep(60)


async def endless(writer: asyncio.StreamWriter, status: int = 500) -> None:
    """A reply whose body goes on until the client hangs up, or 100 MB are written."""
    writer.write(answer(status, content_length="1000000000"))
    for _ in range(1600):
        writer.write(b"x" * 65536)
        await writer.drain()


@contextlib.asynccontextmanager
async def black_hole(
    first: bytes = b"", *, host: str = LOOPBACK, port: int = 0
) -> AsyncIterator[tuple[int, asyncio.Event]]:
    """Says `first`, then listens to the end; the event tells that the client hung up."""
    hung_up = asyncio.Event()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        try:
            while await reader.read(65536):
                pass
        finally:
            hung_up.set()

    async with listening(converse, host=host, port=port) as port:
        yield port, hung_up
