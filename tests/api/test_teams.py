"""Teams: made, changed, found, and deleted once nothing hangs on them."""

import asyncio

from tests.api.answers import faulty, refused, send
from tests.api.catalogue import POLICIES, SERVICES, TEAMS, a_member, a_service, a_team
from tests.world import World


async def test_a_team_comes_back_as_it_was_given_and_changes_where_it_is_told_to(
    world: World,
) -> None:
    admin = await world.admin()
    made = await a_team(world, admin, description="Money", time_zone="Europe/Berlin")
    assert (made["name"], made["description"], made["time_zone"]) == (
        "Payments",
        "Money",
        "Europe/Berlin",
    )
    path = f"{TEAMS}/{made['id']}"
    changed = await world.call("PATCH", path, admin, json={"time_zone": None})
    assert (changed["name"], changed["time_zone"], changed["revision"]) == ("Payments", None, 2)
    assert await world.call("GET", path, admin) == changed
    assert (await a_team(world, admin, "Other"))["time_zone"] is None


async def test_no_two_names_differ_in_their_capitals_alone(world: World) -> None:
    admin = await world.admin()
    made = await a_team(world, admin)
    other = await a_team(world, admin, "Other")
    body = {"name": "PAYMENTS"}
    told = await refused(world, "POST", TEAMS, admin, 409, "TEAM_NAME_TAKEN", json=body)
    assert told == {"field": "name"}
    path = f"{TEAMS}/{other['id']}"
    await refused(world, "PATCH", path, admin, 409, "TEAM_NAME_TAKEN", json=body)
    own = await world.call("PATCH", f"{TEAMS}/{made['id']}", admin, json=body)
    assert own["name"] == "PAYMENTS"


async def test_those_who_make_a_team_of_one_name_at_once_make_one(world: World) -> None:
    admin = await world.admin()
    names = ("core", "Core", "CORE", "coRe", "corE", "cOre")
    made = await asyncio.gather(
        *(send(world, "POST", TEAMS, admin, json={"name": name}) for name in names)
    )
    assert sorted(answer.status_code for answer in made) == [201, *[409] * 5]


async def test_what_makes_no_team_is_told_with_its_place(world: World) -> None:
    admin = await world.admin()
    wrong = {"name": " ", "time_zone": "Mars/Base", "colour": "red"}
    assert set(await faulty(world, "POST", TEAMS, admin, json=wrong)) == {
        "name",
        "time_zone",
        "colour",
    }
    path = f"{TEAMS}/{(await a_team(world, admin))['id']}"
    assert set(await faulty(world, "PATCH", path, admin, json={"name": None})) == {"name"}
    await refused(world, "GET", f"{TEAMS}/999999", admin, 404, "TEAM_NOT_FOUND")


async def test_teams_are_found_by_a_part_of_their_name_and_by_who_is_in_them(world: World) -> None:
    admin, ana = await world.admin(), await world.person()
    one, two = await a_team(world, admin, "Payments"), await a_team(world, admin, "Search 100%")
    await a_member(world, admin, two, ana)

    async def found(query: str) -> list[int]:
        listed = await world.call("GET", f"{TEAMS}?{query}", ana)
        return [team["id"] for team in listed["items"]]

    assert await found("") == [one["id"], two["id"]]
    assert await found("sort_by=name&sort_order=desc") == [two["id"], one["id"]]
    assert await found("search=PAY") == [one["id"]]
    assert await found("search=%25") == [two["id"]]
    assert await found(f"user_id={ana.id}") == [two["id"]]
    assert await found(f"user_id={admin.id}") == []


async def test_nobody_overwrites_a_team_that_they_have_not_seen(world: World) -> None:
    admin = await world.admin()
    path = f"{TEAMS}/{(await a_team(world, admin))['id']}"
    seen = (await send(world, "GET", path, admin)).headers["etag"]
    await world.call("PATCH", path, admin, json={"name": "Money"})
    late = {"headers": {"If-Match": seen}}
    told = await refused(
        world, "PATCH", path, admin, 412, "PRECONDITION_FAILED", json={"name": "Cash"}, **late
    )
    assert told["current"]["name"] == "Money"
    await refused(world, "DELETE", path, admin, 412, "PRECONDITION_FAILED", **late)
    await refused(
        world, "PUT", f"{path}/members", admin, 412, "PRECONDITION_FAILED",
        json={"members": []}, **late,
    )  # fmt: skip
    assert (await world.call("GET", path, admin))["name"] == "Money"


async def test_a_team_that_owns_something_is_not_deleted_and_says_what_it_is(world: World) -> None:
    admin = await world.admin()
    team = await a_team(world, admin)
    path = f"{TEAMS}/{team['id']}"
    service = await a_service(world, admin, team_id=team["id"])
    policy = await world.policy(admin, [(0, {"team": team["id"]})], team_id=team["id"])
    schedule = await world.call(
        "POST",
        "/v1/schedules",
        admin,
        expect=201,
        json={"name": "Rota", "time_zone": "UTC", "layers": [], "team_id": team["id"],
              "allow_gaps": True},
    )  # fmt: skip
    told = await refused(world, "DELETE", path, admin, 409, "TEAM_IN_USE")
    assert told == {
        "services": ["checkout"],
        "policies": ["Primary"],
        "schedules": ["Rota"],
        "paged_by": ["Primary"],
    }
    await world.call("PATCH", f"{SERVICES}/{service['id']}", admin, json={"team_id": None})
    await world.call("DELETE", f"/v1/schedules/{schedule['id']}", admin, expect=204)
    gone = f"{POLICIES}/{policy['id']}"
    await world.call("PATCH", gone, admin, json={"team_id": None})
    told = await refused(world, "DELETE", path, admin, 409, "TEAM_IN_USE")
    assert told == {"paged_by": ["Primary"]}
    await world.call("DELETE", gone, admin, expect=204)
    await a_member(world, admin, team, admin)
    await world.call("DELETE", path, admin, expect=204)
    await refused(world, "GET", path, admin, 404, "TEAM_NOT_FOUND")


async def test_policies_have_owners_and_are_found_by_them(world: World) -> None:
    admin = await world.admin()
    team = await a_team(world, admin)
    mine = await world.policy(admin, [(0, "admins")], name="Mine", team_id=team["id"])
    other = await world.policy(admin, [(0, "admins")], name="Other")
    assert (mine["team_id"], other["team_id"]) == (team["id"], None)
    listed = await world.call("GET", f"{POLICIES}?team_id={team['id']}", admin)
    assert [one["id"] for one in listed["items"]] == [mine["id"]]
    path = f"{POLICIES}/{other['id']}"
    told = await refused(
        world, "PATCH", path, admin, 422, "INVALID_POLICY", json={"team_id": 999_999}
    )
    assert [fault["path"] for fault in told["errors"]] == ["team_id"]
