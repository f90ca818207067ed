"""Figures about people: what woke them, what they were on call by, and which alerts cried wolf.

Pages are counted from `ix_notifications_figures`, without a look at the rows. By whose clock it
was night is the person's own; the clock is told to PostgreSQL (`domain.figures.Ahead`).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, BindParameter, bindparam, func, or_, select, text

from app.crud.crud_figures import NUMBERS, TIME, WORDS, FiguresFilter, values_of
from app.db.session import ReadSession
from app.domain.figures import Ahead
from app.domain.timeline import Interval
from app.models import Schedule, ScheduleVersion, User

MOST_PEOPLE = 1_000
MOST_KEYS = 100
MOST_VERSIONS = 2_000  # of schedules, in the time that is asked about


@dataclass(frozen=True)
class Paged:
    """What one person was sent."""

    user_id: int
    name: str
    time_zone: str
    pages: int
    interruptions: int  # quarters of an hour in which at least one came
    at_night: int
    on_weekends: int
    sleep_hours: int  # hours of the clock, at night, in which at least one came


@dataclass(frozen=True)
class Noise:
    """What one problem of one integration brought."""

    integration_id: int
    integration: str
    dedup_key: str
    title: str
    service: str
    opened: int
    pages: int
    acknowledged: int
    without_action: int
    by_itself: int


@dataclass(frozen=True)
class Known:
    """What a schedule said in a part of the time that is asked about."""

    schedule_id: int
    during: Interval
    is_current: bool


async def zones(session: ReadSession) -> Sequence[str]:
    """Where people live."""
    return (await session.scalars(select(User.time_zone).distinct())).all()


_LEFT_OUT = """
    SELECT id FROM incidents WHERE is_drill
    UNION ALL
    SELECT id FROM incidents WHERE deleted_at IS NOT NULL
"""
_NARROWED = """
    AND n.incident_id IN (
        SELECT id FROM incidents
        WHERE (CAST(:services AS text[]) IS NULL OR service = ANY(:services))
            AND (CAST(:ranks AS bigint[]) IS NULL OR severity_rank = ANY(:ranks))
            AND (CAST(:team AS bigint) IS NULL
                OR service IN (SELECT name FROM services WHERE team_id = :team))
    )
"""
# First by hours of UTC, of which there are far fewer than pages, so that all else costs little.
# The four quarters of an hour are the bits of a number: nothing has to be put in order. Where all
# clocks are ahead by whole hours, an hour of UTC is one of theirs; elsewhere it is taken apart.
_PAGED = """
    WITH hours AS MATERIALIZED (
        SELECT user_id, quarter / 4 AS hour, count(*) AS pages,
            bit_or(1 << CAST(quarter % 4 AS integer)) AS quarters
        FROM (
            SELECT n.user_id, CAST(floor(date_part('epoch', n.sent_at) / 900) AS bigint) AS quarter
            FROM notifications n
            WHERE n.kind = 'page' AND n.sent_at IS NOT NULL
                AND n.sent_at >= :since AND n.sent_at < :until
                AND n.incident_id NOT IN ({left_out}) {narrowed}
            OFFSET 0
        ) sent
        GROUP BY 1, 2
    ), people AS MATERIALIZED (
        SELECT u.id AS user_id, array_agg(c.starts ORDER BY c.starts) AS starts,
            array_agg(c.ahead ORDER BY c.starts) AS ahead, bool_and(c.ahead % 4 = 0) AS is_whole
        FROM users u JOIN unnest(:zones, :starts, :ahead) AS c(time_zone, starts, ahead)
            USING (time_zone)
        GROUP BY u.id
    ), shown AS (
        SELECT user_id, hour + ahead[greatest(width_bucket(hour * 4, starts), 1)] / 4 AS hour,
            bit_count(CAST(quarters AS bit(4))) AS quarters
        FROM hours JOIN people USING (user_id) WHERE is_whole
        UNION ALL
        SELECT user_id, (quarter + ahead[width_bucket(quarter, starts)]) / 4, 1
        FROM hours JOIN people USING (user_id)
        CROSS JOIN LATERAL (
            SELECT hour * 4 + turn AS quarter FROM generate_series(0, 3) AS turn
            WHERE quarters & (1 << turn) > 0
        ) its
        WHERE NOT is_whole
    ), judged AS (
        SELECT user_id, CAST(sum(quarters) AS bigint) AS quarters,
            hour % 24 >= 22 OR hour % 24 < 7 AS is_night,
            (hour / 24 + 3) % 7 >= 5 AS is_weekend  -- time began on a Thursday
        FROM shown GROUP BY user_id, hour
    ), summed AS (
        SELECT user_id, CAST(sum(quarters) AS bigint) AS interruptions,
            CAST(coalesce(sum(quarters) FILTER (WHERE is_night), 0) AS bigint) AS at_night,
            CAST(coalesce(sum(quarters) FILTER (WHERE is_weekend), 0) AS bigint) AS on_weekends,
            count(*) FILTER (WHERE is_night) AS sleep_hours
        FROM judged GROUP BY user_id
    ), counted AS (
        SELECT user_id, CAST(sum(pages) AS bigint) AS pages FROM hours GROUP BY user_id
    )
    SELECT u.id, coalesce(u.full_name, u.email) AS name, u.time_zone, c.pages, s.interruptions,
        s.at_night, s.on_weekends, s.sleep_hours
    FROM counted c JOIN summed s USING (user_id) JOIN users u ON u.id = c.user_id
    ORDER BY c.pages DESC, u.id LIMIT :most
