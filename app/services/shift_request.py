"""Cover and swaps: asked for, taken, declined, called off, given back.

Whoever changes what is on call holds the schedule, and after it the request: of two who take one
at once the second sees who was first. What a request gives away must still be so when it is taken;
an edit of the schedule that took the shift away has made it stale.
"""

from collections.abc import Sequence
from datetime import datetime

from app.core.errors import ConflictError, ForbiddenError, NotFoundError
from app.crud import crud_schedule, crud_shift_request, crud_user
from app.db.session import ReadSession, WriteSession
from app.domain import schedule as engine
from app.domain import shift_request as rules
from app.domain.notification import NotificationKind
from app.domain.shift_request import RequestStatus
from app.domain.timeline import Interval
from app.domain.user import Permission
from app.models import Schedule, ScheduleOverride, ShiftRequest, User
from app.services import duty_letter
from app.services import schedule as schedule_service
from app.services import schedule_override as override_service
from app.services import shift_check as check
from app.services import user as user_service
from app.services.schedule_override import Instead
from app.services.shift_check import Wish

MOST_ASKED = 50  # of those whom a request to anybody is told
ORDINARY = "Cover that was asked for."
SWAPPED = "A swap."


class RequestSettledError(ConflictError):
    """It is open no longer; `details` says what became of it, and by whom."""

    code = "SHIFT_REQUEST_SETTLED"


class RequestStaleError(ConflictError):
    """The schedule was edited, and the shift is no longer theirs."""

    code = "SHIFT_REQUEST_STALE"


class RequestThereError(ConflictError):
    """Another open request gives away some of the same time."""

    code = "SHIFT_REQUESTED_ALREADY"


class NotYoursError(ForbiddenError):
    """Somebody else is to decide this."""

    code = "NOT_YOUR_SHIFT_REQUEST"


async def require(session: ReadSession, request_id: int) -> ShiftRequest:
    found = await crud_shift_request.get(session, request_id)
    if found is None:
        raise NotFoundError("shift request", request_id)
    return found


# --- Asking -------------------------------------------------------------------------------


async def ask(session: WriteSession, wish: Wish, *, by: User, now: datetime) -> ShiftRequest:
    """Ask somebody, or anybody, to take a shift of one's own; they are told."""
    schedule = await schedule_service.held(session, wish.schedule_id)
    given = check.ahead(wish, now)
    if wish.asked_of is not None:
        await check.require_able(session, wish.asked_of, by)
    doubled = await crud_shift_request.open_within(session, schedule.id, by.id, given)
    if doubled is not None:
        raise RequestThereError(
            f"Your request {doubled.id} gives away some of this time already; cancel it first.",
            shift_request_id=doubled.id,
        )
    rota = await check.loaded(session, schedule, given, wish.wanted)
    check.require_on_call(rota.stretches, by.id, "You are", given, schedule)
    if wish.wanted is not None and wish.asked_of is not None:
        check.require_on_call(rota.stretches, wish.asked_of, "They are", wish.wanted, schedule)
        check.require_free(rota.stretches, wish.asked_of, "They are", given)
        check.require_free(rota.stretches, by.id, "You are", wish.wanted)
    request = ShiftRequest(
        schedule_id=schedule.id,
        kind=wish.kind,
        status=RequestStatus.OPEN,
        asked_by=by.id,
        asked_of=wish.asked_of,
        starts_at=given.starts_at,
        ends_at=given.ends_at,
        wanted_from=wish.wanted.starts_at if wish.wanted else None,
        wanted_until=wish.wanted.ends_at if wish.wanted else None,
        message=wish.message,
        expires_at=rules.expires_at(wish.kind, given, wish.wanted),
        revision=1,
        created_at=now,
        updated_at=now,
    )
    await crud_shift_request.add(session, request)
    asked = [wish.asked_of] if wish.asked_of is not None else sorted(engine.everyone(rota.whole))
    people = [user_id for user_id in asked if user_id != by.id][:MOST_ASKED]
    facts = _facts(request, schedule, by.display_name)
    await duty_letter.tell(
        session,
        NotificationKind.SHIFT_REQUESTED,
        dict.fromkeys(people, facts),
        good_until=request.expires_at,
        now=now,
    )
    return request


# --- Answering ----------------------------------------------------------------------------


