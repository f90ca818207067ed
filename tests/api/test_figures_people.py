"""Figures about people: what woke whom by their own clock, who was on call, what cried wolf."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.world import Person, World

SENT = """
    INSERT INTO notifications (kind, incident_id, escalation_id, loop, step, action, recipient,
        rule, channel, user_id, status, due_at, claimed_at, sent_at)
    SELECT 'page', e.incident_id, e.id, :turn, 0, 0, 'user:' || u.id, 0, 'email', u.id, 'sent',
        at, at, at
    FROM escalations e, users u, CAST(CAST(:at AS text) AS timestamptz) at
    WHERE e.incident_id = :incident AND u.id = :who LIMIT 1
"""
SPAN = {"since": "2026-03-01T00:00:00Z", "until": "2026-04-01T00:00:00Z"}


async def people(world: World, who: Person, **params: Any) -> dict[str, dict[str, Any]]:
    rows = (await world.call("GET", "/v1/figures/pages", who, params={**SPAN, **params}))["rows"]
    return {row["name"]: row for row in rows}


async def sent(world: World, incident: int, who: Person, *times: str) -> None:
    for turn, at in enumerate(times):
        await world.sql(SENT, incident=incident, who=who.id, at=at, turn=1_000 * who.id + turn)


async def test_nights_and_weekends_are_those_of_the_person(world: World) -> None:
    admin = await world.admin()
    await world.policy(admin, [(60, {"user": admin.id})])
    number = (await world.declare(admin))["id"]
    ana = await world.person("ana@example.org", full_name="Ana", time_zone="Europe/Berlin")
    kai = await world.person("kai@example.org", full_name="Kai", time_zone="Pacific/Auckland")
    # A Friday evening in Berlin is a Saturday morning in Auckland.
    times = ("2026-03-06T21:01:00Z", "2026-03-06T21:05:00Z", "2026-03-06T21:40:00Z")
    await sent(world, number, ana, *times)
    await sent(world, number, kai, *times)
    found = await people(world, admin)
    told = ("pages", "interruptions", "at_night", "on_weekends", "sleep_hours")
    assert [found["Ana"][name] for name in told] == [3, 2, 2, 0, 1]
    assert [found["Kai"][name] for name in told] == [3, 2, 0, 2, 0]


async def test_the_night_goes_by_the_clock_that_was_put_forward(world: World) -> None:
    admin = await world.admin()
    await world.policy(admin, [(60, {"user": admin.id})])
    number = (await world.declare(admin))["id"]
    ana = await world.person("ana@example.org", full_name="Ana", time_zone="Europe/Berlin")
    # 06:50 before the change; 07:10 after it, at nearly the same time in UTC.
    await sent(world, number, ana, "2026-03-28T05:50:00Z", "2026-03-29T05:10:00Z")
    found = (await people(world, admin))["Ana"]
    assert (found["at_night"], found["on_weekends"], found["sleep_hours"]) == (1, 2, 1)


async def test_pages_are_narrowed_by_their_incidents(world: World) -> None:
    admin = await world.admin("admin@example.org")
    await world.policy(admin, [(60, {"user": admin.id})])
    ana = await world.person("ana@example.org", full_name="Ana")
    for service in ("db", "web"):
        number = (await world.declare(admin, service=service, severity="low"))["id"]
        await sent(world, number, ana, "2026-03-06T12:00:00Z")
        await world.sql("UPDATE notifications SET loop = loop + 5000")
    assert (await people(world, admin))["Ana"]["pages"] == 2
    assert (await people(world, admin, service="db"))["Ana"]["pages"] == 1
    assert await people(world, admin, severity="critical") == {}
    await world.call("DELETE", f"/v1/incidents/{number}?confirm={number}", admin, expect=204)
    assert (await people(world, admin))["Ana"]["pages"] == 1


async def test_what_nobody_does_anything_about_is_noise(world: World) -> None:
    admin = await world.admin()
    key = await world.integration_key(admin)
    for turn in range(3):
        made = await world.alert(key, dedup_key="flaps")
        await world.act(admin, made["incident_id"], "acknowledge")
        if turn == 0:
            path = f"/v1/incidents/{made['incident_id']}/comments"
            await world.call("POST", path, admin, expect=201, json={"content": "Restarted it."})
        await world.alert(key, dedup_key="flaps", status="resolved")
    made = await world.alert(key, dedup_key="real")
    await world.act(admin, made["incident_id"], "acknowledge")
    await world.act(admin, made["incident_id"], "resolve")
    rows = (await world.call("GET", "/v1/figures/noise", admin))["rows"]
    assert [(row["dedup_key"], row["opened"]) for row in rows] == [("flaps", 3), ("real", 1)]
    flaps, real = rows
    assert (flaps["acknowledged"], flaps["resolved_by_itself"]) == (3, 3)
    assert flaps["acknowledged_without_action"] == 2
    assert (real["acknowledged_without_action"], real["resolved_by_itself"]) == (0, 0)


# --- Being on call


async def schedule(world: World, admin: Person, *users: int) -> dict[str, Any]:
    body = {
        "name": "Databases",
        "time_zone": "Europe/Berlin",
        "layers": [
            {
                "rotation": {
                    "kind": "daily",
                    "handoff": "2026-01-05T08:00",
                    "participants": list(users),
                },
            }
        ],
    }
    made: dict[str, Any] = await world.call("POST", "/v1/schedules", admin, expect=201, json=body)
    return made


async def test_hours_on_call_are_shared_out(world: World) -> None:
    admin = await world.admin()
    ana = await world.person("ana@example.org", full_name="Ana", time_zone="Europe/Berlin")
    bob = await world.person("bob@example.org", full_name="Bob", time_zone="Europe/Berlin")
    await schedule(world, admin, ana.id, bob.id)
    since = await world.clock.now()
    world.clock.forward(days=14)
    until = since + timedelta(days=14)
    params = {"since": since.isoformat(), "until": until.isoformat()}
    rows = (await world.call("GET", "/v1/figures/on-call", admin, params=params))["rows"]
    assert {row["name"] for row in rows} == {"Ana", "Bob"}
    hours = sum(row["hours"] for row in rows)
    assert abs(hours - 14 * 24) < 0.1
    assert abs(sum(row["share_of_hours"] for row in rows) - 1) < 0.001
    assert abs(sum(row["night_hours"] for row in rows) - 14 * 9) < 1.1  # a clock may change
    assert abs(sum(row["weekend_hours"] for row in rows) - 4 * 24) < 1.1


async def test_an_edit_changes_nobodys_past(world: World) -> None:
    admin = await world.admin()
    ana = await world.person("ana@example.org", full_name="Ana")
    bob = await world.person("bob@example.org", full_name="Bob")
    made = await schedule(world, admin, ana.id)
    since = await world.clock.now()
    world.clock.forward(hours=48)
    layers = made["layers"]
    layers[0]["rotation"]["participants"] = [bob.id]
    await world.call("PATCH", f"/v1/schedules/{made['id']}", admin, json={"layers": layers})
    world.clock.forward(hours=24)
    until = await world.clock.now()
    params = {"since": since.isoformat(), "until": until.isoformat()}
    rows = (await world.call("GET", "/v1/figures/on-call", admin, params=params))["rows"]
    assert {row["name"]: round(row["hours"]) for row in rows} == {"Ana": 48, "Bob": 24}
    assert [row["load"] for row in rows] == [1.33, 0.67]


async def test_more_than_can_be_rendered_is_refused(world: World) -> None:
    admin = await world.admin()
    await world.sql("""
        WITH made AS (
            INSERT INTO schedules (name, time_zone) SELECT 'S' || n, 'UTC'
            FROM generate_series(1, 100) n RETURNING id, name
        ) INSERT INTO schedule_versions
            (schedule_id, number, name, time_zone, layers, holidays, known_from)
        SELECT id, 1, name, 'UTC', '[]', '[]', '2020-01-01' FROM made
    """)
    now = datetime.now(UTC)
    params = {"since": (now - timedelta(days=365)).isoformat(), "until": now.isoformat()}
    refused = await world.call("GET", "/v1/figures/on-call", admin, params=params, expect=422)
    assert refused["code"] == "SPAN_TOO_WIDE"
    assert (await world.call("GET", "/v1/figures/on-call", admin))["rows"] == []
