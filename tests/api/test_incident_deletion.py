"""Deleting incidents so that nobody finds them any more, and bringing them back."""

import asyncio
from typing import Any

import pytest

from app.core.security import Signer
from app.domain.user import Role
from app.services.notification import LINK_PURPOSE
from tests.api.answers import refusal, refused, send
from tests.conftest import Clock
from tests.permissions import BODIES
from tests.world import Person, Scripted, World

INCIDENTS = "/v1/incidents"
ONE = "/v1/incidents/{incident_id}"


async def delete(world: World, admin: Person, number: int) -> None:
    await world.call("DELETE", f"{INCIDENTS}/{number}?confirm={number}", admin, expect=204)


async def told(world: World, number: int) -> list[tuple[str, str]]:
    """The timeline, past every door: what was deleted has none."""
    rows = await world.sql(
        "SELECT event_type, description FROM timeline_events WHERE incident_id = :n ORDER BY id",
        n=number,
    )
    return [(row[0], row[1]) for row in rows]


async def numbers(world: World, who: Person, query: str = "") -> list[int]:
    answer = await world.call("GET", f"{INCIDENTS}{query}", who)
    assert answer["total"] == len(answer["items"])
    return [incident["id"] for incident in answer["items"]]


@pytest.mark.parametrize("confirm", ["", "?confirm=", "?confirm=yes", "?confirm={other}"])
async def test_deleting_must_be_said_twice(world: World, confirm: str) -> None:
    admin = await world.admin()
    before = await world.declare(admin)
    path = f"{INCIDENTS}/{before['id']}"
    answer = await send(world, "DELETE", path + confirm.format(other=before["id"] + 1), admin)
    details = refusal(answer, 422, "CONFIRMATION_MISSING")
    assert details == {"field": "confirm", "confirm": str(before["id"])}
    assert f"?confirm={before['id']}" in answer.json()["message"]
    assert await world.call("GET", path, admin) == before


async def test_an_unresolved_incident_is_resolved_first(world: World, clock: Clock) -> None:
    admin = await world.admin()
    ana = await world.person("ana@example.org", Role.ADMIN, full_name="Ana")
    await world.policy(admin, [(0, "admins"), (5, "admins")])
    number = (await world.declare(admin))["id"]
    await world.climb()

    await delete(world, ana, number)

    [row] = await world.sql("SELECT * FROM incidents")
    assert (row.status, row.resolved_by, row.deleted_by) == ("resolved", ana.id, ana.id)
    assert row.deleted_at == row.resolved_at <= await clock.now()
    assert await told(world, number) == [
        ("opened", "admin@example.org declared the incident."),
        ("escalation_started", "Policy “Primary” started."),
        ("escalation_step", (await told(world, number))[2][1]),
        ("resolved", "Ana resolved the incident."),
        ("deleted", "Ana deleted the incident."),
    ]
    mail = Scripted()
    await world.pass_time(mail, hours=1)
    assert mail.messages == []
    states = await world.sql(
        "SELECT status FROM escalations UNION ALL SELECT status FROM notifications"
    )
    assert [state[0] for state in states] == ["completed", "cancelled", "cancelled"]


async def test_a_resolved_incident_stays_as_it_was_resolved(world: World) -> None:
    admin = await world.admin()
    ana = await world.person()
    number = (await world.declare(ana))["id"]
    await world.act(ana, number, "resolve")
    await delete(world, admin, number)
    [row] = await world.sql("SELECT resolved_by, deleted_by FROM incidents")
    assert (row.resolved_by, row.deleted_by) == (ana.id, admin.id)
    assert [kind for kind, _ in await told(world, number)][-2:] == ["resolved", "deleted"]


