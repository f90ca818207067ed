"""Who is in a team, who leads it, and what leads may do."""

from typing import Any

from app.domain.user import Role
from app.services import team as team_service
from tests.api.answers import faulty, refused, send
from tests.api.catalogue import SERVICES, TEAMS, a_member, a_service, a_team
from tests.world import Person, World


async def roster(world: World, who: Person, team: Any) -> list[tuple[int, bool]]:
    listed = await world.call("GET", f"{TEAMS}/{team['id']}/members", who)
    return [(one["user_id"], one["is_lead"]) for one in listed["items"]]


async def test_people_are_added_made_leads_replaced_and_taken_out(world: World) -> None:
    admin, ana = await world.admin(), await world.person(full_name="Ana Díaz")
    ben = await world.person("ben@example.org")
    team = await a_team(world, admin)
    path = f"{TEAMS}/{team['id']}/members"

    made = await a_member(world, admin, team, ana)
    assert [(one["name"], one["is_lead"]) for one in made["items"]] == [("Ana Díaz", False)]
    assert made["revision"] == 2
    again = await a_member(world, admin, team, ana)
    assert again == made  # nothing changed, so it is still the same revision
    assert (await a_member(world, admin, team, ana, is_lead=True))["revision"] == 3
    body = {"members": [{"user_id": ben.id}, {"user_id": ana.id}]}
    put = await world.call("PUT", path, admin, json=body)
    assert [(one["user_id"], one["is_lead"]) for one in put["items"]] == [
        (ana.id, False),
        (ben.id, False),
    ]
    assert put["items"][0]["created_at"] == made["items"][0]["created_at"]  # who stays, stayed
    await world.call("DELETE", f"{path}/{ana.id}", admin, expect=204)
    assert await roster(world, ana, team) == [(ben.id, False)]
    await refused(world, "DELETE", f"{path}/{ana.id}", admin, 404, "TEAM_MEMBER_NOT_FOUND")
    assert (await world.call("PUT", path, admin, json={"members": []}))["items"] == []


async def test_whoever_is_deactivated_stays_in_a_team_and_is_paged_by_nothing(
    world: World,
) -> None:
    admin, ana = await world.admin(), await world.person()
    ben = await world.person("ben@example.org")
    team = await a_team(world, admin)
    for one in (ana, ben):
        await a_member(world, admin, team, one)
    await world.call("PATCH", f"/v1/users/{ana.id}", admin, json={"is_active": False})

    path = f"{TEAMS}/{team['id']}/members"
    shown = (await world.call("GET", path, admin))["items"]
    assert [(one["is_active"], one["is_deleted"]) for one in shown] == [
        (False, False),
        (True, False),
    ]
    async with world.database.reading() as session:
        assert await team_service.members(session, [team["id"], 999]) == {team["id"]: [ben.id]}
        assert await team_service.members(session, []) == {}
    # They may stay, but nobody new who cannot take part comes in.
    body = {"members": [{"user_id": ana.id, "is_lead": True}, {"user_id": ben.id}]}
    await world.call("PUT", path, admin, json=body)
    await world.call("DELETE", f"/v1/users/{ana.id}", admin, expect=204)
    shown = (await world.call("GET", path, admin))["items"]
    assert (shown[0]["user_id"], shown[0]["is_deleted"]) == (ana.id, True)
    await world.call("DELETE", f"{path}/{ana.id}", admin, expect=204)
    added = {"user_id": ana.id}
    told = await refused(world, "POST", path, admin, 422, "INVALID_TEAM_MEMBERS", json=added)
    assert [fault["path"] for fault in told["errors"]] == ["user_id"]


async def test_what_is_no_member_is_told_with_its_place(world: World) -> None:
    admin, ana = await world.admin(), await world.person()
    await world.call("PATCH", f"/v1/users/{ana.id}", admin, json={"is_active": False})
    path = f"{TEAMS}/{(await a_team(world, admin))['id']}/members"
    body = {"members": [{"user_id": admin.id}, {"user_id": ana.id}, {"user_id": 999_999}]}
    told = await refused(world, "PUT", path, admin, 422, "INVALID_TEAM_MEMBERS", json=body)
    assert [fault["path"] for fault in told["errors"]] == [
        "members[1].user_id",
        "members[2].user_id",
    ]
    twice = {"members": [{"user_id": admin.id}, {"user_id": admin.id}]}
    assert set(await faulty(world, "PUT", path, admin, json=twice)) == {"members"}
    assert (await world.call("GET", path, admin))["items"] == []


