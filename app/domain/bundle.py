"""How many pages a person gets one by one, and when the rest is told as one. Pure.

The first pages of a window go at once. What comes after them is held, never twice and never
longer than `BUNDLE_EVERY`, and is then told together. A page that comes so long after the
last message need not be held at all: one page is no bundle.

What is critical never waits for anything lower: its pages are a stream of their own, counted
among themselves and told among themselves. For what is lower, they count as any other page.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from app.domain.lease import Leased

BUNDLE_EVERY = timedelta(minutes=1)
MOST_IN_A_BUNDLE = 200


@dataclass(frozen=True)
class PageLimit:
    """How many pages one person is sent over one channel before they are bundled."""

    pages: int = 10
    window: timedelta = timedelta(minutes=10)


USUAL_LIMIT = PageLimit()


class Stream(NamedTuple):
    """The pages of one person to one address, the critical ones or the others."""

    user_id: int
    contact_method_id: int
    is_critical: bool = False


@dataclass(frozen=True)
class Told:
    """What a person was told lately, as far as it counts for a stream."""

    pages: int  # in the window, over the channel
    last_at: datetime | None  # to this address


@dataclass(frozen=True)
class Hold:
    """Pages of one stream that wait until then."""

    stream: Stream
    until: datetime
    pages: tuple[Leased, ...]


@dataclass(frozen=True)
class Bundle:
    """Pages of one stream that leave as one message, with whatever else waits there.

    `again` names the bundle that vanished with its sender: it is sent as it was.
    """

    stream: Stream
    pages: tuple[Leased, ...]
    again: int | None = None


@dataclass
class Shares:
    """What becomes of a batch: the rest of it goes out one by one."""

    holds: list[Hold] = field(default_factory=list)
    bundles: list[Bundle] = field(default_factory=list)


def stream_of(page: Leased) -> Stream:
    assert page.user_id is not None  # a page of a person,
    assert page.contact is not None  # whose contact method is there, or it had been cancelled
    return Stream(page.user_id, page.contact.id, page.is_critical)


class _Count:
    """What was told so far, this batch included."""

    def __init__(self, told: Mapping[Stream, Told], limit: PageLimit) -> None:
        self._room = {
            (stream.user_id, stream.is_critical): limit.pages - lately.pages
            for stream, lately in told.items()
        }
        self.last_at = {stream: lately.last_at for stream, lately in told.items()}

    def has_room(self, stream: Stream) -> bool:
        return self._room[stream.user_id, stream.is_critical] > 0

    def tell(self, stream: Stream, *, now: datetime) -> None:
        """Something leaves now; what is critical counts for what is lower, too."""
        for is_critical in {stream.is_critical, False}:
            reader = (stream.user_id, is_critical)
            self._room[reader] = self._room.get(reader, 0) - 1
            self.last_at[stream._replace(is_critical=is_critical)] = now


def share_out(
    pages: Iterable[Leased], told: Mapping[Stream, Told], limit: PageLimit, *, now: datetime
) -> Shares:
    """Which of these pages, in the order they were due, are held, and which leave together."""
    count = _Count(told, limit)
    vanished: dict[int, list[Leased]] = {}
    beyond: dict[Stream, list[Leased]] = {}
    for page in sorted(pages, key=lambda page: not page.is_critical):
        stream = stream_of(page)
        if page.before.was_sending and not page.is_last_try:
            vanished.setdefault(page.before.bundled_into or page.id, []).append(page)
        elif not page.is_last_try and (
            page.before.held_until is not None or not count.has_room(stream)
        ):
            beyond.setdefault(stream, []).append(page)
            continue
        count.tell(stream, now=now)
    shares = Shares()
    for key, group in vanished.items():
        shares.bundles.append(Bundle(stream_of(group[0]), tuple(group), again=key))
    for stream, group in beyond.items():
        latest = count.last_at[stream]
        may_at = now if latest is None else latest + BUNDLE_EVERY
        was_held = any(page.before.held_until is not None for page in group)
        if may_at > now and not was_held:
            shares.holds.append(Hold(stream, may_at, tuple(group)))
        else:
            shares.bundles.append(Bundle(stream, tuple(group)))
    return shares