async def test_every_read_and_every_action_answers_404(
    world: World, document: dict[str, Any]
) -> None:
    admin = await world.admin()
    policy = await world.policy(admin, [(0, "admins")])
    number = (await world.declare(admin))["id"]
    run = (await world.call("GET", f"{INCIDENTS}/{number}/escalation", admin))["escalations"][0]
    bodies: dict[str, Any] = {name.replace(ONE, ""): body for name, body in BODIES.items()} | {
        "PATCH ": {"title": "New"},
        "POST /snooze": {"minutes": 5},
        "POST /assignments": {"user_id": admin.id},
        "POST /comments": {"content": "Hm."},
        "POST /escalations": {"policy_id": policy["id"]},
    }
    await delete(world, admin, number)
    before = await told(world, number)

    tried = 0
    for path, operations in document["paths"].items():
        if not path.startswith(ONE) or path.endswith("/restore"):
            continue
        there = path.format(incident_id=number, user_id=admin.id, escalation_id=run["id"])
        for method in operations:
            action = f"{method.upper()} {path.removeprefix(ONE)}"
            kw = {"json": bodies[action]} if action in bodies else {}
            query = f"?confirm={number}" if method == "delete" else ""
            answer = await send(world, method, there + query, admin, **kw)
            assert refusal(answer, 404, "INCIDENT_NOT_FOUND") == {}, action
            tried += 1
    assert tried >= 18
    assert await told(world, number) == before


async def test_lists_leave_it_out(world: World) -> None:
    admin = await world.admin()
    gone, here = [(await world.declare(admin))["id"] for _ in range(2)]
    await delete(world, admin, gone)
    assert await numbers(world, admin) == [here]
    assert await numbers(world, admin, "?severity=high&status=resolved") == []


async def test_only_admins_list_deleted_ones(world: World) -> None:
    admin = await world.admin()
    first, second, _ = [(await world.declare(admin))["id"] for _ in range(3)]
    await delete(world, admin, first)
    await delete(world, admin, second)
    assert await numbers(world, admin, "?deleted=true") == [second, first]
    assert await numbers(world, admin, "?deleted=true&severity=low") == []
    shown = (await world.call("GET", f"{INCIDENTS}?deleted=true", admin))["items"][0]
    assert (shown["status"], shown["deleted_by"]) == ("resolved", admin.id)
    assert shown["deleted_at"] is not None
    for role in (Role.RESPONDER, Role.VIEWER):
        who = await world.person(f"{role}@example.org", role)
        await refused(world, "GET", f"{INCIDENTS}?deleted=true", who, 403, "FORBIDDEN")
        assert len(await numbers(world, who, "?deleted=false")) == 1


async def test_the_acknowledge_link_leads_nowhere(world: World, signer: Signer) -> None:
    admin = await world.admin()
    await world.policy(admin, [(0, "admins")])
    number = (await world.declare(admin))["id"]
    await world.climb()
    (page,) = await world.notifications(admin, number)
    link = f"/a/{signer.link(LINK_PURPOSE, page['id'])}"
    assert (await send(world, "GET", link)).status_code == 200

    await delete(world, admin, number)

    for method in ("GET", "POST"):
        answer = await send(world, method, link)
        assert answer.status_code == 404
        assert "Disk full" not in answer.text


async def test_the_same_problem_opens_a_new_incident(world: World) -> None:
    admin = await world.admin()
    key = await world.integration_key(admin)
    old = (await world.alert(key))["incident_id"]
    await delete(world, admin, old)

    again = await world.alert(key)
    assert again["outcome"] == "opened"
    assert again["incident_id"] != old
    assert (await world.alert(key, status="resolved"))["incident_id"] == again["incident_id"]
    assert (await world.alert(key, status="resolved"))["outcome"] == "ignored"


async def test_nothing_is_removed_from_any_table(world: World) -> None:
    admin = await world.admin()
    await world.policy(admin, [(0, "admins")])
    number = (await world.declare(admin, assignees=[admin.id]))["id"]
    await world.call(
        "POST", f"{INCIDENTS}/{number}/comments", admin, expect=201, json={"content": "Hm."}
    )
    await world.climb()
    tables = [
        row[0]
        for row in await world.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    ]

    async def counts() -> dict[str, int]:
        return {name: (await world.sql(f"SELECT count(*) FROM {name}"))[0][0] for name in tables}

    before = await counts()
    await delete(world, admin, number)
    after = await counts()
    assert {name: after[name] - before[name] for name in tables if after[name] < before[name]} == {}
    assert after["timeline_events"] == before["timeline_events"] + 2


