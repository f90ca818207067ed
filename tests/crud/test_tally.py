"""The tally is where joining and resolving meet: whoever gets it first came first."""

from app.crud import crud_intake
from app.db.session import transaction_time
from tests.world import World


async def test_an_alert_does_not_join_an_incident_that_was_resolved_since_it_was_found(
    world: World,
) -> None:
    admin = await world.admin()
    key = await world.integration_key(admin)
    incident_id = (await world.alert(key))["incident_id"]  # found open …
    await world.act(admin, incident_id, "resolve")  # … and resolved before the alert is counted
    async with world.database.writing() as session:
        now = await transaction_time(session)
        assert await crud_intake.join_many(session, {incident_id: 1}, now=now) == set()
    assert (await world.call("GET", f"/v1/incidents/{incident_id}", admin))["alert_count"] == 1


async def test_an_alert_joins_an_incident_that_was_reopened(world: World) -> None:
    admin = await world.admin()
    key = await world.integration_key(admin)
    incident_id = (await world.alert(key))["incident_id"]
    await world.act(admin, incident_id, "resolve")
    await world.act(admin, incident_id, "reopen")
    assert (await world.alert(key))["outcome"] == "joined"
    assert (await world.call("GET", f"/v1/incidents/{incident_id}", admin))["alert_count"] == 2
