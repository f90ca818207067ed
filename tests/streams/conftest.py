"""The service in this process behind a real socket: an in-process transport would keep all of
an endless answer to itself.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress

import httpx
import pytest
from fastapi import FastAPI

from app.api.serving import Server, server_config
from app.core.config import Settings
from tests.streams.listening import PATIENCE, Stage
from tests.world import World


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
            yield Stage(world, http, url)
        server.should_exit = True
        with suppress(asyncio.CancelledError):
            await serving
