"""The catalogue of services: made, changed, found, and what one says of itself."""

import asyncio
import json
from typing import Any

import pytest

from tests.api.answers import faulty, refused, send
from tests.api.catalogue import POLICIES, SERVICES, a_service, a_team, a_window, in_hours
from tests.conftest import Clock
from tests.world import Person, World

HOURS = {
    "time_zone": "Europe/Berlin",
    "hours": [{"since": "09:00", "until": "17:00", "days": ["fri", "mon"]}],
}
UNCATALOGUED = f"{SERVICES}/uncatalogued"


async def a_schedule(world: World, admin: Person, person: Person) -> Any:
    rotation = {"kind": "daily", "handoff": "2020-01-01T09:00", "participants": [person.id]}
    body = {"name": "Rota", "time_zone": "UTC", "layers": [{"rotation": rotation}]}
    return await world.call("POST", "/v1/schedules", admin, expect=201, json=body)


async def test_a_service_comes_back_as_it_was_given(world: World) -> None:
    admin = await world.admin()
    team = await a_team(world, admin)
    policy = await world.policy(admin, [(0, "admins")])
    schedule = await a_schedule(world, admin, admin)
    given = {
        "description": "Takes the money",
        "team_id": team["id"],
        "policy_id": policy["id"],
        "schedule_id": schedule["id"],
        "urgency": {"low": "low", "medium": "high", "high": "high"},
        "support_hours": HOURS,
        "auto_resolve_after_minutes": 1440,
    }
    made = await a_service(world, admin, **given)
    days = made["support_hours"]["hours"][0].pop("days")
    assert days == ["mon", "fri"]  # in the order of the week
    kept = {**HOURS, "hours": [{"since": "09:00", "until": "17:00"}]}
    assert {name: made[name] for name in given} == {**given, "support_hours": kept}

    made["support_hours"]["hours"][0]["days"] = days
    made["findings"] = None  # those are told to whoever saves
    read = await world.client.get(f"{SERVICES}/{made['id']}", headers=admin.headers)
    assert read.text.startswith(json.dumps(made, separators=(",", ":"))[:-1])  # byte for byte
    bare = await a_service(world, admin, "search")
    assert {name: bare[name] for name in given} == dict.fromkeys(given) | {"urgency": {}}


async def test_named_fields_are_changed_and_others_stay(world: World) -> None:
    admin = await world.admin()
    made = await a_service(world, admin, support_hours=HOURS, urgency={"low": "low"})
    path = f"{SERVICES}/{made['id']}"
    changed = await world.call("PATCH", path, admin, json={"support_hours": None, "name": "Till"})
    assert (changed["name"], changed["support_hours"], changed["urgency"]) == (
        "Till",
        None,
        {"low": "low"},
    )
    assert changed["revision"] == 2
    rows = await world.sql("SELECT support_hours IS NULL AS none FROM services")
    assert rows[0].none  # and not the JSON null


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"urgency": {"critical": "low"}}, "urgency"),
        ({"urgency": {"worst": "low"}}, "urgency.worst"),
        ({"urgency": {"low": "whenever"}}, "urgency.low"),
        ({"support_hours": {"time_zone": "Mars/Base", "hours": []}}, "support_hours.time_zone"),
        ({"support_hours": {"time_zone": "UTC", "hours": []}}, "support_hours.hours"),
        (
            {"support_hours": {"time_zone": "UTC", "hours": [{"since": "9", "until": "17:00"}]}},
            "support_hours.hours[0].since",
        ),
        ({"auto_resolve_after_minutes": 0}, "auto_resolve_after_minutes"),
        ({"name": ""}, "name"),
        ({"nickname": "x"}, "nickname"),
    ],
)
async def test_what_makes_no_service_is_told_with_its_place(
    world: World, wrong: dict[str, Any], path: str
) -> None:
    admin = await world.admin()
    faults = await faulty(world, "POST", SERVICES, admin, json={"name": "checkout", **wrong})
    assert path in faults
    made = await a_service(world, admin, "other")
    assert path in await faulty(world, "PATCH", f"{SERVICES}/{made['id']}", admin, json=wrong)


