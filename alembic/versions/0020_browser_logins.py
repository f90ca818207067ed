"""Logins of browsers.

Revision: 0020
Follows: 0019
"""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0020"
down_revision: str | Sequence[str] | None = "0019"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("login_sessions", sa.Column("cookie_hash", sa.String(64)))
    op.create_unique_constraint(
        op.f("uq_login_sessions_cookie_hash"), "login_sessions", ["cookie_hash"]
    )


def downgrade() -> None:
    op.drop_constraint(op.f("uq_login_sessions_cookie_hash"), "login_sessions")
    op.drop_column("login_sessions", "cookie_hash")
