"""The list of incidents: what it shows of each, what it is narrowed to, and taking many at once."""

import re

import pytest

from app.domain.user import Role
from tests.web.consoles import Console, console
from tests.web.html import read
from tests.world import World

HOSTILE = [
    "x" * 200,
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }}",
    "مرحبا بالعالم שלום",
    "🚨🔥👩‍🚒 fire",
    "a\u202eb",
]


def titles(html: str) -> list[str]:
    return re.findall(r'class="row-link" href="/incidents/\d+"><span dir="auto">(.*?)</span>', html)


async def responding(world: World) -> Console:
    return await console(world, await world.person(full_name="Ana Díaz"))


async def test_without_an_incident_the_page_says_what_it_is_for(world: World) -> None:
    ana = await responding(world)
    assert "All is calm" in (await ana.page("/incidents")).text
    everything = await ana.page("/incidents?status=any")
    assert "Alerts of your monitoring open them" in everything.text
    assert "Nothing matches" in (await ana.page("/incidents?severity=low")).text
    assert "/incidents" in (await ana.page("/incidents?severity=low")).addresses


async def test_a_row_tells_who_has_it_and_when_the_next_page_comes(world: World) -> None:
    admin = await world.admin()
    ana = await responding(world)
    await world.policy(admin, [(5, {"user": ana.person.id})])
    made = await world.declare(ana.person, tags=["eu"], assignees=[ana.person.id])
    html = await ana.get("/incidents")
    page = read(html)
    for words in ("SEV2", "Disk full", "database", "eu", "Open", "Assigned to Ana Díaz"):
        assert words in page.text
    assert 'data-time="until"' in html
    await world.act(ana.person, made["id"], "acknowledge")
    after = await ana.get("/incidents")
    assert 'data-time="until"' not in after
    assert "Acknowledged" in read(after).text


async def test_the_address_says_what_is_shown(world: World) -> None:
    admin = await world.admin()
    ana = await responding(world)
    team = await world.call("POST", "/v1/teams", admin, expect=201, json={"name": "Payments"})
    body = {"name": "till", "team_id": team["id"]}
    await world.call("POST", "/v1/services", admin, expect=201, json=body)
    await world.declare(ana.person, title="One", severity="low", service="till", tags=["eu"])
    await world.declare(ana.person, title="Two", assignees=[ana.person.id])
    three = await world.declare(ana.person, title="Three")
    await world.act(ana.person, three["id"], "resolve")

    async def shown(query: str) -> list[str]:
        return titles(await ana.get(f"/incidents?{query}"))

    assert await shown("") == ["Two", "One"]
    assert await shown("status=any") == ["Three", "Two", "One"]
    assert await shown("status=resolved") == ["Three"]
    assert await shown("severity=SEV4") == ["One"]
    assert await shown("service=till") == ["One"]
    assert await shown(f"team={team['id']}") == ["One"]
    assert await shown(f"team={team['id']}&service=database") == []
    assert await shown("team=999") == []
    assert await shown("assignee=me") == ["Two"]
    assert await shown("assignee=none") == ["One"]
    assert await shown("tag=eu") == ["One"]
    assert await shown("sort=oldest") == ["One", "Two"]
    assert await shown("sort=severity") == ["Two", "One"]
    assert await shown("q=three") == ["Three"]  # whoever searches looks everywhere
    assert await shown("since=1h") == ["Two", "One"]


async def test_a_filter_is_a_chip_that_can_be_left_out(world: World) -> None:
    ana = await responding(world)
    page = await ana.page("/incidents?severity=low&severity=high&tag=eu&q=disk")
    for words in ("Severity low", "Severity high", "Tag eu", "Search “disk”"):
        assert words in page.text
    assert "/incidents?q=disk&severity=high&tag=eu" in page.addresses
    assert "/incidents?severity=low&severity=high&tag=eu" in page.addresses


