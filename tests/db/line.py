"""A line to the database that a test can freeze: what a server looks like that stands still.

Everything stays open, and new connections are let in, but nothing is answered any more.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import make_url

from app.db.session import Database
from tests.channels.servers import LOOPBACK, listening


class Line:
    """A TCP port in front of the embedded server's socket."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url)
        self._flows = asyncio.Event()
        self._flows.set()
        self.port = 0

    @property
    def url(self) -> str:
        """The same database, by way of this line."""
        ours = self._url.set(query={}, host=LOOPBACK, port=self.port)
        return ours.render_as_string(hide_password=False)

    def freeze(self) -> None:
        self._flows.clear()

    def thaw(self) -> None:
        self._flows.set()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._flows.wait()
        folder, port = (str(self._url.query[name]) for name in ("host", "port"))
        far = await asyncio.open_unix_connection(str(Path(folder) / f".s.PGSQL.{port}"))
        there = asyncio.create_task(self._pump(reader, far[1]))
        try:
            await self._pump(far[0], writer)
        finally:
            there.cancel()
            far[1].close()
            await asyncio.gather(there, far[1].wait_closed(), return_exceptions=True)

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while chunk := await source.read(65_536):
            await self._flows.wait()
            target.write(chunk)
        target.close()


@asynccontextmanager
async def line_to(url: str) -> AsyncIterator[Line]:
    line = Line(url)
    async with listening(line.carry) as line.port:
        try:
            yield line
        finally:
            line.thaw()


@asynccontextmanager
async def silence() -> AsyncIterator[int]:
    """A port where everybody is let in and nobody is answered."""

    async def say_nothing(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        while await reader.read(65_536):
            pass

    async with listening(say_nothing) as port:
        yield port


@asynccontextmanager
async def opened(url: str, *, pool_size: int = 2) -> AsyncIterator[Database]:
    database = Database(url, pool_size=pool_size)
    try:
        yield database
    finally:
        database.hang_up()  # a line that is frozen would not let it close in good order
        await database.close()
