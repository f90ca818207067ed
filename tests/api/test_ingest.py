"""The three doors for monitoring tools: what became of each alert."""

from typing import Any

import httpx
import pytest

from tests.api.answers import send
from tests.world import Person, World

DOOR = "/v1/webhooks/"


async def post(world: World, key: str, kind: str, body: Any, **kw: Any) -> list[dict[str, Any]]:
    headers = {"X-API-Key": key, **kw}
    answer = await world.call("POST", DOOR + kind, headers=headers, json=body)
    receipts: list[dict[str, Any]] = answer["alerts"]
    return receipts


def outcomes(receipts: list[dict[str, Any]]) -> list[str]:
    return [receipt["outcome"] for receipt in receipts]


async def incident(world: World, who: Person, receipt: dict[str, Any]) -> dict[str, Any]:
    path = f"/v1/incidents/{receipt['incident_id']}"
    found: dict[str, Any] = await world.call("GET", path, who)
    return found


def firing(*fingerprints: str, **payload: Any) -> dict[str, Any]:
    return {
        "version": "4",
        "groupKey": "{}:{alertname='HighCPU'}",
        "truncatedAlerts": 0,
        "status": "firing",
        "alerts": [
            {
                "status": "firing",
                "labels": {"alertname": "HighCPU", "instance": name, "severity": "critical"},
                "annotations": {"summary": f"cpu of {name} high"},
                "startsAt": "2026-11-21T07:07:55.294Z",
                "fingerprint": name,
            }
            for name in fingerprints
        ],
        **payload,
    }


async def test_a_plain_alert_opens_an_incident_that_says_what_it_said(world: World) -> None:
    admin = await world.admin()
    key = await world.integration_key(admin)
    body = {
        "title": "Disk full",
        "severity": "SEV1",
        "service": "database",
        "source": "cron",
        "dedup_key": "disk:db1",
        "description": "97 %",
        "tags": ["disk"],
        "labels": {"host": "db1"},
        "url": "https://grafana.example.org/d",
    }

    (receipt,) = await post(world, key, "alerts", body)

    assert (receipt["outcome"], receipt["dedup_key"], receipt["reason"]) == (
        "opened",
        "disk:db1",
        None,
    )
    opened = await incident(world, admin, receipt)
    for name in ("title", "service", "source", "dedup_key", "description", "tags", "labels", "url"):
        assert opened[name] == body[name]
    assert (opened["severity"], opened["alert_count"]) == ("critical", 1)
    assert (opened["status"], opened["created_by"]) == ("open", None)
    assert await world.timeline(admin, opened["id"]) == ["opened", "escalation_started"]


async def test_the_elastic_door_opens_and_resolves(world: World) -> None:
    admin = await world.admin()
    key = await world.integration_key(admin, "elastic")
    body = {"dedup_key": "4f1c:checkout", "title": "Error count", "service": "checkout"}
    (first,) = await post(world, key, "elastic", {**body, "status": "threshold_met"})
    (last,) = await post(world, key, "elastic", {**body, "status": "recovered"})
    assert (first["outcome"], last["outcome"]) == ("opened", "resolved")
    assert (await incident(world, admin, first))["status"] == "resolved"


async def test_the_alertmanager_door_answers_for_each_alert(world: World) -> None:
    admin = await world.admin()
    key = await world.integration_key(admin, "alertmanager")
    receipts = await post(world, key, "alertmanager", firing("h1", "h2"))
    assert outcomes(receipts) == ["opened", "opened"]
    assert [receipt["dedup_key"] for receipt in receipts] == ["h1", "h2"]
    assert (await incident(world, admin, receipts[0]))["title"] == "cpu of h1 high"
    assert outcomes(await post(world, key, "alertmanager", firing("h1", "h2"))) == ["joined"] * 2


async def test_what_a_complete_group_no_longer_names_is_over(world: World) -> None:
    admin = await world.admin()
    key = await world.integration_key(admin, "alertmanager")
    one, two = await post(world, key, "alertmanager", firing("h1", "h2"))
    await post(world, key, "alertmanager", firing("h2"))
    assert (await incident(world, admin, one))["status"] == "resolved"
    assert (await incident(world, admin, two))["status"] == "open"


