"""What the public was told, drafts of it, what it said before, and notices to subscribers.

Whoever writes any of it holds the page's row.
"""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute

from app.crud import base
from app.db.session import ReadSession, WriteSession
from app.models import PublicNotice, PublicUpdate, PublicUpdateVersion, User


@dataclass(frozen=True)
class About:
    """What an update is about: one incident, or one maintenance."""

    public_incident_id: int | None = None
    public_maintenance_id: int | None = None


async def get(session: ReadSession, update_id: int) -> PublicUpdate | None:
    return await base.get(session, PublicUpdate, update_id)


async def lock(session: WriteSession, update_id: int) -> PublicUpdate | None:
    """The update, held until commit."""
    return await base.lock(session, PublicUpdate, update_id)


async def add(session: WriteSession, update: PublicUpdate) -> PublicUpdate:
    return await base.add(session, update)


async def remove(session: WriteSession, update: PublicUpdate) -> None:
    await base.delete(session, update)


async def list_page(
    session: ReadSession, about: About, wanted: base.Window
) -> base.Slice[PublicUpdate]:
    """Drafts and what was withdrawn among them, newest first."""
    statement = select(PublicUpdate).where(
        PublicUpdate.public_incident_id == about.public_incident_id
        if about.public_incident_id is not None
        else PublicUpdate.public_maintenance_id == about.public_maintenance_id
    )
    return await base.window(session, statement, PublicUpdate.id, wanted)


@dataclass(frozen=True)
class Posted:
    """An update that the public sees, and who wrote it."""

    update: PublicUpdate
    author: str | None


async def posted_of_incidents(
    session: ReadSession, ids: Collection[int]
) -> dict[int, list[Posted]]:
    """What was told of each of these incidents, newest first."""
    return await _posted(session, PublicUpdate.public_incident_id, ids)


async def posted_of_maintenances(
    session: ReadSession, ids: Collection[int]
) -> dict[int, list[Posted]]:
    """What was told of each of these maintenances, newest first."""
    return await _posted(session, PublicUpdate.public_maintenance_id, ids)


async def _posted(
    session: ReadSession, about: InstrumentedAttribute[int | None], ids: Collection[int]
) -> dict[int, list[Posted]]:
    statement = (
        select(about, PublicUpdate, User.full_name)
        .outerjoin(User, User.id == PublicUpdate.author_id)
        .where(
            about.in_(ids),
            PublicUpdate.posted_at.is_not(None),
            PublicUpdate.withdrawn_at.is_(None),
        )
        .order_by(PublicUpdate.posted_at.desc(), PublicUpdate.id.desc())
    )
    found: dict[int, list[Posted]] = {key: [] for key in ids}
    for key, update, author in (await session.execute(statement)).tuples():
        if key is not None:
            found[key].append(Posted(update, author))
    return found


# --- What they said before --------------------------------------------------------------


async def add_version(session: WriteSession, version: PublicUpdateVersion) -> None:
    """Keep what an update said; it is given the next number."""
    last = select(func.max(PublicUpdateVersion.number)).where(
        PublicUpdateVersion.public_update_id == version.public_update_id
    )
    version.number = (await session.scalar(last) or 0) + 1
    await base.add(session, version)


async def versions(
    session: ReadSession, update_id: int, wanted: base.Window
) -> base.Slice[PublicUpdateVersion]:
    """What it said before, the first version first."""
    statement = select(PublicUpdateVersion).where(PublicUpdateVersion.public_update_id == update_id)
    return await base.window(session, statement, PublicUpdateVersion.id, wanted, descending=False)


# --- Notices to subscribers -------------------------------------------------------------


async def add_notice(session: WriteSession, notice: PublicNotice) -> PublicNotice:
    return await base.add(session, notice)
