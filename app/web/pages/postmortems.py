"""Postmortems: the list, the page of one, and what is done with it as a whole."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from app.api.bounds import BoundedRoute
from app.api.deps import KeyPath, ServiceDep
from app.api.state import Service
from app.core.errors import TocsinError
from app.crud import crud_action_item, crud_incident, crud_postmortem
from app.crud.base import Window
from app.crud.crud_postmortem import PostmortemFilter, PostmortemOrder
from app.db.session import WriteSession, transaction_time
from app.domain.postmortem import SECTIONS, PostmortemAction, PostmortemStatus
from app.models import Postmortem, User
from app.schemas.postmortem import PostmortemPublish
from app.services import postmortem as postmortem_service
from app.services import postmortem_export, postmortem_public
from app.web import choices, flash, forms, listing
from app.web.deps import RespondingDep, VisitorDep
from app.web.forms import FormFault
from app.web.templating import render

router = APIRouter(include_in_schema=False, route_class=BoundedRoute)

ONE = "/incidents/{incident_id}/postmortem"
VIEWS = (
    ("", "All"),
    ("draft", "Drafts"),
    ("in_review", "In review"),
    ("published", "Published"),
    ("mine", "Mine"),
    ("to-read", "For me to read"),
)
Act = Callable[[WriteSession, User, datetime], Awaitable[Postmortem]]


@router.get("/postmortems")
async def show_list(
    request: Request, visitor: VisitorDep, service: ServiceDep, view: str = "", q: str = ""
) -> HTMLResponse:
    number = listing.page_of(request)
    window = Window(listing.PER_PAGE, number, order=PostmortemOrder.UPDATED_AT, descending=True)
    where = PostmortemFilter(
        status=[PostmortemStatus(view)] if view in set(PostmortemStatus) else (),
        owner_id=visitor.user.id if view == "mine" else None,
        reviewer_id=visitor.user.id if view == "to-read" else None,
        search=q.strip()[:200] or None,
    )
    async with service.database.reading() as session:
        found = await crud_postmortem.list_page(session, where, window)
        ids = [one.id for one in found.items]
        left = await crud_action_item.unfinished(session, ids) if ids else {}
    return render(
        request,
        visitor,
        "postmortems/list.html",
        found=listing.shown(found, number),
        left=left,
        views=VIEWS,
        view=view,
        q=q[:200],
    )


@router.get(ONE)
async def show(
    request: Request,
    visitor: VisitorDep,
    service: ServiceDep,
    incident_id: KeyPath,
) -> HTMLResponse:
    return await shown(request, visitor, service, incident_id)


async def shown(
    request: Request,
    visitor: VisitorDep,
    service: Service,
    incident_id: int,
    *,
    status: int = 200,
    given: dict[str, Any] | None = None,
    errors: dict[str, str] | None = None,
) -> HTMLResponse:
    """The page of one, or of an incident that has none yet; with a form's faults in it."""
    async with service.database.reading() as session:
        found = await crud_postmortem.of_incident(session, incident_id)
        incident = await crud_incident.get(session, incident_id)
        items = await crud_action_item.of_postmortem(session, found.id) if found else ()
        known = await crud_postmortem.public_incident(session, incident_id)
        versions = (
            (await crud_postmortem.versions(session, found.id, Window(20))).items if found else ()
        )
        offered = await choices.offered(session, now=visitor.now)
    if incident is None:
        await _missing(service, incident_id)
    return render(
        request,
        visitor,
        "postmortems/show.html",
        status=status,
        found=found,
        incident=incident,
        items=items,
        known=known,
        versions=versions,
        sections=SECTIONS,
        unwritten=[words for name, words in SECTIONS.items() if found and not getattr(found, name)],
        people=listing.people(offered.users),
        moments=[datetime.fromisoformat(one["happened_at"]) for one in found.timeline]
        if found
        else [],
        given=given or {},
        errors=errors or {},
    )


