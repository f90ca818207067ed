"""Mail as a server sees it: what arrives, and what becomes of a page that does not."""

import asyncio
import base64
import email
import email.policy
import time
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import aiosmtplib
import pytest

from app.channels.base import GaveUp, Outcome, RetryLater, Sent
from app.channels.email import SmtpSender, SmtpServer, StartTls
from app.channels.tls import client_context
from app.core.errors import SetupError
from tests.channels.factories import make_message
from tests.channels.servers import (
    HANG_UP,
    LOOPBACK,
    Mailbox,
    Scripted,
    black_hole,
    free_port,
    listening,
    mail_server,
    make_certificate,
    scripted_smtp,
)

PASSWORD = "right:p@ss"
TRUST = client_context()  # slow to make


def make_sender(server: SmtpServer | int, **options: Any) -> SmtpSender:
    if isinstance(server, int):
        server = SmtpServer(LOOPBACK, server)
    options.setdefault("timeout", timedelta(seconds=3))
    options.setdefault("tls", TRUST)
    return SmtpSender(server, "Tocsin <tocsin@pager.example>", **options)


def with_login(port: int, password: str = PASSWORD, **changes: Any) -> SmtpServer:
    return SmtpServer(LOOPBACK, port, "alice", password, **changes)


def parsed(content: Any) -> EmailMessage:
    mail = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    return mail


def text_of(mail: EmailMessage, kind: str = "plain") -> str:
    part = mail.get_body((kind,))
    assert part is not None
    content: str = part.get_content()
    return content.replace("\r\n", "\n")


def error_of(outcome: Outcome) -> str:
    assert isinstance(outcome, RetryLater | GaveUp)
    return outcome.error


async def test_a_page_arrives_whole_with_its_thread() -> None:
    with mail_server() as mailbox:
        outcome = await make_sender(mailbox.port).send(make_message())

    assert outcome == Sent(provider_id="2.0.0 Ok: queued as 4F2A1")
    [envelope] = mailbox.envelopes
    assert (envelope.mail_from, envelope.rcpt_tos) == (
        "tocsin@pager.example",
        ["alice@example.org"],
    )
    mail = parsed(envelope.content)
    assert mail["From"] == "Tocsin <tocsin@pager.example>"
    assert mail["To"] == "alice@example.org"
    assert mail["Subject"] == "[critical] Disk full on db-1"
    assert mail["Message-ID"] == "<ntf-4711-a@pager.example>"
    assert mail["In-Reply-To"] == mail["References"] == "<incident-12@pager.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Tocsin-Notification"] == "ntf-4711-a"
    assert abs(mail["Date"].datetime.timestamp() - time.time()) < 60
    assert mail.get_content_type() == "text/plain"
    assert text_of(mail) == make_message().text


async def test_unicode_and_html_survive() -> None:
    message = make_message(
        subject="Größe überschritten 🔥 " + "weit und breit " * 10,
        text="Ünï 🔥\n.leading dot\n" + "long " * 300 + "\n",
        html="<p>Ünï <b>🔥</b></p>\n",
    )
    with mail_server() as mailbox:
        assert isinstance(await make_sender(mailbox.port).send(message), Sent)

    content = mailbox.envelopes[0].content
    assert isinstance(content, bytes)
    assert content.isascii()
    assert max(len(line) for line in content.splitlines()) <= 78
    mail = parsed(content)
    assert mail["Subject"] == message.subject.strip()
    assert mail.get_content_type() == "multipart/alternative"
    assert text_of(mail) == message.text
    assert text_of(mail, "html") == message.html


async def test_nothing_in_a_message_adds_a_header_or_a_recipient() -> None:
    evil = "x\r\nBcc: eve@evil.example\r\n\r\nbody"
    with mail_server() as mailbox:
        sender = make_sender(mailbox.port)
        sent = await sender.send(make_message(subject=evil, mark=evil, thread=evil, text=evil))
        for address in (
            evil,
            "a@b.example\r\nRCPT TO:<eve@evil.example>",
            "a@b>, <c@d",
            "a b@c",
            "",
        ):
            outcome = await sender.send(make_message(address=address))
            assert "no mail address" in error_of(outcome)
            assert isinstance(outcome, GaveUp)

    assert isinstance(sent, Sent)
    [envelope] = mailbox.envelopes
    mail = parsed(envelope.content)
    assert envelope.rcpt_tos == ["alice@example.org"]
    assert mail["Bcc"] is None
    assert mail["Subject"] == "x Bcc: eve@evil.example body"


