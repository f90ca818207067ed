"""Maintenance, mornings and silence.

The kinds of timeline entries are checked for every row that is there, which takes some seconds a
million.

Revision: 0015
Follows: 0014
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0015"
down_revision: str | Sequence[str] | None = "0014"
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
    "acknowledgement_expired",
    "held_back",
    "alert_replayed",
    "drill_answered",
]
NEW_TIMELINE_TYPES = ["paging_waits", "paging_begins"]


def _replace_timeline_types(members: list[str]) -> None:
    known = ", ".join(f"'{member}'" for member in members)
    name = op.f("ck_timeline_events_event_type_known")
    op.drop_constraint(name, "timeline_events", type_="check")
    op.create_check_constraint(name, "timeline_events", f"event_type IN ({known})")


def upgrade() -> None:
    op.execute("SET LOCAL statement_timeout = 0")
    _replace_timeline_types(OLD_TIMELINE_TYPES + NEW_TIMELINE_TYPES)
    op.add_column(
        "services",
        sa.Column(
            "auto_resolve_acknowledged",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
        ),
    )
    op.add_column(
        "incidents",
        sa.Column("urgency", sa.String(length=50), server_default="high", nullable=False),
    )
    op.create_check_constraint(
        op.f("ck_incidents_urgency_known"), "incidents", "urgency IN ('high', 'low')"
    )
    op.add_column(
        "escalations", sa.Column("waits_until", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column("escalations", sa.Column("waits_for", sa.String(length=50), nullable=True))
    for name, condition in (
        ("waits_for_known", "waits_for IN ('maintenance', 'support_hours')"),
        ("waits_for_something", "(waits_until IS NULL) = (waits_for IS NULL)"),
    ):
        op.create_check_constraint(op.f(f"ck_escalations_{name}"), "escalations", condition)
    op.create_index(
        "ix_escalations_waiting",
        "escalations",
        ["incident_id"],
        postgresql_where=sa.text("waits_until IS NOT NULL"),
    )
    op.create_table(
        "quiet_reviews",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("service", sa.String(length=100), nullable=True),
        sa.Column("asked", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quiet_reviews")),
    )
    op.create_table(
        "silence_watches",
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"],
            ["incidents.id"],
            name=op.f("fk_silence_watches_incident_id"),
        ),
        sa.PrimaryKeyConstraint("incident_id", name=op.f("pk_silence_watches")),
    )
    op.create_index(
        "ix_silence_watches_due_at_incident_id", "silence_watches", ["due_at", "incident_id"]
    )


def downgrade() -> None:
    """What waits pages at its time all the same."""
    op.drop_table("silence_watches")
    op.drop_table("quiet_reviews")
    op.drop_index("ix_escalations_waiting", table_name="escalations")
    for name in ("waits_for_something", "waits_for_known"):
        op.drop_constraint(op.f(f"ck_escalations_{name}"), "escalations", type_="check")
    op.drop_column("escalations", "waits_for")
    op.drop_column("escalations", "waits_until")
    op.drop_constraint(op.f("ck_incidents_urgency_known"), "incidents", type_="check")
    op.drop_column("incidents", "urgency")
    op.drop_column("services", "auto_resolve_acknowledged")
    gone = ", ".join(f"'{member}'" for member in NEW_TIMELINE_TYPES)
    op.execute(f"DELETE FROM timeline_events WHERE event_type IN ({gone})")  # noqa: S608
    _replace_timeline_types(OLD_TIMELINE_TYPES)
