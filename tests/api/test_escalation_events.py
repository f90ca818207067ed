"""What steps came to, across incidents."""

from typing import Any

import pytest

from tests.api.answers import faulty, refused
from tests.explain import plans_of, without_count
from tests.world import Person, World

EVENTS = "/v1/escalation/events"


async def listed(world: World, who: Person, query: str = "") -> list[dict[str, Any]]:
    answer = await world.call("GET", f"{EVENTS}{query}", who)
    items: list[dict[str, Any]] = answer["items"]
    return items


async def test_an_event_says_what_a_step_came_to(world: World) -> None:
    admin = await world.admin()
    gone = await world.person("gone@example.org", full_name="Ben")
    policy = await world.policy(admin, [(0, "admins"), (0, {"user": gone.id})])
    await world.call("PATCH", f"/v1/users/{gone.id}", admin, json={"is_active": False})
    number = (await world.declare(admin))["id"]
    await world.climb()

    _, second, first = await listed(world, await world.person("v@example.org"))

    run = (await world.call("GET", f"/v1/incidents/{number}/escalation", admin))["escalations"][0]
    times = {name: first[name] for name in ("id", "due_at", "triggered_at", "completed_at")}
    assert first == {
        "incident_id": number,
        "escalation_id": run["id"],
        "policy_id": policy["id"],
        "policy_name": "Primary",
        "loop": 0,
        "step": 0,
        "status": "completed",
        "metadata": {"paged": 1, "skipped": []},
        **times,
    }
    assert (second["step"], second["status"]) == (1, "reached_nobody")
    assert second["metadata"]["skipped"][0]["user_id"] == gone.id
    for event in (first, second):
        assert await world.call("GET", f"{EVENTS}/{event['id']}", admin) == event


async def test_the_name_of_a_policy_outlives_it(world: World) -> None:
    admin = await world.admin()
    policy = await world.policy(admin, [(0, "admins")])
    await world.declare(admin)
    await world.climb()
    await world.call("DELETE", f"/v1/escalation/policies/{policy['id']}", admin, expect=204)
    (event,) = await listed(world, admin)
    assert (event["policy_id"], event["policy_name"]) == (None, "Primary")


async def test_events_are_narrowed_by_incident_policy_and_status(world: World) -> None:
    admin = await world.admin()
    off = await world.person("off@example.org")
    one = await world.policy(admin, [(0, "admins")], name="One", conditions={"service": "a"})
    two = await world.policy(
        admin, [(0, {"user": off.id})], name="Two", conditions={"service": ["a", "b"]}
    )
    await world.call("PATCH", f"/v1/users/{off.id}", admin, json={"is_active": False})
    a, b = [(await world.declare(admin, service=service))["id"] for service in ("a", "b")]
    await world.climb()

    async def seen(query: str) -> list[tuple[int, str, str]]:
        found = await listed(world, admin, query)
        return sorted((e["incident_id"], e["policy_name"], e["status"]) for e in found)

    fallbacks = [(a, "fallback", "completed"), (b, "fallback", "completed")]
    assert await seen(f"?incident_id={b}") == [(b, "Two", "reached_nobody"), fallbacks[1]]
    assert await seen(f"?policy_id={one['id']}") == [(a, "One", "completed")]
    nobody = [(a, "Two", "reached_nobody"), (b, "Two", "reached_nobody")]
    assert await seen(f"?policy_id={two['id']}") == nobody
    assert await seen("?status=reached_nobody") == nobody
    both = sorted([(a, "One", "completed"), *fallbacks, *nobody])
    assert await seen("?status=reached_nobody&status=completed") == both
    assert await seen(f"?status=failed&incident_id={a}") == []
    assert await seen("?incident_id=999999") == []


async def test_events_come_newest_first_page_by_page(world: World) -> None:
    admin = await world.admin()
    await world.policy(admin, [(0, "admins")] * 5)
    await world.declare(admin)
    await world.climb()
    assert [event["step"] for event in await listed(world, admin)] == [4, 3, 2, 1, 0]
    first = await world.call("GET", f"{EVENTS}?per_page=2", admin)
    assert (first["total"], [event["step"] for event in first["items"]]) == (5, [4, 3])
    query = f"?per_page=2&cursor={first['next_cursor']}"
    assert [event["step"] for event in await listed(world, admin, query)] == [2, 1]
    assert [event["step"] for event in await listed(world, admin, "?per_page=2&page=3")] == [0]


async def test_events_of_a_deleted_incident_are_not_there(world: World) -> None:
    admin = await world.admin()
    gone, here = [(await world.declare(admin))["id"] for _ in range(2)]
    await world.climb()
    events = {event["incident_id"]: event for event in await listed(world, admin)}

    await world.call("DELETE", f"/v1/incidents/{gone}?confirm={gone}", admin, expect=204)

    assert await listed(world, admin) == [events[here]]
    path = f"{EVENTS}/{events[gone]['id']}"
    await refused(world, "GET", path, admin, 404, "ESCALATION_EVENT_NOT_FOUND")
    await world.act(admin, gone, "restore")
    assert await world.call("GET", path, admin) == events[gone]


async def test_a_faulty_question_is_told_where_it_is_wrong(world: World) -> None:
    admin = await world.admin()
    for query, where in (
        ("?incident_id=0", "incident_id"),
        ("?policy_id=x", "policy_id"),
        ("?status=lost", "status[0]"),
        ("/0", "event_id"),
    ):
        assert where in await faulty(world, "GET", f"{EVENTS}{query}", admin)
    await refused(world, "GET", f"{EVENTS}/999999", admin, 404, "ESCALATION_EVENT_NOT_FOUND")


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("", "pk_escalation_events"),
        ("?incident_id={incident}", "ix_escalation_events_incident_id_id"),
        ("?policy_id={policy}", "ix_escalation_events_policy_id"),
    ],
)
async def test_an_index_finds_the_page_among_many(world: World, query: str, index: str) -> None:
    admin = await world.admin()
    policy = (await world.policy(admin, [(0, "admins")]))["id"]
    number = (await world.declare(admin))["id"]
    await world.climb()
    await world.sql(
        "INSERT INTO incidents (title, severity, service)"
        " SELECT 'x', 'low', 'db' FROM generate_series(1, 5000)"
    )
    await world.sql(
        "INSERT INTO escalations (incident_id, policy_name, steps, final_delay_minutes, status,"
        " started_at, finished_at)"
        " SELECT id, 'x', '[]', 5, 'completed', now(), now() FROM incidents WHERE service = 'db'"
    )
    await world.sql(
        "INSERT INTO escalation_events (incident_id, escalation_id, loop, step, status, due_at)"
        " SELECT e.incident_id, e.id, 0, s, 'completed', now()"
        " FROM escalations e, generate_series(0, 3) s WHERE e.steps = '[]'"
    )
    await world.sql("ANALYZE incidents, escalations, escalation_events")
    asked = query.format(incident=number, policy=policy)
    async with plans_of(world.database, "FROM escalation_events") as plans:
        assert await listed(world, admin, asked)
    page = without_count(plans[-1])
    assert index in page, page
    assert "Seq Scan" not in page, page
