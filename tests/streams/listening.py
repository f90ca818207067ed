"""Listening to a stream, as a browser or a script does it: over a real connection."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from app.api.serving import Server
from app.db.session import Database
from app.worker.relay import Relay
from tests.world import World

PATIENCE = 20.0  # seconds; what does not come at all, fails


@dataclass
class Block:
    """What stands between two empty lines."""

    id: int | None = None
    event: str = "message"
    data: Any = None
    comment: str | None = None
    retry: int | None = None


@dataclass
class Listening:
    """An open stream."""

    response: httpx.Response
    _lines: AsyncIterator[str] = field(repr=False)

    async def block(self) -> Block | None:
        """The next block; None at the end of the stream."""
        found, is_empty = Block(), True
        async with asyncio.timeout(PATIENCE):
            async for line in self._lines:
                if not line:
                    if not is_empty:
                        return found
                    continue
                is_empty = False
                name, _, value = line.partition(": ")
                match name:
                    case "":
                        found.comment = value
                    case "id" | "retry":
                        setattr(found, name, int(value))
                    case "event":
                        found.event = value
                    case "data":
                        found.data = json.loads(value)
        return None

    async def event(self) -> Block:
        """The next block that a browser would tell a page of."""
        while (found := await self.block()) is not None:
            if found.data is not None:
                return found
        raise AssertionError("The stream has ended.")

    async def rest(self) -> list[Block]:
        """All events until the end."""
        found = []
        while (block := await self.block()) is not None:
            if block.data is not None:
                found.append(block)
        return found


@asynccontextmanager
async def listening(
    http: httpx.AsyncClient, path: str = "/v1/stream", **kw: Any
) -> AsyncIterator[Listening]:
    """A stream that has begun: whatever happens from here on is told."""
    async with http.stream("GET", path, **kw) as response:
        assert response.status_code == 200, await response.aread()
        opened = Listening(response, response.aiter_lines())
        first = await opened.block()
        assert first is not None
        assert first.retry is not None
        yield opened


@dataclass
class Stage:
    """A service behind a real socket, people, and a relay that is turned by hand."""

    world: World
    http: httpx.AsyncClient
    url: str
    server: Server
    serving: asyncio.Task[None]  # until the server has stopped

    @property
    def database(self) -> Database:
        return self.world.database

    async def relay(self) -> None:
        await Relay(self.database).round()

    async def joined(self, readers: int) -> None:
        """Until so many listen: from then on they are handed what happens."""
        feed = self.world.service.feed
        async with asyncio.timeout(PATIENCE):
            while len(feed._readers) != readers:
                await asyncio.sleep(0.005)
