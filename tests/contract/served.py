"""The service on a real server in a thread of its own, and its database at a test's command.

Everything asynchronous runs on the server's loop: a database's connections belong to one.
"""

import asyncio
import socket
import threading
from collections.abc import Coroutine
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx
import uvicorn
from fastapi import FastAPI

from app.api.state import Service
from app.core.load import load_settings
from app.db.session import Database, transaction_time
from app.main import Setup, create_app
from tests import unlimited
from tests.world import World

T = TypeVar("T")

PATIENCE = 60.0
ENDLESS = ("/v1/stream", "/v1/public/stream")


class RealTime:
    """The clock of a world that no test moves."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def forward(self, **_: float) -> None:
        raise AssertionError("the contract is tested in the present")

    async def now(self) -> datetime:
        async with self._database.reading() as session:
            return await transaction_time(session)


class Server:
    """An application on a free port, in a thread, for as long as it is entered."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app
        self.document: dict[str, Any] = with_an_end(app.openapi())
        config = uvicorn.Config(app, log_config=None, access_log=False, server_header=False)
        self._server = uvicorn.Server(config)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._loop: asyncio.AbstractEventLoop
        self._has_loop = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="served")
        self.url = "http://{}:{}".format(*self._socket.getsockname())

    def _serve(self) -> None:
        # On the loop that production has: with the plain one, Nagle's algorithm adds 40 ms.
        with asyncio.Runner(loop_factory=self._server.config.get_loop_factory()) as runner:
            self._loop = runner.get_loop()
            self._has_loop.set()
            runner.run(self._server.serve(sockets=[self._socket]))

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._has_loop.wait(PATIENCE)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` on the server's loop, beside whatever it serves."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE)


class Served(Server):
    """The service without its loops."""

    def __init__(self, database_url: str, data_dir: Path) -> None:
        super().__init__(create_app(setup(database_url, data_dir), with_worker=False))

    def world(self) -> World:
        """The tests' usual helper; its coroutines are for `run`."""
        service: Service = self.app.state.service
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app), base_url="https://tocsin.test"
        )
        return World(service.database, service, client, RealTime(service.database))


def setup(database_url: str, data_dir: Path) -> Setup:
    return Setup(
        settings=load_settings(
            password_rounds=4,
            allow_private_targets="127.0.0.1/32",
            public_url="https://tocsin.test",
            **unlimited.SETTINGS,
        ),
        database_url=database_url,
        data_dir=data_dir,
        secret_key="a secret key that is long enough for the tests",
        public_url="https://tocsin.test",
    )


@cache
def described() -> dict[str, Any]:
    """The OpenAPI document, of a service that has no database to answer from."""
    nowhere = setup("postgresql+asyncpg://nobody@127.0.0.1:1/nothing", Path("nowhere"))
    return with_an_end(create_app(nowhere, with_worker=False).openapi())


def with_an_end(document: dict[str, Any]) -> dict[str, Any]:
    """The document without the streams: schemathesis would wait for the end of an answer."""
    paths = {path: entry for path, entry in document["paths"].items() if path not in ENDLESS}
    return {**document, "paths": paths}
