"""Postmortems: written from an incident, reviewed, published, exported."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from app.api.deps import (
    Admin,
    KeyPath,
    Now,
    Paging,
    Reader,
    ReadSession,
    Responder,
    WriteSession,
)
from app.api.errors import answers
from app.api.etags import CONDITIONAL, NOT_MODIFIED, Edited, IfMatch
from app.api.idempotency import Once, replays
from app.api.paging import PageQuery, paged
from app.api.resource_route import ResourceRoute
from app.core.paging import BIGGEST_KEY
from app.crud import crud_postmortem
from app.crud.crud_postmortem import PostmortemFilter, PostmortemOrder
from app.domain.postmortem import PostmortemAction, PostmortemStatus
from app.models import Postmortem
from app.schemas.base import PageRead
from app.schemas.postmortem import (
    PostmortemCreate,
    PostmortemPublish,
    PostmortemRead,
    PostmortemRowRead,
    PostmortemTemplateRead,
    PostmortemTemplateWrite,
    PostmortemUpdate,
    PostmortemVersionRead,
)
from app.schemas.types import SeverityWord
from app.services import postmortem as postmortem_service
from app.services import postmortem_export, postmortem_public
from app.services import postmortem_template as template_service
from app.services.postmortem_template import Template

router = APIRouter(tags=["postmortems"], route_class=ResourceRoute)

ONE = "/incidents/{incident_id}/postmortem"
PostmortemPaging = Annotated[PageQuery, Depends(paged(PostmortemOrder, PostmortemOrder.ID))]
EDITED = Edited(crud_postmortem.lock, postmortem_service.require, PostmortemRead)
MARKDOWN: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"text/markdown": {"schema": {"type": "string"}, "example": "# Disk full"}},
        "description": "The document.",
    }
}


@router.get("/postmortems", response_model=PageRead[PostmortemRowRead], responses=answers(401, 422))
async def list_postmortems(
    session: ReadSession,
    paging: PostmortemPaging,
    _: Reader,
    status: Annotated[list[PostmortemStatus], Query()] = [],  # noqa: B006
    owner_id: Annotated[int | None, Query(ge=1, le=BIGGEST_KEY)] = None,
    reviewer_id: Annotated[
        int | None, Query(ge=1, le=BIGGEST_KEY, description="Who is asked to read it.")
    ] = None,
    service: Annotated[list[str], Query(max_length=100)] = [],  # noqa: B006
    severity: Annotated[list[SeverityWord], Query()] = [],  # noqa: B006
    is_public: bool | None = None,
    search: Annotated[
        str | None, Query(min_length=1, max_length=200, description="Words of title or sections.")
    ] = None,
) -> dict[str, Any]:
    """List postmortems, the newest first."""
    where = PostmortemFilter(status, owner_id, reviewer_id, service, severity, is_public, search)
    return paging.shown(await crud_postmortem.list_page(session, where, paging.window))


@router.get(
    "/postmortem-template",
    response_model=PostmortemTemplateRead,
    responses=answers(401, 422) | NOT_MODIFIED,
    dependencies=CONDITIONAL,
)
async def read_postmortem_template(session: ReadSession, _: Reader) -> Template:
    """Read what a new postmortem says at first."""
    return await template_service.current(session)


TEMPLATE = Edited(crud_postmortem.lock_template, template_service.current, PostmortemTemplateRead)


@router.put(
    "/postmortem-template",
    response_model=PostmortemTemplateRead,
    responses=answers(401, 403, 412, 413, 422),
)
async def update_postmortem_template(
    session: WriteSession, body: PostmortemTemplateWrite, now: Now, admin: Admin, expected: IfMatch
) -> Template:
    """Write what a new postmortem says at first. Those that were begun before stay as they are.

    `{{ title }}`, `{{ service }}`, `{{ severity }}`, `{{ opened_at }}`, `{{ resolved_at }}` and
    `{{ duration }}` stand for what the incident says.
    """
    await expected.hold(TEMPLATE, session)
    return await template_service.save(
        session, body.model_dump(exclude_unset=True), by=admin, now=now
    )


@router.delete("/postmortem-template", status_code=204, responses=answers(401, 403, 412, 422))
async def reset_postmortem_template(session: WriteSession, _: Admin, expected: IfMatch) -> Response:
    """Go back to the built-in template, if it is not in use already."""
    await expected.hold(TEMPLATE, session)
    await template_service.reset(session)
    return Response(status_code=204)


@router.get(
    ONE,
    response_model=PostmortemRead,
    responses=answers(401, 404, 422) | NOT_MODIFIED,
    dependencies=CONDITIONAL,
)
async def read_postmortem(session: ReadSession, incident_id: KeyPath, _: Reader) -> Postmortem:
    """Read the postmortem of an incident."""
    return await postmortem_service.require(session, incident_id)


@router.post(
    ONE,
    response_model=PostmortemRead,
    status_code=201,
    responses=answers(401, 403, 404, 409, 413, 422) | replays(PostmortemRead),
)
async def start_postmortem(
    session: WriteSession,
    incident_id: KeyPath,
    body: PostmortemCreate,
    now: Now,
    user: Responder,
    once: Once,
) -> Postmortem:
    """Begin the postmortem of an incident. What is left out comes from the template, and its
    timeline from what happened."""
    return await postmortem_service.start(session, incident_id, body.named(), by=user, now=now)


@router.patch(ONE, response_model=PostmortemRead, responses=answers(401, 403, 404, 412, 413, 422))
async def update_postmortem(
    session: WriteSession,
    incident_id: KeyPath,
    body: PostmortemUpdate,
    now: Now,
    user: Responder,
    expected: IfMatch,
) -> Postmortem:
    """Change the named fields. Of a published one that is an amendment: what it said is kept."""
    await expected.hold(EDITED, session, incident_id)
    return await postmortem_service.edit(session, incident_id, body.named(), by=user, now=now)


@router.post(
    f"{ONE}/submit", response_model=PostmortemRead, responses=answers(400, 401, 403, 404, 422)
)
async def submit_postmortem(
    session: WriteSession, incident_id: KeyPath, now: Now, user: Responder
) -> Postmortem:
    """Send a draft to review: its reviewers are told."""
    return await postmortem_service.move(
        session, incident_id, PostmortemAction.SUBMIT, by=user, now=now
    )


@router.post(
    f"{ONE}/approve", response_model=PostmortemRead, responses=answers(400, 401, 403, 404, 422)
)
async def approve_postmortem(
    session: WriteSession, incident_id: KeyPath, now: Now, user: Responder
) -> Postmortem:
    """Say that you have read it and agree."""
    return await postmortem_service.approve(session, incident_id, by=user, now=now)


@router.post(
    f"{ONE}/return", response_model=PostmortemRead, responses=answers(400, 401, 403, 404, 422)
)
async def return_postmortem(
    session: WriteSession, incident_id: KeyPath, now: Now, user: Responder
) -> Postmortem:
    """Take it from review back to be written further."""
    return await postmortem_service.move(
        session, incident_id, PostmortemAction.RETURN, by=user, now=now
    )


@router.post(
    f"{ONE}/publish",
    response_model=PostmortemRead,
    responses=answers(400, 401, 403, 404, 409, 413, 422),
)
async def publish_postmortem(
    session: WriteSession, incident_id: KeyPath, body: PostmortemPublish, now: Now, user: Responder
) -> Postmortem:
    """Publish it to everybody who logs in, and with `is_public` to the public: of that only
    `public_summary` and `public_body`."""
    return await postmortem_public.publish(
        session,
        incident_id,
        is_public=body.is_public,
        tell_subscribers=body.tell_subscribers,
        by=user,
        now=now,
    )


@router.post(
    f"{ONE}/withdraw", response_model=PostmortemRead, responses=answers(401, 403, 404, 422)
)
async def withdraw_postmortem(
    session: WriteSession, incident_id: KeyPath, now: Now, user: Responder
) -> Postmortem:
    """Take it back from the public; for those who log in it stays published."""
    return await postmortem_public.withdraw(session, incident_id, by=user, now=now)


@router.get(
    f"{ONE}/versions",
    response_model=PageRead[PostmortemVersionRead],
    responses=answers(401, 404, 422),
)
async def list_postmortem_versions(
    session: ReadSession, incident_id: KeyPath, paging: Paging, _: Reader
) -> dict[str, Any]:
    """List what it said since it was published, the latest first."""
    found = await postmortem_service.require(session, incident_id)
    return paging.shown(await crud_postmortem.versions(session, found.id, paging.window))


@router.get(f"{ONE}/export", response_class=Response, responses=MARKDOWN | answers(401, 404, 422))
async def export_postmortem(session: ReadSession, incident_id: KeyPath, _: Reader) -> Response:
    """Get the postmortem as Markdown, with its timeline and action items."""
    text = await postmortem_export.markdown(session, incident_id)
    name = f'attachment; filename="postmortem-{incident_id}.md"'
    return Response(text, media_type="text/markdown", headers={"Content-Disposition": name})
