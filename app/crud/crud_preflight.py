"""What the checks look at, read in a few statements however much there is; and what they found."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Date,
    DateTime,
    String,
    bindparam,
    delete,
    exists,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.orm import InstrumentedAttribute

from app.db.session import ReadSession, WriteSession
from app.domain.finding import (
    Crew,
    FailingCalendar,
    Finding,
    Policy,
    ServiceSetUp,
    SilentMonitor,
)
from app.domain.heartbeat_monitor import Pulse
from app.models import (
    Calendar,
    EscalationPolicy,
    HeartbeatMonitor,
    PreflightFinding,
    PreflightRun,
    Schedule,
    Service,
    Team,
    TeamMember,
    User,
)

# Of each kind of thing; beyond it the checks say that there is too much.
MOST = 5_000
ABANDONED = timedelta(minutes=10)
Ids = Collection[int] | None  # None: all
TIME, WORDS = DateTime(timezone=True), ARRAY(String())


async def schedules(session: ReadSession, ids: Ids = None) -> dict[int, str]:
    """The schedules there are, or those of these, by id, with their names."""
    rows = await session.execute(
        select(Schedule.id, Schedule.name)
        .where(Schedule.deleted_at.is_(None), *_among(Schedule.id, ids))
        .order_by(Schedule.id)
        .limit(MOST + 1)
    )
    return dict(rows.tuples().all())


async def policies(session: ReadSession, ids: Ids = None) -> list[Policy]:
    """The active ones, or those of these."""
    rows = await session.execute(
        select(
            EscalationPolicy.id,
            EscalationPolicy.name,
            EscalationPolicy.conditions,
            EscalationPolicy.steps,
        )
        .where(EscalationPolicy.is_active, *_among(EscalationPolicy.id, ids))
        .order_by(EscalationPolicy.id)
        .limit(MOST + 1)
    )
    return [Policy(*row) for row in rows.tuples()]


async def services(session: ReadSession, ids: Ids = None) -> list[ServiceSetUp]:
    rows = await session.execute(
        select(Service.id, Service.name, Service.policy_id, Service.schedule_id)
        .where(*_among(Service.id, ids))
        .order_by(Service.id)
        .limit(MOST + 1)
    )
    return [ServiceSetUp(*row) for row in rows.tuples()]


async def teams(session: ReadSession, ids: Ids = None) -> list[Crew]:
    """Teams and whoever is in them; whether anything is theirs."""
    owns = or_(
        exists().where(Service.team_id == Team.id), exists().where(Schedule.team_id == Team.id)
    )
    members = (
        select(func.array_agg(TeamMember.user_id))
        .where(TeamMember.team_id == Team.id)
        .scalar_subquery()
    )
    rows = await session.execute(
        select(Team.id, Team.name, members, owns)
        .where(*_among(Team.id, ids))
        .order_by(Team.id)
        .limit(MOST + 1)
    )
    return [Crew(number, name, tuple(people or ()), has) for number, name, people, has in rows]


def _among(key: InstrumentedAttribute[int], ids: Ids) -> list[ColumnElement[bool]]:
    return [] if ids is None else [key.in_(ids)]


async def admins(session: ReadSession) -> set[int]:
    return set(await session.scalars(select(User.id).where(User.is_superuser, User.is_active)))


async def failing_calendars(session: ReadSession) -> list[FailingCalendar]:
    rows = await session.execute(
        select(
            Calendar.id,
            Calendar.name,
            Calendar.failing_since,
            Calendar.last_error,
            Calendar.fetched_at.is_not(None),
        )
        .where(Calendar.last_error.is_not(None), Calendar.deleted_at.is_(None))
        .order_by(Calendar.id)
        .limit(MOST)
    )
    return [FailingCalendar(*row) for row in rows]


async def silent_monitors(session: ReadSession, *, now: datetime) -> list[SilentMonitor]:
    """Those that were never pinged, although a ping was due since they were made."""
    wait = func.make_interval(
        0, 0, 0, 0, 0, 0, HeartbeatMonitor.interval_seconds + HeartbeatMonitor.grace_seconds
    )
    rows = await session.execute(
        select(HeartbeatMonitor.id, HeartbeatMonitor.name)
        .where(
            HeartbeatMonitor.pulse == Pulse.NEW,
            HeartbeatMonitor.is_active,
            HeartbeatMonitor.created_at + wait < now,
        )
        .order_by(HeartbeatMonitor.id)
        .limit(MOST)
    )
    return [SilentMonitor(*row) for row in rows.tuples()]


# --- The run of a day


_CLAIM = text("""
    INSERT INTO preflight_runs (day, started_at) VALUES (:day, :now)
    ON CONFLICT (day) DO UPDATE SET started_at = excluded.started_at
    WHERE preflight_runs.finished_at IS NULL AND preflight_runs.started_at < :abandoned
    RETURNING day
