"""Who is on call, asked over HTTP: by schedule, all of them, by person, and after an edit."""

from datetime import datetime, timedelta
from typing import Any

from tests.api.rotas import OFFICE, explicit, schedule, weekly
from tests.world import Person, World


async def shifts(world: World, who: Person, schedule_id: int, **query: str) -> Any:
    return await world.call("GET", f"/v1/schedules/{schedule_id}/shifts", who, params=query)


async def test_shifts_show_the_whole_and_each_layer(world: World) -> None:
    admin = await world.admin()
    ben = await world.person("ben@example.org", full_name="Ben Roe")
    day = explicit(("2030-01-08T09:00", "2030-01-08T17:00", ben.id))
    made = await schedule(
        world, admin, weekly(admin.id, restrictions=OFFICE, name="Office"), day, allow_gaps=True
    )
    query = {"since": "2030-01-07T23:00:00Z", "until": "2030-01-09T23:00:00Z"}
    shown = await shifts(world, admin, made["id"], **query)
    assert [
        (one["starts_at"], one["local_starts_at"], one["people"]) for one in shown["final"]
    ] == [
        ("2030-01-08T08:00:00Z", "2030-01-08T09:00:00+01:00", [ben.id]),
        ("2030-01-09T08:00:00Z", "2030-01-09T09:00:00+01:00", [admin.id]),
    ]
    assert [layer["name"] for layer in shown["layers"]] == ["Office", None]
    assert [len(layer["stretches"]) for layer in shown["layers"]] == [2, 1]
    assert [gap["starts_at"] for gap in shown["gaps"]] == [
        "2030-01-07T23:00:00Z",
        "2030-01-08T16:00:00Z",
        "2030-01-09T16:00:00Z",
    ]
    assert shown["overlaps"] == []
    assert [one["name"] for one in shown["people"]] == ["admin@example.org", "Ben Roe"]
    assert shown["time_zone_version"]


async def test_more_than_one_on_call_is_shown_as_an_overlap(world: World) -> None:
    admin = await world.admin()
    ben = await world.person("ben@example.org")
    both = explicit(
        ("2030-01-08T09:00", "2030-01-08T17:00", ben.id),
        ("2030-01-08T16:00", "2030-01-08T20:00", admin.id),
    )
    made = await schedule(world, admin, weekly(admin.id), both, allow_overlaps=True)
    query = {"since": "2030-01-08T00:00:00Z", "until": "2030-01-09T00:00:00Z"}
    overlaps = (await shifts(world, admin, made["id"], **query))["overlaps"]
    assert [(one["starts_at"], one["ends_at"], one["people"]) for one in overlaps] == [
        ("2030-01-08T15:00:00Z", "2030-01-08T16:00:00Z", [admin.id, ben.id])
    ]


async def test_a_rendering_has_an_end(world: World) -> None:
    admin = await world.admin()
    hourly = {"kind": "hourly", "handoff": "2026-01-05T09:00", "participants": [admin.id]}
    made = await schedule(world, admin, *[{"rotation": hourly}] * 2)
    path = f"/v1/schedules/{made['id']}/shifts"
    for query, code in (
        ({"until": "2030-01-01T00:00:00Z"}, "RENDERING_TOO_LONG"),
        ({"until": "2020-01-01T00:00:00Z"}, "INVALID_INPUT"),
        ({"until": "2300-01-01T00:00:00Z"}, "VALIDATION_ERROR"),
        ({"until": "0001-01-01T00:00:00+05:00"}, "VALIDATION_ERROR"),
        ({"known_at": "2199-01-01T00:00:00Z"}, "INVALID_INPUT"),
    ):
        refused = await world.call("GET", path, admin, params=query, expect=422)
        assert refused["code"] == code


async def test_too_many_stretches_are_refused_and_not_sent(world: World) -> None:
    admin = await world.admin()
    ben = await world.person("ben@example.org")
    hourly = {"kind": "hourly", "handoff": "2026-01-05T09:00", "participants": [admin.id, ben.id]}
    made = await schedule(world, admin, *[{"rotation": hourly}] * 2)
    until = (await world.clock.now() + timedelta(days=390)).isoformat()
    path = f"/v1/schedules/{made['id']}/shifts"
    refused = await world.call("GET", path, admin, params={"until": until}, expect=422)
    assert refused["code"] == "RENDERING_TOO_LONG"


