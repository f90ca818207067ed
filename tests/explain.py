"""How PostgreSQL means to run the statements that a test makes the service send."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import event

from app.db.session import Database


@asynccontextmanager
async def plans_of(database: Database, part: str) -> AsyncIterator[list[str]]:
    """The plans, once the block is over, of all statements sent in it that contain `part`."""
    sent: list[tuple[str, Any]] = []

    def note(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        if part in statement:
            sent.append((statement, parameters))

    plans: list[str] = []
    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    try:
        yield plans
    finally:
        event.remove(database.engine.sync_engine, "before_cursor_execute", note)
    async with database.engine.connect() as connection:
        for statement, parameters in sent:
            rows = await connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
            plans.append("\n".join(row[0] for row in rows))
