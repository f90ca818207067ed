"""The tables."""

from app.models.auth import Challenge, LoginSession, RefreshToken
from app.models.custom_field import CustomField
from app.models.escalation import Escalation, EscalationEvent, EscalationPolicy
from app.models.event import Event
from app.models.fire_drill import FireDrill
from app.models.incident import (
    Incident,
    IncidentAssignment,
    IncidentComment,
    IncidentTally,
    TimelineEvent,
)
from app.models.integration import Alert, Integration, IntegrationKey
from app.models.message_template import MessageTemplate
from app.models.notification import Notification, NotificationAttempt
from app.models.notification_preference import (
    ContactMethod,
    NotificationPreference,
    NotificationRule,
)
from app.models.throttle import Throttle
from app.models.user import User

__all__ = [
    "Alert",
    "Challenge",
    "ContactMethod",
    "CustomField",
    "Escalation",
    "EscalationEvent",
    "EscalationPolicy",
    "Event",
    "FireDrill",
    "Incident",
    "IncidentAssignment",
    "IncidentComment",
    "IncidentTally",
    "Integration",
    "IntegrationKey",
    "LoginSession",
    "MessageTemplate",
    "Notification",
    "NotificationAttempt",
    "NotificationPreference",
    "NotificationRule",
    "RefreshToken",
    "Throttle",
    "TimelineEvent",
    "User",
]
