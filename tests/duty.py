"""What tests of being on call share: a schedule in few words, overrides, the loop of notices."""

from datetime import UTC, datetime, timedelta
from typing import Any

from app.db.session import transaction_time
from app.services import schedule as schedule_service
from app.services import schedule_override as override_service
from app.services import user as user_service
from app.services.on_call import who
from app.services.schedule_override import Instead
from app.worker.notices import Notices
from tests.world import Person, World


async def midnight(world: World, *, days: int = 1) -> datetime:
    """Midnight in UTC, so many days on."""
    now = await world.clock.now()
    return datetime(now.year, now.month, now.day, tzinfo=UTC) + timedelta(days=days)


async def move_to(world: World, at: datetime) -> None:
    """Let it be then."""
    world.clock.forward(seconds=(at - await world.clock.now()).total_seconds())


async def schedule(
    world: World,
    *people: Person,
    kind: str = "daily",
    anchor: datetime | None = None,
    name: str = "Primary",
    time_zone: str = "UTC",
) -> int:
    """People who take turns from midnight on, since today unless told otherwise."""
    first = anchor or await midnight(world, days=0)
    rotation = {
        "kind": kind,
        "every": 1,
        "handoff": first.strftime("%Y-%m-%dT%H:%M"),
        "participants": [person.id for person in people],
    }
    fields: dict[str, Any] = {
        "name": name,
        "time_zone": time_zone,
        "layers": [{"rotation": rotation}],
    }
    keeper = await _keeper(world)
    async with world.database.writing() as session:
        now = await transaction_time(session)
        user = await user_service.require(session, keeper)
        made = await schedule_service.create(session, fields, allow_gaps=True, by=user, now=now)
        return made.id


async def _keeper(world: World) -> int:
    """An admin: whoever there is, else somebody new."""
    found = await world.sql("SELECT id FROM users WHERE role = 'admin' LIMIT 1")
    return int(found[0][0]) if found else (await world.admin("keeper@example.org")).id


async def override(
    world: World,
    schedule_id: int,
    by: Person,
    who: Person,
    since: datetime,
    until: datetime,
    replaces: Person | None = None,
) -> int:
    """Put somebody on call instead."""
    instead = Instead(who.id, since, until, replaces.id if replaces else None)
    async with world.database.writing() as session:
        now = await transaction_time(session)
        user = await user_service.require(session, by.id)
        [made] = await override_service.put(session, schedule_id, [instead], by=user, now=now)
        return made.id


async def on_call(world: World, schedule_id: int, at: datetime) -> list[int]:
    """Who is on call then, as the schedule says now."""
    async with world.database.reading() as session:
        return list((await who(session, [schedule_id], at=at))[schedule_id])


async def turn(world: World) -> None:
    """One whole turn of the loop: look, plan, tell what is due."""
    notices = Notices(world.database)
    for _ in range(20):
        if (await notices.round()) != timedelta():
            return


async def told(world: World, person: Person) -> list[str]:
    """The kinds of messages about duty that were promised to somebody, in their order."""
    rows = await world.sql(
        "SELECT kind FROM notifications WHERE user_id = :id AND (kind LIKE 'duty%'"
        " OR kind LIKE 'shift%') ORDER BY id",
        id=person.id,
    )
    return [kind for (kind,) in rows]
