"""Files of subscribers that are downloaded, in JSON's doors and in the console's.

However many rows: a file is written as it is read, and no transaction stays open while the reader
takes its time.
"""

from collections.abc import AsyncIterator

from fastapi.responses import StreamingResponse

from app.api import csv_rows
from app.crud import crud_subscriber, crud_subscriber_import
from app.db.session import Database
from app.services import subscriber_import as import_service
from app.services import subscriber_shown

AT_ONCE = 500  # rows in memory
SUBSCRIBERS = (
    "address",
    "channel",
    "frequency",
    "components",
    "state",
    "created_at",
    "confirmed_at",
)
REPORT = ("line", "reason", "address", "channel", "frequency", "components")


async def export(database: Database) -> StreamingResponse:
    """All subscribers, the newest first."""
    return await _file("subscribers.csv", _subscribers(database))


async def report(database: Database, import_id: int) -> StreamingResponse:
    """The lines of a file that were refused."""
    return await _file(f"subscriber-import-{import_id}.csv", _refused(database, import_id))


async def _file(name: str, parts: AsyncIterator[str]) -> StreamingResponse:
    first = await anext(parts)  # what fails at once fails as any request does
    return StreamingResponse(
        _whole(first, parts),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


async def _whole(first: str, rest: AsyncIterator[str]) -> AsyncIterator[str]:
    yield first
    async for part in rest:
        yield part


async def _subscribers(database: Database) -> AsyncIterator[str]:
    head = csv_rows.lines([SUBSCRIBERS])
    reached: int | None = None
    while True:
        async with database.reading() as session:
            found = await crud_subscriber.before(session, reached, limit=AT_ONCE)
            shown = await subscriber_shown.rows(session, found, is_whole=True)
        yield head + csv_rows.lines(subscriber_shown.csv_cells(shown))
        if len(found) < AT_ONCE:
            return
        head, reached = "", found[-1].id


async def _refused(database: Database, import_id: int) -> AsyncIterator[str]:
    head, reached = csv_rows.lines([REPORT]), 0
    while True:
        async with database.reading() as session:
            found = await crud_subscriber_import.refused(
                session, import_id, after=reached, limit=AT_ONCE
            )
        yield head + csv_rows.lines(import_service.report_cells(found))
        if len(found) < AT_ONCE:
            return
        head, reached = "", found[-1].number