async def test_control_characters_and_broken_unicode_never_cost_a_page() -> None:
    message = make_message(subject="a\x00\ud800b\u2028c", text="a\x00\ud800b\x1b[31m\n")
    with mail_server() as mailbox:
        assert isinstance(await make_sender(mailbox.port).send(message), Sent)
    mail = parsed(mailbox.envelopes[0].content)
    assert (mail["Subject"], text_of(mail)) == ("a b c", "ab[31m\n")


@pytest.mark.parametrize("length", [40, 64, 100, 300])
async def test_long_marks_stay_readable_ids(length: int) -> None:
    with mail_server() as mailbox:
        sender = make_sender(mailbox.port)
        await sender.send(make_message(mark="m" * length, thread="t" * length))
        await sender.send(make_message(mark="n" * length, thread="t" * length))
    first, second = (envelope.content for envelope in mailbox.envelopes)
    assert isinstance(first, bytes)
    assert b"=?" not in first
    assert parsed(first)["Message-ID"] != parsed(second)["Message-ID"]
    assert parsed(first)["References"] == parsed(second)["References"]
    if length <= 100:
        assert parsed(first)["X-Tocsin-Notification"].strip() == "m" * length
        assert parsed(first)["References"].strip() == f"<{'t' * length}@pager.example>"


async def test_an_address_outside_ascii_goes_to_a_server_that_can() -> None:
    message = make_message(address="jörg@exämple.org")
    with mail_server(enable_SMTPUTF8=True) as mailbox:
        assert isinstance(await make_sender(mailbox.port).send(message), Sent)
    assert mailbox.envelopes[0].rcpt_tos == ["jörg@exämple.org"]
    assert parsed(mailbox.envelopes[0].content)["To"] == "jörg@exämple.org"

    async with scripted_smtp() as server:
        outcome = await make_sender(server.port).send(message)
    assert isinstance(outcome, GaveUp)
    assert "SMTPUTF8" in outcome.error


async def test_starttls_and_login(tmp_path: Path) -> None:
    server_tls, client_tls = make_certificate(tmp_path, LOOPBACK)
    mailbox = Mailbox()
    with mail_server(
        mailbox,
        tls_context=server_tls,
        require_starttls=True,
        authenticator=mailbox.authenticate,
        auth_required=True,
    ):
        for starttls in (StartTls.AUTO, StartTls.REQUIRED):
            server = with_login(mailbox.port, starttls=starttls)
            assert isinstance(await make_sender(server, tls=client_tls).send(make_message()), Sent)
        wrong = await make_sender(with_login(mailbox.port, "s3cret wrong"), tls=client_tls).send(
            make_message()
        )

    assert mailbox.over_tls == [True, True]
    assert mailbox.logins[:2] == [(b"alice", PASSWORD.encode())] * 2
    assert isinstance(wrong, RetryLater)
    assert "check the user and password in TOCSIN_SMTP_URL" in wrong.error
    assert "s3cret" not in wrong.error


async def test_smtps_is_encrypted_from_the_start(tmp_path: Path) -> None:
    server_tls, client_tls = make_certificate(tmp_path, LOOPBACK)
    mailbox = Mailbox()
    with mail_server(
        mailbox, ssl_context=server_tls, authenticator=mailbox.authenticate, auth_require_tls=False
    ):
        sender = make_sender(with_login(mailbox.port, is_tls=True), tls=client_tls)
        assert isinstance(await sender.send(make_message()), Sent)
    assert mailbox.logins == [(b"alice", PASSWORD.encode())]


@pytest.mark.parametrize("is_tls", [True, False])
@pytest.mark.parametrize("names", [(LOOPBACK,), ("mail.example",)])
async def test_a_bad_certificate_stops_everything_but_not_for_good(
    tmp_path: Path, is_tls: bool, names: tuple[str, ...]
) -> None:
    server_tls, client_tls = make_certificate(tmp_path, *names)
    tls = client_tls if names == ("mail.example",) else None  # a wrong name, or an unknown issuer
    mailbox = Mailbox()
    way = {"ssl_context": server_tls} if is_tls else {"tls_context": server_tls}
    with mail_server(mailbox, authenticator=mailbox.authenticate, auth_require_tls=False, **way):
        server = with_login(mailbox.port, is_tls=is_tls)
        outcome = await make_sender(server, tls=tls).send(make_message())
    assert isinstance(outcome, RetryLater)
    assert "certificate that does not check out" in outcome.error
    assert (mailbox.logins, mailbox.envelopes) == ([], [])


async def test_starttls_required_or_nothing() -> None:
    async with scripted_smtp() as server:
        required = SmtpServer(LOOPBACK, server.port, starttls=StartTls.REQUIRED)
        outcome = await make_sender(required).send(make_message())
    assert isinstance(outcome, RetryLater)
    assert "STARTTLS" in outcome.error
    assert [line.split()[0] for line in server.lines] == ["EHLO"]


