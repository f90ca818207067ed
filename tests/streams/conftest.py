"""The service in this process behind a real socket: an in-process transport would keep all of
an endless answer to itself.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from app.api.serving import Server, server_config
from app.core.config import Settings
from app.db.session import Database
from app.main import Setup, create_app
from tests.streams.listening import PATIENCE, Stage
from tests.world import World


@pytest.fixture
def app(database: Database, settings: Settings, data_dir: Path) -> FastAPI:
    """One of its own, which starts and stops."""
    setup = Setup(
        settings=settings,
        database_url=database.engine.url.render_as_string(hide_password=False),
        data_dir=data_dir,
        secret_key="a secret key that is long enough for the tests",
        public_url="https://tocsin.test",
    )
    return create_app(setup, with_worker=False, database=database)


@pytest.fixture
async def stage(app: FastAPI, settings: Settings, world: World) -> AsyncIterator[Stage]:
    server = Server(server_config(app, settings), app.state.service.feed)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        serving = asyncio.create_task(server._serve([listener]))
        async with asyncio.timeout(PATIENCE):
            while not server.started:
                await asyncio.sleep(0.01)
        async with httpx.AsyncClient(base_url=url, timeout=PATIENCE) as http:
            yield Stage(world, http, url, server, serving)
        server.should_exit = True
        with suppress(asyncio.CancelledError):
            await serving
