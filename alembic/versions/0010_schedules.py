"""Schedules, and what people change about them.

Revision: 0010
Follows: 0009
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0010"
down_revision: str | Sequence[str] | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table('schedules',
    sa.Column('name', sa.String(length=255), nullable=False),
    sa.Column('description', sa.Text(), nullable=True),
    sa.Column('team_id', sa.BigInteger(), nullable=True),
    sa.Column('time_zone', sa.String(length=64), nullable=False),
    sa.Column('layers', postgresql.JSONB(astext_type=sa.Text()), server_default='[]', nullable=False),
    sa.Column('holidays', postgresql.JSONB(astext_type=sa.Text()), server_default='[]', nullable=False),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('revision', sa.BigInteger(), server_default='1', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("jsonb_typeof(holidays) = 'array'", name=op.f('ck_schedules_holidays_list')),
    sa.CheckConstraint("jsonb_typeof(layers) = 'array'", name=op.f('ck_schedules_layers_list')),
    sa.ForeignKeyConstraint(['team_id'], ['teams.id'], name=op.f('fk_schedules_team_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_schedules'))
    )
    op.create_index(op.f('ix_schedules_team_id'), 'schedules', ['team_id'], unique=False)
    op.create_index('ix_schedules_layers', 'schedules', ['layers'], unique=False, postgresql_using='gin', postgresql_ops={'layers': 'jsonb_path_ops'})
    op.create_index('uq_schedules_name', 'schedules', ['name'], unique=True, postgresql_where=sa.text('deleted_at IS NULL'))
    op.create_table('schedule_versions',
    sa.Column('schedule_id', sa.BigInteger(), nullable=False),
    sa.Column('number', sa.BigInteger(), nullable=False),
    sa.Column('name', sa.String(length=255), nullable=False),
    sa.Column('time_zone', sa.String(length=64), nullable=False),
    sa.Column('layers', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('holidays', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('known_from', sa.DateTime(timezone=True), nullable=False),
    sa.Column('known_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('changed_by', sa.BigInteger(), nullable=True),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.CheckConstraint('known_until > known_from', name=op.f('ck_schedule_versions_known_for_a_while')),
    sa.ForeignKeyConstraint(['changed_by'], ['users.id'], name=op.f('fk_schedule_versions_changed_by')),
    sa.ForeignKeyConstraint(['schedule_id'], ['schedules.id'], name=op.f('fk_schedule_versions_schedule_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_schedule_versions')),
    sa.UniqueConstraint('schedule_id', 'number', name=op.f('uq_schedule_versions_schedule_id_number'))
    )
    op.create_index(op.f('ix_schedule_versions_changed_by'), 'schedule_versions', ['changed_by'], unique=False)
    op.create_index(op.f('ix_schedule_versions_schedule_id_known_from'), 'schedule_versions', ['schedule_id', 'known_from'], unique=False)
    op.create_index('uq_schedule_versions_current', 'schedule_versions', ['schedule_id'], unique=True, postgresql_where=sa.text('known_until IS NULL'))
    op.create_table('schedule_overrides',
    sa.Column('schedule_id', sa.BigInteger(), nullable=False),
    sa.Column('starts_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ends_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('user_id', sa.BigInteger(), nullable=False),
    sa.Column('replaces', sa.BigInteger(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('created_by', sa.BigInteger(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('removed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('removed_by', sa.BigInteger(), nullable=True),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.CheckConstraint('ends_at > starts_at', name=op.f('ck_schedule_overrides_lasts')),
    sa.CheckConstraint('removed_at IS NOT NULL OR removed_by IS NULL', name=op.f('ck_schedule_overrides_removed')),
    sa.CheckConstraint('replaces <> user_id', name=op.f('ck_schedule_overrides_replaces_another')),
    sa.CheckConstraint('starts_at >= created_at', name=op.f('ck_schedule_overrides_changes_no_past')),
    sa.ForeignKeyConstraint(['created_by'], ['users.id'], name=op.f('fk_schedule_overrides_created_by')),
    sa.ForeignKeyConstraint(['removed_by'], ['users.id'], name=op.f('fk_schedule_overrides_removed_by')),
    sa.ForeignKeyConstraint(['replaces'], ['users.id'], name=op.f('fk_schedule_overrides_replaces')),
    sa.ForeignKeyConstraint(['schedule_id'], ['schedules.id'], name=op.f('fk_schedule_overrides_schedule_id')),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_schedule_overrides_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_schedule_overrides'))
    )
    op.create_index(op.f('ix_schedule_overrides_created_by'), 'schedule_overrides', ['created_by'], unique=False)
    op.create_index(op.f('ix_schedule_overrides_removed_by'), 'schedule_overrides', ['removed_by'], unique=False)
    op.create_index(op.f('ix_schedule_overrides_replaces'), 'schedule_overrides', ['replaces'], unique=False)
    op.create_index(op.f('ix_schedule_overrides_schedule_id_ends_at'), 'schedule_overrides', ['schedule_id', 'ends_at'], unique=False)
    op.create_index(op.f('ix_schedule_overrides_user_id_ends_at'), 'schedule_overrides', ['user_id', 'ends_at'], unique=False)
    op.create_table('temporary_schedules',
    sa.Column('schedule_id', sa.BigInteger(), nullable=False),
    sa.Column('starts_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ends_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('layers', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('created_by', sa.BigInteger(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('removed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('removed_by', sa.BigInteger(), nullable=True),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.CheckConstraint("jsonb_typeof(layers) = 'array'", name=op.f('ck_temporary_schedules_layers_list')),
    sa.CheckConstraint('ends_at > starts_at', name=op.f('ck_temporary_schedules_lasts')),
    sa.CheckConstraint('removed_at IS NOT NULL OR removed_by IS NULL', name=op.f('ck_temporary_schedules_removed')),
    sa.CheckConstraint('starts_at >= created_at', name=op.f('ck_temporary_schedules_changes_no_past')),
    sa.ForeignKeyConstraint(['created_by'], ['users.id'], name=op.f('fk_temporary_schedules_created_by')),
    sa.ForeignKeyConstraint(['removed_by'], ['users.id'], name=op.f('fk_temporary_schedules_removed_by')),
    sa.ForeignKeyConstraint(['schedule_id'], ['schedules.id'], name=op.f('fk_temporary_schedules_schedule_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_temporary_schedules'))
    )
    op.create_index(op.f('ix_temporary_schedules_created_by'), 'temporary_schedules', ['created_by'], unique=False)
    op.create_index(op.f('ix_temporary_schedules_removed_by'), 'temporary_schedules', ['removed_by'], unique=False)
    op.create_index(op.f('ix_temporary_schedules_schedule_id_ends_at'), 'temporary_schedules', ['schedule_id', 'ends_at'], unique=False)
    op.create_foreign_key(
        op.f("fk_services_schedule_id"), "services", "schedules", ["schedule_id"], ["id"]
    )


def downgrade() -> None:
    op.drop_constraint(op.f("fk_services_schedule_id"), "services", type_="foreignkey")
    op.drop_table('temporary_schedules')
    op.drop_table('schedule_overrides')
    op.drop_table('schedule_versions')
    op.drop_table('schedules')
