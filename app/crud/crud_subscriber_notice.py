"""What subscribers are to hear of: the notices that wait, and the public text of each.

Nothing internal is read here (promise 7): titles, statuses and bodies are those of the public
tables, and an author's name is read only while the page shows its authors.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ARRAY, BigInteger, bindparam, select, text

from app.db.session import ReadSession, WriteSession
from app.domain.public_update import NoticeKind
from app.domain.subscriber_letter import News, PageSaid
from app.models import PublicNotice


async def lock_untold(session: WriteSession) -> PublicNotice | None:
    """The oldest notice that is not told to all yet and that nobody holds, held until commit."""
    statement = (
        select(PublicNotice)
        .where(PublicNotice.told_at.is_(None))
        .order_by(PublicNotice.id)
        .limit(1)
        .with_for_update(key_share=True, skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(statement)).one_or_none()


async def is_any_untold(session: ReadSession) -> bool:
    """Whether a notice waits, whoever holds it."""
    statement = select(PublicNotice.id).where(PublicNotice.told_at.is_(None)).limit(1)
    return (await session.scalars(statement)).one_or_none() is not None


_PAGE = text("SELECT name, url, time_zone FROM status_pages WHERE id = 1")


async def page(session: ReadSession) -> PageSaid:
    """What the page is called, where it is, and by which clock its days go."""
    found = (await session.execute(_PAGE)).one_or_none()
    return PageSaid() if found is None else PageSaid(*found)


_NEWS = text("""
    SELECT n.id, n.kind, n.created_at,
        coalesce(i.code, m.code) AS code,
        coalesce(i.title, m.title, c.name) AS title,
        coalesce(u.status, i.status, m.status, c.status) AS status,
        i.impact, i.started_at, m.scheduled_for, m.scheduled_until,
        CASE WHEN n.kind = 'postmortem_published' THEN p.public_summary ELSE u.body END AS body,
        CASE WHEN g.shows_authors THEN a.full_name END AS author,
        ARRAY(
            SELECT k.name FROM status_components k
            WHERE k.id = ANY(n.component_ids) AND k.deleted_at IS NULL ORDER BY k.position, k.id
        ) AS components,
        coalesce(i.withdrawn_at, m.withdrawn_at, u.withdrawn_at, c.deleted_at) IS NOT NULL
            OR n.kind = 'postmortem_published' AND p.id IS NULL AS is_withdrawn
    FROM public_notices n
    LEFT JOIN status_pages g ON g.id = 1
    LEFT JOIN public_incidents i ON i.id = n.public_incident_id
    LEFT JOIN public_maintenances m ON m.id = n.public_maintenance_id
    LEFT JOIN public_updates u ON u.id = n.public_update_id
    LEFT JOIN users a ON a.id = u.author_id
    LEFT JOIN status_components c ON c.id = n.component_id
    LEFT JOIN postmortems p ON p.incident_id = i.incident_id AND p.is_public
    WHERE n.id = ANY(:ids)
    ORDER BY n.id
""").bindparams(bindparam("ids", type_=ARRAY(BigInteger)))


@dataclass(frozen=True)
class Told:
    """A notice's text, and whether the public may still read it."""

    news: News
    is_withdrawn: bool


async def read(session: ReadSession, notice_ids: Collection[int]) -> dict[int, Told]:
    """What these notices say now: an edit counts, and so does a withdrawal."""
    found = (await session.execute(_NEWS, {"ids": sorted(notice_ids)})).mappings()
    told = {}
    for row in found:
        said = dict(row)
        is_withdrawn = said.pop("is_withdrawn")
        said["kind"] = NoticeKind(said["kind"])
        said["components"] = tuple(said["components"])
        told[said["id"]] = Told(News(**said), is_withdrawn)
    return told


async def mark_told(session: WriteSession, notice: PublicNotice, now: datetime) -> None:
    """Each subscriber's delivery is a row of its own by now."""
    notice.told_at = now
    await session.flush()


_COMPONENTS = text(
    "SELECT name, status FROM status_components WHERE deleted_at IS NULL ORDER BY position, id"
)
_IMPACTS = text(
    "SELECT impact FROM public_incidents WHERE resolved_at IS NULL AND withdrawn_at IS NULL"
)


async def how_it_stands(session: ReadSession) -> tuple[list[tuple[str, str]], list[str]]:
    """Every component with its status, and the impacts of the incidents that are not over."""
    components = [(name, status) for name, status in await session.execute(_COMPONENTS)]
    return components, list((await session.scalars(_IMPACTS)).all())
