"""Teams, services and when they are looked after.

Which schedule a service has is told with the schedules themselves.

Revision: 0009
Follows: 0008
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0009"
down_revision: str | Sequence[str] | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def _key() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False)


def _stamped(name: str) -> sa.Column[object]:
    return sa.Column(
        name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
    )


def _revised() -> list[sa.Column[object]]:
    revision = sa.Column("revision", sa.BigInteger(), server_default="1", nullable=False)
    return [_stamped("created_at"), _stamped("updated_at"), revision]


def upgrade() -> None:
    op.create_table(
        "teams",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("time_zone", sa.String(length=64), nullable=True),
        _key(),
        *_revised(),
        sa.CheckConstraint("name <> ''", name=op.f("ck_teams_named")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_teams")),
    )
    op.create_index("uq_teams_name_folded", "teams", [sa.text("lower(name)")], unique=True)
    op.create_table(
        "team_members",
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("is_lead", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        _stamped("created_at"),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name=op.f("fk_team_members_team_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_team_members_user_id")),
        sa.PrimaryKeyConstraint("team_id", "user_id", name=op.f("pk_team_members")),
    )
    op.create_index(op.f("ix_team_members_user_id"), "team_members", ["user_id"])
    op.add_column("escalation_policies", sa.Column("team_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("fk_escalation_policies_team_id"), "escalation_policies", "teams", ["team_id"], ["id"]
    )
    op.create_index(op.f("ix_escalation_policies_team_id"), "escalation_policies", ["team_id"])
    _create_services()
    _create_maintenance_windows()


def _create_services() -> None:
    op.create_table(
        "services",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("team_id", sa.BigInteger(), nullable=True),
        sa.Column("policy_id", sa.BigInteger(), nullable=True),
        sa.Column("schedule_id", sa.BigInteger(), nullable=True),
        sa.Column("urgency", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("support_hours", postgresql.JSONB(), nullable=True),
        sa.Column("auto_resolve_after_minutes", sa.BigInteger(), nullable=True),
        _key(),
        *_revised(),
        sa.CheckConstraint("name <> ''", name=op.f("ck_services_named")),
        sa.CheckConstraint(
            "jsonb_typeof(urgency) = 'object'", name=op.f("ck_services_urgency_object")
        ),
        sa.CheckConstraint(
            "jsonb_typeof(support_hours) = 'object'", name=op.f("ck_services_support_hours_object")
        ),
        sa.CheckConstraint(
            "auto_resolve_after_minutes > 0", name=op.f("ck_services_auto_resolve_after_positive")
        ),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_services_team_id")),
        sa.ForeignKeyConstraint(
            ["policy_id"], ["escalation_policies.id"], name=op.f("fk_services_policy_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_services")),
    )
    op.create_index("uq_services_name_folded", "services", [sa.text("lower(name)")], unique=True)
    for column in ("name", "team_id", "policy_id", "schedule_id"):
        op.create_index(op.f(f"ix_services_{column}"), "services", [column])


def _create_maintenance_windows() -> None:
    op.create_table(
        "maintenance_windows",
        sa.Column("title", sa.String(length=255), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "is_for_everything", sa.Boolean(), server_default=sa.text("false"), nullable=False
        ),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        _key(),
        *_revised(),
        sa.CheckConstraint("title <> ''", name=op.f("ck_maintenance_windows_named")),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_maintenance_windows_lasts")),
        sa.CheckConstraint(
            "ended_at IS NULL OR ended_at >= starts_at AND ended_at < ends_at",
            name=op.f("ck_maintenance_windows_ended_early"),
        ),
        sa.CheckConstraint(
            "num_nonnulls(ended_at, cancelled_at) <= 1",
            name=op.f("ck_maintenance_windows_ended_or_cancelled"),
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["users.id"], name=op.f("fk_maintenance_windows_created_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_maintenance_windows")),
    )
    op.create_index(
        "ix_maintenance_windows_live",
        "maintenance_windows",
        ["ends_at", "starts_at"],
        postgresql_where=sa.text("ended_at IS NULL AND cancelled_at IS NULL"),
    )
    op.create_index(
        op.f("ix_maintenance_windows_starts_at_id"), "maintenance_windows", ["starts_at", "id"]
    )
    op.create_index(
        op.f("ix_maintenance_windows_created_by"), "maintenance_windows", ["created_by"]
    )
    op.create_table(
        "maintained_services",
        sa.Column("maintenance_window_id", sa.BigInteger(), nullable=False),
        sa.Column("service_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["maintenance_window_id"],
            ["maintenance_windows.id"],
            name=op.f("fk_maintained_services_maintenance_window_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["service_id"],
            ["services.id"],
            name=op.f("fk_maintained_services_service_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "maintenance_window_id", "service_id", name=op.f("pk_maintained_services")
        ),
    )
    op.create_index(
        op.f("ix_maintained_services_service_id"), "maintained_services", ["service_id"]
    )


def downgrade() -> None:
    op.drop_table("maintained_services")
    op.drop_table("maintenance_windows")
    op.drop_table("services")
    op.drop_column("escalation_policies", "team_id")  # and its key and index with it
    op.drop_table("team_members")
    op.drop_table("teams")
