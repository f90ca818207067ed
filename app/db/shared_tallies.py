"""What callers were counted for by all replicas together.

The counting of `app.domain.rate`, said once more in the one language that Redis runs in a single
step; it goes by the clock there, which all replicas share. A test holds the two together.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import NoScriptError

from app.db.redis import LostError, SharedStore
from app.domain import rate as rates
from app.domain.rate import Rate, Standing, Tally

SCRIPT = """
local limit, length = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local kept = redis.call('HMGET', KEYS[1], 'began', 'before', 'here')
local began, before, here = tonumber(kept[1]), tonumber(kept[2]), tonumber(kept[3])
if not began or now < began or now - began >= 2 * length then
    began, before, here = now, 0, 0
elseif now - began >= length then
    began, before, here = began + length, here, 0
end
local overlap = began + length - now
local allowed = 0
if here + math.ceil(before * overlap / length) + 1 <= limit then
    allowed, here = 1, here + 1
    redis.call('HSET', KEYS[1], 'began', string.format('%d', began), 'before', before, 'here', here)
    redis.call('PEXPIRE', KEYS[1], 2 * length)
end
return {allowed, now - began, before, here}
"""
DIGEST = hashlib.sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest()  # its name there


class SharedTallies:
    """The counts of one rate, in Redis."""

    def __init__(self, store: SharedStore, rate: Rate) -> None:
        self.rate = rate
        self._store = store

    async def count(self, key: str) -> Standing | None:
        """Count a request if there is room for it; None if nobody can say just now."""

        async def work(redis: Redis) -> Any:
            arguments = (1, key, self.rate.limit, self.rate.length)
            try:
                return await redis.evalsha(DIGEST, *arguments)
            except NoScriptError:
                return await redis.eval(SCRIPT, *arguments)

        try:
            told: Sequence[int] = await self._store.ask(work)
        except LostError:
            return None
        is_allowed, since, before, here = told
        tally = Tally(0, before, here)
        return rates.standing(self.rate, tally, is_allowed=bool(is_allowed), now=since)
