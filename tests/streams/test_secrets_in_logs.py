"""A ticket stands in the URL of a stream, and URLs are what servers like to log: no line has it."""

import logging
from collections.abc import Iterator

import pytest

from tests.streams.listening import Stage, listening
from tests.streams.test_websocket import closed, connected, heard

SERVER, ACCESS = "uvicorn.error", "uvicorn.access"
CLIENTS = ("httpx", "httpcore", "websockets.client")


class Lines(logging.Handler):
    """Keeps what reaches the handler of an operator's, all that a record carries included."""

    def __init__(self) -> None:
        super().__init__()
        self.of: list[str] = []
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        if not record.name.startswith(CLIENTS):  # the other side, which is no part of the service
            self.of.append(record.name)
            self.text += f"{record.getMessage()} {record.__dict__}\n"


@pytest.fixture
def lines() -> Iterator[Lines]:
    """What is logged, where somebody has asked everybody to say everything."""
    made, root = Lines(), logging.getLogger()
    loggers = [root, *map(logging.getLogger, (SERVER, ACCESS))]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    root.addHandler(made)
    yield made
    root.removeHandler(made)
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


async def ticket(stage: Stage) -> str:
    admin = await stage.world.admin()
    return str((await stage.world.call("POST", "/v1/stream/tickets", admin))["ticket"])


async def test_no_line_about_a_websocket_has_its_ticket(stage: Stage, lines: Lines) -> None:
    made = await ticket(stage)
    async with connected(stage, f"?ticket={made}") as socket:
        assert (await heard(socket))["type"] == "ready"
    await stage.joined(0)
    async with connected(stage, f"?ticket={made}x") as socket:
        assert (await heard(socket))["code"] == "UNAUTHORIZED"
        await closed(socket)
    assert SERVER in lines.of, "the server was not heard"
    assert made not in lines.text


async def test_no_line_about_a_websocket_has_what_is_said_first(stage: Stage, lines: Lines) -> None:
    made = await ticket(stage)
    async with connected(stage) as socket:
        await socket.send(f'{{"ticket": "{made}"}}')
        assert (await heard(socket))["type"] == "ready"
    await stage.joined(0)
    assert made not in lines.text


async def test_no_line_about_a_stream_has_its_ticket(stage: Stage, lines: Lines) -> None:
    made = await ticket(stage)
    async with listening(stage.http, f"/v1/stream?follow=false&ticket={made}") as stream:
        await stream.rest()
    assert "'path': '/v1/stream'" in lines.text
    assert made not in lines.text
