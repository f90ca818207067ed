"""What an alert leaves behind: bytes in each table and index, and in the log that is replicated.

    .venv/bin/python -m tests.failover.growth [ALERTS]

A complete service on a PostgreSQL of its own takes in alerts that each open a problem and page
once, then as many that join those problems, then as many that end them. What has grown in
between is divided by their number. Dead rows are counted, for they take room until the next
vacuum; bodies are about 450 bytes, as most tools' are.
"""

import json
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx

from tests.channels.servers import free_port
from tests.failover.load import Sink, await_that
from tests.failover.pair import DATABASE, SETTINGS
from tests.failover.server import HOST, USER, Programs, Server
from tests.process.service import Service

ADMIN = "admin@example.org", "correct horse battery"
SENDERS = 8
LOG = "WAL"
SIZES = """
SELECT json_object_agg(t.relname || ' ' || coalesce(i.relname, '(rows)'),
    CASE WHEN i.oid IS NULL THEN pg_table_size(t.oid) ELSE pg_relation_size(i.oid) END)
FROM pg_class t LEFT JOIN LATERAL (
    SELECT NULL::oid AS oid, NULL::name AS relname UNION ALL
    SELECT c.oid, c.relname FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid
    WHERE x.indrelid = t.oid
) i ON true
WHERE t.relkind IN ('r', 'p') AND t.relnamespace = 'public'::regnamespace
"""
WRITTEN = "SELECT pg_current_wal_insert_lsn() - '0/0'"
# What is still to be done for the alerts that are in.
OWED = "SELECT NOT EXISTS (SELECT FROM notifications WHERE status IN ('pending', 'sending'))"


class Measured:
    """The database of a running service."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def sizes(self) -> dict[str, int]:
        found: dict[str, int] = json.loads(self._server.ask(SIZES, DATABASE))
        return {**found, LOG: int(self._server.ask(WRITTEN))}

    def is_idle(self) -> bool:
        return self._server.ask(OWED, DATABASE) == "t"


def main() -> None:
    alerts = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    home = Path(tempfile.mkdtemp(prefix="tocsin-growth-"))
    home.chmod(0o755)
    with ExitStack() as endings:
        endings.callback(shutil.rmtree, home, ignore_errors=True)
        server = Server(Programs(home / "postgres"), home / "postgres" / "one", free_port())
        server.create()
        endings.callback(server.stop)
        server.start({**SETTINGS, "port": str(server.port)})
        server.ask(f"CREATE DATABASE {DATABASE}")
        sink = endings.enter_context(Sink())
        service = Service(
            home,
            DATABASE_URL=f"postgresql://{USER}@{HOST}:{server.port}/{DATABASE}",
            TOCSIN_FIRST_ADMIN_EMAIL=ADMIN[0],
            TOCSIN_FIRST_ADMIN_PASSWORD=ADMIN[1],
            TOCSIN_ALLOW_PRIVATE_TARGETS=f"{HOST}/32",
            TOCSIN_SERVICE_LIMIT="0",  # no storm: each alert pages by itself
        )
        endings.callback(service.end, signal.SIGTERM)
        key = _prepare(service, sink)
        measured = Measured(server)
        phases = {
            "opens": [_alert(n, "firing") for n in range(alerts)],
            "joins": [_alert(n, "firing") for n in range(alerts)],
            "ends": [_alert(n, "resolved") for n in range(alerts)],
        }
        found = {name: _grown(measured, service, key, sent) for name, sent in phases.items()}
    sys.stdout.write(_table(found, alerts))


def _prepare(service: Service, sink: Sink) -> str:
    """A policy that pages once, whose next step is far away; the key of a tool."""
    service.log_in(*ADMIN)
    page = {"delay_minutes": 0, "actions": [{"type": "webhook", "url": sink.url}]}
    later = {"delay_minutes": 600, "actions": [{"type": "notify", "target": "admins"}]}
    service.post("/v1/escalation/policies", {"name": "All", "steps": [page, later]})
    made = service.post("/v1/integrations", {"name": "scripts", "kind": "alerts"})
    return str(made["key"])


def _alert(number: int, status: str) -> dict[str, Any]:
    return {
        "title": f"Disk full on db{number}.eu-west.example.org",
        "description": f"/var/lib/postgresql is at 98 % on db{number} and grows by 1 % an hour.",
        "severity": "high",
        "service": "database",
        "status": status,
        "dedup_key": f"disk:db{number}.eu-west.example.org:/var",
        "url": "https://wiki.example.org/runbooks/disk-full",
        "tags": ["disk", "database", "eu-west"],
        "labels": {"host": f"db{number}", "team": "storage", "mount": "/var/lib/postgresql"},
    }


def _grown(
    measured: Measured, service: Service, key: str, alerts: Sequence[dict[str, Any]]
) -> dict[str, float]:
    """How many bytes each of these alerts left in each place."""
    before = measured.sizes()
    with httpx.Client(timeout=60, headers={"X-API-Key": key}) as http:

        def send(alert: dict[str, Any]) -> None:
            http.post(f"{service.url}/v1/webhooks/alerts", json=alert).raise_for_status()

        with ThreadPoolExecutor(SENDERS) as pool:
            list(pool.map(send, alerts))
    await_that(measured.is_idle, "the pages are not all out")
    after = measured.sizes()
    return {name: (after[name] - before.get(name, 0)) / len(alerts) for name in after}


def _table(found: dict[str, dict[str, float]], alerts: int) -> str:
    """Markdown: each table with its indexes, then every one of both; what grows most first."""
    whole = {name: _summed(grown) for name, grown in found.items()}
    head = f"Bytes an alert, over {alerts} alerts of each kind. The log is what is replicated."
    return "\n\n".join([head, _rows("table with its indexes", whole), _rows("each", found)]) + "\n"


def _summed(grown: dict[str, float]) -> dict[str, float]:
    summed = {"all tables": sum(size for name, size in grown.items() if name != LOG)}
    for name, size in grown.items():
        table = name.partition(" ")[0]
        summed[table] = summed.get(table, 0) + size
    return summed


def _rows(heading: str, found: dict[str, dict[str, float]]) -> str:
    names = {name for grown in found.values() for name, size in grown.items() if size >= 1}
    ordered = sorted(names, key=lambda name: -sum(grown[name] for grown in found.values()))
    lines = [f"| {heading} | " + " | ".join(found) + " |", "|---|" + "--:|" * len(found)]
    for name in ordered:
        sizes = " | ".join(f"{grown[name]:.0f}" for grown in found.values())
        lines.append(f"| {name} | {sizes} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
