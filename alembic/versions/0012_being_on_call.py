"""Swaps, cover, and what people on call are told.

Every edit of a schedule has it looked at again, by triggers: whichever way it is edited, nobody
whose duty changed shall learn of it by a page.

Revision: 0012
Follows: 0011
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0012"
down_revision: str | Sequence[str] | None = "0011"
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
]
NEW_KINDS = [
    "duty_started",
    "duty_ended",
    "duty_reminder",
    "duty_changed",
    "shift_requested",
    "shift_answered",
]
EDITED = ("schedule_versions", "schedule_overrides", "temporary_schedules")


def _replace_kinds(members: list[str]) -> None:
    known = ", ".join(f"'{member}'" for member in members)
    for table in ("notifications", "message_templates"):
        name = op.f(f"ck_{table}_kind_known")
        op.drop_constraint(name, table, type_="check")
        op.create_check_constraint(name, table, f"kind IN ({known})")


def _time(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _stamped() -> list[sa.Column[object]]:
    now = sa.text("now()")
    return [
        sa.Column(name, sa.DateTime(timezone=True), server_default=now, nullable=False)
        for name in ("created_at", "updated_at")
    ]


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False)


def upgrade() -> None:
    _replace_kinds([*KINDS, *NEW_KINDS])
    _shift_requests()
    _notices()
    _looks()


def _shift_requests() -> None:
    op.create_table(
        "shift_requests",
        sa.Column("schedule_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=50), nullable=False),
        sa.Column("status", sa.String(length=50), server_default="open", nullable=False),
        sa.Column("asked_by", sa.BigInteger(), nullable=False),
        sa.Column("asked_of", sa.BigInteger(), nullable=True),
        _time("starts_at"),
        _time("ends_at"),
        _time("wanted_from", nullable=True),
        _time("wanted_until", nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        _time("expires_at"),
        sa.Column("taken_by", sa.BigInteger(), nullable=True),
        _time("settled_at", nullable=True),
        sa.Column("override_id", sa.BigInteger(), nullable=True),
        sa.Column("return_override_id", sa.BigInteger(), nullable=True),
        _id(),
        sa.Column("revision", sa.BigInteger(), server_default="1", nullable=False),
        *_stamped(),
        sa.CheckConstraint(
            "kind IN ('cover', 'swap')", name=op.f("ck_shift_requests_kind_known")
        ),
        sa.CheckConstraint(
            "status IN ('open', 'taken', 'declined', 'cancelled', 'expired', 'stale',"
            " 'given_back')",
            name=op.f("ck_shift_requests_status_known"),
        ),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_shift_requests_lasts")),
        sa.CheckConstraint(
            "wanted_until > wanted_from", name=op.f("ck_shift_requests_wanted_lasts")
        ),
        sa.CheckConstraint(
            "CASE WHEN kind = 'swap' THEN num_nulls(wanted_from, wanted_until, asked_of) = 0"
            " ELSE num_nonnulls(wanted_from, wanted_until) = 0 END",
            name=op.f("ck_shift_requests_swap_is_whole"),
        ),
        sa.CheckConstraint("asked_of <> asked_by", name=op.f("ck_shift_requests_asks_another")),
        sa.CheckConstraint("taken_by <> asked_by", name=op.f("ck_shift_requests_another_takes")),
        sa.CheckConstraint(
            "(status IN ('taken', 'given_back')) = (taken_by IS NOT NULL)",
            name=op.f("ck_shift_requests_taken_by_somebody"),
        ),
        sa.CheckConstraint(
            "(status = 'open') = (settled_at IS NULL)", name=op.f("ck_shift_requests_settled_once")
        ),
        sa.ForeignKeyConstraint(
            ["schedule_id"], ["schedules.id"], name=op.f("fk_shift_requests_schedule_id")
        ),
        *(
            sa.ForeignKeyConstraint([column], ["users.id"], name=op.f(f"fk_shift_requests_{column}"))
            for column in ("asked_by", "asked_of", "taken_by")
        ),
        *(
            sa.ForeignKeyConstraint(
                [column], ["schedule_overrides.id"], name=op.f(f"fk_shift_requests_{column}")
            )
            for column in ("override_id", "return_override_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shift_requests")),
    )
    for column in ("schedule_id", "asked_by", "asked_of", "taken_by"):
        op.create_index(op.f(f"ix_shift_requests_{column}_id"), "shift_requests", [column, "id"])
    for column in ("override_id", "return_override_id"):
        op.create_index(op.f(f"ix_shift_requests_{column}"), "shift_requests", [column])
    op.create_index(
        "ix_shift_requests_open",
        "shift_requests",
        ["expires_at"],
        postgresql_where=sa.text("status = 'open'"),
    )
    op.create_index(
        op.f("ix_shift_requests_schedule_id_settled_at"),
        "shift_requests",
        ["schedule_id", "settled_at"],
    )


def _notices() -> None:
    op.create_table(
        "on_call_notice_preferences",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("at_start", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("at_end", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("on_change", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("reminder_minutes", sa.BigInteger(), nullable=True),
        sa.Column("channels", sa.ARRAY(sa.String(length=50)), nullable=False),
        *_stamped(),
        sa.CheckConstraint(
            "reminder_minutes BETWEEN 1 AND 1440",
            name=op.f("ck_on_call_notice_preferences_reminder_bounded"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_on_call_notice_preferences_user_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_on_call_notice_preferences")),
    )
    op.create_table(
        "on_call_watches",
        sa.Column("schedule_id", sa.BigInteger(), nullable=False),
        _time("next_look_at"),
        _time("looked_at", nullable=True),
        sa.Column(
            "ahead",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="[]",
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["schedule_id"], ["schedules.id"], name=op.f("fk_on_call_watches_schedule_id")
        ),
        sa.PrimaryKeyConstraint("schedule_id", name=op.f("pk_on_call_watches")),
    )
    op.create_index(op.f("ix_on_call_watches_next_look_at"), "on_call_watches", ["next_look_at"])
    op.create_table(
        "on_call_notices",
        sa.Column("schedule_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=50), nullable=False),
        _time("about_at"),
        _time("due_at"),
        _time("ready_at", nullable=True),
        sa.Column("state", sa.String(length=50), server_default="planned", nullable=False),
        sa.Column(
            "facts",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="{}",
            nullable=False,
        ),
        _id(),
        *_stamped(),
        sa.CheckConstraint(
            "kind IN ('start', 'end', 'reminder', 'change')",
            name=op.f("ck_on_call_notices_kind_known"),
        ),
        sa.CheckConstraint(
            "state IN ('planned', 'told', 'withdrawn')",
            name=op.f("ck_on_call_notices_state_known"),
        ),
        sa.CheckConstraint(
            "(state = 'planned') = (ready_at IS NOT NULL)",
            name=op.f("ck_on_call_notices_planned_is_ready"),
        ),
        sa.ForeignKeyConstraint(
            ["schedule_id"], ["schedules.id"], name=op.f("fk_on_call_notices_schedule_id")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_on_call_notices_user_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_on_call_notices")),
        sa.UniqueConstraint(
            "schedule_id",
            "user_id",
            "kind",
            "about_at",
            name=op.f("uq_on_call_notices_schedule_id_user_id_kind_about_at"),
        ),
    )
    op.create_index(
        "ix_on_call_notices_ready",
        "on_call_notices",
        ["ready_at", "id"],
        postgresql_where=sa.text("ready_at IS NOT NULL"),
    )
    for column in ("user_id", "updated_at"):
        op.create_index(op.f(f"ix_on_call_notices_{column}"), "on_call_notices", [column])


def _looks() -> None:
    # In the year 1970: at once, whatever time whoever asks believes it to be.
    op.execute("""
        CREATE FUNCTION on_call_look_again() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO on_call_watches (schedule_id, next_look_at)
            VALUES (NEW.schedule_id, to_timestamp(0))
            ON CONFLICT (schedule_id) DO UPDATE SET next_look_at = excluded.next_look_at;
            RETURN NULL;
        END $$
    """)
    for table in EDITED:
        op.execute(f"""
            CREATE TRIGGER on_call_looked_at AFTER INSERT OR UPDATE ON {table}
            FOR EACH ROW EXECUTE FUNCTION on_call_look_again()
        """)
    # What a calendar of somebody else says changes whoever follows it.
    op.execute("""
        CREATE FUNCTION on_call_look_at_followers() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO on_call_watches (schedule_id, next_look_at)
            SELECT followers.id, to_timestamp(0) FROM (
                SELECT s.id FROM schedules s, (SELECT DISTINCT calendar_id FROM changed) c
                WHERE s.layers @> jsonb_build_array(jsonb_build_object('calendar', c.calendar_id))
                    OR s.holidays @> jsonb_build_array(c.calendar_id)
                UNION
                SELECT t.schedule_id FROM temporary_schedules t,
                    (SELECT DISTINCT calendar_id FROM changed) c
                WHERE t.layers @> jsonb_build_array(jsonb_build_object('calendar', c.calendar_id))
                    AND t.removed_at IS NULL
            ) followers
            ORDER BY followers.id
            ON CONFLICT (schedule_id) DO UPDATE SET next_look_at = excluded.next_look_at;
            RETURN NULL;
        END $$
    """)
    for event in ("INSERT", "UPDATE"):
        op.execute(f"""
            CREATE TRIGGER on_call_looked_at_{event.lower()} AFTER {event} ON calendar_shifts
            REFERENCING NEW TABLE AS changed
            FOR EACH STATEMENT EXECUTE FUNCTION on_call_look_at_followers()
        """)


def downgrade() -> None:
    for event in ("insert", "update"):
        op.execute(f"DROP TRIGGER on_call_looked_at_{event} ON calendar_shifts")
    op.execute("DROP FUNCTION on_call_look_at_followers()")
    for table in EDITED:
        op.execute(f"DROP TRIGGER on_call_looked_at ON {table}")
    op.execute("DROP FUNCTION on_call_look_again()")
    for table in ("on_call_notices", "on_call_watches", "on_call_notice_preferences"):
        op.drop_table(table)
    op.drop_table("shift_requests")
    listed = ", ".join(f"'{kind}'" for kind in NEW_KINDS)
    op.execute(
        "DELETE FROM notification_attempts WHERE notification_id IN"
        f" (SELECT id FROM notifications WHERE kind IN ({listed}))"
    )
    op.execute(f"DELETE FROM notifications WHERE kind IN ({listed})")
    _replace_kinds(KINDS)
