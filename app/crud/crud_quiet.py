"""How services stand that keep paging waiting, and who waits.

Ingest asks for this in the statement that asks for everything else it needs, so `STANDINGS` is
a part of a statement, too.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ARRAY, BigInteger, DateTime, String, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from app.db.session import ReadSession, WriteSession
from app.domain import service
from app.domain.quiet import Maintenance, Standing, WaitsFor

WORDS, NUMBERS, TIME = ARRAY(String()), ARRAY(BigInteger()), DateTime(timezone=True)

# Of each name in `named`, found letter for letter; windows that are on at `{now}`.
STANDINGS = """
    windows AS MATERIALIZED (
        SELECT id, title, starts_at, ends_at, is_for_everything FROM maintenance_windows
        WHERE ended_at IS NULL AND cancelled_at IS NULL
            AND ends_at > {now} AND starts_at <= {now}
    ), standings AS (
        SELECT s.name, s.policy_id, s.urgency, s.support_hours,
            s.auto_resolve_after_minutes, s.auto_resolve_acknowledged,
            (SELECT coalesce(jsonb_agg(to_jsonb(w)), '[]')
             FROM windows w JOIN maintained_services m ON m.maintenance_window_id = w.id
             WHERE m.service_id = s.id) AS windows
        FROM named n
        CROSS JOIN LATERAL (SELECT * FROM services WHERE name = n.name LIMIT 1) s
    )
"""
FOUND = """
    (SELECT coalesce(jsonb_agg(to_jsonb(s)), '[]') FROM standings s) AS standings,
    (SELECT coalesce(jsonb_agg(to_jsonb(w)), '[]') FROM windows w
     WHERE w.is_for_everything) AS for_everything
"""
_STANDINGS = (
    text(
        "WITH named AS (SELECT unnest(:names) AS name), "
        + STANDINGS.replace("{now}", ":now")
        + " SELECT "
        + FOUND
    )
    .columns(standings=JSONB(), for_everything=JSONB())
    .bindparams(bindparam("names", type_=WORDS), bindparam("now", type_=TIME))
)


@dataclass(frozen=True)
class Catalogue:
    """How some services stand; who is not catalogued has only what is for everything."""

    at: datetime
    names: frozenset[str]
    standings: Mapping[str, Standing]
    for_everything: tuple[Maintenance, ...]

    def standing(self, name: str) -> Standing:
        found = self.standings.get(name)
        return found or Standing(name, maintenance=self.for_everything)


def read(
    at: datetime,
    names: Collection[str],
    standings: Collection[Mapping[str, Any]],
    for_everything: Collection[Mapping[str, Any]],
) -> Catalogue:
    """What `FOUND` says of these names."""
    windows = _windows(for_everything)
    found = {row["name"]: _standing(row, windows) for row in standings}
    return Catalogue(at, frozenset(names), found, windows)


def _standing(row: Mapping[str, Any], for_everything: tuple[Maintenance, ...]) -> Standing:
    minutes, hours = row["auto_resolve_after_minutes"], row["support_hours"]
    return Standing(
        row["name"],
        policy_id=row["policy_id"],
        urgencies=service.urgencies(row["urgency"]),
        support_hours=None if hours is None else service.read_support_hours(hours),
        maintenance=_windows(row["windows"]) + for_everything,
        silence=None if minutes is None else timedelta(minutes=minutes),
        resolves_acknowledged=row["auto_resolve_acknowledged"],
    )


def _windows(rows: Collection[Mapping[str, Any]]) -> tuple[Maintenance, ...]:
    return tuple(
        Maintenance(
            row["id"],
            row["title"],
            datetime.fromisoformat(row["starts_at"]),
            datetime.fromisoformat(row["ends_at"]),
        )
        for row in rows
    )


async def catalogue(session: ReadSession, names: Collection[str], *, now: datetime) -> Catalogue:
    """How these services stand now, asked once in a transaction."""
    known: Catalogue | None = session.info.get("catalogue")
    if known is not None and known.at == now and known.names.issuperset(names):
        return known
    return await _look(session, names, now)


async def _look(session: ReadSession, names: Collection[str], now: datetime) -> Catalogue:
    wanted = {"names": sorted(names), "now": now}
    row = (await session.execute(_STANDINGS, wanted)).one()
    found = read(now, names, row.standings, row.for_everything)
    session.info["catalogue"] = found
    return found


_HOLD_SERVICES = text("""
    SELECT id FROM services WHERE name = ANY(:names) ORDER BY id FOR SHARE