async def test_what_a_truncated_group_leaves_out_goes_on(world: World) -> None:
    admin = await world.admin()
    key = await world.integration_key(admin, "alertmanager")
    one, _ = await post(world, key, "alertmanager", firing("h1", "h2"))
    await post(world, key, "alertmanager", firing("h2", truncatedAlerts=1))
    assert (await incident(world, admin, one))["status"] == "open"


async def test_other_groups_and_other_integrations_resolve_nothing_of_it(world: World) -> None:
    admin = await world.admin()
    key = await world.integration_key(admin, "alertmanager", name="one")
    other = await world.integration_key(admin, "alertmanager", name="two")
    (one,) = await post(world, key, "alertmanager", firing("h1"))
    await post(world, other, "alertmanager", firing("h2"))
    await post(world, key, "alertmanager", firing("h2", groupKey="another"))
    assert (await incident(world, admin, one))["status"] == "open"


async def test_the_same_problem_twice_in_one_body_is_one_incident(world: World) -> None:
    admin = await world.admin()
    key = await world.integration_key(admin)
    alert = {"title": "Disk full", "dedup_key": "disk"}
    receipts = await post(world, key, "alerts", [alert, alert, {**alert, "title": "Fuller"}])
    assert outcomes(receipts) == ["opened", "joined", "joined"]
    assert len({receipt["incident_id"] for receipt in receipts}) == 1
    opened = await incident(world, admin, receipts[0])
    assert (opened["title"], opened["alert_count"]) == ("Disk full", 3)


async def test_trigger_resolve_trigger_in_one_body_opens_two_in_order(world: World) -> None:
    admin = await world.admin()
    key = await world.integration_key(admin)
    fire = {"title": "Disk full", "dedup_key": "disk"}
    receipts = await post(
        world, key, "alerts", {"alerts": [fire, {**fire, "status": "resolved"}, fire]}
    )
    assert outcomes(receipts) == ["opened", "resolved", "opened"]
    first, ended, second = (receipt["incident_id"] for receipt in receipts)
    assert first == ended < second
    assert (await incident(world, admin, receipts[0]))["status"] == "resolved"
    assert (await incident(world, admin, receipts[2]))["status"] == "open"


async def test_a_recovery_with_nothing_to_resolve_is_ignored(world: World) -> None:
    admin = await world.admin()
    key = await world.integration_key(admin)
    receipt = await world.alert(key, status="resolved")
    assert (receipt["outcome"], receipt["incident_id"]) == ("ignored", None)
    assert (await world.call("GET", "/v1/incidents", admin))["total"] == 0


async def test_an_alert_joins_what_is_acknowledged_and_not_what_is_resolved(world: World) -> None:
    admin = await world.admin()
    key = await world.integration_key(admin)
    first = await world.alert(key)
    await world.act(admin, first["incident_id"], "acknowledge")
    assert await world.alert(key) == {**first, "id": first["id"] + 1, "outcome": "joined"}
    await world.act(admin, first["incident_id"], "resolve")
    second = await world.alert(key)
    assert second["outcome"] == "opened"
    assert second["incident_id"] > first["incident_id"]


async def test_the_same_key_of_two_integrations_is_two_problems(world: World) -> None:
    admin = await world.admin()
    one = await world.integration_key(admin, name="one")
    two = await world.integration_key(admin, name="two")
    first, second = await world.alert(one), await world.alert(two)
    assert (first["outcome"], second["outcome"]) == ("opened", "opened")


async def test_what_an_alert_leaves_out_the_integration_says(world: World) -> None:
    admin = await world.admin()
    key = await world.integration_key(admin, service="checkout", default_severity="low")
    (said,) = await post(world, key, "alerts", {"title": "a", "service": "web", "severity": "P1"})
    (left,) = await post(world, key, "alerts", {"title": "b"})
    (odd,) = await post(world, key, "alerts", {"title": "c", "severity": "purple"})
    shown = [await incident(world, admin, receipt) for receipt in (said, left, odd)]
    assert [(i["service"], i["severity"]) for i in shown] == [
        ("web", "critical"),
        ("checkout", "low"),
        ("checkout", "low"),
    ]


