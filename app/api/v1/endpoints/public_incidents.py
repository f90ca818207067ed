"""Publishing incidents, and telling the public how they go on."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from app.api.deps import (
    KeyPath,
    Now,
    Paging,
    Reader,
    ReadSession,
    Responder,
    WriteSession,
    acting,
)
from app.api.errors import answers
from app.api.etags import CONDITIONAL, NOT_MODIFIED, Edited, IfMatch
from app.api.idempotency import Once, replays
from app.api.paging import InSpan
from app.api.resource_route import ResourceRoute
from app.core.paging import BIGGEST_KEY
from app.crud import crud_public_incident, crud_public_update
from app.crud.crud_public_incident import PublicIncidentFilter
from app.crud.crud_public_update import About
from app.db import session as db
from app.domain.public_incident import PublicStatus
from app.domain.public_update import UpdateStatus
from app.models import PublicIncident, PublicUpdate
from app.schemas.base import PageRead
from app.schemas.public_incident import (
    PublicIncidentCreate,
    PublicIncidentRead,
    PublicIncidentUpdate,
)
from app.schemas.public_update import (
    IncidentUpdateCreate,
    PublicUpdateRead,
    effects_of,
)
from app.services import public_incident as public_incident_service
from app.services.public_incident import USUAL, Publication, Said
from app.services.public_update import NewUpdate

router = APIRouter(tags=["status page"], route_class=ResourceRoute)


async def _shown(session: db.ReadSession, incident_id: int) -> dict[str, Any]:
    public = await public_incident_service.require(session, incident_id)
    return (await _with_components(session, [public]))[0]


async def _with_components(
    session: db.ReadSession, found: list[PublicIncident]
) -> list[dict[str, Any]]:
    effects = await crud_public_incident.effects(session, [public.id for public in found])
    columns = PublicIncidentRead.model_fields.keys() - {"components"}
    return [
        {name: getattr(public, name) for name in columns} | {"components": effects[public.id]}
        for public in found
    ]


EDITED = Edited(crud_public_incident.lock_with_incident, _shown, PublicIncidentRead)


@router.get(
    "/status-page/incidents",
    response_model=PageRead[PublicIncidentRead],
    responses=answers(401, 422),
)
async def list_published_incidents(
    session: ReadSession,
    paging: Paging,
    _: Reader,
    starting: InSpan,
    status: Annotated[
        list[PublicStatus], Query(description="Only those that are so for the public.")
    ] = [],  # noqa: B006
    component_id: Annotated[
        int | None, Query(ge=1, le=BIGGEST_KEY, description="Only those that hit this component.")
    ] = None,
) -> dict[str, Any]:
    """List what was published, what began last first."""
    where = PublicIncidentFilter(status, component_id, starting)
    found = await crud_public_incident.list_page(session, where, paging.window)
    return paging.shown(found) | {"items": await _with_components(session, list(found.items))}


@router.get(
    "/incidents/{incident_id}/public",
    response_model=PublicIncidentRead,
    responses=answers(401, 404, 422) | NOT_MODIFIED,
    dependencies=CONDITIONAL,
)
async def read_published_incident(
    session: ReadSession, incident_id: KeyPath, _: Reader
) -> dict[str, Any]:
    """Read what the public is told of an incident. 404: it is told nothing."""
    return await _shown(session, incident_id)


@router.post(
    "/incidents/{incident_id}/public",
    response_model=PublicIncidentRead,
    status_code=201,
    responses=answers(401, 403, 404, 409, 413, 422) | replays(PublicIncidentRead),
)
async def publish_incident(
    session: WriteSession,
    incident_id: KeyPath,
    body: PublicIncidentCreate,
    now: Now,
    user: Responder,
    _: Once,
) -> dict[str, Any]:
    """Let the public know of an incident: title, first words, components and impact in one act.

    Nothing of the incident itself is shown, only what is written here.
    """
    update = NewUpdate(body.body, UpdateStatus(body.status), body.notifies)
    new = Publication(body.title, update, _said(body), body.started_at)
    await public_incident_service.publish(session, incident_id, new, actor=acting(user), now=now)
    return await _shown(session, incident_id)


@router.patch(
    "/incidents/{incident_id}/public",
    response_model=PublicIncidentRead,
    responses=answers(401, 403, 404, 412, 413, 422),
)
async def update_published_incident(
    session: WriteSession,
    incident_id: KeyPath,
    body: PublicIncidentUpdate,
    now: Now,
    user: Responder,
    expected: IfMatch,
) -> dict[str, Any]:
    """Change the named fields of what the public sees, without a word about it."""
    await expected.hold(EDITED, session, incident_id)
    fields = body.model_dump(exclude_unset=True)
    if "next_update_minutes" in fields:
        fields["next_update_minutes"] = fields["next_update_minutes"] or None
    await public_incident_service.edit(session, incident_id, fields, actor=acting(user), now=now)
    return await _shown(session, incident_id)


@router.delete(
    "/incidents/{incident_id}/public",
    status_code=204,
    responses=answers(401, 403, 404, 412, 422),
)
async def withdraw_published_incident(
    session: WriteSession, incident_id: KeyPath, now: Now, user: Responder, expected: IfMatch
) -> Response:
    """Take an incident off the status page, as if it had never been there. It goes on inside."""
    await expected.hold(EDITED, session, incident_id)
    await public_incident_service.withdraw(session, incident_id, actor=acting(user), now=now)
    return Response(status_code=204)


@router.get(
    "/incidents/{incident_id}/public/updates",
    response_model=PageRead[PublicUpdateRead],
    responses=answers(401, 404, 422),
)
async def list_public_updates(
    session: ReadSession, incident_id: KeyPath, paging: Paging, _: Reader
) -> dict[str, Any]:
    """List what the public was told of an incident, drafts and what was withdrawn among it,
    newest first."""
    public = await public_incident_service.require(session, incident_id)
    about = About(public_incident_id=public.id)
    return paging.shown(await crud_public_update.list_page(session, about, paging.window))


@router.post(
    "/incidents/{incident_id}/public/updates",
    response_model=PublicUpdateRead,
    status_code=201,
    responses=answers(400, 401, 403, 404, 409, 413, 422) | replays(PublicUpdateRead),
)
async def post_public_update(
    session: WriteSession,
    incident_id: KeyPath,
    body: IncidentUpdateCreate,
    now: Now,
    user: Responder,
    _: Once,
) -> PublicUpdate:
    """Tell the public how an incident goes on, or keep a draft of it.

    `resolved` resolves the incident as well, `investigating` after it reopens it.
    """
    status = None if body.status is None else UpdateStatus(body.status)
    new = NewUpdate(body.body, status, body.notifies)
    actor = acting(user)
    if body.is_draft:
        return await public_incident_service.draft(session, incident_id, new, actor=actor, now=now)
    return await public_incident_service.post(
        session, incident_id, new, _said(body), actor=actor, now=now
    )


def _said(body: PublicIncidentCreate | IncidentUpdateCreate) -> Said:
    minutes = body.next_update_minutes
    return Said(effects_of(body), body.impact, USUAL if minutes is None else minutes or None)
