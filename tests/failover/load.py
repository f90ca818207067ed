"""What stands on both sides of the service while its database fails: a tool that does not give
up, and a sink that writes everything down. What should have happened is known from them alone.
"""

import json
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Self

import httpx

PATIENCE = 120.0


class Wide(ThreadingHTTPServer):
    request_queue_size = 256  # many pages may leave at the same instant


class Sink:
    """Takes every page, and keeps under which marks the page for an incident's title came."""

    def __init__(self) -> None:
        self.marks: dict[str, set[str]] = defaultdict(set)
        self.arrivals = 0
        lock = threading.Lock()
        sink = self

        class Door(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                with lock:
                    sink.arrivals += 1
                    sink.marks[body["data"]["incident"]["title"]].add(self.headers["webhook-id"])
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = Wide(("127.0.0.1", 0), Door)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class Feed:
    """Alerts, one problem each, sent to one replica after the other until one says 2xx."""

    def __init__(self, urls: Sequence[str], key: str, *, senders: int = 4) -> None:
        self.accepted: dict[str, float] = {}  # the problem's name, and when it was taken in
        self.refusals: Counter[int | str] = Counter()  # everything that was not 2xx
        self._urls = urls
        self._key = key
        self._names = count()
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._send) for _ in range(senders)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def await_more(self, number: int = 40) -> None:
        """Until so many more have been taken in."""
        goal = len(self.accepted) + number
        await_that(lambda: len(self.accepted) >= goal, f"only {self.accepted} were taken in")

    def _send(self) -> None:
        with httpx.Client(timeout=3, headers={"X-API-Key": self._key}) as http:
            while not self._over.is_set():
                self._insist(http, f"problem {next(self._names)}")

    def _insist(self, http: httpx.Client, name: str) -> None:
        """Send it until it is taken in, even if the feed is over by then."""
        began = time.monotonic()
        for attempt in count():
            assert time.monotonic() - began < PATIENCE, f"{name} was never taken in"
            url = self._urls[attempt % len(self._urls)]
            try:
                answer = http.post(
                    f"{url}/v1/webhooks/alerts", json={"title": name, "dedup_key": name}
                )
            except httpx.TransportError as error:
                self.refusals[type(error).__name__] += 1
                continue
            if answer.is_success:
                self.accepted[name] = time.monotonic()
                return
            self.refusals[answer.status_code] += 1
            time.sleep(0.1)


def await_that(is_so: Callable[[], bool], otherwise: str) -> float:
    """Wait for it; how many seconds that took."""
    began = time.monotonic()
    while not is_so():
        assert time.monotonic() - began < PATIENCE, otherwise
        time.sleep(0.02)
    return time.monotonic() - began
