"""Figures about incidents: counted anew for whoever asks, from an index that holds them all.

A year of a million incidents is counted in less than a second (`tests/bench`). What is over comes
from `ix_incidents_figures`, without a look at the rows; what is not, from the few rows that are
left. Durations are gathered by group and put in order there: of a million numbers that is cheaper
than to sort the rows by group first, and exact to the second.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ARRAY, BigInteger, DateTime, String, TextClause, bindparam, text

from app.db.session import ReadSession
from app.domain.figures import Ahead, Taken, together
from app.domain.incident import Severity
from app.domain.timeline import Interval
from app.models import COUNTED

MOST_GROUPS = 500
WORK_MEM = "64MB"  # for what is put in order
LATELY = timedelta(days=7)
TIME, NUMBERS, WORDS = DateTime(timezone=True), ARRAY(BigInteger()), ARRAY(String())
TIMES = ARRAY(TIME)


@dataclass(frozen=True)
class FiguresFilter:
    """Which incidents are counted: those opened in a time, narrowed further by what is given."""

    during: Interval
    service: Collection[str] = ()
    severity: Collection[Severity] = ()
    team_id: int | None = None  # of the services it owns now

    @property
    def is_narrowed(self) -> bool:
        """Whether not all incidents of the time are wanted."""
        return bool(self.service or self.severity or self.team_id is not None)


class Group(StrEnum):
    """By what incidents are told apart."""

    SERVICE = "service"
    SEVERITY = "severity"


@dataclass(frozen=True)
class Response:
    """How incidents were answered. `key` is None where all are told as one."""

    key: str | None
    opened: int
    unresolved: int
    unacknowledged: int  # over or not: nobody ever acknowledged it
    resolved_by_itself: int
    to_acknowledge: Taken
    to_resolve: Taken


@dataclass(frozen=True)
class Part:
    """What was opened in one part of a time, and how it was answered in the mean."""

    number: int
    opened: int
    to_acknowledge: Taken
    to_resolve: Taken

    @classmethod
    def none(cls, number: int) -> "Part":
        return cls(number, 0, Taken(), Taken())

    @classmethod
    def of(cls, parts: Collection["Part"]) -> "Part":
        """All of them as one."""
        return cls(
            0,
            sum(part.opened for part in parts),
            together([part.to_acknowledge for part in parts]),
            together([part.to_resolve for part in parts]),
        )


@dataclass(frozen=True)
class Load:
    """How many there are now, by severity, and how many were resolved lately."""

    open: dict[Severity, int]
    acknowledged: dict[Severity, int]
    resolved_lately: int


_NARROWED = """
    created_at >= :since AND created_at < :until
    AND (CAST(:services AS text[]) IS NULL OR service = ANY(:services))
    AND (CAST(:ranks AS bigint[]) IS NULL OR severity_rank = ANY(:ranks))
    AND (CAST(:team AS bigint) IS NULL
        OR service IN (SELECT name FROM services WHERE team_id = :team))
"""
_COLUMNS = """
    created_at, service, severity_rank, seconds_to_acknowledge, seconds_to_resolve, answered_by,
    resolved_by
"""
_INCIDENTS = f"""
    SELECT {_COLUMNS}, false AS is_unresolved FROM incidents
    WHERE {COUNTED} AND {_NARROWED}
    UNION ALL
    SELECT {_COLUMNS}, true FROM incidents
    WHERE status IN ('open', 'acknowledged') AND deleted_at IS NULL AND NOT is_drill
        AND {_NARROWED}
