"""What can be read of an incident's life: timeline, escalation, notifications."""

from datetime import datetime, timedelta

from tests.conftest import Clock
from tests.world import GaveUp, RetryLater, Scripted, World

INCIDENTS = "/v1/incidents"


async def test_a_timeline_is_a_story_from_its_beginning(world: World) -> None:
    admin = await world.person("admin@example.org", role="admin", full_name="Ada")  # type: ignore[arg-type]
    await world.policy(admin, [(0, "admins")], name="Nights")
    number = (await world.declare(admin))["id"]
    await world.pass_time()
    await world.act(admin, number, "acknowledge")
    await world.act(admin, number, "resolve")

    told = (await world.call("GET", f"{INCIDENTS}/{number}/timeline", admin))["items"]

    assert [(entry["event_type"], entry["user_id"]) for entry in told] == [
        ("opened", admin.id),
        ("escalation_started", None),
        ("escalation_step", None),
        ("acknowledged", admin.id),
        ("resolved", admin.id),
    ]
    assert [entry["description"] for entry in told][:2] == [
        "Ada declared the incident.",
        "Policy “Nights” started.",
    ]
    assert told[-1]["description"] == "Ada resolved the incident."


async def test_a_timeline_can_be_followed_by_cursor(world: World) -> None:
    ana = await world.person()
    number = (await world.declare(ana))["id"]
    for n in range(3):
        body = {"content": str(n)}
        await world.call("POST", f"{INCIDENTS}/{number}/comments", ana, expect=201, json=body)
    path = f"{INCIDENTS}/{number}/timeline"
    page = await world.call("GET", f"{path}?per_page=2", ana)
    rest = await world.call("GET", f"{path}?per_page=10&cursor={page['next_cursor']}", ana)
    met = [entry["event_type"] for entry in page["items"] + rest["items"]]
    assert met == ["opened", "escalation_started", *["commented"] * 3]
    assert rest["next_cursor"] is None


async def test_where_an_escalation_stands_is_told_with_what_comes_next(
    world: World, clock: Clock
) -> None:
    admin = await world.admin()
    await world.policy(admin, [(0, "admins"), (10, "admins")], repeat=1)
    number = (await world.declare(admin))["id"]
    path = f"{INCIDENTS}/{number}/escalation"

    before = await world.call("GET", path, admin)
    await world.pass_time()
    after = await world.call("GET", path, admin)

    (run,) = before["escalations"]
    assert (run["next_step"], run["loop"], run["repeat"], run["status"]) == (0, 0, 1, "active")
    assert before["events"] == []
    (run,) = after["escalations"]
    assert run["next_step"] == 1
    assert after["next_step_at"] == run["next_step_at"]
    due = datetime.fromisoformat(run["next_step_at"])
    assert due - datetime.fromisoformat(run["started_at"]) == timedelta(minutes=10)
    (event,) = after["events"]
    assert (event["step"], event["loop"], event["status"]) == (0, 0, "completed")
    assert event["escalation_id"] == run["id"]


async def test_once_answered_nothing_comes_next(world: World) -> None:
    admin = await world.admin()
    await world.policy(admin, [(5, "admins")])
    number = (await world.declare(admin))["id"]
    path = f"{INCIDENTS}/{number}/escalation"

    await world.act(admin, number, "acknowledge")
    taken = await world.call("GET", path, admin)
    await world.act(admin, number, "resolve")
    ended = await world.call("GET", path, admin)

    assert (taken["next_step_at"], taken["escalations"][0]["status"]) == (None, "paused")
    assert (ended["next_step_at"], ended["escalations"][0]["status"]) == (None, "completed")
    assert ended["escalations"][0]["finished_at"] is not None


async def test_the_nearest_of_several_escalations_comes_next(world: World) -> None:
    admin = await world.admin()
    await world.policy(admin, [(30, "admins")], name="late")
    await world.policy(admin, [(5, "admins")], name="soon")
    number = (await world.declare(admin))["id"]
    shown = await world.call("GET", f"{INCIDENTS}/{number}/escalation", admin)
    due = {run["policy_name"]: run["next_step_at"] for run in shown["escalations"]}
    assert shown["next_step_at"] == due["soon"] < due["late"]


async def test_a_page_is_told_with_each_of_its_tries(world: World) -> None:
    admin = await world.admin()
    await world.policy(admin, [(0, "admins")])
    number = (await world.declare(admin))["id"]
    mail = Scripted(RetryLater("421 try again", after=timedelta(minutes=2)))

    await world.pass_time(mail)
    (waiting,) = await world.notifications(admin, number)
    await world.pass_time(mail, hours=1)
    (sent,) = [n for n in await world.notifications(admin, number) if n["id"] == waiting["id"]]

    assert (waiting["status"], waiting["attempts"]) == ("pending", 1)
    assert waiting["last_error"] == "421 try again"
    assert (sent["status"], sent["attempts"], sent["sent_to"]) == ("sent", 2, admin.email)
    assert [(t["number"], t["outcome"]) for t in sent["history"]] == [(1, "retry"), (2, "sent")]
    assert (sent["user_id"], sent["channel"], sent["step"]) == (admin.id, "email", 0)
    assert sent["is_resend"] is False


async def test_a_page_that_failed_says_why(world: World) -> None:
    admin = await world.admin()
    await world.policy(admin, [(0, "admins")])
    number = (await world.declare(admin))["id"]
    await world.pass_time(Scripted(GaveUp("550 no such mailbox")))
    failed = (await world.notifications(admin, number))[0]
    assert (failed["status"], failed["reason"]) == ("failed", "550 no such mailbox")


async def test_a_page_that_was_not_needed_says_so(world: World) -> None:
    admin = await world.admin()
    await world.policy(admin, [(0, "admins")])
    number = (await world.declare(admin))["id"]
    await world.climb()
    await world.act(admin, number, "acknowledge")
    (page,) = await world.notifications(admin, number)
    assert (page["status"], page["reason"]) == (
        "cancelled",
        "The incident was acknowledged first.",
    )
    assert page["sent_at"] is None


async def test_notifications_are_paged_in_the_order_of_the_promises(world: World) -> None:
    admin = await world.admin()
    others = [(await world.admin(f"a{n}@example.org")).id for n in range(3)]
    await world.policy(admin, [(0, "admins")])
    number = (await world.declare(admin))["id"]
    await world.climb()
    path = f"{INCIDENTS}/{number}/notifications"
    first = await world.call("GET", f"{path}?per_page=3", admin)
    rest = await world.call("GET", f"{path}?per_page=3&page=2", admin)
    assert [n["user_id"] for n in first["items"] + rest["items"]] == [admin.id, *others]
    assert (first["total"], len(rest["items"])) == (4, 1)
