"""Rehearsals of what bends a ladder: answers, actions, drafts, and incidents under way."""

from datetime import timedelta
from typing import Any

from tests.api.test_simulate import HIGH, actions, draft, pages, simulate
from tests.world import Scripted, World


async def test_an_answer_stops_what_has_not_left(world: World) -> None:
    admin = await world.admin()
    ana = await world.person("ana@example.org", full_name="Ana")
    await world.sql("UPDATE notification_rules SET delay_minutes = 9 WHERE user_id = :u", u=ana.id)
    await world.policy(admin, [(0, "admins"), (5, {"user": ana.id}), (5, "admins")])

    told = await simulate(world, admin, acknowledged_after_minutes=7)

    assert pages(told) == [(0, admin.email, "sent"), (14, "Ana", "dropped")]
    answered = next(line for line in told["lines"] if line["action"] == "acknowledged")
    assert (answered["minute"], answered["because"]) == (
        7, f"{admin.email} acknowledged the incident.",
    )  # fmt: skip
    assert told["is_complete"]


async def test_who_answers_when_a_step_is_due_is_first(world: World) -> None:
    admin = await world.admin()
    await world.policy(admin, [(0, "admins"), (5, "admins")])
    told = await simulate(world, admin, acknowledged_after_minutes=5)
    assert pages(told) == [(0, admin.email, "sent")]


async def test_who_has_an_existing_incident_is_paged_for_it(world: World) -> None:
    admin = await world.admin()
    ana = await world.person("ana@example.org", full_name="Ana")
    watching = await world.person("ben@example.org", full_name="Ben")
    await world.policy(admin, [(5, "assignees")], final_delay_minutes=60)
    number = (await world.declare(admin, assignees=[ana.id]))["id"]
    observer = {"user_id": watching.id, "role": "observer"}
    await world.act(admin, number, "assignments", json=observer)
    told = await simulate(world, admin, incident_id=number, until_minutes=30)
    assert [name for _, name, _ in pages(told)] == ["Ana"]


async def test_an_answer_that_expires_pages_anew(world: World) -> None:
    admin = await world.admin()
    body = draft((0, "admins"), ack_timeout_minutes=30, final_delay_minutes=60)
    told = await simulate(
        world, admin, policy=body, acknowledged_after_minutes=10, until_minutes=60
    )
    assert [minute for minute, _, _ in pages(told)] == [0, 40]
    assert "acknowledgement_expired" in actions(told)
    assert not told["is_complete"]


async def test_it_looks_no_further_than_asked(world: World) -> None:
    admin = await world.admin()
    await world.policy(admin, [(0, "admins"), (30, "admins")])
    told = await simulate(world, admin, until_minutes=29)
    assert pages(told) == [(0, admin.email, "sent")]
    assert not told["is_complete"]


async def test_a_page_that_is_still_to_come_waits(world: World) -> None:
    admin = await world.admin()
    await world.sql("UPDATE notification_rules SET delay_minutes = 20")
    await world.policy(admin, [(0, "admins")], final_delay_minutes=60)
    told = await simulate(world, admin, until_minutes=10)
    assert pages(told) == [(20, admin.email, "waits")]


async def test_a_draft_stands_alone_under_any_name(world: World) -> None:
    admin = await world.admin()
    ana = await world.person("ana@example.org", full_name="Ana")
    await world.policy(admin, [(0, "admins")])  # named Primary, too

    told = await simulate(world, admin, policy=draft((2, {"user": ana.id})), until_minutes=5)

    assert pages(told) == [(2, "Ana", "sent")]
    (policy,) = told["policies"]
    assert (policy["policy_id"], policy["name"], policy["matches"]) == (None, "Primary", True)
    assert told["lines"][0]["because"] == "Policy “Primary” started."
    assert "draft -" not in str(told)


async def test_a_draft_is_checked_like_any_policy(world: World) -> None:
    admin = await world.admin()
    wrong = draft((0, {"user": 999_999}), conditions={"colour": "red"})
    refusal = await simulate(world, admin, 422, policy=wrong)
    assert refusal["code"] == "INVALID_POLICY"
    assert [fault["path"] for fault in refusal["details"]["errors"]] == [
        "conditions.colour", "steps[0].actions[0].target.user",
    ]  # fmt: skip


async def test_a_draft_that_does_not_match_ends_at_the_fallback(world: World) -> None:
    admin = await world.admin()
    ana = await world.person("ana@example.org")
    await world.policy(admin, [(0, {"user": ana.id})], name="Real")
    body = draft((0, {"user": ana.id}), conditions={"severity": "critical"})
    told = await simulate(world, admin, policy=body)
    assert pages(told) == [(0, admin.email, "sent")]


async def test_actions_are_taken_on_the_rehearsed_incident_alone(world: World) -> None:
    admin = await world.admin()
    ana = await world.person("ana@example.org", full_name="Ana")
    todo = [
        {"type": "assign", "target": {"user": ana.id}},
        {"type": "comment", "text": "Look."},
        {"type": "webhook", "url": "https://hooks.example.org/secret-path"},
        {"type": "set_severity", "severity": "critical"},
    ]
    steps = [
        {"delay_minutes": 0, "actions": todo},
        {"delay_minutes": 1, "actions": [{"type": "notify", "target": "assignees"}]},
        {"delay_minutes": 1, "actions": [{"type": "set_status", "status": "resolved"}]},
    ]

    told = await simulate(world, admin, policy=draft(steps=steps))

    assert {"assigned", "commented", "edited", "resolved", "webhook"} <= set(actions(told))
    assert pages(told) == [(1, "Ana", "sent")]
    hook = next(line for line in told["lines"] if line["action"] == "webhook")
    assert hook["contact_method"] == "https://hooks.example.org/…"
    assert await world.sql("SELECT * FROM incident_comments") == []


