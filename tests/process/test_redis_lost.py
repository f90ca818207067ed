"""Two replicas at work while their Redis is killed, restarted and frozen: nobody notices but the
log, `/health`, and who counts how far a quota goes."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.process.service import PATIENCE, Service
from tests.redis_server import RedisServer

pytestmark = pytest.mark.stress

ADMIN, PASSWORD = "admin@example.org", "the-admin-password"
ENOUGH = 40  # answers of each replica in every state of the Redis


@contextmanager
def replicas(folder: Path, url: str, redis: RedisServer, **chosen: str) -> Iterator[list[Service]]:
    made: list[Service] = []
    try:
        for _ in range(2):
            made.append(
                Service(
                    folder,
                    DATABASE_URL=url,
                    REDIS_URL=redis.url,
                    TOCSIN_SECRET_KEY="one key for both of the replicas",
                    TOCSIN_FIRST_ADMIN_EMAIL=ADMIN,
                    TOCSIN_FIRST_ADMIN_PASSWORD=PASSWORD,
                    **chosen,
                )
            )
            made[-1].log_in(ADMIN, PASSWORD)
        yield made
    finally:
        for service in made:
            service.end()


class Load:
    """Somebody who reads and writes without a pause, and notes every answer."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.answers: Counter[int | str] = Counter()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        body = {"title": "Disk full", "severity": "low", "service": "database"}
        headers = dict(self.service.http.headers)
        with httpx.Client(base_url=self.service.url, headers=headers, timeout=10) as client:
            while not self._is_over.is_set():
                for call in (
                    lambda: client.get("/v1/incidents"),
                    lambda: client.post("/v1/incidents", json=body),
                ):
                    try:
                        self.answers[call().status_code] += 1
                    except httpx.HTTPError as error:
                        self.answers[type(error).__name__] += 1

    def end(self) -> None:
        self._is_over.set()
        self._thread.join(PATIENCE)


def wait_until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, f"never came: {what}"
        time.sleep(0.05)


def test_a_redis_that_is_lost_under_load_costs_no_request(
    empty_database_url: str, data_dir: Path
) -> None:
    generous = {
        "TOCSIN_RATE_LIMIT_WRITES": "1000000/hour",
        "TOCSIN_RATE_LIMIT_READS": "1000000/hour",
    }
    with (
        RedisServer() as redis,
        replicas(data_dir, empty_database_url, redis, **generous) as both,
    ):
        loads = [Load(service) for service in both]

        def await_state(expected: str) -> None:
            for load in loads:
                wait_until(
                    lambda: load.service.get("/health")["redis"]["state"] == expected,  # noqa: B023
                    expected,
                )
            until = [sum(load.answers.values()) + ENOUGH for load in loads]
            for load, number in zip(loads, until, strict=True):
                wait_until(lambda: sum(load.answers.values()) >= number, "answers")  # noqa: B023

        try:
            await_state("ok")
            for lose, find in ((redis.kill, redis.start), (redis.hang, redis.go_on)):
                lose()
                await_state("lost")
                assert all(load.service.http.get("/ready").status_code == 200 for load in loads)
                find()
                await_state("ok")
        finally:
            redis.go_on()
            for load in loads:
                load.end()
        for load in loads:
            assert load.answers.keys() == {200, 201}, load.answers
            log = load.service.log.read_text()
            assert log.count("redis.lost") >= 2
            assert log.count("redis.back") >= 2
            assert "Traceback" not in log


def test_a_quota_is_one_for_processes_too(empty_database_url: str, data_dir: Path) -> None:
    few = {"TOCSIN_RATE_LIMIT_WRITES": "20/hour"}
    with RedisServer() as redis, replicas(data_dir, empty_database_url, redis, **few) as both:
        found = [service.http.post("/v1/incidents", json={}).status_code for service in both * 15]
        assert Counter(found) == {422: 20, 429: 10}
        assert found[:20] == [422] * 20