"""
QUARTER = 15 * 60  # seconds: no clock is ahead by anything finer, and none changes within one
_CLOCKS: tuple[BindParameter[Any], ...] = (
    bindparam("since", type_=TIME),
    bindparam("until", type_=TIME),
    bindparam("zones", type_=WORDS),
    *(bindparam(name, type_=NUMBERS) for name in ("starts", "ahead")),  # in quarters
    bindparam("most", type_=BigInteger()),
)
_NARROWING = (
    bindparam("services", type_=WORDS),
    bindparam("ranks", type_=NUMBERS),
    bindparam("team", type_=BigInteger()),
)
_ALL_PAGED = text(_PAGED.replace("{left_out}", _LEFT_OUT).replace("{narrowed}", "")).bindparams(
    *_CLOCKS
)
_SOME_PAGED = text(
    _PAGED.replace("{left_out}", _LEFT_OUT).replace("{narrowed}", _NARROWED)
).bindparams(*_CLOCKS, *_NARROWING)


async def paged(
    session: ReadSession, where: FiguresFilter, clocks: Mapping[str, Sequence[Ahead]]
) -> list[Paged]:
    """What each person was sent in the time, by their own clocks; most first."""
    told = [(zone, one) for zone, changes in clocks.items() for one in changes]
    values: dict[str, Any] = values_of(where) | {
        "zones": [zone for zone, _ in told],
        "starts": [int(one.starts_at.timestamp()) // QUARTER for _, one in told],
        "ahead": [one.seconds // QUARTER for _, one in told],
        "most": MOST_PEOPLE,
    }
    statement = _SOME_PAGED
    if not where.is_narrowed:
        statement = _ALL_PAGED
        for name in ("services", "ranks", "team"):
            del values[name]
    return [Paged(*row) for row in (await session.execute(statement, values)).tuples()]


# --- Noise

# Whoever comments, assigns, escalates or edits has done something; to acknowledge or to put off
# is to have seen it.
_NOISE = text("""
    WITH counted AS MATERIALIZED (
        SELECT id, integration_id, dedup_key, status, resolved_by, seconds_to_acknowledge
        FROM incidents
        WHERE created_at >= :since AND created_at < :until AND dedup_key IS NOT NULL
            AND deleted_at IS NULL AND NOT is_drill
            AND (CAST(:services AS text[]) IS NULL OR service = ANY(:services))
            AND (CAST(:ranks AS bigint[]) IS NULL OR severity_rank = ANY(:ranks))
            AND (CAST(:team AS bigint) IS NULL
                OR service IN (SELECT name FROM services WHERE team_id = :team))
    ), loudest AS MATERIALIZED (
        SELECT integration_id, dedup_key, max(id) AS newest, count(*) AS opened,
            count(seconds_to_acknowledge) AS acknowledged,
            count(*) FILTER (WHERE status = 'resolved' AND resolved_by IS NULL) AS by_itself
        FROM counted GROUP BY 1, 2 ORDER BY opened DESC, newest DESC LIMIT :most
    ), seen AS (
        SELECT c.integration_id, c.dedup_key, count(*) AS counted
        FROM counted c JOIN loudest l USING (integration_id, dedup_key)
        WHERE c.seconds_to_acknowledge IS NOT NULL AND c.status = 'resolved'
            AND c.resolved_by IS NULL
            AND NOT EXISTS (
                SELECT FROM timeline_events t
                WHERE t.incident_id = c.id AND t.user_id IS NOT NULL
                    AND t.event_type NOT IN ('acknowledged', 'snoozed', 'snooze_ended')
            )
        GROUP BY 1, 2
    ), sent AS (
        SELECT c.integration_id, c.dedup_key, count(*) AS pages
        FROM counted c JOIN loudest l USING (integration_id, dedup_key)
        JOIN notifications n ON n.incident_id = c.id
        WHERE n.kind = 'page' AND n.sent_at IS NOT NULL AND n.sent_at >= :since
        GROUP BY 1, 2
    )
    SELECT l.integration_id, i.name, l.dedup_key, c.title, c.service, l.opened,
        coalesce(sent.pages, 0), l.acknowledged, coalesce(seen.counted, 0), l.by_itself
    FROM loudest l JOIN incidents c ON c.id = l.newest
    JOIN integrations i ON i.id = l.integration_id
    LEFT JOIN seen ON seen.integration_id = l.integration_id AND seen.dedup_key = l.dedup_key
    LEFT JOIN sent ON sent.integration_id = l.integration_id AND sent.dedup_key = l.dedup_key
    ORDER BY l.opened DESC, l.newest DESC
