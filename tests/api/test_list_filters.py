"""What the smaller lists can be narrowed to, and the lists of one owner to a time."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from app.domain.fire_drill import LASTS
from app.domain.user import Role
from tests.api.answers import faulty, refused
from tests.conftest import Clock
from tests.worker.hooks import SUBSCRIPTIONS, subscribe
from tests.world import Person, World

DRILLS = "/v1/fire-drills"
POLICIES = "/v1/escalation/policies"


async def ids(world: World, path: str, who: Person, **narrowed: Any) -> list[int]:
    answer = await world.call("GET", f"{path}?{urlencode(narrowed, doseq=True)}", who)
    assert answer["total"] == len(answer["items"])
    return [item["id"] for item in answer["items"]]


async def test_people_by_role_activity_and_part_of_their_name(world: World) -> None:
    admin = await world.admin()
    ana = await world.person("ana@example.org", full_name="Ana Díaz")
    gone = await world.person("b_n@example.org", Role.VIEWER, full_name="Ben 100%")
    await world.call("PATCH", f"/v1/users/{gone.id}", admin, json={"is_active": False})

    users = "/v1/users"
    assert await ids(world, users, ana, role=["admin", "viewer"]) == [admin.id, gone.id]
    assert await ids(world, users, ana, is_active="false") == [gone.id]
    assert await ids(world, users, ana, is_active="true", role="responder") == [ana.id]
    assert await ids(world, users, ana, search="DÍAZ") == [ana.id]
    assert await ids(world, users, ana, search="admin@") == [admin.id]  # who has no name
    assert await ids(world, users, ana, search="0%") == [gone.id]
    assert await ids(world, users, ana, search="_") == [gone.id]
    assert await ids(world, users, ana, search="%") == [gone.id]
    assert set(await faulty(world, "GET", f"{users}?role=boss&is_active=x&search=", ana)) == {
        "role[0]",
        "is_active",
        "search",
    }


async def test_policies_by_whether_they_are_active(world: World) -> None:
    admin = await world.admin()
    on = (await world.policy(admin, [(0, "admins")]))["id"]
    off = (await world.policy(admin, [(0, "admins")], name="Old", is_active=False))["id"]
    assert await ids(world, POLICIES, admin) == [on, off]
    assert await ids(world, POLICIES, admin, is_active="true") == [on]
    assert await ids(world, POLICIES, admin, is_active="false") == [off]


async def test_integrations_by_kind_and_whether_they_are_active(world: World) -> None:
    admin = await world.admin()
    path, made = "/v1/integrations", []
    for kind in ("alerts", "elastic", "alertmanager"):
        body = {"name": kind, "kind": kind}
        made.append((await world.call("POST", path, admin, expect=201, json=body))["id"])
    await world.call("PATCH", f"{path}/{made[2]}", admin, json={"is_active": False})

    assert await ids(world, path, admin, kind=["elastic", "alertmanager"]) == made[1:]
    assert await ids(world, path, admin, is_active="true") == made[:2]
    assert await ids(world, path, admin, is_active="false", kind="alerts") == []
    assert "'elastic'" in (await faulty(world, "GET", f"{path}?kind=x", admin))["kind[0]"]


async def test_webhook_subscriptions_by_whether_they_are_active(world: World) -> None:
    admin = await world.admin()
    url = "https://desk.example.org/hooks/tocsin"
    on = (await subscribe(world, admin, url))["id"]
    off = (await subscribe(world, admin, url, is_active=False))["id"]
    assert await ids(world, SUBSCRIPTIONS, admin, is_active="true") == [on]
    assert await ids(world, SUBSCRIPTIONS, admin, is_active="false") == [off]


async def test_fire_drills_by_state_starter_and_policy(world: World, clock: Clock) -> None:
    admin, ana = await world.admin(), await world.person()
    policy = (await world.policy(admin, [(0, "admins")]))["id"]

    async def drill(who: Person, **aim: Any) -> dict[str, Any]:
        made: dict[str, Any] = await world.call("POST", DRILLS, who, expect=201, json=aim)
        return made

    missed = await drill(ana)
    await world.climb()
    clock.forward(seconds=(LASTS + timedelta(minutes=1)).total_seconds())
    await world.climb()
    answered, off = await drill(ana), await drill(admin)
    running = await drill(admin, policy_id=policy)
    await world.call("POST", f"/v1/incidents/{answered['incident_id']}/acknowledge", ana)
    await world.call("POST", f"/v1/incidents/{off['incident_id']}/resolve", admin)

    expected = {
        "missed": missed["id"],
        "answered": answered["id"],
        "called_off": off["id"],
        "running": running["id"],
    }
    for state, number in expected.items():
        (found,) = (await world.call("GET", f"{DRILLS}?state={state}", ana))["items"]
        assert (found["id"], found["state"]) == (number, state)
    found = await ids(world, DRILLS, ana, state=["missed", "running"])
    assert found == [running["id"], missed["id"]]
    assert await ids(world, DRILLS, ana, started_by=ana.id) == [answered["id"], missed["id"]]
    assert await ids(world, DRILLS, ana, policy_id=policy) == [running["id"]]


@pytest.mark.parametrize("of", ["timeline", "notifications", "events", "deliveries"])
async def test_what_belongs_to_one_owner_is_narrowed_to_a_time(
    world: World, clock: Clock, of: str
) -> None:
    admin = await world.admin()
    policy = (await world.policy(admin, [(0, "admins"), (60, "admins")]))["id"]
    number = (await world.declare(admin))["id"]
    await world.climb()
    subscription = (await subscribe(world, admin, "https://desk.example.org/hook"))["id"]
    event = (
        "INSERT INTO webhook_deliveries"
        " (subscription_id, event_id, type, data, occurred_at, created_at, status, ready_at)"
        " VALUES (:id, :event, 'incident.created', '{}', :now, :now, 'pending', :now)"
    )
    await world.sql(event, id=subscription, event=1, now=await clock.now())
    clock.forward(hours=2)
    between = (await clock.now() - timedelta(hours=1)).isoformat()
    await world.climb()
    await world.sql(event, id=subscription, event=2, now=await clock.now())

    path, narrowed = {
        "timeline": (f"/v1/incidents/{number}/timeline", {}),
        "notifications": ("/v1/notifications", {"incident_id": number}),
        "events": ("/v1/escalation/events", {"policy_id": policy}),
        "deliveries": (f"{SUBSCRIPTIONS}/{subscription}/deliveries", {}),
    }[of]
    every = await ids(world, path, admin, **narrowed)
    early = await ids(world, path, admin, **narrowed, until=between)
    late = await ids(world, path, admin, **narrowed, since=between)
    assert early
    assert late
    assert sorted(early + late) == sorted(every)
    assert max(early) < min(late)
    assert await ids(world, path, admin, **narrowed, since=between, until=between) == []


@pytest.mark.parametrize(
    ("path", "owners"),
    [
        ("/v1/notifications", ("incident_id", "user_id")),
        ("/v1/escalation/events", ("incident_id", "policy_id")),
    ],
)
async def test_a_time_among_the_rows_of_everybody_is_refused_with_what_is_missing(
    world: World, path: str, owners: tuple[str, str]
) -> None:
    admin = await world.admin()
    address = f"{path}?until=2027-01-31T08:00:00Z"
    details = await refused(world, "GET", address, admin, 422, "INVALID_INPUT")
    assert details["field"] == "until"
    for owner in owners:
        await world.call("GET", f"{address}&{owner}=1", admin)
