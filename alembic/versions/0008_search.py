"""Search, and the orders of lists.

The new columns are computed for every row that is there, which holds the tables for as long as it
takes: about half a minute a million incidents. The code before this one goes on working with it.

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


def words(column: str, weight: str) -> str:
    parted = f"translate(coalesce({column}, ''), '{PARTING}', '{' ' * 32}')"
    return f"setweight(to_tsvector('simple', {parted}), '{weight}')"


def upgrade() -> None:
    op.execute("SET LOCAL statement_timeout = 0")
    op.add_column(
        "incidents",
        sa.Column(
            "words",
            postgresql.TSVECTOR(),
            sa.Computed(f"{words('title', 'A')} || {words('description', 'B')}", persisted=True),
            nullable=True,
        ),
    )
    op.add_column(
        "incident_comments",
        sa.Column(
            "words",
            postgresql.TSVECTOR(),
            sa.Computed(words("content", "C"), persisted=True),
            nullable=True,
        ),
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
    for table in ("incidents", "incident_comments"):
        op.create_index(f"ix_{table}_words", table, ["words"], postgresql_using="gin")
    op.create_index(
        "ix_incidents_tags",
        "incidents",
        ["tags"],
        postgresql_using="gin",
        postgresql_where=sa.text("tags <> '{}'"),
    )
    op.create_index(
        "ix_incidents_deleted",
        "incidents",
        ["id"],
        postgresql_where=sa.text("deleted_at IS NOT NULL"),
    )
    op.create_index(
        "ix_incidents_drills", "incidents", ["id"], postgresql_where=sa.text("is_drill")
    )
    for column in ("integration_id", "source", "created_at", "updated_at", "severity_rank"):
        op.create_index(f"ix_incidents_{column}_id", "incidents", [column, "id"])
    op.drop_index("ix_incidents_severity_id", table_name="incidents")
    op.create_index("ix_alerts_received_at_id", "alerts", ["received_at", "id"])


def downgrade() -> None:
    op.drop_index("ix_alerts_received_at_id", table_name="alerts")
    op.create_index("ix_incidents_severity_id", "incidents", ["severity", "id"])
    for column in ("integration_id", "source", "created_at", "updated_at", "severity_rank"):
        op.drop_index(f"ix_incidents_{column}_id", table_name="incidents")
    for name in ("drills", "deleted", "tags"):
        op.drop_index(f"ix_incidents_{name}", table_name="incidents")
    for table in ("incidents", "incident_comments"):
        op.drop_index(f"ix_{table}_words", table_name=table)
        op.drop_column(table, "words")
    op.drop_column("incidents", "severity_rank")
