"""The HTTP server around the application: what it says, what it never says, how it stops."""

import asyncio
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI
from starlette.types import Scope

from app.api.event_stream import STREAM
from app.api.feed import Feed
from app.api.request_head import BoundedHeads
from app.core.config import Settings
from app.core.errors import SetupError

SHUTDOWN_PATIENCE = 30
STREAM_PATIENCE = 1.5  # seconds for whoever listens to take the end of the stream
LARGEST_MESSAGE = 64 * 1024  # of a WebSocket; those who listen have little to say


class Server(uvicorn.Server):
    """Ends the streams as soon as it is told to stop: it would wait for them until it loses
    patience, and whoever listens could have been with another replica long since.

    Whoever does not even take the end of a stream is hung up on. Its bookmark is with it."""

    def __init__(self, config: uvicorn.Config, feed: Feed) -> None:
        super().__init__(config)
        self._feed = feed

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._feed.close()
        cutting = asyncio.create_task(self._cut_streams())
        try:
            await super().shutdown(sockets)
        finally:
            cutting.cancel()
            await asyncio.gather(cutting, return_exceptions=True)

    async def _cut_streams(self) -> None:
        await asyncio.sleep(STREAM_PATIENCE)
        for connection in list(self.server_state.connections):
            scope: Scope | None = getattr(connection, "scope", None)  # before it asks: none
            if scope is not None and _is_stream(scope):
                connection.transport.abort()  # to close it would wait until all is taken


def server_config(app: FastAPI, settings: Settings) -> uvicorn.Config:
    """How the server runs. Only proxies that are trusted say where a request came from."""
    logging.getLogger("uvicorn.error").addFilter(_tells_no_secret)
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        http=BoundedHeads,
        ws="websockets-sansio",
        ws_max_size=LARGEST_MESSAGE,
        ws_per_message_deflate=False,  # takes more memory than all the rest of a connection
        forwarded_allow_ips=settings.trusted_proxies,  # None would read a variable
        timeout_graceful_shutdown=SHUTDOWN_PATIENCE,
    )


def _is_stream(scope: Scope) -> bool:
    return scope["type"] == "websocket" or STREAM in scope["state"]


def _tells_no_secret(record: logging.LogRecord) -> bool:
    """It logs each WebSocket with its whole URL, in which a ticket may stand; and, for whoever
    debugs the protocol, all headers and messages."""
    return record.levelno > logging.DEBUG and '"WebSocket %s"' not in str(record.msg)


@contextmanager
def bound(settings: Settings) -> Iterator[socket.socket]:
    """The listening socket, taken before anything else is started."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    with listener:
        try:
            listener.bind((settings.host, settings.port))
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise SetupError(
                f"Cannot listen on {settings.host}:{settings.port}: {reason}. Choose another"
                " with --host and --port, or HOST and PORT."
            ) from None
        yield listener
