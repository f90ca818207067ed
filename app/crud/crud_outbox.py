"""The delivering side of the outbox: leases.

A lease is the `ready_at` of a row in `sending`: when it has passed, the sender is taken for
dead and the row is leased again.

What is critical is looked for first, in its own part of the index: however much else is due,
it is found at the same cost and leaves before it.

One transaction at a time leases pages of one person over one channel: it holds an advisory
lock on the pair, so that what it counts as told to them stays true until it commits. Whoever
comes second passes over that person's pages, as it does over rows that are held.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    DateTime,
    RowMapping,
    String,
    TextClause,
    bindparam,
    text,
)

from app.db.session import Database, WriteSession
from app.domain.bundle import BUNDLE_EVERY, Stream
from app.domain.lease import (
    Before,
    Leased,
    LeasedContact,
    LeasedIncident,
    LeasedStep,
    StepKey,
)
from app.domain.notification import (
    INCIDENT_KINDS,
    MAX_ATTEMPTS,
    Channel,
    NotificationKind,
    NotificationStatus,
)

TIME = DateTime(timezone=True)
PEEKED = 500  # rows of either urgency: the people who are next are among them

# One statement: take rows that nobody holds; note a sender that vanished; cancel what must no
# longer go out; put off what is snoozed; lease the rest. `due` holds the rows as they were
# locked, so one that an acknowledgement changed a moment ago is not leased on the strength of
# an older snapshot. Only pages ask how their incident is: news of it goes out in any case.
_LEASE = """
    WITH {due}, judged AS (
        SELECT d.id, d.status AS was, d.attempts, d.claimed_at AS claimed_before,
            d.held_until, d.bundled_into, i.uid, i.title, i.description, i.severity, i.service,
            i.source, i.url, i.tags, i.labels, i.created_at AS opened_at, i.is_drill, t.alert_count,
            e.policy_name, e.is_fallback, jsonb_array_length(e.steps) AS step_count,
            coalesce(u.full_name, u.email) AS user_name,
            coalesce(d.address, c.address) AS address,
            c.id AS contact_id, c.user_id AS contact_user_id, c.address AS contact_address,
            c.label AS contact_label, c.secret AS contact_secret,
            w.subject AS wording_subject, w.body AS wording_body,
            CASE
                WHEN d.kind <> 'page' THEN NULL
                WHEN i.snoozed_until > :now THEN i.snoozed_until
            END AS rests_until,
            CASE
                WHEN d.kind = 'page' AND d.overtaken_at IS NOT NULL
                    THEN 'The incident was answered first.'
                WHEN d.kind = 'page' AND i.status = 'resolved'
                    THEN 'The incident was resolved first.'
                WHEN d.kind = 'page' AND i.status = 'acknowledged'
                    THEN 'The incident was acknowledged first.'
                WHEN NOT u.is_active THEN 'The recipient was deactivated.'
                WHEN d.kind = 'page' AND d.facts->>'target' = 'assignees' AND NOT EXISTS (
                    SELECT 1 FROM incident_assignments a WHERE a.incident_id = d.incident_id
                        AND a.user_id = d.user_id AND a.role <> 'observer')
                    THEN 'The recipient is no longer assigned.'
                WHEN coalesce(d.address, c.address) IS NULL
                    THEN 'The contact method was removed.'
                WHEN d.kind = ANY(:of_incidents) AND c.id IS NOT NULL AND c.verified_at IS NULL
                    AND NOT d.facts @> '{"drill": true}'
                    THEN 'The contact method is no longer verified.'
                WHEN d.facts ? 'challenge_id'
                    AND (h.id IS NULL OR h.used_at IS NOT NULL OR h.expires_at <= :now)
                    THEN 'What it carries is no longer good.'
                WHEN d.facts ? 'good_until'
                    AND CAST(d.facts->>'good_until' AS timestamptz) <= :now
                    THEN 'What it tells of is over.'
            END AS obstacle
        FROM due d
        LEFT JOIN incidents i ON i.id = d.incident_id
        LEFT JOIN incident_tallies t ON t.incident_id = d.incident_id
        LEFT JOIN escalations e ON e.id = d.escalation_id
        LEFT JOIN users u ON u.id = d.user_id
        LEFT JOIN contact_methods c ON c.id = d.contact_method_id
        LEFT JOIN challenges h ON h.id = CAST(d.facts->>'challenge_id' AS bigint)
        LEFT JOIN message_templates w ON w.kind = d.kind AND w.channel = d.channel
    ), decided AS (
        SELECT *, CASE
            WHEN obstacle IS NOT NULL THEN 'cancelled'
            WHEN rests_until IS NOT NULL THEN 'pending'
            ELSE 'sending'
        END AS becomes
        FROM judged
    ), vanished AS (
        INSERT INTO notification_attempts
            (notification_id, number, outcome, started_at, finished_at, error)
        SELECT id, attempts, 'unknown', claimed_before, :now, 'The sender vanished in mid-send.'
        FROM decided WHERE was = 'sending'
    )
    UPDATE notifications n SET
        status = j.becomes,
        ready_at = CASE j.becomes
            WHEN 'sending' THEN :until
            WHEN 'pending' THEN j.rests_until
        END,
        claimed_at = CASE j.becomes WHEN 'sending' THEN :now ELSE n.claimed_at END,
        attempts = n.attempts + CASE j.becomes WHEN 'sending' THEN 1 ELSE 0 END,
        is_resend = n.is_resend OR j.was = 'sending',
        bundled_into = CASE j.becomes WHEN 'sending' THEN :leader END,
        reason = j.obstacle,
        updated_at = :now
    FROM decided j WHERE j.id = n.id
    RETURNING n.status, n.id, n.kind, n.channel, n.message, n.facts, n.due_at, n.claimed_at,
        n.attempts, n.attempts_before, n.is_resend, n.is_critical, n.user_id, n.incident_id,
        n.escalation_id, n.loop, n.step, j.was, j.claimed_before, j.held_until,
        j.bundled_into AS bundled_before,
        j.uid, j.title, j.description, j.severity, j.service, j.source, j.url, j.tags, j.labels,
        j.opened_at, j.is_drill, j.alert_count, j.policy_name, j.is_fallback, j.step_count,
        j.user_name, j.address, j.contact_id, j.contact_user_id, j.contact_address,
        j.contact_label, j.contact_secret, j.wording_subject, j.wording_body
