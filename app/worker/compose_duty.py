"""What a message about duty says, out of what its row remembers."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from app.domain.lease import Leased
from app.domain.notification import NotificationKind
from app.messages.facts import (
    DutyChangeFacts,
    DutyFacts,
    DutyMessage,
    ShiftAnswerFacts,
    ShiftRequestFacts,
)

Span = tuple[datetime, datetime]


def duty_facts(lease: Leased, public_url: str) -> DutyMessage:
    """The facts of a leased message about duty."""
    facts = lease.facts
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
