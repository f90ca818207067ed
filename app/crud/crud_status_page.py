"""The status page's one row: its settings, and the lock of whatever the public sees."""

from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert

from app.crud import base
from app.db.session import ReadSession, WriteSession
from app.domain.status_page import USUAL_UPDATE_MINUTES
from app.models import StatusPage

ONLY = 1  # the key of the one row
_NEVER = datetime(2000, 1, 1, tzinfo=UTC)


async def get(session: ReadSession) -> StatusPage:
    """The page; as it is at first where nobody has touched it."""
    found = await base.get(session, StatusPage, ONLY)
    return found if found is not None else _untouched()


async def lock(session: WriteSession) -> StatusPage:
    """The page, held until commit."""
    held = await base.lock(session, StatusPage, ONLY)
    if held is None:
        await session.execute(upsert(StatusPage).values(id=ONLY).on_conflict_do_nothing())
        held = await base.lock(session, StatusPage, ONLY)
    assert held is not None  # nobody deletes it
    return held


async def version(session: ReadSession) -> int:
    """How far the page has come."""
    return await session.scalar(select(StatusPage.version).where(StatusPage.id == ONLY)) or 0


def _untouched() -> StatusPage:
    return StatusPage(
        id=ONLY,
        name="Status",
        time_zone="UTC",
        shows_authors=False,
        update_minutes=dict(USUAL_UPDATE_MINUTES),
        version=0,
        revision=1,
        changed_at=_NEVER,
        created_at=_NEVER,
        updated_at=_NEVER,
    )
