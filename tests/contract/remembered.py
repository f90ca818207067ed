"""What a world holds, kept beside its database and put back for each run.

To make some of everything through the API takes seconds, and there is a run for every operation
and role; to put the same rows back takes a moment.
"""

from dataclasses import dataclass
from io import BytesIO
from typing import Self

import asyncpg

from app.db.base import metadata
from tests.conftest import plain
from tests.contract.peopled import FAR_KEY, keys_from
from tests.kept import DELETE_ALL

# The service writes down by itself that it listens for pings, at any moment.
OF_THE_SERVICE = {"heartbeat_listening"}


@dataclass(frozen=True)
class Remembered:
    """The rows of every table, as PostgreSQL copies them."""

    rows: dict[str, bytes]

    @classmethod
    async def of(cls, database_url: str) -> Self:
        """All that is in the database now."""
        connection = await asyncpg.connect(plain(database_url))
        try:
            rows = {}
            for table, columns in _written():
                kept = BytesIO()
                await connection.copy_from_table(
                    table, columns=columns, output=kept, format="binary"
                )
                rows[table] = kept.getvalue()
            return cls(rows)
        finally:
            await connection.close()

    async def put_back(self, database_url: str) -> None:
        """Leave just these rows, and far keys for what is to come."""
        connection = await asyncpg.connect(plain(database_url))
        try:
            await connection.execute(DELETE_ALL)
            async with connection.transaction():
                # They were checked when they were made; no trigger is to make more of them.
                await connection.execute("SET LOCAL session_replication_role = replica")
                for table, columns in _written():
                    await connection.copy_to_table(
                        table, columns=columns, source=BytesIO(self.rows[table]), format="binary"
                    )
        finally:
            await connection.close()
        await keys_from(database_url, 2 * FAR_KEY)


def _written() -> list[tuple[str, list[str]]]:
    """Every table that requests fill, and those of its columns that are not computed."""
    return [
        (table.name, [column.name for column in table.columns if column.computed is None])
        for table in metadata.sorted_tables
        if table.name not in OF_THE_SERVICE
    ]
