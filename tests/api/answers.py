"""What tests of the API share: how a refusal looks, and how long a race may take."""

from typing import Any

import httpx

from tests.world import Person, World

STREAMS = ("/v1/stream", "/v1/public/stream")


def refusal(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The details of a refusal, which must be whole and of this kind."""
    assert response.status_code == status, response.text
    body = response.json()
    assert set(body) == {"code", "message", "request_id", "details"}
    assert body["code"] == code, body
    assert body["message"]
    assert body["request_id"] == response.headers["x-request-id"]
    details: dict[str, Any] = body["details"]
    return details


async def send(
    world: World, method: str, path: str, who: Person | None = None, **kw: Any
) -> httpx.Response:
    headers = {**(who.headers if who else {}), **kw.pop("headers", {})}
    if path in STREAMS:
        path += "?follow=false"  # here an answer is read as a whole, and theirs has no end
    return await world.client.request(method, path, headers=headers, **kw)


async def refused(
    world: World,
    method: str,
    path: str,
    who: Person | None,
    status: int,
    code: str,
    **kw: Any,
) -> dict[str, Any]:
    """The details with which a call is refused."""
    return refusal(await send(world, method, path, who, **kw), status, code)


async def faulty(
    world: World, method: str, path: str, who: Person | None, **kw: Any
) -> dict[str, str]:
    """The faults found in a request, as messages by path."""
    details = await refused(world, method, path, who, 422, "VALIDATION_ERROR", **kw)
    return {fault["path"]: fault["message"] for fault in details["errors"]}
