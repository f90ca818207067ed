"""What was learned, what is to be done, and digests.

Kinds of messages and of timeline entries come with several migrations of one release, so this one
adds its own to whatever is known by then. Their rows are checked, which takes some seconds a
million.

Revision: 0019
Follows: 0018
"""

import re
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0019"
down_revision: str | Sequence[str] | None = "0018"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

KINDS = ["action_item_due", "action_item_overdue", "postmortem_review", "digest"]
TIMELINE_TYPES = ["postmortem"]
CHECKED = (
    ("notifications", "kind", KINDS),
    ("message_templates", "kind", KINDS),
    ("timeline_events", "event_type", TIMELINE_TYPES),
)


def _known(name: str) -> list[str]:
    """What a column may hold, as its constraint says now."""
    told = sa.text("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = :name")
    found = op.get_bind().execute(told, {"name": name}).scalar_one()
    return re.findall(r"'(\w+)'", found)


def _let(table: str, column: str, members: list[str]) -> None:
    known = ", ".join(f"'{member}'" for member in members)
    name = op.f(f"ck_{table}_{column}_known")
    op.drop_constraint(name, table, type_="check")
    op.create_check_constraint(name, table, f"{column} IN ({known})")


def upgrade() -> None:
    op.execute("SET LOCAL statement_timeout = 0")
    for table, column, new in CHECKED:
        _let(table, column, [*_known(f"ck_{table}_{column}_known"), *new])
    op.create_table(
        "postmortem_templates",
        sa.Column("summary", sa.Text(), server_default="", nullable=False),
        sa.Column("impact", sa.Text(), server_default="", nullable=False),
        sa.Column("root_cause", sa.Text(), server_default="", nullable=False),
        sa.Column("went_well", sa.Text(), server_default="", nullable=False),
        sa.Column("went_badly", sa.Text(), server_default="", nullable=False),
        sa.Column("lessons", sa.Text(), server_default="", nullable=False),
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
        sa.CheckConstraint("id = 1", name=op.f("ck_postmortem_templates_only_one")),
        sa.ForeignKeyConstraint(
            ["updated_by"], ["users.id"], name=op.f("fk_postmortem_templates_updated_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_postmortem_templates")),
    )
    op.create_index(
        op.f("ix_postmortem_templates_updated_by"), "postmortem_templates", ["updated_by"]
    )
    op.create_table(
        "postmortems",
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.String(length=255), nullable=False),
        sa.Column("status", sa.String(length=50), server_default="draft", nullable=False),
        sa.Column("summary", sa.Text(), server_default="", nullable=False),
        sa.Column("impact", sa.Text(), server_default="", nullable=False),
        sa.Column("root_cause", sa.Text(), server_default="", nullable=False),
        sa.Column("went_well", sa.Text(), server_default="", nullable=False),
        sa.Column("went_badly", sa.Text(), server_default="", nullable=False),
        sa.Column("lessons", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "timeline", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False
        ),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_by", sa.BigInteger(), nullable=True),
        sa.Column("amended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("public_summary", sa.Text(), server_default="", nullable=False),
        sa.Column("public_body", sa.Text(), server_default="", nullable=False),
        sa.Column("is_public", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("public_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("public_amended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("subscribers_told_at", sa.DateTime(timezone=True), nullable=True),
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
        sa.Column(
            "words",
            postgresql.TSVECTOR(),
            sa.Computed(
                "to_tsvector('simple', title || ' ' || summary || ' ' || impact || ' ' ||"
                " root_cause || ' ' || went_well || ' ' || went_badly || ' ' || lessons)",
                persisted=True,
            ),
            nullable=True,
        ),
        sa.CheckConstraint(
            "(status = 'published') = (published_at IS NOT NULL)",
            name=op.f("ck_postmortems_published_at"),
        ),
        sa.CheckConstraint(
            "NOT is_public OR status = 'published' AND public_summary <> ''"
            " AND public_at IS NOT NULL",
            name=op.f("ck_postmortems_public_is_written"),
        ),
        sa.CheckConstraint(
            "jsonb_typeof(timeline) = 'array'", name=op.f("ck_postmortems_timeline_array")
        ),
        sa.CheckConstraint(
            "status IN ('draft', 'in_review', 'published')",
            name=op.f("ck_postmortems_status_known"),
        ),
        sa.CheckConstraint("title <> ''", name=op.f("ck_postmortems_named")),
        sa.ForeignKeyConstraint(
            ["created_by"], ["users.id"], name=op.f("fk_postmortems_created_by")
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("fk_postmortems_incident_id")
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_postmortems_owner_id")),
        sa.ForeignKeyConstraint(
            ["published_by"], ["users.id"], name=op.f("fk_postmortems_published_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_postmortems")),
        sa.UniqueConstraint("incident_id", name=op.f("uq_postmortems_incident_id")),
    )
    op.create_index(op.f("ix_postmortems_created_by"), "postmortems", ["created_by"])
    op.create_index(op.f("ix_postmortems_owner_id_id"), "postmortems", ["owner_id", "id"])
    op.create_index(op.f("ix_postmortems_published_by"), "postmortems", ["published_by"])
    op.create_index(op.f("ix_postmortems_status_id"), "postmortems", ["status", "id"])
    op.create_index(op.f("ix_postmortems_updated_at_id"), "postmortems", ["updated_at", "id"])
    op.create_index(op.f("ix_postmortems_words"), "postmortems", ["words"], postgresql_using="gin")
    op.create_table(
        "postmortem_reviewers",
        sa.Column("postmortem_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["postmortem_id"],
            ["postmortems.id"],
            name=op.f("fk_postmortem_reviewers_postmortem_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_postmortem_reviewers_user_id")
        ),
        sa.PrimaryKeyConstraint("postmortem_id", "user_id", name=op.f("pk_postmortem_reviewers")),
    )
    op.create_index(op.f("ix_postmortem_reviewers_user_id"), "postmortem_reviewers", ["user_id"])
    op.create_table(
        "postmortem_versions",
        sa.Column("postmortem_id", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("edited_by", sa.BigInteger(), nullable=True),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["edited_by"], ["users.id"], name=op.f("fk_postmortem_versions_edited_by")
        ),
        sa.ForeignKeyConstraint(
            ["postmortem_id"],
            ["postmortems.id"],
            name=op.f("fk_postmortem_versions_postmortem_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_postmortem_versions")),
        sa.UniqueConstraint(
            "postmortem_id", "revision", name=op.f("uq_postmortem_versions_postmortem_id_revision")
        ),
    )
    op.create_index(op.f("ix_postmortem_versions_edited_by"), "postmortem_versions", ["edited_by"])
    op.create_table(
        "action_items",
        sa.Column("postmortem_id", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.String(length=255), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("state", sa.String(length=50), server_default="open", nullable=False),
        sa.Column("priority", sa.String(length=50), server_default="medium", nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("url", sa.String(length=2000), nullable=True),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
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
            "(state IN ('done', 'dropped')) = (finished_at IS NOT NULL)",
            name=op.f("ck_action_items_finished_at"),
        ),
        sa.CheckConstraint(
            "priority IN ('high', 'medium', 'low')", name=op.f("ck_action_items_priority_known")
        ),
        sa.CheckConstraint(
            "state IN ('open', 'in_progress', 'done', 'dropped')",
            name=op.f("ck_action_items_state_known"),
        ),
        sa.CheckConstraint("title <> ''", name=op.f("ck_action_items_named")),
        sa.ForeignKeyConstraint(
            ["created_by"], ["users.id"], name=op.f("fk_action_items_created_by")
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_action_items_owner_id")),
        sa.ForeignKeyConstraint(
            ["postmortem_id"], ["postmortems.id"], name=op.f("fk_action_items_postmortem_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_action_items")),
    )
    op.create_index(op.f("ix_action_items_created_by"), "action_items", ["created_by"])
    op.create_index(op.f("ix_action_items_owner_id_id"), "action_items", ["owner_id", "id"])
    op.create_index(
        op.f("ix_action_items_postmortem_id_id"), "action_items", ["postmortem_id", "id"]
    )
    op.create_index(
        "ix_action_items_unfinished",
        "action_items",
        ["due_on", "id"],
        postgresql_where=sa.text("state IN ('open', 'in_progress')"),
    )
    op.create_index(op.f("ix_action_items_updated_at_id"), "action_items", ["updated_at", "id"])
    op.create_table(
        "action_item_reminders",
        sa.Column("action_item_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=50), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.String(length=50), server_default="planned", nullable=False),
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
            "(state = 'planned') = (ready_at IS NOT NULL)",
            name=op.f("ck_action_item_reminders_planned_is_ready"),
        ),
        sa.CheckConstraint(
            "kind IN ('due', 'overdue')", name=op.f("ck_action_item_reminders_kind_known")
        ),
        sa.CheckConstraint(
            "state IN ('planned', 'told', 'withdrawn')",
            name=op.f("ck_action_item_reminders_state_known"),
        ),
        sa.ForeignKeyConstraint(
            ["action_item_id"],
            ["action_items.id"],
            name=op.f("fk_action_item_reminders_action_item_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_action_item_reminders_user_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_action_item_reminders")),
        sa.UniqueConstraint(
            "action_item_id",
            "user_id",
            "kind",
            "due_on",
            name=op.f("uq_action_item_reminders_action_item_id_user_id_kind_due_on"),
        ),
    )
    op.create_index(
        "ix_action_item_reminders_ready",
        "action_item_reminders",
        ["ready_at", "id"],
        postgresql_where=sa.text("ready_at IS NOT NULL"),
    )
    op.create_index(op.f("ix_action_item_reminders_user_id"), "action_item_reminders", ["user_id"])
    op.create_table(
        "digest_preferences",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("frequency", sa.String(length=50), server_default="off", nullable=False),
        sa.Column("hour", sa.SmallInteger(), server_default="9", nullable=False),
        sa.Column("weekday", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=True),
        sa.Column("even_when_empty", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("action_reminders", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
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
            "(frequency = 'off') = (next_at IS NULL)",
            name=op.f("ck_digest_preferences_wanted_is_due"),
        ),
        sa.CheckConstraint(
            "frequency IN ('off', 'daily', 'weekly')",
            name=op.f("ck_digest_preferences_frequency_known"),
        ),
        sa.CheckConstraint(
            "hour BETWEEN 0 AND 23", name=op.f("ck_digest_preferences_hour_of_a_day")
        ),
        sa.CheckConstraint(
            "weekday BETWEEN 0 AND 6", name=op.f("ck_digest_preferences_weekday_of_a_week")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_digest_preferences_user_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_digest_preferences")),
    )
    op.create_index(
        "ix_digest_preferences_due",
        "digest_preferences",
        ["next_at", "user_id"],
        postgresql_where=sa.text("next_at IS NOT NULL"),
    )
    op.create_table(
        "digests",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("frequency", sa.String(length=50), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.String(length=50), nullable=False),
        sa.Column("notification_id", sa.BigInteger(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint("outcome IN ('sent', 'empty')", name=op.f("ck_digests_outcome_known")),
        sa.CheckConstraint(
            "frequency IN ('off', 'daily', 'weekly')", name=op.f("ck_digests_frequency_known")
        ),
        sa.CheckConstraint("until > since", name=op.f("ck_digests_lasts")),
        sa.ForeignKeyConstraint(
            ["notification_id"],
            ["notifications.id"],
            name=op.f("fk_digests_notification_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_digests_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_digests")),
        sa.UniqueConstraint("user_id", "day", name=op.f("uq_digests_user_id_day")),
    )
    op.create_index(op.f("ix_digests_made_at"), "digests", ["made_at"])
    op.create_index(op.f("ix_digests_notification_id"), "digests", ["notification_id"])


def downgrade() -> None:
    """What was written down is lost; what else it was told by goes with it."""
    for table in (
        "digests",
        "digest_preferences",
        "action_item_reminders",
        "action_items",
        "postmortem_versions",
        "postmortem_reviewers",
        "postmortems",
        "postmortem_templates",
    ):
        op.drop_table(table)
    for kind in KINDS:
        op.execute(
            "DELETE FROM notification_attempts WHERE notification_id IN"  # noqa: S608
            f" (SELECT id FROM notifications WHERE kind = '{kind}')"
        )
        op.execute(f"DELETE FROM notifications WHERE kind = '{kind}'")  # noqa: S608
    op.execute("DELETE FROM timeline_events WHERE event_type = 'postmortem'")
    for table, column, new in CHECKED:
        known = [one for one in _known(f"ck_{table}_{column}_known") if one not in new]
        _let(table, column, known)
