"""What the public is told of an incident or a maintenance, one message after the other. Pure."""

from enum import StrEnum

from app.domain.public_incident import PublicStatus
from app.domain.public_maintenance import MaintenanceStatus

FAN_OUT = "subscriber_fan_out"  # the loop that writes down who is owed which notice


class UpdateStatus(StrEnum):
    """What an update says that its incident, or its maintenance, has become."""

    INVESTIGATING = "investigating"
    IDENTIFIED = "identified"
    MONITORING = "monitoring"
    RESOLVED = "resolved"
    SCHEDULED = "scheduled"
    IN_PROGRESS = "in_progress"
    VERIFYING = "verifying"
    COMPLETED = "completed"


OF_INCIDENTS = tuple(UpdateStatus(status) for status in PublicStatus)
OF_MAINTENANCES = tuple(UpdateStatus(status) for status in MaintenanceStatus)


class NoticeKind(StrEnum):
    """What subscribers are told of: one notice for each act of somebody's, however much it did."""

    INCIDENT_CREATED = "incident_created"  # published, with its first update
    INCIDENT_STATUS_CHANGED = "incident_status_changed"  # by an update; reopened, too
    INCIDENT_UPDATED = "incident_updated"  # an update that keeps the status
    MAINTENANCE_CREATED = "maintenance_created"
    MAINTENANCE_STATUS_CHANGED = "maintenance_status_changed"  # begun, verifying, completed
    MAINTENANCE_UPDATED = "maintenance_updated"  # an update, or other times
    COMPONENT_STATUS_CHANGED = "component_status_changed"  # by hand, without an incident
    POSTMORTEM_PUBLISHED = "postmortem_published"
