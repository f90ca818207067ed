"""Fire drills: how long one lasts, how often there may be one, and what it takes of a policy."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any

from app.domain.throttle import Quota

TITLE = "Fire drill: "
SERVICE = "tocsin"
LASTS = timedelta(minutes=30)  # then it was missed

PER_USER = Quota(
    "fire drills of a user", 20, timedelta(hours=1), "Too many fire drills were started lately."
)
PER_POLICY = Quota(
    "fire drills of a policy", 6, timedelta(hours=1), "Too many fire drills of this policy lately."
)


class DrillState(StrEnum):
    RUNNING = "running"
    ANSWERED = "answered"
    MISSED = "missed"  # nobody answered in time
    CALLED_OFF = "called_off"  # somebody resolved it instead


def drilled(
    step: Mapping[str, Any], message: str | None, *, schedule_id: int | None = None
) -> dict[str, Any] | None:
    """What a drill takes of a policy's step: its pages at once, and nothing that acts.

    None of a step that pages nobody. The drill's own message, if there is one, says what it says.
    A drill is about no service; with the schedule of one, its people on call are meant.
    """
    pages = [action for action in step["actions"] if action["type"] == "notify"]
    if message is not None:
        pages = [{**action, "message": message} for action in pages]
    if schedule_id is not None:
        pages = [{**action, "target": _of(schedule_id, action["target"])} for action in pages]
    return {"delay_minutes": 0, "actions": pages} if pages else None


def _of(schedule_id: int, target: Any) -> Any:
    match target:
        case "on_call":
            return {"schedule": schedule_id}
        case "next_on_call":
            return {"schedule": schedule_id, "position": "next"}
    return target
