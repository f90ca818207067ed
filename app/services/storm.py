"""Storms: what one service opens beyond its limit pages together, at the next whole minute.

The ladder of an incident that is held climbs in its time, so that no later step slips and
nobody waits for a step that reaches nobody. It is the first step's pages that wait: they lie
there until their minute has come, and leave as one message (`domain.bundle`).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from app.crud import crud_incident
from app.domain import storm
from app.domain.incident import TimelineType
from app.domain.storm import Newcomer, ServiceLimit


def hold(
    rows: Sequence[dict[str, Any]],
    newcomers: Sequence[Newcomer],
    before: Mapping[str, int],
    *,
    limit: ServiceLimit,
    now: datetime,
) -> list[dict[str, Any]]:
    """Say in each of these escalations until when its first pages wait; what the timelines tell.

    `newcomers` are incidents that alerts opened in this transaction, in their order; `before` is
    how many their services had opened lately. Two transactions at once do not see each other's
    incidents, so that a few more than the limit may page one by one, never fewer.
    """
    waiting = storm.beyond(newcomers, before, limit)
    until: dict[int, datetime] = {}
    for row in rows:
        row["held_until"] = None
        if row["incident_id"] in waiting:
            row["held_until"] = at = storm.whole_minute(row["next_step_at"])
            until[row["incident_id"]] = min(at, until.get(row["incident_id"], at))
    return [
        crud_incident.entry(
            incident_id,
            TimelineType.HELD_BACK,
            storm.story(waiting[incident_id].service, limit, at),
            now=now,
            until=at.isoformat(),
        )
        for incident_id, at in until.items()
    ]