async def take(session: WriteSession, request_id: int, *, by: User, now: datetime) -> ShiftRequest:
    """Take the shift, or what is left of it: from here on the schedule says so."""
    request, schedule = await _held(session, request_id)
    if by.id == request.asked_by:
        raise NotYoursError("It is your own request; cancel it if you keep the shift.")
    _require_asked(request, by)
    await _require_open(session, request, now)
    given = Interval(max(request.starts_at, now), request.ends_at)
    rota = await check.loaded(session, schedule, given, request.wanted)
    if not check.still_holds(rota.stretches, request, given, by.id):
        raise RequestStaleError(
            "The schedule was edited since, and the shift is not as it was asked for; look at the"
            " schedule, and have it asked for anew.",
            shift_request_id=request.id,
        )
    check.require_free(rota.stretches, by.id, "You are", given)
    if request.wanted is not None:
        check.require_free(rota.stretches, request.asked_by, "They are", request.wanted)
    why = ORDINARY if request.wanted is None else SWAPPED
    made = await override_service.put(
        session,
        schedule.id,
        [
            Instead(one.user_id, one.starts_at, one.ends_at, one.replaces, why)
            for one in rules.overrides(request.asked_by, by.id, given, request.wanted)
        ],
        by=by,
        now=now,
    )
    request.taken_by = by.id
    request.override_id = made[0].id
    request.return_override_id = made[1].id if len(made) > 1 else None
    request.settle(RequestStatus.TAKEN, now=now)
    what = "takes your shift" if request.wanted is None else "swaps with you"
    await _answer(session, request, schedule, [request.asked_by], f"{by.display_name} {what}", now)
    return request


async def decline(
    session: WriteSession, request_id: int, *, by: User, now: datetime
) -> ShiftRequest:
    """Say no to what one was asked by name; whoever asked is told."""
    request, schedule = await _held(session, request_id)
    if request.asked_of is None:
        raise NotYoursError("It asks anybody, so nobody needs to decline it; leave it to others.")
    _require_asked(request, by)
    await _require_open(session, request, now)
    request.settle(RequestStatus.DECLINED, now=now)
    said = f"{by.display_name} declines"
    await _answer(session, request, schedule, [request.asked_by], said, now)
    return request


async def cancel(
    session: WriteSession, request_id: int, *, by: User, now: datetime
) -> ShiftRequest:
    """Call off an open request of one's own, or as an admin anybody's."""
    request, schedule = await _held(session, request_id)
    if by.id != request.asked_by and not by.may(Permission.ADMINISTER):
        raise NotYoursError("Only whoever asked, or an admin, may call it off.")
    await _require_open(session, request, now)
    request.settle(RequestStatus.CANCELLED, now=now)
    if request.asked_of is not None:
        said = f"{by.display_name} calls it off"
        await _answer(session, request, schedule, [request.asked_of], said, now)
    return request


async def give_back(
    session: WriteSession, request_id: int, *, by: User, now: datetime
) -> ShiftRequest:
    """Undo what was taken, from now on.

    Before any of it begins either of the two may; once cover has begun only whoever gets the shift
    back, because nobody shall find themselves on call in the middle of a night; a swap that has
    begun is carried through.
    """
    request, schedule = await _held(session, request_id)
    if by.id not in (request.asked_by, request.taken_by):
        raise NotYoursError("Only the two whom it concerns may give it back.")
    if request.status is not RequestStatus.TAKEN:
        raise await _settled(session, request)
    _require_not_begun(request, by, now)
    for number in (request.override_id, request.return_override_id):
        if number is not None:
            await override_service.take_back(
                session, ScheduleOverride, schedule.id, number, by=by, now=now
            )
    request.settle(RequestStatus.GIVEN_BACK, now=now)
    if request.taken_by is not None:
        other = request.taken_by if by.id == request.asked_by else request.asked_by
        said = f"{by.display_name} gives it back"
        if by.id == request.asked_by:
            said = f"{by.display_name} takes their shift back"
        await _answer(session, request, schedule, [other], said, now)
    return request


def _require_not_begun(request: ShiftRequest, by: User, now: datetime) -> None:
    begins = min(part.starts_at for part in (request.given, request.wanted) if part is not None)
    if begins > now:
        return
    if request.wanted is not None:
        why = "The swap has begun; ask for cover of what you cannot do."
    elif request.ends_at <= now:
        why = "The shift is over."
    elif by.id != request.asked_by:
        why = "The shift has begun, so only its owner may take it back; ask for cover."
    else:
        return
    raise RequestSettledError(why, status=request.status)


