"""Schedules over HTTP: made, changed, deleted; what is refused, and with which path."""

from datetime import timedelta
from typing import Any

import pytest

from app.domain.user import Role
from tests.api.rotas import OFFICE, explicit, ids_on_call, on_call, schedule, weekly
from tests.world import World


async def test_who_is_on_call_now_next_and_then(world: World) -> None:
    admin = await world.admin()
    ben = await world.person("ben@example.org")
    made = await schedule(world, admin, weekly(admin.id, ben.id))
    now = await on_call(world, admin, made["id"])
    first = now["on_call"][0]["id"]
    other = ben.id if first == admin.id else admin.id
    assert [one["id"] for one in now["next"]["people"]] == [other]
    assert now["time_zone_version"]
    then = await on_call(world, admin, made["id"], at=now["next"]["at"])
    assert [one["id"] for one in then["on_call"]] == [other]
    assert then["local_time"][11:16] == "09:00"


async def test_whoever_is_deactivated_is_on_call_for_nobody(world: World) -> None:
    admin = await world.admin()
    ben = await world.person("ben@example.org")
    made = await schedule(world, admin, weekly(ben.id))
    assert await ids_on_call(world, admin, made["id"]) == [ben.id]
    await world.call("PATCH", f"/v1/users/{ben.id}", admin, json={"is_active": False})
    assert await ids_on_call(world, admin, made["id"]) == []
    read = await world.call("GET", f"/v1/schedules/{made['id']}", admin)
    assert read["layers"][0]["rotation"]["participants"] == [ben.id]


async def test_a_gap_is_named_and_must_be_meant(world: World) -> None:
    admin = await world.admin()
    office = weekly(admin.id, restrictions=OFFICE)
    refused = await schedule(world, admin, office, expect=409)
    assert refused["code"] == "SCHEDULE_HAS_GAPS"
    assert "allow_gaps" in refused["message"]
    assert all(gap["starts_at"] < gap["ends_at"] for gap in refused["details"]["gaps"])
    made = await schedule(world, admin, office, allow_gaps=True)
    assert "allow_gaps" not in made

    # What was a gap before is no reason to refuse; what opens a new one is.
    path = f"/v1/schedules/{made['id']}"
    await world.call("PATCH", path, admin, json={"description": "Office hours"})
    wider = weekly(admin.id, restrictions=[{"since": "08:00", "until": "20:00"}])
    await world.call("PATCH", path, admin, json={"layers": [wider]})
    narrow = await world.call("PATCH", path, admin, json={"layers": [office]}, expect=409)
    assert narrow["code"] == "SCHEDULE_HAS_GAPS"
    still = await world.call("GET", path, admin)
    assert still["layers"][0]["restrictions"][0]["since"] == "08:00"
    assert still["revision"] == 3


async def test_a_gap_is_told_as_one_however_many_it_takes_the_pager_from(world: World) -> None:
    admin = await world.admin()
    ben = await world.person("ben@example.org")
    made = await schedule(world, admin, weekly(admin.id, ben.id))
    path = f"/v1/schedules/{made['id']}"
    refused = await world.call("PATCH", path, admin, json={"layers": []}, expect=409)
    assert len(refused["details"]["gaps"]) == 1


async def test_shifts_that_overlap_are_refused_with_the_pair(world: World) -> None:
    admin = await world.admin()
    ben = await world.person("ben@example.org")
    layer = explicit(
        ("2030-01-07T09:00", "2030-01-07T17:00", admin.id),
        ("2030-01-08T09:00", "2030-01-08T17:00", ben.id),
        ("2030-01-07T16:00", "2030-01-07T20:00", ben.id),
    )
    refused = await schedule(world, admin, weekly(ben.id), layer, expect=409)
    assert refused["code"] == "SCHEDULE_HAS_OVERLAPS"
    assert refused["details"]["overlaps"] == [
        {
            "path": "layers[1].shifts[2]",
            "other": "layers[1].shifts[0]",
            "since": "2030-01-07T16:00",
            "until": "2030-01-07T17:00",
        }
    ]
    made = await schedule(world, admin, weekly(ben.id), layer, allow_overlaps=True)
    both = await ids_on_call(world, admin, made["id"], at="2030-01-07T15:30:00Z")
    assert both == sorted([admin.id, ben.id])


async def test_shifts_that_meet_do_not_overlap(world: World) -> None:
    admin = await world.admin()
    ben = await world.person("ben@example.org")
    layer = explicit(
        ("2030-01-07T09:00", "2030-01-07T17:00", admin.id),
        ("2030-01-07T17:00", "2030-01-07T20:00", ben.id),
    )
    await schedule(world, admin, weekly(ben.id), layer)