"""


# Rows that nobody holds, the longest due first.
_ROWS = """SELECT n.* FROM notifications n
        WHERE {which}
        ORDER BY n.ready_at, n.id
        LIMIT :limit
        FOR NO KEY UPDATE OF n SKIP LOCKED"""
# Whose pages these are is settled before a row is held: what one passes over is still there
# for whoever has the lock, and belongs into the same bundle. OFFSET keeps the planner from
# trying the locks of more people than are needed.
_PAGED = """paged AS MATERIALIZED (
        SELECT p.user_id FROM (
            SELECT user_id FROM (
                ({critical}) UNION ALL ({lower})
            ) next
            WHERE user_id IS NOT NULL
            GROUP BY user_id ORDER BY bool_or(is_critical) DESC, min(ready_at), user_id OFFSET 0
        ) p
        WHERE pg_try_advisory_xact_lock(
            hashtextextended(:channel || ' pages of ' || p.user_id, 0))
        LIMIT :limit
    )"""
_PEEK = """SELECT n.user_id, n.is_critical, n.ready_at FROM notifications n
                WHERE {which} ORDER BY n.ready_at, n.id LIMIT :peeked"""
# The two parts of the index are read one after the other: no order goes through both.
_CRITICAL = "n.channel = :channel AND n.is_critical AND n.ready_at <= :now"
_LOWER = "n.channel = :channel AND NOT n.is_critical AND n.ready_at <= :now"
_WHOSE = " AND (n.kind <> 'page' OR n.user_id IS NULL OR n.user_id IN (SELECT user_id FROM paged))"
# Of the lower ones only so many rows are read, and held, as there is room. The inner limit is
# for the planner, which knows nothing of the outer one.
_DUE = """{paged}, critical AS MATERIALIZED ({critical}), lower AS MATERIALIZED (
        SELECT * FROM ({lower}) waiting
        LIMIT greatest(:limit - :reserved - (SELECT count(*) FROM critical), 0)
    ), due AS (SELECT * FROM critical UNION ALL SELECT * FROM lower)"""
_TYPES: dict[str, Any] = {
    **dict.fromkeys(("now", "until", "horizon"), TIME),
    **dict.fromkeys(("limit", "reserved", "peeked"), BigInteger()),
    **dict.fromkeys(("most_tries", "leader", "bundle"), BigInteger()),
    **dict.fromkeys(("user_id", "contact_method_id"), BigInteger()),
    "is_critical": Boolean(),
    "channel": String(),
    "of_incidents": ARRAY(String()),
}


def _lease(due: str) -> TextClause:
    """The statement for the rows that `due` takes."""
    statement = _LEASE.replace("{due}", due)
    used = set(re.findall(r"(?<!:):(\w+)", statement))
    return text(statement).bindparams(*(bindparam(name, type_=_TYPES[name]) for name in used))


def _lease_rows(which: str) -> TextClause:
    return _lease(f"due AS MATERIALIZED ({_ROWS.format(which=which)})")


_LEASE_DUE = _lease(
    _DUE.format(
        paged=_PAGED.format(
            critical=_PEEK.format(which=_CRITICAL), lower=_PEEK.format(which=_LOWER)
        ),
        critical=_ROWS.format(which=_CRITICAL + _WHOSE),
        lower=_ROWS.format(which=_LOWER + _WHOSE),
    )
)
# Everything else that waits for the same address: due, or held until later.
_LEASE_WAITING = _lease_rows(
    "n.channel = :channel AND n.is_critical = :is_critical AND n.ready_at <= :horizon"
    " AND (n.ready_at <= :now OR n.ready_at = n.held_until) AND n.status = 'pending'"
    " AND n.kind = 'page' AND n.user_id = :user_id"
    " AND n.contact_method_id = :contact_method_id"
    " AND n.attempts - n.attempts_before < :most_tries"
)
# What left together with a sender that vanished.
_LEASE_AGAIN = _lease_rows(
    "(n.bundled_into = :bundle OR n.id = :bundle) AND n.status = 'sending'"
    " AND n.ready_at <= :now AND n.attempts - n.attempts_before < :most_tries"
)


@dataclass
class Leasing:
    """What one lease moved: what is to be sent, and the steps that lost a page."""

    leased: list[Leased] = field(default_factory=list)
    cancelled: set[StepKey] = field(default_factory=set)
    moved: int = 0


@dataclass(frozen=True)
class Term:
    """From when until when something is leased."""

    channel: Channel
    now: datetime
    until: datetime


async def lease_due(session: WriteSession, term: Term, *, limit: int, reserved: int = 0) -> Leasing:
    """Take up to `limit` due notifications of a channel, each for one sender.

    The critical come first; what is not leaves `reserved` senders to them.
    """
    return await _take(session, _LEASE_DUE, term, limit, peeked=PEEKED, reserved=reserved)


async def lease_waiting(
    session: WriteSession, term: Term, stream: Stream, *, leader: int, limit: int
) -> Leasing:
    """Take the pages that are due to the same address, or held until later."""
    parameters = {
        "horizon": term.now + BUNDLE_EVERY,
        "most_tries": MAX_ATTEMPTS - 1,
        **stream._asdict(),
    }
    return await _take(session, _LEASE_WAITING, term, limit, leader=leader, **parameters)


async def lease_again(
    session: WriteSession, term: Term, bundle: int, *, leader: int, limit: int
) -> Leasing:
    """Take the rest of a bundle whose sender vanished."""
    parameters = {"bundle": bundle, "most_tries": MAX_ATTEMPTS - 1}
    return await _take(session, _LEASE_AGAIN, term, limit, leader=leader, **parameters)


async def _take(
    session: WriteSession,
    statement: TextClause,
    term: Term,
    limit: int,
    *,
    leader: int | None = None,
    **parameters: Any,
) -> Leasing:
    parameters |= {"channel": term.channel, "now": term.now, "until": term.until, "limit": limit}
    parameters |= {"leader": leader, "of_incidents": list(INCIDENT_KINDS)}
    taken = Leasing()
    for row in (await session.execute(statement, parameters)).mappings():
        taken.moved += 1
        match NotificationStatus(row["status"]):
            case NotificationStatus.SENDING:
                taken.leased.append(_leased(row))
            case NotificationStatus.CANCELLED if row["escalation_id"] is not None:
                taken.cancelled.add(_step_key(row))
            case _:
                pass  # it rests
    taken.leased.sort(key=lambda lease: lease.id)
    return taken


_FIRST = """(SELECT ready_at FROM notifications
        WHERE channel = $1 AND {which} AND ready_at IS NOT NULL
        ORDER BY ready_at LIMIT 1)"""
_FIRST_CRITICAL = _FIRST.format(which="is_critical")
_FIRST_LOWER = _FIRST.format(which="NOT is_critical")
_NEXT_LEAD = "SELECT {first} - (now() + $2::interval) AS lead"
_NEXT_CRITICAL = _NEXT_LEAD.format(first=_FIRST_CRITICAL)
_NEXT = _NEXT_LEAD.format(first=f"least({_FIRST_CRITICAL}, {_FIRST_LOWER})")


async def next_lead(
    database: Database, channel: Channel, *, only_critical: bool = False
) -> timedelta | None:
    """How long until the next notification of a channel may be leased; negative if it is late."""
    question = _NEXT_CRITICAL if only_critical else _NEXT
    [row] = await database.ask(question, channel, database.clock_shift)
    lead: timedelta | None = row["lead"]
    return lead


def _leased(row: RowMapping) -> Leased:
    own = ("id", "address", "message", "facts", "claimed_at", "attempts", "attempts_before")
    fields = {
        name: row[name] for name in (*own, "is_resend", "is_critical", "user_id", "user_name")
    }
    return Leased(
        **fields,
        kind=NotificationKind(row["kind"]),
        channel=Channel(row["channel"]),
        promised_at=row["due_at"],
        contact=_contact(row) if row["contact_id"] is not None else None,
        incident=_incident(row) if row["incident_id"] is not None else None,
        step=_step(row) if row["escalation_id"] is not None else None,
        wording=(row["wording_subject"], row["wording_body"]) if row["wording_body"] else None,
        before=Before(
            was_sending=row["was"] == NotificationStatus.SENDING,
            claimed_at=row["claimed_before"],
            held_until=row["held_until"],
            bundled_into=row["bundled_before"],
        ),
    )


def _contact(row: RowMapping) -> LeasedContact:
    own = ("id", "user_id", "address", "label", "secret")
    return LeasedContact(**{name: row[f"contact_{name}"] for name in own})


def _incident(row: RowMapping) -> LeasedIncident:
    own = ("uid", "title", "description", "severity", "service", "source", "url", "labels")
    fields = {name: row[name] for name in (*own, "opened_at", "alert_count", "is_drill")}
    return LeasedIncident(row["incident_id"], tags=tuple(row["tags"]), **fields)


def _step(row: RowMapping) -> LeasedStep:
    return LeasedStep(_step_key(row), row["step_count"], row["policy_name"], row["is_fallback"])


def _step_key(row: RowMapping) -> StepKey:
    return StepKey(row["incident_id"], row["escalation_id"], row["loop"], row["step"])
