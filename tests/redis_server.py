"""A real Redis of a test's own, on a free port of this machine; it keeps nothing on disk."""

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from typing import Self

from tests.absent import absent
from tests.channels.servers import free_port

PROGRAM = "redis-server"
PATIENCE = 20.0


class RedisServer:
    """One that may be killed, stopped and started again, where it was."""

    def __init__(self, *options: str) -> None:
        if shutil.which(PROGRAM) is None:
            absent(PROGRAM, PROGRAM)
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._options = options
        self._folder = tempfile.mkdtemp(prefix="tocsin-redis-")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [PROGRAM, "--bind", "127.0.0.1", "--port", str(self.port), "--dir", self._folder,
             "--save", "", "--appendonly", "no", "--daemonize", "no", *self._options],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                assert self._process.poll() is None, "redis-server ended"
                assert time.monotonic() < deadline, "redis-server does not listen"
                time.sleep(0.02)
            else:
                return

    def kill(self) -> None:
        """As a machine that loses its power."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(PATIENCE)

    def hang(self) -> None:
        """It is there, its connections are open, and it says nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)