FAULTS: list[tuple[dict[str, Any], str, str]] = [
    (
        {"rotation": {"kind": "weekly", "handoff": "2026-01-05T09:00Z", "participants": [1]}},
        "layers[0].rotation.handoff",
        "without an offset",
    ),
    (
        {"rotation": {"kind": "weekly", "handoff": "2026-01-05", "participants": [1]}},
        "layers[0].rotation.handoff",
        "2026-01-05T09:00",
    ),
    (
        {"rotation": {"kind": "weekly", "handoff": "1969-12-31T23:59", "participants": [1]}},
        "layers[0].rotation.handoff",
        "1970",
    ),
    (
        {"rotation": {"kind": "yearly", "handoff": "2026-01-05T09:00", "participants": [1]}},
        "layers[0].rotation.kind",
        "weekly",
    ),
    (
        {"rotation": {"kind": "daily", "handoff": "2026-01-05T09:00", "participants": []}},
        "layers[0].rotation.participants",
        "at least 1",
    ),
    (
        {
            "rotation": {
                "kind": "daily",
                "handoff": "2026-01-05T09:00",
                "participants": [1],
                "every": 0,
            }
        },
        "layers[0].rotation.every",
        "greater than or equal to 1",
    ),
    (
        explicit(("2026-01-05T09:00", "2026-01-05T09:00", 1)),
        "layers[0].shifts[0]",
        "not after its start",
    ),
    ({"shifts": [], "calendar": 1}, "layers[0]", "exactly one source"),
    ({"name": "Nobody"}, "layers[0]", "exactly one source"),
    (
        {**weekly(1), "restrictions": [{"since": "9:00", "until": "17:00"}]},
        "layers[0].restrictions[0].since",
        "22:00",
    ),
    (
        {**weekly(1), "restrictions": [{"since": "09:00", "until": "17:00", "days": ["so"]}]},
        "layers[0].restrictions[0].days[0]",
        "mon",
    ),
    ({**weekly(1), "on_holidays": "sleeps"}, "layers[0].on_holidays", "works"),
    (
        {**weekly(1), "starts": "2026-02-01T00:00", "ends": "2026-01-01T00:00"},
        "layers[0]",
        "not after its start",
    ),
]


@pytest.mark.parametrize(("layer", "path", "said"), FAULTS, ids=[fault[1] for fault in FAULTS])
async def test_a_fault_is_told_with_its_path(
    world: World, layer: dict[str, Any], path: str, said: str
) -> None:
    admin = await world.admin()
    refused = await schedule(world, admin, layer, expect=422)
    fault = refused["details"]["errors"][0]
    assert fault["path"] == path
    assert said in fault["message"]


async def test_people_must_be_there_and_active_if_they_are_to_come(world: World) -> None:
    admin = await world.admin()
    ben = await world.person("ben@example.org")
    await world.call("PATCH", f"/v1/users/{ben.id}", admin, json={"is_active": False})
    refused = await schedule(world, admin, weekly(admin.id, 999), weekly(ben.id), expect=422)
    assert refused["code"] == "INVALID_SCHEDULE"
    assert [one["path"] for one in refused["details"]["errors"]] == [
        "layers[0].rotation.participants[1]",
        "layers[1].rotation.participants[0]",
    ]
    # A shift that is over was theirs, and may be told.
    past = explicit(("2020-01-05T09:00", "2020-01-05T17:00", ben.id))
    ahead = explicit(("2199-01-05T09:00", "2199-01-05T17:00", ben.id))
    await schedule(world, admin, weekly(admin.id), past)
    refused = await schedule(world, admin, weekly(admin.id), ahead, name="B", expect=422)
    assert refused["details"]["errors"][0]["path"] == "layers[1].shifts[0].user"


async def test_calendars_must_be_there(world: World) -> None:
    admin = await world.admin()
    refused = await schedule(
        world, admin, weekly(admin.id), {"calendar": 7}, holidays=[8], expect=422
    )
    assert [one["path"] for one in refused["details"]["errors"]] == [
        "layers[1].calendar",
        "holidays[0]",
    ]


async def test_a_schedule_that_is_used_cannot_be_deleted(world: World) -> None:
    admin = await world.admin()
    made = await schedule(world, admin, weekly(admin.id))
    policy = await world.policy(admin, [(0, {"schedule": made["id"]})], name="Pages it")
    service = await world.call(
        "POST",
        "/v1/services",
        admin,
        expect=201,
        json={"name": "checkout", "schedule_id": made["id"]},
    )
    path = f"/v1/schedules/{made['id']}"
    refused = await world.call("DELETE", path, admin, expect=409)
    assert refused["code"] == "SCHEDULE_IN_USE"
    assert refused["details"] == {"policies": ["Pages it"], "services": ["checkout"]}
    await world.call("DELETE", f"/v1/escalation/policies/{policy['id']}", admin, expect=204)
    await world.call("PATCH", f"/v1/services/{service['id']}", admin, json={"schedule_id": None})
    await world.call("DELETE", path, admin, expect=204)
    await world.call("GET", path, admin, expect=404)
    await schedule(world, admin, weekly(admin.id))  # its name is free again


