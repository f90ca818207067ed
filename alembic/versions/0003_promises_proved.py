"""The engine proves its promises: kept bodies, urgency, storms, expiring answers, fire drills.

Revision: 0003
Follows: 0002
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op


revision: str = "0003"
down_revision: str | Sequence[str] | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

OLD_TIMELINE_TYPES = [
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
]
NEW_TIMELINE_TYPES = [
    "acknowledgement_expired",
    "held_back",
    "alert_replayed",
    "drill_answered",
]
EAGER = "autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0"
VACUUM = {
    "escalations": f"autovacuum_vacuum_scale_factor = 0.02, {EAGER}",
    "notifications": f"autovacuum_vacuum_scale_factor = 0.05, {EAGER}",
    "incident_tallies": "fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02",
}


def _replace_timeline_types(members: list[str]) -> None:
    known = ", ".join(f"'{member}'" for member in members)
    name = op.f("ck_timeline_events_event_type_known")
    op.drop_constraint(name, "timeline_events", type_="check")
    op.create_check_constraint(name, "timeline_events", f"event_type IN ({known})")


def upgrade() -> None:
    op.create_table(
        "fire_drills",
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column("started_by", sa.BigInteger(), nullable=False),
        sa.Column("policy_id", sa.BigInteger(), nullable=True),
        sa.Column("policy_name", sa.String(length=255), nullable=True),
        sa.Column("contact_method_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "started_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by", sa.BigInteger(), nullable=True),
        sa.Column("notification_id", sa.BigInteger(), nullable=True),
        sa.Column("missed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "answered_at IS NOT NULL OR answered_by IS NULL",
            name=op.f("ck_fire_drills_answer_whole"),
        ),
        sa.CheckConstraint(
            "num_nonnulls(policy_id, contact_method_id) <= 1", name=op.f("ck_fire_drills_one_aim")
        ),
        sa.ForeignKeyConstraint(
            ["answered_by"], ["users.id"], name=op.f("fk_fire_drills_answered_by")
        ),
        sa.ForeignKeyConstraint(
            ["contact_method_id"],
            ["contact_methods.id"],
            name=op.f("fk_fire_drills_contact_method_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("fk_fire_drills_incident_id")
        ),
        sa.ForeignKeyConstraint(
            ["notification_id"], ["notifications.id"], name=op.f("fk_fire_drills_notification_id")
        ),
        sa.ForeignKeyConstraint(
            ["policy_id"],
            ["escalation_policies.id"],
            name=op.f("fk_fire_drills_policy_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["started_by"], ["users.id"], name=op.f("fk_fire_drills_started_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fire_drills")),
        sa.UniqueConstraint("incident_id", name=op.f("uq_fire_drills_incident_id")),
    )
    op.create_index(
        op.f("ix_fire_drills_answered_by"), "fire_drills", ["answered_by"], unique=False
    )
    op.create_index(
        op.f("ix_fire_drills_contact_method_id"), "fire_drills", ["contact_method_id"], unique=False
    )
    op.create_index(
        op.f("ix_fire_drills_notification_id"), "fire_drills", ["notification_id"], unique=False
    )
    op.create_index(op.f("ix_fire_drills_policy_id"), "fire_drills", ["policy_id"], unique=False)
    op.create_index(
        op.f("ix_fire_drills_started_by_id"), "fire_drills", ["started_by", "id"], unique=False
    )
    op.add_column("alerts", sa.Column("body_size", sa.BigInteger(), nullable=True))
    op.add_column("alerts", sa.Column("body_of", sa.BigInteger(), nullable=True))
    op.add_column("alerts", sa.Column("replay_of", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_alerts_kept_bodies",
        "alerts",
        ["received_at"],
        unique=False,
        postgresql_where=sa.text("raw_body IS NOT NULL"),
    )
    op.create_index(
        "ix_alerts_replay_of",
        "alerts",
        ["replay_of"],
        unique=False,
        postgresql_where=sa.text("replay_of IS NOT NULL"),
    )
    op.create_foreign_key(
        op.f("fk_alerts_replay_of"), "alerts", "alerts", ["replay_of"], ["id"], ondelete="SET NULL"
    )
    op.add_column(
        "escalation_policies", sa.Column("ack_timeout_minutes", sa.Float(), nullable=True)
    )
    op.add_column("escalations", sa.Column("ack_timeout_minutes", sa.Float(), nullable=True))
    op.add_column(
        "escalations",
        sa.Column("is_critical", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.add_column("escalations", sa.Column("held_until", sa.DateTime(timezone=True), nullable=True))
    op.drop_index(
        "ix_escalations_due",
        table_name="escalations",
        postgresql_where=sa.text("next_step_at IS NOT NULL"),
    )
    op.create_index(
        "ix_escalations_due",
        "escalations",
        ["is_critical", "next_step_at", "id"],
        unique=False,
        postgresql_where=sa.text("next_step_at IS NOT NULL"),
    )
    op.add_column(
        "incidents",
        sa.Column("is_drill", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.add_column(
        "notifications",
        sa.Column("is_critical", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.drop_index(
        "ix_notifications_ready",
        table_name="notifications",
        postgresql_where=sa.text("ready_at IS NOT NULL"),
    )
    op.create_index(
        "ix_notifications_ready",
        "notifications",
        ["channel", "is_critical", "ready_at", "id"],
        unique=False,
        postgresql_where=sa.text("ready_at IS NOT NULL"),
    )
    op.create_check_constraint(
        op.f("ck_escalation_policies_ack_timeout_positive"),
        "escalation_policies",
        "ack_timeout_minutes > 0",
    )
    _replace_timeline_types([*OLD_TIMELINE_TYPES, *NEW_TIMELINE_TYPES])
    # Rows that change with every step leave dead index entries: they are to go before they pile up.
    for table, settings in VACUUM.items():
        op.execute(f"ALTER TABLE {table} SET ({settings})")
    # What is under way keeps its urgency.
    op.execute(
        "UPDATE escalations e SET is_critical = true FROM incidents i"
        " WHERE i.id = e.incident_id AND i.severity = 'critical'"
        " AND e.status IN ('active', 'paused')"
    )
    op.execute(
        "UPDATE notifications n SET is_critical = true FROM incidents i"
        " WHERE i.id = n.incident_id AND i.severity = 'critical' AND n.ready_at IS NOT NULL"
    )


def downgrade() -> None:
    for table, settings in VACUUM.items():
        names = ", ".join(setting.partition(" ")[0] for setting in settings.split(", "))
        op.execute(f"ALTER TABLE {table} RESET ({names})")
    gone = ", ".join(f"'{member}'" for member in NEW_TIMELINE_TYPES)
    op.execute(f"DELETE FROM timeline_events WHERE event_type IN ({gone})")
    _replace_timeline_types(OLD_TIMELINE_TYPES)
    op.drop_constraint(
        op.f("ck_escalation_policies_ack_timeout_positive"), "escalation_policies", type_="check"
    )
    op.drop_index(
        "ix_notifications_ready",
        table_name="notifications",
        postgresql_where=sa.text("ready_at IS NOT NULL"),
    )
    op.create_index(
        "ix_notifications_ready",
        "notifications",
        ["channel", "ready_at", "id"],
        unique=False,
        postgresql_where=sa.text("ready_at IS NOT NULL"),
    )
    op.drop_column("notifications", "is_critical")
    op.drop_column("incidents", "is_drill")
    op.drop_index(
        "ix_escalations_due",
        table_name="escalations",
        postgresql_where=sa.text("next_step_at IS NOT NULL"),
    )
    op.create_index(
        "ix_escalations_due",
        "escalations",
        ["next_step_at", "id"],
        unique=False,
        postgresql_where=sa.text("next_step_at IS NOT NULL"),
    )
    op.drop_column("escalations", "held_until")
    op.drop_column("escalations", "is_critical")
    op.drop_column("escalations", "ack_timeout_minutes")
    op.drop_column("escalation_policies", "ack_timeout_minutes")
    op.drop_constraint(op.f("fk_alerts_replay_of"), "alerts", type_="foreignkey")
    op.drop_index(
        "ix_alerts_replay_of",
        table_name="alerts",
        postgresql_where=sa.text("replay_of IS NOT NULL"),
    )
    op.drop_index(
        "ix_alerts_kept_bodies",
        table_name="alerts",
        postgresql_where=sa.text("raw_body IS NOT NULL"),
    )
    op.drop_column("alerts", "replay_of")
    op.drop_column("alerts", "body_of")
    op.drop_column("alerts", "body_size")
    op.drop_index(op.f("ix_fire_drills_started_by_id"), table_name="fire_drills")
    op.drop_index(op.f("ix_fire_drills_policy_id"), table_name="fire_drills")
    op.drop_index(op.f("ix_fire_drills_notification_id"), table_name="fire_drills")
    op.drop_index(op.f("ix_fire_drills_contact_method_id"), table_name="fire_drills")
    op.drop_index(op.f("ix_fire_drills_answered_by"), table_name="fire_drills")
    op.drop_table("fire_drills")
