"""How Tocsin is, in words for people: what `/health` tells programs."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal
from weakref import WeakKeyDictionary

from app.api.health import HealthRead, read_health
from app.api.state import Service
from app.db.session import Database

Mark = Literal["ok", "degraded", "bad"]
RECENT = 60.0  # seconds
LATE = 60.0  # seconds: so late, a promise is broken


@dataclass(frozen=True)
class Part:
    """One part of Tocsin; `fix` says where to look when it is not well."""

    name: str
    mark: Mark
    words: str


@dataclass(frozen=True)
class Wellness:
    parts: tuple[Part, ...]

    @property
    def mark(self) -> Mark:
        marks = {part.mark for part in self.parts}
        return "bad" if "bad" in marks else "degraded" if "degraded" in marks else "ok"

    @property
    def words(self) -> str:
        """One sentence: all is well, or what is worst."""
        if self.mark == "ok":
            return "All is well"
        worst = next(part for part in self.parts if part.mark == self.mark)
        return f"{worst.name}: {worst.words}"


# What this process saw last of each database: every page shows it, and none waits for it.
_seen: WeakKeyDictionary[Database, tuple[float, Wellness]] = WeakKeyDictionary()


async def look(service: Service) -> Wellness:
    """How every part is now."""
    found = Wellness(tuple(_parts(await read_health(service))))
    _seen[service.database] = time.monotonic(), found
    return found


def recent(service: Service) -> Wellness | None:
    """What was seen in the last minute, if somebody looked."""
    at, found = _seen.get(service.database, (0.0, None))
    return found if found is not None and time.monotonic() - at < RECENT else None


def _parts(health: HealthRead) -> Iterator[Part]:
    yield _database(health)
    yield from _loops(health)
    yield _lateness(health)
    unset = sorted(name for name, state in health.channels.items() if state != "ready")
    ready = sorted(name for name, state in health.channels.items() if state == "ready")
    told = f"ready: {', '.join(ready) or 'none'}"
    told += f"; not set up: {', '.join(unset)}" if unset else ""
    yield Part("Channels", "ok" if ready else "bad", told)
    if health.redis is not None and health.redis.state == "lost":
        yield Part("Redis", "degraded", "lost; each replica counts rate limits for itself")


def _database(health: HealthRead) -> Part:
    database = health.database
    if not database.reachable:
        return Part("Database", "bad", "cannot be reached")
    if not database.takes_writes:
        return Part("Database", "bad", "takes no writes")
    if database.schema_version != database.expected_schema_version:
        return Part("Database", "degraded", "is of another version; run tocsin migrate")
    return Part("Database", "ok", "answers")


def _loops(health: HealthRead) -> Iterator[Part]:
    if not health.loops:
        yield Part("Background work", "ok", "goes on in processes of its own")
        return
    still = sorted(name for name, loop in health.loops.items() if not loop.get("alive", True))
    if still:
        yield Part("Background work", "bad", f"stands still: {', '.join(still)}")
    else:
        yield Part("Background work", "ok", f"all {len(health.loops)} parts at work")


def _lateness(health: HealthRead) -> Part:
    late = [seconds for seconds in (health.lateness.steps, health.lateness.pages) if seconds]
    forgotten = sum((health.overdue or {}).values())
    if forgotten:
        return Part("Pages", "bad", f"{forgotten} forgotten; they are being taken up again")
    if health.lateness.steps is None:
        return Part("Pages", "degraded", "cannot be asked for")
    if late and max(late) >= LATE:
        return Part("Pages", "degraded", f"the oldest is {max(late):.0f} s late")
    return Part("Pages", "ok", "nothing is late")
