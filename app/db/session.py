"""One unit of work, one transaction: opened, timed, committed and rolled back only here.

`reading` runs READ ONLY at the server, so a write through it fails there too. `writing`
commits on exit; only after that commit are the loops that were asked for woken, because a
wake-up for work that is not yet visible would be lost.

`ask` is for what is read with every request: one statement, which is a transaction by itself, by
the driver alone. It costs a tenth of a session with its BEGIN and ROLLBACK.

Time is the database's, which all replicas share. It is read once a transaction and handed
down as an argument; a test shifts it through `Database.clock_shift`.

Every wait for the server has an end. What it does itself is bounded there (`STATEMENT_TIMEOUT`);
that it stands still or has lost its role is noticed by the bell's watch, which hangs up.
"""

import asyncio
import math
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, NewType, Protocol, TypeVar

import asyncpg
from sqlalchemy import URL, event, func, select
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.pool import ConnectionPoolEntry

from app.core import source
from app.db import traced
from app.db.dial import Connection, Dialer

ReadSession = NewType("ReadSession", AsyncSession)
WriteSession = NewType("WriteSession", ReadSession)  # a writer may read; not vice versa

T = TypeVar("T")
Wake = Callable[[Iterable[str]], None]

APPLICATION_NAME = "tocsin"
CONNECT_TIMEOUT = 10.0  # seconds
# For a free connection: somebody who asks hears soon that there is none, a loop has time.
POOL_TIMEOUT = 2.0
LOOPS_TIMEOUT = 10.0
STATEMENT_TIMEOUT = timedelta(seconds=30)
LOCK_TIMEOUT = timedelta(seconds=10)
IDLE_TIMEOUT = timedelta(seconds=60)
RESTED = 1.0  # seconds
# The last resort, for one connection that is lost without a trace while the others are well. It
# also ends a commit that waits for a standby which is gone: unanswered, so nothing is promised.
ANSWER_TIMEOUT = 60.0
READ_ONLY = "25006"  # a standby, or a primary that is being taken out of service
CLASH = ("40001", "40P01")  # serialization failure, deadlock: the same work may well succeed
CLASH_RETRIES = 5
# What the driver raises itself when a server goes away under an idle connection.
LOST = (
    PoolTimeoutError,
    ConnectionError,
    FileNotFoundError,  # the socket's folder is gone
    TimeoutError,
    socket.gaierror,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)


class Ask(Protocol):
    """The rows of one statement, written for the driver: `$1` is the first of `values`."""

    def __call__(
        self, statement: str, *values: object
    ) -> Awaitable[Sequence[Mapping[str, Any]]]: ...


