"""What was sent to whom, who may see it, and sending it again."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from app.channels.base import GaveUp
from app.db.session import transaction_time
from app.domain.notification import MAX_ATTEMPTS, Channel
from app.domain.throttle import RESENDS_PER_USER
from app.domain.user import Role
from app.services import notification as notification_service
from app.services import user as user_service
from tests.world import Person, RetryLater, Scripted, World


@pytest.fixture
async def admin(world: World) -> Person:
    return await world.admin()


@pytest.fixture
async def ana(world: World, admin: Person) -> Person:
    ana = await world.person(full_name="Ana")
    ben = await world.person("ben@example.org")
    steps = [(0, {"user": ana.id}), (60, {"user": ben.id})]
    await world.policy(admin, steps, final_delay_minutes=600)
    return ana


async def listed(world: World, who: Person, query: str = "") -> list[dict[str, Any]]:
    answer = await world.call("GET", f"/v1/notifications?{query}", who)
    items: list[dict[str, Any]] = answer["items"]
    return items


async def page_of(world: World, who: Person, *outcomes: Any) -> dict[str, Any]:
    """An incident, paged once, with this outcome."""
    incident = await world.declare(who)
    await world.pass_time(Scripted(*outcomes))
    [page] = await world.notifications(who, incident["id"])
    return page


async def letter_to(world: World, who: Person) -> dict[str, Any]:
    await world.call("POST", "/v1/auth/password-recovery", json={"email": who.email}, expect=202)
    return (await listed(world, who, "kind=recovery"))[0]


async def resend(world: World, who: Person, row: dict[str, Any], expect: int = 202) -> Any:
    return await world.call("POST", f"/v1/notifications/{row['id']}/resend", who, expect=expect)


# --- Looking ------------------------------------------------------------------------------


async def test_messages_are_listed_newest_first_and_read_one_by_one(
    world: World, ana: Person
) -> None:
    first, second = await page_of(world, ana), await page_of(world, ana)
    assert [page["id"] for page in await listed(world, ana)] == [second["id"], first["id"]]
    alone = await world.call("GET", f"/v1/notifications/{first['id']}", ana)
    assert alone == first
    assert (alone["kind"], len(alone["history"])) == ("page", 1)
    assert "facts" not in alone


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("status=sent", 1),
        ("status=failed", 1),
        ("status=failed&status=sent", 2),
        ("channel=email", 2),
        ("channel=sms", 0),
        ("kind=page", 2),
        ("kind=resolved&kind=acknowledged", 0),
        ("user_id={ana}", 2),
        ("user_id={admin}", 0),
        ("incident_id={incident}", 1),
        ("per_page=1", 1),
    ],
)
async def test_a_filter_narrows(
    world: World, admin: Person, ana: Person, query: str, found: int
) -> None:
    page = await page_of(world, ana)
    await world.sql("UPDATE escalation_policies SET is_active = false")
    await page_of_failing(world, ana)
    filled = query.format(ana=ana.id, admin=admin.id, incident=page["incident_id"])
    assert len(await listed(world, ana, filled)) == found


async def page_of_failing(world: World, ana: Person) -> None:
    admin = await world.admin("root@example.org")
    steps = [(0, {"user": ana.id})]
    await world.policy(admin, steps, name="Second", final_delay_minutes=600)
    await page_of(world, ana, GaveUp("No such mailbox."))


async def test_a_letter_is_seen_by_its_recipient_and_by_admins_alone(
    world: World, admin: Person, ana: Person
) -> None:
    letter = await letter_to(world, ana)
    path = f"/v1/notifications/{letter['id']}"
    other = await world.person("bo@example.org")
    viewer = await world.person("cy@example.org", Role.VIEWER)
    for who in (ana, admin):
        assert [one["id"] for one in await listed(world, who)] == [letter["id"]]
        assert await world.call("GET", path, who) == letter
    for who in (other, viewer):
        assert await listed(world, who) == []
        assert await listed(world, who, f"user_id={ana.id}") == []
        assert await listed(world, who, "kind=recovery") == []
        await world.call("GET", path, who, expect=404)
        await resend(world, who, letter, expect=404)


async def test_what_a_letter_carries_is_never_shown(
    world: World, admin: Person, ana: Person
) -> None:
    letter = await letter_to(world, ana)
    await world.deliver(Scripted())
    shown = str(await world.call("GET", f"/v1/notifications/{letter['id']}", admin))
    assert "challenge" not in shown
    assert "/account/reset" not in shown


async def test_there_is_no_such_message(world: World, ana: Person) -> None:
    answer = await world.call("GET", "/v1/notifications/999", ana, expect=404)
    assert answer["code"] == "NOTIFICATION_NOT_FOUND"
    await resend(world, ana, {"id": 999}, expect=404)


# --- Sending again ------------------------------------------------------------------------


async def test_a_page_is_sent_again_under_its_mark_and_the_timeline_says_so(
    world: World, ana: Person
) -> None:
    incident = await world.declare(ana)
    mail = Scripted()
    await world.pass_time(mail)
    [page] = await world.notifications(ana, incident["id"])
    again = await resend(world, ana, page)
    assert (again["status"], again["is_resend"], again["attempts"]) == ("pending", True, 1)
    await world.deliver(mail)
    first, second = mail.messages
    assert first.mark == second.mark
    assert "may be a copy" in second.text
    [page] = await world.notifications(ana, incident["id"])
    assert (page["status"], page["attempts"]) == ("sent", 2)
    assert [attempt["number"] for attempt in page["history"]] == [1, 2]
    answer = await world.call("GET", f"/v1/incidents/{incident['id']}/timeline", ana)
    told = answer["items"][-1]
    assert told["event_type"] == "notification_resent"
    assert told["description"] == "Ana sent the email to Ana again."


@pytest.mark.parametrize("role", [Role.RESPONDER, Role.ADMIN])
async def test_whoever_may_respond_may_send_a_page_again(
    world: World, ana: Person, role: Role
) -> None:
    who = await world.person("bo@example.org", role)
    await resend(world, who, await page_of(world, ana))


async def test_a_viewer_may_not_except_to_themselves(
    world: World, admin: Person, ana: Person
) -> None:
    viewer = await world.person("cy@example.org", Role.VIEWER)
    page = await page_of(world, ana)
    answer = await resend(world, viewer, page, expect=403)
    assert answer["code"] == "FORBIDDEN"
    await world.policy(admin, [(0, {"user": viewer.id})], name="Second", final_delay_minutes=600)
    incident = await world.declare(ana)
    await world.pass_time(Scripted())
    own = await listed(world, ana, f"incident_id={incident['id']}")
    await resend(world, viewer, next(one for one in own if one["user_id"] == viewer.id))


@pytest.mark.parametrize(
    ("action", "sentence"),
    [("acknowledge", "is acknowledged"), ("resolve", "is resolved"), ("snooze", "is snoozed")],
)
async def test_a_page_is_not_sent_again_while_its_incident_pages_nobody(
    world: World, ana: Person, action: str, sentence: str
) -> None:
    page = await page_of(world, ana)
    kw = {"json": {"minutes": 30}} if action == "snooze" else {}
    await world.act(ana, page["incident_id"], action, **kw)
    answer = await resend(world, ana, page, expect=409)
    assert answer["code"] == "INCIDENT_NOT_PAGING"
    assert sentence in answer["message"]
    assert (await listed(world, ana, "kind=page"))[0]["status"] == "sent"


async def test_once_a_snooze_is_over_a_page_is_sent_again(world: World, ana: Person) -> None:
    page = await page_of(world, ana)
    await world.act(ana, page["incident_id"], "snooze", json={"minutes": 30})
    world.clock.forward(minutes=31)
    await resend(world, ana, page)


async def test_what_has_not_left_is_not_sent_again(world: World, ana: Person) -> None:
    page = await page_of(world, ana, RetryLater("Busy."))
    answer = await resend(world, ana, page, expect=409)
    assert answer["code"] == "STILL_WAITING"


async def test_a_page_whose_address_is_gone_is_not_sent_again(world: World, ana: Person) -> None:
    page = await page_of(world, ana)
    await world.sql("DELETE FROM contact_methods WHERE user_id = :id", id=ana.id)
    answer = await resend(world, ana, page, expect=409)
    assert answer["code"] == "CONTACT_METHOD_GONE"


async def test_a_letter_is_sent_again_while_what_it_carries_is_good(
    world: World, admin: Person, ana: Person
) -> None:
    letter = await letter_to(world, ana)
    mail = Scripted()
    await world.deliver(mail)
    await resend(world, admin, letter)
    await world.deliver(mail)
    await resend(world, ana, letter)
    await world.deliver(mail)
    assert len({message.text for message in mail.messages}) == 1
    assert len({message.mark for message in mail.messages}) == 1
    world.clock.forward(minutes=31)
    answer = await resend(world, ana, letter, expect=409)
    assert answer["code"] == "MESSAGE_EXPIRED"


async def test_a_page_that_failed_for_good_has_all_its_tries_again(
    world: World, ana: Person
) -> None:
    page = await page_of(world, ana, RetryLater("Busy."))
    await world.sql("UPDATE notifications SET attempts = :n", n=MAX_ATTEMPTS - 1)
    await world.pass_time(Scripted(RetryLater("Busy.")), minutes=5)
    [page] = await world.notifications(ana, page["incident_id"])
    assert (page["status"], page["attempts"]) == ("failed", MAX_ATTEMPTS)
    await resend(world, ana, page)
    await world.deliver(Scripted(RetryLater("Busy.")))
    [page] = await world.notifications(ana, page["incident_id"])
    assert (page["status"], page["attempts"]) == ("pending", MAX_ATTEMPTS + 1)
    quick = timedelta(seconds=3)  # the waits between tries begin anew, too
    [[wait]] = await world.sql("SELECT ready_at - updated_at FROM notifications")
    assert wait <= quick


async def test_a_webhook_is_called_again(world: World, admin: Person, ana: Person) -> None:
    hook = {"type": "webhook", "url": "https://hooks.example.org/x"}
    steps = [{"delay_minutes": 0, "actions": [hook]}]
    await world.policy(admin, [], name="Hook", steps=steps, final_delay_minutes=600)
    incident = await world.declare(ana)
    calls = Scripted(channel=Channel.WEBHOOK)
    await world.pass_time(calls)
    [row] = await listed(world, ana, "channel=webhook")
    await resend(world, ana, row)
    await world.deliver(calls)
    assert len(calls.messages) == 2
    answer = await world.call("GET", f"/v1/incidents/{incident['id']}/timeline", ana)
    assert answer["items"][-1]["description"] == "Ana called the webhook again."


async def test_what_was_bundled_is_sent_again_alone(world: World, ana: Person) -> None:
    first, second = await page_of(world, ana), await page_of(world, ana)
    await world.sql(
        "UPDATE notifications SET bundled_into = :leader, held_until = now() WHERE id = :id",
        leader=first["id"],
        id=second["id"],
    )
    again = await resend(world, ana, second)
    assert (again["bundled_into"], again["held_until"]) == (None, None)


async def test_nobody_sends_without_end(world: World, ana: Person) -> None:
    page = await page_of(world, ana, RetryLater("Busy."))
    for _ in range(RESENDS_PER_USER.limit):
        await resend(world, ana, page, expect=409)
    answer = await resend(world, ana, page, expect=429)
    assert answer["code"] == "TOO_MANY_REQUESTS"
    await resend(world, await world.person("bo@example.org"), page, expect=409)


@pytest.mark.parametrize("kind", ["page", "letter"])
async def test_who_comes_second_finds_it_on_its_way(
    world: World, admin: Person, ana: Person, kind: str
) -> None:
    row = await (page_of if kind == "page" else letter_to)(world, ana)
    await world.deliver(Scripted())
    async with world.database.writing() as session:
        first = await user_service.require(session, ana.id)
        now = await transaction_time(session)
        await notification_service.resend(session, row["id"], by=first, now=now)
        second = asyncio.create_task(resend(world, admin, row, expect=409))
        await asyncio.wait_for(somebody_waits(world), 10)
    assert (await second)["code"] == "STILL_WAITING"
    mail = Scripted()
    await world.deliver(mail)
    assert len(mail.messages) == 1


async def somebody_waits(world: World) -> None:
    """Until another transaction stands still before a lock."""
    waiting = (
        "SELECT 1 FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    while not await world.sql(waiting):
        pass