""").bindparams(*_CLOCKS[:2], *_NARROWING, bindparam("most", type_=BigInteger()))


async def noise(session: ReadSession, where: FiguresFilter) -> list[Noise]:
    """The problems that were opened most often, and what came of it."""
    rows = await session.execute(_NOISE, values_of(where) | {"most": MOST_KEYS})
    return [Noise(*row) for row in rows.tuples()]


# --- Being on call


async def schedules(session: ReadSession, wanted: Collection[int], during: Interval) -> list[Known]:
    """What schedules said in that time, part by part: of these, or of all; at most
    `MOST_VERSIONS` and one."""
    statement = (
        select(
            ScheduleVersion.schedule_id,
            func.greatest(ScheduleVersion.known_from, during.starts_at),
            func.least(func.coalesce(ScheduleVersion.known_until, during.ends_at), during.ends_at),
            ScheduleVersion.known_until.is_(None),
        )
        .where(
            ScheduleVersion.known_from < during.ends_at,
            or_(
                ScheduleVersion.known_until.is_(None),
                ScheduleVersion.known_until > during.starts_at,
            ),
        )
        .order_by(ScheduleVersion.id)
        .limit(MOST_VERSIONS + 1)
    )
    if wanted:
        statement = statement.where(ScheduleVersion.schedule_id.in_(wanted))
    rows: Sequence[tuple[int, datetime, datetime, bool]] = (
        (await session.execute(statement)).tuples().all()
    )
    return [Known(number, Interval(since, until), now) for number, since, until, now in rows]


async def names_of_schedules(session: ReadSession, ids: Collection[int]) -> dict[int, str]:
    """What they are called, those that are deleted, too."""
    rows = await session.execute(select(Schedule.id, Schedule.name).where(Schedule.id.in_(ids)))
    return dict(rows.tuples().all())
