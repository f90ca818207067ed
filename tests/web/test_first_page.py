"""The first page of the console: what is on fire, who is on call, whether Tocsin is well."""

import httpx

from app.domain.user import Role
from tests.duties import keep_schedule, turns
from tests.web.html import Page, read
from tests.web.signing import HTML, home, sign_in
from tests.world import World

ODD = "<script>alert(1)</script> عاجل 🔥 " + "W" * 200


def rows(page: Page) -> list[str]:
    """The incidents on it, in order."""
    ids = [one.get("id") or "" for one in page.all("li")]
    return [one.removeprefix("incident-") for one in ids if one.startswith("incident-")]


async def test_what_nobody_has_resolved_stands_there_the_worst_first(
    world: World, client: httpx.AsyncClient
) -> None:
    ana = await world.person(full_name="Ana Díaz")
    made = {}
    for severity in ("low", "critical", "medium", "high"):
        made[severity] = str((await world.declare(ana, severity=severity))["id"])
    answered = str((await world.declare(ana, title="Slow", severity="critical"))["id"])
    await world.act(ana, int(answered), "acknowledge")
    resolved = await world.declare(ana, title="Over")
    await world.act(ana, resolved["id"], "resolve")
    await sign_in(client)
    page = await home(client)
    assert "4 incidents need somebody" in page.text
    in_order = [made[one] for one in ("critical", "high", "medium", "low")]
    assert rows(page) == [*in_order, answered]
    assert "Ana Díaz" in page.text
    assert "Nobody yet" in page.text


async def test_the_next_page_is_counted_down_to(world: World, client: httpx.AsyncClient) -> None:
    admin = await world.admin()
    await world.policy(admin, [(7, "admins")])
    await world.declare(admin)
    await sign_in(client, admin.email)
    page = await home(client)
    (left,) = [one for one in page.all("time") if one.get("data-time") == "until"]
    assert "next step in 6 min" in page.text or "next step in 7 min" in page.text
    assert (left["datetime"] or "").endswith("Z")


async def test_without_an_incident_it_says_so(world: World, client: httpx.AsyncClient) -> None:
    await world.person(role=Role.VIEWER)
    await sign_in(client)
    page = await home(client)
    assert "Nothing is on fire" in page.text
    assert rows(page) == []


async def test_what_people_write_stays_text(world: World, client: httpx.AsyncClient) -> None:
    ana = await world.person(full_name="<b>Ana</b>")
    await world.declare(ana, title=ODD, service="<i>db</i>")
    await sign_in(client)
    page = await home(client)
    assert ODD in page.text
    assert page.all("b") == page.all("i") == []
    assert all("src" in one for one in page.all("script"))


async def test_who_is_on_call_and_who_follows(world: World, client: httpx.AsyncClient) -> None:
    ana = await world.person(full_name="Ana Díaz")
    ben = await world.person("ben@example.org", full_name="Ben Ode")
    await keep_schedule(world, turns(ana, ben), name="Payments primary")
    await keep_schedule(world, name="Nobody’s own")
    await sign_in(client)
    page = await home(client)
    text = page.text.split("On call now", 1)[1]
    assert "Payments primary" in text
    first, then = ("Ana Díaz", "Ben Ode")
    assert f"then {first}" in text or f"then {then}" in text
    assert "Nobody’s own" in text
    assert "Nobody" in text.split("Nobody’s own", 1)[1]


async def test_how_tocsin_is_in_words(world: World, client: httpx.AsyncClient) -> None:
    await world.person()
    await sign_in(client)
    text = (await home(client)).text.split("Tocsin itself", 1)[1]
    for name in ("Database answers", "Pages nothing is late", "Channels ready:"):
        assert name in text


async def test_the_parts_say_the_same_as_the_page(world: World, client: httpx.AsyncClient) -> None:
    ana = await world.person()
    made = await world.declare(ana)
    await sign_in(client)
    whole = await home(client)
    live = {one["hx-get"] for _, one in whole.elements if "hx-get" in one}
    assert {"/home/fires", "/home/on-call", "/home/wellness"} <= live
    for address in live:
        answer = await client.get(str(address), headers={"HX-Request": "true"})
        assert answer.status_code == 200, address
        assert "<html" not in answer.text, address
    part = read((await client.get("/home/fires", headers=HTML)).text)
    assert rows(part) == rows(whole) == [str(made["id"])]
    assert "1 incident needs somebody" in part.text


async def test_an_empty_installation_tells_its_admin_what_comes_first(
    world: World, client: httpx.AsyncClient
) -> None:
    admin = await world.admin()
    await sign_in(client, admin.email)
    page = await home(client)
    assert "Before the first night" in page.text
    steps = page.text.split("Before the first night", 1)[1]
    assert "Make a policy" in steps
    await world.policy(admin, [(1, "admins")])
    assert "Make a policy" not in (await home(client)).text


async def test_nobody_else_is_told_of_first_steps(world: World, client: httpx.AsyncClient) -> None:
    await world.person()
    await sign_in(client)
    assert "Before the first night" not in (await home(client)).text


async def test_however_much_has_piled_up_the_page_asks_and_shows_the_same(
    world: World, client: httpx.AsyncClient
) -> None:
    ana = await world.person()
    for _ in range(3):
        await world.declare(ana)
    await sign_in(client)
    few = await home(client)
    await world.sql(
        "WITH made AS (INSERT INTO incidents (title, severity, service)"
        " SELECT 'Bulk ' || n, 'low', 'db' FROM generate_series(1, 300) n RETURNING id)"
        " INSERT INTO incident_tallies (incident_id) SELECT id FROM made"
    )
    many = await home(client)
    assert len(rows(few)) == 3
    assert len(rows(many)) == 10
    assert "303 incidents need somebody" in many.text
    assert "/incidents?status=open" in many.addresses


async def test_the_checks_before_the_night_have_a_page(
    world: World, client: httpx.AsyncClient
) -> None:
    ana = await world.person(full_name="Ana Díaz")
    await keep_schedule(world, turns(ana), name="Payments primary")
    await sign_in(client)
    page = read((await client.get("/home/findings", headers=HTML)).text)
    assert "Checks before the night" in page.text
    part = await client.get("/home/findings?part=1", headers={"HX-Request": "true"})
    assert "to look at before the night" in part.text or "would reach somebody" in part.text
