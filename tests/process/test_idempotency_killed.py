"""A service that is killed in the middle of a request leaves the request's key unused."""

import asyncio
import signal
import threading
from pathlib import Path

import asyncpg
import httpx
import pytest

from tests.conftest import plain
from tests.process.service import Service, run

pytestmark = pytest.mark.crash

EMAIL, PASSWORD = "ana@example.org", "correct horse battery"
KEYED = {"Idempotency-Key": "once"}
HOLDERS = """
    SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND pid IN
    (SELECT pid FROM pg_locks WHERE NOT granted)
"""
DOERS = "SELECT count(*) FROM timeline_events WHERE event_type = 'escalated'"


def _serve(data_dir: Path, url: str) -> Service:
    service = Service(
        data_dir, DATABASE_URL=url, TOCSIN_FIRST_ADMIN_EMAIL=EMAIL,
        TOCSIN_FIRST_ADMIN_PASSWORD=PASSWORD,
    )  # fmt: skip
    service.log_in(EMAIL, PASSWORD)
    return service


async def test_what_a_killed_process_began_can_be_asked_for_again(
    data_dir: Path, empty_database_url: str
) -> None:
    assert run(data_dir, "migrate", DATABASE_URL=empty_database_url).returncode == 0
    killed = _serve(data_dir, empty_database_url)
    body = {"title": "Disk full", "severity": "high", "service": "database"}
    path = f"/v1/incidents/{killed.post('/v1/incidents', body)['id']}/escalate"
    watch = await asyncpg.connect(plain(empty_database_url))
    holder = await asyncpg.connect(plain(empty_database_url))
    try:
        held = holder.transaction()
        await held.start()
        await holder.execute("SELECT 1 FROM incidents FOR UPDATE")

        def ask() -> None:
            with pytest.raises(httpx.TransportError):
                killed.http.post(path, headers=KEYED, timeout=60)

        asking = threading.Thread(target=ask)
        asking.start()
        while not await watch.fetch(HOLDERS):
            await asyncio.sleep(0.02)
        killed.end(signal.SIGKILL)
        asking.join(30)
        await held.rollback()  # PostgreSQL notices that nobody is there any more
        while await watch.fetchval(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1"
        ):
            await asyncio.sleep(0.02)
        assert await watch.fetchval("SELECT count(*) FROM idempotency_keys") == 0
        assert await watch.fetchval(DOERS) == 0

        heir = await asyncio.to_thread(_serve, data_dir, empty_database_url)
        try:
            first = heir.http.post(path, headers=KEYED)
            assert (first.status_code, "idempotency-replayed" in first.headers) == (200, False)
            again = heir.http.post(path, headers=KEYED)
            assert (again.status_code, again.headers["idempotency-replayed"]) == (200, "true")
            assert again.json() == first.json()
            assert await watch.fetchval(DOERS) == 1
        finally:
            heir.end()
    finally:
        await holder.close()
        await watch.close()
