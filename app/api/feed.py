"""The change feed in one process: read once, handed to whoever listens here.

One task reads what the relay has placed, whenever it is rung and every `SAFETY_TICK` in case a
ring was lost, and puts it into the queue of each reader. Nobody holds a database connection
while listening. A queue is bounded: a reader that does not keep up is let go, and comes back
with its bookmark; so is one whose login has ended.

A reader joins where it has read to from the database, so that between what it read back and
what it is handed nothing is missing and nothing comes twice.

Pages that show what no event tells of are given hints besides: somebody changed a service. A hint
is rung and not kept; a page that missed one looks again by itself, later.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import Context
from dataclasses import dataclass
from enum import StrEnum

from pydantic import ValidationError

from app.core.errors import UnavailableError
from app.core.stream_ticket import Listener
from app.crud import crud_auth, crud_event
from app.db.session import Database, transaction_time
from app.domain.event import CHANGED, FEED, Audience, EventType
from app.models import Event
from app.schemas.event import EventRead, PublicEventRead

log = logging.getLogger(__name__)

QUEUE = 1_000  # events that a reader may be behind
PAGE = 500  # events read at once
SAFETY_TICK = 5.0  # seconds
CHECK_EVERY = 20.0  # seconds between looks at whether the logins of readers are still good
AFTER_FAILURE = 1.0
CALM = 0.2  # seconds in which changes of one kind are one hint
SHAPES: dict[Audience, type[EventRead] | type[PublicEventRead]] = {
    Audience.CONSOLE: EventRead,
    Audience.PUBLIC: PublicEventRead,
}


class TooManyStreamsError(UnavailableError):
    """As many listen already as this process was set up for."""

    code = "TOO_MANY_STREAMS"


class End(StrEnum):
    """Why a stream ends from our side."""

    STOPPING = "stopping"  # another replica goes on from the bookmark
    SLOW = "slow"  # the reader did not keep up
    LOGGED_OUT = "logged_out"
    GONE = "gone"  # nobody listens any more


class Transport(StrEnum):
    """How a stream reaches whoever listens."""

    SSE = "sse"
    WEBSOCKET = "websocket"


@dataclass(frozen=True, slots=True)
class Frame:
    """An event, written out once for all readers of its audience."""

    position: int
    audience: Audience
    type: EventType
    incident_id: int | None
    json: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a reader listens to; an empty field does not narrow."""

    audience: Audience
    types: frozenset[EventType] = frozenset()
    incident_ids: frozenset[int] = frozenset()
    changes: bool = False  # which kinds of things were changed, too

    def takes(self, frame: Frame) -> bool:
        return (
            frame.audience is self.audience
            and (not self.types or frame.type in self.types)
            and (not self.incident_ids or frame.incident_id in self.incident_ids)
        )


class Reader:
    """One who listens. `bookmark` is how far it has been told everything that it wanted."""

    __slots__ = ("_changed", "_floor", "_news", "_waiting", "bookmark", "end", "listener", "wanted")

    def __init__(self, wanted: Wanted, listener: Listener | None, bookmark: int) -> None:
        self.wanted = wanted
        self.listener = listener
        self.bookmark = bookmark
        self.end: End | None = None
        self._floor = bookmark
        self._waiting: deque[Frame] = deque()
        self._changed: set[str] = set()
        self._news = asyncio.Event()

    def start_above(self, position: int) -> None:
        """What comes up to this place is read back, not handed over."""
        self._floor = position

    def offer(self, frames: Sequence[Frame]) -> None:
        for frame in frames:
            if frame.position <= self._floor or not self.wanted.takes(frame):
                continue
            if len(self._waiting) >= QUEUE:
                self.let_go(End.SLOW)
                return
            self._waiting.append(frame)
        if self._waiting:
            self._news.set()
        elif frames:
            self.bookmark = max(self.bookmark, frames[-1].position)

    def hint(self, resources: Collection[str]) -> None:
        """Somebody changed things of these kinds."""
        if self.wanted.changes:
            self._changed.update(resources)
            self._news.set()

    def take_hints(self) -> list[str]:
        """What kinds of things were changed since this was asked last."""
        taken = sorted(self._changed)
        self._changed.clear()
        return taken

    def let_go(self, end: End) -> None:
        if self.end is None:
            self.end = end
            self._news.set()

    async def next(self, patience: float) -> list[Frame]:
        """What has come meanwhile; nothing when there was nothing for so long, when there are
        only hints, or when it is over."""
        if self.end is None and not self._waiting and not self._changed:
            self._news.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), patience)
        taken = list(self._waiting)
        self._waiting.clear()
        if taken:
            self.bookmark = taken[-1].position
        return taken


