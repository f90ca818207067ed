"""What reaches nobody, and what no policy matches, says so and moves on."""

from app.domain.notification import MAX_ATTEMPTS
from tests.world import GaveUp, RetryLater, Scripted, World


async def test_an_incident_that_no_policy_matches_pages_the_admins(world: World) -> None:
    admin = await world.admin()
    ana = await world.person()
    await world.policy(admin, [(0, {"user": ana.id})], conditions={"service": ["payments"]})
    incident = await world.declare(ana, service="database")
    mail = Scripted()
    await world.pass_time(mail)
    assert mail.recipients == ["admin@example.org"]
    where = await world.call("GET", f"/v1/incidents/{incident['id']}/escalation", ana)
    assert [run["is_fallback"] for run in where["escalations"]] == [True]


async def test_an_inactive_policy_matches_nothing(world: World) -> None:
    admin = await world.admin()
    ana = await world.person()
    await world.policy(admin, [(0, {"user": ana.id})], is_active=False)
    await world.declare(ana)
    mail = Scripted()
    await world.pass_time(mail)
    assert mail.recipients == ["admin@example.org"]


async def test_a_step_that_reaches_nobody_hands_over_at_once(world: World) -> None:
    admin = await world.admin()
    ana = await world.person()
    await world.policy(admin, [(0, "assignees"), (30, {"user": ana.id})])
    incident = await world.declare(admin)
    mail = Scripted()
    await world.pass_time(mail)
    assert mail.recipients == ["ana@example.org"]
    assert "escalation_reached_nobody" in await world.timeline(ana, incident["id"])


async def test_a_ladder_that_reaches_nobody_at_all_ends_with_the_fallback_at_once(
    world: World,
) -> None:
    admin = await world.admin()
    await world.policy(admin, [(0, "assignees"), (30, "assignees")], repeat=2)
    incident = await world.declare(admin)
    mail = Scripted()
    await world.pass_time(mail)
    assert mail.recipients == ["admin@example.org"]
    assert "escalation_exhausted" in await world.timeline(admin, incident["id"])


async def test_a_policy_repeats_and_then_pages_the_fallback(world: World) -> None:
    admin = await world.admin()
    ana = await world.person()
    await world.policy(admin, [(1, {"user": ana.id})], repeat=2, final_delay_minutes=5)
    incident = await world.declare(ana)
    mail = Scripted()
    for _ in range(40):
        await world.pass_time(mail, minutes=1)
    assert mail.recipients == ["ana@example.org"] * 3 + ["admin@example.org"]
    pages = await world.notifications(ana, incident["id"])
    assert [(n["loop"], n["step"]) for n in pages[:3]] == [(0, 0), (1, 0), (2, 0)]


async def test_when_every_page_of_a_step_fails_for_good_the_next_step_comes_now(
    world: World,
) -> None:
    admin = await world.admin()
    ana = await world.person()
    ben = await world.person("ben@example.org")
    await world.policy(admin, [(0, {"user": ana.id}), (30, {"user": ben.id})])
    incident = await world.declare(ana)
    mail = Scripted(GaveUp("No such mailbox."))
    await world.pass_time(mail)
    await world.pass_time(mail)
    assert mail.recipients == ["ana@example.org", "ben@example.org"]
    failed, sent = await world.notifications(ana, incident["id"])
    assert (failed["status"], failed["reason"]) == ("failed", "No such mailbox.")
    assert sent["status"] == "sent"
    happened = await world.timeline(ana, incident["id"])
    assert "notification_failed" in happened
    assert "escalation_hurried" in happened


