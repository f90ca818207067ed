"""The page itself: who is needed, for what, and the button that stops it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class PageFacts:
    """Everything a page may say."""

    incident_id: int
    title: str
    description: str | None
    severity: str
    service: str
    source: str | None
    url: str | None
    opened_at: datetime
    alert_count: int
    policy_name: str
    is_fallback: bool
    loop: int
    step: int
    step_count: int
    message: str | None
    recipient: str | None
    acknowledge_url: str | None
    incident_url: str
    is_resend: bool


@dataclass(frozen=True)
class Rendered:
    subject: str
    text: str
    html: str
    json: Mapping[str, Any]


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _environment(*, is_html: bool) -> ImmutableSandboxedEnvironment:
    made = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=is_html,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["instant"] = _instant
    return made


PLAIN = _environment(is_html=False)
HTML = _environment(is_html=True)


def render(facts: PageFacts, *, now: datetime) -> Rendered:
    """A page, for mail and for programs."""
    subject = f"[{facts.severity.upper()}] {facts.title} · {facts.service} (#{facts.incident_id})"
    return Rendered(
        subject=subject,
        text=PLAIN.get_template("page.txt").render(page=facts),
        html=HTML.get_template("page.html").render(page=facts),
        json=_json(facts, now),
    )


def _json(facts: PageFacts, now: datetime) -> dict[str, Any]:
    """The body for webhooks, in the envelope of Standard Webhooks."""
    return {
        "type": "incident.paged",
        "timestamp": now.astimezone(UTC).isoformat(),
        "data": {
            "incident": {
                "id": facts.incident_id,
                "title": facts.title,
                "description": facts.description,
                "severity": facts.severity,
                "service": facts.service,
                "source": facts.source,
                "url": facts.url,
                "opened_at": facts.opened_at.astimezone(UTC).isoformat(),
                "alert_count": facts.alert_count,
                "tocsin_url": facts.incident_url,
            },
            "policy": facts.policy_name,
            "loop": facts.loop,
            "step": facts.step,
            "message": facts.message,
            "recipient": facts.recipient,
            "acknowledge_url": facts.acknowledge_url,
            "is_resend": facts.is_resend,
        },
    }