""").bindparams(bindparam("names", type_=WORDS))
_HOLD_WINDOWS = text("""
    SELECT id FROM maintenance_windows
    WHERE ended_at IS NULL AND cancelled_at IS NULL AND ends_at > :now AND starts_at <= :now
    ORDER BY id FOR SHARE
""").bindparams(bindparam("now", type_=TIME))


async def hold(session: WriteSession, names: Collection[str], *, now: datetime) -> Catalogue:
    """How these services stand, and stay until commit.

    Whoever lets an incident wait asks this first: a change that is under way is waited for and
    counts, and one that comes later finds the incident among those that wait.
    """
    await session.execute(_HOLD_SERVICES, {"names": sorted(names)})
    await session.execute(_HOLD_WINDOWS, {"now": now})
    return await _look(session, names, now)


_WAITING = text("""
    SELECT DISTINCT incident_id FROM escalations
    WHERE incident_id = ANY(:ids) AND waits_until IS NOT NULL AND waits_for = :reason
        AND status = 'active'
""").bindparams(bindparam("ids", type_=NUMBERS))


async def waiting(session: ReadSession, ids: Collection[int], reason: WaitsFor) -> set[int]:
    """Which of these incidents have paging that waits for this."""
    return set((await session.scalars(_WAITING, {"ids": sorted(ids), "reason": reason})).all())


# --- Asking again -------------------------------------------------------------------------

_REVIEW = text("""
    INSERT INTO quiet_reviews (service) SELECT unnest(:names)
""").bindparams(bindparam("names", type_=WORDS))


async def review(session: WriteSession, names: Collection[str | None]) -> None:
    """Have whoever waits for these services asked again; None is for all services."""
    await session.execute(_REVIEW, {"names": list(names)})


@dataclass(frozen=True)
class Review:
    """A service whose waiting incidents are to be asked again, from one on; None: of all."""

    id: int
    service: str | None
    asked: int


_NEXT_REVIEW = text("""
    SELECT id, service, asked FROM quiet_reviews ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
""")


async def next_review(session: WriteSession) -> Review | None:
    """One that nobody else works on, held until commit."""
    row = (await session.execute(_NEXT_REVIEW)).one_or_none()
    return None if row is None else Review(*row)


async def is_any_review_left(session: ReadSession) -> bool:
    return await session.scalar(text("SELECT id FROM quiet_reviews LIMIT 1")) is not None


_WHO_WAITS = text("""
    SELECT DISTINCT e.incident_id
    FROM escalations e JOIN incidents i ON i.id = e.incident_id
    WHERE e.waits_until IS NOT NULL AND e.status = 'active' AND e.incident_id > :asked
        AND (CAST(:service AS text) IS NULL OR i.service = :service)
    ORDER BY e.incident_id LIMIT :most
""").bindparams(
    bindparam("asked", type_=BigInteger()),
    bindparam("service", type_=String()),
    bindparam("most", type_=BigInteger()),
)


async def who_waits(session: ReadSession, review: Review, *, most: int) -> Sequence[int]:
    """The next incidents of a review that wait, in the order of their keys."""
    asked = {"asked": review.asked, "service": review.service, "most": most}
    return (await session.scalars(_WHO_WAITS, asked)).all()


# Of a snoozed one it is asked when the snooze ends; what was due before is then due at once.
_ASK_AGAIN = text("""
    UPDATE escalations SET updated_at = :now,
        next_step_at = CASE WHEN deferred_from IS NULL THEN :now ELSE next_step_at END,
        deferred_from = CASE WHEN deferred_from IS NOT NULL THEN :now END
    WHERE incident_id = ANY(:ids) AND waits_until IS NOT NULL AND status = 'active'
""").bindparams(bindparam("ids", type_=NUMBERS), bindparam("now", type_=TIME))


async def ask_again(session: WriteSession, ids: Collection[int], *, now: datetime) -> None:
    """Have whatever waits on these incidents, which the caller holds, due now."""
    await session.execute(_ASK_AGAIN, {"ids": sorted(ids), "now": now})


async def settle(session: WriteSession, review: Review, *, asked: int | None) -> None:
    """Say how far a review has come; None ends it."""
    if asked is None:
        await session.execute(text("DELETE FROM quiet_reviews WHERE id = :id"), {"id": review.id})
        return
    await session.execute(
        text("UPDATE quiet_reviews SET asked = :asked WHERE id = :id"),
        {"id": review.id, "asked": asked},
    )
