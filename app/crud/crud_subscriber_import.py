"""Files of subscribers: kept line by line, and taken in so many lines at a time.

Whoever takes lines in holds the import's row, so that its counts say what is; another replica
takes another file.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ARRAY, BigInteger, String, bindparam, insert, select, text

from app.crud import base
from app.db.session import ReadSession, WriteSession
from app.domain.subscriber_import import ImportState, LineOutcome
from app.models import SubscriberImport, SubscriberImportLine


async def add(session: WriteSession, made: SubscriberImport) -> SubscriberImport:
    return await base.add(session, made)


async def add_lines(
    session: WriteSession, import_id: int, lines: Sequence[tuple[int, str]]
) -> None:
    """Keep these lines, each with its number, for the loop to take in."""
    if lines:
        rows = [{"import_id": import_id, "number": number, "given": one} for number, one in lines]
        await session.execute(insert(SubscriberImportLine), rows)


async def get(session: ReadSession, import_id: int) -> SubscriberImport | None:
    return await base.get(session, SubscriberImport, import_id)


async def list_page(session: ReadSession, wanted: base.Window) -> base.Slice[SubscriberImport]:
    """All files, the newest first."""
    return await base.window(session, select(SubscriberImport), SubscriberImport.id, wanted)


async def lock_running(session: WriteSession) -> SubscriberImport | None:
    """The oldest file that is not taken in whole and that nobody holds, held until commit."""
    statement = (
        select(SubscriberImport)
        .where(SubscriberImport.state == ImportState.RUNNING)
        .order_by(SubscriberImport.id)
        .limit(1)
        .with_for_update(key_share=True, skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(statement)).one_or_none()


async def is_any_running(session: ReadSession) -> bool:
    statement = (
        select(SubscriberImport.id).where(SubscriberImport.state == ImportState.RUNNING).limit(1)
    )
    return (await session.scalars(statement)).one_or_none() is not None


async def waiting(
    session: ReadSession, import_id: int, *, limit: int
) -> Sequence[SubscriberImportLine]:
    """The next lines of a file."""
    statement = (
        select(SubscriberImportLine)
        .where(
            SubscriberImportLine.import_id == import_id,
            SubscriberImportLine.outcome == LineOutcome.WAITING,
        )
        .order_by(SubscriberImportLine.number)
        .limit(limit)
    )
    return (await session.scalars(statement)).all()


@dataclass(frozen=True)
class Settled:
    """What became of a line."""

    id: int
    outcome: LineOutcome
    reason: str | None = None


# What was taken in is not kept twice; what was refused is, for the report.
_SETTLE = text("""
    UPDATE subscriber_import_lines l SET
        outcome = s.outcome, reason = s.reason,
        given = CASE s.outcome WHEN 'refused' THEN l.given ELSE '{}' END
    FROM unnest(:ids, :outcomes, :reasons) AS s(id, outcome, reason)
    WHERE l.id = s.id
""").bindparams(
    bindparam("ids", type_=ARRAY(BigInteger)),
    bindparam("outcomes", type_=ARRAY(String())),
    bindparam("reasons", type_=ARRAY(String())),
)


async def settle(session: WriteSession, settled: Sequence[Settled]) -> None:
    """Write down what became of these lines."""
    values = {
        "ids": [one.id for one in settled],
        "outcomes": [one.outcome.value for one in settled],
        "reasons": [one.reason for one in settled],
    }
    await session.execute(_SETTLE, values)


async def refused(
    session: ReadSession, import_id: int, *, after: int, limit: int
) -> Sequence[SubscriberImportLine]:
    """The lines that were refused, in the order of the file, from where a report has come to."""
    statement = (
        select(SubscriberImportLine)
        .where(
            SubscriberImportLine.import_id == import_id,
            SubscriberImportLine.outcome == LineOutcome.REFUSED,
            SubscriberImportLine.number > after,
        )
        .order_by(SubscriberImportLine.number)
        .limit(limit)
    )
    return (await session.scalars(statement)).all()


async def remove_over(session: WriteSession, *, before: datetime, limit: int) -> int:
    """Forget up to `limit` files that were taken in before then, and their lines; how many."""
    ended = SubscriberImport.finished_at
    return await base.remove_some(
        session, SubscriberImport.id, ended < before, limit=limit, order=ended
    )