class Database:
    """The engine of one process, with its clock and its bell."""

    def __init__(
        self,
        url: str | URL,
        *,
        pool_size: int = 10,
        pool_timeout: float = POOL_TIMEOUT,
        dialer: Dialer | None = None,
    ) -> None:
        self._dialer = dialer or Dialer()
        self._options: dict[str, Any] = {
            "timeout": CONNECT_TIMEOUT,
            "command_timeout": ANSWER_TIMEOUT,
            "server_settings": {
                "application_name": APPLICATION_NAME,
                "timezone": "UTC",
                "jit": "off",  # it only ever slows statements as short as ours
                "statement_timeout": _milliseconds(STATEMENT_TIMEOUT),
                "lock_timeout": _milliseconds(LOCK_TIMEOUT),
                "idle_in_transaction_session_timeout": _milliseconds(IDLE_TIMEOUT),
            },
        }
        self.engine: AsyncEngine = create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=pool_timeout,
            pool_use_lifo=True,  # what is not needed rests, and PostgreSQL keeps little for it
            hide_parameters=True,  # an error must not show what was to be written
            connect_args={"async_creator_fn": self._dialer, **self._options},
        )
        traced.watch(self.engine.sync_engine)
        event.listen(self.engine.sync_engine, "handle_error", _drop_if_read_only)
        event.listen(self.engine.sync_engine, "checkin", _note_rest)
        event.listen(self.engine.sync_engine, "checkout", _ping_after_rest)
        self.sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        self.clock_shift = timedelta()
        self.wake: Wake = lambda loops: None  # the worker puts its bell here

    def beside(self, *, pool_size: int) -> "Database":
        """The same database through a pool of its own: what runs there waits for nobody here."""
        other = Database(
            self.engine.url, pool_size=pool_size, pool_timeout=LOOPS_TIMEOUT, dialer=self._dialer
        )
        other.wake = self._wake  # which comes later: the bell is hung up on this one
        return other

    def _wake(self, loops: Iterable[str]) -> None:
        self.wake(loops)

    async def connect_aside(self) -> Connection:
        """The driver's own connection, outside the pool, for the one who keeps watch."""
        engine = self.engine
        _, options = engine.dialect.create_connect_args(engine.url)
        options.pop("prepared_statement_cache_size", None)  # the engine's own business
        return await self._dialer.probe(**options, **self._options)

    def hang_up(self) -> None:
        """The server is of no use: end every connection, and have none until `connect_aside`
        finds one that is. Whoever waits for an answer is told that it is lost.
        """
        self._dialer.hang_up()

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[WriteSession]:
        """A transaction that commits on exit, or leaves nothing behind."""
        async with self.sessions.begin() as session:
            session.info["clock_shift"] = self.clock_shift
            session.info["source"] = source.current()  # whom the audit log names
            yield WriteSession(ReadSession(session))
        loops = session.info.pop("wake", None)
        if loops:
            self.wake(loops)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[ReadSession]:
        """A READ ONLY transaction."""
        async with self.sessions() as session:
            session.info["clock_shift"] = self.clock_shift
            await session.connection(execution_options={"postgresql_readonly": True})
            yield ReadSession(session)

    async def ask(self, question: str, *values: object) -> Sequence[Mapping[str, Any]]:
        """The rows of one SELECT, written for the driver: `$1` is the first of `values`."""
        async with self.asking() as ask:
            return await ask(question, *values)

    @asynccontextmanager
    async def asking(self) -> AsyncIterator[Ask]:
        """The same for a few statements, each of which is a transaction by itself."""
        lent = await self.engine.raw_connection()
        driver: Any = lent.driver_connection

        async def ask(statement: str, *values: object) -> Sequence[Mapping[str, Any]]:
            with traced.asking(statement):
                rows: Sequence[Mapping[str, Any]] = await driver.fetch(statement, *values)
            return rows

        try:
            yield ask
        except asyncpg.PostgresError:  # an answer: the connection is as good as before
            lent.close()
            raise
        except BaseException:  # given up in the middle: nobody knows what comes next on it
            lent.invalidate()
            raise
        lent.close()

    async def write(self, work: Callable[[WriteSession], Awaitable[T]], *, turns: int = 1) -> T:
        """Run `work` in a transaction, again if it clashed with another one.

        For work that takes many locks at once, where a deadlock is a matter of luck: it must
        have no effect outside the transaction. `turns` says how often it waits for a free
        connection before it gives up.
        """
        clashes = 0
        while True:
            try:
                async with self.writing() as session:
                    return await work(session)
            except PoolTimeoutError:
                turns -= 1
                if turns <= 0:
                    raise
            except DBAPIError as error:
                clashes += 1
                if not _is_clash(error) or clashes == CLASH_RETRIES:
                    raise
                await asyncio.sleep(0.005 * 2**clashes)

    async def close(self) -> None:
        await self.engine.dispose()


async def transaction_time(session: ReadSession) -> datetime:
    """The database's time at which this transaction began."""
    now: datetime | None = session.info.get("now")
    if now is None:
        now = (await session.scalars(select(func.now()))).one() + session.info["clock_shift"]
        session.info["now"] = now
    return now


def wake_after_commit(session: WriteSession, loop: str) -> None:
    """Once this transaction has committed, let `loop` look for work at once."""
    session.info.setdefault("wake", set()).add(loop)


def _is_clash(error: DBAPIError) -> bool:
    return getattr(error.orig, "sqlstate", None) in CLASH


def _drop_if_read_only(context: ExceptionContext) -> None:
    """A server that takes no writes any more is as good as gone, and so is the whole pool."""
    connection = context.connection
    if getattr(context.original_exception, "sqlstate", None) != READ_ONLY or connection is None:
        return
    if not connection.get_execution_options().get("postgresql_readonly"):  # that error is ours
        context.is_disconnect = True


def _note_rest(_: object, record: ConnectionPoolEntry) -> None:
    record.info["rests_since"] = time.monotonic()


def _ping_after_rest(connection: Any, record: ConnectionPoolEntry, _: object) -> None:
    """Give out no connection that is known to be dead, and ask one that was idle for a while.

    A ping costs as much as a small statement: one that was just used need not be asked, and the
    bell says within seconds when the server itself is gone.
    """
    if connection.driver_connection.is_closed():
        raise InvalidatePoolError
    if time.monotonic() - record.info.get("rests_since", math.inf) > RESTED:
        try:
            connection.ping()
        except Exception as error:
            raise InvalidatePoolError from error


def _milliseconds(span: timedelta) -> str:
    return str(int(span.total_seconds() * 1000))


def was_refused(error: BaseException) -> bool:
    """Whether PostgreSQL itself said no to what `ask` sent it: then nothing of it has happened."""
    return isinstance(error, asyncpg.PostgresError) and not is_outage(error)


def is_crowded(error: BaseException) -> bool:
    """Whether an error says that every connection of the pool is at work."""
    return isinstance(error, PoolTimeoutError)


def is_outage(error: BaseException) -> bool:
    """Whether an error says that the database cannot be reached just now, not that we erred."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    # The driver's own error comes bare from connecting, wrapped from a statement.
    told = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(told, "sqlstate", None) or ""
    # 08: connection exception; 53: too many connections, out of memory or disk; 57P: shutdown.
    return state.startswith(("08", "53", "57P")) or isinstance(error, LOST)
