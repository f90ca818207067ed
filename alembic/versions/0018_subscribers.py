"""Who of the public wants to be told, and what they were.

Revision: 0018
Follows: 0017
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0018"
down_revision: str | Sequence[str] | None = "0017"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table('subscriber_imports',
    sa.Column('name', sa.String(length=255), nullable=False),
    sa.Column('state', sa.String(length=50), server_default='running', nullable=False),
    sa.Column('have_agreed', sa.Boolean(), nullable=False),
    sa.Column('lines', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('taken', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('added', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('known', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('refused', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('created_by', sa.BigInteger(), nullable=True),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("(state = 'running') = (finished_at IS NULL)", name=op.f('ck_subscriber_imports_finished_at')),
    sa.CheckConstraint("state IN ('running', 'finished')", name=op.f('ck_subscriber_imports_state_known')),
    sa.CheckConstraint('added + known + refused = taken', name=op.f('ck_subscriber_imports_counted_whole')),
    sa.CheckConstraint('taken <= lines', name=op.f('ck_subscriber_imports_taken_of_lines')),
    sa.ForeignKeyConstraint(['created_by'], ['users.id'], name=op.f('fk_subscriber_imports_created_by')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_subscriber_imports'))
    )
    op.create_index(op.f('ix_subscriber_imports_created_by'), 'subscriber_imports', ['created_by'], unique=False)
    op.create_index('ix_subscriber_imports_finished_at', 'subscriber_imports', ['finished_at'], unique=False, postgresql_where=sa.text('finished_at IS NOT NULL'))
    op.create_index('ix_subscriber_imports_running', 'subscriber_imports', ['id'], unique=False, postgresql_where=sa.text("state = 'running'"))
    op.create_table('subscribers',
    sa.Column('channel', sa.String(length=50), nullable=False),
    sa.Column('address', sa.String(length=2000), nullable=False),
    sa.Column('address_hash', sa.String(length=64), nullable=False),
    sa.Column('secret', sa.LargeBinary(), nullable=True),
    sa.Column('link_number', sa.BigInteger(), nullable=False),
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('state', sa.String(length=50), server_default='pending', nullable=False),
    sa.Column('frequency', sa.String(length=50), server_default='immediate', nullable=False),
    sa.Column('is_for_everything', sa.Boolean(), server_default=sa.text('true'), nullable=False),
    sa.Column('asked_for', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('origin', sa.String(length=50), nullable=False),
    sa.Column('created_by', sa.BigInteger(), nullable=True),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('confirmed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('unsubscribed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('bounced_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('bounce_reason', sa.Text(), nullable=True),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('revision', sa.BigInteger(), server_default='1', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("(channel IN ('webhook', 'chat')) = (secret IS NOT NULL)", name=op.f('ck_subscribers_sealed')),
    sa.CheckConstraint("(state = 'bouncing') = (bounced_at IS NOT NULL) AND (bounced_at IS NULL) = (bounce_reason IS NULL)", name=op.f('ck_subscribers_bounced_says_why')),
    sa.CheckConstraint("(state = 'unsubscribed') = (unsubscribed_at IS NOT NULL)", name=op.f('ck_subscribers_unsubscribed_at')),
    sa.CheckConstraint("address <> ''", name=op.f('ck_subscribers_address_given')),
    sa.CheckConstraint("channel IN ('email', 'webhook', 'chat', 'sms')", name=op.f('ck_subscribers_channel_known')),
    sa.CheckConstraint("frequency IN ('immediate', 'daily')", name=op.f('ck_subscribers_frequency_known')),
    sa.CheckConstraint("origin IN ('public', 'admin', 'import')", name=op.f('ck_subscribers_origin_known')),
    sa.CheckConstraint("state <> 'active' OR confirmed_at IS NOT NULL", name=op.f('ck_subscribers_active_confirmed')),
    sa.CheckConstraint("state IN ('pending', 'active', 'unsubscribed', 'bouncing')", name=op.f('ck_subscribers_state_known')),
    sa.ForeignKeyConstraint(['created_by'], ['users.id'], name=op.f('fk_subscribers_created_by')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_subscribers')),
    sa.UniqueConstraint('address_hash', name=op.f('uq_subscribers_address_hash')),
    sa.UniqueConstraint('link_number', name=op.f('uq_subscribers_link_number')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_subscribers_token_hash'))
    )
    op.create_index(op.f('ix_subscribers_channel_id'), 'subscribers', ['channel', 'id'], unique=False)
    op.create_index(op.f('ix_subscribers_created_by'), 'subscribers', ['created_by'], unique=False)
    op.create_index(op.f('ix_subscribers_state_id'), 'subscribers', ['state', 'id'], unique=False)
    op.create_index('ix_subscribers_unconfirmed', 'subscribers', ['asked_at'], unique=False, postgresql_where=sa.text("state = 'pending'"))
    op.create_index('ix_subscribers_unsubscribed_at', 'subscribers', ['unsubscribed_at'], unique=False, postgresql_where=sa.text('unsubscribed_at IS NOT NULL'))
    op.create_table('subscriber_import_lines',
    sa.Column('import_id', sa.BigInteger(), nullable=False),
    sa.Column('number', sa.BigInteger(), nullable=False),
    sa.Column('given', sa.Text(), nullable=False),
    sa.Column('outcome', sa.String(length=50), server_default='waiting', nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.CheckConstraint("(outcome = 'refused') = (reason IS NOT NULL)", name=op.f('ck_subscriber_import_lines_refused_says_why')),
    sa.CheckConstraint("outcome IN ('waiting', 'added', 'known', 'refused')", name=op.f('ck_subscriber_import_lines_outcome_known')),
    sa.ForeignKeyConstraint(['import_id'], ['subscriber_imports.id'], name=op.f('fk_subscriber_import_lines_import_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_subscriber_import_lines')),
    sa.UniqueConstraint('import_id', 'number', name=op.f('uq_subscriber_import_lines_import_id_number'))
    )
    op.create_index('ix_subscriber_import_lines_refused', 'subscriber_import_lines', ['import_id', 'number'], unique=False, postgresql_where=sa.text("outcome = 'refused'"))
    op.create_index('ix_subscriber_import_lines_waiting', 'subscriber_import_lines', ['import_id', 'number'], unique=False, postgresql_where=sa.text("outcome = 'waiting'"))
    op.create_table('subscriber_scopes',
    sa.Column('subscriber_id', sa.BigInteger(), nullable=False),
    sa.Column('component_id', sa.BigInteger(), nullable=True),
    sa.Column('group_id', sa.BigInteger(), nullable=True),
    sa.Column('public_incident_id', sa.BigInteger(), nullable=True),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.CheckConstraint('num_nonnulls(component_id, group_id, public_incident_id) = 1', name=op.f('ck_subscriber_scopes_one_thing')),
    sa.ForeignKeyConstraint(['component_id'], ['status_components.id'], name=op.f('fk_subscriber_scopes_component_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['group_id'], ['component_groups.id'], name=op.f('fk_subscriber_scopes_group_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['public_incident_id'], ['public_incidents.id'], name=op.f('fk_subscriber_scopes_public_incident_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['subscriber_id'], ['subscribers.id'], name=op.f('fk_subscriber_scopes_subscriber_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_subscriber_scopes')),
    sa.UniqueConstraint('subscriber_id', 'component_id', name=op.f('uq_subscriber_scopes_subscriber_id_component_id')),
    sa.UniqueConstraint('subscriber_id', 'group_id', name=op.f('uq_subscriber_scopes_subscriber_id_group_id')),
    sa.UniqueConstraint('subscriber_id', 'public_incident_id', name=op.f('uq_subscriber_scopes_subscriber_id_public_incident_id'))
    )
    op.create_index(op.f('ix_subscriber_scopes_component_id'), 'subscriber_scopes', ['component_id'], unique=False)
    op.create_index(op.f('ix_subscriber_scopes_group_id'), 'subscriber_scopes', ['group_id'], unique=False)
    op.create_index(op.f('ix_subscriber_scopes_public_incident_id'), 'subscriber_scopes', ['public_incident_id'], unique=False)
    op.create_table('subscriber_deliveries',
    sa.Column('uid', sa.Uuid(), server_default=sa.text('gen_random_uuid()'), nullable=False),
    sa.Column('subscriber_id', sa.BigInteger(), nullable=False),
    sa.Column('channel', sa.String(length=50), nullable=False),
    sa.Column('kind', sa.String(length=50), nullable=False),
    sa.Column('notice_id', sa.BigInteger(), nullable=True),
    sa.Column('digest_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('digest_id', sa.BigInteger(), nullable=True),
    sa.Column('status', sa.String(length=50), server_default='pending', nullable=False),
    sa.Column('ready_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('claimed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('settled_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('attempts', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('attempts_before', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('is_resend', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('last_error', sa.Text(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.CheckConstraint("(kind = 'digest') = (digest_at IS NOT NULL)", name=op.f('ck_subscriber_deliveries_digest_timed')),
    sa.CheckConstraint("(kind = 'notice') = (notice_id IS NOT NULL)", name=op.f('ck_subscriber_deliveries_notice_named')),
    sa.CheckConstraint("(status IN ('pending', 'sending') AND digest_id IS NULL) = (ready_at IS NOT NULL)", name=op.f('ck_subscriber_deliveries_waiting_is_ready')),
    sa.CheckConstraint("(status IN ('pending', 'sending')) = (settled_at IS NULL)", name=op.f('ck_subscriber_deliveries_settled_at')),
    sa.CheckConstraint("digest_id IS NULL OR kind = 'notice'", name=op.f('ck_subscriber_deliveries_digest_of_notices')),
    sa.CheckConstraint("kind IN ('notice', 'digest', 'confirmation')", name=op.f('ck_subscriber_deliveries_kind_known')),
    sa.CheckConstraint("status IN ('pending', 'sending', 'sent', 'failed', 'cancelled')", name=op.f('ck_subscriber_deliveries_status_known')),
    sa.CheckConstraint("status NOT IN ('failed', 'cancelled') OR last_error IS NOT NULL", name=op.f('ck_subscriber_deliveries_unsent_says_why')),
    sa.ForeignKeyConstraint(['digest_id'], ['subscriber_deliveries.id'], name=op.f('fk_subscriber_deliveries_digest_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['notice_id'], ['public_notices.id'], name=op.f('fk_subscriber_deliveries_notice_id')),
    sa.ForeignKeyConstraint(['subscriber_id'], ['subscribers.id'], name=op.f('fk_subscriber_deliveries_subscriber_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_subscriber_deliveries')),
    sa.UniqueConstraint('notice_id', 'subscriber_id', name=op.f('uq_subscriber_deliveries_notice_id_subscriber_id')),
    sa.UniqueConstraint('subscriber_id', 'digest_at', name=op.f('uq_subscriber_deliveries_subscriber_id_digest_at'))
    )
    op.create_index(op.f('ix_subscriber_deliveries_digest_id'), 'subscriber_deliveries', ['digest_id'], unique=False)
    op.create_index('ix_subscriber_deliveries_ready', 'subscriber_deliveries', ['channel', 'ready_at', 'id'], unique=False, postgresql_where=sa.text('ready_at IS NOT NULL'))
    op.create_index('ix_subscriber_deliveries_settled_at', 'subscriber_deliveries', ['settled_at'], unique=False, postgresql_where=sa.text('settled_at IS NOT NULL'))
    op.create_index(op.f('ix_subscriber_deliveries_status_id'), 'subscriber_deliveries', ['status', 'id'], unique=False)
    op.create_index(op.f('ix_subscriber_deliveries_subscriber_id_id'), 'subscriber_deliveries', ['subscriber_id', 'id'], unique=False)


def downgrade() -> None:
    op.drop_index(op.f('ix_subscriber_deliveries_subscriber_id_id'), table_name='subscriber_deliveries')
    op.drop_index(op.f('ix_subscriber_deliveries_status_id'), table_name='subscriber_deliveries')
    op.drop_index('ix_subscriber_deliveries_settled_at', table_name='subscriber_deliveries', postgresql_where=sa.text('settled_at IS NOT NULL'))
    op.drop_index('ix_subscriber_deliveries_ready', table_name='subscriber_deliveries', postgresql_where=sa.text('ready_at IS NOT NULL'))
    op.drop_index(op.f('ix_subscriber_deliveries_digest_id'), table_name='subscriber_deliveries')
    op.drop_table('subscriber_deliveries')
    op.drop_index(op.f('ix_subscriber_scopes_public_incident_id'), table_name='subscriber_scopes')
    op.drop_index(op.f('ix_subscriber_scopes_group_id'), table_name='subscriber_scopes')
    op.drop_index(op.f('ix_subscriber_scopes_component_id'), table_name='subscriber_scopes')
    op.drop_table('subscriber_scopes')
    op.drop_index('ix_subscriber_import_lines_waiting', table_name='subscriber_import_lines', postgresql_where=sa.text("outcome = 'waiting'"))
    op.drop_index('ix_subscriber_import_lines_refused', table_name='subscriber_import_lines', postgresql_where=sa.text("outcome = 'refused'"))
    op.drop_table('subscriber_import_lines')
    op.drop_index('ix_subscribers_unsubscribed_at', table_name='subscribers', postgresql_where=sa.text('unsubscribed_at IS NOT NULL'))
    op.drop_index('ix_subscribers_unconfirmed', table_name='subscribers', postgresql_where=sa.text("state = 'pending'"))
    op.drop_index(op.f('ix_subscribers_state_id'), table_name='subscribers')
    op.drop_index(op.f('ix_subscribers_created_by'), table_name='subscribers')
    op.drop_index(op.f('ix_subscribers_channel_id'), table_name='subscribers')
    op.drop_table('subscribers')
    op.drop_index('ix_subscriber_imports_running', table_name='subscriber_imports', postgresql_where=sa.text("state = 'running'"))
    op.drop_index('ix_subscriber_imports_finished_at', table_name='subscriber_imports', postgresql_where=sa.text('finished_at IS NOT NULL'))
    op.drop_index(op.f('ix_subscriber_imports_created_by'), table_name='subscriber_imports')
    op.drop_table('subscriber_imports')
