"""How many incidents of one service page one by one, and until when the others wait. Pure.

A storm of a service is told as one: what it opens beyond the limit pages at the next whole
minute, with everything else of that minute. Nothing waits longer, nothing waits twice, and
what is critical does not wait at all.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class ServiceLimit:
    """How many incidents of one service page one by one within the window; 0 for all."""

    incidents: int = 30
    window: timedelta = timedelta(minutes=5)


USUAL_SERVICE_LIMIT = ServiceLimit()
UNLIMITED = ServiceLimit(incidents=0)


@dataclass(frozen=True)
class Newcomer:
    """An incident that an alert just opened."""

    incident_id: int
    service: str
    is_critical: bool


def beyond(
    newcomers: Iterable[Newcomer], before: Mapping[str, int], limit: ServiceLimit
) -> dict[int, Newcomer]:
    """Those that wait, by number: in the order they came, all but the first of their service
    and what is critical, which counts though it does not wait.

    `before` says how many each service had in the window without them.
    """
    if not limit.incidents:
        return {}
    seen = Counter(before)
    waiting = {}
    for newcomer in newcomers:
        seen[newcomer.service] += 1
        if seen[newcomer.service] > limit.incidents and not newcomer.is_critical:
            waiting[newcomer.incident_id] = newcomer
    return waiting


def whole_minute(at: datetime) -> datetime:
    """The next whole minute, `at` itself if it is one: where a storm's pages meet."""
    begun = at.replace(second=0, microsecond=0)
    return begun if begun == at else begun + MINUTE


@lru_cache(maxsize=1024)  # all that a service holds back in a minute tells the same
def story(service: str, limit: ServiceLimit, until: datetime) -> str:
    """Why an incident's pages wait, for its timeline."""
    minutes = limit.window / MINUTE
    window = "a minute" if minutes == 1 else f"{minutes:g} minutes"
    count = "an incident" if limit.incidents == 1 else f"{limit.incidents} incidents"
    return (
        f"Service “{service}” opened more than {count} in {window}; its paging waits until"
        f" {until:%H:%M} UTC and goes out as one."
    )
