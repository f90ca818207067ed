"""The whole service: logins that can end, messages of every kind, custom fields, wordings.

Revision: 0002
Follows: 0001
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0002"
down_revision: str | Sequence[str] | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


NEW_CHECKS = [
    ("users", "deleted_is_inactive", "deleted_at IS NULL OR NOT is_active"),
    ("incidents", "deleted_is_resolved", "deleted_at IS NULL OR status = 'resolved'"),
    ("incidents", "custom_fields_object", "jsonb_typeof(custom_fields) = 'object'"),
    (
        "notifications",
        "page_has_a_step",
        "CASE WHEN kind = 'page' THEN num_nulls(incident_id, escalation_id, loop, step, action) = 0 ELSE num_nonnulls(escalation_id, loop, step, action) = 0 END",
    ),
    (
        "notifications",
        "update_has_an_incident",
        "kind NOT IN ('acknowledged', 'resolved', 'assigned') OR incident_id IS NOT NULL",
    ),
    (
        "notifications",
        "kind_known",
        "kind IN ('page', 'acknowledged', 'resolved', 'assigned', 'test', 'verification', 'signup', 'signup_known', 'recovery', 'password_changed')",
    ),
]
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
]
TIMELINE_TYPES = [*OLD_TIMELINE_TYPES, "escalated", "notification_resent", "deleted", "restored"]


def _replace_check(table: str, name: str, members: list[str]) -> None:
    column = name.removesuffix("_known")
    known = ", ".join(f"'{member}'" for member in members)
    op.drop_constraint(op.f(f"ck_{table}_{name}"), table, type_="check")
    op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, f"{column} IN ({known})")


def upgrade() -> None:
    op.create_table(
        "custom_fields",
        sa.Column("key", sa.String(length=50), nullable=False),
        sa.Column("label", sa.String(length=100), nullable=False),
        sa.Column("type", sa.String(length=50), nullable=False),
        sa.Column("options", sa.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("position", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
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
            "(type IN ('select', 'multi_select')) = (cardinality(options) > 0)",
            name=op.f("ck_custom_fields_options_of_a_choice"),
        ),
        sa.CheckConstraint(
            "key ~ '^[a-z][a-z0-9_]{0,49}$'", name=op.f("ck_custom_fields_key_plain")
        ),
        sa.CheckConstraint(
            "type IN ('text', 'number', 'boolean', 'date', 'url', 'select', 'multi_select')",
            name=op.f("ck_custom_fields_type_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_custom_fields")),
        sa.UniqueConstraint("key", name=op.f("uq_custom_fields_key")),
    )
    op.create_table(
        "throttles",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_throttles")),
    )
    op.create_index(op.f("ix_throttles_ends_at"), "throttles", ["ends_at"], unique=False)
    op.create_table(
        "login_sessions",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=True),
        sa.Column("user_agent", sa.String(length=255), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_reason", sa.String(length=50), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "end_reason IN ('logout', 'reuse', 'password_changed', 'deactivated')",
            name=op.f("ck_login_sessions_end_reason_known"),
        ),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (end_reason IS NULL)",
            name=op.f("ck_login_sessions_end_has_a_reason"),
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_login_sessions_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_sessions")),
    )
    op.create_index(
        op.f("ix_login_sessions_expires_at"), "login_sessions", ["expires_at"], unique=False
    )
    op.create_index(
        op.f("ix_login_sessions_user_id_id"), "login_sessions", ["user_id", "id"], unique=False
    )
    op.create_table(
        "message_templates",
        sa.Column("kind", sa.String(length=50), nullable=False),
        sa.Column("channel", sa.String(length=50), nullable=False),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("updated_by", sa.BigInteger(), nullable=True),
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
            "channel IN ('email', 'sms', 'push', 'chat', 'webhook')",
            name=op.f("ck_message_templates_channel_known"),
        ),
        sa.CheckConstraint(
            "kind IN ('page', 'acknowledged', 'resolved', 'assigned', 'test', 'verification', 'signup', 'signup_known', 'recovery', 'password_changed')",
            name=op.f("ck_message_templates_kind_known"),
        ),
        sa.ForeignKeyConstraint(
            ["updated_by"], ["users.id"], name=op.f("fk_message_templates_updated_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message_templates")),
        sa.UniqueConstraint("kind", "channel", name=op.f("uq_message_templates_kind_channel")),
    )
    op.create_index(
        op.f("ix_message_templates_updated_by"), "message_templates", ["updated_by"], unique=False
    )
    op.create_table(
        "challenges",
        sa.Column("purpose", sa.String(length=50), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("contact_method_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "facts", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "(purpose = 'contact_method') = (contact_method_id IS NOT NULL)",
            name=op.f("ck_challenges_about_an_address"),
        ),
        sa.CheckConstraint(
            "purpose = 'signup' OR user_id IS NOT NULL", name=op.f("ck_challenges_about_somebody")
        ),
        sa.CheckConstraint(
            "purpose IN ('signup', 'recovery', 'contact_method')",
            name=op.f("ck_challenges_purpose_known"),
        ),
        sa.CheckConstraint("failures >= 0", name=op.f("ck_challenges_failures_counted")),
        sa.ForeignKeyConstraint(
            ["contact_method_id"],
            ["contact_methods.id"],
            name=op.f("fk_challenges_contact_method_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_challenges_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_challenges")),
    )
    op.create_index(
        op.f("ix_challenges_contact_method_id"), "challenges", ["contact_method_id"], unique=False
    )
    op.create_index(op.f("ix_challenges_expires_at"), "challenges", ["expires_at"], unique=False)
    op.create_index(
        op.f("ix_challenges_user_id_purpose"), "challenges", ["user_id", "purpose"], unique=False
    )
    op.create_table(
        "refresh_tokens",
        sa.Column("session_id", sa.BigInteger(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["login_sessions.id"],
            name=op.f("fk_refresh_tokens_session_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refresh_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_refresh_tokens_token_hash")),
    )
    op.create_index(
        op.f("ix_refresh_tokens_session_id"), "refresh_tokens", ["session_id"], unique=False
    )
    op.add_column("contact_methods", sa.Column("secret", sa.LargeBinary(), nullable=True))
    op.add_column(
        "contact_methods",
        sa.Column("wants_updates", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.add_column(
        "incidents",
        sa.Column(
            "custom_fields",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="{}",
            nullable=False,
        ),
    )
    op.add_column("incidents", sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("incidents", sa.Column("deleted_by", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_incidents_custom_fields",
        "incidents",
        ["custom_fields"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"custom_fields": "jsonb_path_ops"},
    )
    op.create_foreign_key(
        op.f("fk_incidents_deleted_by"), "incidents", "users", ["deleted_by"], ["id"]
    )
    op.add_column(
        "notifications",
        sa.Column("kind", sa.String(length=50), server_default="page", nullable=False),
    )
    op.add_column(
        "notifications",
        sa.Column(
            "facts", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False
        ),
    )
    op.add_column(
        "notifications", sa.Column("held_until", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column("notifications", sa.Column("bundled_into", sa.BigInteger(), nullable=True))
    op.add_column(
        "notifications", sa.Column("receipt_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column(
        "notifications",
        sa.Column("receipt_checks", sa.BigInteger(), server_default="0", nullable=False),
    )
    op.add_column(
        "notifications",
        sa.Column("attempts_before", sa.BigInteger(), server_default="0", nullable=False),
    )
    op.alter_column("notifications", "incident_id", existing_type=sa.BIGINT(), nullable=True)
    op.alter_column("notifications", "escalation_id", existing_type=sa.BIGINT(), nullable=True)
    op.alter_column("notifications", "loop", existing_type=sa.BIGINT(), nullable=True)
    op.alter_column("notifications", "step", existing_type=sa.BIGINT(), nullable=True)
    op.alter_column("notifications", "action", existing_type=sa.BIGINT(), nullable=True)
    op.create_index(
        "ix_notifications_bundled_into",
        "notifications",
        ["bundled_into"],
        unique=False,
        postgresql_where=sa.text("bundled_into IS NOT NULL"),
    )
    op.create_index(
        "ix_notifications_paged_lately",
        "notifications",
        ["user_id", "channel", "claimed_at"],
        unique=False,
        postgresql_where=sa.text("kind = 'page' AND claimed_at IS NOT NULL"),
    )
    op.create_index(
        "ix_notifications_receipt",
        "notifications",
        ["channel", "receipt_at"],
        unique=False,
        postgresql_where=sa.text("receipt_at IS NOT NULL"),
    )
    op.create_foreign_key(
        op.f("fk_notifications_bundled_into"),
        "notifications",
        "notifications",
        ["bundled_into"],
        ["id"],
    )
    op.add_column("users", sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True))
    op.drop_index("uq_users_email_folded", table_name="users")
    op.create_index(
        "uq_users_email_folded",
        "users",
        [sa.text("lower(email)")],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    for table, name, rule in NEW_CHECKS:
        op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, rule)
    _replace_check("timeline_events", "event_type_known", TIMELINE_TYPES)


def downgrade() -> None:
    # The schema of before can only hold pages, and no deleted things.
    op.execute(
        "DELETE FROM notification_attempts WHERE notification_id IN"
        " (SELECT id FROM notifications WHERE kind <> 'page')"
    )
    op.execute("UPDATE notifications SET bundled_into = NULL")
    op.execute("DELETE FROM notifications WHERE kind <> 'page'")
    op.execute(
        "DELETE FROM timeline_events WHERE event_type IN ('escalated',"
        " 'notification_resent', 'deleted', 'restored')"
    )
    op.execute("UPDATE users SET email = email || '.deleted.' || id WHERE deleted_at IS NOT NULL")
    _replace_check("timeline_events", "event_type_known", OLD_TIMELINE_TYPES)
    for table, name, _ in reversed(NEW_CHECKS):
        op.drop_constraint(op.f(f"ck_{table}_{name}"), table, type_="check")
    op.drop_index("uq_users_email_folded", table_name="users")
    op.create_index("uq_users_email_folded", "users", [sa.text("lower(email)")], unique=True)
    op.drop_column("users", "deleted_at")
    op.drop_constraint(op.f("fk_notifications_bundled_into"), "notifications", type_="foreignkey")
    op.drop_index(
        "ix_notifications_receipt",
        table_name="notifications",
        postgresql_where=sa.text("receipt_at IS NOT NULL"),
    )
    op.drop_index(
        "ix_notifications_paged_lately",
        table_name="notifications",
        postgresql_where=sa.text("kind = 'page' AND claimed_at IS NOT NULL"),
    )
    op.drop_index(
        "ix_notifications_bundled_into",
        table_name="notifications",
        postgresql_where=sa.text("bundled_into IS NOT NULL"),
    )
    op.alter_column("notifications", "action", existing_type=sa.BIGINT(), nullable=False)
    op.alter_column("notifications", "step", existing_type=sa.BIGINT(), nullable=False)
    op.alter_column("notifications", "loop", existing_type=sa.BIGINT(), nullable=False)
    op.alter_column("notifications", "escalation_id", existing_type=sa.BIGINT(), nullable=False)
    op.alter_column("notifications", "incident_id", existing_type=sa.BIGINT(), nullable=False)
    op.drop_column("notifications", "attempts_before")
    op.drop_column("notifications", "receipt_checks")
    op.drop_column("notifications", "receipt_at")
    op.drop_column("notifications", "bundled_into")
    op.drop_column("notifications", "held_until")
    op.drop_column("notifications", "facts")
    op.drop_column("notifications", "kind")
    op.drop_constraint(op.f("fk_incidents_deleted_by"), "incidents", type_="foreignkey")
    op.drop_index(
        "ix_incidents_custom_fields",
        table_name="incidents",
        postgresql_using="gin",
        postgresql_ops={"custom_fields": "jsonb_path_ops"},
    )
    op.drop_column("incidents", "deleted_by")
    op.drop_column("incidents", "deleted_at")
    op.drop_column("incidents", "custom_fields")
    op.drop_column("contact_methods", "wants_updates")
    op.drop_column("contact_methods", "secret")
    op.drop_index(op.f("ix_refresh_tokens_session_id"), table_name="refresh_tokens")
    op.drop_table("refresh_tokens")
    op.drop_index(op.f("ix_challenges_user_id_purpose"), table_name="challenges")
    op.drop_index(op.f("ix_challenges_expires_at"), table_name="challenges")
    op.drop_index(op.f("ix_challenges_contact_method_id"), table_name="challenges")
    op.drop_table("challenges")
    op.drop_index(op.f("ix_message_templates_updated_by"), table_name="message_templates")
    op.drop_table("message_templates")
    op.drop_index(op.f("ix_login_sessions_user_id_id"), table_name="login_sessions")
    op.drop_index(op.f("ix_login_sessions_expires_at"), table_name="login_sessions")
    op.drop_table("login_sessions")
    op.drop_index(op.f("ix_throttles_ends_at"), table_name="throttles")
    op.drop_table("throttles")
    op.drop_table("custom_fields")
