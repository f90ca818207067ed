"""Two real PostgreSQL servers, the standby following the primary synchronously, and their faults.

A commit is answered once both have it on record (`synchronous_commit = on`): the standby is never
read from, so nobody need wait until it has also replayed it (`remote_apply`). Who takes over
follows nobody at first, as under Patroni: commits would wait for a standby that is gone.
"""

import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

from tests.channels.servers import free_port
from tests.failover.server import HOST, USER, Programs, Server

DATABASE = "tocsin"
SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "timezone": "UTC",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "wal_keep_size": "128MB",
    "synchronous_commit": "on",
    "fsync": "off",  # a process that is killed loses nothing that it gave to the kernel
}
IS_FOLLOWED = "SELECT count(*) > 0 FROM pg_stat_replication WHERE sync_state = 'sync'"


class Pair:
    """A primary and its synchronous standby; either may have either part."""

    def __init__(self, home: Path, *, settings: Mapping[str, str] | None = None) -> None:
        programs = Programs(home)
        self._settings = {**SETTINGS, **(settings or {})}
        self.primary, self.standby = (
            Server(programs, home / name, free_port()) for name in ("one", "two")
        )
        ports = self.primary.port, self.standby.port
        hosts = ",".join(f"{HOST}:{port}" for port in ports)
        self.url = f"postgresql://{USER}@{hosts}/{DATABASE}"
        self.faults: Mapping[str, Callable[[], None]] = {
            "primary killed": self.kill_primary,
            "primary hangs": self.hang_primary,
            "primary takes no writes": self.close_primary,
        }

    def start(self) -> Self:
        """Both servers, with one empty database, and commits that wait for both."""
        self.primary.create()
        self._run(self.primary)
        self.primary.ask(f"CREATE DATABASE {DATABASE}")
        self._follow()
        return self

    def stop(self) -> None:
        for server in (self.standby, self.primary):
            server.stop()

    def kill_primary(self) -> None:
        """Every process of it at once, as when a machine loses power."""
        self.primary.signal(signal.SIGKILL)

    def hang_primary(self) -> None:
        """It stands still with all its connections open, as a machine does that is starved."""
        self.primary.signal(signal.SIGSTOP)

    def close_primary(self) -> None:
        """It goes on answering, also on the connections it has, but takes no more writes."""
        self.primary.configure("default_transaction_read_only", "on")

    def lag(self) -> None:
        """Replication becomes asynchronous, and the standby falls behind: nothing reaches it."""
        self.primary.configure("synchronous_standby_names", "")
        self.standby.stop()

    def wake_standby(self) -> None:
        """The standby is back, with what it has."""
        self._run(self.standby)

    def promote(self) -> None:
        """The standby becomes the primary; returns once it takes writes."""
        self.standby.configure("synchronous_standby_names", "")
        self.standby.promote()
        self.primary, self.standby = self.standby, self.primary

    def rejoin(self) -> None:
        """Whatever is left of the old primary goes; in its place comes a standby, a fresh copy."""
        self.standby.stop()
        self._follow()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _follow(self) -> None:
        self.standby.copy_from(self.primary)
        self._run(self.standby)
        self.primary.configure("synchronous_standby_names", self.standby.name)
        self.primary.wait_until(IS_FOLLOWED)

    def _run(self, server: Server) -> None:
        server.start({**self._settings, "port": str(server.port)})
