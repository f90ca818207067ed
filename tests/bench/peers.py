"""Beside a peer: Alerta from its package, on the same PostgreSQL, by the same load generator.

Alerta answers after its row is durable, as Tocsin does; the others that can be installed either
keep nothing (Alertmanager) or answer before they have written (Grafana OnCall, Keep).
"""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from sqlalchemy import make_url

from tests.bench.figures import Figure
from tests.bench.ground import Bench, Load
from tests.bench.ingest import CLIENTS, alerts_of, lua, median
from tests.bench.lists import list_of_50

PACKAGES = ("alerta-server==9.1.0", "gunicorn==23.0.0", "psycopg2-binary==2.9.13")
PORT = 18_980
PATIENCE = 60.0
BODY = (
    '{"environment":"Production","resource":"db-%s","event":"DiskFull","severity":"major",'
    '"service":["%s"],"group":"Storage","value":"97%%","text":"The volume'
    ' /var/lib/postgresql is at 97 percent and fills at 1.2 GB an hour.",'
    '"tags":["disk","storage"],"attributes":{"region":"eu-1","team":"storage"},'
    '"origin":"bench","type":"bench"}'
)


async def measure(bench: Bench) -> list[Figure]:
    """Alerts a second and lists of 50 a second, of both, in alternating rounds."""
    alerta_url, tocsin_url = await bench.new_database(migrate=False), await bench.new_database()
    with _alerta(bench, alerta_url) as alerta, bench.service(tocsin_url) as tocsin:
        key = alerts_of(tocsin)
        theirs, ours, their_lists, our_lists = [], [], [], []
        for turn in range(bench.rounds):
            body = BODY % (f'{turn}-" .. seed .. n .. "', '" .. (n % 50) .. "')
            script = lua(body, "Content-Type", "application/json")
            theirs.append(bench.wrk(f"{alerta}/alert", script, connections=CLIENTS))
            ours.append(
                bench.wrk(f"{tocsin.url}/v1/webhooks/alerts", key.script, connections=CLIENTS)
            )
            their_lists.append(bench.wrk(f"{alerta}/alerts?page-size=50", "", connections=CLIENTS))
            our_lists.append(list_of_50(bench, tocsin))
            for name, load in (("Alerta", theirs[-1]), ("Tocsin", ours[-1])):
                bench.say(f"{name}: {load.per_second:.0f} alerts/s, p99 {load.p99_ms:.0f} ms")
    return [
        _beside("ingest_beside_alerta", "alerts/s", "distinct alerts", ours, theirs),
        _beside("list_beside_alerta", "lists/s", "lists of 50", our_lists, their_lists),
    ]


def _beside(name: str, unit: str, what: str, ours: list[Load], theirs: list[Load]) -> Figure:
    return Figure(name, median(ours).per_second, unit, what,
                  limit=median(theirs).per_second,
                  limit_is=f"Alerta 9.1.0 (gunicorn, 2 workers), {CLIENTS} clients",
                  goal=1.0)  # fmt: skip


@contextmanager
def _alerta(bench: Bench, url: str) -> Iterator[str]:
    """A running Alerta on that database; its packages are installed the first time."""
    at = make_url(url)
    folder = bench.folder / "alerta"
    bench.say("installing Alerta …")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    pip = [str(folder / "bin/python"), "-m", "pip", "install", "--quiet", "--quiet"]
    subprocess.run([*pip, "--disable-pip-version-check", *PACKAGES], check=True)
    settings = folder / "alertad.conf"
    dsn = (
        f"postgresql://{at.username}@/{at.database}?host={at.query['host']}&port={at.query['port']}"
    )
    settings.write_text(f"DATABASE_URL = {dsn!r}\nDATABASE_NAME = {at.database!r}\n"
                        "SECRET_KEY = 'of the bench'\nPLUGINS = []\n")  # fmt: skip
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [str(folder / "bin/gunicorn"), "-w", "2", "-b", f"127.0.0.1:{PORT}",
             "--log-level", "error", "wsgi:app"],
            cwd=_wsgi(folder), stdout=log, stderr=subprocess.STDOUT,
            env={"ALERTA_SVR_CONF_FILE": str(settings), "PATH": "/usr/bin:/bin"},
        )  # fmt: skip
    try:
        _await(f"http://127.0.0.1:{PORT}/management/healthcheck", folder / "log")
        yield f"http://127.0.0.1:{PORT}"
    finally:
        process.terminate()
        process.wait(PATIENCE)
        shutil.rmtree(folder, ignore_errors=True)


def _wsgi(folder: Path) -> Path:
    (folder / "wsgi.py").write_text("from alerta import create_app\n\napp = create_app()\n")
    return folder


def _await(url: str, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            if httpx.get(url, timeout=5).status_code < 500:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise RuntimeError(f"Alerta does not answer: {log.read_text()[-2000:]}")
