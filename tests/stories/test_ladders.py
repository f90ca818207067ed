"""Policies at work: frozen steps, several at once, every action, everybody's own rules."""

from datetime import timedelta

from app.domain.notification import Channel
from tests.world import Scripted, World


async def test_an_edit_never_bends_a_ladder_that_is_being_climbed(world: World) -> None:
    admin = await world.admin()
    ana = await world.person()
    ben = await world.person("ben@example.org")
    policy = await world.policy(admin, [(5, {"user": ana.id})])
    await world.declare(admin)
    steps = [{"delay_minutes": 0, "actions": [{"type": "notify", "target": {"user": ben.id}}]}]
    path = f"/v1/escalation/policies/{policy['id']}"
    await world.call("PATCH", path, admin, json={"steps": steps, "is_active": False})
    mail = Scripted()
    await world.pass_time(mail, minutes=6)
    assert mail.recipients == ["ana@example.org"]


async def test_deleting_a_policy_lets_what_it_started_go_on(world: World) -> None:
    admin = await world.admin()
    ana = await world.person()
    policy = await world.policy(admin, [(5, {"user": ana.id})])
    incident = await world.declare(admin)
    await world.call("DELETE", f"/v1/escalation/policies/{policy['id']}", admin, expect=204)
    mail = Scripted()
    await world.pass_time(mail, minutes=6)
    assert mail.recipients == ["ana@example.org"]
    where = await world.call("GET", f"/v1/incidents/{incident['id']}/escalation", admin)
    assert [(run["policy_id"], run["policy_name"]) for run in where["escalations"]] == [
        (None, "Primary")
    ]


async def test_every_policy_that_matches_runs(world: World) -> None:
    admin = await world.admin()
    ana = await world.person()
    ben = await world.person("ben@example.org")
    await world.policy(admin, [(0, {"user": ana.id})], conditions={"severity": ["high"]})
    await world.policy(
        admin, [(0, {"user": ben.id})], name="Second", conditions={"service": ["database"]}
    )
    await world.declare(admin)
    mail = Scripted()
    await world.pass_time(mail)
    assert sorted(mail.recipients) == ["ana@example.org", "ben@example.org"]


async def test_a_new_severity_starts_what_matches_now_and_cancels_what_does_not(
    world: World,
) -> None:
    admin = await world.admin()
    ana = await world.person()
    ben = await world.person("ben@example.org")
    await world.policy(admin, [(5, {"user": ana.id})], conditions={"severity": ["low"]})
    await world.policy(
        admin, [(0, {"user": ben.id})], name="Loud", conditions={"severity": ["critical"]}
    )
    incident = await world.declare(admin, severity="low")
    path = f"/v1/incidents/{incident['id']}"
    await world.call("PATCH", path, admin, json={"severity": "SEV1"})
    mail = Scripted()
    await world.pass_time(mail, minutes=20)
    assert "ana@example.org" not in mail.recipients
    assert mail.recipients[0] == "ben@example.org"
    where = await world.call("GET", f"{path}/escalation", admin)
    assert {run["policy_name"]: run["status"] for run in where["escalations"]}["Primary"] == (
        "cancelled"
    )


async def test_lateness_never_adds_up_over_steps(world: World) -> None:
    """Each step is due by the schedule, however late the one before was taken."""
    admin = await world.admin()
    ana = await world.person()
    await world.policy(admin, [(0, {"user": ana.id})] + [(5, {"user": ana.id})] * 2)
    incident = await world.declare(admin)
    await world.pass_time(minutes=4)  # the first step is taken four minutes late
    await world.pass_time(minutes=3)
    await world.pass_time(minutes=3.5)
    pages = await world.notifications(admin, incident["id"])
    due = [page["due_at"] for page in pages]
    assert len(due) == 3
    rows = await world.sql("SELECT due_at FROM notifications ORDER BY id")
    assert [rows[i + 1][0] - rows[i][0] for i in range(2)] == [timedelta(minutes=5)] * 2


async def test_a_step_can_do_more_than_notify(world: World) -> None:
    admin = await world.admin()
    ana = await world.person(full_name="Ana Díaz")
    actions = [
        {"type": "assign", "target": {"user": ana.id}},
        {"type": "comment", "text": "Look at the runbook."},
        {"type": "set_severity", "severity": "critical"},
        {"type": "webhook", "url": "https://hooks.example.org/tocsin"},
    ]
    await world.policy(admin, [], steps=[{"delay_minutes": 1, "actions": actions}])
    incident = await world.declare(admin, severity="low")
    mail, hook = Scripted(), Scripted(channel=Channel.WEBHOOK)
    await world.pass_time(mail, minutes=2)
    await world.deliver(hook)
    now = await world.call("GET", f"/v1/incidents/{incident['id']}", admin)
    assert (now["severity"], now["assigned_to"]) == ("critical", ana.id)
    comments = await world.call("GET", f"/v1/incidents/{incident['id']}/comments", admin)
    assert [(c["content"], c["user_id"]) for c in comments["items"]] == [
        ("Look at the runbook.", None)
    ]
    assert hook.recipients == ["https://hooks.example.org/tocsin"]
    assert mail.messages == []  # the step was not meant to reach anybody, so nobody was skipped
    assert hook.messages[0].data["data"]["incident"]["id"] == incident["id"]


