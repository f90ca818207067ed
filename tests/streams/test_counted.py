"""Streams among the figures: open ones are counted, and none passes for an answer of hours."""

import asyncio
from types import SimpleNamespace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.api import middleware
from tests.api.logs import logged
from tests.streams.listening import PATIENCE, Stage, listening
from tests.streams.test_websocket import connected, heard

OPEN, REQUESTS = "tocsin_streams_open", "tocsin_http_request_seconds"


class Ticks:
    """A clock that only a test moves."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


async def figures(stage: Stage, name: str, label: str) -> dict[str, float]:
    """The samples of this name, by one of their labels."""
    answer = await stage.http.get("/metrics")
    return {
        sample.labels[label]: sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if sample.name == name
    }


async def counted(stage: Stage, name: str, label: str, key: str) -> float:
    """A figure, once it is there: the server is done with a stream after its reader is."""
    async with asyncio.timeout(PATIENCE):
        while key not in (found := await figures(stage, name, label)):
            await asyncio.sleep(0.005)
    return found[key]


async def until_open(stage: Stage, sse: int, websocket: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while await figures(stage, OPEN, "transport") != {"sse": sse, "websocket": websocket}:
            await asyncio.sleep(0.005)


async def test_open_streams_are_counted_by_how_they_are_told(stage: Stage) -> None:
    admin = await stage.world.admin()
    await until_open(stage, 0, 0)
    async with (
        listening(stage.http, headers=admin.headers),
        listening(stage.http, "/v1/public/stream"),
        connected(stage, headers=admin.headers) as socket,
    ):
        assert (await heard(socket))["type"] == "ready"
        await until_open(stage, 2, 1)
    await until_open(stage, 0, 0)
    refused = await stage.http.get("/v1/stream")
    assert refused.status_code == 401
    await until_open(stage, 0, 0)


@pytest.mark.parametrize("path", ["/v1/stream", "/v1/public/stream"])
async def test_the_life_of_a_stream_is_no_answers_duration(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """It is open for an hour by the clock that requests are timed with."""
    admin = await stage.world.admin()
    ticks = Ticks()
    monkeypatch.setattr(middleware, "time", SimpleNamespace(perf_counter=ticks))
    with logged("info") as log:
        async with listening(stage.http, path, headers=admin.headers):
            await stage.joined(1)
            ticks.now += 3_600
        assert await counted(stage, f"{REQUESTS}_count", "route", path) == 1
        assert await counted(stage, f"{REQUESTS}_sum", "route", path) == 0
        [line] = [line for line in log.of("request") if line["path"] == path]
    assert (line["status"], line["duration_ms"], line["stream_seconds"]) == (200, 0, 3_600)


async def test_an_ordinary_answer_is_timed_to_its_end(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(middleware, "time", SimpleNamespace(perf_counter=Ticks()))
    with logged("info") as log:
        refused = await stage.http.get("/v1/stream")
        assert refused.status_code == 401
        [line] = [line for line in log.of("request") if line["path"] == "/v1/stream"]
    assert "stream_seconds" not in line
