"""What is pasted into a monitoring tool so that it reaches us. Pure.

The same texts as docs/integrations; a key stands in them only on the page that shows it once.
"""

from dataclasses import dataclass

from app.domain.integration import IntegrationKind

NO_KEY = "<integration key>"
ELASTIC_BODY = """{
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
}"""


@dataclass(frozen=True)
class Step:
    """One thing to do, and what to paste there."""

    title: str
    words: str
    text: str


def steps(kind: IntegrationKind, base: str, key: str | None = None) -> list[Step]:
    """How this kind of tool is made to send its alerts to the Tocsin at `base`."""
    shown = key or NO_KEY
    match kind:
        case IntegrationKind.ELASTIC:
            return _elastic(base, shown)
        case IntegrationKind.ALERTMANAGER:
            return _alertmanager(base, shown)
        case IntegrationKind.ALERTS:
            return _alerts(base, shown)


def _elastic(base: str, key: str) -> list[Step]:
    where = "Stack Management → Connectors → Create connector → Webhook. As authentication choose"
    return [
        Step(
            "Make the connector in Kibana",
            f"{where} Basic: any user name, and the key as the password.",
            f"Method    POST\nURL       {base}/v1/webhooks/elastic\nUser      tocsin\n"
            f"Password  {key}\nHeader    Content-Type: application/json",
        ),
        Step(
            "Add two actions to each rule",
            "One for when its condition is met, one for Recovered; both for each alert, on status"
            " changes, with this body.",
            ELASTIC_BODY,
        ),
    ]


def _alertmanager(base: str, key: str) -> list[Step]:
    text = f"""receivers:
  - name: tocsin
    webhook_configs:
      - url: {base}/v1/webhooks/alertmanager
        send_resolved: true
        http_config:
          authorization:
            credentials: {key}

route:
  receiver: tocsin"""
    words = "Reload Alertmanager afterwards. Recoveries resolve what they opened."
    return [Step("Add the receiver to alertmanager.yml", words, text)]


def _alerts(base: str, key: str) -> list[Step]:
    def call(body: str) -> str:
        return (
            f"curl -X POST {base}/v1/webhooks/alerts \\\n  -H 'X-API-Key: {key}'"
            f" -H 'Content-Type: application/json' \\\n  -d '{body}'"
        )

    opens = '{"title": "Disk full on db1", "severity": "high", "dedup_key": "disk:db1"}'
    ends = '{"status": "resolved", "dedup_key": "disk:db1"}'
    return [
        Step(
            "Open an incident", "The same key again joins it and opens no second one.", call(opens)
        ),
        Step("Resolve it", "With the key that it was opened with.", call(ends)),
    ]
