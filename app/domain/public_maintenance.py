"""Maintenance that the public is told of before it begins. Pure.

What keeps responders' pages quiet is another thing: a maintenance window (`maintenance_window`).
"""

from enum import StrEnum


class MaintenanceStatus(StrEnum):
    SCHEDULED = "scheduled"  # announced
    IN_PROGRESS = "in_progress"
    VERIFYING = "verifying"  # done, and being looked at
    COMPLETED = "completed"  # over, or called off


TRANSITIONS: dict[MaintenanceStatus, tuple[MaintenanceStatus, ...]] = {
    MaintenanceStatus.SCHEDULED: (MaintenanceStatus.IN_PROGRESS, MaintenanceStatus.COMPLETED),
    MaintenanceStatus.IN_PROGRESS: (MaintenanceStatus.VERIFYING, MaintenanceStatus.COMPLETED),
    MaintenanceStatus.VERIFYING: (MaintenanceStatus.IN_PROGRESS, MaintenanceStatus.COMPLETED),
    MaintenanceStatus.COMPLETED: (),
}
# While its components are under maintenance.
UNDER_WAY = (MaintenanceStatus.IN_PROGRESS, MaintenanceStatus.VERIFYING)


def may_become(status: MaintenanceStatus, wanted: MaintenanceStatus) -> bool:
    """Whether an update may say so; saying the same again is always allowed."""
    return wanted is status or wanted in TRANSITIONS[status]
