"""Telling people of their duty: what they want to hear, and what is due.

A notice that is due is told over every address that is not in its quiet hours; if all of them
are, it waits for the first that is not. What is no longer so by then is withdrawn: a duty is not
announced once it is over, nor a reminder given of one that runs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from app.crud import crud_on_call_notice, crud_schedule, crud_schedule_list
from app.crud.crud_on_call_notice import Hearer
from app.db.session import ReadSession, WriteSession, wake_after_commit
from app.domain import schedule as engine
from app.domain.notification import NotificationKind
from app.domain.on_call_notice import USUAL, NoticeKind, NoticeState, Wishes
from app.domain.timeline import Interval, Shift, shifts
from app.models import OnCallNotice, OnCallNoticePreference, Schedule
from app.services import duty_letter, handoff
from app.services import notification_preference as notification_preference_service

LOOP = "notices"
MOST_TOLD = 50  # notices of one round
LONGEST_SHIFT = timedelta(days=62)  # its end is looked for so far, and then is “further notice”
KINDS = {
    NoticeKind.START: NotificationKind.DUTY_STARTED,
    NoticeKind.END: NotificationKind.DUTY_ENDED,
    NoticeKind.REMINDER: NotificationKind.DUTY_REMINDER,
    NoticeKind.CHANGE: NotificationKind.DUTY_CHANGED,
}


# --- What people want ---------------------------------------------------------------------


async def wishes(session: ReadSession, user_id: int) -> Wishes:
    """What a person wants to hear; the usual where they have said nothing."""
    found = await crud_on_call_notice.wishes_of(session, [user_id])
    return found.get(user_id, USUAL)


async def wish(
    session: WriteSession, user_id: int, wanted: Mapping[str, Any], *, now: datetime
) -> Wishes:
    """Write what is named; the rest stays. What is planned is planned anew by it."""
    await notification_preference_service.hold(session, user_id)
    stands = asdict(await wishes(session, user_id))
    new = Wishes(**{**stands, **wanted})
    row = await crud_on_call_notice.preference(session, user_id)
    fields = {
        "at_start": new.start,
        "at_end": new.end,
        "on_change": new.change,
        "reminder_minutes": new.reminder_minutes,
        "channels": list(new.channels),
    }
    if row is None:
        row = OnCallNoticePreference(user_id=user_id, **fields, created_at=now, updated_at=now)
        await crud_on_call_notice.add_preference(session, row)
    else:
        for name, value in fields.items():
            if getattr(row, name) != value:
                setattr(row, name, value)
                row.updated_at = now
    watched = await crud_on_call_notice.watched_with(session, user_id)
    await crud_on_call_notice.look_again(session, watched)
    wake_after_commit(session, LOOP)
    return new


# --- What is due --------------------------------------------------------------------------


async def tell_due(session: WriteSession, *, now: datetime) -> int:
    """Tell some of what is due; how many notices that settled or moved on."""
    notices = await crud_on_call_notice.lock_due(session, now=now, limit=MOST_TOLD)
    if not notices:
        return 0
    people = await crud_on_call_notice.hearers(session, {one.user_id for one in notices})
    ids = {one.schedule_id for one in notices}
    begin = min(one.about_at for one in notices) - handoff.LONGEST_SHIFT
    during = Interval(min(begin, now), now + LONGEST_SHIFT)
    rotas = await crud_schedule.load(session, ids, during=during)
    named = await crud_schedule_list.by_ids(session, ids)
    letters: list[dict[str, Any]] = []
    for notice in notices:
        schedule, rota = named.get(notice.schedule_id), rotas.get(notice.schedule_id)
        hearer = people.get(notice.user_id)
        if schedule is None or rota is None or hearer is None or not _is_wanted(hearer, notice):
            _settle(notice, NoticeState.WITHDRAWN, now)
            continue
        letters += await _told(session, notice, hearer, schedule, rota, now)
    await duty_letter.promise(session, letters)
    return len(notices)


def _is_wanted(hearer: Hearer, notice: OnCallNotice) -> bool:
    return hearer.is_active and bool(hearer.addresses) and hearer.wishes.wants(notice.kind)


async def _told(
    session: ReadSession,
    notice: OnCallNotice,
    hearer: Hearer,
    schedule: Schedule,
    rota: engine.Schedule,
    now: datetime,
) -> Sequence[dict[str, Any]]:
    told = _facts(notice, rota, now)
    if told is None:
        _settle(notice, NoticeState.WITHDRAWN, now)
        return []
    facts, good_until = told
    due = {address: duty_letter.due_at(hearer, address, now) for address in hearer.addresses}
    first = min(due.values())
    if first > now:
        if good_until is not None and first >= good_until:
            _settle(notice, NoticeState.WITHDRAWN, now)
        else:
            notice.ready_at, notice.updated_at = first, now
        return []
    facts |= {"schedule": schedule.name}
    if notice.kind is NoticeKind.START:
        brief = await handoff.brief(session, schedule, rota, at=notice.about_at, now=now)
        facts["brief"] = handoff.in_short(brief)
    _settle(notice, NoticeState.TOLD, now)
    return [
        duty_letter.letter(
            KINDS[notice.kind], hearer, address, facts, good_until=good_until, now=now
        )
        for address, when in due.items()
        if when <= now
    ]


def _settle(notice: OnCallNotice, state: NoticeState, now: datetime) -> None:
    notice.state, notice.ready_at, notice.updated_at = state, None, now


def _facts(
    notice: OnCallNotice, rota: engine.Schedule, now: datetime
) -> tuple[dict[str, Any], datetime | None] | None:
    """What there is to say, and until when it is worth saying; None: it is no longer so."""
    match notice.kind:
        case NoticeKind.CHANGE:
            parts = [part for name in ("gained", "lost") for part in notice.facts[name]]
            ends_at = max(datetime.fromisoformat(until) for _, until in parts)
            return (dict(notice.facts), ends_at) if ends_at > now else None
        case NoticeKind.END:
            shift = _shift(rota, notice.user_id, notice.about_at - timedelta.resolution)
            starts_at = shift.starts_at if shift is not None else notice.about_at
            until = notice.about_at + timedelta(hours=12)  # later, nobody wants to know
            return (_times(starts_at, notice.about_at), until) if until > now else None
    shift = _shift(rota, notice.user_id, max(notice.about_at, now))
    if shift is None or (notice.kind is NoticeKind.REMINDER and notice.about_at <= now):
        return None
    horizon = max(notice.about_at, now) + LONGEST_SHIFT
    ends = shift.ends_at if shift.ends_at < horizon else None
    good_until = notice.about_at if notice.kind is NoticeKind.REMINDER else ends
    return _times(notice.about_at, ends), good_until


def _times(starts_at: datetime, ends_at: datetime | None) -> dict[str, Any]:
    return {
        "starts_at": starts_at.isoformat(),
        "ends_at": None if ends_at is None else ends_at.isoformat(),
    }


def _shift(rota: engine.Schedule, user_id: int, at: datetime) -> Shift | None:
    """The shift of somebody that runs at an instant, as far as it is looked at."""
    during = Interval(at - handoff.LONGEST_SHIFT, at + LONGEST_SHIFT)
    found = shifts(engine.render(rota, during))
    return next(
        (one for one in found if one.user_id == user_id and one.starts_at <= at < one.ends_at),
        None,
    )