async def test_starttls_off_does_not_even_try() -> None:
    async with scripted_smtp(EHLO="250-mx.test\r\n250 STARTTLS") as server:
        off = SmtpServer(LOOPBACK, server.port, starttls=StartTls.OFF)
        assert isinstance(await make_sender(off).send(make_message()), Sent)
    assert "STARTTLS" not in server.lines


async def test_an_offered_starttls_that_fails_never_falls_back_to_plain() -> None:
    async with scripted_smtp(EHLO="250-mx.test\r\n250 STARTTLS", STARTTLS="454 not now") as server:
        outcome = await make_sender(server.port).send(make_message())
    assert isinstance(outcome, RetryLater)
    assert server.mails == []


async def test_a_password_crosses_a_plain_connection_only_on_loopback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ehlo = "250-mx.test\r\n250 AUTH PLAIN"
    async with scripted_smtp(EHLO=ehlo, AUTH="235 welcome") as server:
        assert isinstance(await make_sender(with_login(server.port)).send(make_message()), Sent)
        spoken = len(server.lines)

        original = aiosmtplib.SMTP.get_transport_info
        monkeypatch.setattr(
            aiosmtplib.SMTP,
            "get_transport_info",
            lambda self, key: ("192.0.2.1", 25) if key == "peername" else original(self, key),
        )
        outcome = await make_sender(with_login(server.port)).send(make_message())
    assert isinstance(outcome, RetryLater)
    assert "not encrypted, so the password was not sent" in outcome.error
    assert [line.split()[0] for line in server.lines[spoken:]] == ["EHLO"]


@pytest.mark.parametrize(
    ("step", "reply", "kind"),
    [
        ("GREETING", "421 too busy", RetryLater),
        ("GREETING", "554 go away", RetryLater),
        ("GREETING", "HTTP/1.1 400 Bad Request", RetryLater),
        ("EHLO", "421 too busy", RetryLater),
        ("EHLO", "550 who?", RetryLater),
        ("MAIL", "451 later", RetryLater),
        ("MAIL", "530 5.7.0 authentication required", RetryLater),
        ("MAIL", "553 not from you", RetryLater),
        ("RCPT", "421 shutting down", RetryLater),
        ("RCPT", "450 greylisted", RetryLater),
        ("RCPT", "550 5.1.1 no such user", GaveUp),
        ("RCPT", "530 5.7.0 authentication required", RetryLater),
        ("RCPT", "551 moved", GaveUp),
        ("DATA", "451 later", RetryLater),
        ("DATA", "554 no", GaveUp),
        ("MAIL TAKEN", "452 disk full", RetryLater),
        ("MAIL TAKEN", "421 shutting down", RetryLater),
        ("MAIL TAKEN", "552 too large", GaveUp),
    ],
)
async def test_each_refusal_is_for_now_or_for_good(
    step: str, reply: str, kind: type[RetryLater | GaveUp]
) -> None:
    async with scripted_smtp(**{step: reply}) as server:
        outcome = await make_sender(server.port).send(make_message())
    assert type(outcome) is kind
    assert reply.split(maxsplit=1)[1] in error_of(outcome) or reply.startswith("HTTP")
    assert f"{LOOPBACK}:{server.port}" in error_of(outcome)


async def test_one_refused_recipient_of_an_honest_server() -> None:
    mailbox = Mailbox(
        refusals={"gone@example.org": "550 5.1.1 no such user", "full@example.org": "452 full"}
    )
    with mail_server(mailbox):
        sender = make_sender(mailbox.port)
        assert isinstance(await sender.send(make_message(address="gone@example.org")), GaveUp)
        assert isinstance(await sender.send(make_message(address="full@example.org")), RetryLater)
        assert isinstance(await sender.send(make_message()), Sent)


@pytest.mark.parametrize("step", ["GREETING", "EHLO", "MAIL", "RCPT", "DATA", "MAIL TAKEN"])
@pytest.mark.parametrize("fault", [HANG_UP, None])
async def test_a_server_that_drops_or_stalls_is_tried_again(step: str, fault: str | None) -> None:
    async with scripted_smtp(**{step: fault}) as server:
        timeout = timedelta(seconds=3 if fault else 0.2)
        began = time.monotonic()
        outcome = await make_sender(server.port, timeout=timeout).send(make_message())
    assert isinstance(outcome, RetryLater)
    assert time.monotonic() - began < 1
    assert ("may have arrived" in outcome.error) is (step in ("DATA", "MAIL TAKEN"))
    if fault is None:
        assert "took over 0.2 s" in outcome.error


