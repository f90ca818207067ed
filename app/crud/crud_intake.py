"""The statements of ingest. Each takes a whole batch of alerts, so their number does not follow
the number of alerts.

Values travel as arrays or as one JSON document: the text of a statement is always the same,
and PostgreSQL prepares it once.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    DateTime,
    Interval,
    String,
    TextClause,
    bindparam,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from app.crud import crud_quiet
from app.db import feed
from app.db.session import ReadSession, WriteSession, wake_after_commit
from app.domain.incident import Opening, Severity
from app.domain.integration import IntegrationKind, Sender
from app.domain.search import READER
from app.domain.storm import ServiceLimit

NOW = bindparam("now", type_=DateTime(timezone=True))
SINCE = bindparam("since", type_=DateTime(timezone=True))
MOST = bindparam("most", type_=BigInteger())
NUMBERS, WORDS = ARRAY(BigInteger()), ARRAY(String())

Key = tuple[int, str]  # integration, dedup key
Problem = tuple[str, str]  # hash of the key it came with, dedup key


_SENDERS = """
    SELECT k.key_hash, i.id, i.name, i.kind, i.service, i.default_severity
    FROM integration_keys k JOIN integrations i ON i.id = k.integration_id
    WHERE k.key_hash = ANY(:hashes) AND k.revoked_at IS NULL AND i.is_active
"""
_SENDERS_ALONE = text(_SENDERS).bindparams(bindparam("hashes", type_=WORDS))


async def senders(session: ReadSession, key_hashes: Collection[str]) -> dict[str, Sender]:
    """The active integrations that these keys open, those that open none left out."""
    found = await session.execute(_SENDERS_ALONE, {"hashes": list(key_hashes)})
    return {key_hash: _sender(*row) for key_hash, *row in found.tuples()}


def _sender(key: int, name: str, kind: str, service: str | None, severity: str) -> Sender:
    return Sender(key, name, IntegrationKind(kind), service, Severity(severity))


_UNRESOLVED = text("""
    SELECT w.integration_id, w.dedup_key, i.id
    FROM unnest(:integrations, :keys) AS w(integration_id, dedup_key)
    CROSS JOIN LATERAL (
        SELECT id FROM incidents i
        WHERE i.integration_id = w.integration_id AND i.dedup_key = w.dedup_key
            AND i.status <> 'resolved'
        LIMIT 1
    ) i
""").bindparams(bindparam("integrations", type_=NUMBERS), bindparam("keys", type_=WORDS))


async def unresolved_by_key(session: ReadSession, keys: Collection[Key]) -> dict[Key, int]:
    """The unresolved incident of each (integration, dedup key) that has one."""
    if not keys:
        return {}
    wanted = {
        "integrations": [integration for integration, _ in keys],
        "keys": [key for _, key in keys],
    }
    found = await session.execute(_UNRESOLVED, wanted)
    return {(integration, key): incident for integration, key, incident in found.tuples()}


# How many of service `s` were opened since, counted no further than the limit. The newest of a
# service are the last in its index, so that what is read of a service is what is counted, however
# many it ever had; asked for as a range, because where PostgreSQL believes a service to have few
# incidents, it would rather read and sort them all. Numbers are not quite in the order of time:
# what a slower transaction opened may be missed, never counted twice.
LATELY = """
    SELECT count(*) FROM (
        SELECT i.created_at FROM incidents i
        WHERE i.service >= s.name AND i.service <= s.name AND NOT i.is_drill
        ORDER BY i.service DESC, i.id DESC
        LIMIT :most
    ) newest
    WHERE newest.created_at > {since}
