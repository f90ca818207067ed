"""A mail server that takes pages, and misbehaves when it is told to."""

import asyncio
import email
import email.policy
import re
import time
from asyncio import BaseTransport, Transport
from contextlib import suppress
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope

from tests.crash.ledger import Arrival
from tests.crash.plan import Order, SinkFault
from tests.crash.scenario import FALLBACK, MAIL
from tests.crash.sinks import Sink, port_of, token_of

STEP = re.compile(r"Step (\d+) of \d+ of “(.+?)”(?:, round (\d+))?\.")
LAST_RESORT = "You are the fallback"


class Conversation(SMTP):
    """One connection: one message, and at most one fault."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.order: Order | None = None
        self.began = 0.0
        super().__init__(
            self, hostname="mx.test", enable_SMTPUTF8=True, loop=asyncio.get_running_loop()
        )

    def connection_made(self, transport: BaseTransport) -> None:
        self.began = time.time()
        self.order = self.sink.next_order()
        assert isinstance(transport, Transport)
        match self.order and self.order.fault:
            case SinkFault.BUSY:
                transport.write(b"421 too busy just now\r\n")
                transport.close()
            case SinkFault.DROP:
                transport.abort()
            case _:
                super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self.transport is not None:  # else it was over before it began
            super().connection_lost(error)

    def data_received(self, data: bytes) -> None:
        if self.transport is not None:
            super().data_received(data)

    def eof_received(self) -> Any:
        return super().eof_received() if self.transport is not None else None

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        arrival = read(envelope.content, envelope.rcpt_tos[0], self.began)
        arrival.fault = str(self.order.fault) if self.order else None
        if self.order and self.order.fault is SinkFault.ERROR:
            self.sink.refused(arrival)
            return "451 come back later"
        self.sink.took(arrival)
        if not await self.sink.dwell(self.order, arrival):
            with suppress(AttributeError):  # hung up already
                self.transport.abort()
            return "421 never said"
        self.sink.said_so(arrival)
        return "250 kept"


def read(content: bytes, address: str, began: float) -> Arrival:
    """What a mail says of itself."""
    mail = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    body = mail.get_body(("plain",))
    text = body.get_content() if body is not None else ""
    arrival = Arrival(MAIL, address, str(mail["Message-ID"]), began, text=text)
    arrival.token, arrival.slot = token_of(str(mail["Subject"])), port_of(text)
    step = STEP.search(text)
    if step is not None:
        arrival.policy, arrival.step = step[2], int(step[1]) - 1
        arrival.loop = int(step[3] or 1) - 1
    elif LAST_RESORT in text:
        arrival.policy, arrival.loop, arrival.step = FALLBACK, 0, 0
    else:
        arrival.kind = "other"
    return arrival


async def listen(sink: Sink) -> asyncio.Server:
    return await asyncio.get_running_loop().create_server(
        lambda: Conversation(sink), "127.0.0.1", 0
    )