async def test_what_a_service_names_must_be_there(world: World) -> None:
    admin = await world.admin()
    gone = await a_schedule(world, admin, admin)
    await world.call("DELETE", f"/v1/schedules/{gone['id']}", admin, expect=204)
    wrong = {"team_id": 999, "policy_id": 999, "schedule_id": gone["id"]}
    body = {"name": "checkout", **wrong}
    told = await refused(world, "POST", SERVICES, admin, 422, "INVALID_SERVICE", json=body)
    assert [fault["path"] for fault in told["errors"]] == ["team_id", "policy_id", "schedule_id"]
    path = f"{SERVICES}/{(await a_service(world, admin))['id']}"
    await refused(world, "PATCH", path, admin, 422, "INVALID_SERVICE", json={"policy_id": 999})
    await refused(world, "GET", f"{SERVICES}/999999", admin, 404, "SERVICE_NOT_FOUND")


async def test_no_two_names_differ_in_their_capitals_alone(world: World) -> None:
    admin = await world.admin()
    made, other = await a_service(world, admin), await a_service(world, admin, "search")
    body = {"name": "Checkout"}
    told = await refused(world, "POST", SERVICES, admin, 409, "SERVICE_NAME_TAKEN", json=body)
    assert told == {"field": "name", "service_id": made["id"]}
    path = f"{SERVICES}/{other['id']}"
    await refused(world, "PATCH", path, admin, 409, "SERVICE_NAME_TAKEN", json=body)
    assert (await world.call("PATCH", f"{SERVICES}/{made['id']}", admin, json=body))["name"]


async def test_those_who_catalogue_one_service_at_once_make_one(world: World) -> None:
    admin = await world.admin()
    names = ("api", "API", "Api", "aPi", "apI", "APi")
    made = await asyncio.gather(
        *(send(world, "POST", SERVICES, admin, json={"name": name}) for name in names)
    )
    assert sorted(answer.status_code for answer in made) == [201, *[409] * 5]


async def test_a_policy_that_is_pinned_while_it_is_deleted_is_there_or_refused(
    world: World,
) -> None:
    admin = await world.admin()
    for number in range(5):
        policy = await world.policy(admin, [(0, "admins")], name=f"P{number}")
        pinned, gone = await asyncio.gather(
            send(
                world, "POST", SERVICES, admin,
                json={"name": f"s{number}", "policy_id": policy["id"]},
            ),
            send(world, "DELETE", f"{POLICIES}/{policy['id']}", admin),
        )  # fmt: skip
        assert (pinned.status_code, gone.status_code) in {(201, 409), (422, 204)}


async def test_a_pinned_policy_is_not_deleted_before_it_is_let_go(world: World) -> None:
    admin = await world.admin()
    policy = await world.policy(admin, [(0, "admins")])
    made = await a_service(world, admin, policy_id=policy["id"])
    path = f"{POLICIES}/{policy['id']}"
    told = await refused(world, "DELETE", path, admin, 409, "POLICY_PINNED")
    assert told == {"services": ["checkout"]}
    await world.call("PATCH", f"{SERVICES}/{made['id']}", admin, json={"policy_id": None})
    await world.call("DELETE", path, admin, expect=204)