async def test_a_step_can_answer_the_incident_and_nothing_climbs_on(world: World) -> None:
    admin = await world.admin()
    ana = await world.person()
    resolve = [{"type": "set_status", "status": "resolved"}]
    steps = [
        {"delay_minutes": 1, "actions": resolve},
        {"delay_minutes": 1, "actions": [{"type": "notify", "target": {"user": ana.id}}]},
    ]
    await world.policy(admin, [], steps=steps)
    await world.policy(admin, [(1, {"user": ana.id})], name="Other")
    incident = await world.declare(admin)
    mail = Scripted()
    await world.pass_time(mail, minutes=1.1)
    await world.pass_time(mail, hours=1)
    now = await world.call("GET", f"/v1/incidents/{incident['id']}", admin)
    assert now["status"] == "resolved"
    assert mail.messages == []


async def test_people_are_paged_along_their_own_rules(world: World) -> None:
    admin = await world.admin()
    ana = await world.person()
    await world.sql(
        "INSERT INTO contact_methods (user_id, channel, address, verified_at)"
        " VALUES (:u, 'webhook', 'https://pager.example.org/ana', now())",
        u=ana.id,
    )
    await world.sql(
        "INSERT INTO notification_rules (user_id, contact_method_id, position, delay_minutes)"
        " SELECT :u, id, 1, 3 FROM contact_methods WHERE channel = 'webhook'",
        u=ana.id,
    )
    await world.policy(admin, [(0, {"user": ana.id})])
    await world.declare(admin)
    mail, hook = Scripted(), Scripted(channel=Channel.WEBHOOK)
    await world.pass_time(mail)
    await world.deliver(hook)
    assert (len(mail.messages), len(hook.messages)) == (1, 0)
    await world.pass_time(mail, minutes=3.1)
    await world.deliver(hook)
    assert (len(mail.messages), len(hook.messages)) == (1, 1)


async def test_a_channel_that_somebody_switched_off_is_not_used_and_the_story_says_so(
    world: World,
) -> None:
    admin = await world.admin()
    ana = await world.person(full_name="Ana Díaz")
    await world.sql(
        "INSERT INTO notification_preferences (user_id, channel, is_enabled)"
        " VALUES (:u, 'email', false)",
        u=ana.id,
    )
    await world.policy(admin, [(0, {"user": ana.id})])
    incident = await world.declare(admin)
    mail = Scripted()
    await world.pass_time(mail)
    assert mail.recipients == ["admin@example.org"]
    story = await world.call("GET", f"/v1/incidents/{incident['id']}/timeline", admin)
    assert any("Ana Díaz has switched email off" in e["description"] for e in story["items"])


async def test_two_rules_to_one_person_page_once_each_however_often_a_step_names_them(
    world: World,
) -> None:
    admin = await world.admin()
    ana = await world.person()
    twice = [{"type": "notify", "target": {"user": ana.id}}] * 2
    await world.policy(admin, [], steps=[{"delay_minutes": 0, "actions": twice}])
    await world.declare(admin)
    mail = Scripted()
    await world.pass_time(mail)
    assert mail.recipients == ["ana@example.org"]


async def test_the_assignees_are_paged_but_not_those_who_only_watch(world: World) -> None:
    admin = await world.admin()
    ana = await world.person()
    ben = await world.person("ben@example.org")
    await world.policy(admin, [(5, "assignees")])
    incident = await world.declare(admin, assignees=[ana.id])
    await world.act(
        admin, incident["id"], "assignments", json={"user_id": ben.id, "role": "observer"}
    )
    mail = Scripted()
    await world.pass_time(mail, minutes=6)
    assert mail.recipients == ["ana@example.org"]


async def test_a_step_that_breaks_inside_tocsin_holds_up_none_of_the_rest(world: World) -> None:
    admin = await world.admin()
    ana = await world.person()
    await world.policy(admin, [(5, {"user": ana.id})])
    broken, well = await world.declare(admin), await world.declare(admin)
    await world.sql(
        """UPDATE escalations SET steps = '[{"delay_minutes": 5, "actions": [{"type": "?"}]}]'
        WHERE incident_id = :id""",
        id=broken["id"],
    )
    mail = Scripted()
    await world.pass_time(mail, minutes=6)
    assert [message.subject[-3:-1] for message in mail.messages] == [f"#{well['id']}"[-2:]]
    where = await world.call("GET", f"/v1/incidents/{broken['id']}/escalation", admin)
    [run] = where["escalations"]
    assert run["status"] == "active"
    assert "unknown action '?'" in run["last_fault"]

    await world.sql(
        "UPDATE escalations SET steps = o.steps FROM escalations o"
        " WHERE o.incident_id = :well AND escalations.incident_id = :id",
        well=well["id"],
        id=broken["id"],
    )
    await world.pass_time(mail, minutes=2)
    assert any(f"(#{broken['id']})" in message.subject for message in mail.messages)


async def test_a_step_that_the_database_refuses_leaves_nothing_behind_but_its_fault(
    world: World,
) -> None:
    admin = await world.admin()
    ana = await world.person()
    await world.policy(admin, [(5, {"user": ana.id})])
    broken, _ = await world.declare(admin), await world.declare(admin)
    await world.sql(
        """UPDATE escalations SET steps = jsonb_build_array(jsonb_build_object(
            'delay_minutes', 5, 'actions', jsonb_build_array(
                jsonb_build_object('type', 'comment', 'text', 'half done'),
                jsonb_build_object('type', 'webhook', 'url', repeat('x', 3000)))))
        WHERE incident_id = :id""",
        id=broken["id"],
    )
    mail = Scripted()
    await world.pass_time(mail, minutes=6)
    assert mail.recipients == ["ana@example.org"]
    comments = await world.call("GET", f"/v1/incidents/{broken['id']}/comments", admin)
    assert comments["items"] == []
    where = await world.call("GET", f"/v1/incidents/{broken['id']}/escalation", admin)
    [run] = where["escalations"]
    assert run["status"] == "active"
    assert "value too long" in run["last_fault"]
