"""What the status page costs: a fixed number of statements, and indexes where there is much."""

from sqlalchemy import text

from app.db.session import Database, transaction_time
from app.services import public_page
from tests.api.publishing import a_component, hitting, publish
from tests.crud.test_heartbeat_cost import counted_statements
from tests.world import World


async def _statements(database: Database) -> int:
    async with database.reading() as session:
        now = await transaction_time(session)
        with counted_statements(database) as sent:
            await public_page.picture(session, now=now)
    return len(sent)


async def test_a_picture_costs_as_many_statements_however_much_is_on_it(world: World) -> None:
    admin = await world.admin()
    component = await a_component(world, admin)
    await publish(
        world, admin, await world.declare(admin), components=hitting("major_outage", component)
    )
    few = await _statements(world.database)
    for number in range(5):
        other = await a_component(world, admin, f"Part {number}")
        await publish(
            world, admin, await world.declare(admin), components=hitting("partial_outage", other)
        )
    assert await _statements(world.database) == few


async def test_years_of_history_are_not_read_for_ninety_days(world: World) -> None:
    admin = await world.admin()
    component = await a_component(world, admin)
    await world.sql(
        "INSERT INTO component_spells (component_id, status, starts_at, ends_at)"
        " SELECT :id, 'major_outage', now() - interval '10 years' + n * interval '1 hour',"
        " now() - interval '10 years' + n * interval '1 hour' + interval '30 minutes'"
        " FROM generate_series(1, 40000) n",
        id=component["id"],
    )
    async with world.database.reading() as session:
        await session.execute(text("SELECT 1"))
        now = await transaction_time(session)
        drawn = await public_page.picture(session, now=now)
    [shown] = drawn.components()
    assert shown.uptime == 100.0
