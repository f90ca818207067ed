"""One's own summary: when it comes, and what would stand in it now."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from app.api.bounds import BoundedRoute
from app.api.deps import ServiceDep
from app.api.state import Service
from app.core.errors import TocsinError
from app.db.session import transaction_time
from app.domain.digest import DigestFrequency
from app.schemas.digest import DigestSettingsWrite
from app.services import digest as digest_service
from app.web import flash, forms
from app.web.deps import Visitor, VisitorDep
from app.web.forms import FormFault
from app.web.templating import render

router = APIRouter(include_in_schema=False, route_class=BoundedRoute)

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
FREQUENCIES = (
    (DigestFrequency.OFF, "Never"),
    (DigestFrequency.DAILY, "Every day"),
    (DigestFrequency.WEEKLY, "Once a week"),
)


@router.get("/digest")
async def show(request: Request, visitor: VisitorDep, service: ServiceDep) -> Response:
    return await _page(request, visitor, service)


@router.post("/digest")
async def wish(request: Request, visitor: VisitorDep, service: ServiceDep) -> Response:
    given = await forms.given(request)
    try:
        wanted = await forms.read(request, DigestSettingsWrite, empties=("time_zone",))
        async with service.database.writing() as session:
            now = await transaction_time(session)
            await digest_service.wish(session, visitor.user.id, wanted.wanted(), now=now)
    except FormFault as fault:
        return await _page(request, visitor, service, given, fault.errors)
    except TocsinError as error:
        return await _page(request, visitor, service, given, forms.faults_of(error))
    return flash.back(request, "/digest", "Your wishes are saved.")


async def _page(
    request: Request,
    visitor: Visitor,
    service: Service,
    given: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
) -> HTMLResponse:
    async with service.database.reading() as session:
        stands = await digest_service.settings(session, visitor.user.id)
        made = await digest_service.preview(session, visitor.user.id, now=visitor.now)
    wanted = stands.wanted
    usual = {
        "frequency": wanted.frequency.value,
        "hour": str(wanted.hour),
        "weekday": str(wanted.weekday),
        "time_zone": stands.time_zone or "",
        "even_when_empty": str(wanted.even_when_empty).lower(),
        "action_reminders": str(wanted.action_reminders).lower(),
    }
    return render(
        request,
        visitor,
        "digests/show.html",
        status=422 if errors else 200,
        stands=stands,
        made=made,
        told=digest_service.facts(made),
        given=given or usual,
        errors=errors or {},
        frequencies=FREQUENCIES,
        hours=[(str(hour), f"{hour:02}:00") for hour in range(24)],
        weekdays=[(str(number), day) for number, day in enumerate(DAYS)],
    )
