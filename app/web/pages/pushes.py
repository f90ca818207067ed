"""Pages pushed to this very browser: its owner switches that on and off here."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from app.api.bounds import BoundedRoute
from app.api.deps import ServiceDep
from app.api.state import Service
from app.core.errors import TocsinError
from app.db.session import WriteSession, transaction_time
from app.domain.notification import Channel
from app.schemas.contact_method import PushMethodCreate
from app.services import contact_method as contact_method_service
from app.services.contact_method import AddressTakenError, NewMethod
from app.web import flash, forms
from app.web.deps import Visitor, VisitorDep
from app.web.forms import FormFault
from app.web.templating import render

router = APIRouter(prefix="/profile/push", include_in_schema=False, route_class=BoundedRoute)

PLACE = "/profile/push"
ON = "Pages are pushed to this browser from now on."


@router.get("")
async def show(request: Request, visitor: VisitorDep, service: ServiceDep) -> Response:
    return await _page(request, visitor, service)


@router.post("")
async def switch_on(request: Request, visitor: VisitorDep, service: ServiceDep) -> Response:
    try:
        body = await forms.read(request, PushMethodCreate)
        address = contact_method_service.read(
            Channel.PUSH, body.given, service.objection, by=visitor.user
        )
        new = NewMethod(address, body.label, body.wants_updates)

        async def create(session: WriteSession) -> None:
            now = await transaction_time(session)
            await contact_method_service.create(
                session, visitor.user.id, new, service.vault, now=now
            )

        await service.database.write(create)
    except AddressTakenError:
        return flash.back(request, PLACE, ON)
    except FormFault as fault:
        return await _page(request, visitor, service, fault.errors)
    except TocsinError as error:
        return await _page(request, visitor, service, forms.faults_of(error))
    return flash.back(request, PLACE, ON)


async def _page(
    request: Request,
    visitor: Visitor,
    service: Service,
    errors: dict[str, str] | None = None,
) -> HTMLResponse:
    async with service.database.reading() as session:
        methods = await contact_method_service.methods(session, visitor.user.id)
    return render(
        request,
        visitor,
        "pushes/show.html",
        status=422 if errors else 200,
        key=service.push_public_key,
        browsers=[one for one in methods if one.channel is Channel.PUSH],
        errors=errors or {},
    )
