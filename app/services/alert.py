"""What became of every alert, told in a sentence; and reading the body of an old one again.

A body is untrusted bytes that may hold anybody's secrets: it is handed out as it came or read
by the parsers that read everything else, and never shown in a message, a log or an error.
"""

import codecs
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from app.core.errors import ConflictError, NotFoundError, TocsinError
from app.crud import crud_alert, crud_incident, crud_integration
from app.crud.crud_alert import Circumstances, KeptBody
from app.db.session import ReadSession, WriteSession
from app.domain.incident import TimelineType
from app.domain.integration import AlertOutcome, IntegrationKind, Sender
from app.domain.storm import ServiceLimit
from app.domain.user import Actor
from app.models import Alert, Integration
from app.services import audit_log
from app.services import integration as integration_service
from app.services.integration import PAGING, RAW_KEPT, Delivery, Item

MOST_ALERTS_NAMED = 20  # in one line of a timeline


class BodyNotKeptError(NotFoundError):
    """The body was forgotten after a while, or never kept."""

    code = "BODY_NOT_KEPT"

    def __init__(self, alert_id: int) -> None:
        TocsinError.__init__(
            self,
            f"The body that alert {alert_id} came in is not kept, or no longer; what became of"
            " the alert is.",
        )


class BodyCutError(ConflictError):
    """Of a body this large only the beginning is kept."""

    code = "BODY_CUT"


class IntegrationInactiveError(ConflictError):
    """Nothing is let in through this integration just now."""

    code = "INTEGRATION_INACTIVE"


# --- Looking ------------------------------------------------------------------------------


async def told(
    session: ReadSession, alerts: Collection[Alert], *, now: datetime
) -> list[dict[str, Any]]:
    """These alerts as they are shown, in their order."""
    around = await crud_alert.circumstances(session, [alert.id for alert in alerts], now=now)
    return [_told(alert, around[alert.id]) for alert in alerts]


async def require(session: ReadSession, alert_id: int, *, now: datetime) -> dict[str, Any]:
    """One alert as it is shown."""
    alert = await _require(session, alert_id)
    return (await told(session, [alert], now=now))[0]


async def _require(session: ReadSession, alert_id: int) -> Alert:
    alert = await crud_alert.get(session, alert_id)
    if alert is None:
        raise NotFoundError("alert", alert_id)
    return alert


def _told(alert: Alert, around: Circumstances) -> dict[str, Any]:
    own = (
        "id", "outcome", "reason", "incident_id", "title", "dedup_key", "received_at",
        "request_id", "replay_of",
    )  # fmt: skip
    is_held = around.held_until is not None and alert.outcome in PAGING
    return {
        **{name: getattr(alert, name) for name in own},
        "summary": summary(
            alert.outcome,
            alert.incident_id,
            alert.reason,
            is_deleted=around.incident_is_deleted,
            held_until=around.held_until if is_held else None,
        ),
        "held_until": around.held_until if is_held else None,
        "integration": around.integration,
        "has_body": around.has_body,
        "body_size": around.body_size,
        "replays": around.replays,
    }


def summary(
    outcome: AlertOutcome,
    incident_id: int | None,
    reason: str | None,
    *,
    is_deleted: bool = False,
    held_until: datetime | None = None,
) -> str:
    """What became of an alert, in words."""
    incident = f"incident #{incident_id}" + (", which was deleted since" if is_deleted else "")
    match outcome:
        case AlertOutcome.OPENED:
            became = f"Opened {incident}."
        case AlertOutcome.JOINED:
            became = f"Joined {incident}."
        case AlertOutcome.RESOLVED:
            became = f"Resolved {incident}."
        case AlertOutcome.IGNORED if incident_id is not None:
            became = f"Ignored: an alert just before it had resolved {incident}."
        case AlertOutcome.IGNORED:
            became = "Ignored: nothing was open that it could resolve."
        case AlertOutcome.UNREADABLE:
            why = (reason or "").rstrip(".")
            where = f"; {incident} says so." if incident_id is not None else "."
            became = f"Could not be read: {why}{where}"
    if reason is not None and outcome is not AlertOutcome.UNREADABLE:
        became += f" {reason}"
    if held_until is not None:
        clock = held_until.astimezone(UTC)
        became += f" Held back in a storm until {clock:%H:%M} UTC."
    return became


