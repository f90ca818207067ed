"""Declaring incidents by hand, and reading them."""

from typing import Any

import pytest

from app.core.paging import BIGGEST_KEY
from tests.api.answers import faulty, refused
from tests.world import World

INCIDENTS = "/v1/incidents"
WHOLE = {"title": "Disk full", "severity": "high", "service": "database"}


async def test_a_declared_incident_is_whole_and_open(world: World) -> None:
    ana = await world.person()

    made = await world.declare(
        ana,
        description="No space left on /var",
        tags=["eu", "postgres"],
        labels={"region": "eu-west-1"},
        url="https://grafana.example.org/d/db",
    )

    assert (made["title"], made["service"], made["severity"]) == ("Disk full", "database", "high")
    assert made["description"] == "No space left on /var"
    assert (made["status"], made["source"], made["created_by"]) == ("open", "manual", ana.id)
    assert (made["tags"], made["labels"]) == (["eu", "postgres"], {"region": "eu-west-1"})
    assert made["url"] == "https://grafana.example.org/d/db"
    assert (made["integration_id"], made["dedup_key"], made["alert_count"]) == (None, None, 0)
    assert (made["assigned_to"], made["assignments"]) == (None, [])
    assert await world.call("GET", f"{INCIDENTS}/{made['id']}", ana) == made


@pytest.mark.parametrize(
    ("word", "severity"),
    [
        ("SEV1", "critical"),
        ("sev-2", "high"),
        ("P2", "high"),
        ("p4", "low"),
        ("error", "high"),
        ("Warning", "medium"),
        ("info", "low"),
        ("CRITICAL", "critical"),
        (" medium ", "medium"),
    ],
)
async def test_severity_is_understood_by_its_other_names(
    world: World, word: str, severity: str
) -> None:
    ana = await world.person()
    assert (await world.declare(ana, severity=word))["severity"] == severity


async def test_times_on_the_wire_are_utc(world: World) -> None:
    made = await world.declare(await world.person())
    assert made["created_at"].endswith("Z")


async def test_each_field_may_be_as_long_as_it_says(world: World) -> None:
    fields: dict[str, Any] = {
        "title": "🔔" * 255,
        "description": "d" * 10_000,
        "service": "s" * 100,
        "tags": [f"{n:0100}" for n in range(32)],
        "labels": {f"{n:0100}": "v" * 1000 for n in range(64)},
        "url": "https://example.org/" + "u" * 1980,
    }
    made = await world.declare(await world.person(), **fields)
    assert {name: made[name] for name in fields} == fields


FAULTY: list[tuple[dict[str, Any], str]] = [
    ({"title": "t" * 256}, "title"),
    ({"title": ""}, "title"),
    ({"title": "   "}, "title"),
    ({"title": None}, "title"),
    ({"title": 5}, "title"),
    ({"title": "Disk\x00full"}, "title"),
    ({"description": "d" * 10_001}, "description"),
    ({"severity": "bad"}, "severity"),
    ({"severity": None}, "severity"),
    ({"service": "s" * 101}, "service"),
    ({"service": ""}, "service"),
    ({"tags": ["t"] * 33}, "tags"),
    ({"tags": ["eu", ""]}, "tags[1]"),
    ({"tags": ["t" * 101]}, "tags[0]"),
    ({"tags": "eu"}, "tags"),
    ({"labels": {str(n): "v" for n in range(65)}}, "labels"),
    ({"labels": {"region": "v" * 1001}}, "labels.region"),
    ({"labels": {"region": 5}}, "labels.region"),
    ({"labels": {"region": "a\x00"}}, "labels.region"),
    ({"labels": {"n" * 101: "v"}}, "labels." + "n" * 101),
    ({"labels": ["region"]}, "labels"),
    ({"url": "javascript:alert(1)"}, "url"),
    ({"url": "https://"}, "url"),
    ({"url": "https://example.org:port/"}, "url"),
    ({"url": "https://exa mple.org/"}, "url"),
    ({"url": "https://[::1/"}, "url"),
    ({"url": "https://example.org/\r\nX: y"}, "url"),
    ({"url": "https://example.org/" + "u" * 1981}, "url"),
    ({"assignees": [0]}, "assignees[0]"),
    ({"assignees": [1, 2**63]}, "assignees[1]"),
    ({"assignees": ["ana"]}, "assignees[0]"),
    ({"assignees": [1] * 51}, "assignees"),
    ({"status": "resolved"}, "status"),
    ({"id": 7}, "id"),
]


async def test_a_faulty_incident_is_told_where_it_is_wrong(world: World) -> None:
    ana = await world.person()
    for fields, path in FAULTY:
        faults = await faulty(world, "POST", INCIDENTS, ana, json={**WHOLE, **fields})
        assert set(faults) == {path}, fields
    assert (await world.call("GET", INCIDENTS, ana))["total"] == 0


async def test_every_fault_is_told_at_once(world: World) -> None:
    ana = await world.person()
    for body in ({}, {"title": "", "severity": "bad"}, {"template_id": None, "title": None}):
        faults = await faulty(world, "POST", INCIDENTS, ana, json=body)
        assert set(faults) == {"title", "severity", "service"}, body


