"""What leaves for a drill says so, all the way from the row to the channel."""

from tests.api.test_fire_drills import drill
from tests.worker.lanes import FEW, lane, pass_time
from tests.world import Scripted, World


async def test_the_message_of_a_drill_is_marked(world: World) -> None:
    admin = await world.admin()
    mail = Scripted()
    await drill(world, admin)
    await world.pass_time(mail)
    (message,) = mail.messages
    assert message.subject.startswith("FIRE DRILL: does a page reach admin@example.org?")
    assert message.text.startswith("FIRE DRILL")
    assert message.data["data"]["is_drill"] is True


async def test_the_message_of_an_incident_is_not(world: World) -> None:
    admin = await world.admin()
    mail = Scripted()
    await world.declare(admin, title="Fire drill: no, a fire")
    await world.pass_time(mail)
    (message,) = mail.messages
    assert "FIRE DRILL" not in message.subject + message.text
    assert message.data["data"]["is_drill"] is False


async def test_many_drills_are_never_told_as_one(world: World) -> None:
    """A drill that waits in a bundle would be answered late for no reason."""
    admin = await world.admin()
    mail = Scripted()
    for _ in range(FEW.pages + 3):
        await drill(world, admin)
    await pass_time(world, lane(world, mail, FEW))
    assert len(mail.messages) == FEW.pages + 3
