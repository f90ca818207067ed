"""What calendars said of when: as it stands, or as it was known at another time.

What was taken back keeps its row until housekeeping forgets it.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, func, insert, literal, or_, select, update
from sqlalchemy.orm import aliased

from app.crud import base
from app.db.session import ReadSession, WriteSession
from app.domain.calendar import Entry
from app.domain.timeline import Interval, Shift
from app.models import CalendarShift, User

MOST_UNMATCHED = 100


class Unmatched(NamedTuple):
    """Shifts to come that are nobody’s here."""

    mail: str | None
    summary: str
    shift_count: int
    first_starts_at: datetime


async def given(
    session: ReadSession, calendar_ids: Collection[int], *, as_of: datetime | None = None
) -> dict[int, list[Shift]]:
    """By calendar, the shifts that are somebody’s, in one statement."""
    found: dict[int, list[Shift]] = defaultdict(list)
    if calendar_ids:
        shift = CalendarShift
        statement = select(shift.calendar_id, shift.starts_at, shift.ends_at, shift.user_id).where(
            shift.calendar_id.in_(calendar_ids), _counts(as_of), shift.user_id.is_not(None)
        )
        for calendar_id, starts_at, ends_at, whose in await session.execute(statement):
            found[calendar_id].append(Shift(starts_at, ends_at, whose))
    return found


async def holidays(
    session: ReadSession, calendar_ids: Collection[int], *, as_of: datetime | None = None
) -> dict[int, list[Interval]]:
    """By calendar, the times that it names, in one statement."""
    found: dict[int, list[Interval]] = defaultdict(list)
    if calendar_ids:
        shift = CalendarShift
        statement = select(shift.calendar_id, shift.starts_at, shift.ends_at).where(
            shift.calendar_id.in_(calendar_ids), _counts(as_of)
        )
        for calendar_id, starts_at, ends_at in await session.execute(statement):
            found[calendar_id].append(Interval(starts_at, ends_at))
    return found


def _counts(as_of: datetime | None) -> ColumnElement[bool]:
    if as_of is None:
        return CalendarShift.seen_until.is_(None)
    return and_(
        CalendarShift.seen_from <= as_of,
        or_(CalendarShift.seen_until.is_(None), CalendarShift.seen_until > as_of),
    )


async def list_page(
    session: ReadSession, calendar_id: int, during: base.Span, wanted: base.Window
) -> base.Slice[CalendarShift]:
    """What a calendar says now, in the order of time."""
    statement = select(CalendarShift).where(CalendarShift.calendar_id == calendar_id, _counts(None))
    if during.since is not None:
        statement = statement.where(CalendarShift.ends_at > during.since)
    if during.until is not None:
        statement = statement.where(CalendarShift.starts_at < during.until)
    return await base.window(
        session,
        statement,
        CalendarShift.id,
        wanted,
        descending=False,
        orders={"starts_at": CalendarShift.starts_at},
    )


async def count_current(session: ReadSession, calendar_id: int, *, now: datetime) -> int:
    """How many entries of a calendar are not over."""
    statement = select(func.count()).where(
        CalendarShift.calendar_id == calendar_id, CalendarShift.ends_at > now, _counts(None)
    )
    return (await session.scalars(statement)).one()


async def unmatched(
    session: ReadSession, calendar_id: int, *, now: datetime
) -> Sequence[Unmatched]:
    """Of what is not over, whatever is nobody’s, the next first: as much as people can mend."""
    shift = CalendarShift
    first = func.min(shift.starts_at)
    statement = (
        select(shift.mail, func.min(shift.summary), func.count(), first)
        .where(
            shift.calendar_id == calendar_id,
            shift.ends_at > now,
            shift.user_id.is_(None),
            _counts(None),
        )
        # Those who are named by mail are one person each; the others are told by their words.
        .group_by(shift.mail, func.coalesce(shift.mail, shift.summary))
        .order_by(first, shift.mail)
        .limit(MOST_UNMATCHED)
    )
    return [Unmatched(*row) for row in (await session.execute(statement)).tuples()]


async def current(
    session: ReadSession, calendar_id: int, *, since: datetime
) -> dict[Entry, list[int]]:
    """What counts now and ends after `since`: the rows of each entry."""
    shift = CalendarShift
    statement = select(shift.id, shift.starts_at, shift.ends_at, shift.summary, shift.mail).where(
        shift.calendar_id == calendar_id, shift.ends_at > since, _counts(None)
    )
    found: dict[Entry, list[int]] = defaultdict(list)
    for key, starts_at, ends_at, summary, mail in await session.execute(statement):
        found[Entry(starts_at, ends_at, summary, mail)].append(key)
    return found


async def add(
    session: WriteSession, calendar_id: int, entries: Sequence[tuple[str, Entry]], *, now: datetime
) -> None:
    """What a calendar says from now on, each with its uid."""
    if entries:
        rows = [
            {"calendar_id": calendar_id, "uid": uid, "seen_from": now, **entry._asdict()}
            for uid, entry in entries
        ]
        await session.execute(insert(CalendarShift), rows)


async def take_back(session: WriteSession, keys: Sequence[int], *, now: datetime) -> None:
    """It says these no longer."""
    if keys:
        statement = (
            update(CalendarShift).where(CalendarShift.id.in_(keys)).values(seen_until=now)
        ).execution_options(synchronize_session=False)
        await session.execute(statement)


async def match(session: WriteSession, calendar_id: int, *, since: datetime, now: datetime) -> int:
    """Give what ends after `since` to whoever has its mail address now; how many became another’s.

    Each of them is taken back and said anew, so that it can be told whose it was.
    """
    shift, person = CalendarShift, aliased(User)
    whose = (
        select(shift.id, person.id.label("whose"))
        .outerjoin(
            person,
            (func.lower(person.email) == func.lower(shift.mail))
            & person.deleted_at.is_(None)
            & person.is_active,
        )
        .where(shift.calendar_id == calendar_id, shift.ends_at > since, _counts(None))
        .cte("whose")
    )
    is_other = and_(shift.id == whose.c.id, shift.user_id.is_distinct_from(whose.c.whose))
    # One that was said in this very moment has no past to keep.
    gone = (
        update(shift)
        .where(is_other, shift.seen_from < now)
        .values(seen_until=now)
        .returning(
            shift.calendar_id, shift.uid, shift.starts_at, shift.ends_at, shift.summary, shift.mail,
            whose.c.whose,
        )
        .execution_options(synchronize_session=False)
        .cte("gone")
    )  # fmt: skip
    columns = ["calendar_id", "uid", "starts_at", "ends_at", "summary", "mail"]
    anew = (
        insert(shift)
        .from_select(
            [*columns, "user_id", "seen_from"],
            select(*(gone.c[name] for name in columns), gone.c.whose, literal(now)),
        )
        .returning(shift.id)
        .cte("anew")
    )
    given_now = (
        update(shift)
        .where(is_other, shift.seen_from >= now)
        .values(user_id=whose.c.whose)
        .returning(shift.id)
        .execution_options(synchronize_session=False)
        .cte("given_now")
    )
    both = select(
        select(func.count()).select_from(anew).scalar_subquery()
        + select(func.count()).select_from(given_now).scalar_subquery()
    )
    count: int = (await session.scalars(both)).one()
    return count


async def remove_over(session: WriteSession, *, before: datetime, limit: int) -> int:
    """Forget what was over or taken back before then."""
    over = or_(CalendarShift.ends_at < before, CalendarShift.seen_until < before)
    return await base.remove_some(session, CalendarShift.id, over, limit=limit)
