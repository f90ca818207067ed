"""Taking the pager now, and giving it back: an override of everybody from this moment on.

Whoever takes it is on call alone. It is an override like any other: the later one wins, those who
are relieved are told, and a page goes to whoever is on call when its step is due.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.core.errors import ConflictError, InvalidInputError
from app.crud import crud_schedule, crud_shift_request
from app.db.session import WriteSession
from app.domain import on_call
from app.domain import schedule as engine
from app.domain.timeline import Interval
from app.models import ScheduleOverride, User
from app.services import schedule as schedule_service
from app.services import schedule_override as override_service
from app.services.schedule_override import Instead
from app.services.shift_check import AlreadyOnCallError

LONGEST = timedelta(days=31)
TAKEN = "Took the pager."


class NoHandoffError(InvalidInputError):
    """Nobody comes on call soon, so somebody has to say when it ends."""

    code = "NO_HANDOFF_AHEAD"


class PagerNotTakenError(ConflictError):
    """Whoever gives it back has not taken it, or it was over."""

    code = "PAGER_NOT_TAKEN"


@dataclass(frozen=True)
class Taken:
    """The override by which somebody has the pager, and whom it relieves."""

    override: ScheduleOverride
    relieved: tuple[int, ...]


async def take(
    session: WriteSession, schedule_id: int, *, until: datetime | None, by: User, now: datetime
) -> Taken:
    """Put whoever asks on call from now on, alone, until then or until the next hand-off."""
    schedule = await schedule_service.held(session, schedule_id)
    during = Interval(now, now + LONGEST)
    rota = (await crud_schedule.load(session, [schedule_id], during=during))[schedule_id]
    present = on_call.on_call(rota, now)
    if until is None:
        until = _next_handoff(rota, now)
    if until <= now or until - now > LONGEST:
        raise InvalidInputError(
            f"It must end after now, and within {LONGEST.days} days.", field="until"
        )
    there = engine.render(rota, Interval(now, until))
    if [stretch[1:] for stretch in there] == [(until, (by.id,))]:
        raise AlreadyOnCallError(
            f"You are on call on “{schedule.name}” until then already, alone.",
            user_id=by.id,
            ends_at=until.isoformat(),
        )
    instead = Instead(by.id, now, until, reason=TAKEN)
    [override] = await override_service.put(session, schedule_id, [instead], by=by, now=now)
    return Taken(override, tuple(user_id for user_id in present if user_id != by.id))


def _next_handoff(rota: engine.Schedule, now: datetime) -> datetime:
    change = on_call.next_change(rota, now, horizon=LONGEST)
    if change is None:
        raise NoHandoffError(
            f"There is no hand-off within {LONGEST.days} days; say `until` or `for_minutes`.",
            field="until",
        )
    return change.at


async def give_back(
    session: WriteSession, schedule_id: int, *, by: User, now: datetime
) -> tuple[int, ...]:
    """End what one has taken; who is on call from now on, by what the schedule says."""
    schedule = await schedule_service.held(session, schedule_id)
    running = await crud_shift_request.running_takes(session, schedule_id, by.id, at=now)
    if not running:
        raise PagerNotTakenError(
            f"You have not taken the pager of “{schedule.name}”, or its time is over; there is"
            " nothing to give back."
        )
    for override in running:
        await override_service.take_back(
            session, ScheduleOverride, schedule_id, override.id, by=by, now=now
        )
    await crud_shift_request.flush(session)
    during = Interval(now, now + on_call.INSTANT)
    rota = (await crud_schedule.load(session, [schedule_id], during=during))[schedule_id]
    return on_call.on_call(rota, now)
