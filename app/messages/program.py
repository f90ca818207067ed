"""Messages for programs: JSON in the envelope of Standard Webhooks, words as they came.

An account's secrets go into a mail and nowhere else: no JSON holds a link that signs up or
sets a password.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.domain.notification import NotificationKind
from app.messages import duty
from app.messages.facts import (
    AssignmentFacts,
    BundleFacts,
    ContactTestFacts,
    DutyChangeFacts,
    DutyFacts,
    Facts,
    PageFacts,
    ShiftRequestFacts,
    TaskFacts,
    UpdateFacts,
    VerificationFacts,
)
from app.messages.plain import zulu

_TYPES = {
    NotificationKind.PAGE: "incident.paged",
    NotificationKind.ACKNOWLEDGED: "incident.acknowledged",
    NotificationKind.RESOLVED: "incident.resolved",
    NotificationKind.ASSIGNED: "incident.assigned",
    NotificationKind.TEST: "tocsin.test",
    NotificationKind.VERIFICATION: "tocsin.verification",
    **duty.TYPES,
}
_BUNDLE = "incident.bundle"


def body(kind: NotificationKind, facts: Facts, now: datetime) -> Mapping[str, Any]:
    """The whole body, or nothing for what only goes out as mail."""
    said: dict[str, Any]
    match facts:
        case PageFacts():
            return _envelope(_TYPES[kind], now, _paged(facts))
        case UpdateFacts():
            return _envelope(_TYPES[kind], now, _updated(facts))
        case ContactTestFacts():
            said = {
                "recipient": facts.recipient,
                "channel": facts.channel.value,
                "contact": facts.contact,
            }
            return _envelope(_TYPES[kind], now, said)
        case VerificationFacts():
            said = {"recipient": facts.recipient, "code": facts.code, "minutes": facts.minutes}
            return _envelope(_TYPES[kind], now, said)
        case DutyFacts() | DutyChangeFacts() | ShiftRequestFacts() | TaskFacts():
            return _envelope(_TYPES[kind], now, duty.program(facts))
    return {}


def beside_push(kind: NotificationKind, facts: Facts) -> Mapping[str, Any]:
    """What a push carries beside its words: little, the link that stops a page first.

    A push has room for so much, and is sent without what does not fit.
    """
    match facts:
        case PageFacts():
            links = {
                "acknowledge_url": facts.acknowledge_url,
                "url": facts.url,
                "is_drill": facts.is_drill or None,
            }
        case UpdateFacts():
            links = {"url": facts.url}
        case _:
            return {"type": _TYPES[kind]}
    said = {"type": _TYPES[kind], "incident_id": facts.incident_id, **links}
    return {name: value for name, value in said.items() if value is not None}


def bundle_beside_push(facts: BundleFacts) -> Mapping[str, Any]:
    """What a push about several incidents carries beside its words."""
    return {"type": _BUNDLE, "total": facts.total}


def bundle(facts: BundleFacts, now: datetime) -> Mapping[str, Any]:
    """The whole body of a bundle: every item it has, in their order."""
    incidents = [
        {
            "id": item.incident_id,
            "title": item.title,
            "severity": item.severity,
            "service": item.service,
            "policy": item.policy_name,
            "acknowledge_url": item.acknowledge_url,
            "is_drill": item.is_drill,
        }
        for item in facts.items
    ]
    said = {"incidents": incidents, "total": facts.total, "recipient": facts.recipient}
    return _envelope(_BUNDLE, now, said)


def _envelope(what: str, now: datetime, data: dict[str, Any]) -> dict[str, Any]:
    return {"type": what, "timestamp": zulu(now), "data": data}


def _paged(facts: PageFacts) -> dict[str, Any]:
    return {
        "incident": {
            "id": facts.incident_id,
            "title": facts.title,
            "description": facts.description,
            "severity": facts.severity,
            "service": facts.service,
            "source": facts.source,
            "url": facts.url,
            "opened_at": zulu(facts.opened_at),
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
        "is_drill": facts.is_drill,
    }


def _updated(facts: UpdateFacts) -> dict[str, Any]:
    said: dict[str, Any] = {
        "incident": {
            "id": facts.incident_id,
            "title": facts.title,
            "severity": facts.severity,
            "service": facts.service,
            "url": facts.url,
            "opened_at": zulu(facts.opened_at),
            "alert_count": facts.alert_count,
            "api_url": facts.api_url,
        },
        "actor": facts.actor,
        "recipient": facts.recipient,
        "is_drill": facts.is_drill,
    }
    if isinstance(facts, AssignmentFacts):
        said["role"] = facts.role
    return said
