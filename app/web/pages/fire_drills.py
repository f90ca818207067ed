"""Fire drills at the console: started for oneself or a policy, and who answered when."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from app.api.bounds import BoundedRoute
from app.api.deps import KeyPath, ServiceDep
from app.api.state import Service
from app.api.throttling import count
from app.core.errors import ForbiddenError
from app.crud import crud_escalation, crud_user
from app.crud.base import Window
from app.crud.crud_escalation import PolicyOrder
from app.crud.crud_fire_drill import DrillFilter
from app.db.session import WriteSession, transaction_time
from app.domain.fire_drill import DrillState
from app.domain.user import Permission
from app.schemas.fire_drill import FireDrillCreate
from app.services import fire_drill
from app.services.fire_drill import Aim
from app.web import asked, choices, flash, forms, listing
from app.web.asked import REFUSED
from app.web.deps import Visitor, VisitorDep
from app.web.templating import render

router = APIRouter(prefix="/fire-drills", include_in_schema=False, route_class=BoundedRoute)

PLACE = "/fire-drills"
STATES = {
    DrillState.RUNNING.value: ("in_progress", "Running"),
    DrillState.ANSWERED.value: ("ok", "Answered"),
    DrillState.MISSED.value: ("failed", "Nobody answered"),
    DrillState.CALLED_OFF.value: ("cancelled", "Called off"),
}


@router.get("")
async def show_list(request: Request, visitor: VisitorDep, service: ServiceDep) -> HTMLResponse:
    return await _page(request, visitor, service)


@router.post("")
async def start(request: Request, visitor: VisitorDep, service: ServiceDep) -> Response:
    given = await forms.given(request)
    user = visitor.user
    try:
        body = await forms.read(request, FireDrillCreate)
        if body.policy_id is not None and not visitor.may_respond:
            raise ForbiddenError(
                "A policy is drilled by responders; you may drill yourself.",
                needs=Permission.RESPOND.value,
            )
        aim = Aim(body.policy_id, body.contact_method_id, body.message, body.service)
        async with service.database.reading() as session:
            tries = await fire_drill.tries(session, aim, by=user)
        await count(service, tries)

        async def begin(session: WriteSession) -> int:
            now = await transaction_time(session)
            return (await fire_drill.start(session, aim, by=user, now=now)).id

        drill_id = await service.database.write(begin)
    except REFUSED as fault:
        return await _page(request, visitor, service, given, asked.told(fault))
    return flash.back(request, f"{PLACE}/{drill_id}", "The drill is on. Answer the page.")


@router.get("/{drill_id}")
async def show(
    request: Request, visitor: VisitorDep, service: ServiceDep, drill_id: KeyPath
) -> HTMLResponse:
    async with service.database.reading() as session:
        shown = await fire_drill.require(session, drill_id)
        drill = shown.drill
        ids = {page.user_id for page in shown.pages} | {drill.started_by, drill.answered_by}
        people = await crud_user.by_ids(session, {one for one in ids if one is not None})
    return render(
        request, visitor, "fire_drills/show.html", shown=shown, people=people, states=STATES
    )


async def _page(
    request: Request,
    visitor: Visitor,
    service: Service,
    given: dict[str, Any] | None = None,
    errors: dict[str, str] | None = None,
) -> HTMLResponse:
    number = listing.page_of(request)
    async with service.database.reading() as session:
        found, rows = await fire_drill.page_of_drills(
            session, DrillFilter(), Window(listing.PER_PAGE, number)
        )
        window = Window(choices.MOST_OFFERED, order=PolicyOrder.NAME)
        policies = (await crud_escalation.policy_page(session, window, is_active=True)).items
        people = await crud_user.by_ids(session, {row.drill.started_by for row in rows})
    return render(
        request,
        visitor,
        "fire_drills/list.html",
        status=422 if errors else 200,
        found=listing.shown(found, number),
        rows=rows,
        people=people,
        states=STATES,
        policies=asked.offers(policies, nothing="Only me, by my own rules"),
        given=given or {},
        errors=errors or {},
    )