# --- What nobody answers ------------------------------------------------------------------


async def expire(session: WriteSession, *, now: datetime, limit: int) -> int:
    """Settle open requests that nobody can take any more; their askers are told."""
    requests = await crud_shift_request.lock_expired(session, now=now, limit=limit)
    for request in requests:
        request.settle(RequestStatus.EXPIRED, now=now)
        schedule = await crud_schedule.get(session, request.schedule_id)
        if schedule is not None:
            said = "Nobody took your shift in time"
            await _answer(session, request, schedule, [request.asked_by], said, now)
    return len(requests)


async def settle_stale(
    session: WriteSession,
    requests: Sequence[ShiftRequest],
    rotas: dict[int, engine.Schedule],
    *,
    now: datetime,
) -> None:
    """Settle those whose shift an edit took away; their askers are told."""
    for request in requests:
        rota = rotas.get(request.schedule_id)
        given = Interval(max(request.starts_at, now), request.ends_at)
        if given.starts_at >= given.ends_at:
            continue
        if rota is not None:
            stretches = engine.render(rota, check.around(given, request.wanted))
            if check.still_holds(stretches, request, given, request.asked_of):
                continue
        request.settle(RequestStatus.STALE, now=now)
        schedule = await crud_schedule.get(session, request.schedule_id)
        if schedule is not None:
            said = "The schedule was edited, so your request is void"
            await _answer(session, request, schedule, [request.asked_by], said, now)


# --- What all of them need ----------------------------------------------------------------


async def _held(session: WriteSession, request_id: int) -> tuple[ShiftRequest, Schedule]:
    """The request and its schedule, both held: the schedule first, as whoever edits it does."""
    seen = await require(session, request_id)
    schedule = await schedule_service.held(session, seen.schedule_id)
    request = await crud_shift_request.lock(session, request_id)
    if request is None:
        raise NotFoundError("shift request", request_id)
    return request, schedule


def _require_asked(request: ShiftRequest, by: User) -> None:
    if request.asked_of is not None and request.asked_of != by.id:
        raise NotYoursError("Somebody else was asked; whoever asked can ask you, too.")


async def _require_open(session: ReadSession, request: ShiftRequest, now: datetime) -> None:
    if request.status is not RequestStatus.OPEN:
        raise await _settled(session, request)
    if request.expires_at <= now:
        raise RequestSettledError(
            "Its time is over; ask anew for what is still to come.", status=RequestStatus.EXPIRED
        )


async def _settled(session: ReadSession, request: ShiftRequest) -> RequestSettledError:
    taker = await crud_user.get(session, request.taken_by) if request.taken_by else None
    told = {
        RequestStatus.OPEN: "nobody has taken it yet; cancel it instead",
        RequestStatus.TAKEN: f"{taker.display_name if taker else 'somebody'} has taken it",
        RequestStatus.DECLINED: "it was declined",
        RequestStatus.CANCELLED: "it was called off",
        RequestStatus.EXPIRED: "its time is over",
        RequestStatus.STALE: "the schedule was edited since",
        RequestStatus.GIVEN_BACK: "it was given back",
    }[request.status]
    return RequestSettledError(
        f"This cannot be done: {told}.", status=request.status, taken_by=request.taken_by
    )


async def _answer(
    session: WriteSession,
    request: ShiftRequest,
    schedule: Schedule,
    people: Sequence[int],
    outcome: str,
    now: datetime,
) -> None:
    asker = await user_service.recall(session, request.asked_by)
    facts = {**_facts(request, schedule, asker.display_name), "outcome": outcome}
    await duty_letter.tell(
        session,
        NotificationKind.SHIFT_ANSWERED,
        dict.fromkeys(people, facts),
        good_until=None,
        now=now,
    )


def _facts(request: ShiftRequest, schedule: Schedule, asker: str) -> dict[str, object]:
    wanted = request.wanted
    return {
        "schedule": schedule.name,
        "request_id": request.id,
        "asker": asker,
        "given": [request.starts_at.isoformat(), request.ends_at.isoformat()],
        "wanted": None if wanted is None else [one.isoformat() for one in wanted],
        "message": request.message,
    }