async def test_everybody_who_is_on_call_now(world: World) -> None:
    admin = await world.admin()
    ben = await world.person("ben@example.org")
    one = await schedule(world, admin, weekly(admin.id, ben.id))
    two = await schedule(world, admin, name="Empty", allow_gaps=True)
    page = await world.call("GET", "/v1/on-call", admin)
    assert page["total"] == 2
    assert [item["schedule_id"] for item in page["items"]] == [one["id"], two["id"]]
    assert [len(item["on_call"]) for item in page["items"]] == [1, 0]
    assert page["items"][0]["next"]["people"][0]["id"] in (admin.id, ben.id)
    assert page["items"][1]["next"] is None


async def test_a_person_hears_when_they_are_on_call(world: World) -> None:
    admin = await world.admin()
    ben = await world.person("ben@example.org")
    made = await schedule(world, admin, weekly(admin.id, ben.id))
    await schedule(world, admin, weekly(admin.id), name="Networks")
    until = {"until": (await world.clock.now() + timedelta(days=30)).isoformat()}
    mine = await world.call("GET", "/v1/users/me/on-call", ben, params=until)
    theirs = await world.call("GET", f"/v1/users/{ben.id}/on-call", admin, params=until)
    assert mine["shifts"][1:] == theirs["shifts"][1:]
    assert mine["user_id"] == ben.id
    assert {one["schedule_id"] for one in mine["shifts"]} == {made["id"]}
    assert len(mine["now"]) in (0, 1)
    now = datetime.fromisoformat(mine["at"])
    assert datetime.fromisoformat(mine["next"]["starts_at"]) > now
    always = await world.call("GET", "/v1/users/me/on-call", admin)
    assert "Networks" in [one["schedule_name"] for one in always["now"]]
    await world.call("GET", "/v1/users/999/on-call", admin, expect=404)


async def test_a_person_who_stands_in_is_told(world: World) -> None:
    admin = await world.admin()
    ben = await world.person("ben@example.org")
    made = await schedule(world, admin, weekly(admin.id))
    start = await world.clock.now() + timedelta(days=2)
    body = {
        "user_id": ben.id,
        "starts_at": start.isoformat(),
        "ends_at": (start + timedelta(hours=4)).isoformat(),
    }
    await world.call("POST", f"/v1/schedules/{made['id']}/overrides", admin, expect=201, json=body)
    mine = await world.call("GET", "/v1/users/me/on-call", ben)
    assert mine["now"] == []
    assert len(mine["shifts"]) == 1
    assert datetime.fromisoformat(mine["next"]["starts_at"]) == start


async def preview(world: World, who: Person, expect: int = 200, **body: Any) -> Any:
    return await world.call("POST", "/v1/schedules/preview", who, expect=expect, json=body)


async def test_a_draft_is_shown_before_it_is_made(world: World) -> None:
    admin = await world.admin()
    shown = await preview(
        world, admin, time_zone="Europe/Berlin", layers=[weekly(admin.id, restrictions=OFFICE)]
    )
    assert shown["schedule_id"] is None
    assert shown["changes"] == []
    assert shown["opened_gaps"] == shown["gaps"] != []
    assert shown["load"][0]["seconds_before"] == 0
    assert (await world.call("GET", "/v1/schedules", admin))["total"] == 0
    refused = await preview(world, admin, layers=[weekly(admin.id)], expect=422)
    assert refused["details"]["field"] == "time_zone"
    refused = await preview(
        world, admin, time_zone="Europe/Berlin", layers=[weekly(999)], expect=422
    )
    assert refused["code"] == "INVALID_SCHEDULE"
    await preview(world, admin, schedule_id=99, expect=404)


async def test_a_change_is_shown_with_what_it_changes_for_whom(world: World) -> None:
    admin = await world.admin()
    ben = await world.person("ben@example.org")
    made = await schedule(world, admin, weekly(admin.id))
    now = await world.clock.now()
    day = (now + timedelta(days=3)).date()
    shift = explicit((f"{day}T09:00", f"{day}T17:00", ben.id))
    viewer = ben  # whoever may read may try
    same = await preview(world, viewer, schedule_id=made["id"])
    assert same["changes"] == []
    shown = await preview(world, viewer, schedule_id=made["id"], layers=[weekly(admin.id), shift])
    (change,) = shown["changes"]
    assert (change["before"], change["after"]) == ([admin.id], [ben.id])
    assert change["starts_at"].startswith(f"{day}T")
    load = {one["user_id"]: one["seconds_after"] - one["seconds_before"] for one in shown["load"]}
    assert load == {admin.id: -8 * 3600, ben.id: 8 * 3600}
    assert shown["opened_gaps"] == []
    gone = await preview(world, viewer, schedule_id=made["id"], layers=[])
    assert len(gone["opened_gaps"]) == 1
    read = await world.call("GET", f"/v1/schedules/{made['id']}", admin)
    assert read["revision"] == 1
