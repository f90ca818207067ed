"""Elastic: what Kibana's Webhook connector sends from the template that we publish.

Kibana has no body of its own, so besides the template of `docs/integrations/elastic.md`
this reads what people write instead: other names, nested or dotted, a list of alerts, or
the summary's `alerts.{new,ongoing,recovered}.data`. An alert keeps its key from its first
word to its recovery; a status that nobody knows pages.
"""

from functools import partial

from app.domain.integration import Readings, Signal, SignalAction, Unreadable, derived_key
from app.integrations import fields
from app.integrations.json_body import Json, parse, parse_text, read_each
from app.integrations.mustache import Fields, Payload, aliases, envelope, flatten

SOURCE = "elastic"
TEMPLATE = """\
{
  "source": "elastic-apm",
  "dedup_key": "{{rule.id}}:{{alert.id}}",
  "status": "{{alert.actionGroup}}",
  "title": "{{rule.name}}",
  "reason": "{{context.reason}}",
  "service": "{{context.serviceName}}",
  "environment": "{{context.environment}}",
  "value": "{{context.triggerValue}}",
  "threshold": "{{context.threshold}}",
  "url": "{{context.alertDetailsUrl}}",
  "tags": "{{rule.tags}}",
  "timestamp": "{{date}}"
}
"""
# The last one is how geo-containment rules spell a recovery.
RESOLVE_WORDS = frozenset(
    {"recovered", "resolved", "resolve", "ok", "closed", "close", "inactive", "notgeocontained"}
)

DEDUP_KEY = aliases("dedup_key", "deduplication_key", "incident_key")
RULE_ID = aliases("rule.id", "kibana.alert.rule.uuid")
ALERT_ID = aliases("alert.id", "kibana.alert.instance.id", "alert_instance_id")
ALERT_UUID = aliases("alert.uuid", "kibana.alert.uuid")
REASON = aliases(*("reason", "context.reason", "kibana.alert.reason", "message", "context.message"))
TITLE = (
    *aliases("title", "context.title", "rule.name", "alert.name", "kibana.alert.rule.name"),
    *aliases("name", "summary", "subject"),
    *REASON,
)
DESCRIPTION = aliases("description", "details", "text", "body")
STATUS = aliases(
    *("status", "state", "alert.actionGroup", "action_group", "alert.actionGroupName"),
    *("kibana.alert.status", "kibana.alert.action_group", "event_action", "event.action"),
)
SENDER = aliases("source")
SERVICE = aliases("service", "service.name", "context.serviceName", "context.service.name")
SEVERITY = aliases("severity", "priority", "kibana.alert.severity", "context.severity", "level")
URL = aliases(
    *("url", "alertDetailsUrl", "context.alertDetailsUrl", "kibana.alert.url", "viewInAppUrl"),
    *("context.viewInAppUrl", "link", "rule.url"),
)
TAGS = aliases("tags", "rule.tags", "kibana.alert.rule.tags")
VALUE = aliases(
    *("value", "triggerValue", "context.triggerValue", "context.value"),
    "kibana.alert.evaluation.value",
)
THRESHOLD = aliases("threshold", "context.threshold", "kibana.alert.evaluation.threshold")
ENVIRONMENT = aliases("environment", "env", "context.environment", "service.environment")
TRANSACTION = aliases("transactionName", "context.transactionName", "transaction.name")

BUCKETS = {
    "new": SignalAction.TRIGGER,
    "ongoing": SignalAction.TRIGGER,
    "recovered": SignalAction.RESOLVE,
}
Told = tuple[Json | Unreadable, SignalAction | None]

_title = partial(fields.line, limit=fields.LONGEST_TITLE)
_name = partial(fields.line, limit=fields.LONGEST_NAME)
_label = partial(fields.line, limit=fields.LONGEST_LABEL)
_text = partial(fields.text, limit=fields.LONGEST_DESCRIPTION)
_whole_line = partial(fields.line, limit=fields.LONGEST_DESCRIPTION)