"""
# What is `lately` does not see what the statement itself opens.
_OPEN_MANY = text(
    """
    WITH wanted AS (
        SELECT * FROM jsonb_to_recordset(CAST(:openings AS jsonb)) AS w(
            uid uuid, title text, description text, severity text, service text, source text,
            url text, tags text[], labels jsonb, custom_fields jsonb, integration_id bigint,
            dedup_key text, group_key text, created_by bigint, alert_count bigint, urgency text,
            silence float8, story text)
    ), opened AS (
        INSERT INTO incidents (uid, title, description, severity, service, source, url, tags,
            labels, custom_fields, integration_id, dedup_key, group_key, created_by, urgency,
            created_at, updated_at)
        SELECT uid, title, description, severity, service, source, url, tags,
            labels, custom_fields, integration_id, dedup_key, group_key, created_by, urgency,
            :now, :now
        FROM wanted ORDER BY integration_id, dedup_key
        ON CONFLICT (integration_id, dedup_key) WHERE status <> 'resolved' DO NOTHING
        RETURNING id, uid
    ), tallied AS (
        INSERT INTO incident_tallies (incident_id, alert_count, last_alert_at)
        SELECT o.id, w.alert_count, CASE WHEN w.alert_count > 0 THEN :now END
        FROM opened o JOIN wanted w USING (uid)
    ), watched AS (
        INSERT INTO silence_watches (incident_id, since, due_at)
        SELECT o.id, :now, :now + make_interval(secs => w.silence)
        FROM opened o JOIN wanted w USING (uid) WHERE w.silence IS NOT NULL
    ), told AS (
        INSERT INTO timeline_events
            (incident_id, event_type, description, user_id, metadata, created_at)
        SELECT o.id, 'opened', w.story, w.created_by,
            jsonb_strip_nulls(jsonb_build_object('integration_id', w.integration_id)), :now
        FROM opened o JOIN wanted w USING (uid)
    ), fed AS (
        INSERT INTO events (type, incident_id, service, severity, data, created_at)
        SELECT 'incident.created', o.id, w.service, w.severity, jsonb_build_object(
            'incident_id', o.id, 'title', w.title, 'entry', 'opened', 'description', w.story,
            'user_id', w.created_by, 'is_drill', false), :now
        FROM opened o JOIN wanted w USING (uid) ORDER BY o.id
    ), lately AS MATERIALIZED (
        SELECT s.name, ({lately}) AS opened FROM (SELECT DISTINCT service AS name FROM wanted) s
    )
    SELECT o.uid, o.id, w.service, l.opened
    FROM opened o JOIN wanted w USING (uid) JOIN lately l ON l.name = w.service
""".replace("{lately}", LATELY.replace("{since}", ":since"))
).bindparams(NOW, SINCE, MOST)
OPENED_WITH = ("title", "description", "severity", "service", "source", "url", "tags",
               "labels", "custom_fields", "integration_id", "dedup_key", "group_key",
               "created_by", "alert_count", "urgency", "silence", "story")  # fmt: skip


@dataclass(frozen=True)
class Opened:
    """Which incidents came to be, and how many each of their services had opened lately."""

    ids: Mapping[UUID, int]
    lately: Mapping[str, int]


async def open_many(
    session: WriteSession, openings: Sequence[Opening], limit: ServiceLimit, *, now: datetime
) -> Opened:
    """Open incidents with tally, timeline and event, all in one statement; say which came to be.

    One whose key has an unresolved incident already is left out. Sorted by key, so that two
    batches that open the same ones wait for each other instead of deadlocking. What a service
    opened within the limit's window is counted no further than the limit, fire drills left out.
    """
    rows = [
        {"uid": str(opening.uid), **{name: getattr(opening, name) for name in OPENED_WITH}}
        for opening in openings
    ]
    since, most = now - limit.window, limit.incidents
    parameters = {"openings": _json(rows), "now": now, "since": since, "most": most}
    found = (await session.execute(_OPEN_MANY, parameters)).all()
    feed.after_commit(session)
    wake_after_commit(session, READER)
    return Opened(
        ids={uid: incident_id for uid, incident_id, _, _ in found},
        lately={service: opened for _, _, service, opened in found},
    )


# Written as an insertion, because that goes by the key whatever PostgreSQL thinks of the table;
# the tally has been there since its incident was opened.
JOIN = """
    INSERT INTO incident_tallies AS t (incident_id, alert_count, last_alert_at)
    SELECT incident_id, alerts, :now
    FROM unnest(:ids, :counts) AS w(incident_id, alerts)
    ORDER BY incident_id
    ON CONFLICT (incident_id) DO UPDATE
    SET alert_count = t.alert_count + excluded.alert_count,
        last_alert_at = greatest(t.last_alert_at, excluded.last_alert_at)
    WHERE t.is_open
    RETURNING incident_id
