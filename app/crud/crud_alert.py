"""Alerts as they are kept and looked at: what became of each, and the body it came in for a while.

A body may be large, so that no list and no look at an alert loads it: only `kept_body` does.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    DateTime,
    LargeBinary,
    RowMapping,
    String,
    bindparam,
    func,
    select,
    text,
    update,
)
from sqlalchemy.orm import aliased, defer

from app.crud import base
from app.db.session import ReadSession, WriteSession
from app.domain.integration import AlertOutcome, IntegrationKind
from app.models import Alert

MOST_REPLAYS_SHOWN = 100
NUMBERS, WORDS = ARRAY(BigInteger()), ARRAY(String())
WITHOUT_BODY = defer(Alert.raw_body, raiseload=True)


class AlertOrder(StrEnum):
    ID = "id"
    RECEIVED_AT = "received_at"


ORDERS: base.Orders = {AlertOrder.RECEIVED_AT: Alert.received_at}


@dataclass(frozen=True)
class AlertFilter:
    """Which alerts; an empty field does not narrow. `until` itself is outside."""

    integration_id: int | None = None
    incident_id: int | None = None
    outcome: Collection[AlertOutcome] = ()
    dedup_key: str | None = None
    since: datetime | None = None
    until: datetime | None = None


async def list_page(
    session: ReadSession, where: AlertFilter, wanted: base.Window
) -> base.Slice[Alert]:
    """Newest first, by their times where they are narrowed to a time."""
    statement = select(Alert).options(WITHOUT_BODY)
    if where.integration_id is not None:
        statement = statement.where(Alert.integration_id == where.integration_id)
    if where.incident_id is not None:
        statement = statement.where(Alert.incident_id == where.incident_id)
    if where.outcome:
        statement = statement.where(Alert.outcome.in_(where.outcome))
    if where.dedup_key is not None:
        statement = statement.where(Alert.dedup_key == where.dedup_key)
    if where.since is not None:
        statement = statement.where(Alert.received_at >= where.since)
    if where.until is not None:
        statement = statement.where(Alert.received_at < where.until)
    if not wanted.order:
        is_timed = where.since is not None or where.until is not None
        wanted = replace(wanted, order=AlertOrder.RECEIVED_AT if is_timed else AlertOrder.ID)
    return await base.window(session, statement, Alert.id, wanted, orders=ORDERS)


async def last_received(
    session: ReadSession, integration_ids: Collection[int]
) -> dict[int, datetime]:
    """When the last alert of each of these came; nothing of those that never sent one."""
    found = await session.execute(_LAST_RECEIVED, {"ids": list(integration_ids)})
    return dict(found.tuples().all())


_LAST_RECEIVED = text("""
    SELECT asked.id, last.received_at
    FROM unnest(CAST(:ids AS bigint[])) AS asked(id)
    CROSS JOIN LATERAL (
        SELECT received_at FROM alerts WHERE integration_id = asked.id ORDER BY id DESC LIMIT 1
    ) last
""")


async def get(session: ReadSession, alert_id: int) -> Alert | None:
    return await session.get(Alert, alert_id, options=[WITHOUT_BODY], populate_existing=True)


@dataclass(frozen=True)
class Source:
    """The integration that an alert came through."""

    id: int
    name: str
    kind: IntegrationKind


@dataclass(frozen=True)
class Circumstances:
    """What the row of an alert does not say of itself."""

    integration: Source
    has_body: bool
    body_size: int | None
    replays: tuple[int, ...]  # what came of reading its body again, newest first
    incident_is_deleted: bool
    held_until: datetime | None  # nobody is paged for its incident before, because of a storm


# Whatever came in one request has one body, kept with the first: each of it is told of both.
_CIRCUMSTANCES = text("""
    SELECT a.id, s.id AS source_id, s.name, s.kind, k.raw_body IS NOT NULL AS has_body,
        coalesce(a.body_size, k.body_size) AS body_size,
        ARRAY(SELECT r.id FROM alerts r WHERE r.replay_of = coalesce(k.id, a.id)
            ORDER BY r.id DESC LIMIT :most) AS replays,
        i.deleted_at IS NOT NULL AS incident_is_deleted,
        (SELECT min(e.held_until) FROM escalations e WHERE e.incident_id = a.incident_id
            AND e.status = 'active' AND NOT e.is_critical AND e.held_until > :now) AS held_until
    FROM alerts a
    JOIN integrations s ON s.id = a.integration_id
    LEFT JOIN alerts k ON k.id = coalesce(a.body_of, a.id)
    LEFT JOIN incidents i ON i.id = a.incident_id
    WHERE a.id = ANY(:ids)
