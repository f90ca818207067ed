"""Who is on call: every question that a program asks goes through here.

Whoever was deactivated or deleted stays in the schedule, where the checks find them, but is on
call for nobody: a page goes to those who can take it.
"""

from collections.abc import Collection
from datetime import datetime

from app.crud import crud_schedule, crud_user
from app.db.session import ReadSession
from app.domain import on_call as engine
from app.domain.timeline import Interval


async def who(
    session: ReadSession, schedule_ids: Collection[int], *, at: datetime
) -> dict[int, tuple[int, ...]]:
    """The active people on call by each schedule at an instant; a schedule that is not there is
    left out, one with nobody on call is empty."""
    during = Interval(at, at + engine.INSTANT)
    schedules = await crud_schedule.load(session, schedule_ids, during=during)
    found = {number: engine.on_call(schedule, at) for number, schedule in schedules.items()}
    named = {user_id for people in found.values() for user_id in people}
    users = await crud_user.by_ids(session, named)
    return {
        number: tuple(one for one in people if one in users and users[one].is_active)
        for number, people in found.items()
    }