async def test_a_resend_after_a_lost_answer_bears_the_same_mark() -> None:
    async with scripted_smtp(MAIL_TAKEN=HANG_UP) as server:
        sender = make_sender(server.port)
        for _ in range(2):
            assert isinstance(await sender.send(make_message()), RetryLater)
    first, second = (parsed(mail) for mail in server.mails)
    assert first["Message-ID"] == second["Message-ID"] == "<ntf-4711-a@pager.example>"


@pytest.mark.parametrize("fault", [HANG_UP, None, "421 whatever"])
async def test_once_taken_a_page_is_sent_whatever_the_goodbye(fault: str | None) -> None:
    async with scripted_smtp(QUIT=fault) as server:
        sender = make_sender(server.port, timeout=timedelta(seconds=0.2))
        assert await sender.send(make_message()) == Sent(provider_id="queued")


async def test_a_server_that_drips_does_not_hold_the_slot() -> None:
    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not writer.is_closing():
            writer.write(b"220-wait\r\n")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with listening(drip) as port:
        began = time.monotonic()
        outcome = await make_sender(port, timeout=timedelta(seconds=0.2)).send(make_message())
    assert isinstance(outcome, RetryLater)
    assert time.monotonic() - began < 1


async def test_nobody_there_is_tried_again() -> None:
    for server in (SmtpServer(LOOPBACK, free_port()), SmtpServer("nowhere.invalid", 25)):
        outcome = await make_sender(server).send(make_message())
        assert isinstance(outcome, RetryLater)
        assert server.host in outcome.error


async def test_no_error_text_holds_credentials_or_a_second_line() -> None:
    password = "p@ss/wörd+"
    blob = base64.b64encode(f"\0alice\0{password}".encode()).decode()
    quoting = f"535-no {password} and\r\n535 AUTH PLAIN {blob} {'x' * 500}"
    async with scripted_smtp(EHLO="250-mx.test\r\n250 AUTH PLAIN", AUTH=quoting) as server:
        sender = make_sender(with_login(server.port, password))
        error = error_of(await sender.send(make_message()))
    assert password not in error
    assert blob not in error
    assert "***" in error
    assert "\n" not in error
    assert len(error) <= 300
    assert password not in repr(with_login(25, password))


async def test_a_login_that_a_server_does_not_offer_is_tried_again() -> None:
    async with scripted_smtp() as server:
        outcome = await make_sender(with_login(server.port)).send(make_message())
    assert isinstance(outcome, RetryLater)
    assert "logging in" in outcome.error


@pytest.mark.parametrize("is_tls", [True, False])
@pytest.mark.parametrize("cancelled", [True, False])
async def test_whatever_ends_a_send_its_connection_ends_too(is_tls: bool, cancelled: bool) -> None:
    async with black_hole(b"" if is_tls else b"220 mx.test\r\n") as (port, hung_up):
        sender = make_sender(
            SmtpServer(LOOPBACK, port, is_tls=is_tls), timeout=timedelta(seconds=0.2)
        )
        task = asyncio.create_task(sender.send(make_message()))
        await asyncio.wait([task], timeout=0.1 if cancelled else 1)
        if cancelled:
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        else:
            assert "took over 0.2 s" in error_of(task.result())
        await asyncio.wait_for(hung_up.wait(), 1)


async def test_a_starttls_that_stalls_does_not_hold_the_slot() -> None:
    async with scripted_smtp(EHLO="250-mx.test\r\n250 STARTTLS", STARTTLS="220 go on") as server:
        sender = make_sender(server.port, timeout=timedelta(seconds=0.2))
        outcome = await sender.send(make_message())
    assert isinstance(outcome, RetryLater)
    assert "starting TLS" in outcome.error


async def test_many_pages_at_once() -> None:
    record: Scripted
    async with scripted_smtp() as record:
        sender = make_sender(record.port)
        outcomes = await asyncio.gather(
            *(sender.send(make_message(mark=f"m-{n}")) for n in range(sender.concurrency * 4))
        )
    assert all(isinstance(outcome, Sent) for outcome in outcomes)
    assert len({parsed(mail)["Message-ID"] for mail in record.mails}) == len(outcomes)


@pytest.mark.parametrize("mail_from", ["", "Tocsin", "a@b@c", "Tocsin\n <a@b.example>", "a@b..c"])
def test_a_bad_author_is_a_fault_of_the_setup(mail_from: str) -> None:
    with pytest.raises(SetupError, match="TOCSIN_MAIL_FROM"):
        SmtpSender(SmtpServer(LOOPBACK, 25), mail_from)


async def test_the_sender_is_ready_and_closes() -> None:
    sender = make_sender(25)
    assert (sender.state(), sender.concurrency) == ("ready", 8)
    assert SmtpSender(SmtpServer(LOOPBACK, 25), "a@b.example").timeout == timedelta(seconds=20)
    await sender.close()
