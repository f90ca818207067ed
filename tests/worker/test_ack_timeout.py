"""An acknowledgement holds for as long as the policy lets it; then the incident pages again."""

from datetime import timedelta
from typing import Any

import pytest

from app.domain.escalation import in_words
from tests.world import Person, Scripted, World


@pytest.fixture
async def ana(world: World) -> Person:
    return await world.person(full_name="Ana")


@pytest.fixture
async def incident(world: World, ana: Person) -> dict[str, Any]:
    """One that Ana acknowledged at once; for half an hour, says its policy."""
    admin = await world.admin()
    await world.policy(admin, [(0, {"user": ana.id}), (5, "admins")], ack_timeout_minutes=30)
    declared = await world.declare(admin)
    await world.climb()
    await world.act(ana, declared["id"], "acknowledge")
    return declared


async def standing(world: World, ana: Person, incident_id: int) -> tuple[str, list[Any]]:
    """The incident's status, and loop and status of each of its escalations."""
    found = await world.call("GET", f"/v1/incidents/{incident_id}", ana)
    where = await world.call("GET", f"/v1/incidents/{incident_id}/escalation", ana)
    return found["status"], [(run["loop"], run["status"]) for run in where["escalations"]]


async def test_what_is_not_resolved_in_time_pages_again(
    world: World, ana: Person, incident: dict[str, Any]
) -> None:
    mail = Scripted()
    await world.pass_time(mail, minutes=29)
    assert await standing(world, ana, incident["id"]) == ("acknowledged", [(0, "paused")])
    assert mail.messages == []
    await world.pass_time(mail, minutes=1.1)
    assert mail.recipients == ["ana@example.org"]
    assert await standing(world, ana, incident["id"]) == ("open", [(1, "active")])
    story = await world.call("GET", f"/v1/incidents/{incident['id']}/timeline", ana)
    [entry] = [e for e in story["items"] if e["event_type"] == "acknowledgement_expired"]
    assert entry["description"] == (
        "Ana acknowledged 30 minutes ago and it is not resolved; paging again."
    )
    await world.pass_time(mail, minutes=5)  # and climbs on, to the admins
    assert mail.recipients == ["ana@example.org", "admin@example.org"]


async def test_the_new_loop_is_due_when_the_time_was_over_however_late_that_is_seen(
    world: World, ana: Person, incident: dict[str, Any]
) -> None:
    before = await world.call("GET", f"/v1/incidents/{incident['id']}/escalation", ana)
    await world.pass_time(minutes=33)
    pages = await world.notifications(ana, incident["id"])
    assert pages[-1]["due_at"] == before["next_step_at"]


async def test_acknowledging_again_begins_the_time_anew(
    world: World, ana: Person, incident: dict[str, Any]
) -> None:
    mail = Scripted()
    await world.pass_time(minutes=31)
    await world.act(ana, incident["id"], "acknowledge")
    await world.pass_time(mail, minutes=29)
    assert mail.messages == []
    await world.pass_time(mail, minutes=2)
    assert mail.recipients == ["ana@example.org"]
    assert await standing(world, ana, incident["id"]) == ("open", [(2, "active")])


async def test_resolving_ends_it(world: World, ana: Person, incident: dict[str, Any]) -> None:
    await world.act(ana, incident["id"], "resolve")
    mail = Scripted()
    await world.pass_time(mail, hours=5)
    assert mail.messages == []


async def test_a_snooze_overrides_it_and_its_early_end_begins_it_anew(
    world: World, ana: Person, incident: dict[str, Any]
) -> None:
    until = (await world.clock.now() + timedelta(hours=2)).isoformat()
    await world.act(ana, incident["id"], "snooze", json={"until": until})
    mail = Scripted()
    await world.pass_time(mail, minutes=60)
    assert mail.messages == []
    await world.call("DELETE", f"/v1/incidents/{incident['id']}/snooze", ana)
    await world.pass_time(mail, minutes=29)
    assert mail.messages == []
    await world.pass_time(mail, minutes=2)
    assert mail.recipients == ["ana@example.org"]


async def test_every_ladder_that_waited_begins_anew_and_the_story_says_it_once(
    world: World, ana: Person
) -> None:
    """Also those whose own policy would have waited for ever, or longer."""
    admin = await world.admin()
    ben = await world.person("ben@example.org")
    cai = await world.person("cai@example.org")
    for name, who, timeout in (("A", ana, 30), ("B", ben, None), ("C", cai, 60), ("D", ana, 30)):
        await world.policy(admin, [(0, {"user": who.id})], name=name, ack_timeout_minutes=timeout)
    declared = await world.declare(admin)
    await world.climb()
    await world.act(ana, declared["id"], "acknowledge")
    mail = Scripted()
    await world.pass_time(mail, minutes=31)
    assert sorted(set(mail.recipients)) == ["ana@example.org", "ben@example.org", "cai@example.org"]
    assert await standing(world, ana, declared["id"]) == ("open", [(1, "active")] * 4)
    story = await world.timeline(ana, declared["id"])
    assert story.count("acknowledgement_expired") == 1


async def test_without_a_timeout_an_acknowledgement_holds_for_good(
    world: World, ana: Person
) -> None:
    admin = await world.admin()
    await world.policy(admin, [(0, {"user": ana.id})])
    declared = await world.declare(admin)
    await world.climb()
    await world.act(ana, declared["id"], "acknowledge")
    mail = Scripted()
    await world.pass_time(mail, hours=24 * 30)
    assert mail.messages == []


async def test_what_is_at_work_keeps_the_time_it_started_with(
    world: World, ana: Person, incident: dict[str, Any]
) -> None:
    admin = await world.login(ana.id)
    where = await world.call("GET", f"/v1/incidents/{incident['id']}/escalation", admin)
    assert [run["ack_timeout_minutes"] for run in where["escalations"]] == [30]


@pytest.mark.parametrize("minutes", [0, -1, 7 * 24 * 60 + 0.1, "30", True])
async def test_a_time_that_cannot_be_is_refused(world: World, minutes: object) -> None:
    admin = await world.admin()
    body = {
        "name": "x",
        "steps": [{"delay_minutes": 0, "actions": [{"type": "notify", "target": "admins"}]}],
        "ack_timeout_minutes": minutes,
    }
    await world.call("POST", "/v1/escalation/policies", admin, expect=422, json=body)


async def test_a_policy_may_have_its_time_set_and_taken_away(world: World) -> None:
    admin = await world.admin()
    made = await world.policy(admin, [(0, "admins")])
    assert made["ack_timeout_minutes"] is None
    path = f"/v1/escalation/policies/{made['id']}"
    for minutes in (0.5, None):
        body = {"ack_timeout_minutes": minutes}
        changed = await world.call("PATCH", path, admin, json=body)
        assert changed["ack_timeout_minutes"] == minutes


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-1, "0 seconds"),
        (1, "1 second"),
        (59.6, "1 minute"),
        (90, "90 seconds"),
        (1800.4, "30 minutes"),
        (5400, "90 minutes"),
        (3600, "1 hour"),
        (3 * 3600 + 60, "3 hours"),
        (7 * 86_400, "7 days"),
    ],
)
def test_how_long_something_was_is_said_as_people_say_it(seconds: float, words: str) -> None:
    assert in_words(timedelta(seconds=seconds)) == words
