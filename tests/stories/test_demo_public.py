"""The public side of the demo: made with it, made anew with it, and never on a page of others."""

import pytest

from app.crud import crud_demo
from app.demo import show
from app.services import public_history, public_page
from app.services.subscriber_keys import Keys
from tests.world import World

pytestmark = pytest.mark.timeout(300)  # a demo is some thousand statements


async def make(world: World, *, anew: bool = False) -> show.Made:
    seals = Keys(world.service.signer, world.service.vault)
    return await show.make(world.database, world.service.passwords, seals, anew=anew, beside=True)


async def seen(world: World) -> public_page.PublicPage:
    async with world.database.reading() as session:
        return await public_page.picture(session, now=await world.clock.now())


async def test_the_public_sees_a_page_worth_looking_at(world: World) -> None:
    await make(world)
    page = await seen(world)
    assert page.page.name == "Example Shop"
    assert [one.name for one in page.components()] == [
        "Checkout", "Card payments", "Search", "Product images"
    ]  # fmt: skip
    assert [one.title for one in page.incidents] == ["Search shows old results"]
    assert page.headline == "Search is slower than usual."
    assert [one.status for one in page.maintenances] == ["scheduled"]
    days = [day for one in page.components() for day in one.days]
    assert {"degraded_performance", "operational"} <= {str(day.status) for day in days}
    assert any(one.uptime is not None and one.uptime < 100 for one in page.components())
    async with world.database.reading() as session:
        told = await public_history.newest(session)
    assert len(told) > 4
    assert len([one for one in told if one.postmortem]) == 1
    assert all(one.started_at <= one.updated_at for one in told)


async def test_made_anew_it_is_the_same_page_once(world: World) -> None:
    await make(world)
    before = await seen(world)
    world.clock.forward(days=2)
    await make(world, anew=True)
    after = await seen(world)
    assert [one.name for one in after.components()] == [one.name for one in before.components()]
    assert len(after.incidents) == len(before.incidents)
    assert len(after.maintenances) == 1
    assert {day.status for one in after.components() for day in one.days[-20:]} <= {
        "operational", "degraded_performance", "partial_outage", "major_outage"
    }  # fmt: skip


async def test_a_page_of_somebody_else_is_left_alone(world: World) -> None:
    admin = await world.admin()
    body = {"name": "Ours"}
    await world.call("POST", "/v1/status-page/components", admin, expect=201, json=body)
    await make(world)
    page = await seen(world)
    assert [one.name for one in page.components()] == ["Ours"]
    assert (page.page.name, page.incidents) == ("Status", ())
    async with world.database.reading() as session:
        assert not [key for key in await crud_demo.marks(session) if key[0] == "component"]