async def test_who_declared_and_who_has_it_can_be_supposed(world: World) -> None:
    admin = await world.admin()
    ana = await world.person("ana@example.org", full_name="Ana")
    ben = await world.person("ben@example.org", full_name="Ben")
    body = draft((0, "creator"), (5, "assignees"))
    supposed = {**HIGH, "created_by": ana.id, "assignees": [ben.id, ben.id]}
    told = await simulate(world, admin, policy=body, incident=supposed, until_minutes=6)
    assert pages(told) == [(0, "Ana", "sent"), (5, "Ben", "sent")]
    nobody = {**HIGH, "assignees": [999_999]}
    assert (await simulate(world, admin, 404, incident=nobody))["code"] == "USER_NOT_FOUND"


async def test_an_existing_incident_goes_on_as_it_stands(world: World) -> None:
    admin = await world.admin()
    ana = await world.person("ana@example.org", full_name="Ana")
    ben = await world.person("ben@example.org", full_name="Ben")
    await world.sql("UPDATE notification_rules SET delay_minutes = 8 WHERE user_id = :u", u=ben.id)
    await world.policy(admin, [(0, {"user": ana.id}), (5, {"user": ben.id}), (9, "admins")])
    incident = await world.declare(ana)
    mail = Scripted()
    await world.pass_time(mail)
    await world.pass_time(mail, minutes=6)

    told = await simulate(world, admin, incident_id=incident["id"], until_minutes=9)

    assert not told["begins_anew"]
    [(ben_at, who, _), (admin_at, other, _)] = pages(told)
    assert (who, other) == ("Ben", admin.email)
    assert 6 < ben_at < 7  # promised at 5, due at 13
    assert 7 < admin_at < 8
    standing = await world.call("GET", f"/v1/incidents/{incident['id']}/escalation", ana)
    assert standing["escalations"][0]["next_step"] == 2


async def test_an_acknowledged_or_snoozed_incident_stays_so(world: World) -> None:
    admin = await world.admin()
    await world.policy(admin, [(0, "admins"), (5, "admins")])
    snoozed = (await world.declare(admin))["id"]
    taken = (await world.declare(admin))["id"]
    await world.act(admin, snoozed, "snooze", json={"minutes": 60})
    await world.act(admin, taken, "acknowledge")

    assert (await simulate(world, admin, incident_id=taken))["lines"] == []
    rested = await simulate(world, admin, incident_id=snoozed, until_minutes=62)
    assert [round(minute) for minute, _, _ in pages(rested)] == [60]


async def test_a_fire_drill_goes_on_as_a_drill(world: World) -> None:
    """To its end, which no fallback follows."""
    admin = await world.admin()
    made = await world.call("POST", "/v1/fire-drills", admin, expect=201, json={})
    told = await simulate(world, admin, incident_id=made["incident_id"])
    assert pages(told) == [(0, admin.email, "sent")]
    assert told["lines"][-1]["because"] == "Nobody answered the drill."
    shown = await world.call("GET", f"/v1/fire-drills/{made['id']}", admin)
    assert shown["state"] == "running"


async def test_an_existing_incident_can_begin_anew(world: World) -> None:
    admin = await world.admin()
    ana = await world.person("ana@example.org", full_name="Ana")
    incident = await world.declare(ana, severity="low")
    await world.act(ana, incident["id"], "resolve")
    path = f"/v1/incidents/{incident['id']}"
    before = await world.call("GET", path, ana)

    refused = await simulate(world, admin, 409, incident_id=incident["id"])
    later = (await world.clock.now() + timedelta(hours=3)).isoformat()
    told = await simulate(world, admin, incident_id=incident["id"], at=later)
    drafted = await simulate(world, admin, incident_id=incident["id"], policy=draft((0, "creator")))

    assert refused["code"] == "INCIDENT_RESOLVED"
    assert (told["begins_anew"], drafted["begins_anew"]) == (True, True)
    assert pages(told) == [(0, admin.email, "sent")]
    assert pages(drafted)[0] == (0, "Ana", "sent")
    assert await world.call("GET", path, ana) == before
    assert (await simulate(world, admin, 404, incident_id=999_999))["code"] == "INCIDENT_NOT_FOUND"


async def test_an_incident_whose_severity_changed_by_hand_keeps_what_was_asked_for(
    world: World,
) -> None:
    """What somebody put to work goes on in a rehearsal, too, when the severity changes."""
    admin = await world.admin()
    ana = await world.person("ana@example.org", full_name="Ana")
    raise_ = [{"delay_minutes": 5, "actions": [{"type": "set_severity", "severity": "critical"}]}]
    await world.policy(admin, [], name="Raises", steps=raise_)
    never = await world.policy(
        admin, [(10, {"user": ana.id})], name="By hand", conditions={"service": "none"}
    )
    number = (await world.declare(admin))["id"]
    started: dict[str, Any] = {"policy_id": never["id"]}
    await world.act(admin, number, "escalations", expect=201, json=started)

    told = await simulate(world, admin, incident_id=number)

    assert (10, "Ana") in [(round(minute), name) for minute, name, _ in pages(told)]
    assert "escalation_cancelled" not in actions(told)
