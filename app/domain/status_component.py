"""What a component of the status page can be, and which of two states is the worse. Pure.

A component is as bad as the worst of what speaks for it: what somebody set by hand, each public
incident that is not over, and each public maintenance under way.
"""

from collections.abc import Iterable
from enum import StrEnum


class ComponentStatus(StrEnum):
    """Declared from best to worst; `rank` orders them. The words are Statuspage's."""

    OPERATIONAL = "operational"
    UNDER_MAINTENANCE = "under_maintenance"  # as announced, and so no outage
    DEGRADED_PERFORMANCE = "degraded_performance"
    PARTIAL_OUTAGE = "partial_outage"
    MAJOR_OUTAGE = "major_outage"

    @property
    def rank(self) -> int:
        """0 is the best."""
        return list(ComponentStatus).index(self)


def worst(statuses: Iterable[ComponentStatus]) -> ComponentStatus:
    """The worst of them; of none: operational."""
    return max(statuses, key=lambda status: status.rank, default=ComponentStatus.OPERATIONAL)
