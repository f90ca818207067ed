"""How people wish to be reached is how they are paged: along their rules, where they proved
they read, and nowhere else."""

from datetime import datetime, timedelta
from typing import Any

from app.domain.notification import Channel
from tests.reaching import add, add_verified, code_of, methods_of, rules_of
from tests.world import Person, Scripted, World

HOOK = {"channel": "webhook", "url": "https://hooks.example.org/ana"}


async def the_mail_of(world: World, person: Person) -> dict[str, Any]:
    """The contact method that every account comes with."""
    first: dict[str, Any] = (await world.call("GET", methods_of(person), person))["items"][0]
    return first


async def let_rules_be(world: World, person: Person, *items: dict[str, Any]) -> list[str]:
    """Replace the rules; what they warn of."""
    put = await world.call("PUT", rules_of(person), person, json={"items": list(items)})
    warnings: list[str] = put["warnings"]
    return warnings


async def pages(world: World, who: Person, incident_id: int) -> list[tuple[str, str]]:
    """Channel and status of every page of an incident."""
    rows = await world.notifications(who, incident_id)
    return [(row["channel"], row["status"]) for row in rows]


async def test_an_address_is_paged_from_the_moment_its_code_is_entered(world: World) -> None:
    admin = await world.admin()
    ana = await world.person()
    hook = await add(world, ana, **HOOK)
    mail = await the_mail_of(world, ana)
    await let_rules_be(
        world, ana, {"contact_method_id": hook["id"]}, {"contact_method_id": mail["id"]}
    )
    await world.policy(admin, [(0, {"user": ana.id})])

    before = await world.declare(admin)
    await world.climb()
    assert await pages(world, admin, before["id"]) == [("email", "pending")]

    path = f"{methods_of(ana)}/{hook['id']}/verify"
    await world.call("POST", path, ana, json={"code": await code_of(world, hook)})
    after = await world.declare(admin)
    await world.climb()
    assert sorted(await pages(world, admin, after["id"])) == [
        ("email", "pending"),
        ("webhook", "pending"),
    ]


async def test_rules_page_one_after_the_other_until_somebody_answers(world: World) -> None:
    admin = await world.admin()
    ana = await world.person()
    hook = await add_verified(world, ana, **HOOK)
    mail = await the_mail_of(world, ana)
    await let_rules_be(
        world,
        ana,
        {"contact_method_id": hook["id"]},
        {"contact_method_id": mail["id"], "delay_minutes": 5},
        {"contact_method_id": hook["id"], "delay_minutes": 10},
    )
    await world.policy(admin, [(0, {"user": ana.id})], final_delay_minutes=60)
    to_hook, to_mail = Scripted(channel=Channel.WEBHOOK), Scripted()
    await world.deliver(to_hook)  # the code, which is no page
    to_hook.messages.clear()

    incident = await world.declare(admin)
    await world.pass_time(to_hook)
    await world.deliver(to_mail)
    assert (to_hook.recipients, to_mail.recipients) == ([HOOK["url"]], [])

    await world.pass_time(to_mail, minutes=5)
    assert to_mail.recipients == ["ana@example.org"]

    await world.act(ana, incident["id"], "acknowledge")
    await world.pass_time(to_hook, minutes=5)
    assert to_hook.recipients == [HOOK["url"]]
    assert await pages(world, admin, incident["id"]) == [
        ("webhook", "sent"),
        ("email", "sent"),
        ("webhook", "cancelled"),
    ]


async def test_quiet_hours_put_off_all_but_the_critical(world: World) -> None:
    admin = await world.admin()
    ana = await world.person()
    mail = await the_mail_of(world, ana)
    now = await world.clock.now()
    quiet = {
        "quiet_from": f"{now - timedelta(hours=1):%H:%M}",
        "quiet_until": f"{now + timedelta(hours=2):%H:%M}",
    }
    [warning] = await let_rules_be(world, ana, {"contact_method_id": mail["id"], **quiet})
    assert "only critical incidents page then" in warning
    await world.policy(admin, [(0, {"user": ana.id})])

    high = await world.declare(admin, severity="high")
    critical = await world.declare(admin, severity="critical")
    await world.climb()

    [waits] = await world.notifications(admin, high["id"])
    [goes] = await world.notifications(admin, critical["id"])
    assert datetime.fromisoformat(waits["due_at"]) > now + timedelta(hours=1, minutes=58)
    assert datetime.fromisoformat(goes["due_at"]) < now + timedelta(minutes=1)


async def test_somebody_who_switched_everything_off_hands_over_at_once(world: World) -> None:
    """And was told so when they did."""
    admin = await world.admin()
    ana = await world.person()
    switches = {"channels": {"email": False}}
    await world.call("PUT", "/v1/notification-preferences", ana, json=switches)
    told = await world.call("GET", rules_of(ana), ana)
    assert told["warnings"][0].startswith("Nobody can page ana@example.org")
    await world.policy(admin, [(0, {"user": ana.id}), (30, "admins")])

    await world.declare(admin)
    mail = Scripted()
    await world.pass_time(mail)

    assert mail.recipients == ["admin@example.org"]


async def test_a_page_that_waits_for_an_address_ends_with_it_and_says_so(world: World) -> None:
    admin = await world.admin()
    ana = await world.person()
    hook = await add_verified(world, ana, **HOOK)
    await world.policy(admin, [(0, {"user": ana.id})])
    incident = await world.declare(admin)
    await world.climb()

    await world.call("DELETE", f"{methods_of(ana)}/{hook['id']}", ana, expect=204)
    await world.deliver(Scripted(channel=Channel.WEBHOOK))

    found = {row["channel"]: row for row in await world.notifications(admin, incident["id"])}
    assert found["webhook"]["status"] == "cancelled"
    assert found["webhook"]["reason"] == "The contact method was removed."
    assert found["email"]["status"] == "pending"
