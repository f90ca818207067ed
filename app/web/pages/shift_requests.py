"""Cover and swaps: a shift asked away, taken, declined, called off, given back."""

from collections.abc import Awaitable, Callable, Mapping

from fastapi import APIRouter, Request, Response

from app.api.bounds import BoundedRoute
from app.api.deps import KeyPath, ServiceDep
from app.api.state import Service
from app.core.errors import NotFoundError, TocsinError
from app.db.session import transaction_time
from app.domain.timeline import Interval
from app.models import ShiftRequest
from app.schemas.shift_request import ShiftRequestCreate
from app.services import schedule as schedule_service
from app.services import shift_request as shift_request_service
from app.services.shift_check import Wish
from app.web import choices, flash, forms, listing, span_form
from app.web.deps import RespondingDep, Visitor
from app.web.forms import FormFault
from app.web.templating import render
from app.web.wall import wall_of

router = APIRouter(include_in_schema=False, route_class=BoundedRoute)

MINE = "/schedules/mine"
SPANS = ("starts_at", "ends_at", "wanted.starts_at", "wanted.ends_at")


@router.get("/schedules/{schedule_id}/ask")
async def show_ask(
    request: Request, visitor: RespondingDep, service: ServiceDep, schedule_id: KeyPath
) -> Response:
    """The form, filled with the shift that the address names."""
    query = request.query_params
    given = {name: query.get(name, "")[:32] for name in ("starts_at", "ends_at")}
    return await _form(request, visitor, service, schedule_id, given, {})


@router.post("/schedules/{schedule_id}/ask")
async def ask(
    request: Request, visitor: RespondingDep, service: ServiceDep, schedule_id: KeyPath
) -> Response:
    given = await forms.given(request)
    try:
        async with service.database.writing() as session:
            now = await transaction_time(session)
            wish = _wish(given, visitor, schedule_id)
            await shift_request_service.ask(session, wish, by=visitor.user, now=now)
    except FormFault as fault:
        return await _form(request, visitor, service, schedule_id, given, fault.errors)
    except NotFoundError:
        raise
    except TocsinError as error:
        errors = forms.faults_of(error)
        return await _form(request, visitor, service, schedule_id, given, errors)
    return flash.back(request, MINE, "They are told. The shift is yours until somebody takes it.")


Answering = Callable[..., Awaitable[ShiftRequest]]
ANSWERS: Mapping[str, tuple[Answering, str]] = {
    "take": (shift_request_service.take, "The shift is yours."),
    "decline": (shift_request_service.decline, "They are told that you decline."),
    "cancel": (shift_request_service.cancel, "It is called off."),
    "give-back": (shift_request_service.give_back, "It is as it was before."),
}


@router.post("/shift-requests/{request_id}/take")
async def take(
    request: Request, visitor: RespondingDep, service: ServiceDep, request_id: KeyPath
) -> Response:
    return await _answer(request, visitor, service, request_id, "take")


@router.post("/shift-requests/{request_id}/decline")
async def decline(
    request: Request, visitor: RespondingDep, service: ServiceDep, request_id: KeyPath
) -> Response:
    return await _answer(request, visitor, service, request_id, "decline")


@router.post("/shift-requests/{request_id}/cancel")
async def cancel(
    request: Request, visitor: RespondingDep, service: ServiceDep, request_id: KeyPath
) -> Response:
    return await _answer(request, visitor, service, request_id, "cancel")


@router.post("/shift-requests/{request_id}/give-back")
async def give_back(
    request: Request, visitor: RespondingDep, service: ServiceDep, request_id: KeyPath
) -> Response:
    return await _answer(request, visitor, service, request_id, "give-back")


async def _answer(
    request: Request, visitor: Visitor, service: Service, request_id: int, verb: str
) -> Response:
    answer, said = ANSWERS[verb]
    try:
        async with service.database.writing() as session:
            now = await transaction_time(session)
            await answer(session, request_id, by=visitor.user, now=now)
    except NotFoundError:
        raise
    except TocsinError as error:
        said = error.message
    return flash.back(request, MINE, said)


def _wish(given: Mapping[str, str], visitor: Visitor, schedule_id: int) -> Wish:
    """What was typed; a swap is a nested span, and none without its times."""
    flat = {name: text for name, text in given.items() if not name.startswith("wanted.")}
    wall = wall_of(given.get("_zone"), visitor.user.time_zone)
    more: dict[str, object] = {"schedule_id": schedule_id}
    asked = {name: given.get(f"wanted.{name}", "") for name in ("starts_at", "ends_at")}
    if any(asked.values()):
        try:
            more["wanted"] = {name: wall.read(text).isoformat() for name, text in asked.items()}
        except (ValueError, OverflowError):
            raise FormFault(dict(given), {"wanted.starts_at": span_form.NO_TIME}) from None
    body = span_form.shaped(
        ShiftRequestCreate, flat, times=SPANS, more=more, fallback=visitor.user.time_zone
    )
    return Wish(
        body.schedule_id,
        Interval(body.starts_at, body.ends_at),
        None if body.wanted is None else body.wanted.interval(),
        body.asked_of,
        body.message,
    )


async def _form(
    request: Request,
    visitor: Visitor,
    service: Service,
    schedule_id: int,
    given: Mapping[str, str],
    errors: Mapping[str, str],
) -> Response:
    async with service.database.reading() as session:
        schedule = await schedule_service.require(session, schedule_id)
        offered = await choices.offered(session, now=visitor.now)
    others = [one for one in offered.users if one.id != visitor.user.id]
    return render(
        request,
        visitor,
        "schedules/ask.html",
        status=422 if errors else 200,
        schedule=schedule,
        given=given,
        errors=errors,
        wall=wall_of(visitor.user.time_zone),
        people=listing.people(others)[1:],
    )
