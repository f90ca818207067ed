"""HEAD says what GET would, wherever there is a GET."""

import re
from typing import Any

from tests.api.answers import STREAMS, send
from tests.world import Person, World

# Of every answer its own.
VARYING = {"x-request-id", "date"}
# What they say is measured anew for each answer, and its length is that of the figures.
MEASURED = {"/health", "/metrics"}


async def both(world: World, path: str, who: Person | None, **kw: Any) -> int:
    """The status of HEAD, which must be GET's with all of its headers and no body."""
    got = await send(world, "GET", path, who, **kw)
    head = await send(world, "HEAD", path, who, **kw)
    assert head.content == b"", path
    varying = VARYING | ({"content-length"} if path in MEASURED else set())
    assert "content-length" in head.headers or "content-length" not in got.headers, path
    told, asked = (
        {name: value for name, value in answer.headers.items() if name not in varying}
        for answer in (head, got)
    )
    assert told == asked, path
    assert head.status_code == got.status_code, path
    return head.status_code


async def test_every_address_that_can_be_read_tells_its_head(
    world: World, document: dict[str, Any]
) -> None:
    admin = await world.admin()
    number = (await world.declare(admin))["id"]
    paths = [path for path, methods in document["paths"].items() if "get" in methods]
    assert len(paths) > 30
    for path in paths:
        address = path.replace("{incident_id}", str(number)).replace("{user_id}", "me")
        address = re.sub(r"\{\w+\}", "1", address)
        status = await both(world, address, admin)
        assert status in (200, 404, 422, 503), path


async def test_who_may_not_read_gets_the_head_of_the_refusal(world: World) -> None:
    assert await both(world, "/v1/incidents", None) == 401
    assert await both(world, "/v1/auth/login/access-token", None) == 405


async def test_the_head_is_good_for_a_conditional_read(world: World) -> None:
    admin = await world.admin()
    path = f"/v1/incidents/{(await world.declare(admin))['id']}"
    tag = (await send(world, "HEAD", path, admin)).headers["etag"]
    assert await both(world, path, admin, headers={"If-None-Match": tag}) == 304


async def test_the_head_of_a_stream_ends(world: World) -> None:
    admin = await world.admin()
    for path in STREAMS:
        head = await world.client.head(path, headers=admin.headers)
        assert head.status_code == 200
        assert head.headers["content-type"].startswith("text/event-stream")
    assert set(world.service.feed.open_streams.values()) == {0}
