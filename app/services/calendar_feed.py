"""Calendars that go out: one’s own shifts, or a schedule’s, under a secret address.

Whoever has the address sees the shifts, without a login: calendar programs have none. It is shown
once and kept as a hash; revoking it, or closing its owner’s account, ends it at once.
"""

import asyncio
import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime

from app.core.errors import ConflictError, NotFoundError
from app.core.security import Signer, hash_key
from app.crud import crud_calendar_feed, crud_schedule, crud_schedule_list, crud_user
from app.db.session import ReadSession, WriteSession
from app.domain.calendar_feed import (
    HINT,
    MOST_FEEDS,
    USE_NOTED_EVERY,
    FeedShift,
    drawn,
    whole_span,
    write,
)
from app.domain.user import Permission
from app.models import CalendarFeed, User

LINK_PURPOSE = "calendar feed"
SUFFIX = ".ics"  # how calendar programs tell that it is one
MOST_SCHEDULES = 200  # of one person


class TooManyFeedsError(ConflictError):
    """One person has this many feeds already."""

    code = "TOO_MANY_CALENDAR_FEEDS"


@dataclass(frozen=True)
class NewFeed:
    """A feed’s token as it is shown once, and the row that keeps its hash."""

    token: str = field(repr=False)
    row: CalendarFeed


@dataclass(frozen=True)
class Shown:
    """What a feed says now; `is_noted` is whether its use was written down just before."""

    feed_id: int
    body: bytes
    tag: str
    is_noted: bool


async def create(
    session: WriteSession,
    name: str,
    signer: Signer,
    *,
    owner: User,
    schedule_id: int | None = None,
    now: datetime,
) -> NewFeed:
    """A feed of one’s own shifts, or of a schedule."""
    if schedule_id is not None:
        await require_schedule(session, schedule_id)
    await crud_user.lock(session, owner.id)  # of two who make the last one, one waits
    if await crud_calendar_feed.count_live(session, owner.id) >= MOST_FEEDS:
        raise TooManyFeedsError(
            f"You have {MOST_FEEDS} calendar feeds already; delete one that nobody reads.",
            limit=MOST_FEEDS,
        )
    token = signer.link(LINK_PURPOSE, secrets.randbits(63))
    row = CalendarFeed(
        user_id=owner.id,
        schedule_id=schedule_id,
        name=name,
        token_hash=hash_key(token),
        hint=token[:HINT],
        created_at=now,
    )
    return NewFeed(token, await crud_calendar_feed.add(session, row))


async def revoke(
    session: WriteSession, feed_id: int, *, by: User, schedule_id: int | None, now: datetime
) -> None:
    """End a feed of one’s own, or anybody’s for an admin; one that is over stays so."""
    feed = await crud_calendar_feed.lock(session, feed_id)
    is_theirs = feed is not None and (feed.user_id == by.id or by.may(Permission.ADMINISTER))
    if feed is None or not is_theirs or feed.schedule_id != schedule_id:
        raise NotFoundError("calendar feed", feed_id)
    if feed.revoked_at is None:
        feed.revoked_at = now


async def show(session: ReadSession, token: str, *, host: str, now: datetime) -> Shown:
    """What stands behind an address; one that is over is as one that never was."""
    live = await crud_calendar_feed.live(session, hash_key(token))
    if live is None:
        raise NotFoundError("calendar", "of this address")
    if live.feed.schedule_id is None:
        title, found = await _of_person(session, live.owner, now=now)
    else:
        title, found = await _of_schedule(session, live.feed.schedule_id, now=now)
    body = await asyncio.to_thread(write, title, found, host=host, now=now)
    used = live.feed.last_used_at
    return Shown(
        live.feed.id,
        body,
        hashlib.blake2s(body, digest_size=16).hexdigest(),
        used is not None and now - used < USE_NOTED_EVERY,
    )


async def note_use(session: WriteSession, feed_id: int, *, now: datetime) -> None:
    """Remember, to the hour, that a feed was read."""
    await crud_calendar_feed.note_use(session, feed_id, now=now)


async def require_schedule(session: ReadSession, schedule_id: int) -> str:
    """The name of a schedule that is there."""
    schedule = await crud_schedule.get(session, schedule_id)
    if schedule is None:
        raise NotFoundError("schedule", schedule_id)
    return schedule.name


async def _of_person(
    session: ReadSession, owner: User, *, now: datetime
) -> tuple[str, list[FeedShift]]:
    whole = whole_span(now)
    rows = await crud_schedule_list.of_person(
        session, owner.id, since=whole.starts_at, limit=MOST_SCHEDULES
    )
    names = {row.id: row.name for row in rows}
    schedules = await crud_schedule.load(session, names, during=whole)

    def draw() -> list[FeedShift]:
        return [
            FeedShift(*one.shift, number, f"On call: {names[number]}", one.began_at)
            for number, schedule in schedules.items()
            for one in drawn(schedule, now)
            if one.shift.user_id == owner.id
        ]

    return f"On call: {owner.display_name}", await asyncio.to_thread(draw)


async def _of_schedule(
    session: ReadSession, schedule_id: int, *, now: datetime
) -> tuple[str, list[FeedShift]]:
    name = await require_schedule(session, schedule_id)
    schedules = await crud_schedule.load(session, [schedule_id], during=whole_span(now))
    found = await asyncio.to_thread(lambda: list(drawn(schedules[schedule_id], now)))
    users = await crud_user.by_ids(session, {one.shift.user_id for one in found})
    return name, [
        FeedShift(
            *one.shift,
            schedule_id,
            f"{users[one.shift.user_id].display_name} on call: {name}",
            one.began_at,
        )
        for one in found
        if one.shift.user_id in users
    ]
