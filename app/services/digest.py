"""Summaries for those who want them: when, what stands in one, and the mail that carries it.

A summary is made in the transaction that promises its mail, and there is one of each day for each
person, so neither a second replica nor a crash makes another. Where nothing happened there is none,
unless its reader wants to hear that, too.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from app.crud import crud_action_item, crud_digest, crud_figures, crud_user
from app.crud.crud_digest import Loud, Unresolved
from app.crud.crud_figures import FiguresFilter
from app.db.session import ReadSession, WriteSession, wake_after_commit
from app.domain.digest import (
    DigestFrequency,
    DigestOutcome,
    Wanted,
    due_at,
    latest_day,
    next_day,
    told_by,
)
from app.domain.incident import Severity
from app.domain.notification import Channel, NotificationKind
from app.domain.timeline import Interval
from app.messages.duty import clock
from app.messages.plain import counted
from app.models import ActionItem, Digest, DigestPreference, User
from app.services import notification_preference as notification_preference_service
from app.services import on_call as on_call_service
from app.services import outbox
from app.services import user as user_service
from app.services.on_call import PersonalShift
from app.services.outbox import Letter

LOOP = "digests"
AHEAD = timedelta(days=7)  # of a reader's own duty
MOST_LISTED = crud_digest.MOST_LISTED


@dataclass(frozen=True)
class Settings:
    """When somebody wants a summary, on which clock, and when the next one comes."""

    user_id: int
    wanted: Wanted
    time_zone: str | None  # None: the person's own
    next_at: datetime | None


@dataclass(frozen=True)
class News:
    """What happened in a time, the same for everybody."""

    opened: Mapping[Severity, int]
    resolved: int
    unresolved: int
    worst: list[Unresolved]
    loudest: list[Loud]


@dataclass(frozen=True)
class Summary:
    """What one person is told."""

    frequency: DigestFrequency
    during: Interval
    time_zone: str
    news: News
    pages: int
    paged_about: int
    shifts: list[PersonalShift]
    overdue: list[ActionItem]
    overdue_count: int

    @property
    def opened(self) -> int:
        return sum(self.news.opened.values())

    @property
    def is_empty(self) -> bool:
        """Nothing happened, nothing waits; whose turn comes next is no news by itself."""
        counts = (self.opened, self.news.resolved, self.news.unresolved)
        return not any((*counts, self.pages, self.overdue_count))


# --- What people want ---------------------------------------------------------------------


async def settings(session: ReadSession, user_id: int) -> Settings:
    """When somebody wants a summary; never, until they say."""
    row = await crud_digest.preference(session, user_id)
    if row is None:
        return Settings(user_id, Wanted(), None, None)
    return Settings(user_id, _wanted(row), row.time_zone, row.next_at)


async def wish(
    session: WriteSession, user_id: int, fields: Mapping[str, Any], *, now: datetime
) -> Settings:
    """Write what is named; the rest stays."""
    user = await notification_preference_service.hold(session, user_id)
    stands = await settings(session, user_id)
    given = dict(fields)
    zone_name = given.pop("time_zone", stands.time_zone)
    wanted = replace(stands.wanted, **given)
    values = {**asdict(wanted), "time_zone": zone_name}
    values["next_at"] = _next_at(wanted, zone_name or user.time_zone, now)
    row = await crud_digest.preference(session, user_id)
    if row is None:
        row = DigestPreference(user_id=user_id, created_at=now, updated_at=now, **values)
        await crud_digest.add_preference(session, row)
    else:
        for name, value in values.items():
            if getattr(row, name) != value:
                setattr(row, name, value)
                row.updated_at = now
    wake_after_commit(session, LOOP)
    return Settings(user_id, wanted, zone_name, row.next_at)


def _wanted(row: DigestPreference) -> Wanted:
    return Wanted(row.frequency, row.hour, row.weekday, row.even_when_empty, row.action_reminders)


def _next_at(wanted: Wanted, zone_name: str, now: datetime) -> datetime | None:
    if wanted.frequency is DigestFrequency.OFF:
        return None
    day = next_day(wanted, zone_name, after=now)
    return due_at(day, wanted.hour, zone_name)


# --- What stands in one -------------------------------------------------------------------


async def preview(session: ReadSession, user_id: int, *, now: datetime) -> Summary:
    """The summary as it would be if it came now; a daily one for those who want none."""
    user = await user_service.require(session, user_id)
    stands = await settings(session, user_id)
    wanted = stands.wanted
    if wanted.frequency is DigestFrequency.OFF:
        wanted = replace(wanted, frequency=DigestFrequency.DAILY)
    during = Interval(now - wanted.every, now)
    news = await news_of(session, during, now=now)
    zone_name = stands.time_zone or user.time_zone
    return await _summary(session, user, wanted.frequency, during, zone_name, news, now)


async def news_of(session: ReadSession, during: Interval, *, now: datetime) -> News:
    """What happened in a time, whoever reads it."""
    load = await crud_figures.load(session, FiguresFilter(during))
    counts = (*load.open.values(), *load.acknowledged.values())
    return News(
        await crud_digest.opened(session, during),
        load.resolved_lately,
        sum(counts),
        await crud_digest.worst(session),
        await crud_digest.loudest(session, during),
    )


async def _summary(
    session: ReadSession,
    user: User,
    frequency: DigestFrequency,
    during: Interval,
    zone_name: str,
    news: News,
    now: datetime,
) -> Summary:
    pages = await crud_digest.pages(session, [user.id], during)
    ahead = Interval(now, now + AHEAD)
    duty = await on_call_service.of_person(session, user.id, ahead, now=now)
    overdue, count = await crud_action_item.overdue_of(
        session, user.id, now.date(), limit=MOST_LISTED
    )
    sent, about = pages.get(user.id, (0, 0))
    return Summary(
        frequency,
        during,
        zone_name,
        news,
        sent,
        about,
        duty.shifts[:MOST_LISTED],
        list(overdue),
        count,
    )


# --- The mail -----------------------------------------------------------------------------


async def make(
    session: WriteSession, row: DigestPreference, known: dict[Interval, News], *, now: datetime
) -> None:
    """Make the summary of whoever is due. `known` is what was counted before."""
    user = (await crud_user.by_ids(session, [row.user_id]))[row.user_id]
    wanted, zone_name = _wanted(row), row.time_zone or user.time_zone
    row.next_at = _next_at(wanted, zone_name, now)
    if not user.is_active:
        return
    day = latest_day(wanted, zone_name, now=now)
    told = await crud_digest.last_until(session, user.id, wanted.frequency, day)
    during = told_by(day, wanted, zone_name, told_until=told)
    if during not in known:
        known[during] = await news_of(session, during, now=now)
    news = known[during]
    made = await _summary(session, user, wanted.frequency, during, zone_name, news, now)
    is_sent = wanted.even_when_empty or not made.is_empty
    digest_id = await crud_digest.claim_day(
        session,
        Digest(
            user_id=user.id,
            day=day,
            frequency=wanted.frequency,
            since=during.starts_at,
            until=during.ends_at,
            outcome=DigestOutcome.SENT if is_sent else DigestOutcome.EMPTY,
            made_at=now,
        ),
    )
    if is_sent and digest_id is not None:
        letter = Letter(
            NotificationKind.DIGEST,
            Channel.EMAIL,
            user_id=user.id,
            address=user.email,
            facts=facts(made),
        )
        promised = await outbox.post(session, letter, now=now)
        (await crud_digest.get(session, digest_id)).notification_id = promised.id


def facts(made: Summary) -> dict[str, Any]:
    """What a mail needs to know: words, numbers, and paths of the console."""
    numbers = [("New", str(made.opened)), ("Resolved", str(made.news.resolved))]
    numbers.append(("Open", str(made.news.unresolved)))
    if made.pages:
        about = counted(made.paged_about, "incident")
        numbers.append(("Pages", f"{made.pages} to you, about {about}"))
    parts = [
        _part("Not over yet", [_open(one) for one in made.news.worst], made.news.unresolved),
        _part("Noisiest services", [_loud(one) for one in made.news.loudest], 0),
        _part("Your next duty", [_shift(one, made.time_zone) for one in made.shifts], 0),
        _part(
            "Overdue action items of yours",
            [_overdue(one) for one in made.overdue],
            made.overdue_count,
        ),
    ]
    return {
        "is_weekly": made.frequency is DigestFrequency.WEEKLY,
        "since": clock(made.during.starts_at, made.time_zone),
        "until": clock(made.during.ends_at, made.time_zone),
        "numbers": numbers,
        "parts": [part for part in parts if part["lines"]],
    }


def _part(heading: str, lines: list[tuple[str, str]], total: int) -> dict[str, Any]:
    return {"heading": heading, "lines": lines, "more": max(total - len(lines), 0)}


def _open(one: Unresolved) -> tuple[str, str]:
    said = f"#{one.id} {one.title} ({one.severity}, {one.service}, {one.status})"
    return said, f"/incidents/{one.id}"


def _loud(one: Loud) -> tuple[str, str]:
    alerts = f", {counted(one.alerts, 'alert')}" if one.alerts else ""
    return f"{one.service}: {counted(one.incidents, 'incident')}{alerts}", "/incidents"


def _shift(one: PersonalShift, zone_name: str) -> tuple[str, str]:
    said = f"{one.schedule_name}: {clock(one.starts_at, zone_name)}"
    return f"{said} until {clock(one.ends_at, zone_name)}", f"/schedules/{one.schedule_id}"


def _overdue(one: ActionItem) -> tuple[str, str]:
    due = "" if one.due_on is None else f" (due {one.due_on.isoformat()})"
    return f"{one.title}{due}", f"/incidents/{one.postmortem.incident_id}/postmortem"
