"""A service with limits as an operator has them, whose time is moved by hand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from fastapi import FastAPI

from app.core.load import load_settings
from app.core.tallies import milliseconds
from app.db.session import Database
from app.main import Setup, create_app


class Hand:
    """A clock that stands still until a test moves it, in milliseconds."""

    def __init__(self) -> None:
        self.now = milliseconds()

    def __call__(self) -> int:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += round(seconds * 1000)


def replica(database: Database, data_dir: Path, hand: Hand | None = None, **chosen: str) -> FastAPI:
    """One of perhaps several; what is not chosen has its default."""
    setup = Setup(
        settings=load_settings(password_rounds=4, public_url="https://tocsin.test", **chosen),
        database_url=database.engine.url.render_as_string(hide_password=False),
        data_dir=data_dir,
        secret_key="a secret key that is long enough for the tests",
        public_url="https://tocsin.test",
    )
    app = create_app(setup, with_worker=False, database=database)
    for counts in app.state.service.limits._here.values():
        counts._clock = hand or counts._clock
    return app


@asynccontextmanager
async def at(app: FastAPI, address: str = "127.0.0.1") -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who calls from there."""
    transport = httpx.ASGITransport(app, client=(address, 4711))
    async with httpx.AsyncClient(transport=transport, base_url="https://tocsin.test") as client:
        yield client


async def status(client: httpx.AsyncClient, method: str, path: str, **kw: object) -> int:
    """How it was answered."""
    return (await client.request(method, path, **kw)).status_code  # type: ignore[arg-type]
