"""The Redis or Valkey that replicas share, if there is one: what it knows makes things faster or
fairer, and nothing needs it.

Nobody waits for it longer than `PATIENCE`. After a few failures in a row it is left alone, and
whoever asks is told so at once; from time to time one request tries it again. It may be killed,
hang, refuse what is written, or forget everything: whoever asks must know what to do without.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Literal, TypeVar

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.maint_notifications import MaintNotificationsConfig

log = logging.getLogger("tocsin.redis")

T = TypeVar("T")
State = Literal["ok", "lost"]

PATIENCE = 0.05  # seconds, connecting included
CONNECTIONS = 4  # each takes ten thousand questions a second
TOLERATED = 3  # failures in a row
FIRST_PAUSE = 1.0  # seconds
LONGEST_PAUSE = 15.0
FAILURES = (RedisError, OSError, TimeoutError)


class LostError(Exception):
    """It cannot be asked just now. Do without."""


class SharedStore:
    """The one client of a process."""

    def __init__(self, url: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._redis = Redis.from_pool(
            BlockingConnectionPool.from_url(
                url.replace("valkey", "redis", 1) if url.startswith("valkey") else url,
                max_connections=CONNECTIONS,
                timeout=PATIENCE,
                socket_timeout=PATIENCE,
                socket_connect_timeout=PATIENCE,
                retry=Retry(NoBackoff(), 0),  # the caller has no time for a second try
                maint_notifications_config=MaintNotificationsConfig(enabled=False),
            )
        )
        self._failures = 0
        self._pause = FIRST_PAUSE
        self._try_at: float | None = None  # set while it is left alone
        self._is_tried = False
        self.last_error: str | None = None

    @property
    def state(self) -> State:
        return "ok" if self._try_at is None else "lost"

    async def ask(self, work: Callable[[Redis], Awaitable[T]]) -> T:
        """What it answers to `work`. Raises LostError, soon, if it does not."""
        is_try = self._try_at is not None
        if is_try and (self._is_tried or self._clock() < (self._try_at or 0.0)):
            raise LostError
        self._is_tried = is_try
        try:
            async with asyncio.timeout(PATIENCE):
                answer = await work(self._redis)
        except FAILURES as error:
            self._failed(error, is_try=is_try)
            raise LostError from error
        finally:
            if is_try:
                self._is_tried = False
        self._worked()
        return answer

    async def check(self) -> State:
        """Its state, having asked it if that is not too soon."""
        try:
            await self.ask(lambda redis: redis.set("tocsin:check", 1, px=1000))
        except LostError as lost:
            if lost.__cause__ is not None:
                return "lost"
        return self.state

    async def close(self) -> None:
        await self._redis.aclose()
        await self._redis.connection_pool.disconnect()

    def _worked(self) -> None:
        if self._try_at is not None:
            log.info("redis.back")
        self._failures, self._pause = 0, FIRST_PAUSE
        self._try_at = self.last_error = None

    def _failed(self, error: BaseException, *, is_try: bool) -> None:
        self.last_error = (str(error).partition("\n")[0] or type(error).__name__)[:200]
        if is_try:
            self._pause = min(self._pause * 2, LONGEST_PAUSE)
            self._try_at = self._clock() + self._pause
        elif self._try_at is None:
            self._failures += 1
            if self._failures >= TOLERATED:
                self._try_at = self._clock() + self._pause
                log.warning("redis.lost", extra={"error": self.last_error})
