"""The HTTP server around the application: what it says, what it never says, how it stops."""

import logging
import socket

import uvicorn
from fastapi import FastAPI

from app.api.feed import Feed
from app.core.config import Settings

SHUTDOWN_PATIENCE = 30
LARGEST_MESSAGE = 64 * 1024  # of a WebSocket; those who listen have little to say


class Server(uvicorn.Server):
    """Ends the streams as soon as it is told to stop: it would wait for them until it loses
    patience, and whoever listens could have been with another replica long since."""

    def __init__(self, config: uvicorn.Config, feed: Feed) -> None:
        super().__init__(config)
        self._feed = feed

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._feed.close()
        await super().shutdown(sockets)


def server_config(app: FastAPI, settings: Settings) -> uvicorn.Config:
    """How the server runs. Only proxies that are trusted say where a request came from."""
    logging.getLogger("uvicorn.error").addFilter(_names_no_address)
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        ws="websockets-sansio",
        ws_max_size=LARGEST_MESSAGE,
        ws_per_message_deflate=False,  # takes more memory than all the rest of a connection
        forwarded_allow_ips=settings.trusted_proxies,  # None would read a variable
        timeout_graceful_shutdown=SHUTDOWN_PATIENCE,
    )


def _names_no_address(record: logging.LogRecord) -> bool:
    """It logs each WebSocket with its whole URL, in which a ticket may stand."""
    return '"WebSocket %s"' not in str(record.msg)
