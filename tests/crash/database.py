"""The PostgreSQL of a run: a real server with its durability on, and what is done to it."""

import asyncio
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import asyncpg

from app.db.embedded import EmbeddedPostgres
from tests.crash.plan import Break, DatabaseFault

NAME = "tocsin"
CUT = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = $1 AND pid <> pg_backend_pid() ORDER BY random() LIMIT $2
"""
SOMEBODY = """
    SELECT pid FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid() LIMIT 1
"""
UNIQUE = """
    SELECT conrelid::regclass::text, conname FROM pg_constraint
    WHERE contype = 'u' AND conrelid IN
        ('notifications'::regclass, 'escalation_events'::regclass, 'webhook_deliveries'::regclass)
"""
KEEP_LEASES = """
    CREATE FUNCTION keep_lease() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN NEW.ready_at := NEW.ready_at + interval '1 day'; RETURN NEW; END $$;
    CREATE TRIGGER keep_lease BEFORE UPDATE ON notifications FOR EACH ROW
        WHEN (NEW.status = 'sending' AND OLD.status <> 'sending') EXECUTE FUNCTION keep_lease();
    CREATE TRIGGER keep_lease BEFORE UPDATE ON webhook_deliveries FOR EACH ROW
        WHEN (NEW.status = 'sending' AND OLD.status <> 'sending') EXECUTE FUNCTION keep_lease()
"""
# Of what was tried before and was not taken. A lease is left alone: it has to run out.
PASS_TIME = """
    UPDATE webhook_deliveries SET ready_at = now()
    WHERE status = 'pending' AND attempts > 0 AND ready_at > now()
"""


class TheDatabase:
    """A server of our own that is hurt as planned, and always brought back."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # Killed replicas leave sessions behind for a moment: there is room for all of them.
        self._server = EmbeddedPostgres(folder, settings={"max_connections": "250"})

    @property
    def url(self) -> str:
        return self._server.url(NAME)

    def start(self) -> None:
        self._server.start()
        self._server.ensure_database(NAME)

    def stop(self) -> None:
        self._server.start()  # whatever state a run broke off in
        self._server.stop()

    async def suffer(self, planned: Break) -> tuple[float, float]:
        """Do what is planned; from when to when it lasted."""
        began = time.time()
        match planned.fault:
            case DatabaseFault.CUT:
                await self._ask(CUT, NAME, int(planned.amount))
            case DatabaseFault.BACKEND:
                for (pid,) in await self._ask(SOMEBODY, NAME):
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                await asyncio.to_thread(self._server.start)
            case DatabaseFault.RESTART:
                await self._restart(signal.SIGINT, planned.amount)
            case DatabaseFault.CRASH:
                await self._restart(signal.SIGQUIT, planned.amount)
        return began, time.time()

    async def pass_time(self) -> None:
        """Let the hours pass that lie between the attempts to reach a subscription."""
        await self._ask(PASS_TIME)

    async def lose_unique_keys(self) -> None:
        """Part of a planted bug: a page, a step or a delivery can be made twice."""
        for table, name in await self._ask(UNIQUE):
            await self._ask(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')

    async def keep_leases(self) -> None:
        """A planted bug: nobody ever takes over what a sender had when it died."""
        for statement in KEEP_LEASES.split(";\n"):
            await self._ask(statement)

    async def _restart(self, signum: int, pause: float) -> None:
        pid = int((self._folder / "postgres" / "postmaster.pid").read_text().split("\n")[0])
        with suppress(ProcessLookupError):
            os.kill(pid, signum)
        await asyncio.sleep(pause)
        await asyncio.to_thread(self._server.start)

    async def _ask(self, statement: str, *values: object) -> list[asyncpg.Record]:
        url = self.url.replace("postgresql+asyncpg://", "postgresql://")
        connection = await asyncpg.connect(url)
        try:
            found: list[asyncpg.Record] = await connection.fetch(statement, *values)
        finally:
            await connection.close()
        return found
