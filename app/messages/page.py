"""The page itself: who is needed, for what, and the button that stops it.

It is read at three in the morning on a phone: what broke and the button come first. What
should be one line is made one line here, so that no title can pass for the rest of a page.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
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
    api_url: str  # where a program finds the incident; it wants a login
    is_resend: bool


@dataclass(frozen=True)
class Rendered:
    subject: str
    text: str
    html: str
    json: Mapping[str, Any]


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _zulu(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


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
    shown = replace(
        facts,
        title=_line(facts.title),
        service=_line(facts.service),
        source=facts.source and _line(facts.source),
        policy_name=_line(facts.policy_name),
        recipient=facts.recipient and _line(facts.recipient),
        message=facts.message and _tidy(facts.message),
        description=facts.description and _tidy(facts.description),
    )
    subject = f"[{shown.severity.upper()}] {shown.title} · {shown.service} (#{shown.incident_id})"
    return Rendered(
        subject=subject,
        text=_tidy(PLAIN.get_template("page.txt").render(page=shown)) + "\n",
        html=HTML.get_template("page.html").render(page=shown),
        json=_json(facts, now),
    )


def _line(text: str) -> str:
    """The printable words of `text`, on one line."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _tidy(text: str) -> str:
    """`text` with at most one blank line in a row, and none at its ends."""
    lines = "\n".join(line.rstrip() for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines).strip()


def _json(facts: PageFacts, now: datetime) -> dict[str, Any]:
    """The body for webhooks, in the envelope of Standard Webhooks."""
    return {
        "type": "incident.paged",
        "timestamp": _zulu(now),
        "data": {
            "incident": {
                "id": facts.incident_id,
                "title": facts.title,
                "description": facts.description,
                "severity": facts.severity,
                "service": facts.service,
                "source": facts.source,
                "url": facts.url,
                "opened_at": _zulu(facts.opened_at),
                "alert_count": facts.alert_count,
                "api_url": facts.api_url,
            },
            "policy": facts.policy_name,
            "is_fallback": facts.is_fallback,
            "loop": facts.loop,
            "step": facts.step,
            "step_count": facts.step_count,
            "message": facts.message,
            "recipient": facts.recipient,
            "acknowledge_url": facts.acknowledge_url,
            "is_resend": facts.is_resend,
        },
    }
