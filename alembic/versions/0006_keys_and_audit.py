"""API keys and the audit log.

The log is append-only for everybody, the application included: triggers refuse to change a row,
to delete one and to empty the table. What is old is forgotten by `audit_log_forget` alone, and
nothing younger than thirty days by that either.

Revision: 0006
Follows: 0005
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0006"
down_revision: str | Sequence[str] | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

REFUSE = """
    CREATE FUNCTION audit_log_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' AND current_setting('tocsin.audit_forgets', true) = 'on' THEN
            IF OLD.created_at < now() - interval '30 days' THEN
                RETURN OLD;
            END IF;
        END IF;
        RAISE EXCEPTION 'the audit log is append-only: % is refused', TG_OP
            USING ERRCODE = 'insufficient_privilege',
                HINT = 'Use audit_log_forget(kept_days, most) to forget what is old.';
    END $$
"""
NO_ROW = """
    CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION audit_log_refuse()
"""
NO_TRUNCATE = """
    CREATE TRIGGER audit_log_never_emptied BEFORE TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION audit_log_refuse()
"""
FORGET = """
    CREATE FUNCTION audit_log_forget(kept_days integer, most integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
    DECLARE
        forgotten integer;
    BEGIN
        IF kept_days < 30 THEN
            RAISE EXCEPTION 'the audit log is kept for 30 days at least, not %', kept_days
                USING ERRCODE = 'insufficient_privilege';
        END IF;
        PERFORM set_config('tocsin.audit_forgets', 'on', true);
        WITH old AS (
            SELECT id FROM audit_log
            WHERE created_at < now() - make_interval(days => kept_days)
            ORDER BY created_at LIMIT most
        )
        DELETE FROM audit_log USING old WHERE audit_log.id = old.id;
        GET DIAGNOSTICS forgotten = ROW_COUNT;
        PERFORM set_config('tocsin.audit_forgets', 'off', true);
        RETURN forgotten;
    END $$
"""


def upgrade() -> None:
    op.create_table(
        "audit_log",
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("actor_kind", sa.String(length=50), nullable=False),
        sa.Column("actor", sa.String(length=255), nullable=True),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("api_key_id", sa.BigInteger(), nullable=True),
        sa.Column("action", sa.String(length=100), nullable=False),
        sa.Column("resource_type", sa.String(length=50), nullable=False),
        sa.Column("resource_id", sa.String(length=100), nullable=True),
        sa.Column("changes", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("address", sa.String(length=64), nullable=True),
        sa.Column("request_id", sa.String(length=128), nullable=True),
        sa.Column("user_agent", sa.String(length=200), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "actor_kind IN ('user', 'api_key', 'anonymous', 'system')",
            name=op.f("ck_audit_log_actor_kind_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_log")),
    )
    op.create_index(op.f("ix_audit_log_action_id"), "audit_log", ["action", "id"])
    op.create_index(op.f("ix_audit_log_created_at"), "audit_log", ["created_at"])
    op.create_index(op.f("ix_audit_log_request_id"), "audit_log", ["request_id"])
    op.create_index(
        op.f("ix_audit_log_resource_type_resource_id_id"),
        "audit_log",
        ["resource_type", "resource_id", "id"],
    )
    op.create_index(op.f("ix_audit_log_user_id_id"), "audit_log", ["user_id", "id"])
    op.create_table(
        "api_keys",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("hint", sa.String(length=20), nullable=False),
        sa.Column("scopes", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint("'read' = ANY (scopes)", name=op.f("ck_api_keys_reads")),
        sa.CheckConstraint("name <> ''", name=op.f("ck_api_keys_named")),
        sa.CheckConstraint(
            "scopes <@ ARRAY['read', 'respond', 'administer']",
            name=op.f("ck_api_keys_scopes_known"),
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_api_keys_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_api_keys_key_hash")),
    )
    op.create_index(op.f("ix_api_keys_user_id_id"), "api_keys", ["user_id", "id"])
    op.execute(REFUSE)
    op.execute(NO_ROW)
    op.execute(NO_TRUNCATE)
    op.execute(FORGET)


def downgrade() -> None:
    op.execute("DROP FUNCTION audit_log_forget(integer, integer)")
    op.drop_table("api_keys")
    op.drop_table("audit_log")  # and its triggers with it
    op.execute("DROP FUNCTION audit_log_refuse()")
