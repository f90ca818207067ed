"""The tables."""

from app.models.action_item import ActionItem, ActionItemReminder
from app.models.api_key import ApiKey
from app.models.audit_log import AuditEntry
from app.models.auth import Challenge, LoginSession, RefreshToken
from app.models.calendar import Calendar, CalendarShift
from app.models.calendar_feed import CalendarFeed
from app.models.custom_field import CustomField
from app.models.demo import DemoMark
from app.models.digest import Digest, DigestPreference
from app.models.escalation import Escalation, EscalationEvent, EscalationPolicy
from app.models.event import Event, EventFeed
from app.models.figures import COUNTED
from app.models.fire_drill import FireDrill
from app.models.heartbeat_monitor import (
    HeartbeatListening,
    HeartbeatMonitor,
    HeartbeatOutage,
    HeartbeatPing,
)
from app.models.idempotency_key import IdempotencyKey
from app.models.incident import (
    INCIDENTS,
    Incident,
    IncidentAssignment,
    IncidentComment,
    IncidentTally,
    TimelineEvent,
)
from app.models.incident_template import IncidentTemplate, IncidentTemplateUse
from app.models.integration import Alert, Integration, IntegrationKey
from app.models.message_template import MessageTemplate
from app.models.notification import Notification, NotificationAttempt
from app.models.notification_preference import (
    ContactMethod,
    NotificationPreference,
    NotificationRule,
)
from app.models.on_call_notice import OnCallNotice, OnCallNoticePreference, OnCallWatch
from app.models.postmortem import (
    Postmortem,
    PostmortemReviewer,
    PostmortemTemplate,
    PostmortemVersion,
)
from app.models.preflight import PreflightFinding, PreflightRun
from app.models.public_incident import PublicIncident, PublicIncidentComponent
from app.models.public_maintenance import PublicMaintenance, PublicMaintenanceComponent
from app.models.public_update import PublicNotice, PublicUpdate, PublicUpdateVersion
from app.models.quiet import QuietReview, SilenceWatch
from app.models.round_robin import RoundRobin
from app.models.schedule import (
    Schedule,
    ScheduleOverride,
    ScheduleVersion,
    TemporarySchedule,
)
from app.models.search import SEARCH_QUEUE, SEARCH_WORDS
from app.models.service import MaintainedService, MaintenanceWindow, Service
from app.models.shift_request import ShiftRequest
from app.models.status_component import ComponentGroup, ComponentSpell, StatusComponent
from app.models.status_page import StatusPage
from app.models.subscriber import Subscriber, SubscriberDelivery, SubscriberScope
from app.models.subscriber_import import SubscriberImport, SubscriberImportLine
from app.models.team import Team, TeamMember
from app.models.throttle import Throttle
from app.models.user import User
from app.models.webhook import WebhookDelivery, WebhookSubscription

__all__ = [
    "COUNTED",
    "INCIDENTS",
    "SEARCH_QUEUE",
    "SEARCH_WORDS",
    "ActionItem",
    "ActionItemReminder",
    "Alert",
    "ApiKey",
    "AuditEntry",
    "Calendar",
    "CalendarFeed",
    "CalendarShift",
    "Challenge",
    "ComponentGroup",
    "ComponentSpell",
    "ContactMethod",
    "CustomField",
    "DemoMark",
    "Digest",
    "DigestPreference",
    "Escalation",
    "EscalationEvent",
    "EscalationPolicy",
    "Event",
    "EventFeed",
    "FireDrill",
    "HeartbeatListening",
    "HeartbeatMonitor",
    "HeartbeatOutage",
    "HeartbeatPing",
    "IdempotencyKey",
    "Incident",
    "IncidentAssignment",
    "IncidentComment",
    "IncidentTally",
    "IncidentTemplate",
    "IncidentTemplateUse",
    "Integration",
    "IntegrationKey",
    "LoginSession",
    "MaintainedService",
    "MaintenanceWindow",
    "MessageTemplate",
    "Notification",
    "NotificationAttempt",
    "NotificationPreference",
    "NotificationRule",
    "OnCallNotice",
    "OnCallNoticePreference",
    "OnCallWatch",
    "Postmortem",
    "PostmortemReviewer",
    "PostmortemTemplate",
    "PostmortemVersion",
    "PreflightFinding",
    "PreflightRun",
    "PublicIncident",
    "PublicIncidentComponent",
    "PublicMaintenance",
    "PublicMaintenanceComponent",
    "PublicNotice",
    "PublicUpdate",
    "PublicUpdateVersion",
    "QuietReview",
    "RefreshToken",
    "RoundRobin",
    "Schedule",
    "ScheduleOverride",
    "ScheduleVersion",
    "Service",
    "ShiftRequest",
    "SilenceWatch",
    "StatusComponent",
    "StatusPage",
    "Subscriber",
    "SubscriberDelivery",
    "SubscriberImport",
    "SubscriberImportLine",
    "SubscriberScope",
    "Team",
    "TeamMember",
    "TemporarySchedule",
    "Throttle",
    "TimelineEvent",
    "User",
    "WebhookDelivery",
    "WebhookSubscription",
]
