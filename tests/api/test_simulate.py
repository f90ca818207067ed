"""What would page whom, and when: the very ladder, rehearsed and never kept."""

from datetime import timedelta
from typing import Any

import pytest

from app.domain.user import Role
from tests.world import Person, Scripted, World

HIGH = {"severity": "high", "service": "database"}
TABLES = ("incidents", "escalations", "escalation_events", "notifications", "timeline_events",
          "escalation_policies", "incident_assignments", "incident_comments")  # fmt: skip


async def simulate(world: World, who: Person, expect: int = 200, **body: Any) -> dict[str, Any]:
    if "incident_id" not in body:
        body.setdefault("incident", HIGH)
    answer: dict[str, Any] = await world.call(
        "POST", "/v1/escalation/simulate", who, expect=expect, json=body
    )
    return answer


def pages(told: dict[str, Any]) -> list[tuple[float, str, str]]:
    """Minute, person and fate of each page."""
    return [
        (line["minute"], line["name"], line["fate"])
        for line in told["lines"]
        if line["action"] == "page"
    ]


def actions(told: dict[str, Any]) -> list[str]:
    return [line["action"] for line in told["lines"]]


def draft(*pages: tuple[float, Any], **fields: Any) -> dict[str, Any]:
    steps = [
        {"delay_minutes": delay, "actions": [{"type": "notify", "target": target}]}
        for delay, target in pages
    ]
    return {"name": "Primary", "steps": steps, **fields}


async def test_the_list_goes_from_minute_to_minute_to_the_end(world: World) -> None:
    admin = await world.admin()
    ana = await world.person("ana@example.org", full_name="Ana Díaz")
    ben = await world.person("ben@example.org", full_name="Ben")
    await world.policy(admin, [(0, {"user": ana.id}), (5, {"user": ben.id})], repeat=1)

    told = await simulate(world, ana)

    assert pages(told) == [
        (0, "Ana Díaz", "sent"), (5, "Ben", "sent"),
        (10, "Ana Díaz", "sent"), (15, "Ben", "sent"),
        (20, admin.email, "sent"),
    ]  # fmt: skip
    assert actions(told) == [
        "escalation_started", "escalation_step", "page", "escalation_step", "page",
        "escalation_repeated", "escalation_step", "page", "escalation_step", "page",
        "escalation_exhausted", "escalation_started", "escalation_step", "page",
        "escalation_exhausted",
    ]  # fmt: skip
    assert (told["is_complete"], told["begins_anew"]) == (True, True)
    first = told["lines"][2]
    assert (first["policy"], first["loop"], first["step"], first["rule"]) == ("Primary", 0, 0, 1)
    assert (first["channel"], first["contact_method"]) == ("email", "a…@example.org")
    assert first["because"] == "The step pages Ana Díaz, by rule 1 (email)."
    assert told["lines"][-1]["is_fallback"]


async def test_it_is_what_production_does(world: World) -> None:
    """The rehearsal and the loops, side by side."""
    admin = await world.admin()
    ana = await world.person("ana@example.org", full_name="Ana")
    ben = await world.person("ben@example.org", full_name="Ben")
    await world.sql("UPDATE notification_rules SET delay_minutes = 3 WHERE user_id = :u", u=ben.id)
    await world.policy(admin, [(1, {"user": ana.id}), (5, {"user": ben.id})], repeat=1)
    told = await simulate(world, ana)

    mail = Scripted()
    incident = await world.declare(admin)
    opened = await world.clock.now()
    sent = []
    for _ in range(30):
        await world.pass_time(mail, minutes=0.9)
        now = await world.clock.now()
        minute = round((now - opened) / timedelta(minutes=1), 1)
        sent += [(minute, address) for address in mail.recipients[len(sent) :]]
    assert incident["status"] == "open"
    assert len(sent) == 5
    for (real, address), (minute, name, _) in zip(sent, pages(told), strict=True):
        assert address.partition("@")[0] == name.partition("@")[0].lower()
        assert minute <= real < minute + 1


async def test_nothing_is_kept_sent_or_numbered(world: World) -> None:
    admin = await world.admin()
    ana = await world.person("ana@example.org")
    await world.policy(admin, [(0, {"user": ana.id}), (0, "assignees")], repeat=2)
    number = (await world.declare(admin))["id"]
    rows = {table: await world.sql(f"SELECT * FROM {table} ORDER BY id") for table in TABLES}
    rung: list[str] = []
    world.database.wake = rung.extend

    for body in ({"policy": draft((0, "creator"))}, {}, {"incident_id": number}):
        await simulate(world, ana, **body)

    for table, before in rows.items():
        assert await world.sql(f"SELECT * FROM {table} ORDER BY id") == before, table
    assert rung == []
    assert (await world.declare(admin))["id"] == number + 1
    mail = Scripted()
    await world.deliver(mail)
    assert mail.messages == []


async def test_a_viewer_may_look_ahead(world: World) -> None:
    await world.admin()
    viewer = await world.person("v@example.org", Role.VIEWER)
    assert pages(await simulate(world, viewer)) == [(0, "admin@example.org", "sent")]


@pytest.mark.parametrize(
    "wrong",
    [
        {"incident": None},
        {"incident": HIGH, "incident_id": 1},
        {"until_minutes": 0},
        {"until_minutes": 7 * 24 * 60 + 1},
        {"acknowledged_after_minutes": 0},
        {"at": "9999-12-31T23:59:59Z"},
        {"at": "0001-01-01T00:00:00Z"},
    ],
)
async def test_a_question_that_makes_no_sense_is_refused(
    world: World, wrong: dict[str, Any]
) -> None:
    admin = await world.admin()
    assert (await simulate(world, admin, 422, **wrong))["code"] == "VALIDATION_ERROR"


async def test_it_says_why_a_policy_does_not_match(world: World) -> None:
    admin = await world.admin()
    only = {"severity": ["critical"], "labels.team": {"in": ["db", "web"]}}
    await world.policy(admin, [(0, "admins")], name="Other", conditions=only)
    await world.policy(admin, [(0, "admins")], name="All")
    await world.policy(admin, [(0, "admins")], name="Off", is_active=False)

    told = await simulate(world, admin, incident={**HIGH, "labels": {"team": "app"}})

    other, all_, off = told["policies"]
    assert (other["matches"], all_["matches"], off["matches"]) == (False, True, False)
    assert other["reasons"] == [
        {"path": "conditions.severity", "message": "“high” is not “critical”"},
        {"path": "conditions.labels.team.in", "message": "“app” is not “db” or “web”"},
    ]
    assert off["reasons"] == [{"path": "is_active", "message": "is false"}]
    assert "Policy “Other” started." not in {line["because"] for line in told["lines"]}


async def test_conditions_on_the_clock_go_by_the_time_it_would_open(world: World) -> None:
    admin = await world.admin()
    night = {"time": {"between": ["22:00", "06:00"], "zone": "Europe/Berlin"}}
    body = draft((0, "admins"), conditions=night)
    at_night = await simulate(world, admin, policy=body, at="2027-01-31T22:30:00Z")
    by_day = await simulate(world, admin, policy=body, at="2027-01-31T12:30:00Z")
    assert at_night["policies"][0]["matches"]
    assert by_day["policies"][0]["reasons"][0]["message"] == (
        "13:30 on sun is not within 22:00-06:00, every day"
    )
    assert at_night["starts_at"] == at_night["lines"][0]["at"] == "2027-01-31T22:30:00Z"
