"""How many pages a person gets one by one, and when the rest is told as one. Pure.

The first pages of a window go at once. What comes after them is held, never twice and never
longer than `BUNDLE_EVERY`, and is then told together. A page that comes so long after the
last message need not be held at all: one page is no bundle.
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
    """The pages of one person to one address."""

    user_id: int
    contact_method_id: int


@dataclass(frozen=True)
class Told:
    """What a person was told lately."""

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
    return Stream(page.user_id, page.contact.id)


def share_out(
    pages: Iterable[Leased], told: Mapping[Stream, Told], limit: PageLimit, *, now: datetime
) -> Shares:
    """Which of these pages, in the order they were due, are held, and which leave together."""
    room = {stream.user_id: limit.pages - lately.pages for stream, lately in told.items()}
    last_at = {stream: lately.last_at for stream, lately in told.items()}
    vanished: dict[tuple[Stream, int], list[Leased]] = {}
    beyond: dict[Stream, list[Leased]] = {}
    for page in pages:
        stream = stream_of(page)
        if page.is_last_try:  # a bundle must not end with it
            last_at[stream] = now
        elif page.before.was_sending:
            vanished.setdefault((stream, page.before.bundled_into or page.id), []).append(page)
            last_at[stream] = now
        elif room[stream.user_id] > 0 and page.before.held_until is None:
            last_at[stream] = now
        else:
            beyond.setdefault(stream, []).append(page)
            continue
        room[stream.user_id] -= 1
    shares = Shares()
    for (stream, key), group in vanished.items():
        shares.bundles.append(Bundle(stream, tuple(group), again=key))
    for stream, group in beyond.items():
        latest = last_at[stream]
        may_at = now if latest is None else latest + BUNDLE_EVERY
        was_held = any(page.before.held_until is not None for page in group)
        if may_at > now and not was_held:
            shares.holds.append(Hold(stream, may_at, tuple(group)))
        else:
            shares.bundles.append(Bundle(stream, tuple(group)))
    return shares
