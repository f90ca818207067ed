"""What the audit log tells of each table.

Every table is named here, and every column of those that are audited: what may be shown, what is
secret (that it changed is told, and nothing more), and what is of no interest. A test holds that
nothing is forgotten, so that whoever adds a column decides.
"""

from dataclasses import dataclass

from app.db.base_class import Base
from app.domain.shift_request import RequestStatus
from app.models.action_item import ActionItem
from app.models.api_key import ApiKey
from app.models.auth import LoginSession
from app.models.calendar import Calendar
from app.models.calendar_feed import CalendarFeed
from app.models.custom_field import CustomField
from app.models.digest import DigestPreference
from app.models.escalation import EscalationPolicy
from app.models.fire_drill import FireDrill
from app.models.heartbeat_monitor import HeartbeatMonitor
from app.models.incident import Incident, IncidentAssignment, IncidentComment
from app.models.incident_template import IncidentTemplate
from app.models.integration import Integration, IntegrationKey
from app.models.message_template import MessageTemplate
from app.models.notification_preference import ContactMethod, NotificationRule
from app.models.on_call_notice import OnCallNoticePreference
from app.models.postmortem import Postmortem, PostmortemTemplate
from app.models.public_incident import PublicIncident
from app.models.public_maintenance import PublicMaintenance
from app.models.public_update import PublicUpdate
from app.models.schedule import Schedule, ScheduleOverride, TemporarySchedule
from app.models.service import MaintenanceWindow, Service
from app.models.shift_request import ShiftRequest
from app.models.status_component import ComponentGroup, StatusComponent
from app.models.status_page import StatusPage
from app.models.subscriber import Subscriber
from app.models.subscriber_import import SubscriberImport
from app.models.team import Team
from app.models.user import User
from app.models.webhook import WebhookSubscription

QUIET = frozenset({"id", "revision", "created_at", "updated_at"})


def _named(columns: str) -> frozenset[str]:
    return frozenset(columns.split())


@dataclass(frozen=True)
class Audited:
    """What is told of a table; `places` are addresses whose path may be a secret."""

    resource: str
    shown: frozenset[str]
    places: frozenset[str] = frozenset()
    secret: frozenset[str] = frozenset()
    quiet: frozenset[str] = frozenset()
    key: str = "id"

    @property
    def columns(self) -> frozenset[str]:
        """Every column that somebody has thought about."""
        return self.shown | self.places | self.secret | self.quiet | QUIET


