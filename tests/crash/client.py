"""Asks the replicas as the world does: whoever answers will do, and what is not answered is
asked again.

A refused connection, a time-out, 5xx and 429 say nothing about what became of a request; it
may have been done. Any other refusal would be the same for ever.
"""

import asyncio
import itertools
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx

TIMEOUT = 10.0
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 4.0  # a tool that hammered would be the fault itself


class RefusedError(Exception):
    """An answer that no repetition can change."""


@dataclass(frozen=True)
class Reply:
    """What was answered in the end, when, and at which try."""

    body: Any
    came_at: float
    tries: int


class Client:
    """A caller of all replicas."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._urls = itertools.cycle(urls)
        self._http = httpx.AsyncClient(
            timeout=TIMEOUT, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0)
        )
        self.bearer: dict[str, str] = {}

    async def close(self) -> None:
        await self._http.aclose()

    async def log_in(self, email: str, password: str) -> None:
        body = {"username": email, "password": password}
        answer = await self.ask("POST", "/v1/auth/login/access-token", json=body)
        self.bearer = {"Authorization": f"Bearer {answer.body['access_token']}"}

    async def ask(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, **given: Any
    ) -> Reply:
        """The answer, whenever there is one."""
        for tries in itertools.count(1):
            try:
                answer = await self._http.request(
                    method, next(self._urls) + path, headers=headers or self.bearer, **given
                )
            except httpx.TransportError:
                await _pause(tries)
                continue
            came_at = time.time()
            if answer.status_code < 300:
                return Reply(answer.json() if answer.content else None, came_at, tries)
            if answer.status_code < 500 and answer.status_code != 429:
                raise RefusedError(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
            await _pause(tries)
        raise AssertionError("unreachable")


async def _pause(tries: int) -> None:
    ceiling = min(FIRST_PAUSE * 2**tries, LONGEST_PAUSE)
    await asyncio.sleep(random.uniform(FIRST_PAUSE, ceiling))
