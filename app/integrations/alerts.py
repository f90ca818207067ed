"""The plain format, for whatever can send JSON: `docs/integrations/alerts.md`.

A body is one alert, a list of alerts, or `{"alerts": [...]}`. An alert needs a title; a
recovery may name its dedup key instead. A status word that nobody knows pages: a page too
many is a nuisance, a page too few is an outage.
"""

from app.domain.integration import Readings, Signal, SignalAction, Unreadable, derived_key
from app.integrations import fields
from app.integrations.json_body import Json, parse, read_each

TRIGGER_WORDS = frozenset(
    {
        "active",
        "alarm",
        "alert",
        "alerting",
        "critical",
        "down",
        "error",
        "failed",
        "failing",
        "failure",
        "fire",
        "firing",
        "new",
        "open",
        "opened",
        "problem",
        "trigger",
        "triggered",
        "unhealthy",
        "warning",
    }
)
RESOLVE_WORDS = frozenset(
    {
        "clear",
        "cleared",
        "close",
        "closed",
        "fixed",
        "healthy",
        "inactive",
        "normal",
        "ok",
        "okay",
        "recovered",
        "recovery",
        "resolve",
        "resolved",
        "up",
    }
)


def read(body: bytes) -> Readings:
    """Every alert of a plain body, in order."""
    match parse(body):
        case Unreadable() as unreadable:
            return Readings((unreadable,))
        case list(items) | {"alerts": list(items)}:
            return Readings(read_each(items, _read_alert))
        case alert:
            return Readings((_read_alert(alert),))


def _read_alert(alert: Json) -> Signal | Unreadable:
    if not isinstance(alert, dict):
        return Unreadable("An alert must be a JSON object.")
    status = fields.line(alert.get("status"), fields.LONGEST_LABEL)
    word = (status or "firing").lower()
    resolves = word in RESOLVE_WORDS
    dedup_key = fields.key(alert.get("dedup_key"))
    title = fields.line(alert.get("title"), fields.LONGEST_TITLE)
    if title is None and not (resolves and dedup_key):
        return Unreadable("An alert needs a title; a recovery needs a title or a dedup_key.")

    severity = fields.severity(alert.get("severity"))
    service = fields.line(alert.get("service"), fields.LONGEST_NAME)
    source = fields.line(alert.get("source"), fields.LONGEST_NAME)
    whole_title = fields.line(alert.get("title"), fields.LONGEST_DESCRIPTION)
    given = alert.get("labels")
    unknown: dict[str, Json] = {
        "severity": None if severity else alert.get("severity"),
        "status": None if resolves or word in TRIGGER_WORDS else status,
    }
    return Signal(
        action=SignalAction.RESOLVE if resolves else SignalAction.TRIGGER,
        dedup_key=dedup_key or derived_key("alerts", source, service, whole_title),
        title=title or dedup_key or "",
        description=fields.text(alert.get("description"), fields.LONGEST_DESCRIPTION),
        severity=severity,
        service=service,
        source=source,
        url=fields.url(alert.get("url")),
        tags=fields.tags(alert.get("tags")),
        labels=fields.labels(unknown, given if isinstance(given, dict) else {"labels": given}),
    )
