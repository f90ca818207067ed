"""A page's whole story as anybody can read it, and why somebody was not paged."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from app.channels.base import GaveUp, Sent
from app.core.security import Signer
from app.domain.user import Role
from tests.reaching import add, rules_of
from tests.worker.lanes import deliver, lane, storm
from tests.world import Person, RetryLater, Scripted, World

FAILED = {"id": "msg-1", "status": "failed", "error": "unknown number"}


@pytest.fixture
async def admin(world: World) -> Person:
    return await world.admin()


@pytest.fixture
async def ana(world: World, admin: Person) -> Person:
    ana = await world.person(full_name="Ana")
    ben = await world.person("ben@example.org", full_name="Ben")
    await world.policy(
        admin, [(0, {"user": ana.id}), (60, {"user": ben.id})], final_delay_minutes=600
    )
    return ana


async def pages(world: World, who: Person, incident_id: int) -> dict[str, Any]:
    path = f"/v1/incidents/{incident_id}/notifications"
    answer: dict[str, Any] = await world.call("GET", path, who)
    return answer


async def one(world: World, who: Person, incident_id: int) -> dict[str, Any]:
    [page] = (await pages(world, who, incident_id))["items"]
    found: dict[str, Any] = page
    return found


def texts(page: dict[str, Any]) -> list[str]:
    return [sentence["text"] for sentence in page["story"]]


async def test_a_page_tells_all_of_its_story(world: World, ana: Person) -> None:
    incident = await world.declare(ana)
    await world.climb()
    page = await one(world, ana, incident["id"])
    first = "Step 1 of “Primary” pages Ana, whom it names, by email."
    assert texts(page) == [first, "It is due and leaves as soon as a sender is free."]
    assert (page["user_name"], page["policy_name"], page["is_fallback"]) == (
        "Ana",
        "Primary",
        False,
    )
    assert (page["target"], page["waits_for"]) == ("user", "due")
    assert page["next_at"] == page["due_at"]
    await world.deliver(Scripted(RetryLater("Busy.")))
    page = await one(world, ana, incident["id"])
    assert page["waits_for"] == "retry"
    assert texts(page)[-2:] == ["Try 1 did not go out: Busy.", "It is tried again."]
    assert page["story"][-1]["at"] == page["next_at"] > page["due_at"]
    await world.pass_time(Scripted(Sent("msg-1")), seconds=5)
    page = await one(world, ana, incident["id"])
    assert (page["waits_for"], page["next_at"]) == (None, None)
    assert texts(page)[-1] == "It was sent to ana@example.org."
    assert page["story"][-1]["at"] == page["sent_at"]


async def test_the_list_and_the_page_itself_tell_the_same(world: World, ana: Person) -> None:
    incident = await world.declare(ana)
    await world.pass_time(Scripted())
    page = await one(world, ana, incident["id"])
    assert await world.call("GET", f"/v1/notifications/{page['id']}", ana) == page
    listed = await world.call("GET", f"/v1/notifications?incident_id={incident['id']}", ana)
    assert listed["items"] == [page]


async def test_a_rule_that_waits_says_so_in_fields_and_words(world: World, ana: Person) -> None:
    [[method]] = await world.sql("SELECT id FROM contact_methods WHERE user_id = :id", id=ana.id)
    rule = {"contact_method_id": method, "delay_minutes": 7}
    await world.call("PUT", rules_of(ana), ana, json={"items": [rule]})
    incident = await world.declare(ana)
    await world.climb()
    page = await one(world, ana, incident["id"])
    assert (page["after_minutes"], page["quiet_until"]) == (7, None)
    assert texts(page)[1:] == [
        "Ana wants it over email 7 min after the step.",
        "It leaves then, unless somebody answers before.",
    ]


async def test_quiet_hours_say_until_when(world: World, ana: Person) -> None:
    [[method]] = await world.sql("SELECT id FROM contact_methods WHERE user_id = :id", id=ana.id)
    now = await world.clock.now()
    quiet = {
        "quiet_from": (now - timedelta(hours=1)).strftime("%H:%M"),
        "quiet_until": (now + timedelta(hours=2)).strftime("%H:%M"),
    }
    rule = {"contact_method_id": method, **quiet}
    await world.call("PUT", rules_of(ana), ana, json={"items": [rule]})
    incident = await world.declare(ana)
    await world.climb()
    page = await one(world, ana, incident["id"])
    assert page["quiet_until"] == page["due_at"] == page["next_at"]
    assert page["waits_for"] == "quiet_hours"
    assert page["quiet_until"][11:16] == quiet["quiet_until"]
    assert texts(page)[1].startswith("Quiet hours of Ana put it off until ")


async def test_a_snooze_is_named_as_what_a_page_waits_for(world: World, ana: Person) -> None:
    incident = await world.declare(ana)
    await world.climb()
    await world.act(ana, incident["id"], "snooze", json={"minutes": 30})
    page = await one(world, ana, incident["id"])
    assert page["waits_for"] == "snooze"
    assert texts(page)[-1] == "The incident is snoozed until then."


async def test_an_answer_calls_a_page_off_and_its_story_says_so(world: World, ana: Person) -> None:
    incident = await world.declare(ana)
    await world.climb()
    await world.act(ana, incident["id"], "acknowledge")
    page = await one(world, ana, incident["id"])
    assert texts(page)[-1] == "It is not sent: The incident was acknowledged first."


async def test_a_bundle_and_what_it_told_name_each_other(
    world: World, admin: Person, ana: Person
) -> None:
    incidents = await storm(world, await world.integration_key(admin), 6)
    await deliver(lane(world, Scripted()))
    held = await one(world, ana, incidents[-1])
    assert held["waits_for"] == "limit"
    assert "Ana had many pages over email" in texts(held)[1]
    world.clock.forward(minutes=1)
    await deliver(lane(world, Scripted()))
    told = [await one(world, ana, number) for number in incidents[3:]]
    [leader] = [page for page in told if page["bundled_into"] is None]
    followers = [page for page in told if page is not leader]
    assert leader["told_with"] == [page["id"] for page in followers]
    assert texts(leader)[-1].endswith("together with 2 others.")
    for page in followers:
        assert page["bundled_into"] == leader["id"]
        assert texts(page)[-1] == f"It was told in message {leader['id']} to ana@example.org."


async def test_whoever_had_it_sent_again_is_named(world: World, admin: Person, ana: Person) -> None:
    incident = await world.declare(ana)
    await world.pass_time(Scripted())
    page = await one(world, ana, incident["id"])
    world.clock.forward(minutes=5)
    path = f"/v1/notifications/{page['id']}/resend"
    again = await world.call("POST", path, ana, expect=202)
    said = "Ana sent the email to Ana again. It bears the same mark."
    assert texts(again)[-2] == said
    await world.deliver(Scripted())
    page = await one(world, ana, incident["id"])
    assert texts(page)[-3:] == ["It was sent.", said, "It was sent to ana@example.org."]


async def test_a_letter_says_what_it_is_about_and_never_what_it_carries(
    world: World, ana: Person
) -> None:
    recovery = {"email": ana.email}
    await world.call("POST", "/v1/auth/password-recovery", json=recovery, expect=202)
    await world.deliver(Scripted())
    # Whatever a letter carries, under whichever name.
    carried = '{"target": "a", "after_minutes": 1, "quiet_until": "2027-01-31T08:00:00+00:00"}'
    await world.sql(
        "UPDATE notifications SET facts = facts || CAST(:carried AS jsonb)", carried=carried
    )
    [letter] = (await world.call("GET", "/v1/notifications?kind=recovery", ana))["items"]
    assert texts(letter)[0] == "It carries the link that sets a new password."
    for name in ("target", "after_minutes", "quiet_until", "policy_name"):
        assert letter[name] is None
    assert "challenge" not in str(letter)


async def test_a_receipt_of_failure_is_told_and_the_next_step_comes(
    world: World, ana: Person, signer: Signer
) -> None:
    incident = await world.declare(ana)
    await world.pass_time(Scripted(Sent("msg-1")))
    number = (await one(world, ana, incident["id"]))["id"]
    world.clock.forward(minutes=2)
    link = signer.link("receipt", number)
    await world.call("POST", f"/v1/receipts/{link}", json=FAILED, expect=204)
    page = await one(world, ana, incident["id"])
    assert page["status"] == "failed"
    assert texts(page)[-2] == "It was sent to ana@example.org."
    assert texts(page)[-1].startswith("It was lost after that: ")
    assert "unknown number" in texts(page)[-1]
    assert page["story"][-1]["at"] > page["story"][-2]["at"]
    assert "escalation_hurried" in await world.timeline(ana, incident["id"])
    mail = Scripted()
    await world.pass_time(mail)
    assert mail.recipients == ["ben@example.org"]


# --- Why not that one -----------------------------------------------------------------------


async def test_whoever_is_not_paged_is_named_with_the_reason(world: World, admin: Person) -> None:
    off = await world.person("off@example.org", Role.ADMIN, full_name="Olga")
    await world.call(
        "PUT", "/v1/notification-preferences", off, json={"channels": {"email": False}}
    )
    await world.policy(admin, [(0, "admins")], final_delay_minutes=600)
    incident = await world.declare(admin)
    await world.climb()
    answer = await pages(world, admin, incident["id"])
    assert [page["user_id"] for page in answer["items"]] == [admin.id]
    [left_out] = answer["not_paged"]
    assert left_out.pop("at") >= answer["items"][0]["due_at"]
    assert left_out == {
        "user_id": off.id,
        "name": "Olga",
        "policy_name": "Primary",
        "loop": 0,
        "step": 0,
        "reason": "has switched email off",
    }
    assert (answer["total"], answer["page"], answer["next_cursor"]) == (1, 1, None)


async def test_every_reason_of_every_round_is_there_in_order(
    world: World, admin: Person, ana: Person
) -> None:
    await add(world, ana)
    extra = {"contact_method_id": (await _methods(world, ana))[-1]}
    first = {"contact_method_id": (await _methods(world, ana))[0], "min_severity": "critical"}
    await world.call("PUT", rules_of(ana), ana, json={"items": [first, extra]})
    incident = await world.declare(ana)
    await world.climb()
    left_out = (await pages(world, ana, incident["id"]))["not_paged"]
    assert [(one["step"], one["name"], one["reason"]) for one in left_out] == [
        (0, "Ana", "wants email only from critical up"),
        (0, "Ana", "has not verified the contact method for email"),
    ]


async def _methods(world: World, who: Person) -> list[int]:
    found = await world.sql(
        "SELECT id FROM contact_methods WHERE user_id = :id ORDER BY id", id=who.id
    )
    return [key for (key,) in found]


@pytest.mark.parametrize(
    ("facts", "reasons"),
    [
        ("{}", []),
        ('{"skipped": null}', []),
        ('{"skipped": "nobody"}', []),
        ('{"skipped": [{"user_id": 999999, "reason": "is gone"}]}', ["is gone"]),
        ('{"skipped": [{"user_id": null, "reason": "is nobody"}, {}]}', ["is nobody"]),
    ],
)
async def test_what_a_step_noted_in_another_form_breaks_nothing(
    world: World, ana: Person, facts: str, reasons: list[str]
) -> None:
    incident = await world.declare(ana)
    await world.climb()
    await world.sql("UPDATE escalation_events SET metadata = CAST(:facts AS jsonb)", facts=facts)
    left_out = (await pages(world, ana, incident["id"]))["not_paged"]
    assert [one["reason"] for one in left_out] == reasons
    assert {one["name"] for one in left_out} <= {"Somebody"}


async def test_only_the_newest_of_very_many_are_told(world: World, ana: Person) -> None:
    incident = await world.declare(ana)
    await world.climb()
    await world.sql(
        "UPDATE escalation_events SET metadata = jsonb_build_object('skipped', ("
        " SELECT jsonb_agg(jsonb_build_object('user_id', 1, 'reason', 'n' || n))"
        " FROM generate_series(1, 250) n))"
    )
    left_out = (await pages(world, ana, incident["id"]))["not_paged"]
    assert [one["reason"] for one in left_out] == [f"n{n}" for n in range(51, 251)]


# --- Together with the timeline, and at what cost -------------------------------------------


async def test_the_timeline_leads_to_the_story_of_each_page(world: World, ana: Person) -> None:
    incident = await world.declare(ana)
    await world.pass_time(Scripted(GaveUp("No such mailbox.")))
    answer = await world.call("GET", f"/v1/incidents/{incident['id']}/timeline", ana)
    told = {entry["event_type"]: entry for entry in answer["items"]}
    page = await one(world, ana, incident["id"])
    where = {name: page[name] for name in ("escalation_id", "loop", "step")}
    assert told["escalation_step"]["metadata"] == where
    assert "Ana (email)" in told["escalation_step"]["description"]
    assert told["notification_failed"]["metadata"] == {"notification_id": page["id"]}


async def test_many_pages_cost_no_more_statements_than_one(world: World, ana: Person) -> None:
    counts = []
    for size in (1, 8):  # more would be held
        for _ in range(size):
            incident = await world.declare(ana)
            await world.pass_time(Scripted())
            number = (await one(world, ana, incident["id"]))["id"]
            await world.call("POST", f"/v1/notifications/{number}/resend", ana, expect=202)
        sent: list[str] = []

        def note(_: Any, __: Any, statement: str, *___: Any, sent: list[str] = sent) -> None:
            sent.append(statement)

        engine = world.database.engine.sync_engine
        event.listen(engine, "before_cursor_execute", note)
        listed = await world.call("GET", "/v1/notifications?per_page=100", ana)
        event.remove(engine, "before_cursor_execute", note)
        assert all("sent the email" in str(page["story"]) for page in listed["items"])
        counts.append(len(sent))
    assert counts[0] == counts[1]
