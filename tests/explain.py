"""How PostgreSQL means to run the statements that a test makes the service send."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from sqlalchemy import event

from app.db.session import Database


@asynccontextmanager
async def _sent(database: Database, part: str) -> AsyncIterator[list[tuple[str, Any]]]:
    sent: list[tuple[str, Any]] = []

    def note(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        if part in statement:
            sent.append((statement, parameters))

    ask = database.ask

    async def ask_noted(question: str, *values: object) -> Any:
        note(None, None, question, values)
        return await ask(question, *values)

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    database.ask = ask_noted  # type: ignore[method-assign]
    try:
        yield sent
    finally:
        database.ask = ask  # type: ignore[method-assign]
        event.remove(database.engine.sync_engine, "before_cursor_execute", note)


@asynccontextmanager
async def plans_of(database: Database, part: str) -> AsyncIterator[list[str]]:
    """The plans, once the block is over, of all statements sent in it that contain `part`."""
    async with _sent(database, part) as sent:
        plans: list[str] = []
        yield plans
    async with database.engine.connect() as connection:
        for statement, parameters in sent:
            rows = await connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
            plans.append("\n".join(row[0] for row in rows))


@asynccontextmanager
async def blocks_of(database: Database, part: str) -> AsyncIterator[list[int]]:
    """How many blocks, once the block is over, each statement that contains `part` looked at."""
    async with _sent(database, part) as sent:
        counted: list[int] = []
        yield counted
    options = "ANALYZE, BUFFERS, TIMING OFF, SUMMARY OFF, FORMAT JSON"
    async with database.engine.connect() as connection:
        for statement, parameters in sent:
            explained = f"EXPLAIN ({options}) {statement}"
            rows = (await connection.exec_driver_sql(explained, parameters)).all()
            plan = rows[0][0][0]["Plan"]
            counted.append(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


def without_count(plan: str) -> str:
    """The plan of a page alone; what counts the whole list stands in it, beside."""
    return re.sub(r"\n( *)InitPlan \d+[^\n]*\n(?:\1 .*\n)+", "\n", plan)


@contextmanager
def counted_statements(database: Database) -> Iterator[list[str]]:
    """Every statement that is sent in the block."""
    sent: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        sent.append(statement)

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(database.engine.sync_engine, "before_cursor_execute", note)
