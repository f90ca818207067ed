"""What a service says of itself, as it is kept: how urgent a severity is, and its support hours.
Pure.

    urgency        {"medium": "low", "low": "low"}
    support_hours  {"time_zone": "Europe/Berlin",
                    "hours": [{"since": "09:00", "until": "17:00", "days": ["mon", "fri"]}]}

A severity that is not named is of high urgency, so a service that nobody has set up pages as
ever; what is critical is so always. What is kept was checked when it was saved
(`app.schemas.service`), so reading it finds no fault. What follows is said by `domain.quiet`.
"""

from collections.abc import Mapping, Sequence
from datetime import time
from typing import Any

from app.domain.conditions import WEEKDAYS
from app.domain.incident import Severity, Urgency
from app.domain.quiet import SupportHours
from app.domain.restriction import Restriction


def urgencies(document: Mapping[str, str]) -> tuple[Urgency, ...]:
    """How urgent each severity is, by its rank."""
    ranked = sorted(Severity, key=lambda severity: severity.rank)
    return tuple(Urgency(document.get(severity, Urgency.HIGH)) for severity in ranked)


def read_support_hours(document: Mapping[str, Any]) -> SupportHours:
    """The hours that a document means."""
    hours = tuple(_restriction(one) for one in document["hours"])
    return SupportHours(document["time_zone"], hours)


def _restriction(document: Mapping[str, Any]) -> Restriction:
    days: Sequence[str] = document.get("days", WEEKDAYS)
    return Restriction(
        time.fromisoformat(document["since"]),
        time.fromisoformat(document["until"]),
        frozenset(WEEKDAYS.index(day) for day in days),
    )
