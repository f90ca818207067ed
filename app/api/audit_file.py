"""The audit log as one CSV file, written as it is read."""

from collections.abc import AsyncIterator

from fastapi.responses import StreamingResponse

from app.api import csv_rows
from app.crud import crud_audit_log
from app.crud.crud_audit_log import AuditFilter
from app.db.session import Database
from app.models import AuditEntry
from app.schemas.audit_log import AuditEntryRead

AT_ONCE = 500  # rows in memory while a file is written
COLUMNS = tuple(AuditEntryRead.model_fields)


async def export(database: Database, where: AuditFilter) -> StreamingResponse:
    """All entries that match, newest first, however many."""
    rows = _rows(database, where)
    first = await anext(rows)  # what fails at once fails as any request does
    return StreamingResponse(
        _whole(first, rows),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="audit-log.csv"'},
    )


async def _whole(first: str, rest: AsyncIterator[str]) -> AsyncIterator[str]:
    yield first
    async for part in rest:
        yield part


async def _rows(database: Database, where: AuditFilter) -> AsyncIterator[str]:
    """The file in parts. No transaction stays open while the reader takes its time."""
    head = csv_rows.lines([COLUMNS])
    reached: int | None = None
    while True:
        async with database.reading() as session:
            found = await crud_audit_log.before(session, where, reached, limit=AT_ONCE)
        yield head + csv_rows.lines(_cells(entry) for entry in found)
        if len(found) < AT_ONCE:
            return
        head, reached = "", found[-1].id


def _cells(entry: AuditEntry) -> list[object]:
    shown = AuditEntryRead.model_validate(entry).model_dump(mode="json")
    return [shown[name] for name in COLUMNS]