async def test_leads_look_after_their_team_and_what_it_owns_and_after_nothing_else(
    world: World,
) -> None:
    admin, lead = await world.admin(), await world.person()
    member = await world.person("member@example.org")
    team = await a_team(world, admin, leads=(lead,))
    other = await a_team(world, admin, "Others")
    await a_member(world, admin, team, member)
    mine, theirs = f"{TEAMS}/{team['id']}", f"{TEAMS}/{other['id']}"

    await world.call("PATCH", mine, lead, json={"description": "x"})
    await a_member(world, lead, team, admin)
    made = await a_service(world, lead, team_id=team["id"])
    service = f"{SERVICES}/{made['id']}"
    await world.call("PATCH", service, lead, json={"description": "x"})

    forbidden: list[tuple[str, str, Person, Any]] = [
        ("PATCH", mine, member, {"description": "y"}),
        ("POST", f"{mine}/members", member, {"user_id": member.id, "is_lead": True}),
        ("PUT", f"{mine}/members", member, {"members": []}),
        ("DELETE", f"{mine}/members/{lead.id}", member, None),
        ("PATCH", service, member, {"description": "y"}),
        ("DELETE", service, member, None),
        ("DELETE", mine, lead, None),
        ("PATCH", theirs, lead, {"description": "y"}),
        ("POST", SERVICES, lead, {"name": "search", "team_id": other["id"]}),
        ("POST", SERVICES, lead, {"name": "search"}),
        ("PATCH", service, lead, {"team_id": other["id"]}),  # given away, it would be theirs
        ("PATCH", service, lead, {"team_id": None}),
    ]
    for method, path, who, body in forbidden:
        kw = {} if body is None else {"json": body}
        told = await refused(world, method, path, who, 403, "FORBIDDEN", **kw)
        assert told == {"needs": "administer"}, f"{method} {path}"
    for method, nowhere in (("PATCH", TEAMS), ("PATCH", SERVICES), ("DELETE", SERVICES)):
        kw = {"json": {"description": "x"}} if method == "PATCH" else {}
        await refused(world, method, f"{nowhere}/999999", lead, 403, "FORBIDDEN", **kw)
    await world.call("DELETE", service, lead, expect=204)
    await world.call("DELETE", f"{mine}/members/{member.id}", member, expect=204)  # of one's own


async def test_a_lead_of_both_teams_hands_a_service_over(world: World) -> None:
    admin, lead = await world.admin(), await world.person()
    one = await a_team(world, admin, leads=(lead,))
    two = await a_team(world, admin, "Others", leads=(lead,))
    made = await a_service(world, lead, team_id=one["id"])
    path = f"{SERVICES}/{made['id']}"
    moved = await world.call("PATCH", path, lead, json={"team_id": two["id"]})
    assert moved["team_id"] == two["id"]


async def test_a_lead_who_only_looks_changes_nothing(world: World) -> None:
    admin, lead = await world.admin(), await world.person(role=Role.VIEWER)
    team = await a_team(world, admin, leads=(lead,))
    answer = await send(world, "PATCH", f"{TEAMS}/{team['id']}", lead, json={"name": "x"})
    assert answer.status_code == 403


async def test_a_change_of_members_is_told_in_the_audit_log(world: World) -> None:
    admin, ana = await world.admin(), await world.person()
    team = await a_team(world, admin)
    await a_member(world, admin, team, ana)
    rows = await world.sql(
        "SELECT resource_id, changes FROM audit_log WHERE action = 'team.members_changed'"
    )
    assert [(row.resource_id, row.changes) for row in rows] == [
        (
            str(team["id"]),
            {"members": {"before": [], "after": [{"user_id": ana.id, "is_lead": False}]}},
        )
    ]
