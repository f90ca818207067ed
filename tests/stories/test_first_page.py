"""The first page: alert in, climb, snooze, acknowledge, resolve, reopen, in moved time."""

from tests.world import Scripted, World


async def test_an_alert_climbs_its_policy_until_somebody_acknowledges(world: World) -> None:
    admin = await world.admin()
    ana = await world.person("ana@example.org")
    ben = await world.person("ben@example.org")
    await world.policy(admin, [(0, {"user": ana.id}), (5, {"user": ben.id})])
    key = await world.integration_key(admin)
    mail = Scripted()

    receipt = await world.alert(key)
    assert receipt["outcome"] == "opened"
    await world.pass_time(mail)
    assert mail.recipients == ["ana@example.org"]

    await world.pass_time(mail, minutes=4.9)
    assert mail.recipients == ["ana@example.org"]
    await world.pass_time(mail, minutes=0.2)
    assert mail.recipients == ["ana@example.org", "ben@example.org"]

    incident = await world.act(ben, receipt["incident_id"], "acknowledge")
    assert (incident["status"], incident["assigned_to"]) == ("acknowledged", ben.id)
    await world.pass_time(mail, hours=5)
    assert len(mail.messages) == 2


async def test_a_snooze_puts_paging_off_and_it_goes_on_where_it_stood(world: World) -> None:
    admin = await world.admin()
    ana = await world.person("ana@example.org")
    ben = await world.person("ben@example.org")
    await world.policy(admin, [(0, {"user": ana.id}), (5, {"user": ben.id})])
    incident = await world.declare(ana)
    mail = Scripted()
    await world.pass_time(mail)

    await world.act(ana, incident["id"], "snooze", json={"minutes": 60})
    await world.pass_time(mail, minutes=59)
    assert mail.recipients == ["ana@example.org"]
    await world.pass_time(mail, minutes=1.1)
    assert mail.recipients == ["ana@example.org", "ben@example.org"]
    assert "snooze_ended" in await world.timeline(ana, incident["id"])


async def test_ending_a_snooze_early_makes_due_what_was_due(world: World) -> None:
    admin = await world.admin()
    ana = await world.person("ana@example.org")
    ben = await world.person("ben@example.org")
    await world.policy(admin, [(0, {"user": ana.id}), (5, {"user": ben.id})])
    incident = await world.declare(ana)
    mail = Scripted()
    await world.pass_time(mail)
    await world.act(ana, incident["id"], "snooze", json={"minutes": 60})

    await world.pass_time(mail, minutes=2)
    await world.call("DELETE", f"/v1/incidents/{incident['id']}/snooze", ana)
    await world.pass_time(mail)
    assert mail.recipients == ["ana@example.org"]
    await world.pass_time(mail, minutes=3.1)
    assert mail.recipients == ["ana@example.org", "ben@example.org"]


async def test_a_page_that_waits_for_its_rule_rests_while_snoozed(world: World) -> None:
    admin = await world.admin()
    ana = await world.person("ana@example.org")
    await world.sql("UPDATE notification_rules SET delay_minutes = 10 WHERE user_id = :u", u=ana.id)
    await world.policy(admin, [(0, {"user": ana.id})], final_delay_minutes=600)
    incident = await world.declare(ana)
    mail = Scripted()
    await world.pass_time(mail)
    await world.act(ana, incident["id"], "snooze", json={"minutes": 60})
    await world.pass_time(mail, minutes=30)
    assert mail.messages == []
    await world.pass_time(mail, minutes=31)
    assert mail.recipients == ["ana@example.org"]


async def test_an_acknowledged_incident_opens_and_pages_anew_when_its_snooze_ends(
    world: World,
) -> None:
    admin = await world.admin()
    ana = await world.person("ana@example.org")
    await world.policy(admin, [(0, {"user": ana.id})])
    incident = await world.declare(ana)
    mail = Scripted()
    await world.pass_time(mail)
    await world.act(ana, incident["id"], "acknowledge")
    await world.act(ana, incident["id"], "snooze", json={"minutes": 30})

    await world.pass_time(mail, minutes=29)
    assert len(mail.messages) == 1
    await world.pass_time(mail, minutes=2)
    again = await world.call("GET", f"/v1/incidents/{incident['id']}", ana)
    assert (again["status"], len(mail.messages)) == ("open", 2)
    assert [n["loop"] for n in await world.notifications(ana, incident["id"])] == [0, 1]


async def test_acknowledging_a_snoozed_incident_answers_it_for_good(world: World) -> None:
    admin = await world.admin()
    ana = await world.person("ana@example.org")
    await world.policy(admin, [(5, {"user": ana.id})])
    incident = await world.declare(ana)
    await world.act(ana, incident["id"], "snooze", json={"minutes": 30})
    answered = await world.act(ana, incident["id"], "acknowledge")
    assert answered["snoozed_until"] is None
    mail = Scripted()
    await world.pass_time(mail, hours=2)
    assert mail.messages == []


async def test_resolving_drops_what_a_later_rule_would_have_sent(world: World) -> None:
    admin = await world.admin()
    ana = await world.person("ana@example.org")
    await world.sql("UPDATE notification_rules SET delay_minutes = 10 WHERE user_id = :u", u=ana.id)
    await world.policy(admin, [(0, {"user": ana.id})])
    incident = await world.declare(ana)
    await world.pass_time()
    [waiting] = await world.notifications(ana, incident["id"])
    assert waiting["status"] == "pending"

    await world.act(ana, incident["id"], "resolve")
    [dropped] = await world.notifications(ana, incident["id"])
    assert dropped["status"] == "cancelled"
    assert dropped["reason"] == "The incident was resolved first."
    mail = Scripted()
    await world.pass_time(mail, hours=1)
    assert mail.messages == []


async def test_reopening_pages_from_the_first_step(world: World) -> None:
    admin = await world.admin()
    ana = await world.person("ana@example.org")
    ben = await world.person("ben@example.org")
    await world.policy(admin, [(0, {"user": ana.id}), (5, {"user": ben.id})])
    incident = await world.declare(ana)
    mail = Scripted()
    await world.pass_time(mail)
    await world.pass_time(mail, minutes=5.1)
    await world.act(ana, incident["id"], "resolve")

    reopened = await world.act(ana, incident["id"], "reopen")
    assert (reopened["status"], reopened["resolved_at"]) == ("open", None)
    await world.pass_time(mail)
    assert mail.recipients == ["ana@example.org", "ben@example.org", "ana@example.org"]
    await world.pass_time(mail, minutes=5.1)
    assert mail.recipients[-1] == "ben@example.org"


async def test_a_recovery_resolves_and_the_next_alert_opens_a_new_incident(world: World) -> None:
    admin = await world.admin()
    key = await world.integration_key(admin)
    first = await world.alert(key)
    joined = await world.alert(key)
    ended = await world.alert(key, status="resolved")
    second = await world.alert(key)
    assert [r["outcome"] for r in (first, joined, ended, second)] == [
        "opened",
        "joined",
        "resolved",
        "opened",
    ]
    assert first["incident_id"] == joined["incident_id"] == ended["incident_id"]
    assert second["incident_id"] != first["incident_id"]
    mail = Scripted()
    await world.pass_time(mail)
    [about] = {n["incident_id"] for n in await world.notifications(admin, second["incident_id"])}
    assert about == second["incident_id"]
    assert await world.notifications(admin, first["incident_id"]) == []
