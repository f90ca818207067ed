"""Calendars that come in, and those that go out.

Revision: 0011
Follows: 0010
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0011"
down_revision: str | Sequence[str] | None = "0010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    _calendars()
    _calendar_shifts()
    _calendar_feeds()


def downgrade() -> None:
    op.drop_table("calendar_feeds")
    op.drop_table("calendar_shifts")
    op.drop_table("calendars")


def _calendars() -> None:
    op.create_table(
        "calendars",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=50), nullable=False),
        sa.Column("url", sa.String(length=2000), nullable=True),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("etag", sa.String(length=300), nullable=True),
        sa.Column("last_modified", sa.String(length=100), nullable=True),
        sa.Column("next_fetch_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("faults", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.Column(
            "updated_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.CheckConstraint("kind IN ('holidays', 'on_call')", name=op.f("ck_calendars_kind_known")),
        sa.CheckConstraint("name <> ''", name=op.f("ck_calendars_named")),
        sa.CheckConstraint(
            "(deleted_at IS NULL) = (num_nonnulls(url, body) > 0)",
            name=op.f("ck_calendars_has_source"),
        ),
        sa.CheckConstraint(
            "(last_error IS NULL) = (failing_since IS NULL)",
            name=op.f("ck_calendars_failing_says_why"),
        ),
        sa.CheckConstraint(
            "deleted_at IS NULL OR next_fetch_at IS NULL", name=op.f("ck_calendars_deleted_rests")
        ),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_calendars_created_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendars")),
    )
    op.create_index(
        "ix_calendars_next_fetch_at",
        "calendars",
        ["next_fetch_at", "id"],
        postgresql_where=sa.text("next_fetch_at IS NOT NULL"),
    )
    op.create_index(op.f("ix_calendars_created_by"), "calendars", ["created_by"])


def _calendar_shifts() -> None:
    op.create_table(
        "calendar_shifts",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("calendar_id", sa.BigInteger(), nullable=False),
        sa.Column("uid", sa.String(length=255), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("summary", sa.String(length=255), nullable=False),
        sa.Column("mail", sa.String(length=255), nullable=True),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("seen_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_calendar_shifts_lasts")),
        sa.CheckConstraint(
            "seen_from <= seen_until", name=op.f("ck_calendar_shifts_seen_in_order")
        ),
        sa.ForeignKeyConstraint(
            ["calendar_id"], ["calendars.id"], name=op.f("fk_calendar_shifts_calendar_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_calendar_shifts_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_shifts")),
    )
    op.create_index(
        op.f("ix_calendar_shifts_calendar_id_ends_at_id"),
        "calendar_shifts",
        ["calendar_id", "ends_at", "id"],
    )
    op.create_index(
        "ix_calendar_shifts_current",
        "calendar_shifts",
        ["calendar_id", "starts_at", "id"],
        postgresql_where=sa.text("seen_until IS NULL"),
    )
    op.create_index(op.f("ix_calendar_shifts_user_id"), "calendar_shifts", ["user_id"])
    op.create_index(op.f("ix_calendar_shifts_ends_at"), "calendar_shifts", ["ends_at"])
    op.create_index(
        "ix_calendar_shifts_seen_until",
        "calendar_shifts",
        ["seen_until"],
        postgresql_where=sa.text("seen_until IS NOT NULL"),
    )


def _calendar_feeds() -> None:
    op.create_table(
        "calendar_feeds",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("schedule_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("hint", sa.String(length=20), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("name <> ''", name=op.f("ck_calendar_feeds_named")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_calendar_feeds_user_id")),
        sa.ForeignKeyConstraint(
            ["schedule_id"], ["schedules.id"], name=op.f("fk_calendar_feeds_schedule_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_feeds")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_calendar_feeds_token_hash")),
    )
    op.create_index(op.f("ix_calendar_feeds_user_id_id"), "calendar_feeds", ["user_id", "id"])
    op.create_index(
        "ix_calendar_feeds_live",
        "calendar_feeds",
        ["user_id"],
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
    op.create_index(
        op.f("ix_calendar_feeds_schedule_id_id"), "calendar_feeds", ["schedule_id", "id"]
    )
