"""Keeps the embedded server up while a service uses it: one that was killed is started again.

A thread knocks at the server's socket, which costs next to nothing; only when nobody opens does
it ask for a start, which waits for recovery and is safe beside other processes' keepers.
"""

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import make_url

from app.db.embedded import PORT, EmbeddedPostgres, EmbeddedPostgresError

log = logging.getLogger(__name__)

KNOCK_EVERY = 1.0
PATIENCE = 5.0


@contextmanager
def kept_up(server: EmbeddedPostgres) -> Iterator[None]:
    """While this lasts, a server that dies comes back."""
    is_over = threading.Event()
    thread = threading.Thread(target=_keep, args=(server, is_over), name="keeper", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def _keep(server: EmbeddedPostgres, is_over: threading.Event) -> None:
    host = make_url(server.url()).query["host"]
    door = Path(str(host)) / f".s.PGSQL.{PORT}"
    while not is_over.wait(KNOCK_EVERY):
        if _opens(door):
            continue
        log.error("postgres.died")
        try:
            server.start()
        except EmbeddedPostgresError as error:
            log.exception("postgres.not_revived", extra={"error": str(error)})
        else:
            log.warning("postgres.revived")


def _opens(door: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as knock:
        knock.settimeout(PATIENCE)
        try:
            knock.connect(str(door))
        except OSError:
            return False
    return True
