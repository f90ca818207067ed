"""One's own API keys: made, shown once, revoked."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from app.api.bounds import BoundedRoute
from app.api.deps import KeyPath, ServiceDep
from app.api.state import Service
from app.crud import crud_api_key
from app.crud.base import Window
from app.db.session import transaction_time
from app.domain.user import Permission
from app.schemas.api_key import ApiKeyCreate
from app.services import api_key as api_key_service
from app.services.api_key import Wanted
from app.web import asked, flash, incident_form, listing
from app.web.asked import REFUSED
from app.web.deps import Visitor, VisitorDep
from app.web.templating import render

router = APIRouter(prefix="/profile/keys", include_in_schema=False, route_class=BoundedRoute)

PLACE = "/profile/keys"
SCOPES = {
    Permission.READ: "Read everything",
    Permission.RESPOND: "Declare and work on incidents",
    Permission.ADMINISTER: "Do all that an admin may",
}


@router.get("")
async def show(request: Request, visitor: VisitorDep, service: ServiceDep) -> HTMLResponse:
    return await _page(request, visitor, service)


@router.post("")
async def create(request: Request, visitor: VisitorDep, service: ServiceDep) -> Response:
    given = await incident_form.typed(request)
    try:
        scope = given.get("scope", "")
        wanted = {
            "name": given.get("name", ""),
            "scopes": [scope] if scope else [],
            "expires_at": asked.moment(given.get("expires_at"), visitor.user.time_zone),
        }
        body = incident_form.shaped(ApiKeyCreate, wanted, given)
        async with service.database.writing() as session:
            now = await transaction_time(session)
            made = await api_key_service.create(
                session,
                Wanted(body.name, body.scopes, body.expires_at),
                owner=visitor.user,
                now=now,
            )
            secret = made.secret
    except REFUSED as fault:
        return await _page(request, visitor, service, given, asked.told(fault))
    return render(
        request,
        visitor,
        "profile/key.html",
        name=body.name,
        key_text=secret,
        base=asked.own_address(service, request),
    )


@router.post("/{api_key_id}/revoke")
async def revoke(
    request: Request, visitor: VisitorDep, service: ServiceDep, api_key_id: KeyPath
) -> Response:
    async with service.database.writing() as session:
        now = await transaction_time(session)
        await api_key_service.revoke(session, api_key_id, by=visitor.user, now=now)
    return flash.back(request, PLACE, "The key opens nothing any more.")


async def _page(
    request: Request,
    visitor: Visitor,
    service: Service,
    given: dict[str, Any] | None = None,
    errors: dict[str, str] | None = None,
) -> HTMLResponse:
    number = listing.page_of(request)
    async with service.database.reading() as session:
        found = await crud_api_key.list_page(
            session, visitor.user.id, Window(listing.PER_PAGE, number)
        )
    return render(
        request,
        visitor,
        "profile/keys.html",
        status=422 if errors else 200,
        found=listing.shown(found, number),
        scopes=[(one.value, words) for one, words in SCOPES.items() if visitor.user.may(one)],
        given=given or {"scope": Permission.READ.value},
        errors=errors or {},
    )