async def test_services_are_found_by_name_and_by_what_belongs_to_them(world: World) -> None:
    admin, ana = await world.admin(), await world.person()
    team = await a_team(world, admin)
    policy = await world.policy(admin, [(0, "admins")])
    schedule = await a_schedule(world, admin, ana)
    one = await a_service(world, admin, "checkout", team_id=team["id"])
    two = await a_service(world, admin, "search_v2", policy_id=policy["id"])
    three = await a_service(world, admin, "API", schedule_id=schedule["id"])

    async def found(query: str) -> list[int]:
        listed = await world.call("GET", f"{SERVICES}?{query}", ana)
        return [service["id"] for service in listed["items"]]

    assert await found("") == [one["id"], two["id"], three["id"]]
    assert await found("sort_by=name") == [three["id"], one["id"], two["id"]]
    assert await found("search=CHECK") == [one["id"]]
    assert await found("search=_") == [two["id"]]
    assert await found("name=checkout&name=API") == [one["id"], three["id"]]
    assert await found("name=api") == []
    assert await found(f"team_id={team['id']}") == [one["id"]]
    assert await found(f"policy_id={policy['id']}") == [two["id"]]
    assert await found(f"schedule_id={schedule['id']}") == [three["id"]]


async def test_a_service_shows_what_is_unresolved_and_whether_it_is_worked_on(
    world: World, clock: Clock
) -> None:
    admin = await world.admin()
    made = await a_service(world, admin)
    path = f"{SERVICES}/{made['id']}"
    shown = await world.call("GET", path, admin)
    nothing = {"critical": 0, "high": 0, "medium": 0, "low": 0, "total": 0}
    assert shown["unresolved"] == nothing | {"total_is_bound": False}
    assert shown["in_maintenance_until"] is None

    for severity in ("low", "critical", "critical"):
        last = await world.declare(admin, service="checkout", severity=severity)
    await world.act(admin, last["id"], "acknowledge")  # is not resolved
    done = await world.declare(admin, service="checkout", severity="high")
    await world.act(admin, done["id"], "resolve")
    await world.declare(admin, service="Checkout")  # another name
    ours = await a_service(world, admin, "tocsin")  # what fire drills are of
    await world.call("POST", "/v1/fire-drills", admin, expect=201, json={"message": "A drill."})
    drilled = await world.call("GET", f"{SERVICES}/{ours['id']}", admin)
    assert drilled["unresolved"]["total"] == 0
    for lasts in (1, 3):
        window = await a_window(world, admin, made, lasts=lasts)
    await a_window(world, admin, made, starts_at=await in_hours(world, 4), lasts=5)
    shown = await world.call("GET", path, admin)
    assert shown["unresolved"] == nothing | {
        "critical": 2, "low": 1, "total": 3, "total_is_bound": False,
    }  # fmt: skip
    assert shown["in_maintenance_until"] == window["ends_at"]
    clock.forward(hours=3)
    assert (await world.call("GET", path, admin))["in_maintenance_until"] is None


async def test_who_is_on_call_for_a_service(world: World) -> None:
    admin, ana = await world.admin(), await world.person(full_name="Ana Díaz")
    schedule = await a_schedule(world, admin, ana)
    made = await a_service(world, admin, schedule_id=schedule["id"])
    path = f"{SERVICES}/{made['id']}/on-call"
    told = await world.call("GET", f"{path}?at=2199-03-01T12:00:00Z", ana)
    assert told == {
        "at": "2199-03-01T12:00:00Z",
        "schedule_id": schedule["id"],
        "people": [{"user_id": ana.id, "name": "Ana Díaz"}],
        "next": None,
    }
    # Before it was made, nobody was on call by it.
    assert (await world.call("GET", f"{path}?at=2019-03-01T12:00:00Z", ana))["people"] == []
    assert len((await world.call("GET", path, ana))["people"]) == 1
    await world.call("PATCH", f"/v1/users/{ana.id}", admin, json={"is_active": False})
    assert (await world.call("GET", path, admin))["people"] == []
    bare = await a_service(world, admin, "search")
    told = await world.call("GET", f"{SERVICES}/{bare['id']}/on-call", admin)
    assert (told["schedule_id"], told["people"], told["next"]) == (None, [], None)


