"""An alert's body is read again: taken in as if it came now, and the incidents say by whom."""

import asyncio
from typing import Any

import pytest

from app.domain.user import Role
from tests.api.answers import refused
from tests.api.test_alerts_body import keep
from tests.world import Person, World

GROUP = {
    "version": "4", "status": "firing", "receiver": "tocsin", "groupKey": "disks",
    "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {}, "truncatedAlerts": 0,
    "externalURL": "http://alertmanager.example",
}  # fmt: skip


@pytest.fixture
async def admin(world: World) -> Person:
    return await world.admin()


@pytest.fixture
async def ana(world: World, admin: Person) -> Person:
    return await world.person(full_name="Ana")


@pytest.fixture
async def key(world: World, admin: Person) -> str:
    return await world.integration_key(admin)


def firing(name: str) -> dict[str, Any]:
    return {
        "status": "firing", "labels": {"alertname": name}, "annotations": {},
        "startsAt": "2026-11-21T03:00:00Z", "fingerprint": name, "generatorURL": "",
    }  # fmt: skip


async def replay(world: World, who: Person, alert_id: int, query: str = "") -> list[dict[str, Any]]:
    answer = await world.call("POST", f"/v1/alerts/{alert_id}/replay{query}", who)
    receipts: list[dict[str, Any]] = answer["alerts"]
    return receipts


async def told(world: World, who: Person, incident_id: int) -> list[dict[str, Any]]:
    answer = await world.call("GET", f"/v1/incidents/{incident_id}/timeline", who)
    return [one for one in answer["items"] if one["event_type"] == "alert_replayed"]


async def test_an_alert_that_could_not_be_read_is_read_once_the_parser_can(
    world: World, ana: Person, key: str
) -> None:
    body = b"title: Disk full"
    answer = await world.call(
        "POST", "/v1/webhooks/alerts", headers={"X-API-Key": key}, content=body
    )
    [lost] = answer["alerts"]
    assert lost["outcome"] == "unreadable"
    [still] = await replay(world, ana, lost["id"])
    assert (still["outcome"], still["incident_id"]) == ("unreadable", lost["incident_id"])
    [entry] = await told(world, ana, lost["incident_id"])
    assert (
        entry["description"]
        == f"Ana had alert {lost['id']} read again, which still cannot be read."
    )
    # A parser that has learnt this is what a later version brings; a body it knows is the same.
    readable = b'{"title": "Disk full"}'
    await keep(world, lost["id"], readable, len(readable))
    [found] = await replay(world, ana, lost["id"])
    assert found["outcome"] == "opened"
    shown = await world.call("GET", f"/v1/incidents/{found['incident_id']}", ana)
    assert (shown["title"], shown["alert_count"]) == ("Disk full", 1)
    [entry] = await told(world, ana, found["incident_id"])
    assert (
        entry["description"]
        == f"Ana had alert {lost['id']} read again, which opened this incident."
    )
    assert entry["user_id"] == ana.id
    assert entry["metadata"] == {"alert_id": lost["id"], "alerts": [found["id"]]}


async def test_a_replay_is_an_alert_like_any_other_and_both_name_each_other(
    world: World, ana: Person, key: str
) -> None:
    first = await world.alert(key)
    [second] = await replay(world, ana, first["id"])
    assert (second["outcome"], second["incident_id"]) == ("joined", first["incident_id"])
    [third] = await replay(world, ana, second["id"])
    seen = {
        number: await world.call("GET", f"/v1/alerts/{number}", ana)
        for number in (first["id"], second["id"], third["id"])
    }
    assert seen[first["id"]]["replays"] == [second["id"]]
    assert seen[first["id"]]["replay_of"] is None
    assert seen[second["id"]]["replay_of"] == first["id"]
    assert seen[second["id"]]["replays"] == [third["id"]]
    assert seen[second["id"]]["has_body"]
    assert seen[second["id"]]["request_id"] != seen[first["id"]]["request_id"]
    incident = await world.call("GET", f"/v1/incidents/{first['incident_id']}", ana)
    assert incident["alert_count"] == 3


async def test_a_replay_pages_like_a_new_alert(world: World, admin: Person, key: str) -> None:
    await world.policy(admin, [(0, {"user": admin.id})], final_delay_minutes=600)
    first = await world.alert(key)
    await world.act(admin, first["incident_id"], "resolve")
    [again] = await replay(world, admin, first["id"])
    assert again["outcome"] == "opened"
    assert again["incident_id"] != first["incident_id"]
    await world.climb()
    assert len(await world.notifications(admin, again["incident_id"])) == 1
    assert await world.notifications(admin, first["incident_id"]) == []