class Feed:
    """All who listen in this process."""

    def __init__(self, database: Database, *, most: int) -> None:
        self._database = database
        self._most = most  # of each audience: what the public does keeps nobody else out
        self._readers: set[Reader] = set()
        self._open = dict.fromkeys(Transport, 0)
        self._position = 0
        self._rung = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._checked_at = 0.0
        self._changed: set[str] = set()
        self._is_closed = False

    def ring(self, loop: str) -> None:
        """The bell rang: look for news, if it is for us."""
        if loop == FEED:
            self._rung.set()
        elif loop.startswith(f"{CHANGED}.") and self._readers:
            if not self._changed:
                asyncio.get_running_loop().call_later(CALM, self._hand_hints)
            self._changed.add(loop.removeprefix(f"{CHANGED}."))

    def _hand_hints(self) -> None:
        for reader in self._readers:
            reader.hint(self._changed)
        self._changed.clear()

    def count(self, audience: Audience) -> int:
        return sum(reader.wanted.audience is audience for reader in self._readers)

    @property
    def open_streams(self) -> dict[Transport, int]:
        """How many are being told something, those that still read back among them."""
        return dict(self._open)

    def close(self) -> None:
        """Let everybody go at once: this process stops."""
        self._is_closed = True
        for reader in self._readers:
            reader.let_go(End.STOPPING)
        if self._task is not None:
            self._task.cancel()

    async def open(
        self, wanted: Wanted, listener: Listener | None, after: int | None
    ) -> tuple[Reader, bool]:
        """A reader that has read up to `after`, or that begins now; and whether what it has not
        read is gone, so that it begins now although it wanted more.
        """
        if self._is_closed:
            raise UnavailableError("This process is stopping; try again.")
        if self.count(wanted.audience) >= self._most:
            raise TooManyStreamsError("Too many listen already; try again, or ask less often.")
        async with self._database.reading() as session:
            first, last = await crud_event.bounds(session)
        is_lost = after is not None and not first - 1 <= after <= last
        begins = last if after is None or is_lost else after
        return Reader(wanted, listener, begins), is_lost

    async def read_back(self, reader: Reader) -> AsyncIterator[list[Frame]]:
        """What has happened since the reader's bookmark, page by page."""
        async for page in self._pages(reader, None):
            yield page

    async def join(self, reader: Reader) -> AsyncIterator[list[Frame]]:
        """Listen from here on: first comes what happened since the last page, the rest by
        `reader.next`."""
        if not self._readers:
            self._position = reader.bookmark
        joined_at = max(self._position, reader.bookmark)
        reader.start_above(joined_at)
        self._readers.add(reader)
        if self._is_closed:
            reader.let_go(End.STOPPING)
        self._start()
        async for page in self._pages(reader, joined_at):
            yield page
        reader.bookmark = max(reader.bookmark, joined_at)

    @contextmanager
    def listening(self, reader: Reader, transport: Transport) -> Iterator[None]:
        """Count an open stream for as long as this lasts; whatever ends it, its reader leaves."""
        self._open[transport] += 1
        try:
            yield
        finally:
            self._open[transport] -= 1
            self._readers.discard(reader)

    async def _pages(self, reader: Reader, until: int | None) -> AsyncIterator[list[Frame]]:
        read_to = reader.bookmark
        # To the end even for one that was let go, but not for one that hears nothing any more.
        while reader.end is not End.GONE and (until is None or read_to < until):
            async with self._database.reading() as session:
                found = await crud_event.read_after(
                    session, read_to, PAGE, until=until, audience=reader.wanted.audience
                )
            if found:
                read_to = found[-1].position or 0
                reader.bookmark = max(reader.bookmark, read_to)
                wanted = [frame for frame in _frames(found) if reader.wanted.takes(frame)]
                if wanted:
                    yield wanted
            if len(found) < PAGE:
                return

    def _start(self) -> None:
        if not self._is_closed and (self._task is None or self._task.done()):
            # In a context of its own: it is nobody's request.
            self._task = asyncio.create_task(self._run(), name="feed", context=Context())
        self._rung.set()

    async def _run(self) -> None:
        while self._readers:
            self._rung.clear()
            try:
                await self._look()
            except Exception as error:  # the database is away: whoever listens waits
                log.warning("feed.failed", extra={"error": str(error)[:300]})
                await asyncio.sleep(AFTER_FAILURE)
                continue
            with suppress(TimeoutError):
                await asyncio.wait_for(self._rung.wait(), SAFETY_TICK)

    async def _look(self) -> None:
        """Hand out what is new, and let those go whose logins have ended."""
        while True:
            began_at = self._position
            async with self._database.reading() as session:
                found = await crud_event.read_after(session, began_at, PAGE)
            if self._position != began_at:  # meanwhile all had left, and one came anew
                continue
            if not found:
                break
            self._position = found[-1].position or 0
            frames = _frames(found)
            for reader in list(self._readers):
                reader.offer(frames)
        if time.monotonic() - self._checked_at >= CHECK_EVERY:
            await self._check_logins()
            self._checked_at = time.monotonic()

    async def _check_logins(self) -> None:
        held = [(reader, reader.listener) for reader in self._readers if reader.listener]
        if not held:
            return
        is_good = await good_listeners(self._database, [listener for _, listener in held])
        for reader, listener in held:
            if not is_good(listener):
                reader.let_go(End.LOGGED_OUT)


async def good_listeners(
    database: Database, listeners: Collection[Listener]
) -> Callable[[Listener], bool]:
    """Tells of these whether their logins, or keys, are still good."""
    logins = {one.session_id for one in listeners if one.session_id is not None}
    keys = {one.key_id for one in listeners if one.key_id is not None}
    async with database.reading() as session:
        now = await transaction_time(session)
        good_logins, good_keys = await crud_auth.good_among(session, logins, keys, now=now)
    return lambda one: one.session_id in good_logins or one.key_id in good_keys


def _frames(events: Sequence[Event]) -> list[Frame]:
    frames = []
    for event in events:
        try:
            shown = SHAPES[event.audience].model_validate(event).model_dump_json()
        except ValidationError:  # not in a shape that its audience may see: nobody sees it
            log.error("feed.unreadable", extra={"event_id": event.id})
            continue
        frames.append(
            Frame(event.position or 0, event.audience, event.type, event.incident_id, shown)
        )
    return frames