"""  # noqa: S608  # constants of ours
_BOUND = (
    bindparam("since", type_=TIME),
    bindparam("until", type_=TIME),
    bindparam("services", type_=WORDS),
    bindparam("ranks", type_=NUMBERS),
    bindparam("team", type_=BigInteger()),
)


def _statement(template: str, *more: Any) -> TextClause:
    return text(template.replace("{incidents}", _INCIDENTS)).bindparams(*_BOUND, *more)


def values_of(where: FiguresFilter) -> dict[str, Any]:
    """The filter, as it is bound to a statement."""
    ranks = [len(Severity) - one.rank for one in where.severity]
    return {
        "since": where.during.starts_at,
        "until": where.during.ends_at,
        "services": list(where.service) or None,
        "ranks": ranks or None,
        "team": where.team_id,
    }


async def prepare(session: ReadSession) -> None:
    """Let this transaction count a year without a file, by a plan for what is asked for now."""
    await session.execute(_PREPARE, {"size": WORK_MEM})


_PREPARE = text(
    "SELECT set_config('work_mem', :size, true),"
    " set_config('plan_cache_mode', 'force_custom_plan', true)"
)
_RESPONSE = """
    WITH gathered AS (
        SELECT {key} AS key, count(*) AS opened,
            count(*) FILTER (WHERE is_unresolved) AS unresolved,
            count(*) FILTER (WHERE NOT is_unresolved AND resolved_by IS NULL) AS by_itself,
            count(seconds_to_acknowledge) AS acknowledged,
            avg(seconds_to_acknowledge) AS mean_acknowledge,
            array_agg(seconds_to_acknowledge)
                FILTER (WHERE seconds_to_acknowledge IS NOT NULL) AS to_acknowledge,
            count(*) FILTER (WHERE NOT is_unresolved) AS resolved,
            avg(seconds_to_resolve) AS mean_resolve,
            array_agg(seconds_to_resolve)
                FILTER (WHERE seconds_to_resolve IS NOT NULL) AS to_resolve
        FROM ({incidents}) incidents
        GROUP BY 1
        ORDER BY count(*) DESC, 1
        LIMIT :most
    )
    SELECT key, opened, unresolved, by_itself, acknowledged, mean_acknowledge,
        (SELECT percentile_disc(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY one)
            FROM unnest(to_acknowledge) one) AS acknowledge_at,
        resolved, mean_resolve,
        (SELECT percentile_disc(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY one)
            FROM unnest(to_resolve) one) AS resolve_at
    FROM gathered ORDER BY opened DESC, key
"""
_KEYS = {Group.SERVICE: "service", Group.SEVERITY: "severity_rank"}
_RESPONSES = {
    group: _statement(_RESPONSE.replace("{key}", key), bindparam("most", type_=BigInteger()))
    for group, key in _KEYS.items()
}
# Where nothing is told apart, there is nothing to gather first.
_RESPONSE_OF_ALL = _statement("""
    SELECT NULL AS key, count(*) AS opened, count(*) FILTER (WHERE is_unresolved) AS unresolved,
        count(*) FILTER (WHERE NOT is_unresolved AND resolved_by IS NULL) AS by_itself,
        count(seconds_to_acknowledge) AS acknowledged,
        avg(seconds_to_acknowledge) AS mean_acknowledge,
        percentile_disc(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY seconds_to_acknowledge)
            AS acknowledge_at,
        count(*) FILTER (WHERE NOT is_unresolved) AS resolved,
        avg(seconds_to_resolve) AS mean_resolve,
        percentile_disc(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY seconds_to_resolve) AS resolve_at
    FROM ({incidents}) incidents
""")


async def response(
    session: ReadSession, where: FiguresFilter, group: Group | None
) -> list[Response]:
    """How they were answered: all as one, or by group, the most frequent first."""
    await prepare(session)
    if group is None:
        rows = await session.execute(_RESPONSE_OF_ALL, values_of(where))
    else:
        rows = await session.execute(_RESPONSES[group], values_of(where) | {"most": MOST_GROUPS})
    return [
        Response(
            key=_severity(row.key) if group is Group.SEVERITY else row.key,
            opened=row.opened,
            unresolved=row.unresolved,
            unacknowledged=row.opened - row.acknowledged,
            resolved_by_itself=row.by_itself,
            to_acknowledge=_taken(row.acknowledged, row.mean_acknowledge, row.acknowledge_at),
            to_resolve=_taken(row.resolved, row.mean_resolve, row.resolve_at),
        )
        for row in rows
    ]


def _severity(rank: int) -> Severity:
    return list(Severity)[len(Severity) - rank]


def _taken(count: int, mean: Any, at: Sequence[int | None] | None = None) -> Taken:
    if not count:
        return Taken()
    median, p90 = at or (None, None)
    return Taken(count, round(float(mean), 1), median, p90)


# --- How often


_BY_KEY = """
    SELECT {key} AS key, count(*) AS opened FROM ({incidents}) incidents
    GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT :most
"""
_BY_KEYS = {
    group: _statement(_BY_KEY.replace("{key}", key), bindparam("most", type_=BigInteger()))
    for group, key in _KEYS.items()
}


async def frequency(
    session: ReadSession, where: FiguresFilter, group: Group
) -> list[tuple[str, int]]:
    """How many were opened by group, the most frequent first."""
    await prepare(session)
    rows = await session.execute(_BY_KEYS[group], values_of(where) | {"most": MOST_GROUPS})
    return [
        (_severity(row.key) if group is Group.SEVERITY else row.key, row.opened) for row in rows
    ]


# First by quarters of an hour, of which there are few: no clock is ahead by anything finer.
_BY_CLOCK = """
    WITH quarters AS (
        SELECT date_bin('15 minutes', created_at, CAST('epoch' AS timestamptz)) AS quarter,
            count(*) AS opened
        FROM ({incidents}) incidents GROUP BY 1
    )
    SELECT CAST(extract(isodow FROM shown) AS integer) - 1 AS weekday,
        CAST(extract(hour FROM shown) AS integer) AS hour, CAST(sum(opened) AS bigint) AS opened
    FROM (
        SELECT (quarter AT TIME ZONE 'UTC') + a.seconds * interval '1 second' AS shown, opened
        FROM quarters JOIN unnest(:starts, :ends, :ahead) AS a(starts_at, ends_at, seconds)
            ON quarter >= a.starts_at AND quarter < a.ends_at
    ) told
    GROUP BY 1, 2