AUDITED: dict[type[Base], Audited] = {
    User: Audited(
        "user",
        _named("email full_name role is_active phone time_zone deleted_at"),
        secret=_named("hashed_password"),
        quiet=_named("is_superuser"),
    ),
    ApiKey: Audited(
        "api_key",
        _named("user_id name hint scopes expires_at revoked_at"),
        secret=_named("key_hash"),
        quiet=_named("last_used_at"),
    ),
    LoginSession: Audited(
        "session",
        _named("user_id ended_at end_reason"),
        secret=_named("cookie_hash"),
        quiet=_named("address user_agent last_used_at expires_at"),
    ),
    ContactMethod: Audited(
        "contact_method",
        _named("user_id channel label verified_at wants_updates"),
        places=_named("address"),
        secret=_named("secret"),
    ),
    NotificationRule: Audited(
        "notification_rule",
        _named("user_id contact_method_id position delay_minutes min_severity quiet_from")
        | _named("quiet_until urgency"),
    ),
    Incident: Audited(
        "incident",
        _named("title description status severity service source url tags labels custom_fields")
        | _named("integration_id dedup_key created_by assigned_to acknowledged_by acknowledged_at")
        | _named("resolved_by resolved_at snoozed_until is_drill deleted_at deleted_by"),
        quiet=_named("uid group_key urgency first_acknowledged_by first_acknowledged_at"),
    ),
    IncidentAssignment: Audited(
        "assignment",
        _named("incident_id user_id role"),
        quiet=_named("assigned_by assigned_at"),
        key="incident_id",
    ),
    ShiftRequest: Audited(
        "shift_request",
        _named("schedule_id kind status asked_by asked_of starts_at ends_at wanted_from")
        | _named("wanted_until message taken_by override_id return_override_id"),
        quiet=_named("expires_at settled_at"),
    ),
    OnCallNoticePreference: Audited(
        "on_call_notice_preference",
        _named("user_id at_start at_end on_change reminder_minutes channels"),
        key="user_id",
    ),
    IncidentComment: Audited("comment", _named("incident_id user_id content")),
    Calendar: Audited(
        "calendar",
        _named("name kind time_zone created_by deleted_at"),
        places=_named("url"),
        secret=_named("body"),
        quiet=_named("etag last_modified next_fetch_at fetched_at read_at failures failing_since")
        | _named("last_error faults"),
    ),
    CalendarFeed: Audited(
        "calendar_feed",
        _named("user_id schedule_id name hint revoked_at"),
        secret=_named("token_hash"),
        quiet=_named("last_used_at"),
    ),
    CustomField: Audited(
        "custom_field",
        _named("key label type options description position archived_at"),
        key="key",
    ),
    EscalationPolicy: Audited(
        "policy",
        _named("name description conditions steps repeat final_delay_minutes")
        | _named("ack_timeout_minutes team_id is_active"),
    ),
    Team: Audited("team", _named("name description time_zone")),
    Service: Audited(
        "service",
        _named("name description team_id policy_id schedule_id urgency support_hours")
        | _named("auto_resolve_after_minutes auto_resolve_acknowledged"),
    ),
    MaintenanceWindow: Audited(
        "maintenance_window",
        _named("title description starts_at ends_at is_for_everything created_by ended_at")
        | _named("cancelled_at"),
    ),
    FireDrill: Audited(
        "fire_drill",
        _named("incident_id started_by policy_id policy_name contact_method_id answered_at")
        | _named("answered_by missed_at"),
        quiet=_named("started_at notification_id"),
    ),
    MessageTemplate: Audited(
        "message_template", _named("kind channel subject body"), quiet=_named("updated_by")
    ),
    IncidentTemplate: Audited(
        "incident_template",
        _named("name title description severity service tags checklist public_text is_active"),
    ),
    HeartbeatMonitor: Audited(
        "heartbeat",
        _named("name description service severity interval_seconds grace_seconds is_active")
        | _named("hint created_by"),
        secret=_named("token_hash"),
        quiet=_named("pulse ping_count last_ping_at last_ping_kind started_at last_run_seconds")
        | _named("expected_at due_at down_since incident_id"),
    ),
    Integration: Audited(
        "integration", _named("name kind service default_severity is_active created_by")
    ),
    IntegrationKey: Audited(
        "integration_key",
        _named("integration_id hint revoked_at"),
        secret=_named("key_hash"),
    ),
    Schedule: Audited(
        "schedule", _named("name description team_id time_zone layers holidays deleted_at")
    ),
    ScheduleOverride: Audited(
        "schedule_override",
        _named("schedule_id starts_at ends_at user_id replaces reason removed_at"),
        quiet=_named("created_by removed_by"),
    ),
    TemporarySchedule: Audited(
        "temporary_schedule",
        _named("schedule_id starts_at ends_at layers reason removed_at"),
        quiet=_named("created_by removed_by"),
    ),
    StatusPage: Audited(
        "status_page",
        _named("name url description support_url time_zone shows_authors update_minutes"),
        quiet=_named("version changed_at"),
    ),
    ComponentGroup: Audited("component_group", _named("name description position")),
    StatusComponent: Audited(
        "component",
        _named("name description group_id position status set_status only_show_if_degraded")
        | _named("shows_uptime service_id deleted_at"),
    ),
    PublicIncident: Audited(
        "public_incident",
        _named("incident_id title status impact started_at resolved_at withdrawn_at created_by"),
        quiet=_named("code identified_at monitoring_at next_update_due_at remind_at")
        | _named("end_reminded_of"),
    ),
    PublicMaintenance: Audited(
        "public_maintenance",
        _named("title status scheduled_for scheduled_until starts_itself ends_itself")
        | _named("withdrawn_at created_by"),
        quiet=_named("code next_at started_at completed_at"),
    ),
    PublicUpdate: Audited(
        "public_update",
        _named("public_incident_id public_maintenance_id status body posted_at withdrawn_at")
        | _named("author_id"),
        quiet=_named("changes notifies edited_at"),
    ),
    Postmortem: Audited(
        "postmortem",
        _named("incident_id title status summary impact root_cause went_well went_badly lessons")
        | _named("timeline owner_id created_by published_at public_summary public_body is_public"),
        quiet=_named("submitted_at published_by amended_at public_at public_amended_at")
        | _named("subscribers_told_at"),
    ),
    PostmortemTemplate: Audited(
        "postmortem_template",
        _named("summary impact root_cause went_well went_badly lessons"),
        quiet=_named("updated_by"),
    ),
    ActionItem: Audited(
        "action_item",
        _named("postmortem_id title description state priority owner_id due_on created_by"),
        places=_named("url"),
        quiet=_named("finished_at"),
    ),
    DigestPreference: Audited(
        "digest_preference",
        _named("user_id frequency hour weekday time_zone even_when_empty action_reminders"),
        quiet=_named("next_at"),
        key="user_id",
    ),
    # Whose address it is nobody reads in the log, which outlives the subscription.
    Subscriber: Audited(
        "subscriber",
        _named("channel state frequency is_for_everything origin created_by confirmed_at")
        | _named("unsubscribed_at bounced_at bounce_reason"),
        secret=_named("address address_hash secret link_number token_hash"),
        quiet=_named("asked_at asked_for"),
    ),
    SubscriberImport: Audited(
        "subscriber_import",
        _named("name have_agreed lines created_by"),
        quiet=_named("state taken added known refused finished_at"),
    ),
    WebhookSubscription: Audited(
        "webhook",
        _named("name event_types services severities is_active previous_until disabled_at")
        | _named("disabled_reason created_by deleted_at"),
        places=_named("url"),
        secret=_named("secret previous_secret"),
        quiet=_named("position failing_since"),
    ),
}

