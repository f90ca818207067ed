"""Search, and the orders of lists.

The new columns are computed for every row that is there, which holds the tables for as long as it
takes: some seconds a million incidents. Their words are not read here: all incidents are queued, and
the search catches up once the new version runs, about a minute a million. The queue is filled by
triggers, so that what the code of before opens or renames meanwhile is found too.

Revision: 0008
Follows: 0007
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0008"
down_revision: str | Sequence[str] | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

PARTING = r"""!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~"""
SEVERITY_RANK = (
    "CASE severity WHEN 'critical' THEN 4 WHEN 'high' THEN 3 WHEN 'medium' THEN 2"
    " WHEN 'low' THEN 1 ELSE NULL END"
)
WORDS = (
    f"setweight(to_tsvector('simple', translate(coalesce(content, ''), '{PARTING}',"
    f" '{' ' * 32}')), 'C')"
)


def upgrade() -> None:
    op.execute("SET LOCAL statement_timeout = 0")
    op.add_column(
        "incident_comments",
        sa.Column(
            "words", postgresql.TSVECTOR(), sa.Computed(WORDS, persisted=True), nullable=True
        ),
    )
    op.create_index(
        "ix_incident_comments_words", "incident_comments", ["words"], postgresql_using="gin"
    )
    op.add_column(
        "incidents",
        sa.Column(
            "severity_rank",
            sa.SmallInteger(),
            sa.Computed(SEVERITY_RANK, persisted=True),
            nullable=True,
        ),
    )
    op.create_index(
        "ix_incidents_tags",
        "incidents",
        ["tags"],
        postgresql_using="gin",
        postgresql_where=sa.text("tags <> '{}'"),
        postgresql_with={"fastupdate": "off"},
    )
    # What an index puts aside for later, the alert waits for that comes when it is too much.
    op.execute("ALTER INDEX ix_incidents_custom_fields SET (fastupdate = off)")
    op.create_index(
        "ix_incidents_deleted",
        "incidents",
        ["id"],
        postgresql_where=sa.text("deleted_at IS NOT NULL"),
    )
    op.create_index(
        "ix_incidents_drills", "incidents", ["id"], postgresql_where=sa.text("is_drill")
    )
    for column in ("source", "created_at", "updated_at", "severity_rank"):
        op.create_index(f"ix_incidents_{column}_id", "incidents", [column, "id"])
    op.create_index(
        "ix_incidents_integration_id_id",
        "incidents",
        ["integration_id", "id"],
        postgresql_where=sa.text("integration_id > 0"),
    )
    op.drop_index("ix_incidents_severity_id", table_name="incidents")
    op.create_index("ix_alerts_received_at_id", "alerts", ["received_at", "id"])
    _search()


def _search() -> None:
    op.create_table(
        "search_words",
        sa.Column("incident_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("words", postgresql.TSVECTOR(), nullable=False),
        sa.PrimaryKeyConstraint("incident_id", name=op.f("pk_search_words")),
    )
    op.create_index("ix_search_words_words", "search_words", ["words"], postgresql_using="gin")
    op.create_table("search_queue", sa.Column("incident_id", sa.BigInteger(), nullable=False))
    op.execute("INSERT INTO search_queue SELECT id FROM incidents")
    op.execute("""
        CREATE FUNCTION search_enqueue() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO search_queue SELECT id FROM changed;
            RETURN NULL;
        END $$
    """)
    op.execute("""
        CREATE TRIGGER search_opened AFTER INSERT ON incidents
        REFERENCING NEW TABLE AS changed
        FOR EACH STATEMENT EXECUTE FUNCTION search_enqueue()
    """)
    op.execute("""
        CREATE FUNCTION search_enqueue_one() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO search_queue VALUES (NEW.id);
            RETURN NULL;
        END $$
    """)
    op.execute("""
        CREATE TRIGGER search_renamed AFTER UPDATE OF title, description ON incidents
        FOR EACH ROW
        WHEN ((OLD.title, OLD.description) IS DISTINCT FROM (NEW.title, NEW.description))
        EXECUTE FUNCTION search_enqueue_one()
    """)


def downgrade() -> None:
    for trigger in ("search_opened", "search_renamed"):
        op.execute(f"DROP TRIGGER {trigger} ON incidents")
    for function in ("search_enqueue", "search_enqueue_one"):
        op.execute(f"DROP FUNCTION {function}()")
    op.drop_table("search_queue")
    op.drop_table("search_words")
    op.drop_index("ix_alerts_received_at_id", table_name="alerts")
    op.create_index("ix_incidents_severity_id", "incidents", ["severity", "id"])
    for column in ("integration_id", "source", "created_at", "updated_at", "severity_rank"):
        op.drop_index(f"ix_incidents_{column}_id", table_name="incidents")
    for name in ("drills", "deleted", "tags"):
        op.drop_index(f"ix_incidents_{name}", table_name="incidents")
    op.execute("ALTER INDEX ix_incidents_custom_fields RESET (fastupdate)")
    op.drop_index("ix_incident_comments_words", table_name="incident_comments")
    op.drop_column("incident_comments", "words")
    op.drop_column("incidents", "severity_rank")
