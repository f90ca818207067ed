"""What the public reads of a postmortem: texts written for it, shown by choice, told of once.

Nothing but the public columns leaves by this door (promise 7). Only an incident that the public
knows of can have a postmortem that it reads; when that incident is taken back, so is this.
"""

from datetime import datetime

from app.core.errors import ConflictError, InvalidInputError, NotFoundError
from app.crud import crud_postmortem
from app.crud.crud_postmortem import PublicText
from app.db.session import ReadSession, WriteSession
from app.domain.event import EventType
from app.domain.postmortem import PostmortemAction
from app.domain.public_update import NoticeKind
from app.models import Postmortem, PublicIncident, PublicNotice, User
from app.schemas.event import PublicNews
from app.services import event as event_service
from app.services import postmortem as postmortem_service
from app.services import status_page as status_page_service


class IncidentNotPublicError(ConflictError):
    """The public does not know of the incident."""

    code = "INCIDENT_NOT_PUBLIC"


class PublicTextMissingError(InvalidInputError):
    """Nobody has written what the public shall read."""

    code = "PUBLIC_TEXT_MISSING"


async def publish(
    session: WriteSession,
    incident_id: int,
    *,
    is_public: bool,
    tell_subscribers: bool,
    by: User,
    now: datetime,
) -> Postmortem:
    """Publish it to everybody inside, and where it is wanted to the public."""
    publish = PostmortemAction.PUBLISH
    found = await postmortem_service.move(session, incident_id, publish, by=by, now=now)
    if not is_public or found.is_public:
        return found
    row = await postmortem_service.held(session, incident_id)
    await status_page_service.hold(session, now=now)
    known = await crud_postmortem.public_incident(session, incident_id)
    if known is None:
        raise IncidentNotPublicError(
            "The public does not know of this incident: publish the incident first, or publish"
            " the postmortem to people who log in only.",
            field="is_public",
        )
    if not row.public_summary:
        raise PublicTextMissingError(
            "Write what the public shall read: `public_summary` is empty.",
            field="public_summary",
            errors=[{"path": "public_summary", "message": "is empty"}],
        )
    row.is_public, row.public_at = True, row.public_at or now
    row.touch(now)
    await postmortem_service.keep_version(session, row, by=by, now=now)
    await _tell(session, row, known, tell_subscribers, now)
    return await postmortem_service.require(session, incident_id)


async def withdraw(
    session: WriteSession, incident_id: int, *, by: User, now: datetime
) -> Postmortem:
    """Take it back from the public; inside it stays as it is."""
    row = await postmortem_service.held(session, incident_id)
    if row.is_public:
        row.is_public = False
        row.touch(now)
        await status_page_service.hold(session, now=now)
        await postmortem_service.keep_version(session, row, by=by, now=now)
    return await postmortem_service.require(session, incident_id)


async def text(session: ReadSession, code: str) -> PublicText:
    """What the public reads about one of its incidents."""
    found = await crud_postmortem.public_text(session, code)
    if found is None:
        raise NotFoundError("postmortem", f"of {code}")
    return found


async def _tell(
    session: WriteSession, row: Postmortem, known: PublicIncident, tells: bool, now: datetime
) -> None:
    """Let the public know at once, and subscribers if they were not told of it before."""
    components = await crud_postmortem.components_of(session, known.id)
    news = PublicNews(
        type=EventType.POSTMORTEM_PUBLISHED,
        public_id=known.code,
        title=known.title,
        status=known.status,
        body=row.public_summary[:10_000],
        components=list(components.values())[:100],
    )
    await event_service.publish(session, news, now=now)
    if tells and row.subscribers_told_at is None:
        row.subscribers_told_at = now
        notice = PublicNotice(
            kind=NoticeKind.POSTMORTEM_PUBLISHED,
            public_incident_id=known.id,
            component_ids=list(components),
            created_at=now,
        )
        await crud_postmortem.add_notice(session, notice)
