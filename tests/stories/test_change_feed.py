"""The change feed beside the timelines: each change once, with the incident as it is then."""

from typing import Any

from app.crud import crud_incident
from app.db.session import transaction_time
from app.domain.event import TOLD_AS
from app.domain.incident import TimelineType
from tests.world import World


async def told(world: World) -> list[Any]:
    return await world.sql(
        "SELECT incident_id, type, service, severity, data->>'entry' AS entry,"
        " data->>'description' AS description, data->>'title' AS title FROM events ORDER BY id"
    )


async def test_the_feed_tells_what_the_timelines_tell_and_in_their_order(world: World) -> None:
    """Alerts, people, ladders with all their actions, a storm on one key, a drill, a deletion."""
    admin = await world.admin()
    steps = [
        {"delay_minutes": 0, "actions": [{"type": "notify", "target": "admins"}]},
        {
            "delay_minutes": 5,
            "actions": [
                {"type": "assign", "target": "admins"},
                {"type": "comment", "text": "Still nobody."},
                {"type": "set_severity", "severity": "critical"},
            ],
        },
    ]
    body = {"name": "All", "steps": steps}
    await world.call("POST", "/v1/escalation/policies", admin, expect=201, json=body)
    key = await world.integration_key(admin)
    for n in range(3):
        await world.alert(key, dedup_key=f"disk {n % 2}")
    number = (await world.declare(admin))["id"]
    path = f"/v1/incidents/{number}"
    await world.climb()
    await world.pass_time(minutes=6)
    await world.call("PATCH", path, admin, json={"title": "Disk very full", "service": "db"})
    await world.act(admin, number, "snooze", json={"minutes": 5})
    await world.act(admin, number, "acknowledge")
    await world.act(admin, number, "resolve")
    await world.act(admin, number, "reopen")
    await world.alert(key, dedup_key="disk 0", status="resolved")
    await world.call("POST", "/v1/fire-drills", admin, expect=201, json={"message": "A drill."})
    await world.call("DELETE", f"{path}?confirm={number}", admin, expect=204)
    await world.act(admin, number, "restore")

    entries = await world.sql(
        "SELECT incident_id, event_type, description FROM timeline_events ORDER BY id"
    )
    expected = [
        (incident, TOLD_AS[TimelineType(kind)], kind, description)
        for incident, kind, description in entries
        if TOLD_AS[TimelineType(kind)]
    ]
    found = await told(world)
    for incident in {row.incident_id for row in found}:
        assert [
            (row.incident_id, row.type, row.entry, row.description)
            for row in found
            if row.incident_id == incident
        ] == [row for row in expected if row[0] == incident]
    assert len(found) == len(expected)
    assert {row.type for row in found} >= {
        "incident.created",
        "incident.escalated",
        "incident.assigned",
        "incident.commented",
        "incident.status_changed",
        "incident.updated",
        "incident.deleted",
    }
    # As it was when it happened.
    mine = [row for row in found if row.incident_id == number]
    edited = next(row for row in mine if row.title == "Disk very full")
    assert (edited.service, edited.title) == ("db", "Disk very full")
    assert (mine[0].service, mine[0].severity, mine[0].title) == ("database", "high", "Disk full")
    assert mine[-1].severity == "critical"


async def test_an_alert_that_joins_is_no_event(world: World) -> None:
    admin = await world.admin()
    key = await world.integration_key(admin)
    for _ in range(3):
        await world.alert(key)
    assert [row.type for row in await told(world)] == ["incident.created"]


async def test_what_is_rolled_back_was_never_told(world: World) -> None:
    admin = await world.admin()
    number = (await world.declare(admin))["id"]
    await world.call(
        "POST", f"/v1/incidents/{number}/snooze", admin, expect=422, json={"minutes": -1}
    )
    await world.act(admin, number, "resolve")
    refused = await world.act(admin, number, "acknowledge", expect=400)
    assert refused["code"] == "INVALID_STATUS_TRANSITION"
    assert [row.type for row in await told(world)][-1] == "incident.status_changed"
    assert len(await told(world)) == 2


async def test_it_tells_how_the_incident_is_after_the_change(world: World) -> None:
    """Whoever changes an object and tells of it in one breath need not think of the order."""
    admin = await world.admin()
    number = (await world.declare(admin))["id"]
    async with world.database.writing() as session:
        now = await transaction_time(session)
        incident = await crud_incident.lock(session, number)
        assert incident is not None
        incident.title = "New"
        entry = crud_incident.entry(number, TimelineType.EDITED, "It is new.", now=now)
        await crud_incident.tell(session, [entry])
    assert [row.title for row in await told(world)] == ["Disk full", "New"]
