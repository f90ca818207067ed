"""Monitors that must be heard of, and what the demo has made.

Revision: 0014
Follows: 0013
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision: str | Sequence[str] | None = "0013"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


# A ping writes the same rows again and again: room for their next version in their own page.
ROOMY = ("heartbeat_monitors", "heartbeat_pings")


def upgrade() -> None:
    op.create_table(
        "heartbeat_monitors",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("description", sa.String(length=1000), nullable=True),
        sa.Column("service", sa.String(length=100), nullable=True),
        sa.Column("severity", sa.String(length=50), server_default="high", nullable=False),
        sa.Column("interval_seconds", sa.BigInteger(), nullable=False),
        sa.Column("grace_seconds", sa.BigInteger(), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("hint", sa.String(length=20), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("pulse", sa.String(length=50), server_default="new", nullable=False),
        sa.Column("ping_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_ping_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_ping_kind", sa.String(length=50), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_run_seconds", sa.Float(), nullable=True),
        sa.Column("expected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("down_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("incident_id", sa.BigInteger(), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        *_revised(),
        sa.CheckConstraint(
            "severity IN ('critical', 'high', 'medium', 'low')",
            name=op.f("ck_heartbeat_monitors_severity_known"),
        ),
        sa.CheckConstraint(
            "pulse IN ('new', 'up', 'down')", name=op.f("ck_heartbeat_monitors_pulse_known")
        ),
        sa.CheckConstraint(
            "last_ping_kind IN ('success', 'start', 'fail')",
            name=op.f("ck_heartbeat_monitors_last_ping_kind_known"),
        ),
        sa.CheckConstraint("name <> ''", name=op.f("ck_heartbeat_monitors_named")),
        sa.CheckConstraint(
            "interval_seconds > 0 AND grace_seconds > 0", name=op.f("ck_heartbeat_monitors_spans")
        ),
        sa.CheckConstraint(
            "(pulse = 'down') = (down_since IS NOT NULL)",
            name=op.f("ck_heartbeat_monitors_down_since"),
        ),
        sa.CheckConstraint(
            "(due_at IS NOT NULL) = (is_active AND pulse <> 'new')",
            name=op.f("ck_heartbeat_monitors_due_unless_it_waits"),
        ),
        sa.CheckConstraint(
            "pulse <> 'up' OR due_at IS NULL OR expected_at IS NOT NULL",
            name=op.f("ck_heartbeat_monitors_up_is_expected"),
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["users.id"], name=op.f("fk_heartbeat_monitors_created_by")
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("fk_heartbeat_monitors_incident_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_heartbeat_monitors")),
        sa.UniqueConstraint("name", name=op.f("uq_heartbeat_monitors_name")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_heartbeat_monitors_token_hash")),
    )
    op.create_index(
        "ix_heartbeat_monitors_due_at",
        "heartbeat_monitors",
        ["due_at", "id"],
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(
        "ix_heartbeat_monitors_incident_id",
        "heartbeat_monitors",
        ["incident_id"],
        postgresql_where=sa.text("incident_id IS NOT NULL"),
    )
    op.create_index("ix_heartbeat_monitors_created_by", "heartbeat_monitors", ["created_by"])
    _heard()
    _demo()
    for table in ROOMY:
        op.execute(f"ALTER TABLE {table} SET (fillfactor = 70)")


def _revised() -> list[sa.Column[object]]:
    now = sa.text("now()")
    return [
        sa.Column("revision", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
    ]


def _heard() -> None:
    op.create_table(
        "heartbeat_pings",
        sa.Column("monitor_id", sa.BigInteger(), nullable=False),
        sa.Column("slot", sa.SmallInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=50), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('success', 'start', 'fail')", name=op.f("ck_heartbeat_pings_kind_known")
        ),
        sa.ForeignKeyConstraint(
            ["monitor_id"], ["heartbeat_monitors.id"], name=op.f("fk_heartbeat_pings_monitor_id")
        ),
        sa.PrimaryKeyConstraint("monitor_id", "slot", name=op.f("pk_heartbeat_pings")),
    )
    op.create_table(
        "heartbeat_outages",
        sa.Column("monitor_id", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.String(length=50), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "began_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "cause IN ('missed', 'failed')", name=op.f("ck_heartbeat_outages_cause_known")
        ),
        sa.ForeignKeyConstraint(
            ["monitor_id"], ["heartbeat_monitors.id"], name=op.f("fk_heartbeat_outages_monitor_id")
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("fk_heartbeat_outages_incident_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_heartbeat_outages")),
    )
    op.create_index("ix_heartbeat_outages_monitor_id_id", "heartbeat_outages", ["monitor_id", "id"])
    op.create_index(
        "uq_heartbeat_outages_under_way",
        "heartbeat_outages",
        ["monitor_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index("ix_heartbeat_outages_incident_id", "heartbeat_outages", ["incident_id"])
    op.create_table(
        "heartbeat_listening",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_heartbeat_listening_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_heartbeat_listening")),
    )


def _demo() -> None:
    op.create_table(
        "demo_marks",
        sa.Column("resource", sa.String(length=50), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("key", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("resource", "name", name=op.f("pk_demo_marks")),
    )


def downgrade() -> None:
    op.drop_table("demo_marks")
    for table in ("listening", "outages", "pings", "monitors"):
        op.drop_table(f"heartbeat_{table}")
