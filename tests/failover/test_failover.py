"""The primary fails under load and the standby takes over: nothing lost, nothing paged twice.

Two complete replicas on a synchronously replicated pair, found through a URL with both hosts.
What had to happen is known from the tool that sent and the sink that received.
"""

import logging
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.failover.load import Feed, Sink, await_that
from tests.failover.pair import Pair
from tests.process.service import Service

log = logging.getLogger(__name__)
pytestmark = [pytest.mark.crash, pytest.mark.timeout(600)]

ADMIN = "admin@example.org", "correct horse battery"
SETTINGS = {
    "TOCSIN_SECRET_KEY": "a secret key that both of the replicas know",
    "TOCSIN_FIRST_ADMIN_EMAIL": ADMIN[0],
    "TOCSIN_FIRST_ADMIN_PASSWORD": ADMIN[1],
    "TOCSIN_ALLOW_PRIVATE_TARGETS": "127.0.0.1/32",
    "TOCSIN_SERVICE_LIMIT": "0",  # no storm: each alert pages by itself
}
FAULTS = ["primary killed", "primary hangs", "primary takes no writes"]


@pytest.fixture
def pair(data_dir: Path) -> Iterator[Pair]:
    pair = Pair(data_dir / "postgres")
    try:
        yield pair.start()
    finally:
        pair.stop()


@pytest.fixture
def replicas(pair: Pair, data_dir: Path) -> Iterator[list[Service]]:
    started: list[Service] = []
    try:
        for name in ("left", "right"):
            (data_dir / name).mkdir()
            started.append(Service(data_dir / name, DATABASE_URL=pair.url, **SETTINGS))
            started[-1].log_in(*ADMIN)
        yield started
    finally:
        for replica in started:
            replica.end(signal.SIGKILL)


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as sink:
        yield sink


@pytest.fixture
def feed(replicas: list[Service], sink: Sink) -> Feed:
    """Alerts that owe one page each, to the sink."""
    step = {"delay_minutes": 0, "actions": [{"type": "webhook", "url": sink.url}]}
    replicas[0].post("/v1/escalation/policies", {"name": "All", "steps": [step]})
    made = replicas[0].post("/v1/integrations", {"name": "scripts", "kind": "alerts"})
    return Feed([replica.url for replica in replicas], made["key"])


@pytest.mark.parametrize("fault", FAULTS)
def test_no_alert_and_no_page_is_lost_or_doubled(
    fault: str, pair: Pair, replicas: list[Service], sink: Sink, feed: Feed
) -> None:
    with feed:
        feed.await_more()
        pair.faults[fault]()
        noticed = [await_that(lambda r=r: not _is_ready(r), "still ready") for r in replicas]
        pair.promote()
        found = [await_that(lambda r=r: _is_ready(r), "never ready again") for r in replicas]
        feed.await_more()
        pair.rejoin()
        feed.await_more()
    drained = await_that(lambda: sink.marks.keys() >= feed.accepted.keys(), "a page is lost")
    log.info("%s: noticed after %s s, served again after %s s", fault, noticed, found)
    log.info("all %d paged after %s s; refused: %s", sink.arrivals, drained, feed.refusals)

    assert set(feed.refusals) <= {503, "ReadTimeout"}
    assert _opened(replicas[1]) == Counter(feed.accepted.keys())
    assert {name: marks for name, marks in sink.marks.items() if len(marks) > 1} == {}
    for replica in replicas:
        said = replica.log.read_text()
        assert "Traceback" not in said, said[said.index("Traceback") - 500 :][:8000]


def test_an_asynchronous_standby_loses_what_was_answered(
    pair: Pair, replicas: list[Service], feed: Feed
) -> None:
    """Why docs/scaling.md insists; and the check above is not blind."""
    with feed:
        feed.await_more()
        pair.lag()
        feed.await_more()
    pair.kill_primary()
    pair.wake_standby()
    pair.promote()
    await_that(lambda: _is_ready(replicas[0]), "never ready again")
    lost = Counter(feed.accepted.keys()) - _opened(replicas[0])
    assert len(lost) >= 40


def _is_ready(replica: Service) -> bool:
    try:
        return replica.http.get("/ready").status_code == 200
    except httpx.TimeoutException:
        return False  # which is how a load balancer sees it


def _opened(replica: Service) -> Counter[str]:
    """How many incidents each problem has."""
    titles: Counter[str] = Counter()
    page: str | None = ""
    while page is not None:
        listed = replica.get(f"/v1/incidents?per_page=100{page}")
        titles.update(item["title"] for item in listed["items"])
        page = f"&cursor={listed['next_cursor']}" if listed["next_cursor"] else None
    return titles
