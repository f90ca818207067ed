"""What is kept true on the pages of what is set up: each part is fetched alone, as it is then."""

import pytest

from tests.web.consoles import Console, console
from tests.web.html import read
from tests.world import World

LISTS = (
    "/services",
    "/users",
    "/integrations",
    "/notifications",
    "/webhooks",
    "/heartbeats",
    "/maintenance-windows",
    "/fire-drills",
    "/status-page",
    "/status-page/incidents",
    "/status-page/maintenances",
    "/teams",
    "/policies",
    "/schedules",
    "/calendars",
    "/incident-templates",
    "/subscribers",
    "/postmortems",
    "/action-items",
)


def parts(html: str) -> list[str]:
    """Where the parts of a page are fetched anew."""
    return [one["hx-get"] or "" for one in read(html).all("div") if "data-live" in one]


async def fresh(who: Console, path: str) -> str:
    """The live part of a page, as the script fetches it."""
    [address] = parts(await who.get(path))
    part = await who.get(address, part=True)
    assert "<html" not in part
    assert "<h1" not in part
    assert parts(part) == []  # it is put into the part, and is no part itself
    return part


@pytest.mark.parametrize("path", LISTS)
async def test_a_list_without_anything_says_so_again(world: World, path: str) -> None:
    ada = await console(world, await world.admin())
    part = await fresh(ada, path)
    assert "empty" in part or "row-link" in part


async def test_a_part_is_narrowed_as_its_page_is(world: World) -> None:
    ada = await console(world, await world.admin())
    for name in ("checkout", "search"):
        await ada.do("/services/new", {"name": name})
    part = read(await fresh(ada, "/services?q=check&page=1")).text
    assert "checkout" in part
    assert "search" not in part


async def test_a_page_of_one_is_told_of_what_happened(world: World) -> None:
    ada = await console(world, await world.admin())
    bob = await world.person(full_name="Bob Ross")
    place = await ada.do("/services/new", {"name": "db"})
    assert "Nothing" in read(await fresh(ada, place)).text
    await world.policy(ada.person, [(0, {"user": bob.id})])
    await world.declare(ada.person, title="Disk full", service="db")
    await world.climb()
    assert "1 incident" in read(await fresh(ada, place)).text
    assert "Bob Ross" in await fresh(ada, "/notifications?kind=page")
    [[page]] = await world.sql("SELECT max(id) FROM notifications")
    assert "Its story" in await fresh(ada, f"/notifications/{page}")


async def test_what_is_set_up_is_followed_on_its_own_page(world: World) -> None:
    ada = await console(world, await world.admin())
    bob = await world.person(full_name="Bob Ross")
    policy = await world.policy(ada.person, [(0, "admins")])
    whoever = await fresh(await console(world, bob), f"/policies/{policy['id']}")
    assert "Every incident" in read(whoever).text
    team = await ada.do("/teams/new", {"name": "Web"})
    assert "Nobody is in it yet" in read(await fresh(ada, team)).text
    assert "Web" not in await fresh(ada, f"/users/{bob.id}")
    await ada.post(f"{team}/members", {"user_id": str(bob.id)})
    assert "Bob Ross" in await fresh(ada, team)
    assert "Web" in await fresh(ada, f"/users/{bob.id}")
    incident = await world.declare(ada.person)
    place = f"/incidents/{incident['id']}/postmortem"
    assert "Begin a postmortem" in await fresh(ada, place)
    await ada.post(f"{place}/begin", {})
    assert "Begin a postmortem" not in await fresh(ada, place)


async def test_pages_of_tools_are_followed_without_their_addresses(world: World) -> None:
    ada = await console(world, await world.admin())
    form = {"name": "Kibana", "kind": "alerts", "service": "shop", "default_severity": "high"}
    await ada.post("/integrations/new", form)
    form = {"name": "Backup", "interval_seconds": "3600", "grace_seconds": "600"}
    await ada.post("/heartbeats/new", {**form, "severity": "high", "is_active": "true"})
    hook = {"name": "Desk", "url": "https://desk.example.org/hook", "is_active": "true"}
    await ada.post("/webhooks/new", hook)
    for table, place in (
        ("integrations", "/integrations"),
        ("heartbeat_monitors", "/heartbeats"),
        ("webhook_subscriptions", "/webhooks"),
    ):
        [[key]] = await world.sql(f"SELECT max(id) FROM {table}")
        assert "tik_" not in await fresh(ada, f"{place}/{key}")


async def test_a_tool_that_has_never_sent_anything_is_told_from_one_that_has(world: World) -> None:
    ada = await console(world, await world.admin())
    await world.integration_key(ada.person, name="Silent")
    key = await world.integration_key(ada.person, name="Talking")
    assert (await fresh(ada, "/integrations")).count("None yet") == 2
    await world.alert(key, title="Disk full", severity="high")
    assert (await fresh(ada, "/integrations")).count("None yet") == 1


async def test_a_drill_is_followed_until_somebody_answers(world: World) -> None:
    ada = await console(world, await world.admin())
    place = await ada.do("/fire-drills", {"message": "Try"})
    assert "How it went" in await fresh(ada, place)
    assert place in await fresh(ada, "/fire-drills")


async def test_without_the_script_an_address_of_a_part_is_the_whole_page(world: World) -> None:
    ada = await console(world, await world.admin())
    [address] = parts(await ada.get("/services"))
    assert "<html" in await ada.get(address)
