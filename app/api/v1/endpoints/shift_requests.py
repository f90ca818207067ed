"""Cover and swaps: ask for one, take it, decline it, call it off, give it back."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from app.api.deps import KeyPath, Now, Paging, Reader, ReadSession, Responder, WriteSession
from app.api.errors import answers
from app.api.etags import CONDITIONAL, NOT_MODIFIED
from app.api.idempotency import Once, replays
from app.api.resource_route import ResourceRoute
from app.core.paging import BIGGEST_KEY
from app.crud import crud_shift_request
from app.crud.crud_shift_request import RequestFilter
from app.domain.shift_request import RequestStatus
from app.domain.timeline import Interval
from app.models import ShiftRequest
from app.schemas.base import PageRead
from app.schemas.shift_request import ShiftRequestCreate, ShiftRequestRead
from app.services import shift_request as shift_request_service
from app.services.shift_check import Wish

router = APIRouter(prefix="/shift-requests", tags=["being on call"], route_class=ResourceRoute)

SETTLING = answers(401, 403, 404, 409, 422)


@router.get("", response_model=PageRead[ShiftRequestRead], responses=answers(401, 422))
async def list_shift_requests(
    session: ReadSession,
    paging: Paging,
    _: Reader,
    schedule_id: Annotated[int | None, Query(ge=1, le=BIGGEST_KEY)] = None,
    user_id: Annotated[
        int | None,
        Query(ge=1, le=BIGGEST_KEY, description="Who asked, was asked by name, or has taken it."),
    ] = None,
    status: Annotated[list[RequestStatus], Query(description="Any of these.")] = [],  # noqa: B006
) -> dict[str, Any]:
    """List cover that was asked for and swaps that were offered, newest first."""
    where = RequestFilter(schedule_id, user_id, status)
    return paging.shown(await crud_shift_request.list_page(session, where, paging.window))


@router.post(
    "",
    response_model=ShiftRequestRead,
    status_code=201,
    responses=answers(401, 403, 404, 409, 413, 422) | replays(ShiftRequestRead),
)
async def create_shift_request(
    session: WriteSession, body: ShiftRequestCreate, now: Now, user: Responder, _: Once
) -> ShiftRequest:
    """Ask somebody, or anybody, to take a shift of yours or a part of it; or offer a swap.

    Whoever is asked is told over their channels, not paged. Nothing changes until it is taken.
    """
    wish = Wish(
        body.schedule_id,
        Interval(body.starts_at, body.ends_at),
        None if body.wanted is None else body.wanted.interval(),
        body.asked_of,
        body.message,
    )
    return await shift_request_service.ask(session, wish, by=user, now=now)


@router.get(
    "/{request_id}",
    response_model=ShiftRequestRead,
    responses=answers(401, 404, 422) | NOT_MODIFIED,
    dependencies=CONDITIONAL,
)
async def read_shift_request(session: ReadSession, request_id: KeyPath, _: Reader) -> ShiftRequest:
    """Read one request, and what became of it."""
    return await shift_request_service.require(session, request_id)


@router.post("/{request_id}/take", response_model=ShiftRequestRead, responses=SETTLING)
async def take_shift_request(
    session: WriteSession, request_id: KeyPath, now: Now, user: Responder
) -> ShiftRequest:
    """Take the shift, or what is left of it; the schedule says so from here on.

    Of two who take it at once one wins; the other is refused and told by whom it was taken.
    """
    return await shift_request_service.take(session, request_id, by=user, now=now)


@router.post("/{request_id}/decline", response_model=ShiftRequestRead, responses=SETTLING)
async def decline_shift_request(
    session: WriteSession, request_id: KeyPath, now: Now, user: Responder
) -> ShiftRequest:
    """Say no to what you were asked by name."""
    return await shift_request_service.decline(session, request_id, by=user, now=now)


@router.post("/{request_id}/cancel", response_model=ShiftRequestRead, responses=SETTLING)
async def cancel_shift_request(
    session: WriteSession, request_id: KeyPath, now: Now, user: Responder
) -> ShiftRequest:
    """Call off an open request of your own; an admin may call off anybody's."""
    return await shift_request_service.cancel(session, request_id, by=user, now=now)


@router.post("/{request_id}/give-back", response_model=ShiftRequestRead, responses=SETTLING)
async def give_back_shift_request(
    session: WriteSession, request_id: KeyPath, now: Now, user: Responder
) -> ShiftRequest:
    """Undo what was taken, from now on.

    Until the shift begins either of the two may; after that only whoever gets it back. A swap of
    which one shift has begun is carried through.
    """
    return await shift_request_service.give_back(session, request_id, by=user, now=now)