async def test_an_integration_without_a_service_gives_its_name(world: World) -> None:
    admin = await world.admin()
    key = await world.integration_key(admin, name="Nagios")
    (receipt,) = await post(world, key, "alerts", {"title": "a"})
    assert (await incident(world, admin, receipt))["service"] == "Nagios"


async def test_the_content_type_does_not_matter(world: World) -> None:
    key = await world.integration_key(await world.admin())
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        answer = await send(
            world,
            "POST",
            DOOR + "alerts",
            content=b'{"title": "Disk full", "dedup_key": "disk"}',
            headers={"X-API-Key": key, "Content-Type": kind},
        )
        assert answer.json()["alerts"][0]["outcome"] in ("opened", "joined")


async def test_a_thousand_alerts_come_in_one_body(world: World) -> None:
    admin = await world.admin()
    await world.policy(admin, [(0, "admins")])
    key = await world.integration_key(admin)
    receipts = await post(world, key, "alerts", [{"title": f"Number {n}"} for n in range(1000)])
    assert outcomes(receipts) == ["opened"] * 1000
    assert len({receipt["id"] for receipt in receipts}) == 1000
    numbers = [receipt["incident_id"] for receipt in receipts]
    last = await world.call("GET", f"/v1/incidents/{numbers[-1]}", admin)
    assert last["title"] == "Number 999"
    (row,) = await world.sql("SELECT count(*) FROM escalations WHERE status = 'active'")
    assert row.count == 1000


async def test_the_alerts_of_a_body_that_can_be_read_survive_those_that_cannot(
    world: World,
) -> None:
    admin = await world.admin()
    key = await world.integration_key(admin)
    receipts = await post(world, key, "alerts", [{"title": "a"}, 5, {}, None, {"title": "b"}])
    assert outcomes(receipts) == ["opened", "unreadable", "unreadable", "unreadable", "opened"]
    assert len({receipts[i]["incident_id"] for i in (1, 2, 3)}) == 1


@pytest.mark.parametrize(
    "text",
    ["🔔 alarm", "日本語", "مرحبا \u202e txt", "e\u0301", "<script>alert(1)</script>", "{{7*7}}"],
)
async def test_any_text_survives(world: World, text: str) -> None:
    admin = await world.admin()
    key = await world.integration_key(admin)
    receipt = await world.alert(key, title=text, labels={"k": text}, tags=[text], dedup_key=text)
    opened = await incident(world, admin, receipt)
    assert (opened["title"], opened["labels"], opened["tags"]) == (text, {"k": text}, [text])
    assert opened["dedup_key"] == receipt["dedup_key"] == text


async def test_what_no_database_holds_is_cleaned_and_the_alert_still_opens(world: World) -> None:
    admin = await world.admin()
    key = await world.integration_key(admin)
    body = (
        rb'{"title": "a\u0000b \ud800 c", "dedup_key": "k\u0000", "labels": {"x\u0000": "\udfff"}}'
    )
    answer: httpx.Response = await send(
        world, "POST", DOOR + "alerts", content=body, headers={"X-API-Key": key}
    )
    (receipt,) = answer.json()["alerts"]
    assert receipt["outcome"] == "opened"
    opened = await incident(world, admin, receipt)
    assert "\x00" not in opened["title"]
    assert opened["title"].startswith("ab")


async def test_a_body_may_be_a_single_alert_a_list_or_an_object_of_alerts(world: World) -> None:
    key = await world.integration_key(await world.admin())
    alert = {"title": "Disk full"}
    for body in (alert, [alert], {"alerts": [alert]}):
        assert len(await post(world, key, "alerts", body)) == 1
    assert await post(world, key, "alerts", []) == []
