"""An endless answer: events as Server-Sent Events, or as messages of a WebSocket.

Every event has its place in the feed as its id. A quiet stream is heard from every
`HEARTBEAT` seconds; what it says then includes the bookmark, so that one who listens to little
does not come back with a bookmark of last week. Written as bare ASGI: a thousand who listen to
silence cost a thousand small objects, not a thousand stacks of a framework's.

A stream marks the request that opened it (`is_stream`): what it takes until its end says nothing
of how fast we answer, and a stop waits for it less long than for an answer.
"""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress

from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from app.api.feed import End, Feed, Frame, Reader, Transport

HEARTBEAT = 15.0  # seconds
SEND_PATIENCE = 20.0  # seconds for a reader to take what fits into no buffer any more
RETRY = (1_000, 5_000)  # milliseconds: those whom one replica lets go do not come back as one
GOING_AWAY, REFUSED = 1001, 1008
HEADERS = {
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx would wait for more
}
LOST = "What you had not read is no longer kept. Read everything anew; the stream goes on here."


STREAM = "is_stream"  # in the state of the request


class EventStream(Response):
    """What a reader is told, for as long as it listens; without `follow`, what there is."""

    media_type = "text/event-stream"

    def __init__(self, feed: Feed, reader: Reader, *, is_lost: bool, follow: bool) -> None:
        super().__init__(headers=HEADERS)
        self._feed, self._reader = feed, reader
        self._is_lost, self._follow = is_lost, follow

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"][STREAM] = True
        with self._feed.listening(self._reader, Transport.SSE):
            await self._tell(receive, send)

    async def _tell(self, receive: Receive, send: Send) -> None:
        reader = self._reader
        headers = [header for header in self.raw_headers if header[0] != b"content-length"]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        watching = asyncio.create_task(_until_gone(receive, reader))
        try:
            async for chunk in self._chunks():
                async with asyncio.timeout(SEND_PATIENCE):
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
            async with asyncio.timeout(SEND_PATIENCE):
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:  # the server cuts the line, and the bookmark is with the reader
            reader.let_go(End.SLOW)
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def _chunks(self) -> AsyncIterator[bytes]:
        reader = self._reader
        told = reader.bookmark
        yield b"retry: %d\n\n" % random.randint(*RETRY)  # noqa: S311
        if self._is_lost:
            yield _reset(reader.bookmark)
        async for frames in self._feed.read_back(reader):
            yield _written(frames)
        if not self._follow:
            yield b"id: %d\n\n" % reader.bookmark
            return
        async for frames in self._feed.join(reader):
            yield _written(frames)
        while reader.end is None:
            frames, changed = await reader.next(HEARTBEAT), reader.take_hints()
            if frames or changed:
                yield _written(frames) + _hinted(changed)
            elif reader.end is None:
                # An id alone moves the bookmark, and is no event to anybody.
                moved = b"id: %d\n" % reader.bookmark if reader.bookmark != told else b""
                yield b": heartbeat\n" + moved + b"\n"
            told = reader.bookmark


def _written(frames: Sequence[Frame]) -> bytes:
    return "".join(
        f"id: {frame.position}\nevent: {frame.type}\ndata: {frame.json}\n\n" for frame in frames
    ).encode()


def _hinted(resources: Sequence[str]) -> bytes:
    """No id: it has no place in the feed."""
    if not resources:
        return b""
    return f"event: changed\ndata: {json.dumps({'resources': resources})}\n\n".encode()


def _reset(bookmark: int) -> bytes:
    told = json.dumps({"reason": LOST})
    return f"id: {bookmark}\nevent: reset\ndata: {told}\n\n".encode()


async def _until_gone(receive: Receive, reader: Reader) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    reader.let_go(End.GONE)


async def converse(socket: WebSocket, feed: Feed, reader: Reader, *, is_lost: bool) -> None:
    """The same over an accepted WebSocket, until either side has enough."""
    with feed.listening(reader, Transport.WEBSOCKET):
        await _converse(socket, feed, reader, is_lost=is_lost)


async def _converse(socket: WebSocket, feed: Feed, reader: Reader, *, is_lost: bool) -> None:
    hearing = asyncio.create_task(_hear(socket, reader))
    try:
        with suppress(WebSocketDisconnect, TimeoutError):
            async for text in _messages(feed, reader, is_lost=is_lost):
                async with asyncio.timeout(SEND_PATIENCE):
                    await socket.send_text(text)
        if reader.end is not End.GONE:
            code = REFUSED if reader.end is End.LOGGED_OUT else GOING_AWAY
            with suppress(RuntimeError, WebSocketDisconnect, TimeoutError):
                async with asyncio.timeout(SEND_PATIENCE):
                    await socket.close(code, str(reader.end or End.SLOW))
    finally:
        hearing.cancel()
        await asyncio.gather(hearing, return_exceptions=True)


async def _messages(feed: Feed, reader: Reader, *, is_lost: bool) -> AsyncIterator[str]:
    if is_lost:
        yield json.dumps({"type": "reset", "id": reader.bookmark, "data": {"reason": LOST}})
    async for frames in feed.read_back(reader):
        for frame in frames:
            yield frame.json
    yield json.dumps({"type": "ready", "id": reader.bookmark})
    async for frames in feed.join(reader):
        for frame in frames:
            yield frame.json
    while reader.end is None:
        frames = await reader.next(HEARTBEAT)
        for frame in frames:
            yield frame.json
        if not frames and reader.end is None:
            yield json.dumps({"type": "heartbeat", "id": reader.bookmark})


async def _hear(socket: WebSocket, reader: Reader) -> None:
    """Answer pings of those who cannot send the protocol's own; the rest means nothing here."""
    with suppress(WebSocketDisconnect, RuntimeError):
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                break
            if message.get("text") == "ping":
                await socket.send_text('{"type": "pong"}')
    reader.let_go(End.GONE)
