"""What figures are counted from, and what the nightly checks found.

The computed columns are made for every row that is there, which holds the table for as long as it
takes: some seconds a million incidents. When an incident was first acknowledged that was reopened
since is read from its timeline; of the others their row says it already.

Revision: 0016
Follows: 0015
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0016"
down_revision: str | Sequence[str] | None = "0015"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

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
]
NEW_KIND = "preflight"
COMPUTED = """
    ALTER TABLE incidents
        ADD COLUMN seconds_to_acknowledge integer GENERATED ALWAYS AS (
            EXTRACT(epoch FROM coalesce(first_acknowledged_at, acknowledged_at) - created_at)::integer
        ) STORED,
        ADD COLUMN seconds_to_resolve integer GENERATED ALWAYS AS (
            EXTRACT(epoch FROM resolved_at - created_at)::integer
        ) STORED,
        ADD COLUMN answered_by bigint GENERATED ALWAYS AS (
            coalesce(first_acknowledged_by, acknowledged_by)
        ) STORED
"""
# Nobody's own answer is lost to a reopening, and nobody else's to an answer that expired.
FIRST_ANSWERS = """
    UPDATE incidents SET first_acknowledged_at = first.at, first_acknowledged_by = first.user_id
    FROM (
        SELECT DISTINCT ON (incident_id) incident_id, created_at AS at, user_id
        FROM timeline_events
        WHERE event_type = 'acknowledged' AND incident_id IN (
            SELECT incident_id FROM timeline_events
            WHERE event_type IN ('reopened', 'acknowledgement_expired')
        )
        ORDER BY incident_id, id
    ) first
    WHERE incidents.id = first.incident_id
"""


def _replace_kinds(members: list[str]) -> None:
    known = ", ".join(f"'{member}'" for member in members)
    for table in ("notifications", "message_templates"):
        name = op.f(f"ck_{table}_kind_known")
        op.drop_constraint(name, table, type_="check")
        op.create_check_constraint(name, table, f"kind IN ({known})")


def upgrade() -> None:
    op.execute("SET LOCAL statement_timeout = 0")
    op.add_column(
        "incidents",
        sa.Column("first_acknowledged_at", sa.DateTime(timezone=True), nullable=True),
    )
    op.add_column("incidents", sa.Column("first_acknowledged_by", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("fk_incidents_first_acknowledged_by"),
        "incidents",
        "users",
        ["first_acknowledged_by"],
        ["id"],
    )
    op.execute(FIRST_ANSWERS)
    op.execute(COMPUTED)
    op.create_index(
        "ix_incidents_figures",
        "incidents",
        ["created_at"],
        postgresql_include=[
            "service",
            "severity_rank",
            "seconds_to_acknowledge",
            "seconds_to_resolve",
            "answered_by",
            "resolved_by",
        ],
        postgresql_where=sa.text("status = 'resolved' AND deleted_at IS NULL AND NOT is_drill"),
    )
    op.create_index(
        "ix_notifications_figures",
        "notifications",
        ["sent_at"],
        postgresql_include=["user_id", "incident_id"],
        postgresql_where=sa.text("kind = 'page' AND sent_at IS NOT NULL"),
    )
    _replace_kinds([*KINDS, NEW_KIND])
    op.create_table(
        "preflight_runs",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("found", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_preflight_runs")),
    )
    op.create_table(
        "preflight_findings",
        sa.Column("code", sa.String(length=50), nullable=False),
        sa.Column("place", sa.String(length=255), nullable=False),
        sa.Column("severity", sa.String(length=50), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("fix", sa.Text(), nullable=False),
        sa.Column("link", sa.String(length=255), nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "severity IN ('critical', 'warning', 'note')",
            name=op.f("ck_preflight_findings_severity_known"),
        ),
        sa.CheckConstraint(
            "message <> '' AND fix <> ''", name=op.f("ck_preflight_findings_says_what_to_do")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_preflight_findings")),
        sa.UniqueConstraint("code", "place", name=op.f("uq_preflight_findings_code_place")),
    )
    op.create_index(
        op.f("ix_preflight_findings_last_seen_at"), "preflight_findings", ["last_seen_at"]
    )


def downgrade() -> None:
    op.drop_table("preflight_findings")
    op.drop_table("preflight_runs")
    op.execute(
        "DELETE FROM notification_attempts WHERE notification_id IN"
        f" (SELECT id FROM notifications WHERE kind = '{NEW_KIND}')"
    )
    op.execute(f"DELETE FROM notifications WHERE kind = '{NEW_KIND}'")
    _replace_kinds(KINDS)
    op.drop_index("ix_notifications_figures", table_name="notifications")
    op.drop_index("ix_incidents_figures", table_name="incidents")
    for column in (
        "answered_by",
        "seconds_to_resolve",
        "seconds_to_acknowledge",
        "first_acknowledged_by",
        "first_acknowledged_at",
    ):
        op.drop_column("incidents", column)