async def _missing(service: Service, incident_id: int) -> None:
    async with service.database.reading() as session:
        await postmortem_service.require(session, incident_id)  # which says that there is none


@router.get(f"{ONE}/export")
async def export(visitor: VisitorDep, service: ServiceDep, incident_id: KeyPath) -> Response:
    """The whole of it, to be kept elsewhere."""
    async with service.database.reading() as session:
        text = await postmortem_export.markdown(session, incident_id)
    name = f'attachment; filename="postmortem-{incident_id}.md"'
    return Response(text, media_type="text/markdown", headers={"Content-Disposition": name})


@router.post(f"{ONE}/begin")
async def begin(
    request: Request, visitor: RespondingDep, service: ServiceDep, incident_id: KeyPath
) -> Response:
    async def act(session: WriteSession, user: User, now: datetime) -> Postmortem:
        return await postmortem_service.start(session, incident_id, {}, by=user, now=now)

    to = f"/incidents/{incident_id}/postmortem/edit"
    return await _done(request, visitor, service, incident_id, act, "It is begun.", to)


@router.post(f"{ONE}/submit")
async def submit(
    request: Request, visitor: RespondingDep, service: ServiceDep, incident_id: KeyPath
) -> Response:
    said = "It is in review, and its reviewers are told."
    act = _moving(incident_id, PostmortemAction.SUBMIT)
    return await _done(request, visitor, service, incident_id, act, said)


@router.post(f"{ONE}/return")
async def take_back(
    request: Request, visitor: RespondingDep, service: ServiceDep, incident_id: KeyPath
) -> Response:
    act = _moving(incident_id, PostmortemAction.RETURN)
    return await _done(request, visitor, service, incident_id, act, "It is a draft again.")


@router.post(f"{ONE}/approve")
async def approve(
    request: Request, visitor: RespondingDep, service: ServiceDep, incident_id: KeyPath
) -> Response:
    async def act(session: WriteSession, user: User, now: datetime) -> Postmortem:
        return await postmortem_service.approve(session, incident_id, by=user, now=now)

    return await _done(request, visitor, service, incident_id, act, "You approve of it.")


@router.post(f"{ONE}/withdraw")
async def withdraw(
    request: Request, visitor: RespondingDep, service: ServiceDep, incident_id: KeyPath
) -> Response:
    async def act(session: WriteSession, user: User, now: datetime) -> Postmortem:
        return await postmortem_public.withdraw(session, incident_id, by=user, now=now)

    said = "The public reads it no more."
    return await _done(request, visitor, service, incident_id, act, said)


@router.post(f"{ONE}/publish")
async def publish(
    request: Request, visitor: RespondingDep, service: ServiceDep, incident_id: KeyPath
) -> Response:
    try:
        wanted = await forms.read(request, PostmortemPublish)
    except FormFault as fault:
        return await shown(request, visitor, service, incident_id, status=422, errors=fault.errors)

    async def act(session: WriteSession, user: User, now: datetime) -> Postmortem:
        return await postmortem_public.publish(
            session,
            incident_id,
            is_public=wanted.is_public,
            tell_subscribers=wanted.tell_subscribers,
            by=user,
            now=now,
        )

    said = "It is published, for the public, too." if wanted.is_public else "It is published."
    return await _done(request, visitor, service, incident_id, act, said)


def _moving(incident_id: int, action: PostmortemAction) -> Act:
    async def act(session: WriteSession, user: User, now: datetime) -> Postmortem:
        return await postmortem_service.move(session, incident_id, action, by=user, now=now)

    return act


async def _done(
    request: Request,
    visitor: RespondingDep,
    service: Service,
    incident_id: int,
    act: Act,
    said: str,
    to: str | None = None,
) -> Response:
    """Do it and go back; what was refused is said on the page, as it is now."""
    here = f"/incidents/{incident_id}/postmortem"
    try:
        async with service.database.writing() as session:
            await act(session, visitor.user, await transaction_time(session))
    except TocsinError as error:
        return flash.back(request, here, error.message)
    return flash.back(request, to or here, said)
