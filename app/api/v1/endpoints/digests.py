"""The summary that a person gets, and when."""

from fastapi import APIRouter

from app.api.deps import Now, OwnerId, ReadSession, WriteSession
from app.api.errors import answers
from app.api.etags import CONDITIONAL, NOT_MODIFIED, Edited, IfMatch
from app.api.resource_route import ResourceRoute
from app.db import session as db
from app.db.session import transaction_time
from app.schemas.digest import (
    DigestIncidentRead,
    DigestItemRead,
    DigestRead,
    DigestServiceRead,
    DigestSettingsRead,
    DigestSettingsWrite,
    DigestShiftRead,
)
from app.services import digest as digest_service
from app.services import notification_preference as notification_preference_service
from app.services import user as user_service
from app.services.digest import Settings, Summary

router = APIRouter(prefix="/users/{user_id}", tags=["summaries"], route_class=ResourceRoute)


def _settings(found: Settings) -> DigestSettingsRead:
    wanted = found.wanted
    return DigestSettingsRead(
        frequency=wanted.frequency,
        hour=wanted.hour,
        weekday=wanted.weekday,
        time_zone=found.time_zone,
        even_when_empty=wanted.even_when_empty,
        action_reminders=wanted.action_reminders,
        next_at=found.next_at,
    )


async def _shown(session: db.ReadSession, user_id: int) -> DigestSettingsRead:
    await user_service.require(session, user_id)
    return _settings(await digest_service.settings(session, user_id))


async def _held(session: db.WriteSession, user_id: int) -> DigestSettingsRead:
    await notification_preference_service.hold(session, user_id)
    return await _shown(session, user_id)


EDITED = Edited(_held, _shown, DigestSettingsRead)


@router.get(
    "/digest-settings",
    response_model=DigestSettingsRead,
    responses=answers(401, 403, 404, 422) | NOT_MODIFIED,
    dependencies=CONDITIONAL,
)
async def read_digest_settings(session: ReadSession, user_id: OwnerId) -> DigestSettingsRead:
    """Read when a person gets a summary. Until they say, never."""
    return await _shown(session, user_id)


@router.put(
    "/digest-settings",
    response_model=DigestSettingsRead,
    responses=answers(401, 403, 404, 412, 413, 422),
)
async def update_digest_settings(
    session: WriteSession, user_id: OwnerId, body: DigestSettingsWrite, now: Now, expected: IfMatch
) -> DigestSettingsRead:
    """Write when a person gets a summary, and whether they are reminded of action items.

    Fields that are not named stay.
    """
    await expected.hold(EDITED, session, user_id)
    return _settings(await digest_service.wish(session, user_id, body.wanted(), now=now))


@router.get("/digest", response_model=DigestRead, responses=answers(401, 403, 404, 422))
async def preview_digest(session: ReadSession, user_id: OwnerId) -> DigestRead:
    """Show the summary as it would be if it came now; nothing is sent."""
    now = await transaction_time(session)
    return _read(await digest_service.preview(session, user_id, now=now))


def _read(made: Summary) -> DigestRead:
    return DigestRead(
        frequency=made.frequency,
        since=made.during.starts_at,
        until=made.during.ends_at,
        time_zone=made.time_zone,
        is_empty=made.is_empty,
        opened=made.opened,
        opened_by_severity=dict(sorted(made.news.opened.items(), key=lambda one: one[0].rank)),
        resolved=made.news.resolved,
        unresolved=made.news.unresolved,
        worst=[DigestIncidentRead.model_validate(one) for one in made.news.worst],
        noisiest=[DigestServiceRead.model_validate(one) for one in made.news.loudest],
        pages=made.pages,
        paged_about=made.paged_about,
        shifts=[DigestShiftRead.model_validate(one) for one in made.shifts],
        overdue=[DigestItemRead.model_validate(one) for one in made.overdue],
        overdue_count=made.overdue_count,
    )
