"""Mail as a server sees it when all goes well."""

import asyncio
import time
from datetime import timedelta

import pytest

from app.channels.base import GaveUp, Sent
from app.channels.email import SmtpSender, SmtpServer
from app.core.errors import SetupError
from tests.channels.factories import error_of, make_message, parsed, text_of
from tests.channels.factories import make_mail_sender as make_sender
from tests.channels.servers import LOOPBACK, Scripted, mail_server, scripted_smtp


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
