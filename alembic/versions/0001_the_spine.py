"""The spine: people, incidents, policies, pages, integrations.

Revision: 0001
Follows:
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0001"
down_revision: str | Sequence[str] | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "escalation_policies",
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column(
            "conditions",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="{}",
            nullable=False,
        ),
        sa.Column("steps", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("repeat", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("final_delay_minutes", sa.Float(), server_default="5", nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("revision", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "jsonb_typeof(conditions) = 'object'",
            name=op.f("ck_escalation_policies_conditions_object"),
        ),
        sa.CheckConstraint(
            "jsonb_typeof(steps) = 'array' AND jsonb_array_length(steps) > 0",
            name=op.f("ck_escalation_policies_steps_some"),
        ),
        sa.CheckConstraint(
            "final_delay_minutes >= 0", name=op.f("ck_escalation_policies_final_delay_positive")
        ),
        sa.CheckConstraint(
            "repeat BETWEEN 0 AND 20", name=op.f("ck_escalation_policies_repeat_bounded")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_escalation_policies")),
        sa.UniqueConstraint("name", name=op.f("uq_escalation_policies_name")),
    )
    op.create_table(
        "users",
        sa.Column("email", sa.String(length=255), nullable=False),
        sa.Column("hashed_password", sa.String(length=255), nullable=False),
        sa.Column("full_name", sa.String(length=255), nullable=True),
        sa.Column("role", sa.String(50), server_default="responder", nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column(
            "is_superuser",
            sa.Boolean(),
            sa.Computed("role = 'admin'", persisted=True),
            nullable=False,
        ),
        sa.Column("phone", sa.String(length=50), nullable=True),
        sa.Column("time_zone", sa.String(length=64), server_default="UTC", nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("revision", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "email = btrim(email) AND email <> ''", name=op.f("ck_users_email_given")
        ),
        sa.CheckConstraint(
            "role IN ('admin', 'responder', 'viewer')", name=op.f("ck_users_role_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
    )
    op.create_index(
        "uq_users_email_folded", "users", [sa.literal_column("lower(email)")], unique=True
    )
    op.create_table(
        "contact_methods",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.String(50), nullable=False),
        sa.Column("address", sa.String(length=2000), nullable=False),
        sa.Column("label", sa.String(length=100), nullable=True),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint("address <> ''", name=op.f("ck_contact_methods_address_given")),
        sa.CheckConstraint(
            "channel IN ('email', 'sms', 'push', 'chat', 'webhook')",
            name=op.f("ck_contact_methods_channel_known"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_contact_methods_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_methods")),
        sa.UniqueConstraint(
            "user_id", "channel", "address", name=op.f("uq_contact_methods_user_id_channel_address")
        ),
    )
    op.create_table(
        "integrations",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(50), nullable=False),
        sa.Column("service", sa.String(length=100), nullable=True),
        sa.Column("default_severity", sa.String(50), server_default="high", nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("revision", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "default_severity IN ('critical', 'high', 'medium', 'low')",
            name=op.f("ck_integrations_default_severity_known"),
        ),
        sa.CheckConstraint(
            "kind IN ('elastic', 'alertmanager', 'alerts')", name=op.f("ck_integrations_kind_known")
        ),
        sa.CheckConstraint("name <> ''", name=op.f("ck_integrations_named")),
        sa.ForeignKeyConstraint(
            ["created_by"], ["users.id"], name=op.f("fk_integrations_created_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_integrations")),
        sa.UniqueConstraint("name", name=op.f("uq_integrations_name")),
    )
    op.create_index(
        op.f("ix_integrations_created_by"), "integrations", ["created_by"], unique=False
    )
    op.create_table(
        "notification_preferences",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.String(50), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "channel IN ('email', 'sms', 'push', 'chat', 'webhook')",
            name=op.f("ck_notification_preferences_channel_known"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_notification_preferences_user_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification_preferences")),
        sa.UniqueConstraint(
            "user_id", "channel", name=op.f("uq_notification_preferences_user_id_channel")
        ),
    )
    op.create_table(
        "incidents",
        sa.Column("uid", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("title", sa.String(length=255), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("status", sa.String(50), server_default="open", nullable=False),
        sa.Column("severity", sa.String(50), nullable=False),
        sa.Column("service", sa.String(length=100), nullable=False),
        sa.Column("source", sa.String(length=100), nullable=True),
        sa.Column("url", sa.String(length=2000), nullable=True),
        sa.Column("tags", sa.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column(
            "labels", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False
        ),
        sa.Column("integration_id", sa.BigInteger(), nullable=True),
        sa.Column("dedup_key", sa.String(length=255), nullable=True),
        sa.Column("group_key", sa.String(length=255), nullable=True),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("assigned_to", sa.BigInteger(), nullable=True),
        sa.Column("acknowledged_by", sa.BigInteger(), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_by", sa.BigInteger(), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("snoozed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("revision", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "(status = 'resolved') = (resolved_at IS NOT NULL)",
            name=op.f("ck_incidents_resolved_at"),
        ),
        sa.CheckConstraint(
            "severity IN ('critical', 'high', 'medium', 'low')",
            name=op.f("ck_incidents_severity_known"),
        ),
        sa.CheckConstraint(
            "snoozed_until IS NULL OR status <> 'resolved'",
            name=op.f("ck_incidents_resolved_is_not_snoozed"),
        ),
        sa.CheckConstraint(
            "status = 'open' AND acknowledged_at IS NULL OR status = 'acknowledged' AND acknowledged_at IS NOT NULL OR status = 'resolved'",
            name=op.f("ck_incidents_acknowledged_at"),
        ),
        sa.CheckConstraint(
            "status IN ('open', 'acknowledged', 'resolved')", name=op.f("ck_incidents_status_known")
        ),
        sa.CheckConstraint("title <> '' AND service <> ''", name=op.f("ck_incidents_named")),
        sa.CheckConstraint(
            "(dedup_key IS NULL) = (integration_id IS NULL)",
            name=op.f("ck_incidents_dedup_within_integration"),
        ),
        sa.ForeignKeyConstraint(
            ["acknowledged_by"], ["users.id"], name=op.f("fk_incidents_acknowledged_by")
        ),
        sa.ForeignKeyConstraint(
            ["assigned_to"], ["users.id"], name=op.f("fk_incidents_assigned_to")
        ),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_incidents_created_by")),
        sa.ForeignKeyConstraint(
            ["integration_id"], ["integrations.id"], name=op.f("fk_incidents_integration_id")
        ),
        sa.ForeignKeyConstraint(
            ["resolved_by"], ["users.id"], name=op.f("fk_incidents_resolved_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents")),
        sa.UniqueConstraint("uid", name=op.f("uq_incidents_uid")),
    )
    op.create_index(
        op.f("ix_incidents_assigned_to_id"), "incidents", ["assigned_to", "id"], unique=False
    )
    op.create_index(op.f("ix_incidents_created_by"), "incidents", ["created_by"], unique=False)
    op.create_index(op.f("ix_incidents_service_id"), "incidents", ["service", "id"], unique=False)
    op.create_index(op.f("ix_incidents_severity_id"), "incidents", ["severity", "id"], unique=False)
    op.create_index(op.f("ix_incidents_status_id"), "incidents", ["status", "id"], unique=False)
    op.create_index(
        "ix_incidents_unresolved_group_key",
        "incidents",
        ["integration_id", "group_key"],
        unique=False,
        postgresql_where=sa.text("status <> 'resolved' AND group_key IS NOT NULL"),
    )
    op.create_index(
        "uq_incidents_unresolved_dedup_key",
        "incidents",
        ["integration_id", "dedup_key"],
        unique=True,
        postgresql_where=sa.text("status <> 'resolved'"),
    )
    op.create_table(
        "integration_keys",
        sa.Column("integration_id", sa.BigInteger(), nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("hint", sa.String(length=20), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["integration_id"], ["integrations.id"], name=op.f("fk_integration_keys_integration_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_integration_keys")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_integration_keys_key_hash")),
    )
    op.create_index(
        op.f("ix_integration_keys_integration_id"),
        "integration_keys",
        ["integration_id"],
        unique=False,
    )
    op.create_table(
        "notification_rules",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("contact_method_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("delay_minutes", sa.Float(), server_default="0", nullable=False),
        sa.Column("min_severity", sa.String(50), nullable=True),
        sa.Column("quiet_from", sa.Time(), nullable=True),
        sa.Column("quiet_until", sa.Time(), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "(quiet_from IS NULL) = (quiet_until IS NULL)",
            name=op.f("ck_notification_rules_quiet_hours_whole"),
        ),
        sa.CheckConstraint(
            "delay_minutes >= 0 AND delay_minutes <= 10080",
            name=op.f("ck_notification_rules_delay_bounded"),
        ),
        sa.CheckConstraint(
            "quiet_from <> quiet_until", name=op.f("ck_notification_rules_quiet_hours_some")
        ),
        sa.ForeignKeyConstraint(
            ["contact_method_id"],
            ["contact_methods.id"],
            name=op.f("fk_notification_rules_contact_method_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_notification_rules_user_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification_rules")),
        sa.UniqueConstraint(
            "user_id",
            "position",
            deferrable=True,
            initially="DEFERRED",
            name=op.f("uq_notification_rules_user_id_position"),
        ),
    )
    op.create_index(
        op.f("ix_notification_rules_contact_method_id"),
        "notification_rules",
        ["contact_method_id"],
        unique=False,
    )
    op.create_table(
        "alerts",
        sa.Column("integration_id", sa.BigInteger(), nullable=False),
        sa.Column("incident_id", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.String(50), nullable=False),
        sa.Column("dedup_key", sa.String(length=255), nullable=True),
        sa.Column("title", sa.String(length=255), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("raw_body", sa.LargeBinary(), nullable=True),
        sa.Column("request_id", sa.String(length=128), nullable=True),
        sa.Column(
            "received_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "outcome <> 'unreadable' OR reason IS NOT NULL",
            name=op.f("ck_alerts_unreadable_says_why"),
        ),
        sa.CheckConstraint(
            "outcome IN ('opened', 'joined', 'resolved', 'ignored', 'unreadable')",
            name=op.f("ck_alerts_outcome_known"),
        ),
        sa.CheckConstraint(
            "outcome NOT IN ('opened', 'joined', 'resolved') OR incident_id IS NOT NULL",
            name=op.f("ck_alerts_incident_named"),
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("fk_alerts_incident_id")
        ),
        sa.ForeignKeyConstraint(
            ["integration_id"], ["integrations.id"], name=op.f("fk_alerts_integration_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
    )
    op.create_index(op.f("ix_alerts_incident_id_id"), "alerts", ["incident_id", "id"], unique=False)
    op.create_index(
        op.f("ix_alerts_integration_id_id"), "alerts", ["integration_id", "id"], unique=False
    )
    op.create_table(
        "escalations",
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column("policy_id", sa.BigInteger(), nullable=True),
        sa.Column("policy_name", sa.String(length=255), nullable=False),
        sa.Column("is_fallback", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("steps", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("repeat", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("final_delay_minutes", sa.Float(), nullable=False),
        sa.Column("status", sa.String(50), server_default="active", nullable=False),
        sa.Column("loop", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_loop", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("next_step", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("next_step_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deferred_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("faults", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_fault", sa.Text(), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "(status = 'active') <= (next_step_at IS NOT NULL)",
            name=op.f("ck_escalations_active_is_due"),
        ),
        sa.CheckConstraint(
            "(status IN ('active', 'paused')) = (finished_at IS NULL)",
            name=op.f("ck_escalations_finished_at"),
        ),
        sa.CheckConstraint(
            "status IN ('active', 'paused') OR next_step_at IS NULL",
            name=op.f("ck_escalations_ended_is_never_due"),
        ),
        sa.CheckConstraint(
            "status IN ('active', 'paused', 'completed', 'exhausted', 'cancelled')",
            name=op.f("ck_escalations_status_known"),
        ),
        sa.CheckConstraint("loop >= 0 AND next_step >= 0", name=op.f("ck_escalations_position")),
        sa.CheckConstraint(
            "policy_id IS NULL OR NOT is_fallback",
            name=op.f("ck_escalations_fallback_has_no_policy"),
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("fk_escalations_incident_id")
        ),
        sa.ForeignKeyConstraint(
            ["policy_id"],
            ["escalation_policies.id"],
            name=op.f("fk_escalations_policy_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_escalations")),
    )
    op.create_index(
        "ix_escalations_due",
        "escalations",
        ["next_step_at", "id"],
        unique=False,
        postgresql_where=sa.text("next_step_at IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_escalations_incident_id_id"), "escalations", ["incident_id", "id"], unique=False
    )
    op.create_index(op.f("ix_escalations_policy_id"), "escalations", ["policy_id"], unique=False)
    op.create_index(
        "uq_escalations_live_fallback",
        "escalations",
        ["incident_id"],
        unique=True,
        postgresql_where=sa.text("status IN ('active', 'paused') AND is_fallback"),
    )
    op.create_index(
        "uq_escalations_live_policy",
        "escalations",
        ["incident_id", "policy_id"],
        unique=True,
        postgresql_where=sa.text("status IN ('active', 'paused') AND NOT is_fallback"),
    )
    op.create_table(
        "incident_assignments",
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.String(50), server_default="responder", nullable=False),
        sa.Column("assigned_by", sa.BigInteger(), nullable=True),
        sa.Column(
            "assigned_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "role IN ('responder', 'commander', 'communicator', 'observer')",
            name=op.f("ck_incident_assignments_role_known"),
        ),
        sa.ForeignKeyConstraint(
            ["assigned_by"], ["users.id"], name=op.f("fk_incident_assignments_assigned_by")
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("fk_incident_assignments_incident_id")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_incident_assignments_user_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_assignments")),
        sa.UniqueConstraint(
            "incident_id", "user_id", name=op.f("uq_incident_assignments_incident_id_user_id")
        ),
    )
    op.create_index(
        op.f("ix_incident_assignments_user_id"), "incident_assignments", ["user_id"], unique=False
    )
    op.create_table(
        "incident_comments",
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint("content <> ''", name=op.f("ck_incident_comments_content_given")),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("fk_incident_comments_incident_id")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_incident_comments_user_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_comments")),
    )
    op.create_index(
        op.f("ix_incident_comments_incident_id_id"),
        "incident_comments",
        ["incident_id", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_incident_comments_user_id"), "incident_comments", ["user_id"], unique=False
    )
    op.create_table(
        "incident_tallies",
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column("is_open", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("alert_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_alert_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("fk_incident_tallies_incident_id")
        ),
        sa.PrimaryKeyConstraint("incident_id", name=op.f("pk_incident_tallies")),
    )
    op.create_table(
        "timeline_events",
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column("event_type", sa.String(50), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "metadata", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "event_type IN ('opened', 'acknowledged', 'resolved', 'reopened', 'snoozed', 'snooze_ended', 'edited', 'assigned', 'unassigned', 'commented', 'escalation_started', 'escalation_step', 'escalation_reached_nobody', 'escalation_repeated', 'escalation_exhausted', 'escalation_cancelled', 'escalation_hurried', 'escalation_fault', 'notification_failed')",
            name=op.f("ck_timeline_events_event_type_known"),
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("fk_timeline_events_incident_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_timeline_events_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_timeline_events")),
    )
    op.create_index(
        op.f("ix_timeline_events_incident_id_id"),
        "timeline_events",
        ["incident_id", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_timeline_events_user_id"), "timeline_events", ["user_id"], unique=False
    )
    op.create_table(
        "escalation_events",
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column("policy_id", sa.BigInteger(), nullable=True),
        sa.Column("escalation_id", sa.BigInteger(), nullable=False),
        sa.Column("loop", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(50), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "triggered_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "metadata", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False
        ),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "status IN ('completed', 'reached_nobody', 'failed')",
            name=op.f("ck_escalation_events_status_known"),
        ),
        sa.ForeignKeyConstraint(
            ["escalation_id"], ["escalations.id"], name=op.f("fk_escalation_events_escalation_id")
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("fk_escalation_events_incident_id")
        ),
        sa.ForeignKeyConstraint(
            ["policy_id"],
            ["escalation_policies.id"],
            name=op.f("fk_escalation_events_policy_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_escalation_events")),
        sa.UniqueConstraint(
            "escalation_id",
            "loop",
            "step",
            name=op.f("uq_escalation_events_escalation_id_loop_step"),
        ),
    )
    op.create_index(
        op.f("ix_escalation_events_incident_id_id"),
        "escalation_events",
        ["incident_id", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_escalation_events_policy_id"), "escalation_events", ["policy_id"], unique=False
    )
    op.create_table(
        "notifications",
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column("escalation_id", sa.BigInteger(), nullable=False),
        sa.Column("loop", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.BigInteger(), nullable=False),
        sa.Column("recipient", sa.String(length=100), nullable=False),
        sa.Column("rule", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.String(50), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("contact_method_id", sa.BigInteger(), nullable=True),
        sa.Column("address", sa.String(length=2000), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("status", sa.String(50), server_default="pending", nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("is_resend", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("overtaken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_to", sa.String(length=2000), nullable=True),
        sa.Column("provider_id", sa.String(length=500), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("link_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "(status IN ('pending', 'sending')) = (ready_at IS NOT NULL)",
            name=op.f("ck_notifications_waiting_is_ready"),
        ),
        sa.CheckConstraint(
            "channel IN ('email', 'sms', 'push', 'chat', 'webhook')",
            name=op.f("ck_notifications_channel_known"),
        ),
        sa.CheckConstraint(
            "status IN ('pending', 'sending', 'sent', 'delivered', 'failed', 'cancelled', 'suppressed')",
            name=op.f("ck_notifications_status_known"),
        ),
        sa.CheckConstraint(
            "status NOT IN ('failed', 'cancelled', 'suppressed') OR reason IS NOT NULL",
            name=op.f("ck_notifications_unsent_says_why"),
        ),
        sa.CheckConstraint(
            "status NOT IN ('sent', 'delivered') OR sent_at IS NOT NULL",
            name=op.f("ck_notifications_sent_at"),
        ),
        sa.ForeignKeyConstraint(
            ["contact_method_id"],
            ["contact_methods.id"],
            name=op.f("fk_notifications_contact_method_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["escalation_id"], ["escalations.id"], name=op.f("fk_notifications_escalation_id")
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("fk_notifications_incident_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_notifications_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications")),
        sa.UniqueConstraint(
            "escalation_id",
            "loop",
            "step",
            "action",
            "recipient",
            "rule",
            name=op.f("uq_notifications_escalation_id_loop_step_action_recipient_rule"),
        ),
    )
    op.create_index(
        op.f("ix_notifications_contact_method_id"),
        "notifications",
        ["contact_method_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_notifications_incident_id_id"),
        "notifications",
        ["incident_id", "id"],
        unique=False,
    )
    op.create_index(
        "ix_notifications_ready",
        "notifications",
        ["channel", "ready_at", "id"],
        unique=False,
        postgresql_where=sa.text("ready_at IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_notifications_user_id_id"), "notifications", ["user_id", "id"], unique=False
    )
    op.create_index(
        "ix_notifications_waiting_by_incident",
        "notifications",
        ["incident_id"],
        unique=False,
        postgresql_where=sa.text("ready_at IS NOT NULL"),
    )
    op.create_table(
        "notification_attempts",
        sa.Column("notification_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(50), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("provider_id", sa.String(length=500), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('sent', 'kept', 'retry', 'gave_up', 'unknown')",
            name=op.f("ck_notification_attempts_outcome_known"),
        ),
        sa.ForeignKeyConstraint(
            ["notification_id"],
            ["notifications.id"],
            name=op.f("fk_notification_attempts_notification_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification_attempts")),
        sa.UniqueConstraint(
            "notification_id",
            "number",
            name=op.f("uq_notification_attempts_notification_id_number"),
        ),
    )

    # Rows that change often leave room beside themselves, and are vacuumed before the due
    # indexes fill with dead entries.
    for table in ("escalations", "notifications", "incident_tallies"):
        op.execute(
            f"ALTER TABLE {table} SET (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02,"
            " autovacuum_vacuum_threshold = 200, autovacuum_analyze_scale_factor = 0.05)"
        )


def downgrade() -> None:
    op.drop_table("notification_attempts")
    op.drop_index(
        "ix_notifications_waiting_by_incident",
        table_name="notifications",
        postgresql_where=sa.text("ready_at IS NOT NULL"),
    )
    op.drop_index(op.f("ix_notifications_user_id_id"), table_name="notifications")
    op.drop_index(
        "ix_notifications_ready",
        table_name="notifications",
        postgresql_where=sa.text("ready_at IS NOT NULL"),
    )
    op.drop_index(op.f("ix_notifications_incident_id_id"), table_name="notifications")
    op.drop_index(op.f("ix_notifications_contact_method_id"), table_name="notifications")
    op.drop_table("notifications")
    op.drop_index(op.f("ix_escalation_events_policy_id"), table_name="escalation_events")
    op.drop_index(op.f("ix_escalation_events_incident_id_id"), table_name="escalation_events")
    op.drop_table("escalation_events")
    op.drop_index(op.f("ix_timeline_events_user_id"), table_name="timeline_events")
    op.drop_index(op.f("ix_timeline_events_incident_id_id"), table_name="timeline_events")
    op.drop_table("timeline_events")
    op.drop_table("incident_tallies")
    op.drop_index(op.f("ix_incident_comments_user_id"), table_name="incident_comments")
    op.drop_index(op.f("ix_incident_comments_incident_id_id"), table_name="incident_comments")
    op.drop_table("incident_comments")
    op.drop_index(op.f("ix_incident_assignments_user_id"), table_name="incident_assignments")
    op.drop_table("incident_assignments")
    op.drop_index(
        "uq_escalations_live_policy",
        table_name="escalations",
        postgresql_where=sa.text("status IN ('active', 'paused') AND NOT is_fallback"),
    )
    op.drop_index(
        "uq_escalations_live_fallback",
        table_name="escalations",
        postgresql_where=sa.text("status IN ('active', 'paused') AND is_fallback"),
    )
    op.drop_index(op.f("ix_escalations_policy_id"), table_name="escalations")
    op.drop_index(op.f("ix_escalations_incident_id_id"), table_name="escalations")
    op.drop_index(
        "ix_escalations_due",
        table_name="escalations",
        postgresql_where=sa.text("next_step_at IS NOT NULL"),
    )
    op.drop_table("escalations")
    op.drop_index(op.f("ix_alerts_integration_id_id"), table_name="alerts")
    op.drop_index(op.f("ix_alerts_incident_id_id"), table_name="alerts")
    op.drop_table("alerts")
    op.drop_index(op.f("ix_notification_rules_contact_method_id"), table_name="notification_rules")
    op.drop_table("notification_rules")
    op.drop_index(op.f("ix_integration_keys_integration_id"), table_name="integration_keys")
    op.drop_table("integration_keys")
    op.drop_index(
        "uq_incidents_unresolved_dedup_key",
        table_name="incidents",
        postgresql_where=sa.text("status <> 'resolved'"),
    )
    op.drop_index(
        "ix_incidents_unresolved_group_key",
        table_name="incidents",
        postgresql_where=sa.text("status <> 'resolved' AND group_key IS NOT NULL"),
    )
    op.drop_index(op.f("ix_incidents_status_id"), table_name="incidents")
    op.drop_index(op.f("ix_incidents_severity_id"), table_name="incidents")
    op.drop_index(op.f("ix_incidents_service_id"), table_name="incidents")
    op.drop_index(op.f("ix_incidents_created_by"), table_name="incidents")
    op.drop_index(op.f("ix_incidents_assigned_to_id"), table_name="incidents")
    op.drop_table("incidents")
    op.drop_table("notification_preferences")
    op.drop_index(op.f("ix_integrations_created_by"), table_name="integrations")
    op.drop_table("integrations")
    op.drop_table("contact_methods")
    op.drop_index("uq_users_email_folded", table_name="users")
    op.drop_table("users")
    op.drop_table("escalation_policies")
