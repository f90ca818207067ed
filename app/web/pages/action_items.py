"""Action items: one's own, those that are late, all of them; and a form for each."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from app.api.bounds import BoundedRoute
from app.api.deps import KeyPath, ServiceDep
from app.core.errors import TocsinError
from app.crud import crud_action_item
from app.crud.base import Window
from app.crud.crud_action_item import ActionItemFilter, ActionItemOrder
from app.db.session import transaction_time
from app.domain.action_item import UNFINISHED, ActionItemState
from app.schemas.action_item import ActionItemCreate, ActionItemUpdate
from app.services import action_item as action_item_service
from app.services import postmortem as postmortem_service
from app.web import choices, flash, forms, listing
from app.web.deps import RespondingDep, VisitorDep, local
from app.web.forms import FormFault
from app.web.pages import postmortems
from app.web.templating import render

router = APIRouter(include_in_schema=False, route_class=BoundedRoute)

VIEWS = (("", "Mine"), ("overdue", "Overdue"), ("unfinished", "Not finished"), ("all", "All"))


@router.get("/action-items")
async def show_list(
    request: Request, visitor: VisitorDep, service: ServiceDep, view: str = "", q: str = ""
) -> HTMLResponse:
    number = listing.page_of(request)
    today = action_item_service.today(visitor.now)
    where = ActionItemFilter(
        state=UNFINISHED if view in ("", "unfinished") else (),
        owner_id=visitor.user.id if view == "" else None,
        overdue_on=today if view == "overdue" else None,
        search=q.strip()[:100] or None,
    )
    is_all = view == "all"
    order = ActionItemOrder.UPDATED_AT if is_all else ActionItemOrder.DUE_ON
    window = Window(listing.PER_PAGE, number, order=order, descending=is_all)
    async with service.database.reading() as session:
        found = await crud_action_item.list_page(session, where, window)
    return render(
        request,
        visitor,
        "action_items/list.html",
        found=listing.shown(found, number),
        views=VIEWS,
        view=view,
        q=q[:100],
        today=today,
    )


@router.post("/incidents/{incident_id}/postmortem/action-items")
async def create(
    request: Request, visitor: RespondingDep, service: ServiceDep, incident_id: KeyPath
) -> Response:
    try:
        wanted = await forms.read(request, ActionItemCreate)
        async with service.database.writing() as session:
            now = await transaction_time(session)
            found = await postmortem_service.require(session, incident_id)
            await action_item_service.create(
                session, found.id, wanted.model_dump(), by=visitor.user, now=now
            )
    except FormFault as fault:
        given, errors = dict(fault.given), fault.errors
    except TocsinError as error:
        given, errors = await forms.given(request), forms.faults_of(error)
    else:
        to = f"/incidents/{incident_id}/postmortem#action-items"
        return flash.back(request, to, "It is on the list.")
    return await postmortems.shown(
        request, visitor, service, incident_id, status=422, given=given, errors=errors
    )


@router.get("/action-items/{item_id}")
async def show(
    request: Request, visitor: RespondingDep, service: ServiceDep, item_id: KeyPath
) -> Response:
    async with service.database.reading() as session:
        item = await action_item_service.require(session, item_id)
    given = {
        "title": item.title,
        "description": item.description or "",
        "state": item.state.value,
        "priority": item.priority.value,
        "owner_id": str(item.owner_id or ""),
        "due_on": "" if item.due_on is None else item.due_on.isoformat(),
        "url": item.url or "",
    }
    return await _form(request, visitor, service, item_id, given, {})


@router.post("/action-items/{item_id}")
async def update(
    request: Request, visitor: RespondingDep, service: ServiceDep, item_id: KeyPath
) -> Response:
    given = await forms.given(request)
    empties = ("description", "owner_id", "due_on", "url")
    try:
        wanted = await forms.read(request, ActionItemUpdate, empties=empties)
        async with service.database.writing() as session:
            now = await transaction_time(session)
            fields = wanted.model_dump(exclude_unset=True)
            item = await action_item_service.update(session, item_id, fields, now=now)
            to = f"/incidents/{item.postmortem.incident_id}/postmortem#action-items"
    except FormFault as fault:
        return await _form(request, visitor, service, item_id, given, fault.errors)
    except TocsinError as error:
        return await _form(request, visitor, service, item_id, given, forms.faults_of(error))
    said = "It is done." if fields.get("state") is ActionItemState.DONE else "It is saved."
    back = local(given["next"]) if given.get("next") else to
    return flash.back(request, back, said)


@router.post("/action-items/{item_id}/delete")
async def delete(
    request: Request, visitor: RespondingDep, service: ServiceDep, item_id: KeyPath
) -> Response:
    async with service.database.writing() as session:
        item = await action_item_service.require(session, item_id)
        to = f"/incidents/{item.postmortem.incident_id}/postmortem#action-items"
        await action_item_service.remove(session, item_id)
    return flash.back(request, to, "It is removed.")


async def _form(
    request: Request,
    visitor: RespondingDep,
    service: ServiceDep,
    item_id: int,
    given: dict[str, str],
    errors: dict[str, str],
) -> HTMLResponse:
    async with service.database.reading() as session:
        item = await action_item_service.require(session, item_id)
        offered = await choices.offered(session, now=visitor.now)
    return render(
        request,
        visitor,
        "action_items/edit.html",
        status=422 if errors else 200,
        item=item,
        given=given,
        errors=errors,
        people=listing.people(offered.users),
    )