# --- The body -----------------------------------------------------------------------------


async def require_body(session: ReadSession, alert_id: int) -> KeptBody:
    """The body that an alert came in, as much of it as is kept."""
    kept = await crud_alert.kept_body(session, alert_id)
    if kept is None:
        await _require(session, alert_id)
        raise BodyNotKeptError(alert_id)
    return kept


def is_cut(kept: KeptBody) -> bool:
    """Whether more came than is kept. Where nobody noted how much came, a full one counts."""
    if kept.size is None:
        return len(kept.body) >= RAW_KEPT
    return len(kept.body) < kept.size


def is_text(kept: KeptBody) -> bool:
    """Whether it is UTF-8 that a person can read. The cut may go through a character."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        return "\x00" not in decoder.decode(kept.body, final=not is_cut(kept))
    except UnicodeDecodeError:
        return False


async def replay(
    session: WriteSession,
    alert_id: int,
    kind: IntegrationKind | None = None,
    *,
    by: Actor,
    request_id: str | None,
    limit: ServiceLimit,
    now: datetime,
) -> list[Item]:
    """Read an alert's body again, with today's parser, and take it in as if it came now.

    With it everything that came in the same request. What an old body leaves out of a
    complete group says nothing about today, so nothing is resolved for that.

    May deadlock against other alerts about the same problems; run it where clashes are retried.
    """
    kept = await require_body(session, alert_id)
    if is_cut(kept):
        raise BodyCutError(
            f"Only the first {len(kept.body):,} bytes of this body are kept, so it cannot be read"
            " again; have the tool send it once more."
        )
    integration = await crud_integration.get(session, kept.integration_id)
    assert integration is not None  # a foreign key
    if not integration.is_active:
        raise IntegrationInactiveError(
            f"The integration “{integration.name}” is not active, so it takes nothing in;"
            " activate it first."
        )
    readings = integration_service.read(kind or integration.kind, kept.body)
    delivery = Delivery(
        _sender(integration),
        replace(readings, group=None),
        kept.body,
        len(kept.body),
        request_id,
        replay_of=kept.alert_id,
    )
    items = await integration_service.receive(session, [delivery], now=now, limit=limit)
    await _tell_replayed(session, alert_id, items, by=by, now=now)
    await audit_log.note(session, "alert.replayed", alert_id, now=now)
    return items


def _sender(integration: Integration) -> Sender:
    own = ("id", "name", "kind", "service", "default_severity")
    return Sender(**{name: getattr(integration, name) for name in own})


_VERBS = {
    AlertOutcome.OPENED: "which opened this incident",
    AlertOutcome.JOINED: "which joined this incident",
    AlertOutcome.RESOLVED: "which resolved this incident",
    AlertOutcome.UNREADABLE: "which still cannot be read",
}


async def _tell_replayed(
    session: WriteSession, alert_id: int, items: Sequence[Item], *, by: Actor, now: datetime
) -> None:
    """A line on the timeline of each incident that the replay touched."""
    touched: dict[int, list[Item]] = {}
    for item in items:
        if item.incident_id is not None and item.outcome in _VERBS:
            touched.setdefault(item.incident_id, []).append(item)
    entries = [
        crud_incident.entry(
            incident_id,
            TimelineType.ALERT_REPLAYED,
            f"{by.name} had alert {alert_id} read again, {_VERBS[own[0].outcome]}.",
            now=now,
            user_id=by.user_id,
            alert_id=alert_id,
            alerts=[item.alert_id for item in own[:MOST_ALERTS_NAMED]],
        )
        for incident_id, own in sorted(touched.items())
    ]
    await crud_incident.tell(session, entries)
