"""Incidents of a list as templates know them.

PostgreSQL writes each as JSON, in the words of the API's list; here it becomes an object again.
"""

import json
from collections.abc import Iterable

from app.schemas.incident import IncidentRead


def rows(written: Iterable[str]) -> list[IncidentRead]:
    """These, which came as `crud_incident_list` gives them."""
    return [_row(one) for one in written]


def _row(written: str) -> IncidentRead:
    row = json.loads(written)
    row["tally"] = {name: row.pop(name) for name in ("alert_count", "last_alert_at")}
    for one in row["assignments"]:
        one["user"] = {"display_name": one.pop("name")}
    return IncidentRead.model_validate(row)
