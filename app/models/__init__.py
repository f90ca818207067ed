"""The tables."""

from app.models.escalation import Escalation, EscalationEvent, EscalationPolicy
from app.models.incident import (
    Incident,
    IncidentAssignment,
    IncidentComment,
    IncidentTally,
    TimelineEvent,
)
from app.models.integration import Alert, Integration, IntegrationKey
from app.models.notification import Notification, NotificationAttempt
from app.models.notification_preference import (
    ContactMethod,
    NotificationPreference,
    NotificationRule,
)
from app.models.user import User

__all__ = [
    "Alert",
    "ContactMethod",
    "Escalation",
    "EscalationEvent",
    "EscalationPolicy",
    "Incident",
    "IncidentAssignment",
    "IncidentComment",
    "IncidentTally",
    "Integration",
    "IntegrationKey",
    "Notification",
    "NotificationAttempt",
    "NotificationPreference",
    "NotificationRule",
    "TimelineEvent",
    "User",
]
