"""What a message about duty says, out of what its row remembers."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from app.domain.lease import Leased
from app.domain.notification import TASK_KINDS, NotificationKind
from app.messages.facts import (
    DutyChangeFacts,
    DutyFacts,
    DutyMessage,
    PublicReminderFacts,
    ShiftAnswerFacts,
    ShiftRequestFacts,
    TaskFacts,
)
from app.messages.plain import instant

Span = tuple[datetime, datetime]


def duty_facts(lease: Leased, public_url: str) -> DutyMessage:
    """The facts of a leased message about duty."""
    facts = lease.facts
    if lease.kind in TASK_KINDS:
        return _task(lease, public_url)
    shared: dict[str, Any] = {
        "recipient": lease.user_name,
        "schedule": str(facts["schedule"]),
        "time_zone": str(facts["time_zone"]),
    }
    match lease.kind:
        case NotificationKind.DUTY_CHANGED:
            return DutyChangeFacts(
                **shared,
                gained=tuple(_span(part) for part in facts["gained"]),
                lost=tuple(_span(part) for part in facts["lost"]),
            )
        case NotificationKind.SHIFT_REQUESTED:
            return ShiftRequestFacts(**shared, **_request(facts, public_url))
        case NotificationKind.SHIFT_ANSWERED:
            outcome = str(facts["outcome"])
            return ShiftAnswerFacts(**shared, **_request(facts, public_url), outcome=outcome)
    ends_at = facts.get("ends_at")
    return DutyFacts(
        **shared,
        starts_at=datetime.fromisoformat(facts["starts_at"]),
        ends_at=None if ends_at is None else datetime.fromisoformat(ends_at),
        brief=tuple(facts.get("brief", ())),
    )


def _task(lease: Leased, public_url: str) -> TaskFacts:
    facts = lease.facts
    due_on = facts.get("due_on")
    return TaskFacts(
        recipient=lease.user_name,
        title=str(facts["title"]),
        incident_id=int(facts["incident_id"]),
        due_on=None if due_on is None else date.fromisoformat(due_on),
        actor=facts.get("actor"),
        url=f"{public_url}/incidents/{facts['incident_id']}/postmortem",
    )


def _request(facts: Any, public_url: str) -> dict[str, Any]:
    return {
        "request_id": facts["request_id"],
        "asker": str(facts["asker"]),
        "given": _span(facts["given"]),
        "wanted": None if facts["wanted"] is None else _span(facts["wanted"]),
        "message": facts["message"],
        "api_url": f"{public_url}/v1/shift-requests/{facts['request_id']}",
    }


def _span(part: Sequence[str]) -> Span:
    since, until = part
    return datetime.fromisoformat(since), datetime.fromisoformat(until)


def public_reminder_facts(lease: Leased, public_url: str) -> PublicReminderFacts:
    """The facts of a leased message about what the public waits to hear."""
    due_at = lease.facts["due_at"]
    return PublicReminderFacts(
        recipient=lease.user_name,
        title=str(lease.facts["title"]),
        incident_id=int(lease.facts["incident_id"]),
        due_on=None,
        actor=None,
        url=f"{public_url}/incidents/{lease.facts['incident_id']}",
        status=str(lease.facts["status"]),
        due_at=None if due_at is None else instant(datetime.fromisoformat(due_at)),
    )
