"""How an incident is declared that has been before.

Revision: 0021
Follows: 0020
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0021"
down_revision: str | Sequence[str] | None = "0020"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    now = sa.text("now()")
    op.create_table(
        "incident_templates",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("title", sa.String(length=255), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("severity", sa.String(length=50), nullable=False),
        sa.Column("service", sa.String(length=100), nullable=True),
        sa.Column("tags", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("checklist", sa.Text(), nullable=True),
        sa.Column("public_text", sa.Text(), nullable=True),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
        sa.Column("revision", sa.BigInteger(), server_default="1", nullable=False),
        sa.CheckConstraint("name <> '' AND title <> ''", name=op.f("ck_incident_templates_named")),
        sa.CheckConstraint(
            "severity IN ('critical', 'high', 'medium', 'low')",
            name=op.f("ck_incident_templates_severity_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_templates")),
    )
    op.create_index(
        "uq_incident_templates_name_folded",
        "incident_templates",
        [sa.text("lower(name)")],
        unique=True,
    )
    op.create_table(
        "incident_template_uses",
        sa.Column("incident_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("template_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name=op.f("fk_incident_template_uses_incident_id")
        ),
        sa.ForeignKeyConstraint(
            ["template_id"],
            ["incident_templates.id"],
            name=op.f("fk_incident_template_uses_template_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("incident_id", name=op.f("pk_incident_template_uses")),
    )
    op.create_index(
        op.f("ix_incident_template_uses_template_id"), "incident_template_uses", ["template_id"]
    )


def downgrade() -> None:
    op.drop_table("incident_template_uses")
    op.drop_table("incident_templates")