""").bindparams(
    bindparam("day", type_=Date()), bindparam("now", type_=TIME), bindparam("abandoned", type_=TIME)
)


async def is_open(session: ReadSession, day: date, *, now: datetime) -> bool:
    """Whether the run of that day is still to be made by somebody."""
    run = await session.get(PreflightRun, day)
    return run is None or (run.finished_at is None and run.started_at < now - ABANDONED)


async def claim(session: WriteSession, day: date, *, now: datetime) -> bool:
    """Take the run of that day, unless somebody has it or has made it."""
    values = {"day": day, "now": now, "abandoned": now - ABANDONED}
    return (await session.execute(_CLAIM, values)).first() is not None


async def finish(session: WriteSession, day: date, found: int, *, now: datetime) -> None:
    await session.execute(
        update(PreflightRun)
        .where(PreflightRun.day == day)
        .values(finished_at=now, found=found)
        .execution_options(synchronize_session=False)
    )


_KEEP = text("""
    INSERT INTO preflight_findings
        (code, place, severity, message, fix, link, first_seen_at, last_seen_at)
    SELECT code, place, severity, message, fix, link, :now, :now
    FROM unnest(:codes, :places, :severities, :messages, :fixes, :links)
        AS f(code, place, severity, message, fix, link)
    ON CONFLICT (code, place) DO UPDATE SET severity = excluded.severity,
        message = excluded.message, fix = excluded.fix, link = excluded.link,
        last_seen_at = excluded.last_seen_at
""").bindparams(
    *(
        bindparam(name, type_=WORDS)
        for name in ("codes", "places", "severities", "messages", "fixes", "links")
    ),
    bindparam("now", type_=TIME),
)


async def keep(session: WriteSession, found: Collection[Finding], *, now: datetime) -> None:
    """These stand from now on, and no others. One that stood already keeps its row."""
    values: dict[str, Any] = {
        "codes": [str(one.code) for one in found],
        "places": [one.place for one in found],
        "severities": [str(one.severity) for one in found],
        "messages": [one.message for one in found],
        "fixes": [one.fix for one in found],
        "links": [one.link for one in found],
        "now": now,
    }
    await session.execute(_KEEP, values)
    await session.execute(
        delete(PreflightFinding)
        .where(PreflightFinding.last_seen_at < now)
        .execution_options(synchronize_session=False)
    )


async def tell(session: WriteSession, *, now: datetime) -> Sequence[PreflightFinding]:
    """Those that nobody was told of yet, which they are from now on."""
    statement = (
        select(PreflightFinding)
        .where(PreflightFinding.told_at.is_(None))
        .order_by(PreflightFinding.id)
    )
    news = (await session.scalars(statement)).all()
    for one in news:
        one.told_at = now
    return news


async def standing(session: ReadSession) -> dict[tuple[str, str], datetime]:
    """Since when what the last run found was seen, by code and place."""
    rows = await session.execute(
        select(PreflightFinding.code, PreflightFinding.place, PreflightFinding.first_seen_at)
    )
    return {(code, place): since for code, place, since in rows.tuples()}


async def last_run(session: ReadSession) -> datetime | None:
    """When the last nightly run was done."""
    finished: datetime | None = await session.scalar(select(func.max(PreflightRun.finished_at)))
    return finished
