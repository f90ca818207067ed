"""Every request has an id: the caller's if it is harmless, else one of ours."""

import re

import pytest

from tests.api.answers import send
from tests.api.logs import logged
from tests.world import World

OURS = re.compile("[0-9a-f]{32}")
PATHS = ["/", "/health", "/ready", "/docs", "/openapi.json", "/static/tocsin.css", "/a/x", "/nope"]


async def test_every_answer_has_an_id_and_the_safe_headers(world: World) -> None:
    paths = [*PATHS, "/v1/incidents", "/docs/", "/v1/incidents/"]
    met = set()
    for path in paths:
        answer = await send(world, "GET", path)
        assert OURS.fullmatch(answer.headers["x-request-id"]), path
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "no-referrer"
        met.add(answer.headers["x-request-id"])
    assert len(met) == len(paths)


@pytest.mark.parametrize(
    "offered",
    ["a", "01K9ZQ8W7N3T5R0Y2V4X6A8C1E", "trace/1:2+3=4@host.example-1", "x" * 128],
)
async def test_a_harmless_id_is_kept(world: World, offered: str) -> None:
    answer = await send(world, "GET", "/nope", headers={"X-Request-ID": offered})
    assert answer.headers["x-request-id"] == offered == answer.json()["request_id"]


@pytest.mark.parametrize(
    "offered",
    [
        b"",
        b" ",
        b"two words",
        b"x" * 129,
        b"x" * 1000,
        b"line\nbreak",
        b"line\r\nSet-Cookie: x=y",
        b"tab\there",
        b"quote\"'",
        b"<script>",
        b"\x00",
        "🔔".encode(),
        "é".encode("latin-1"),
    ],
)
async def test_a_hostile_id_is_replaced(world: World, offered: bytes) -> None:
    headers = {b"X-Request-ID": offered}
    answer = await send(world, "GET", "/nope", headers=headers)
    assert OURS.fullmatch(answer.headers["x-request-id"])
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert "set-cookie" not in answer.headers


async def test_every_request_is_one_line_in_the_log_under_its_id(world: World) -> None:
    with logged("info") as log:
        answer = await send(world, "GET", "/health?x=1", headers={"X-Request-ID": "mine-1"})
    (line,) = log.of("request")
    assert (line["method"], line["path"], line["status"]) == ("GET", "/health", 200)
    assert line["request_id"] == "mine-1" == answer.headers["x-request-id"]
    assert line["duration_ms"] >= 0


async def test_an_id_does_not_stay_for_what_is_logged_after_it(world: World) -> None:
    with logged("info") as log:
        await send(world, "GET", "/health", headers={"X-Request-ID": "first"})
        await send(world, "GET", "/health")
    first, second = log.of("request")
    assert first["request_id"] == "first" != second["request_id"]