async def test_names_are_given_once(world: World) -> None:
    admin = await world.admin()
    await schedule(world, admin, weekly(admin.id))
    refused = await schedule(world, admin, weekly(admin.id), expect=409)
    assert refused["code"] == "SCHEDULE_NAME_TAKEN"
    other = await schedule(world, admin, weekly(admin.id), name="Networks")
    path = f"/v1/schedules/{other['id']}"
    refused = await world.call("PATCH", path, admin, expect=409, json={"name": "Databases"})
    assert refused["code"] == "SCHEDULE_NAME_TAKEN"
    await world.call("PATCH", path, admin, json={"name": "Networks"})


async def test_leads_of_the_owning_team_edit_it_and_other_responders_do_not(world: World) -> None:
    admin = await world.admin()
    lead = await world.person("lead@example.org")
    other = await world.person("other@example.org")
    team = await world.call("POST", "/v1/teams", admin, expect=201, json={"name": "Storage"})
    members = {"members": [{"user_id": lead.id, "is_lead": True}]}
    await world.call("PUT", f"/v1/teams/{team['id']}/members", admin, json=members)
    await schedule(world, lead, weekly(lead.id), expect=403)
    made = await schedule(world, lead, weekly(lead.id), team_id=team["id"])
    path = f"/v1/schedules/{made['id']}"
    await world.call("PATCH", path, lead, json={"description": "Ours"})
    for change in ({"description": "Theirs"}, {"team_id": None}):
        await world.call("PATCH", path, other, json=change, expect=403)
    await world.call("PATCH", path, lead, json={"team_id": None}, expect=403)
    await world.call("DELETE", path, other, expect=403)
    refused = await schedule(world, admin, weekly(admin.id), name="X", team_id=99, expect=422)
    assert refused["details"]["field"] == "team_id"


async def test_lists_are_narrowed_to_a_team_a_person_and_a_name(world: World) -> None:
    admin = await world.admin()
    ben = await world.person("ben@example.org")
    cleo = await world.person("cleo@example.org", Role.RESPONDER)
    team = await world.call("POST", "/v1/teams", admin, expect=201, json={"name": "Storage"})
    one = await schedule(world, admin, weekly(ben.id), team_id=team["id"])
    shift = explicit(("2030-01-07T09:00", "2030-01-07T17:00", ben.id))
    two = await schedule(world, admin, weekly(admin.id), shift, name="Networks")
    three = await schedule(world, admin, weekly(admin.id), name="Web")

    async def found(**query: Any) -> list[int]:
        page = await world.call("GET", "/v1/schedules", admin, params=query)
        return [each["id"] for each in page["items"]]

    assert await found() == [one["id"], two["id"], three["id"]]
    assert await found(team_id=team["id"]) == [one["id"]]
    assert await found(user_id=ben.id) == [one["id"], two["id"]]
    assert await found(search="WORK") == [two["id"]]
    assert await found(user_id=cleo.id) == []
    end = (await world.clock.now() + timedelta(hours=1)).isoformat()
    await world.call(
        "POST",
        f"/v1/schedules/{three['id']}/overrides",
        cleo,
        expect=201,
        json={"user_id": cleo.id, "ends_at": end},
    )
    assert await found(user_id=cleo.id) == [three["id"]]
    world.clock.forward(hours=2)
    assert await found(user_id=cleo.id) == []


async def test_an_edit_of_what_one_has_not_seen_is_refused(world: World) -> None:
    admin = await world.admin()
    made = await schedule(world, admin, weekly(admin.id))
    path = f"/v1/schedules/{made['id']}"
    await world.call("PATCH", path, admin, json={"description": "a"})
    refused = await world.call(
        "PATCH", path, admin, json={"description": "b"}, headers={"If-Match": '"1"'}, expect=412
    )
    assert refused["details"]["current"]["description"] == "a"


HOURLY = {"kind": "hourly", "handoff": "2026-01-05T09:00", "participants": [1]}
HOUR = {"since": "09:00", "until": "10:00"}
TOO_MUCH: list[tuple[list[dict[str, Any]], str]] = [
    ([weekly(1)] * 21, "at most 20"),
    ([{"rotation": HOURLY}] * 3, "hand over 72 times a day"),
    ([weekly(1, restrictions=[HOUR] * 21), weekly(1, restrictions=[HOUR] * 20)], "41 restrictions"),
    ([weekly(*range(1, 202))], "at most 200"),
    ([weekly(*range(1, 102)), weekly(*range(102, 203))], "202 people"),
    ([explicit(*[("2030-01-07T09:00", "2030-01-07T17:00", 1)] * 1001)] * 2, "2002 shifts"),
]


@pytest.mark.parametrize(("layers", "said"), TOO_MUCH, ids=[one[1] for one in TOO_MUCH])
async def test_no_schedule_can_keep_the_engine_busy(
    world: World, layers: list[dict[str, Any]], said: str
) -> None:
    admin = await world.admin()
    refused = await schedule(world, admin, *layers, expect=422)
    fault = refused["details"]["errors"][0]
    assert fault["path"].startswith("layers")
    assert said in fault["message"]
