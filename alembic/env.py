"""How migrations run: on one connection, one at a time, and never waiting long for a lock.

The caller (`app.db.migrations`) passes the URL; from the command line it is DATABASE_URL.
"""

import asyncio
import os

from alembic import context
from sqlalchemy import Connection, pool, text
from sqlalchemy.ext.asyncio import create_async_engine

from app.db.base import metadata
from app.db.dial import Dialer

# A migration that cannot get its lock gives up instead of queueing every writer behind it.
GUARDS = ("SET lock_timeout = '5s'", "SET statement_timeout = '10min'")
ONE_AT_A_TIME = 7_236_180_451  # an advisory lock: replicas that start together take turns


def run_sync(connection: Connection) -> None:
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": ONE_AT_A_TIME})
    for guard in GUARDS:
        connection.execute(text(guard))
    connection.commit()
    try:
        context.configure(
            connection=connection,
            target_metadata=metadata,
            compare_server_default=True,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()
    finally:
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": ONE_AT_A_TIME})
        connection.commit()


async def run() -> None:
    url = context.config.attributes.get("url") or os.environ["DATABASE_URL"]
    # Of several servers the one that takes writes, even while another hangs.
    engine = create_async_engine(
        url, poolclass=pool.NullPool, connect_args={"async_creator_fn": Dialer(), "timeout": 10.0}
    )
    try:
        async with engine.connect() as connection:
            await connection.run_sync(run_sync)
    finally:
        await engine.dispose()


asyncio.run(run())