async def test_a_deleted_incident_comes_back_resolved(world: World) -> None:
    admin = await world.admin()
    ana = await world.person("ana@example.org", Role.ADMIN, full_name="Ana")
    number = (await world.declare(admin))["id"]
    await delete(world, admin, number)

    back = await world.act(ana, number, "restore")

    assert (back["status"], back["deleted_at"], back["deleted_by"]) == ("resolved", None, None)
    assert await world.call("GET", f"{INCIDENTS}/{number}", ana) == back
    assert await numbers(world, ana) == [number]
    assert await numbers(world, ana, "?deleted=true") == []
    assert (await told(world, number))[-1] == ("restored", "Ana restored the incident.")
    await world.act(ana, number, "reopen")


async def test_restoring_what_is_not_deleted_changes_nothing(world: World) -> None:
    admin = await world.admin()
    before = await world.declare(admin)
    story = await told(world, before["id"])
    assert await world.act(admin, before["id"], "restore") == before
    assert await told(world, before["id"]) == story
    path = f"{INCIDENTS}/{before['id'] + 1}/restore"
    await refused(world, "POST", path, admin, 404, "INCIDENT_NOT_FOUND")


async def test_a_restored_incident_does_not_stand_in_the_way_of_the_new_one(world: World) -> None:
    admin = await world.admin()
    key = await world.integration_key(admin)
    old = (await world.alert(key))["incident_id"]
    await delete(world, admin, old)
    new = (await world.alert(key))["incident_id"]

    await world.act(admin, old, "restore")

    path = f"{INCIDENTS}/{old}/reopen"
    details = await refused(world, "POST", path, admin, 409, "PROBLEM_HAS_OPEN_INCIDENT")
    assert details == {"incident_id": new}
    assert (await world.alert(key))["incident_id"] == new


# --- Races ------------------------------------------------------------------------------


async def test_deleting_meets_acknowledging(world: World) -> None:
    admin = await world.admin()
    people = [await world.person(f"p{n}@example.org") for n in range(3)]
    await world.policy(admin, [(0, "admins"), (5, "admins")])
    for _ in range(5):
        number = (await world.declare(admin))["id"]
        await world.climb()
        path = f"{INCIDENTS}/{number}"
        answers = await asyncio.gather(
            *(send(world, "POST", f"{path}/acknowledge", who) for who in people),
            send(world, "DELETE", f"{path}?confirm={number}", admin),
            send(world, "DELETE", f"{path}?confirm={number}", admin),
            world.climb(),
        )
        statuses = [answer.status_code for answer in answers[:5] if not isinstance(answer, int)]
        assert set(statuses[:3]) <= {200, 404}
        assert sorted(statuses[3:]) == [204, 404]
        [row] = await world.sql("SELECT status, deleted_at FROM incidents WHERE id = :n", n=number)
        assert row.status == "resolved"
        assert row.deleted_at is not None
    waiting = await world.sql(
        "SELECT 1 FROM notifications WHERE ready_at IS NOT NULL"
        " UNION ALL SELECT 1 FROM escalations WHERE next_step_at IS NOT NULL"
    )
    assert waiting == []


async def test_deleting_meets_an_alert_of_the_same_problem(world: World) -> None:
    admin = await world.admin()
    key = await world.integration_key(admin)
    for turn in range(8):
        name = f"disk {turn}"
        old = (await world.alert(key, dedup_key=name))["incident_id"]
        answers = await asyncio.gather(
            *(world.alert(key, dedup_key=name) for _ in range(3)),
            send(world, "DELETE", f"{INCIDENTS}/{old}?confirm={old}", admin),
        )
        opened = {
            answer["incident_id"]
            for answer in answers
            if isinstance(answer, dict) and answer["incident_id"] != old
        }
        [[is_open]] = await world.sql(
            "SELECT is_open FROM incident_tallies WHERE incident_id = :n", n=old
        )
        assert not is_open
        assert len(opened) <= 1  # all that came after it are one new incident
        after = await world.alert(key, dedup_key=name)
        assert after["incident_id"] != old
        assert after["outcome"] == ("joined" if opened else "opened")
    wrong = await world.sql(
        "SELECT t.incident_id FROM incident_tallies t WHERE alert_count <> (SELECT count(*)"
        " FROM alerts a WHERE a.incident_id = t.incident_id AND outcome IN ('opened', 'joined'))"
    )
    assert wrong == []