async def test_who_follows_and_who_is_on_when_for_a_service(world: World) -> None:
    admin, ana, ben = (
        await world.admin(),
        await world.person(),
        await world.person("ben@example.org"),
    )
    body = {"name": "Days", "time_zone": "UTC", "layers": [{"rotation": {
        "kind": "daily", "handoff": "2026-01-05T08:00", "participants": [ana.id, ben.id],
    }}]}  # fmt: skip
    schedule = await world.call("POST", "/v1/schedules", admin, expect=201, json=body)
    made = await a_service(world, admin, schedule_id=schedule["id"])
    path = f"{SERVICES}/{made['id']}"
    told = await world.call("GET", f"{path}/on-call?at=2199-01-01T12:00:00Z", ana)
    (now,), (then,) = told["people"], told["next"]["people"]
    assert {now["user_id"], then["id"]} == {ana.id, ben.id}
    assert told["next"]["at"] == "2199-01-02T08:00:00Z"
    when = "since=2199-01-01T12:00:00Z&until=2199-01-02T12:00:00Z"
    shifts = await world.call("GET", f"{path}/shifts?{when}", ana)
    same = await world.call("GET", f"/v1/schedules/{schedule['id']}/shifts?{when}", ana)
    assert shifts == same
    assert shifts["schedule_id"] == schedule["id"]
    bare = await a_service(world, admin, "search")
    await refused(
        world, "GET", f"{SERVICES}/{bare['id']}/shifts", admin, 409, "SERVICE_HAS_NO_SCHEDULE"
    )


async def test_a_service_that_is_taken_out_leaves_its_incidents(world: World) -> None:
    admin = await world.admin()
    made = await a_service(world, admin)
    window = await a_window(world, admin, made)
    number = (await world.declare(admin, service="checkout"))["id"]
    path = f"{SERVICES}/{made['id']}"
    await world.call("DELETE", path, admin, expect=204)
    await refused(world, "GET", path, admin, 404, "SERVICE_NOT_FOUND")
    listed = await world.call("GET", "/v1/incidents?service=checkout", admin)
    assert [one["id"] for one in listed["items"]] == [number]
    left = await world.call("GET", f"/v1/maintenance-windows/{window['id']}", admin)
    assert (left["services"], left["is_for_everything"]) == ([], False)


# --- What nobody has catalogued -----------------------------------------------------------


async def test_names_that_incidents_use_and_nobody_has_catalogued(
    world: World, clock: Clock
) -> None:
    admin = await world.admin()
    nobody = await world.call("GET", UNCATALOGUED, admin)
    assert nobody == {"items": [], "is_whole": True}
    await world.declare(admin, service="long ago")
    clock.forward(days=31)
    for name in ("b", "checkout", "a", "a", "CHECKOUT"):
        await world.declare(admin, service=name)
        clock.forward(minutes=1)
    await a_service(world, admin)
    gone = await world.declare(admin, service="a mistake")
    await world.call(
        "DELETE", f"/v1/incidents/{gone['id']}?confirm={gone['id']}", admin, expect=204
    )
    await world.call("POST", "/v1/fire-drills", admin, expect=201, json={"message": "A drill."})

    told = await world.call("GET", UNCATALOGUED, admin)
    assert [(one["name"], one["spelled"]) for one in told["items"]] == [
        ("CHECKOUT", "checkout"),
        ("a", None),
        ("b", None),
    ]
    assert told["is_whole"]


async def test_more_names_than_are_looked_through_or_shown_are_told_of(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = await world.admin()
    for name in ("a", "b", "c"):
        await world.declare(admin, service=name)

    async def told() -> tuple[int, bool]:
        answer = await world.call("GET", UNCATALOGUED, admin)
        return len(answer["items"]), answer["is_whole"]

    assert await told() == (3, True)
    monkeypatch.setattr("app.services.service.MOST_UNCATALOGUED", 2)
    assert await told() == (2, False)
    monkeypatch.setattr("app.services.service.MOST_UNCATALOGUED", 100)
    monkeypatch.setattr("app.services.service.LOOKED_THROUGH", 2)
    assert await told() == (2, False)
    for name in ("a", "b"):
        await a_service(world, admin, name)
    assert await told() == (0, False)
