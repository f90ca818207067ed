"""Whose turn it is, and rules for one urgency.

Revision: 0013
Follows: 0012
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0013"
down_revision: str | Sequence[str] | None = "0012"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "round_robins",
        sa.Column("ring", sa.String(length=1200), nullable=False),
        sa.Column("last_user_id", sa.BigInteger(), nullable=True),
        sa.Column("turns", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["last_user_id"], ["users.id"], name=op.f("fk_round_robins_last_user_id")
        ),
        sa.PrimaryKeyConstraint("ring", name=op.f("pk_round_robins")),
    )
    op.create_index(
        op.f("ix_round_robins_last_user_id"), "round_robins", ["last_user_id"], unique=False
    )
    op.add_column("notification_rules", sa.Column("urgency", sa.String(length=50), nullable=True))
    op.create_check_constraint(
        op.f("ck_notification_rules_urgency_known"),
        "notification_rules",
        "urgency IN ('high', 'low')",
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_notification_rules_urgency_known"), "notification_rules")
    op.drop_column("notification_rules", "urgency")
    op.drop_index(op.f("ix_round_robins_last_user_id"), table_name="round_robins")
    op.drop_table("round_robins")