"""
_JOIN = text(JOIN).bindparams(
    NOW, bindparam("ids", type_=NUMBERS), bindparam("counts", type_=NUMBERS)
)


async def join_many(session: WriteSession, alerts: Mapping[int, int], *, now: datetime) -> set[int]:
    """Count alerts into their incidents; say which were still open to take them."""
    parameters = {"ids": list(alerts), "counts": list(alerts.values()), "now": now}
    return set((await session.scalars(_JOIN, parameters)).all())


@dataclass(frozen=True)
class ActivePolicy:
    """A policy as far as an opening incident asks about it."""

    id: int
    name: str
    conditions: Mapping[str, Any]
    first_delay: timedelta


# Held against deletion until commit, so that whatever matched can also start. Its steps stay in
# the database: `start_many` copies them there.
_ACTIVE = """
    SELECT id, name, conditions, CAST(steps->0->>'delay_minutes' AS float8) AS first_delay
    FROM escalation_policies WHERE is_active ORDER BY id
"""
_ACTIVE_HELD = f"{_ACTIVE} FOR KEY SHARE"
_POLICIES = text(_ACTIVE_HELD).columns(conditions=JSONB())


async def active_policies(session: WriteSession) -> list[ActivePolicy]:
    """The policies that incidents may start, in the order they were made."""
    known: list[ActivePolicy] | None = session.info.get("policies")
    if known is not None:
        return known
    return [_policy(*row) for row in (await session.execute(_POLICIES)).tuples()]


def _policy(key: int, name: str, conditions: Mapping[str, Any], delay: float) -> ActivePolicy:
    return ActivePolicy(key, name, conditions, timedelta(minutes=delay))


_LOOK = """
    WITH policies AS ({policies}), senders AS ({senders}), named AS (
        SELECT unnest(:services) AS name
        UNION SELECT coalesce(service, name) FROM senders
    ), {standings}, known AS (
        SELECT s.id AS integration_id, w.dedup_key, i.id
        FROM unnest(:openers, :keys) AS w(key_hash, dedup_key)
        JOIN senders s USING (key_hash)
        CROSS JOIN LATERAL (
            SELECT id FROM incidents i
            WHERE i.integration_id = s.id AND i.dedup_key = w.dedup_key
                AND i.status <> 'resolved'
            LIMIT 1
        ) i
    )
    SELECT now() AS now,
        (SELECT coalesce(jsonb_agg(to_jsonb(s)), '[]') FROM senders s) AS senders,
        (SELECT coalesce(jsonb_agg(to_jsonb(p) ORDER BY id), '[]') FROM policies p) AS policies,
        (SELECT coalesce(jsonb_agg(to_jsonb(k)), '[]') FROM known k) AS known,
        (SELECT coalesce(jsonb_agg(name), '[]') FROM named) AS named, {found} {more}
