"""A server that is only just starting is waited for, and one that stays so is named."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from app.core.errors import SetupError
from app.db import connect

STARTING = b"SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0"
SSL_REQUEST = 80_877_103


class Starting:
    """Speaks enough of PostgreSQL's protocol to say that it is still starting."""

    def __init__(self) -> None:
        self.asked = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            (length,) = struct.unpack("!i", await reader.readexactly(4))
            (code,) = struct.unpack("!i", (await reader.readexactly(length - 4))[:4])
            if code != SSL_REQUEST:
                break
            writer.write(b"N")
        self.asked += 1
        writer.write(b"E" + struct.pack("!i", len(STARTING) + 4) + STARTING)
        await writer.drain()
        writer.close()


@asynccontextmanager
async def _starting() -> AsyncIterator[tuple[Starting, str]]:
    spoken = Starting()
    server = await asyncio.start_server(spoken.answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield spoken, f"postgresql+asyncpg://tocsin@127.0.0.1:{port}/tocsin"


async def test_a_server_that_is_starting_is_asked_again() -> None:
    async with _starting() as (spoken, url):
        waiting = asyncio.create_task(connect.require_usable(url))
        async with asyncio.timeout(20):
            while spoken.asked < 3:
                await asyncio.sleep(0.02)
        assert not waiting.done()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)


async def test_one_that_never_comes_up_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connect, "RECOVERY", 0.0)
    async with _starting() as (_, url):
        with pytest.raises(SetupError, match="the database system is starting up"):
            await connect.require_usable(url)