"""
_BY_CLOCKS = _statement(
    _BY_CLOCK,
    bindparam("starts", type_=TIMES),
    bindparam("ends", type_=TIMES),
    bindparam("ahead", type_=NUMBERS),
)


async def by_clock(
    session: ReadSession, where: FiguresFilter, clock: Sequence[Ahead]
) -> dict[tuple[int, int], int]:
    """How many were opened by day of the week, from 0 for Monday, and hour of that clock."""
    values = values_of(where) | {
        "starts": [one.starts_at for one in clock],
        "ends": [one.ends_at for one in clock],
        "ahead": [one.seconds for one in clock],
    }
    await prepare(session)
    rows = await session.execute(_BY_CLOCKS, values)
    return {(row.weekday, row.hour): row.opened for row in rows}


_TREND = _statement(
    """
    SELECT width_bucket(created_at, :starts) AS part, count(*) AS opened,
        count(seconds_to_acknowledge) AS acknowledged,
        avg(seconds_to_acknowledge) AS mean_acknowledge,
        count(*) FILTER (WHERE NOT is_unresolved) AS resolved,
        avg(seconds_to_resolve) AS mean_resolve
    FROM ({incidents}) incidents GROUP BY 1
""",
    bindparam("starts", type_=TIMES),
)


async def trend(
    session: ReadSession, where: FiguresFilter, starts: Sequence[datetime]
) -> dict[int, Part]:
    """What was opened in each part, by its number from 0; parts without any are left out."""
    await prepare(session)
    rows = await session.execute(_TREND, values_of(where) | {"starts": list(starts)})
    return {
        row.part - 1: Part(
            row.part - 1,
            row.opened,
            _taken(row.acknowledged, row.mean_acknowledge),
            _taken(row.resolved, row.mean_resolve),
        )
        for row in rows
    }


_NOW = text("""
    SELECT status, severity, count(*) AS counted FROM incidents
    WHERE status IN ('open', 'acknowledged') AND deleted_at IS NULL AND NOT is_drill
        AND (CAST(:services AS text[]) IS NULL OR service = ANY(:services))
        AND (CAST(:ranks AS bigint[]) IS NULL OR severity_rank = ANY(:ranks))
        AND (CAST(:team AS bigint) IS NULL
            OR service IN (SELECT name FROM services WHERE team_id = :team))
    GROUP BY 1, 2
""").bindparams(*_BOUND[2:])
_LATELY = text("""
    SELECT count(*) FROM incidents
    WHERE status = 'resolved' AND deleted_at IS NULL AND NOT is_drill
        AND resolved_at >= :since AND resolved_at < :until AND updated_at >= :since
        AND (CAST(:services AS text[]) IS NULL OR service = ANY(:services))
        AND (CAST(:ranks AS bigint[]) IS NULL OR severity_rank = ANY(:ranks))
        AND (CAST(:team AS bigint) IS NULL
            OR service IN (SELECT name FROM services WHERE team_id = :team))
""").bindparams(*_BOUND)


async def load(session: ReadSession, where: FiguresFilter) -> Load:
    """What is unresolved now, whenever it was opened, and how many were resolved in the time.

    Whatever was resolved then was also last changed then or later, and that is what finds it.
    """
    values = values_of(where)
    lately = await session.scalar(_LATELY, values)
    del values["since"], values["until"]
    told: dict[str, dict[Severity, int]] = {"open": {}, "acknowledged": {}}
    for row in await session.execute(_NOW, values):
        told[row.status][Severity(row.severity)] = row.counted
    return Load(told["open"], told["acknowledged"], int(lately or 0))


_ANSWERED = _statement("""
    SELECT answered_by AS user_id, count(*) AS acknowledged,
        avg(seconds_to_acknowledge) AS mean
    FROM ({incidents}) incidents WHERE seconds_to_acknowledge IS NOT NULL GROUP BY 1
""")


async def answered(session: ReadSession, where: FiguresFilter) -> dict[int | None, Taken]:
    """How many each person was the first to acknowledge; None: a policy's step."""
    rows = await session.execute(_ANSWERED, values_of(where))
    return {row.user_id: _taken(row.acknowledged, row.mean) for row in rows}
