"""Ingest for alerts that only open or join, which nearly all do: two statements for a batch.

Each is a transaction by itself, by the driver alone. The first looks for all there is to decide
by, the second writes all that was decided. What another batch did in between it sees itself: it
records no alert whose incident was resolved meanwhile, or was opened by somebody else, and says
which it did record. Whoever is left looks again.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic_core import to_json
from sqlalchemy import (
    ARRAY,
    BigInteger,
    DateTime,
    Interval,
    LargeBinary,
    String,
    bindparam,
    text,
)

from app.crud import crud_intake
from app.crud.crud_intake import OPENED_WITH, Problem, Seen
from app.crud.prepared import prepare
from app.db.session import Ask
from app.domain.incident import Opening
from app.domain.storm import ServiceLimit

NUMBERS, WORDS = ARRAY(BigInteger()), ARRAY(String())
LEFT_OUT = {"uid", "created_by", "custom_fields"}  # nothing that an alert says

# Nobody's policy is held: should one be deleted before it starts, what is written fails as a
# whole, and its alerts go the longer way.
_LATELY = """,
    (SELECT coalesce(jsonb_object_agg(s.name, ({lately})), '{}') FROM named s) AS lately
""".replace("{lately}", crud_intake.LATELY.replace("{since}", "now() + :shift - :window"))
_LOOK = prepare(
    crud_intake.looking(more=_LATELY).bindparams(
        bindparam("window", type_=Interval()), bindparam("most", type_=BigInteger())
    )
)


async def look(
    ask: Ask,
    problems: Sequence[Problem],
    services: Collection[str],
    limit: ServiceLimit,
    *,
    shift: timedelta,
) -> tuple[Seen, Mapping[str, int]]:
    """All there is to decide by, and how many each service had opened within the limit's window,
    counted no further than the limit."""
    wanted = crud_intake.asked(problems, services, shift)
    wanted |= {"window": limit.window, "most": limit.incidents}
    (row,) = await ask(_LOOK.text, *_LOOK.values(wanted))
    return crud_intake.seen(row, shift), row["lately"]


# Tallies come before incidents, as whenever both are waited for, and each in the order of its
# keys: so what is opened waits until everything has joined that can.
_WRITE = prepare(
    text("""
    WITH joined AS (
        {join}
    ), wanted AS (
        SELECT * FROM jsonb_to_recordset(CAST(:openings AS jsonb)) AS w(
            turn bigint, title text, description text, severity text, service text, source text,
            url text, tags text[], labels jsonb, integration_id bigint, dedup_key text,
            group_key text, alert_count bigint, urgency text, silence float8, story text)
    ), opened AS (
        INSERT INTO incidents (title, description, severity, service, source, url, tags, labels,
            integration_id, dedup_key, group_key, urgency, created_at, updated_at)
        SELECT title, description, severity, service, source, url, tags, labels,
            integration_id, dedup_key, group_key, urgency, :now, :now
        FROM wanted WHERE (SELECT count(*) FROM joined) >= 0
        ORDER BY integration_id, dedup_key
        ON CONFLICT (integration_id, dedup_key) WHERE status <> 'resolved' DO NOTHING
        RETURNING id, integration_id, dedup_key
    ), born AS MATERIALIZED (
        SELECT o.id, w.turn, w.title, w.service, w.severity, w.integration_id, w.alert_count,
            w.silence, w.story
        FROM opened o JOIN wanted w USING (integration_id, dedup_key)
    ), tallied AS (
        INSERT INTO incident_tallies (incident_id, alert_count, last_alert_at)
        SELECT id, alert_count, :now FROM born
    ), watched AS (
        INSERT INTO silence_watches (incident_id, since, due_at)
        SELECT id, :now, :now + make_interval(secs => silence) FROM born WHERE silence IS NOT NULL
    ), told AS (
        INSERT INTO timeline_events (incident_id, event_type, description, metadata, created_at)
        SELECT b.id, e.event_type, e.description, e.facts, :now
        FROM born b JOIN (
            SELECT turn, 0 AS place, 'opened' AS event_type, story AS description,
                jsonb_build_object('integration_id', integration_id) AS facts
            FROM born
            UNION ALL
            SELECT incident_id, place, event_type, description, facts
            FROM jsonb_to_recordset(CAST(:entries AS jsonb)) AS e(
                incident_id bigint, place bigint, event_type text, description text, facts jsonb)
        ) e USING (turn)
        ORDER BY b.id, e.place
    ), fed AS (
        INSERT INTO events (type, incident_id, service, severity, data, created_at)
        SELECT 'incident.created', id, service, severity, jsonb_build_object(
            'incident_id', id, 'title', title, 'entry', 'opened', 'description', story,
            'user_id', CAST(NULL AS bigint), 'is_drill', false), :now
        FROM born ORDER BY id
    ), started AS (
        INSERT INTO escalations (incident_id, policy_id, is_fallback, policy_name, steps, repeat,
            last_loop, final_delay_minutes, ack_timeout_minutes, is_critical, status,
            next_step_at, held_until, started_at, created_at, updated_at)
        SELECT b.id, r.policy_id, r.policy_id IS NULL, coalesce(p.name, r.policy_name),
            coalesce(p.steps, r.steps), coalesce(p.repeat, 0), coalesce(p.repeat, 0),
            coalesce(p.final_delay_minutes, r.final_delay_minutes), p.ack_timeout_minutes,
            r.is_critical, r.status, r.next_step_at, r.held_until, :now, :now, :now
        FROM born b JOIN jsonb_to_recordset(CAST(:runs AS jsonb)) AS r(
            incident_id bigint, policy_id bigint, policy_name text, steps jsonb,
            final_delay_minutes float8, is_critical boolean, status text,
            next_step_at timestamptz, held_until timestamptz) ON r.incident_id = b.turn
        LEFT JOIN escalation_policies p ON p.id = r.policy_id
    ), settled AS MATERIALIZED (
        SELECT nextval(pg_get_serial_sequence('alerts', 'id')) AS id, s.*
        FROM (
            SELECT a.*, coalesce(b.id, j.incident_id) AS incident_id
            FROM unnest(:places, :integrations, :turns, :joins, :outcomes, :dedup_keys, :titles,
                :reasons, :request_ids, :sizes, :bodies)
                AS a(place, integration_id, turn, joins, outcome, dedup_key, title, reason,
                    request_id, body_size, raw_body)
            LEFT JOIN born b ON b.turn = a.turn
            LEFT JOIN joined j ON j.incident_id = a.joins
            ORDER BY a.place
        ) s WHERE s.incident_id IS NOT NULL
    ), recorded AS (
        INSERT INTO alerts (id, integration_id, incident_id, outcome, dedup_key, title, reason,
            request_id, body_size, raw_body, received_at)
        SELECT id, integration_id, incident_id, outcome, dedup_key, title, reason, request_id,
            body_size, raw_body, :now
        FROM settled
    )
    SELECT place, id, incident_id FROM settled
    """.replace("{join}", crud_intake.JOIN)).bindparams(
        *(bindparam(name, type_=String()) for name in ("openings", "entries", "runs")),
        *(bindparam(name, type_=NUMBERS) for name in
          ("ids", "counts", "places", "integrations", "turns", "joins", "sizes")),
        *(bindparam(name, type_=WORDS) for name in
          ("outcomes", "dedup_keys", "titles", "reasons", "request_ids")),
        bindparam("bodies", type_=ARRAY(LargeBinary())),
        bindparam("now", type_=DateTime(timezone=True)),
    )
)  # fmt: skip
_COLUMNS = {
    "integrations": "integration_id",
    "turns": "turn",
    "joins": "joins",
    "outcomes": "outcome",
    "dedup_keys": "dedup_key",
    "titles": "title",
    "reasons": "reason",
    "request_ids": "request_id",
    "sizes": "body_size",
    "bodies": "raw_body",
}
_OPENED_WITH = [name for name in OPENED_WITH if name not in LEFT_OUT]


@dataclass(frozen=True)
class Batch:
    """What was decided. What is yet to be opened has no number: runs, entries and alerts
    (`turn`) name it by its place among the openings."""

    joins: Mapping[int, int]  # how many join which incident
    openings: Sequence[Opening]
    runs: Sequence[Mapping[str, Any]]
    entries: Sequence[Mapping[str, Any]]
    alerts: Sequence[Mapping[str, Any]]


async def write(ask: Ask, batch: Batch, *, now: datetime) -> list[tuple[int, int] | None]:
    """Count alerts into their incidents, open incidents and put policies to work on them, and
    record the alerts: of each its number and its incident's, or None if it was not recorded."""
    openings = [
        {"turn": turn, **{name: getattr(opening, name) for name in _OPENED_WITH}}
        for turn, opening in enumerate(batch.openings)
    ]
    entries = [
        {"place": place, **{name: entry[name] for name in _TOLD_WITH}}
        for place, entry in enumerate(batch.entries, start=1)
    ]
    given: dict[str, Any] = {
        "ids": list(batch.joins),
        "counts": list(batch.joins.values()),
        "openings": _json(openings),
        "runs": _json(batch.runs),
        "entries": _json(entries),
        "places": list(range(len(batch.alerts))),
        "now": now,
    }
    given |= {many: [alert[one] for alert in batch.alerts] for many, one in _COLUMNS.items()}
    written: list[tuple[int, int] | None] = [None] * len(batch.alerts)
    for row in await ask(_WRITE.text, *_WRITE.values(given)):
        written[row["place"]] = row["id"], row["incident_id"]
    return written


_TOLD_WITH = ("incident_id", "event_type", "description", "facts")


def _json(rows: object) -> str:
    return to_json(rows, fallback=_plain, timedelta_mode="float").decode()


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")
