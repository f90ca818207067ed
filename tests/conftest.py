"""One embedded server for the run, one database per worker, empty tables before each test.

The server is real and so is everything on it; only its durability is switched off. Time is
moved by shifting the database's clock, never by sleeping.
"""

import asyncio
import hashlib
import os
import pwd
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from app.core.config import Settings
from app.core.load import load_settings
from app.core.security import Signer
from app.db import migrations
from app.db.embedded import EmbeddedPostgres
from app.db.session import Database, transaction_time
from app.main import Setup, create_app
from tests import unlimited
from tests.kept import Kept
from tests.world import World

ROOT = Path(__file__).resolve().parent.parent
QUICK = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "300",
    # What PostgreSQL believes of a table shall not depend on which test it looked in.
    "autovacuum": "off",
}
TEMPLATE_LOCK = 4_711


@pytest.fixture(autouse=True, scope="session")
def _no_settings_from_outside() -> Iterator[None]:
    """What the developer's shell has set shall not reach a test."""
    outside = [name for name in os.environ if name.startswith("TOCSIN_")]
    removed = {name: os.environ.pop(name) for name in outside if name != "TOCSIN_POSTGRES_BIN"}
    yield
    os.environ.update(removed)


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedPostgres]:
    """One server for all workers of this run, kept running by whoever needs it."""
    user = pwd.getpwuid(os.getuid()).pw_name
    # One for each PostgreSQL that tests are run on: their data do not mix.
    programs = hashlib.sha256(os.environ.get("TOCSIN_POSTGRES_BIN", "").encode()).hexdigest()[:6]
    folder = Path(tempfile.gettempdir()) / f"tocsin-tests-{user}-{programs}"
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    with EmbeddedPostgres(folder, settings=QUICK) as running:
        yield running


def plain(url: str) -> str:
    return url.replace("postgresql+asyncpg://", "postgresql://")


async def _as_superuser(server: EmbeddedPostgres, *statements: str) -> None:
    connection = await asyncpg.connect(plain(server.url("postgres")))
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def _schema_version() -> str:
    """Changes whenever a migration does."""
    digest = hashlib.sha256()
    for path in sorted((ROOT / "alembic").rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


async def _make_template(server: EmbeddedPostgres) -> str:
    """A migrated database to copy from, made once for all workers and runs."""
    name = f"template_{_schema_version()}"
    connection = await asyncpg.connect(plain(server.url("postgres")))
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", TEMPLATE_LOCK)
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
            await connection.execute(f'CREATE DATABASE "{name}_unfinished"')
            await asyncio.to_thread(migrations.upgrade, server.url(f"{name}_unfinished"))
            await connection.execute(f'ALTER DATABASE "{name}_unfinished" RENAME TO "{name}"')
    finally:
        await connection.close()
    return name


@asynccontextmanager
async def copy_of_template(server: EmbeddedPostgres, name: str) -> AsyncIterator[str]:
    """A database of this name, migrated and empty, as long as the block lasts."""
    template = await _make_template(server)
    await _as_superuser(
        server,
        f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)',
        f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy',
    )
    yield server.url(name)
    await _as_superuser(server, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
async def database_url(server: EmbeddedPostgres) -> AsyncIterator[str]:
    """This worker's own database, migrated and empty."""
    async with copy_of_template(server, f"test_{os.getpid()}") as url:
        yield url


@pytest.fixture
async def empty_database_url(server: EmbeddedPostgres) -> AsyncIterator[str]:
    """A database with nothing in it, for tests of migrations and of whole processes."""
    name = f"empty_{os.getpid()}"
    await _as_superuser(
        server, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)', f'CREATE DATABASE "{name}"'
    )
    yield server.url(name)
    await _as_superuser(server, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
async def _kept(database_url: str) -> AsyncIterator[Kept]:
    made = Kept(database_url)
    yield made
    await made.close()


@pytest.fixture
async def database(_kept: Kept) -> AsyncIterator[Database]:
    """The database with empty tables."""
    yield await _kept.empty()
    await _kept.take_back()


class Clock:
    """The database's clock, as this test has moved it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def forward(self, **span: float) -> None:
        self._database.clock_shift += timedelta(**span)

    async def now(self) -> datetime:
        async with self._database.reading() as session:
            return await transaction_time(session)


@pytest.fixture
def clock(database: Database) -> Clock:
    return Clock(database)


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A folder that other users may pass through, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="tocsin-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def free_port() -> int:
    """A port that nobody had a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def settings(_no_settings_from_outside: None) -> Settings:
    return load_settings(
        password_rounds=4,
        allow_private_targets="127.0.0.1/32",
        public_url="https://tocsin.test",
        **unlimited.SETTINGS,
    )


@pytest.fixture(scope="session")
def built(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    """A service that has no database yet. To build one takes longer than most tests, so they
    share it; whoever runs its lifespan needs one of their own.
    """
    setup = Setup(
        settings=settings,
        database_url="postgresql+asyncpg://nobody@127.0.0.1:1/nothing",
        data_dir=tmp_path_factory.mktemp("data"),
        secret_key="a secret key that is long enough for the tests",
        public_url="https://tocsin.test",
    )
    return create_app(setup, with_worker=False)


@pytest.fixture
def app(built: FastAPI, database: Database) -> Iterator[FastAPI]:
    """The service without its loops: a test turns them by hand."""
    unplugged = built.state.service
    built.state.service = replace(unplugged, database=database)
    yield built
    built.state.service = unplugged
    built.dependency_overrides.clear()


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Nobody in particular, at the service's door."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="https://tocsin.test") as made:
        yield made


@pytest.fixture
def signer(app: FastAPI) -> Signer:
    made: Signer = app.state.service.signer
    return made


@pytest.fixture
def world(database: Database, app: FastAPI, client: httpx.AsyncClient, clock: Clock) -> World:
    """People, policies, integrations and loops, at a test's command."""
    return World(database, app.state.service, client, clock)
