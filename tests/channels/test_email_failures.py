"""What becomes of a page that a mail server does not take."""

import asyncio
import time
from datetime import timedelta

import pytest

from app.channels.base import GaveUp, RetryLater, Sent
from app.channels.email import SmtpServer
from tests.channels.factories import error_of, make_message, parsed
from tests.channels.factories import make_mail_sender as make_sender
from tests.channels.servers import (
    HANG_UP,
    LOOPBACK,
    Mailbox,
    black_hole,
    free_port,
    listening,
    mail_server,
    scripted_smtp,
)


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