async def test_one_page_that_got_through_keeps_the_step_in_its_time(world: World) -> None:
    admin = await world.admin()
    ana = await world.person()
    ben = await world.person("ben@example.org")
    both = [{"type": "notify", "target": {"user": one.id}} for one in (ana, ben)]
    later = [{"type": "notify", "target": "admins"}]
    steps = [{"delay_minutes": 0, "actions": both}, {"delay_minutes": 30, "actions": later}]
    await world.policy(admin, [], steps=steps)
    await world.declare(ana)
    mail = Scripted(GaveUp("No such mailbox."))
    await world.pass_time(mail)
    await world.pass_time(mail, minutes=29)
    assert "admin@example.org" not in mail.recipients


async def test_a_page_to_somebody_who_was_deactivated_is_dropped_and_the_next_step_comes_now(
    world: World,
) -> None:
    admin = await world.admin()
    ana = await world.person()
    ben = await world.person("ben@example.org")
    await world.policy(admin, [(0, {"user": ana.id}), (30, {"user": ben.id})])
    incident = await world.declare(ben)
    await world.climb()
    await world.call("PATCH", f"/v1/users/{ana.id}", admin, json={"is_active": False})
    mail = Scripted()
    await world.deliver(mail)
    await world.pass_time(mail)
    assert mail.recipients == ["ben@example.org"]
    dropped, _ = await world.notifications(ben, incident["id"])
    assert (dropped["status"], dropped["reason"]) == (
        "cancelled",
        "The recipient was deactivated.",
    )


async def test_a_step_passes_over_whoever_is_deactivated_and_says_why(world: World) -> None:
    admin = await world.admin()
    ana = await world.person(full_name="Ana Díaz")
    await world.policy(admin, [(5, {"user": ana.id})])
    incident = await world.declare(admin)
    await world.call("PATCH", f"/v1/users/{ana.id}", admin, json={"is_active": False})
    mail = Scripted()
    await world.pass_time(mail, minutes=6)
    assert mail.recipients == ["admin@example.org"]
    story = await world.call("GET", f"/v1/incidents/{incident['id']}/timeline", admin)
    assert any("Ana Díaz is deactivated" in entry["description"] for entry in story["items"])


async def test_a_send_that_may_work_later_is_tried_again_with_the_same_mark(world: World) -> None:
    admin = await world.admin()
    incident = await world.declare(admin)
    mail = Scripted(RetryLater("The server is busy."), RetryLater("The server is busy."))
    await world.pass_time(mail)
    for _ in range(3):
        await world.pass_time(mail, minutes=1)
    assert len(mail.messages) == 3
    assert len({message.mark for message in mail.messages}) == 1
    [page] = [n for n in await world.notifications(admin, incident["id"]) if n["loop"] == 0][:1]
    assert (page["status"], page["attempts"]) == ("sent", 3)
    assert [attempt["outcome"] for attempt in page["history"]] == ["retry", "retry", "sent"]


async def test_a_page_that_never_works_ends_visibly_failed(world: World) -> None:
    admin = await world.admin()
    incident = await world.declare(admin)
    mail = Scripted(*[RetryLater("The server is busy.")] * MAX_ATTEMPTS)
    await world.pass_time(mail)
    for _ in range(MAX_ATTEMPTS):
        await world.pass_time(mail, minutes=5)
    [page] = await world.notifications(admin, incident["id"])
    assert page["status"] == "failed"
    assert page["reason"] == f"Gave up after {MAX_ATTEMPTS} attempts: The server is busy."


async def test_an_unreadable_alert_opens_an_incident_about_its_integration(world: World) -> None:
    admin = await world.admin()
    key = await world.integration_key(admin)
    answer = await world.call(
        "POST", "/v1/webhooks/alerts", headers={"X-API-Key": key}, content=b"{broken"
    )
    [receipt] = answer["alerts"]
    assert receipt["outcome"] == "unreadable"
    mail = Scripted()
    await world.pass_time(mail)
    assert mail.recipients == ["admin@example.org"]
    assert "cannot be read" in mail.messages[0].subject
    [[kept]] = await world.sql("SELECT raw_body FROM alerts WHERE id = :id", id=receipt["id"])
    assert kept == b"{broken"
