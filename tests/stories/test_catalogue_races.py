"""What names something, saved while that something goes: nothing ever names what is not there.

Two connections each time. Whoever comes first holds it until commit; whoever comes second waits,
and is told what is so by then.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from app.core.errors import TocsinError
from app.db.session import WriteSession, transaction_time
from app.services import calendar as calendar_service
from app.services import policy as policy_service
from app.services import schedule as schedule_service
from app.services import service as service_service
from app.services import team as team_service
from app.services import user as user_service
from tests.api.rotas import schedule, weekly
from tests.calendar_files import ics
from tests.world import Person, World

Work = Callable[[WriteSession], Awaitable[object]]
WAITS = (
    "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


@pytest.fixture
async def admin(world: World) -> Person:
    return await world.admin()


@asynccontextmanager
async def before(world: World, first: Work) -> AsyncIterator[list[asyncio.Task[str]]]:
    """What is begun in this block meets work that is done and not committed yet."""
    started: list[asyncio.Task[str]] = []
    async with world.database.writing() as session:
        await first(session)
        yield started
        async with asyncio.timeout(10):
            while not await world.sql(WAITS):
                assert not any(task.done() for task in started), "it did not wait"


async def outcome(world: World, work: Work) -> str:
    """How it ends in a transaction that is not run again: the code of the refusal, or `done`."""
    try:
        async with world.database.writing() as session:
            await work(session)
    except TocsinError as error:
        return error.code
    return "done"


async def meet(world: World, first: Work, second: Work) -> str:
    """How the second ends, which begins before the first is committed."""
    async with before(world, first) as started:
        started.append(asyncio.create_task(outcome(world, second)))
    return await started[0]


# --- One name ---------------------------------------------------------------------------------


def makes_service(person: Person, **fields: Any) -> Work:
    async def work(session: WriteSession) -> None:
        by, now = await user_service.require(session, person.id), await transaction_time(session)
        said = {"name": "checkout", "team_id": None, **fields}
        await service_service.create(session, said, by=by, now=now)

    return work


def makes_schedule(person: Person, **fields: Any) -> Work:
    async def work(session: WriteSession) -> None:
        by, now = await user_service.require(session, person.id), await transaction_time(session)
        said = {"name": "Databases", "time_zone": "UTC", "layers": [], "holidays": [], **fields}
        await schedule_service.create(session, said, allow_gaps=True, by=by, now=now)

    return work


def makes_team(_: Person) -> Work:
    async def work(session: WriteSession) -> None:
        fields = {"name": "Payments", "time_zone": "UTC"}
        await team_service.create(session, fields, now=await transaction_time(session))

    return work


@pytest.mark.parametrize(
    ("makes", "code"),
    [
        (makes_service, "SERVICE_NAME_TAKEN"),
        (makes_schedule, "SCHEDULE_NAME_TAKEN"),
        (makes_team, "TEAM_NAME_TAKEN"),
    ],
)
async def test_who_takes_a_name_second_waits_and_is_told_that_it_is_taken(
    world: World, admin: Person, makes: Callable[[Person], Work], code: str
) -> None:
    """And does not run into the index, which no request can be run again for endlessly."""
    assert await meet(world, makes(admin), makes(admin)) == code


# --- What is named goes -----------------------------------------------------------------------


def removes_schedule(person: Person, number: int) -> Work:
    async def work(session: WriteSession) -> None:
        by, now = await user_service.require(session, person.id), await transaction_time(session)
        await schedule_service.remove(session, number, by=by, now=now)

    return work


def makes_policy(person: Person, target: dict[str, int]) -> Work:
    async def work(session: WriteSession) -> None:
        actions = [{"type": "notify", "target": target}]
        fields = {"name": "Nights", "steps": [{"delay_minutes": 0, "actions": actions}]}
        now = await transaction_time(session)
        await policy_service.create(session, fields, lambda _: None, now=now)

    return work


async def a_schedule(world: World, admin: Person) -> int:
    return int((await schedule(world, admin, weekly(admin.id)))["id"])


async def test_a_service_cannot_name_a_schedule_that_is_just_being_deleted(
    world: World, admin: Person
) -> None:
    number = await a_schedule(world, admin)
    names = makes_service(admin, schedule_id=number)
    assert await meet(world, removes_schedule(admin, number), names) == "INVALID_SERVICE"
    assert await world.sql("SELECT 1 FROM services") == []


async def test_a_schedule_cannot_go_that_a_service_is_just_being_given(
    world: World, admin: Person
) -> None:
    number = await a_schedule(world, admin)
    names = makes_service(admin, schedule_id=number)
    assert await meet(world, names, removes_schedule(admin, number)) == "SCHEDULE_IN_USE"


async def test_a_policy_cannot_name_a_schedule_that_is_just_being_deleted(
    world: World, admin: Person
) -> None:
    number = await a_schedule(world, admin)
    names = makes_policy(admin, {"schedule": number})
    assert await meet(world, removes_schedule(admin, number), names) == "INVALID_POLICY"
    assert await world.sql("SELECT 1 FROM escalation_policies") == []


async def test_a_schedule_cannot_go_that_a_policy_is_just_being_given(
    world: World, admin: Person
) -> None:
    number = await a_schedule(world, admin)
    names = makes_policy(admin, {"schedule": number})
    assert await meet(world, names, removes_schedule(admin, number)) == "SCHEDULE_IN_USE"


async def test_a_policy_and_the_team_that_it_pages_meet_likewise(
    world: World, admin: Person
) -> None:
    async def removes(session: WriteSession) -> None:
        await team_service.remove(session, team["id"])

    team = await world.call("POST", "/v1/teams", admin, expect=201, json={"name": "Payments"})
    names = makes_policy(admin, {"team": team["id"]})
    assert await meet(world, names, removes) == "TEAM_IN_USE"
    await world.sql("DELETE FROM escalation_policies")
    assert await meet(world, removes, names) == "INVALID_POLICY"


async def test_a_schedule_and_the_calendar_that_it_follows_meet_likewise(
    world: World, admin: Person
) -> None:
    async def removes(session: WriteSession) -> None:
        now = await transaction_time(session)
        await calendar_service.remove(session, holidays["id"], now=now)

    body = {
        "name": "Holidays",
        "kind": "holidays",
        "time_zone": "UTC",
        "ical": ics("UID:1\nDTSTART;VALUE=DATE:20270101\nSUMMARY:New year").decode(),
    }
    holidays = await world.call("POST", "/v1/calendars", admin, expect=201, json=body)
    names = makes_schedule(admin, holidays=[holidays["id"]])
    assert await meet(world, names, removes) == "CALENDAR_IN_USE"
    await world.sql("UPDATE schedules SET holidays = '[]'")
    renamed = makes_schedule(admin, name="Others", holidays=[holidays["id"]])
    assert await meet(world, removes, renamed) == "INVALID_SCHEDULE"