"""
_TOLD = ("senders", "policies", "known", "named", "standings", "for_everything")


def looking(policies: str = _ACTIVE, more: str = "") -> TextClause:
    """The statement that asks for all that a batch needs; `more` are further columns of it."""
    parts = {
        "policies": policies,
        "senders": _SENDERS,
        "standings": crud_quiet.STANDINGS.replace("{now}", "now() + :shift"),
        "found": crud_quiet.FOUND,
        "more": more,
    }
    whole = reduce(lambda whole, part: whole.replace(f"{{{part}}}", parts[part]), parts, _LOOK)
    words = ("hashes", "openers", "keys", "services")
    return text(whole).bindparams(
        *(bindparam(name, type_=WORDS) for name in words), bindparam("shift", type_=Interval())
    )


@dataclass(frozen=True)
class Seen:
    """What a batch needs to know, as it was when it looked."""

    now: datetime
    senders: Mapping[str, Sender]
    known: Mapping[Key, int]  # the unresolved incidents of its problems
    policies: list[ActivePolicy]
    services: crud_quiet.Catalogue


def asked(
    problems: Sequence[Problem], services: Collection[str], shift: timedelta
) -> dict[str, Any]:
    """What the look is about, as it is bound to its statement."""
    openers = [key_hash for key_hash, _ in problems]
    return {
        "hashes": list(set(openers)),
        "openers": openers,
        "keys": [dedup_key for _, dedup_key in problems],
        "services": sorted(services),
        "shift": shift,
    }


def seen(row: Mapping[str, Any], shift: timedelta) -> Seen:
    """What the look found."""
    now = row["now"] + shift
    services = (row[name] for name in ("named", "standings", "for_everything"))
    return Seen(
        now,
        {one["key_hash"]: _sender(*(one[name] for name in _SHOWN)) for one in row["senders"]},
        {(one["integration_id"], one["dedup_key"]): one["id"] for one in row["known"]},
        [_policy(*(one[name] for name in _LOOKED)) for one in row["policies"]],
        crud_quiet.read(now, *services),
    )


_LOOKED = ("id", "name", "conditions", "first_delay")
_SHOWN = ("id", "name", "kind", "service", "default_severity")
_LOOK_AROUND = looking(_ACTIVE_HELD).columns(**dict.fromkeys(_TOLD, JSONB()))


async def look(
    session: WriteSession, problems: Sequence[Problem], services: Collection[str] = ()
) -> tuple[Mapping[str, Sender], Mapping[Key, int]]:
    """Whose these alerts are, and the unresolved incidents of their problems, as they are now.

    In the same breath comes what every batch needs besides: the time, the policies, and how the
    services stand that the alerts name and those that their integrations are for.
    """
    shift = session.info["clock_shift"]
    found = await session.execute(_LOOK_AROUND, asked(problems, services, shift))
    told = seen(dict(found.mappings().one()), shift)
    session.info.update(now=told.now, policies=told.policies, catalogue=told.services)
    return told.senders, told.known


_START = text(
    """
    WITH wanted AS (
        SELECT * FROM jsonb_to_recordset(CAST(:runs AS jsonb)) AS w(
            incident_id bigint, policy_id bigint, policy_name text, steps jsonb,
            final_delay_minutes float8, is_critical boolean, status text,
            next_step_at timestamptz, deferred_from timestamptz, held_until timestamptz,
            waits_until timestamptz, waits_for text)
    ), started AS (
        INSERT INTO escalations (incident_id, policy_id, is_fallback, policy_name, steps, repeat,
            last_loop, final_delay_minutes, ack_timeout_minutes, is_critical, status,
            next_step_at, deferred_from, held_until, waits_until, waits_for, started_at,
            created_at, updated_at)
        SELECT w.incident_id, w.policy_id, w.policy_id IS NULL, coalesce(p.name, w.policy_name),
            coalesce(p.steps, w.steps), coalesce(p.repeat, 0), coalesce(p.repeat, 0),
            coalesce(p.final_delay_minutes, w.final_delay_minutes), p.ack_timeout_minutes,
            w.is_critical, w.status,
            CASE WHEN w.status = 'paused' AND w.next_step_at IS NULL
                THEN :now + make_interval(secs => p.ack_timeout_minutes * 60)
                ELSE w.next_step_at END,
            w.deferred_from, w.held_until, w.waits_until, w.waits_for, :now, :now, :now
        FROM wanted w LEFT JOIN escalation_policies p ON p.id = w.policy_id
        ON CONFLICT DO NOTHING
    ), told AS (
        INSERT INTO timeline_events
            (incident_id, event_type, description, user_id, metadata, created_at)
        SELECT incident_id, event_type, description, user_id, facts, :now
        FROM jsonb_to_recordset(CAST(:entries AS jsonb)) AS e(
            incident_id bigint, event_type text, description text, user_id bigint, facts jsonb)
        RETURNING id, incident_id, event_type, description, user_id, created_at
    ){feed}""".replace("{feed}", feed.TOO)
).bindparams(NOW)


async def start_many(
    session: WriteSession,
    runs: Sequence[Mapping[str, Any]],
    entries: Sequence[Mapping[str, Any]],
    *,
    now: datetime,
) -> None:
    """Put policies to work, with a frozen copy of each, and tell the timelines.

    A run without a policy is the fallback, and brings its own steps. What runs on an incident
    already goes on.
    """
    parameters = {"runs": _json(runs), "entries": _json(entries), "now": now}
    await session.execute(_START, parameters)
    feed.after_commit(session)


def _json(rows: object) -> str:
    return json.dumps(rows, default=_plain, separators=(",", ":"))


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")
