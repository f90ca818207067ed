"""The delivering side of the outbox: leases.

A lease is the `ready_at` of a row in `sending`: when it has passed, the sender is taken for
dead and the row is leased again.

One transaction at a time leases pages of one person over one channel: it holds an advisory
lock on the pair, so that what it counts as told to them stays true until it commits. Whoever
comes second passes over that person's pages, as it does over rows that are held.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    DateTime,
    RowMapping,
    String,
    TextClause,
    bindparam,
    select,
    text,
    update,
)

from app.db.session import ReadSession, WriteSession
from app.domain.bundle import BUNDLE_EVERY, Hold, PageLimit, Stream, Told, stream_of
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
from app.models import Notification

TIME, KEYS = DateTime(timezone=True), ARRAY(BigInteger())
PEEKED = 500  # rows: the people who are next are among them
MOST_HELD = 1000  # in one statement

# One statement: take rows that nobody holds; note a sender that vanished; cancel what must no
# longer go out; put off what is snoozed; lease the rest. `due` holds the rows as they were
# locked, so one that an acknowledgement changed a moment ago is not leased on the strength of
# an older snapshot. Only pages ask how their incident is: news of it goes out in any case.
_LEASE = """
    WITH {first} due AS MATERIALIZED (
        SELECT n.* FROM notifications n
        WHERE {which}
        ORDER BY n.ready_at, n.id
        LIMIT :limit
        FOR NO KEY UPDATE OF n SKIP LOCKED
    ), judged AS (
        SELECT d.id, d.status AS was, d.attempts, d.claimed_at AS claimed_before,
            d.held_until, d.bundled_into, i.uid, i.title, i.description, i.severity, i.service,
            i.source, i.url, i.tags, i.labels, i.created_at AS opened_at, t.alert_count,
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
                WHEN coalesce(d.address, c.address) IS NULL
                    THEN 'The contact method was removed.'
                WHEN d.kind = ANY(:of_incidents) AND c.id IS NOT NULL AND c.verified_at IS NULL
                    THEN 'The contact method is no longer verified.'
                WHEN d.facts ? 'challenge_id'
                    AND (h.id IS NULL OR h.used_at IS NOT NULL OR h.expires_at <= :now)
                    THEN 'What it carries is no longer good.'
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
        n.attempts, n.attempts_before, n.is_resend, n.user_id, n.incident_id, n.escalation_id,
        n.loop, n.step, j.was, j.claimed_before, j.held_until, j.bundled_into AS bundled_before,
        j.uid, j.title, j.description, j.severity, j.service, j.source, j.url, j.tags, j.labels,
        j.opened_at, j.alert_count, j.policy_name, j.is_fallback, j.step_count, j.user_name,
        j.address, j.contact_id, j.contact_user_id, j.contact_address, j.contact_label,
        j.contact_secret, j.wording_subject, j.wording_body
"""


# Whose pages these are is settled before a row is held: what one passes over is still there
# for whoever has the lock, and belongs into the same bundle. OFFSET keeps the planner from
# trying the locks of more people than are needed.
_PAGED = """
    paged AS MATERIALIZED (
        SELECT p.user_id FROM (
            SELECT user_id FROM (
                SELECT n.user_id, n.ready_at FROM notifications n
                WHERE n.channel = :channel AND n.ready_at <= :now
                ORDER BY n.ready_at, n.id LIMIT :peeked
            ) next
            WHERE user_id IS NOT NULL
            GROUP BY user_id ORDER BY min(ready_at), user_id OFFSET 0
        ) p
        WHERE pg_try_advisory_xact_lock(
            hashtextextended(:channel || ' pages of ' || p.user_id, 0))
        LIMIT :limit
    ),
"""
_TYPES: dict[str, Any] = {
    **dict.fromkeys(("now", "until", "horizon"), TIME),
    **dict.fromkeys(("limit", "peeked", "most_tries", "leader", "bundle"), BigInteger()),
    **dict.fromkeys(("user_id", "contact_method_id"), BigInteger()),
    "channel": String(),
    "of_incidents": ARRAY(String()),
}


def _lease(which: str, first: str = "") -> TextClause:
    """The statement for the rows that `which` picks."""
    statement = _LEASE.replace("{first}", first).replace("{which}", which)
    used = set(re.findall(r":(\w+)", statement))
    return text(statement).bindparams(*(bindparam(name, type_=_TYPES[name]) for name in used))


_LEASE_DUE = _lease(
    "n.channel = :channel AND n.ready_at <= :now AND (n.kind <> 'page' OR n.user_id IS NULL"
    " OR n.user_id IN (SELECT user_id FROM paged))",
    _PAGED,
)
# Everything else that waits for the same address: due, or held until later.
_LEASE_WAITING = _lease(
    "n.channel = :channel AND n.ready_at <= :horizon"
    " AND (n.ready_at <= :now OR n.ready_at = n.held_until) AND n.status = 'pending'"
    " AND n.kind = 'page' AND n.user_id = :user_id AND n.contact_method_id = :contact_method_id"
    " AND n.attempts - n.attempts_before < :most_tries"
)
# What left together with a sender that vanished.
_LEASE_AGAIN = _lease(
    "(n.bundled_into = :bundle OR n.id = :bundle) AND n.status = 'sending' AND n.ready_at <= :now"
    " AND n.attempts - n.attempts_before < :most_tries"
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


async def lease_due(session: WriteSession, term: Term, *, limit: int) -> Leasing:
    """Take up to `limit` due notifications of a channel, each for one sender."""
    return await _take(session, _LEASE_DUE, term, limit, peeked=PEEKED)


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


# Both counts are short scans of the index of what was paged lately.
_TOLD = """
    n.kind = 'page' AND n.user_id = p.user_id AND n.channel = :channel AND n.id <> ALL(:these)
    AND n.status IN ('sending', 'sent', 'delivered', 'suppressed')
"""
_TOLD_LATELY = text(
    """
    SELECT p.user_id, p.contact_method_id,
        (SELECT count(*) FROM (
            SELECT 1 FROM notifications n WHERE n.claimed_at > :since AND {told} LIMIT :pages
        ) counted),
        (SELECT max(n.claimed_at) FROM notifications n WHERE n.claimed_at > :lately
            AND n.contact_method_id = p.contact_method_id AND {told})
    FROM unnest(:users, :methods) AS p(user_id, contact_method_id)
    """.replace("{told}", _TOLD)
).bindparams(
    *(bindparam(name, type_=TIME) for name in ("since", "lately")),
    *(bindparam(name, type_=KEYS) for name in ("users", "methods", "these")),
    bindparam("channel", type_=String()),
    bindparam("pages", type_=BigInteger()),
)


async def told_lately(
    session: ReadSession, term: Term, leased: Collection[Leased], limit: PageLimit
) -> dict[Stream, Told]:
    """What the people of these pages were told besides them, counted no further than it matters."""
    streams = {stream_of(page) for page in leased}
    parameters = {
        "channel": term.channel,
        "users": [stream.user_id for stream in streams],
        "methods": [stream.contact_method_id for stream in streams],
        "these": [page.id for page in leased],
        "since": term.now - limit.window,
        "lately": term.now - BUNDLE_EVERY,
        "pages": limit.pages,
    }
    found = await session.execute(_TOLD_LATELY, parameters)
    return {Stream(user, method): Told(pages, at) for user, method, pages, at in found}


_GIVE_BACK = text("""
    UPDATE notifications n SET status = 'pending', ready_at = :until, held_until = :until,
        claimed_at = b.claimed_at, attempts = n.attempts - 1, updated_at = :now
    FROM unnest(:ids, :claimed) AS b(id, claimed_at) WHERE n.id = b.id
""").bindparams(
    *(bindparam(name, type_=TIME) for name in ("now", "until")),
    bindparam("ids", type_=KEYS),
    bindparam("claimed", type_=ARRAY(TIME)),
)
# All at once, or a storm of pages to one person would be leased and given back one by one.
_HOLD_REST = text("""
    WITH rest AS MATERIALIZED (
        SELECT n.id FROM notifications n
        WHERE n.channel = :channel AND n.ready_at <= :now AND n.status = 'pending'
            AND n.kind = 'page' AND n.user_id = :user_id
            AND n.contact_method_id = :contact_method_id AND n.held_until IS NULL
        ORDER BY n.ready_at, n.id
        LIMIT :limit
        FOR NO KEY UPDATE OF n SKIP LOCKED
    )
    UPDATE notifications n SET ready_at = :until, held_until = :until, updated_at = :now
    FROM rest WHERE rest.id = n.id
""").bindparams(
    *(bindparam(name, type_=TIME) for name in ("now", "until")),
    *(bindparam(n, type_=BigInteger()) for n in ("user_id", "contact_method_id", "limit")),
    bindparam("channel", type_=String()),
)


async def hold(session: WriteSession, term: Term, hold: Hold) -> None:
    """Give pages back unsent, until then, with all that are due to the same address."""
    times = {"now": term.now, "until": hold.until}
    ids = [page.id for page in hold.pages]
    claimed = [page.before.claimed_at for page in hold.pages]
    await session.execute(_GIVE_BACK, {"ids": ids, "claimed": claimed, **times})
    rest = {"channel": term.channel, "limit": MOST_HELD, **hold.stream._asdict()}
    await session.execute(_HOLD_REST, rest | times)


async def follow(session: WriteSession, followers: Collection[int], leader: int) -> None:
    """These leased pages are told by that one's message."""
    await session.execute(
        update(Notification)
        .where(Notification.id.in_(followers))
        .values(bundled_into=leader)
        .execution_options(synchronize_session=False)
    )


async def next_ready_at(session: ReadSession, channel: Channel) -> datetime | None:
    """When the next notification of a channel may be leased, in the past if it is late."""
    return await session.scalar(
        select(Notification.ready_at)
        .where(Notification.channel == channel, Notification.ready_at.is_not(None))
        .order_by(Notification.ready_at)
        .limit(1)
    )


def _leased(row: RowMapping) -> Leased:
    own = ("id", "address", "message", "facts", "claimed_at", "attempts", "attempts_before")
    fields = {name: row[name] for name in (*own, "is_resend", "user_id", "user_name")}
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
    fields = {name: row[name] for name in (*own, "opened_at", "alert_count")}
    return LeasedIncident(row["incident_id"], tags=tuple(row["tags"]), **fields)


def _step(row: RowMapping) -> LeasedStep:
    return LeasedStep(_step_key(row), row["step_count"], row["policy_name"], row["is_fallback"])


def _step_key(row: RowMapping) -> StepKey:
    return StepKey(row["incident_id"], row["escalation_id"], row["loop"], row["step"])