async def test_half_a_surrogate_pair_is_no_text(world: World) -> None:
    body = b'{"title": "\\ud83d", "severity": "high", "service": "database"}'
    json = {"Content-Type": "application/json"}
    ana = await world.person()
    faults = await faulty(world, "POST", INCIDENTS, ana, content=body, headers=json)
    assert set(faults) == {"title"}


async def test_a_body_that_says_not_that_it_is_json_is_told_to(world: World) -> None:
    ana = await world.person()
    sent = {"content": b'{"title": "x"}', "headers": {"Content-Type": "text/plain"}}
    faults = await faulty(world, "POST", INCIDENTS, ana, **sent)
    assert faults == {"": "must be a JSON object, sent with Content-Type: application/json"}


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"title": "\xff"}', b"[" * 100_000, b"1" * 5000, b"[]", b"5", b"null"]
)
async def test_a_body_that_is_no_object_is_refused(world: World, body: bytes) -> None:
    json = {"Content-Type": "application/json"}
    ana = await world.person()
    faults = await faulty(world, "POST", INCIDENTS, ana, content=body, headers=json)
    assert set(faults) == {""}


async def test_the_people_who_shall_have_it_have_it_from_the_start(world: World) -> None:
    ana, ben = await world.person("ana@example.org"), await world.person("ben@example.org")

    made = await world.declare(ana, assignees=[ana.id, ben.id])

    assert [(a["user_id"], a["role"]) for a in made["assignments"]] == [
        (ana.id, "responder"),
        (ben.id, "responder"),
    ]
    assert made["assigned_to"] == ben.id
    assert (await world.timeline(ana, made["id"])).count("assigned") == 2


async def test_nobody_unknown_or_deactivated_can_be_given_an_incident(world: World) -> None:
    admin, ana = await world.admin(), await world.person()
    await world.call("PATCH", f"/v1/users/{ana.id}", admin, json={"is_active": False})
    for user_id, status, code in ((999_999, 404, "USER_NOT_FOUND"), (ana.id, 422, "USER_INACTIVE")):
        body = {**WHOLE, "assignees": [user_id]}
        await refused(world, "POST", INCIDENTS, admin, status, code, json=body)
    assert (await world.call("GET", INCIDENTS, admin))["total"] == 0


async def test_a_matching_policy_starts_and_nothing_else(world: World) -> None:
    admin = await world.admin()
    await world.policy(admin, [(0, "admins")], name="Disks", conditions={"service": "database"})
    await world.policy(admin, [(0, "admins")], name="Web", conditions={"service": "web"})

    made = await world.declare(admin)

    running = await world.call("GET", f"{INCIDENTS}/{made['id']}/escalation", admin)
    assert [(e["policy_name"], e["status"]) for e in running["escalations"]] == [
        ("Disks", "active")
    ]


async def test_without_a_matching_policy_the_fallback_pages(world: World) -> None:
    admin = await world.admin()
    made = await world.declare(admin)
    running = await world.call("GET", f"{INCIDENTS}/{made['id']}/escalation", admin)
    assert [e["is_fallback"] for e in running["escalations"]] == [True]


@pytest.mark.parametrize("text", ["🔔 日本語", "مرحبا \u202e", "<script>alert(1)</script>", "a\nb"])
async def test_any_text_comes_back_as_it_came(world: World, text: str) -> None:
    made = await world.declare(await world.person(), title=text, description=text, tags=[text])
    assert (made["title"], made["description"], made["tags"]) == (text, text, [text])


async def test_an_incident_that_is_not_there_is_not_found(world: World) -> None:
    ana = await world.person()
    for number in (999_999, BIGGEST_KEY):
        path = f"{INCIDENTS}/{number}"
        await refused(world, "GET", path, ana, 404, "INCIDENT_NOT_FOUND")
        await refused(world, "PATCH", path, ana, 404, "INCIDENT_NOT_FOUND", json={})
        for action in ("acknowledge", "resolve", "reopen"):
            await refused(world, "POST", f"{path}/{action}", ana, 404, "INCIDENT_NOT_FOUND")
        for part in ("comments", "timeline", "escalation", "notifications"):
            await refused(world, "GET", f"{path}/{part}", ana, 404, "INCIDENT_NOT_FOUND")
        comment = {"content": "?"}
        await refused(
            world, "POST", f"{path}/comments", ana, 404, "INCIDENT_NOT_FOUND", json=comment
        )


async def test_what_can_be_no_incident_is_told_so(world: World) -> None:
    ana = await world.person()
    calls: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", "", {}),
        ("PATCH", "", {"json": {}}),
        ("POST", "/acknowledge", {}),
        ("GET", "/comments", {}),
    ]
    for number in ("0", "-1", str(2**63), "9" * 400, "text", "1e3", "0x1", "%00"):
        for method, part, kw in calls:
            faults = await faulty(world, method, f"{INCIDENTS}/{number}{part}", ana, **kw)
            assert set(faults) == {"incident_id"}