def read(body: bytes) -> Readings:
    """Every alert of a Kibana action's body, in order."""
    parsed = parse(body)
    if isinstance(parsed, Unreadable):
        return Readings((parsed,))
    if isinstance(parsed, list):
        return Readings(read_each([(item, None) for item in parsed], partial(_read_alert, {})))
    if isinstance(parsed, dict) and (told := _told(parsed.get("alerts"))) is not None:
        return Readings(read_each(told, partial(_read_alert, _shared(parsed))))
    return Readings((_read_alert({}, (parsed, None)),))


def _told(alerts: Json) -> list[Told] | None:
    if isinstance(alerts, list):
        return [(alert, None) for alert in alerts]
    if not isinstance(alerts, dict):
        return None
    listed = {
        name: found for name in (*BUCKETS, "all") if (found := _listed(alerts, name)) is not None
    }
    told: list[Told] = [
        (alert, action) for name, action in BUCKETS.items() for alert in listed.get(name, [])
    ]
    if told or "all" not in listed:
        return told if listed else None
    return [(alert, None) for alert in listed["all"]]


def _listed(alerts: dict[str, Json], bucket: str) -> list[Json] | list[Unreadable] | None:
    held = alerts.get(bucket)
    given = held.get("data") if isinstance(held, dict) else held
    if isinstance(given, list):
        return given
    if not isinstance(given, str) or not given.strip():
        return None
    # Between quotes is where asJSON is valid JSON whatever it holds.
    match parse_text(given):
        case list(items):
            return items
        case _:
            hint = f"write {{{{alerts.{bucket}.data.asJSON}}}}"
            return [Unreadable(f"alerts.{bucket}.data is not a list of alerts; {hint}.")]


def _shared(body: dict[str, Json]) -> Fields:
    around = {name: value for name, value in body.items() if name != "alerts"}
    # What names one alert cannot name each of many.
    return envelope(around, besides=(*DEDUP_KEY, *ALERT_ID, *ALERT_UUID))


def _read_alert(shared: Fields, told: Told) -> Signal | Unreadable:
    alert, action = told
    if isinstance(alert, Unreadable):
        return alert
    if not isinstance(alert, dict):
        return Unreadable("An alert must be a JSON object.")
    payload = Payload(flatten(alert), shared)
    named = payload.take(DEDUP_KEY, fields.key) or _own_key(payload)
    headline = payload.take(TITLE, _whole_line)
    if named is None and headline is None:
        return Unreadable("An alert needs a title, a reason or a dedup_key.")

    service = payload.take(SERVICE, _name)
    environment = payload.take(ENVIRONMENT, _label)
    value, threshold = payload.take(VALUE, _label), payload.take(THRESHOLD, _label)
    severity = payload.take(SEVERITY, fields.severity)
    known: dict[str, Json] = {
        "environment": environment,
        "value": value,
        "threshold": threshold,
        "transactionName": payload.take(TRANSACTION, _label),
        "severity": None if severity else payload.take(SEVERITY, _label),
    }
    return Signal(
        action=action or _action(payload.look(STATUS, _label)),
        dedup_key=named or derived_key("elastic", service, environment, headline),
        title=_title(headline or f"Elastic alert {named}") or SOURCE,
        description=_description(payload, headline, value, threshold),
        severity=severity,
        service=service,
        source=payload.take(SENDER, _name) or SOURCE,
        url=payload.take(URL, fields.url),
        tags=fields.tags(payload.take_list(TAGS)),
        labels=fields.labels(known, payload.rest()),
    )


def _own_key(payload: Payload) -> str | None:
    rule, alert = payload.look(RULE_ID, fields.key), payload.look(ALERT_ID, fields.key)
    if rule and alert:
        return fields.key(f"{rule}:{alert}")
    return payload.look(ALERT_UUID, fields.key) or alert


def _action(status: str | None) -> SignalAction:
    recovered = status is not None and status.lower() in RESOLVE_WORDS
    return SignalAction.RESOLVE if recovered else SignalAction.TRIGGER


def _description(
    payload: Payload, headline: str | None, value: str | None, threshold: str | None
) -> str | None:
    parts = [payload.take(REASON, _text), payload.take(DESCRIPTION, _text)]
    said = [part for part in parts if part and part != _title(headline)]
    measured = {"Value": value, "threshold" if value else "Threshold": threshold}
    numbers = ", ".join(f"{name}: {number}" for name, number in measured.items() if number)
    return _text("\n".join([*said, numbers]))
