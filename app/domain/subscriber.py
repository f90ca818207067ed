"""Who of the public wants to be told, of what, over which way, and how often. Pure.

An address proves itself before it is told anything: what is sent there first is a link, and only
following it makes the subscription count. From then on every public fact reaches each subscriber
at most once, at once or in the digest of the day.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from app.domain.chat import read_chat_url
from app.domain.contact_method import on_record, read_phone
from app.domain.notification import Channel

LINK_PURPOSE = "subscriber"  # of the token in everything that a subscriber is sent
CHANNELS = (Channel.EMAIL, Channel.WEBHOOK, Channel.CHAT, Channel.SMS)
UNCONFIRMED_FOR = timedelta(days=7)  # then an address that never proved itself is forgotten
FORGOTTEN_AFTER = timedelta(days=90)  # an address that was unsubscribed, and what was sent
DIGEST_AT = time(8)  # on the wall of the status page
# What happens right before a digest goes into the next one: by then it is being written.
DIGEST_CLOSES = timedelta(minutes=5)
MOST_SCOPES = 100  # components, groups and incidents of one subscriber


class SubscriberState(StrEnum):
    PENDING = "pending"  # was sent a link that nobody has followed yet
    ACTIVE = "active"  # is told
    UNSUBSCRIBED = "unsubscribed"  # said so, and is told nothing more
    BOUNCING = "bouncing"  # the address itself refused what was sent; told nothing until mended


class Cadence(StrEnum):
    IMMEDIATE = "immediate"  # each fact at once
    DAILY = "daily"  # all of a day in one message


class SubscriberOrigin(StrEnum):
    PUBLIC = "public"  # came by the status page
    ADMIN = "admin"  # was added by hand
    IMPORT = "import"  # came with a file


class LetterKind(StrEnum):
    """What one sending is."""

    NOTICE = "notice"  # one public fact
    DIGEST = "digest"  # those of a day
    CONFIRMATION = "confirmation"  # the link that proves an address


class LetterStatus(StrEnum):
    PENDING = "pending"  # waits for its time, or for its next attempt
    SENDING = "sending"  # leased by one sender until the lease ends
    SENT = "sent"  # the server took it
    FAILED = "failed"  # given up, with the reason
    CANCELLED = "cancelled"  # nobody wanted it any more before it left


WAITING = (LetterStatus.PENDING, LetterStatus.SENDING)


@dataclass(frozen=True)
class Address:
    """Where somebody of the public is told. `text` may be kept to be read; `secret` is sealed.

    `key` is the same however it was written, and stands for it in a digest only.
    """

    channel: Channel
    text: str
    key: str = field(repr=False)
    secret: str | None = field(default=None, repr=False)
    own_host: bool = False  # whoever gave it chose which host is called


def read_address(channel: Channel, given: str) -> Address:
    """The address that somebody gave; ValueError with a sentence if it is none."""
    match channel:
        case Channel.EMAIL:
            return Address(channel, given, given.lower())
        case Channel.SMS:
            number = read_phone(given)
            return Address(channel, number, number)
        case Channel.WEBHOOK:
            return Address(channel, on_record(channel, given), given, given, own_host=True)
        case Channel.CHAT:
            chat = read_chat_url(given)
            return Address(channel, chat.label, chat.url, chat.url, own_host=chat.own_host)
    raise ValueError("Choose email, webhook, chat or sms.")


_LOCAL = re.compile(r"^(.)(.*)@(.+)$")


def masked(channel: Channel, text: str) -> str:
    """`a…@example.org`, `+49…67`: enough for its owner to know it, too little to write there.

    What is kept of a webhook or a chat shows nothing secret anyway.
    """
    if channel is Channel.EMAIL:
        found = _LOCAL.match(text)
        return f"{found[1]}…@{found[3]}" if found else "…"
    if channel is Channel.SMS:
        return f"{text[:3]}…{text[-2:]}"
    return text


def secret_place(digest: str) -> str:
    """Where a subscriber's secret belongs: it can be unlocked for no other address."""
    return f"subscriber {digest}"


# --- When -------------------------------------------------------------------------------

# How long after each attempt the next one comes: eight attempts within two days.
WAITS = (
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=4),
    timedelta(hours=12),
    timedelta(hours=24),
)
MOST_TRIES = len(WAITS) + 1
JITTER = 0.2  # of a wait, at most: what failed together does not come back together


def next_wait(tries: int, wish: timedelta | None, *, chance: float) -> timedelta | None:
    """How long until the next attempt after so many; None if it was the last."""
    if tries >= MOST_TRIES:
        return None
    wait = WAITS[tries - 1] * (1 + JITTER * chance)
    return max(wait, wish or timedelta())


def next_digest(now: datetime, zone: str) -> datetime:
    """When the digest leaves that takes in what happens now: at eight on the page's wall."""
    place = ZoneInfo(zone)
    earliest = now + DIGEST_CLOSES
    day = earliest.astimezone(place).date()
    for days in range(3):
        at = datetime.combine(day + timedelta(days=days), DIGEST_AT, place).astimezone(UTC)
        if at > earliest:
            return at
    raise AssertionError("eight o’clock comes every day")


def in_words(frequency: Cadence, names: Collection[str]) -> str:
    """What a subscriber asked for, in a sentence."""
    what = ", ".join(names) if names else "everything on the page"
    often = "at once" if frequency is Cadence.IMMEDIATE else "once a day"
    return f"You are told {often} about {what}."