# Tables that are no change of anybody's, or have a record of their own.
RECORDED_ELSEWHERE: dict[str, str] = {
    "action_item_reminders": "when owners are reminded; what was sent is a notification",
    "digests": "the summaries that were made; each is a notification",
    "postmortem_reviewers": "named with their postmortem, in words",
    "postmortem_versions": "what a postmortem said before; each is kept and listed",
    "alerts": "what monitoring tools send; each is kept and listed",
    "audit_log": "the log itself",
    "calendar_shifts": "what a calendar said when; listed with it",
    "challenges": "links and codes that were sent; what they did is told of the account",
    "escalations": "what policies do, listed with their incident; by hand it is said in words",
    "escalation_events": "what policies did",
    "event_feed": "how far the change feed has come",
    "events": "the change feed of the same changes",
    "component_spells": "how each component was when; its changes are told of it",
    "demo_marks": "what the demo has made; each thing is told by itself",
    "heartbeat_listening": "whether pings can come in",
    "heartbeat_outages": "when monitors were down; each has its incident",
    "heartbeat_pings": "what monitors send",
    "idempotency_keys": "answers that are kept for clients that try again",
    "incident_tallies": "how often an alert came",
    "incident_template_uses": "which template an incident was declared with",
    "maintained_services": "named by the maintenance window that is for them",
    "notification_attempts": "what was sent, listed with its notification",
    "notification_preferences": "written in bulk; said in words",
    "preflight_findings": "what the nightly checks found; nobody changes it by hand",
    "preflight_runs": "when the nightly checks ran",
    "notifications": "what was sent",
    "public_incident_components": "what an incident does to components; said with its updates",
    "public_maintenance_components": "named by the maintenance that is for them",
    "public_notices": "what subscribers are to hear of; the thing itself is told",
    "public_update_versions": "what an update said before; each is kept and listed",
    "on_call_notices": "what people are told of their duty; what was sent is a notification",
    "on_call_watches": "how schedules were found when they were last looked at",
    "refresh_tokens": "each belongs to a session",
    "quiet_reviews": "services whose waiting incidents are asked again",
    "schedule_versions": "what a schedule said before; each is kept and listed",
    "round_robins": "whose turn it was; each page says whose it is",
    "search_queue": "incidents whose words are still to be read",
    "search_words": "the words of incidents",
    "silence_watches": "when incidents are looked at that may have fallen silent",
    "subscriber_deliveries": "what was sent to subscribers; each is kept and listed",
    "subscriber_import_lines": "listed with their import",
    "subscriber_scopes": "what a subscriber wants, which they choose themselves",
    "team_members": "told of their team, in words",
    "throttles": "counters",
    "timeline_events": "the incident's own story",
    "webhook_deliveries": "what was sent, listed with its subscription",
}

# What a change of a column is called: when it is filled, and when it is emptied.
VERBS: dict[str, tuple[str, str]] = {
    "deleted_at": ("deleted", "restored"),
    "revoked_at": ("revoked", "updated"),
    "ended_at": ("ended", "updated"),
    "removed_at": ("removed", "updated"),
    "archived_at": ("archived", "restored"),
    "cancelled_at": ("cancelled", "updated"),
    "withdrawn_at": ("withdrawn", "restored"),
    "posted_at": ("posted", "updated"),
    "answered_at": ("answered", "updated"),
    "missed_at": ("missed", "updated"),
    "hashed_password": ("password_changed", "password_changed"),
    "verified_at": ("verified", "updated"),
    "snoozed_until": ("snoozed", "snooze_ended"),
}
# What an incident's new status is called.
STATUS_VERBS = {"open": "reopened", "acknowledged": "acknowledged", "resolved": "resolved"}
# And a shift request's, which is the word itself.
STATUS_VERBS |= {status: status for status in RequestStatus if status is not RequestStatus.OPEN}
# And a postmortem's.
STATUS_VERBS |= {"draft": "returned", "in_review": "submitted", "published": "published"}