""").bindparams(
    bindparam("ids", type_=ARRAY(BigInteger())),
    bindparam("now", type_=DateTime(timezone=True)),
    bindparam("most", type_=BigInteger()),
)


async def circumstances(
    session: ReadSession, alert_ids: Collection[int], *, now: datetime
) -> dict[int, Circumstances]:
    """What else there is to tell of these alerts, in one statement."""
    parameters = {"ids": list(alert_ids), "now": now, "most": MOST_REPLAYS_SHOWN}
    found = (await session.execute(_CIRCUMSTANCES, parameters)).mappings()
    return {row["id"]: _circumstances(row) for row in found}


def _circumstances(row: RowMapping) -> Circumstances:
    own = ("has_body", "body_size", "incident_is_deleted", "held_until")
    return Circumstances(
        integration=Source(row["source_id"], row["name"], IntegrationKind(row["kind"])),
        replays=tuple(row["replays"]),
        **{name: row[name] for name in own},
    )


@dataclass(frozen=True)
class KeptBody:
    """The body of a request as it came, or as much of it as is kept."""

    alert_id: int  # the alert that keeps it
    integration_id: int
    body: bytes
    size: int | None  # of the whole body


async def kept_body(session: ReadSession, alert_id: int) -> KeptBody | None:
    """The body of the request that an alert came in, while it is kept."""
    asked = aliased(Alert)
    statement = (
        select(Alert.id, Alert.integration_id, Alert.raw_body, Alert.body_size)
        .join(asked, Alert.id == func.coalesce(asked.body_of, asked.id))
        .where(asked.id == alert_id, Alert.raw_body.is_not(None))
    )
    row = (await session.execute(statement)).tuples().one_or_none()
    if row is None or row[2] is None:
        return None
    return KeptBody(row[0], row[1], row[2], row[3])


async def forget_bodies(session: WriteSession, *, before: datetime, limit: int) -> int:
    """Forget up to `limit` bodies that came before then, oldest first; how many that were.

    What became of the alerts stays, and how large the body was.
    """
    old = (
        select(Alert.id)
        .where(Alert.raw_body.is_not(None), Alert.received_at < before)
        .order_by(Alert.received_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("old")
    )
    gone = await session.execute(
        update(Alert)
        .where(Alert.id == old.c.id)
        .values(raw_body=None)
        .returning(Alert.id)
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())


# --- Taking in ----------------------------------------------------------------------------

_RECORD = text("""
    WITH wanted AS MATERIALIZED (
        SELECT nextval(pg_get_serial_sequence('alerts', 'id')) AS id, w.*
        FROM unnest(:turns, :requests, :integrations, :incidents, :replays, :outcomes,
            :dedup_keys, :titles, :reasons, :request_ids, :sizes, :bodies)
            AS w(turn, request, integration_id, incident_id, replay_of, outcome, dedup_key,
                title, reason, request_id, body_size, raw_body)
    ), recorded AS (
        INSERT INTO alerts (id, integration_id, incident_id, replay_of, outcome, dedup_key, title,
            reason, request_id, body_size, raw_body, body_of, received_at)
        SELECT id, integration_id, incident_id, replay_of, outcome, dedup_key, title, reason,
            request_id, body_size, raw_body,
            nullif(first_value(id) OVER (PARTITION BY request ORDER BY turn), id), :now
        FROM wanted
    )
    SELECT id FROM wanted ORDER BY turn
""").bindparams(
    bindparam("now", type_=DateTime(timezone=True)),
    *(bindparam(name, type_=NUMBERS) for name in
      ("turns", "requests", "integrations", "incidents", "replays", "sizes")),
    *(bindparam(name, type_=WORDS) for name in
      ("outcomes", "dedup_keys", "titles", "reasons", "request_ids")),
    bindparam("bodies", type_=ARRAY(LargeBinary())),
)  # fmt: skip


async def record(
    session: WriteSession, rows: Sequence[Mapping[str, Any]], *, now: datetime
) -> Sequence[int]:
    """Write what came and what became of it; the ids, in the order of `rows`.

    `request` numbers the requests of the batch: the first alert of each keeps the body, the
    others name that alert.
    """
    if not rows:
        return []
    columns = {
        "turns": list(range(len(rows))),
        "requests": [row["request"] for row in rows],
        "integrations": [row["integration_id"] for row in rows],
        "incidents": [row["incident_id"] for row in rows],
        "replays": [row["replay_of"] for row in rows],
        "outcomes": [row["outcome"] for row in rows],
        "dedup_keys": [row["dedup_key"] for row in rows],
        "titles": [row["title"] for row in rows],
        "reasons": [row["reason"] for row in rows],
        "request_ids": [row["request_id"] for row in rows],
        "sizes": [row["body_size"] for row in rows],
        "bodies": [row["raw_body"] for row in rows],
    }
    return (await session.scalars(_RECORD, {**columns, "now": now})).all()
