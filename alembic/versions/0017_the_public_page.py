"""What the public is told: the page, its components, incidents and maintenances in public words.

Revision: 0017
Follows: 0016
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0017"
down_revision: str | Sequence[str] | None = "0016"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

EVENT_TYPES = [
    "incident.created",
    "incident.updated",
    "incident.status_changed",
    "incident.escalated",
    "incident.assigned",
    "incident.commented",
    "incident.deleted",
    "incident.update_posted",
    "postmortem.published",
]
NEW_EVENT_TYPES = [
    "maintenance.created",
    "maintenance.updated",
    "maintenance.status_changed",
    "maintenance.update_posted",
    "maintenance.deleted",
    "component.status_changed",
]
TIMELINE_TYPES = [
    "opened",
    "acknowledged",
    "resolved",
    "reopened",
    "snoozed",
    "snooze_ended",
    "edited",
    "assigned",
    "unassigned",
    "commented",
    "escalation_started",
    "escalation_step",
    "escalation_reached_nobody",
    "escalation_repeated",
    "escalation_exhausted",
    "escalation_cancelled",
    "escalation_hurried",
    "escalation_fault",
    "notification_failed",
    "escalated",
    "notification_resent",
    "deleted",
    "restored",
    "acknowledgement_expired",
    "held_back",
    "alert_replayed",
    "drill_answered",
    "paging_waits",
    "paging_begins",
]
NEW_TIMELINE_TYPES = [
    "published",
    "public_update",
    "public_withdrawn",
    "public_reminder",
]
KINDS = [
    "page",
    "acknowledged",
    "resolved",
    "assigned",
    "test",
    "verification",
    "signup",
    "signup_known",
    "recovery",
    "password_changed",
    "webhook_disabled",
    "duty_started",
    "duty_ended",
    "duty_reminder",
    "duty_changed",
    "shift_requested",
    "shift_answered",
    "preflight",
]
NEW_KIND = "public_reminder"


def _replace(table: str, column: str, members: list[str]) -> None:
    known = ", ".join(f"'{member}'" for member in members)
    name = op.f(f"ck_{table}_{column}_known")
    op.drop_constraint(name, table, type_="check")
    op.create_check_constraint(name, table, f"{column} IN ({known})")


def _replace_kinds(members: list[str]) -> None:
    for table in ("notifications", "message_templates"):
        _replace(table, "kind", members)


def _listed(members: list[str]) -> str:
    return ", ".join(f"'{member}'" for member in members)


def upgrade() -> None:
    op.execute("SET LOCAL statement_timeout = 0")
    _replace("events", "type", [*EVENT_TYPES, *NEW_EVENT_TYPES])
    _replace("timeline_events", "event_type", [*TIMELINE_TYPES, *NEW_TIMELINE_TYPES])
    _replace_kinds([*KINDS, NEW_KIND])
    op.create_table(
        "status_pages",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=100), server_default="Status", nullable=False),
        sa.Column("url", sa.String(length=2000), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("support_url", sa.String(length=2000), nullable=True),
        sa.Column("time_zone", sa.String(length=64), server_default="UTC", nullable=False),
        sa.Column("shows_authors", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "update_minutes",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text('\'{"high": 60, "medium": 120, "critical": 30}\''),
            nullable=False,
        ),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column(
            "changed_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
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
            "jsonb_typeof(update_minutes) = 'object'",
            name=op.f("ck_status_pages_update_minutes_object"),
        ),
        sa.CheckConstraint("name <> ''", name=op.f("ck_status_pages_named")),
        sa.CheckConstraint("id = 1", name=op.f("ck_status_pages_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_status_pages")),
    )
    op.create_table(
        "component_groups",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("position", sa.BigInteger(), server_default="0", nullable=False),
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
        sa.CheckConstraint("name <> ''", name=op.f("ck_component_groups_named")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_component_groups")),
    )
    op.create_index(
        op.f("ix_component_groups_position_id"),
        "component_groups",
        ["position", "id"],
        unique=False,
    )
    op.create_table(
        "status_components",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("group_id", sa.BigInteger(), nullable=True),
        sa.Column("position", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("status", sa.String(length=50), server_default="operational", nullable=False),
        sa.Column("set_status", sa.String(length=50), server_default="operational", nullable=False),
        sa.Column(
            "only_show_if_degraded", sa.Boolean(), server_default=sa.text("false"), nullable=False
        ),
        sa.Column("shows_uptime", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("service_id", sa.BigInteger(), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
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
        sa.CheckConstraint("name <> ''", name=op.f("ck_status_components_named")),
        sa.CheckConstraint(
            "set_status IN ('operational', 'under_maintenance', 'degraded_performance', 'partial_outage', 'major_outage')",
            name=op.f("ck_status_components_set_status_known"),
        ),
        sa.CheckConstraint(
            "status IN ('operational', 'under_maintenance', 'degraded_performance', 'partial_outage', 'major_outage')",
            name=op.f("ck_status_components_status_known"),
        ),
        sa.ForeignKeyConstraint(
            ["group_id"],
            ["component_groups.id"],
            name=op.f("fk_status_components_group_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["service_id"],
            ["services.id"],
            name=op.f("fk_status_components_service_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_status_components")),
    )
    op.create_index(
        op.f("ix_status_components_group_id"), "status_components", ["group_id"], unique=False
    )
    op.create_index(
        op.f("ix_status_components_position_id"),
        "status_components",
        ["position", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_status_components_service_id"), "status_components", ["service_id"], unique=False
    )
    op.create_table(
        "component_spells",
        sa.Column("component_id", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=50), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "status IN ('operational', 'under_maintenance', 'degraded_performance', 'partial_outage', 'major_outage')",
            name=op.f("ck_component_spells_status_known"),
        ),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_component_spells_lasts")),
        sa.ForeignKeyConstraint(
            ["component_id"],
            ["status_components.id"],
            name=op.f("fk_component_spells_component_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_component_spells")),
    )
    op.create_index(
        op.f("ix_component_spells_component_id_ends_at"),
        "component_spells",
        ["component_id", "ends_at"],
        unique=False,
    )
    op.create_index(
        "uq_component_spells_current",
        "component_spells",
        ["component_id"],
        unique=True,
        postgresql_where=sa.text("ends_at IS NULL"),
    )
    op.create_table(
        "public_incidents",
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.String(length=50), nullable=False),
        sa.Column("title", sa.String(length=255), nullable=False),
        sa.Column("status", sa.String(length=50), server_default="investigating", nullable=False),
        sa.Column("impact", sa.String(length=50), server_default="none", nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("identified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("monitoring_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_update_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("remind_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_reminded_of", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
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
            "(status = 'resolved') = (resolved_at IS NOT NULL)",
            name=op.f("ck_public_incidents_resolved_at"),
        ),
        sa.CheckConstraint(
            "impact IN ('none', 'minor', 'major', 'critical')",
            name=op.f("ck_public_incidents_impact_known"),
        ),
        sa.CheckConstraint(
            "next_update_due_at IS NULL OR status <> 'resolved' AND withdrawn_at IS NULL",
            name=op.f("ck_public_incidents_due_while_shown"),
        ),
        sa.CheckConstraint(
            "status IN ('investigating', 'identified', 'monitoring', 'resolved')",
            name=op.f("ck_public_incidents_status_known"),
        ),
        sa.CheckConstraint("title <> ''", name=op.f("ck_public_incidents_named")),
        sa.CheckConstraint(
            "remind_at IS NULL OR next_update_due_at IS NOT NULL",
            name=op.f("ck_public_incidents_remind_of"),
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["users.id"], name=op.f("fk_public_incidents_created_by")
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("fk_public_incidents_incident_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_public_incidents")),
        sa.UniqueConstraint("code", name=op.f("uq_public_incidents_code")),
    )
    op.create_index(
        "uq_public_incidents_shown",
        "public_incidents",
        ["incident_id"],
        unique=True,
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )
    op.create_index(op.f("ix_public_incidents_incident_id"), "public_incidents", ["incident_id"])
    op.create_index(
        op.f("ix_public_incidents_created_by"), "public_incidents", ["created_by"], unique=False
    )
    op.create_index(
        "ix_public_incidents_remind_at",
        "public_incidents",
        ["remind_at", "id"],
        unique=False,
        postgresql_where=sa.text("remind_at IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_public_incidents_started_at_id"),
        "public_incidents",
        ["started_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_public_incidents_unresolved",
        "public_incidents",
        ["id"],
        unique=False,
        postgresql_where=sa.text("resolved_at IS NULL"),
    )
    op.create_table(
        "public_incident_components",
        sa.Column("public_incident_id", sa.BigInteger(), nullable=False),
        sa.Column("component_id", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=50), nullable=False),
        sa.CheckConstraint(
            "status IN ('operational', 'under_maintenance', 'degraded_performance', 'partial_outage', 'major_outage')",
            name=op.f("ck_public_incident_components_status_known"),
        ),
        sa.ForeignKeyConstraint(
            ["component_id"],
            ["status_components.id"],
            name=op.f("fk_public_incident_components_component_id"),
        ),
        sa.ForeignKeyConstraint(
            ["public_incident_id"],
            ["public_incidents.id"],
            name=op.f("fk_public_incident_components_public_incident_id"),
        ),
        sa.PrimaryKeyConstraint(
            "public_incident_id", "component_id", name=op.f("pk_public_incident_components")
        ),
    )
    op.create_index(
        op.f("ix_public_incident_components_component_id"),
        "public_incident_components",
        ["component_id"],
        unique=False,
    )
    op.create_table(
        "public_maintenances",
        sa.Column("code", sa.String(length=50), nullable=False),
        sa.Column("title", sa.String(length=255), nullable=False),
        sa.Column("status", sa.String(length=50), server_default="scheduled", nullable=False),
        sa.Column("scheduled_for", sa.DateTime(timezone=True), nullable=False),
        sa.Column("scheduled_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("starts_itself", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("ends_itself", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
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
            "(status = 'completed') = (completed_at IS NOT NULL)",
            name=op.f("ck_public_maintenances_completed_at"),
        ),
        sa.CheckConstraint(
            "next_at IS NULL OR status <> 'completed' AND withdrawn_at IS NULL",
            name=op.f("ck_public_maintenances_next_while_shown"),
        ),
        sa.CheckConstraint(
            "status IN ('scheduled', 'in_progress', 'verifying', 'completed')",
            name=op.f("ck_public_maintenances_status_known"),
        ),
        sa.CheckConstraint("title <> ''", name=op.f("ck_public_maintenances_named")),
        sa.CheckConstraint(
            "scheduled_until > scheduled_for", name=op.f("ck_public_maintenances_lasts")
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["users.id"], name=op.f("fk_public_maintenances_created_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_public_maintenances")),
        sa.UniqueConstraint("code", name=op.f("uq_public_maintenances_code")),
    )
    op.create_index(
        "ix_public_maintenances_ahead",
        "public_maintenances",
        ["id"],
        unique=False,
        postgresql_where=sa.text("completed_at IS NULL"),
    )
    op.create_index(
        op.f("ix_public_maintenances_created_by"),
        "public_maintenances",
        ["created_by"],
        unique=False,
    )
    op.create_index(
        "ix_public_maintenances_next_at",
        "public_maintenances",
        ["next_at", "id"],
        unique=False,
        postgresql_where=sa.text("next_at IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_public_maintenances_scheduled_for_id"),
        "public_maintenances",
        ["scheduled_for", "id"],
        unique=False,
    )
    op.create_table(
        "public_maintenance_components",
        sa.Column("public_maintenance_id", sa.BigInteger(), nullable=False),
        sa.Column("component_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["component_id"],
            ["status_components.id"],
            name=op.f("fk_public_maintenance_components_component_id"),
        ),
        sa.ForeignKeyConstraint(
            ["public_maintenance_id"],
            ["public_maintenances.id"],
            name=op.f("fk_public_maintenance_components_public_maintenance_id"),
        ),
        sa.PrimaryKeyConstraint(
            "public_maintenance_id", "component_id", name=op.f("pk_public_maintenance_components")
        ),
    )
    op.create_index(
        op.f("ix_public_maintenance_components_component_id"),
        "public_maintenance_components",
        ["component_id"],
        unique=False,
    )
    op.create_table(
        "public_updates",
        sa.Column("public_incident_id", sa.BigInteger(), nullable=True),
        sa.Column("public_maintenance_id", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.String(length=50), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column(
            "changes", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False
        ),
        sa.Column("notifies", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("author_id", sa.BigInteger(), nullable=True),
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
            "(public_incident_id IS NOT NULL) = (status IN ('investigating', 'identified', 'monitoring', 'resolved'))",
            name=op.f("ck_public_updates_status_of_its_kind"),
        ),
        sa.CheckConstraint("body <> ''", name=op.f("ck_public_updates_says_something")),
        sa.CheckConstraint(
            "jsonb_typeof(changes) = 'array'", name=op.f("ck_public_updates_changes_array")
        ),
        sa.CheckConstraint(
            "status IN ('investigating', 'identified', 'monitoring', 'resolved', 'scheduled', 'in_progress', 'verifying', 'completed')",
            name=op.f("ck_public_updates_status_known"),
        ),
        sa.CheckConstraint(
            "edited_at IS NULL OR posted_at IS NOT NULL",
            name=op.f("ck_public_updates_edited_if_posted"),
        ),
        sa.CheckConstraint(
            "num_nonnulls(public_incident_id, public_maintenance_id) = 1",
            name=op.f("ck_public_updates_about_one"),
        ),
        sa.CheckConstraint(
            "withdrawn_at IS NULL OR posted_at IS NOT NULL",
            name=op.f("ck_public_updates_withdrawn_if_posted"),
        ),
        sa.ForeignKeyConstraint(
            ["author_id"], ["users.id"], name=op.f("fk_public_updates_author_id")
        ),
        sa.ForeignKeyConstraint(
            ["public_incident_id"],
            ["public_incidents.id"],
            name=op.f("fk_public_updates_public_incident_id"),
        ),
        sa.ForeignKeyConstraint(
            ["public_maintenance_id"],
            ["public_maintenances.id"],
            name=op.f("fk_public_updates_public_maintenance_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_public_updates")),
    )
    op.create_index(
        op.f("ix_public_updates_author_id"), "public_updates", ["author_id"], unique=False
    )
    op.create_index(
        op.f("ix_public_updates_public_incident_id_posted_at"),
        "public_updates",
        ["public_incident_id", "posted_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_public_updates_public_maintenance_id_posted_at"),
        "public_updates",
        ["public_maintenance_id", "posted_at"],
        unique=False,
    )
    op.create_table(
        "public_update_versions",
        sa.Column("public_update_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("replaced_by", sa.BigInteger(), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["public_update_id"],
            ["public_updates.id"],
            name=op.f("fk_public_update_versions_public_update_id"),
        ),
        sa.ForeignKeyConstraint(
            ["replaced_by"], ["users.id"], name=op.f("fk_public_update_versions_replaced_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_public_update_versions")),
        sa.UniqueConstraint(
            "public_update_id",
            "number",
            name=op.f("uq_public_update_versions_public_update_id_number"),
        ),
    )
    op.create_index(
        op.f("ix_public_update_versions_replaced_by"),
        "public_update_versions",
        ["replaced_by"],
        unique=False,
    )
    op.create_table(
        "public_notices",
        sa.Column("kind", sa.String(length=50), nullable=False),
        sa.Column("public_incident_id", sa.BigInteger(), nullable=True),
        sa.Column("public_maintenance_id", sa.BigInteger(), nullable=True),
        sa.Column("public_update_id", sa.BigInteger(), nullable=True),
        sa.Column("component_id", sa.BigInteger(), nullable=True),
        sa.Column("component_ids", sa.ARRAY(sa.BigInteger()), server_default="{}", nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "kind IN ('incident_created', 'incident_status_changed', 'incident_updated', 'maintenance_created', 'maintenance_status_changed', 'maintenance_updated', 'component_status_changed', 'postmortem_published')",
            name=op.f("ck_public_notices_kind_known"),
        ),
        sa.CheckConstraint(
            "num_nonnulls(public_incident_id, public_maintenance_id, component_id) = 1",
            name=op.f("ck_public_notices_about_one"),
        ),
        sa.ForeignKeyConstraint(
            ["component_id"], ["status_components.id"], name=op.f("fk_public_notices_component_id")
        ),
        sa.ForeignKeyConstraint(
            ["public_incident_id"],
            ["public_incidents.id"],
            name=op.f("fk_public_notices_public_incident_id"),
        ),
        sa.ForeignKeyConstraint(
            ["public_maintenance_id"],
            ["public_maintenances.id"],
            name=op.f("fk_public_notices_public_maintenance_id"),
        ),
        sa.ForeignKeyConstraint(
            ["public_update_id"],
            ["public_updates.id"],
            name=op.f("fk_public_notices_public_update_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_public_notices")),
    )
    op.create_index(
        op.f("ix_public_notices_component_id"), "public_notices", ["component_id"], unique=False
    )
    op.create_index(
        op.f("ix_public_notices_public_incident_id"),
        "public_notices",
        ["public_incident_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_public_notices_public_maintenance_id"),
        "public_notices",
        ["public_maintenance_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_public_notices_public_update_id"),
        "public_notices",
        ["public_update_id"],
        unique=False,
    )
    op.create_index(
        "ix_public_notices_untold",
        "public_notices",
        ["id"],
        unique=False,
        postgresql_where=sa.text("told_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("public_notices")
    op.drop_table("public_update_versions")
    op.drop_table("public_updates")
    op.drop_table("public_maintenance_components")
    op.drop_table("public_maintenances")
    op.drop_table("public_incident_components")
    op.drop_table("public_incidents")
    op.drop_table("component_spells")
    op.drop_table("status_components")
    op.drop_table("component_groups")
    op.drop_table("status_pages")
    op.execute(
        "DELETE FROM notification_attempts WHERE notification_id IN"
        f" (SELECT id FROM notifications WHERE kind = '{NEW_KIND}')"
    )
    op.execute(f"DELETE FROM notifications WHERE kind = '{NEW_KIND}'")
    op.execute(f"DELETE FROM message_templates WHERE kind = '{NEW_KIND}'")
    _replace_kinds(KINDS)
    op.execute(f"DELETE FROM timeline_events WHERE event_type IN ({_listed(NEW_TIMELINE_TYPES)})")
    _replace("timeline_events", "event_type", TIMELINE_TYPES)
    op.execute(f"DELETE FROM events WHERE type IN ({_listed(NEW_EVENT_TYPES)})")
    _replace("events", "type", EVENT_TYPES)
