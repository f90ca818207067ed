"""Prometheus Alertmanager's webhook, version 4, and Grafana's, which is shaped like it.

Each alert is a signal of its own, known by its fingerprint. A payload also speaks for its
whole group, but only if it is whole: with one alert truncated or unreadable, what is absent
may still be firing, and then nothing is said of the group.
"""

from dataclasses import dataclass
from functools import partial

from app.domain.integration import (
    GroupState,
    Readings,
    Signal,
    SignalAction,
    Unreadable,
    derived_key,
)
from app.integrations import fields
from app.integrations.json_body import Json, parse, read_each

SOURCE = "alertmanager"
RESOLVE_WORDS = frozenset({"resolved", "ok", "normal"})
TITLE_ANNOTATIONS = ("summary", "title", "message")
SERVICE_LABELS = ("service", "service_name", "app", "job")
URL_FIELDS = ("generatorURL", "panelURL", "dashboardURL")


@dataclass(frozen=True)
class Envelope:
    """What a payload says of all its alerts."""

    status: str | None
    title: str | None
    group_key: str | None
    is_whole: bool  # none of the group's alerts was left out for their number


def read(body: bytes) -> Readings:
    """Every alert of a webhook payload, and what it says of its group."""
    payload = parse(body)
    if isinstance(payload, Unreadable):
        return Readings((payload,))
    if not isinstance(payload, dict) or not isinstance(alerts := payload.get("alerts"), list):
        reason = "An Alertmanager payload must be a JSON object with a list of alerts."
        return Readings((Unreadable(reason),))

    envelope = Envelope(
        status=fields.line(payload.get("status"), fields.LONGEST_NAME),
        title=fields.line(payload.get("title") or payload.get("message"), fields.LONGEST_TITLE),
        group_key=_group_key(payload),
        is_whole=fields.key(payload.get("truncatedAlerts")) in (None, "0"),
    )
    readings = read_each(alerts, partial(_read_alert, envelope))
    return Readings(readings, _group(envelope, readings))


def _group_key(payload: dict[str, Json]) -> str | None:
    group_key = fields.key(payload.get("groupKey"))
    # Two Alertmanagers that share an integration have groups of the same name; neither
    # may resolve what only the other one sees.
    sender = fields.key(payload.get("externalURL"))
    return fields.key(f"{group_key} {sender}") if group_key and sender else group_key


def _group(envelope: Envelope, readings: tuple[Signal | Unreadable, ...]) -> GroupState | None:
    signals = [reading for reading in readings if isinstance(reading, Signal)]
    if not (envelope.is_whole and envelope.group_key and signals):
        return None
    if len(signals) < len(readings):
        return None
    return GroupState(envelope.group_key, frozenset(signal.dedup_key for signal in signals))


def _read_alert(envelope: Envelope, alert: Json) -> Signal | Unreadable:
    if not isinstance(alert, dict):
        return Unreadable("An alert must be a JSON object.")
    labels, annotations = _object(alert, "labels"), _object(alert, "annotations")
    title = _title(labels, annotations) or envelope.title
    dedup_key = fields.key(alert.get("fingerprint")) or _derived_key(labels, envelope, title)
    if dedup_key is None:
        return Unreadable("An alert needs labels, a fingerprint or a summary.")

    services = (fields.line(labels.get(name), fields.LONGEST_NAME) for name in SERVICE_LABELS)
    return Signal(
        action=_action(fields.line(alert.get("status"), fields.LONGEST_NAME) or envelope.status),
        dedup_key=dedup_key,
        title=title or fields.line(f"Alert {dedup_key}", fields.LONGEST_TITLE) or dedup_key,
        description=_description(alert, annotations, title),
        severity=fields.severity(labels.get("severity"), labels.get("priority")),
        service=next((service for service in services if service), None),
        source=SOURCE,
        url=next((link for name in URL_FIELDS if (link := fields.url(alert.get(name)))), None),
        labels=fields.labels(labels),
        group_key=envelope.group_key,
    )


def _object(alert: dict[str, Json], name: str) -> dict[str, Json]:
    value = alert.get(name)
    return value if isinstance(value, dict) else {}


def _action(status: str | None) -> SignalAction:
    # endsAt is no witness: Prometheus gives firing alerts one too, in the future.
    resolved = status is not None and status.lower() in RESOLVE_WORDS
    return SignalAction.RESOLVE if resolved else SignalAction.TRIGGER


def _derived_key(labels: dict[str, Json], envelope: Envelope, title: str | None) -> str | None:
    if labels:
        pairs = [f"{fields.key(name)}={fields.key(labels[name])}" for name in sorted(labels)]
        return derived_key("alertmanager", *pairs)
    return derived_key("alertmanager", envelope.group_key, title) if title else None


def _title(labels: dict[str, Json], annotations: dict[str, Json]) -> str | None:
    for name in TITLE_ANNOTATIONS:
        if title := fields.line(annotations.get(name), fields.LONGEST_TITLE):
            return title
    alert_name = fields.line(labels.get("alertname"), fields.LONGEST_TITLE)
    instance = fields.line(labels.get("instance"), fields.LONGEST_TITLE)
    if alert_name and instance:
        return fields.line(f"{alert_name} ({instance})", fields.LONGEST_TITLE)
    return alert_name


def _description(
    alert: dict[str, Json], annotations: dict[str, Json], title: str | None
) -> str | None:
    parts = [fields.text(annotations.get("description"), fields.LONGEST_DESCRIPTION)]
    for name, value in annotations.items():
        said = fields.text(value, fields.LONGEST_DESCRIPTION)
        if name != "description" and said and said != title:
            parts.append(f"{name}: {said}")
    if values := fields.text(alert.get("valueString"), fields.LONGEST_DESCRIPTION):
        parts.append(f"values: {values}")
    return fields.text("\n".join(part for part in parts if part), fields.LONGEST_DESCRIPTION)
