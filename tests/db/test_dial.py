"""The first host that takes writes is found, whatever the others do; and nobody waits for ever."""

import asyncio
import socket
from typing import Any

import asyncpg
import pytest
from sqlalchemy import make_url, text

from app.core.errors import SetupError
from app.db.connect import require_usable
from app.db.dial import SILENCE, Dialer, UnreachableError
from app.db.session import Database, is_outage, transaction_time
from app.db.url import driver_url
from tests.channels.servers import LOOPBACK, free_port, listening
from tests.db.line import line_to, opened, silence

SOON = 10.0  # seconds; far more than needed, far less than any time-out


def several(url: str, *ports: int) -> str:
    """The URL of this database at several ports of ours."""
    hosts = ",".join(f"{LOOPBACK}:{port}" for port in ports)
    return driver_url(f"postgresql://postgres@{hosts}/{make_url(url).database}")


async def asks(database: Database) -> None:
    async with asyncio.timeout(SOON), database.writing() as session:
        await transaction_time(session)


async def test_a_first_host_that_hangs_keeps_nobody_from_the_second(database_url: str) -> None:
    async with (
        silence() as silent,
        line_to(database_url) as line,
        opened(several(database_url, silent, line.port)) as database,
    ):
        await asks(database)


def where(url: str, *ports: int) -> dict[str, Any]:
    """The same, as the driver wants to know it."""
    database = make_url(url).database
    hosts = [LOOPBACK] * len(ports)
    return {"host": hosts, "port": [*ports], "user": "postgres", "database": database, "ssl": False}


async def test_the_host_that_accepted_last_is_asked_first(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with silence() as silent, line_to(database_url) as line:
        dial, there = Dialer(), where(database_url, silent, line.port)
        (await dial(**there)).terminate()
        monkeypatch.setattr("app.db.dial.HEAD_START", 3600.0)
        (await asyncio.wait_for(dial(**there), SOON)).terminate()


async def test_while_one_is_silent_those_that_refused_are_asked_again(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a standby that is promoted while everybody waits for the primary that hangs."""
    monkeypatch.setattr("app.db.dial.HEAD_START", 0.05)
    callers = 0

    async def refuse_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal callers
        callers += 1
        if callers > 1:
            await line.carry(reader, writer)

    async with (
        silence() as silent,
        line_to(database_url) as line,
        listening(refuse_once) as fickle,
    ):
        there = where(database_url, silent, fickle)
        (await asyncio.wait_for(Dialer()(**there), SOON)).terminate()
    assert callers == 2


async def test_hosts_that_refuse_are_passed_over(database_url: str) -> None:
    async with (
        line_to(database_url) as line,
        opened(several(database_url, free_port(), line.port)) as database,
    ):
        await asks(database)


async def test_when_no_host_is_there_it_is_an_outage_at_once(database_url: str) -> None:
    async with opened(several(database_url, free_port(), free_port())) as database:
        with pytest.raises(UnreachableError) as caught:
            await asks(database)
    assert is_outage(caught.value)
    assert isinstance(caught.value.__cause__, ConnectionRefusedError)


async def test_a_server_that_takes_no_writes_is_no_server_of_ours(database: Database) -> None:
    url = database.engine.url.render_as_string(hide_password=False)
    name = database.engine.url.database
    async with database.writing() as session:
        await session.execute(text(f'ALTER DATABASE "{name}" SET default_transaction_read_only=on'))
    try:
        async with opened(url) as fresh:
            with pytest.raises(asyncpg.TargetServerAttributeNotMatched) as caught:
                await asks(fresh)
        assert is_outage(caught.value)
        async with line_to(url) as line:
            with pytest.raises(SetupError, match="none of its servers takes writes just now"):
                await require_usable(several(url, free_port(), line.port))
    finally:
        async with database.writing() as session:
            await session.execute(text("SET TRANSACTION READ WRITE"))
            await session.execute(text(f'ALTER DATABASE "{name}" RESET ALL'))


async def test_a_host_that_hangs_is_told_at_the_start(
    monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    monkeypatch.setattr("app.db.connect.PATIENCE", 0.2)
    async with silence() as silent:
        with pytest.raises(SetupError, match="it did not answer within"):
            await require_usable(several(database_url, silent, silent))
    with pytest.raises(SetupError, match="nothing listens there"):
        await require_usable(several(database_url, free_port(), free_port()))


async def test_a_peer_that_vanished_with_its_network_is_noticed(database_url: str) -> None:
    async with line_to(database_url) as line, opened(line.url) as database:
        connection = await database.connect_aside()
        wire = connection._transport.get_extra_info("socket")
        assert wire.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == SILENCE
        assert wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == SILENCE * 1000


async def test_a_connection_aside_is_set_up_as_the_pool_s_are(database: Database) -> None:
    connection = await database.connect_aside()
    shown = "SELECT current_setting('application_name'), current_setting('statement_timeout')"
    assert tuple(await connection.fetchrow(shown)) == ("tocsin", "30s")
    connection.terminate()
