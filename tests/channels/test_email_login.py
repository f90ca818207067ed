"""TLS and passwords: what a mail server must show before it is trusted with anything."""

import base64
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiosmtplib
import pytest

from app.channels.base import RetryLater, Sent
from app.channels.email import SmtpServer, StartTls
from tests.channels.factories import error_of, make_message
from tests.channels.factories import make_mail_sender as make_sender
from tests.channels.servers import LOOPBACK, Mailbox, mail_server, make_certificate, scripted_smtp

PASSWORD = "right:p@ss"


def with_login(port: int, password: str = PASSWORD, **changes: Any) -> SmtpServer:
    return SmtpServer(LOOPBACK, port, "alice", password, **changes)


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


async def test_a_starttls_that_stalls_does_not_hold_the_slot() -> None:
    async with scripted_smtp(EHLO="250-mx.test\r\n250 STARTTLS", STARTTLS="220 go on") as server:
        sender = make_sender(server.port, timeout=timedelta(seconds=0.2))
        outcome = await sender.send(make_message())
    assert isinstance(outcome, RetryLater)
    assert "starting TLS" in outcome.error


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


async def test_a_login_that_a_server_does_not_offer_is_tried_again() -> None:
    async with scripted_smtp() as server:
        outcome = await make_sender(with_login(server.port)).send(make_message())
    assert isinstance(outcome, RetryLater)
    assert "logging in" in outcome.error


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
