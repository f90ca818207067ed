"""Answering incidents: the whole table of transitions, and what happens in a race."""

import asyncio
from typing import Any

import pytest

from app.crud import crud_incident
from tests.api.answers import refused, send
from tests.world import Person, World

INCIDENTS = "/v1/incidents"
ACTIONS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "acknowledge": ("POST", "/acknowledge", {}),
    "resolve": ("POST", "/resolve", {}),
    "reopen": ("POST", "/reopen", {}),
    "patch to open": ("PATCH", "", {"json": {"status": "open"}}),
    "patch to acknowledged": ("PATCH", "", {"json": {"status": "acknowledged"}}),
    "patch to resolved": ("PATCH", "", {"json": {"status": "resolved"}}),
}
# What each action makes of each status. A list is a refusal, with what would be allowed.
TABLE: list[tuple[str, str, str | list[str]]] = [
    ("open", "acknowledge", "acknowledged"),
    ("open", "resolve", "resolved"),
    ("open", "reopen", "open"),
    ("open", "patch to open", "open"),
    ("open", "patch to acknowledged", "acknowledged"),
    ("open", "patch to resolved", "resolved"),
    ("acknowledged", "acknowledge", "acknowledged"),
    ("acknowledged", "resolve", "resolved"),
    ("acknowledged", "reopen", ["resolved"]),
    ("acknowledged", "patch to open", ["resolved"]),
    ("acknowledged", "patch to acknowledged", "acknowledged"),
    ("acknowledged", "patch to resolved", "resolved"),
    ("resolved", "acknowledge", []),
    ("resolved", "resolve", "resolved"),
    ("resolved", "reopen", "open"),
    ("resolved", "patch to open", []),
    ("resolved", "patch to acknowledged", []),
    ("resolved", "patch to resolved", "resolved"),
]


async def incident_in(world: World, who: Person, status: str) -> int:
    number: int = (await world.declare(who))["id"]
    if status != "open":
        await world.act(who, number, "acknowledge")
    if status == "resolved":
        await world.act(who, number, "resolve")
    return number


@pytest.mark.parametrize(("status", "action", "outcome"), TABLE)
async def test_a_status_becomes_what_the_table_says(
    world: World, status: str, action: str, outcome: str | list[str]
) -> None:
    ana = await world.person()
    number = await incident_in(world, ana, status)
    before = await world.call("GET", f"{INCIDENTS}/{number}", ana)
    told = await world.timeline(ana, number)
    method, part, kw = ACTIONS[action]
    path = f"{INCIDENTS}/{number}{part}"

    if isinstance(outcome, list):
        details = await refused(world, method, path, ana, 400, "INVALID_STATUS_TRANSITION", **kw)
        assert details == {"current": status, "allowed": outcome}
        after = await world.call("GET", f"{INCIDENTS}/{number}", ana)
    else:
        after = await world.call(method, path, ana, **kw)

    if outcome in (status, [], ["resolved"]):
        assert after == before
        assert await world.timeline(ana, number) == told
    else:
        assert after["status"] == outcome
        assert after["revision"] > before["revision"]
        assert len(await world.timeline(ana, number)) > len(told)


async def test_acknowledging_says_who_and_when_and_assigns(world: World) -> None:
    ana = await world.person()
    number = await incident_in(world, ana, "open")
    taken = await world.act(ana, number, "acknowledge")
    assert (taken["status"], taken["acknowledged_by"]) == ("acknowledged", ana.id)
    assert taken["acknowledged_at"] is not None
    assert taken["assigned_to"] == ana.id
    assert [a["user_id"] for a in taken["assignments"]] == [ana.id]


async def test_resolving_says_who_and_when(world: World) -> None:
    ana, ben = await world.person("ana@example.org"), await world.person("ben@example.org")
    number = await incident_in(world, ana, "acknowledged")
    ended = await world.act(ben, number, "resolve")
    assert (ended["status"], ended["resolved_by"]) == ("resolved", ben.id)
    assert ended["resolved_at"] is not None
    assert ended["acknowledged_by"] == ana.id


async def test_reopening_forgets_the_answers_and_pages_anew(world: World) -> None:
    admin = await world.admin()
    await world.policy(admin, [(0, "admins")])
    number = await incident_in(world, admin, "resolved")

    again = await world.act(admin, number, "reopen")

    assert again["status"] == "open"
    forgotten = ("acknowledged_at", "acknowledged_by", "resolved_at", "resolved_by")
    assert [again[name] for name in forgotten] == [None] * 4
    escalation = await world.call("GET", f"{INCIDENTS}/{number}/escalation", admin)
    assert [run["status"] for run in escalation["escalations"]] == ["completed", "active"]
    assert await world.timeline(admin, number) == [
        "opened",
        "escalation_started",
        "acknowledged",
        "resolved",
        "reopened",
        "escalation_started",
    ]


async def test_a_problem_that_is_open_again_cannot_be_reopened_too(world: World) -> None:
    admin = await world.admin()
    key = await world.integration_key(admin)
    first = (await world.alert(key))["incident_id"]
    await world.act(admin, first, "resolve")
    second = (await world.alert(key))["incident_id"]

    path = f"{INCIDENTS}/{first}/reopen"
    details = await refused(world, "POST", path, admin, 409, "PROBLEM_HAS_OPEN_INCIDENT")

    assert details == {"incident_id": second}
    assert second != first


async def test_of_five_who_acknowledge_at_once_one_takes_it(world: World) -> None:
    people = [await world.person(f"p{n}@example.org") for n in range(5)]
    for _ in range(10):
        number = await incident_in(world, people[0], "open")

        answers = await asyncio.gather(
            *(send(world, "POST", f"{INCIDENTS}/{number}/acknowledge", who) for who in people)
        )

        assert [answer.status_code for answer in answers] == [200] * 5
        assert len({answer.json()["acknowledged_by"] for answer in answers}) == 1
        assert (await world.timeline(people[0], number)).count("acknowledged") == 1
        shown = await world.call("GET", f"{INCIDENTS}/{number}", people[0])
        assert [a["user_id"] for a in shown["assignments"]] == [shown["acknowledged_by"]]


async def test_an_acknowledgement_and_a_resolution_at_once_end_resolved(world: World) -> None:
    ana, ben = await world.person("ana@example.org"), await world.person("ben@example.org")
    for _ in range(5):
        number = await incident_in(world, ana, "open")
        taken, ended = await asyncio.gather(
            send(world, "POST", f"{INCIDENTS}/{number}/acknowledge", ana),
            send(world, "POST", f"{INCIDENTS}/{number}/resolve", ben),
        )
        assert ended.status_code == 200
        assert taken.status_code in (200, 400)
        shown = await world.call("GET", f"{INCIDENTS}/{number}", ana)
        assert shown["status"] == "resolved"
        assert (shown["acknowledged_by"] == ana.id) == (taken.status_code == 200)


async def test_a_comment_waits_for_nobody_who_holds_the_incident(world: World) -> None:
    ana = await world.person()
    number = await incident_in(world, ana, "open")
    async with world.database.writing() as session, asyncio.timeout(5):
        assert await crud_incident.lock(session, number) is not None
        body = {"content": "Still looking."}
        path = f"{INCIDENTS}/{number}/comments"
        made = await world.call("POST", path, ana, expect=201, json=body)
    assert made["content"] == "Still looking."