@pytest.mark.parametrize(
    "query",
    [
        "status=odd&severity=purple&since=ever&sort=up",
        "team=-1&assignee=bob",
        "team=99999999999999999999",
        "q=%00&tag=%00&service=%00",
        "q=" + "x" * 2000,
        "q=-",
        "colour=red",
        "assignee=99999999",
        "part=odd",
    ],
)
async def test_what_nobody_understands_in_an_address_breaks_nothing(
    world: World, query: str
) -> None:
    ana = await responding(world)
    await ana.get(f"/incidents?{query}")


async def test_a_long_list_goes_on_where_it_ended(world: World) -> None:
    ana = await responding(world)
    await world.sql(
        "INSERT INTO incidents (title, severity, service) SELECT 'No ' || n, 'low', 'db'"
        " FROM generate_series(1, 60) n"
    )
    await world.sql("INSERT INTO incident_tallies (incident_id) SELECT id FROM incidents")
    first = await ana.get("/incidents")
    assert len(titles(first)) == 50
    further = next(link for link in read(first).addresses if "cursor=" in link)
    rest = await ana.get(further)
    assert titles(rest) == [f"No {n}" for n in range(10, 0, -1)]
    await ana.get("/incidents?cursor=odd", expect=422)


@pytest.mark.parametrize("text", HOSTILE)
async def test_nothing_that_somebody_writes_breaks_the_page(world: World, text: str) -> None:
    ana = await console(world, await world.person(full_name=text))
    body = {"title": text, "service": text[:100], "tags": [text[:100]], "description": text}
    made = await world.declare(ana.person, **body, assignees=[ana.person.id])
    one = f"/incidents/{made['id']}"
    for path in ("/incidents", one, f"{one}/edit", f"/incidents?q={text}"):
        html = await ana.get(path)
        assert "<script>alert" not in html
        assert "<img" not in html
        page = read(html)
        assert text in page.text or "\u202e" in text or path.startswith("/incidents?")
        named = {name for _, attributes in page.elements for name in attributes}
        assert not [name for name in named if name.startswith("on") or name == "style"]


async def test_the_rows_alone_can_be_had_for_a_page_that_is_open(world: World) -> None:
    ana = await responding(world)
    await world.declare(ana.person)
    rows = await ana.get("/incidents?part=rows", part=True)
    assert titles(rows) == ["Disk full"]
    assert "<html" not in rows


# --- Acting from the list


async def test_many_are_taken_at_once(world: World) -> None:
    ana = await responding(world)
    ids = [(await world.declare(ana.person, title=title))["id"] for title in ("1", "2", "3", "4")]
    await world.act(ana.person, ids[2], "resolve")
    ben = await world.person("ben@example.org")
    await world.act(ben, ids[3], "acknowledge")
    chosen = [*map(str, ids), str(ids[3] + 77), "odd"]
    form = {"id": chosen, "next": "/incidents?sort=oldest"}
    assert await ana.do("/incidents/acknowledge", form) == "/incidents?sort=oldest"
    found = await world.sql("SELECT status, assigned_to FROM incidents ORDER BY id")
    assert [tuple(row) for row in found] == [
        ("acknowledged", ana.person.id),
        ("acknowledged", ana.person.id),
        ("resolved", None),
        ("acknowledged", ben.id),
    ]
    assert await ana.do("/incidents/acknowledge", {"next": "https://evil.example/"}) == "/incidents"


async def test_whoever_only_looks_is_offered_nothing_and_can_do_nothing(world: World) -> None:
    ana = await responding(world)
    one = f"/incidents/{(await world.declare(ana.person))['id']}"
    vera = await console(world, await world.person("vera@example.org", Role.VIEWER))
    for path in ("/incidents", one):
        page = await vera.page(path)
        posts = [form["action"] for form in page.all("form") if form.get("method") == "post"]
        assert not [action for action in posts if "/incidents" in str(action)]
    for path in ("/incidents/acknowledge", f"{one}/acknowledge", f"{one}/comments"):
        assert (await vera.post(path, {"id": "1", "content": "x"})).status_code == 403
    assert (await world.sql("SELECT status FROM incidents"))[0][0] == "open"
