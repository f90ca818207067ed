"""What must be so for a shift to change hands: it is still to come, and theirs who give it away;
whoever takes it can, and is not on call then already."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.core.errors import ConflictError, InvalidInputError
from app.crud import crud_schedule, crud_user
from app.db.session import ReadSession
from app.domain import schedule as engine
from app.domain import shift_request as rules
from app.domain.shift_request import RequestKind
from app.domain.timeline import Interval, Stretch
from app.domain.user import Permission, may
from app.models import Schedule, ShiftRequest, User


class NotOnCallError(ConflictError):
    """Somebody is not on call when they would have to be; `details` says who and when."""

    code = "NOT_ON_CALL"


class AlreadyOnCallError(ConflictError):
    """Somebody is on call then already, and would stand in for two."""

    code = "ALREADY_ON_CALL"


class ShiftPastError(InvalidInputError):
    """What is to be given away is over, has begun, or is too long."""

    code = "SHIFT_NOT_AHEAD"


@dataclass(frozen=True)
class Wish:
    """What somebody wants: their shift taken, and for a swap another in return."""

    schedule_id: int
    given: Interval
    wanted: Interval | None = None
    asked_of: int | None = None
    message: str | None = None

    @property
    def kind(self) -> RequestKind:
        return RequestKind.COVER if self.wanted is None else RequestKind.SWAP


def ahead(wish: Wish, now: datetime) -> Interval:
    """What is given away, without what is past of it; a swap has not begun."""
    given, wanted = wish.given, wish.wanted
    for path, part in (("starts_at", given), ("wanted.starts_at", wanted)):
        if part is None:
            continue
        if part.ends_at - part.starts_at > rules.LONGEST:
            raise ShiftPastError(
                f"A request gives away {rules.LONGEST.days} days at most.", field=path
            )
        if part.ends_at <= now or (wanted is not None and part.starts_at <= now):
            what = "is over" if part.ends_at <= now else "has begun, so it cannot be swapped"
            raise ShiftPastError(f"The shift {what}; name one that is to come.", field=path)
    if wanted is not None and given.starts_at < wanted.ends_at and wanted.starts_at < given.ends_at:
        raise ShiftPastError(
            "The two shifts overlap; a swap is of two different times.", field="wanted.starts_at"
        )
    return Interval(max(given.starts_at, now), given.ends_at)


async def require_able(session: ReadSession, user_id: int, by: User) -> None:
    """Refuse to ask somebody who cannot be on call."""
    if user_id == by.id:
        raise InvalidInputError("You cannot ask yourself; name somebody else.", field="asked_of")
    asked = await crud_user.get(session, user_id)
    if asked is None or asked.deleted_at is not None:
        raise InvalidInputError(f"There is no user {user_id}.", field="asked_of")
    if not asked.is_active or not may(asked.role, Permission.RESPOND):
        why = "is deactivated" if not asked.is_active else "only looks on"
        raise InvalidInputError(
            f"{asked.display_name} {why} and cannot be on call; ask somebody else.",
            field="asked_of",
        )


@dataclass(frozen=True)
class Rota:
    """A schedule, and who is on call by it in the time that is asked about."""

    whole: engine.Schedule
    stretches: Sequence[Stretch]


async def loaded(
    session: ReadSession, schedule: Schedule, given: Interval, wanted: Interval | None
) -> Rota:
    """The schedule in the time of both shifts."""
    during = around(given, wanted)
    whole = (await crud_schedule.load(session, [schedule.id], during=during))[schedule.id]
    return Rota(whole, engine.render(whole, during))


def around(given: Interval, wanted: Interval | None) -> Interval:
    """One time that both shifts lie in."""
    if wanted is None:
        return given
    return Interval(min(given.starts_at, wanted.starts_at), max(given.ends_at, wanted.ends_at))


def still_holds(
    stretches: Sequence[Stretch], request: ShiftRequest, given: Interval, other: int | None
) -> bool:
    """Whether both are on call as the request says."""
    if not rules.is_on_call(stretches, request.asked_by, given):
        return False
    wanted = request.wanted
    return wanted is None or other is None or rules.is_on_call(stretches, other, wanted)


def require_on_call(
    stretches: Sequence[Stretch], user_id: int, who: str, during: Interval, schedule: Schedule
) -> None:
    """Refuse unless somebody is on call for all of a time."""
    if not rules.is_on_call(stretches, user_id, during):
        raise NotOnCallError(
            f"{who} not on call on “{schedule.name}” for all of that time; look at who is on call"
            " then, and name a shift or a part of one.",
            user_id=user_id,
            starts_at=during.starts_at.isoformat(),
            ends_at=during.ends_at.isoformat(),
        )


def require_free(stretches: Sequence[Stretch], user_id: int, who: str, during: Interval) -> None:
    """Refuse if somebody is on call for some of a time."""
    if not rules.is_free(stretches, user_id, during):
        raise AlreadyOnCallError(
            f"{who} on call then already, and nobody stands in for two.",
            user_id=user_id,
            starts_at=during.starts_at.isoformat(),
            ends_at=during.ends_at.isoformat(),
        )