async def test_with_an_alert_all_of_its_request_is_read_again(
    world: World, ana: Person, key: str
) -> None:
    answer = await world.call(
        "POST",
        "/v1/webhooks/alerts",
        headers={"X-API-Key": key},
        json=[{"title": "a"}, {"title": "b"}, {"title": "a"}],
    )
    first, second, _ = answer["alerts"]
    again = await replay(world, ana, second["id"])
    assert [one["outcome"] for one in again] == ["joined"] * 3
    assert [one["incident_id"] for one in again] == [one["incident_id"] for one in answer["alerts"]]
    newest_first = [one["id"] for one in again][::-1]
    for number in (first["id"], second["id"]):
        shown = await world.call("GET", f"/v1/alerts/{number}", ana)
        assert shown["replays"] == newest_first
    # One line for each incident, whatever number of alerts it got.
    [entry] = await told(world, ana, first["incident_id"])
    assert entry["metadata"]["alerts"] == [again[0]["id"], again[2]["id"]]
    assert len(await told(world, ana, second["incident_id"])) == 1


async def test_a_recovery_that_is_read_again_resolves_what_is_open_now(
    world: World, ana: Person, key: str
) -> None:
    await world.alert(key)
    over = await world.alert(key, status="resolved")
    opened = await world.alert(key)
    [again] = await replay(world, ana, over["id"])
    assert (again["outcome"], again["incident_id"]) == ("resolved", opened["incident_id"])
    [entry] = await told(world, ana, opened["incident_id"])
    assert entry["description"].endswith("which resolved this incident.")
    [ignored] = await replay(world, ana, over["id"])
    assert ignored["outcome"] == "ignored"
    assert len(await told(world, ana, opened["incident_id"])) == 1


async def test_what_an_old_body_leaves_out_of_its_group_goes_on(
    world: World, ana: Person, admin: Person
) -> None:
    """It said that only one disk was full; since then another one is."""
    headers = {"X-API-Key": await world.integration_key(admin, "alertmanager")}
    path = "/v1/webhooks/alertmanager"
    old = await world.call("POST", path, headers=headers, json={**GROUP, "alerts": [firing("a")]})
    both = {**GROUP, "alerts": [firing("a"), firing("b")]}
    newer = await world.call("POST", path, headers=headers, json=both)
    await replay(world, ana, old["alerts"][0]["id"])
    incident = await world.call("GET", f"/v1/incidents/{newer['alerts'][1]['incident_id']}", ana)
    assert incident["status"] == "open"


async def test_the_format_is_named_where_the_door_was_another_than_the_integration(
    world: World, ana: Person, key: str
) -> None:
    """Any key opens any door, and which one it was is not on record."""
    body = {**GROUP, "alerts": [firing("a")]}
    answer = await world.call(
        "POST", "/v1/webhooks/alertmanager", headers={"X-API-Key": key}, json=body
    )
    [first] = answer["alerts"]
    [wrong] = await replay(world, ana, first["id"])
    assert wrong["outcome"] == "unreadable"
    [right] = await replay(world, ana, first["id"], "?kind=alertmanager")
    assert (right["outcome"], right["incident_id"]) == ("joined", first["incident_id"])


async def test_it_is_refused_where_it_could_only_go_wrong(
    world: World, ana: Person, admin: Person, key: str
) -> None:
    alert_id = (await world.alert(key))["id"]
    path = f"/v1/alerts/{alert_id}/replay"
    before = (await world.sql("SELECT count(*) FROM alerts"))[0][0]
    await keep(world, alert_id, b'{"title": "Disk', 4000)
    await refused(world, "POST", path, ana, 409, "BODY_CUT")
    await keep(world, alert_id, b'{"title": "Disk full"}', 22)
    [[number]] = await world.sql("SELECT id FROM integrations")
    off = {"is_active": False}
    await world.call("PATCH", f"/v1/integrations/{number}", admin, json=off)
    await refused(world, "POST", path, ana, 409, "INTEGRATION_INACTIVE")
    await keep(world, alert_id, None, 22)
    await refused(world, "POST", path, ana, 404, "BODY_NOT_KEPT")
    await refused(world, "POST", f"{path}?kind=carrier-pigeon", ana, 422, "VALIDATION_ERROR")
    viewer = await world.person("cy@example.org", Role.VIEWER)
    await refused(world, "POST", path, viewer, 403, "FORBIDDEN")
    assert (await world.sql("SELECT count(*) FROM alerts"))[0][0] == before


@pytest.mark.parametrize("body", [b"", b"\xff\xfe\x00", b"[" * 60_000, b"x" * 60_000])
async def test_a_hostile_body_is_no_worse_the_second_time(
    world: World, ana: Person, key: str, body: bytes
) -> None:
    alert_id = (await world.alert(key))["id"]
    await keep(world, alert_id, body, len(body))
    [again] = await replay(world, ana, alert_id)
    assert again["outcome"] == "unreadable"


async def test_two_at_once_open_one_incident(world: World, ana: Person, key: str) -> None:
    first = await world.alert(key)
    await world.act(ana, first["incident_id"], "resolve")
    receipts = await asyncio.gather(*(replay(world, ana, first["id"]) for _ in range(4)))
    outcomes = sorted(receipt["outcome"] for [receipt] in receipts)
    assert outcomes == ["joined", "joined", "joined", "opened"]
    assert len({receipt["incident_id"] for [receipt] in receipts}) == 1
