"""The page of an incident: what is the case, who is paged next and when, and its story."""

import re
from typing import Any

from sqlalchemy import text as sql

from app.domain.notification import Channel
from app.domain.user import Role
from tests.web.consoles import Console, console
from tests.web.html import read
from tests.world import Scripted, World

TAKE_PLACE = sql("SELECT pg_advisory_xact_lock(:place)")


def soon(text: str) -> str:
    """A page's words with every countdown as “soon”: a moment passes while it is made."""
    return re.sub(r"\bin \d+(:\d\d| min| s)", "soon", text)


async def paged_by(world: World, pages: list[tuple[float, Any]], **fields: Any) -> Console:
    """Ana at the console, with a policy that pages so."""
    admin = await world.admin()
    await world.policy(admin, pages, **fields)
    return await console(world, await world.person(full_name="Ana Díaz"))


async def declared(ana: Console, **fields: Any) -> str:
    """The address of an incident that was declared just now."""
    return f"/incidents/{(await ana.world.declare(ana.person, **fields))['id']}"


# --- What comes next


async def test_the_best_line_names_who_is_paged_next_and_counts_down(world: World) -> None:
    ben = await world.person("ben@example.org", full_name="Ben Okafor")
    ana = await paged_by(world, [(0, "creator"), (10, {"user": ben.id})])
    one = await declared(ana)
    await world.pass_time(Scripted())
    html = await ana.get(one)
    line = "Ben Okafor is paged by mail soon unless somebody acknowledges."
    assert line in soon(read(html).text)
    assert 'data-time="until"' in html


async def test_who_waits_for_a_later_rule_is_named_with_their_channel(world: World) -> None:
    ana = await paged_by(world, [(0, "creator"), (60, "creator")])
    await world.sql(
        "UPDATE notification_rules SET delay_minutes = 7 WHERE user_id = :who", who=ana.person.id
    )
    one = await declared(ana)
    await world.pass_time(Scripted(channel=Channel.EMAIL))
    html = await ana.get(one)
    line = "Ana Díaz is paged by mail soon unless somebody acknowledges."
    assert line in soon(read(html).text)
    assert html.count("<strong>Step 1</strong>") == 1  # what it still owes is told where it is


async def test_whoever_has_it_is_named_and_nobody_is_said_to_be_paged(world: World) -> None:
    ana = await paged_by(world, [(0, "creator"), (10, "creator")])
    one = await declared(ana)
    await ana.do(f"{one}/acknowledge")
    text = (await ana.page(one)).text
    assert "Ana Díaz has it. Nobody is paged." in text
    assert "unless somebody acknowledges" not in text


async def test_an_acknowledgement_that_ends_says_when(world: World) -> None:
    ana = await paged_by(world, [(0, "creator")], ack_timeout_minutes=30)
    one = await declared(ana)
    await ana.do(f"{one}/acknowledge")
    text = soon((await ana.page(one)).text)
    assert "Ana Díaz has it. It opens again soon unless it is resolved." in text


async def test_when_the_ladder_has_ended_the_page_says_that_nobody_is_paged(world: World) -> None:
    ana = await paged_by(world, [(0, "creator")])
    one = await declared(ana)
    await world.sql(
        "UPDATE escalations SET status = 'exhausted', next_step_at = NULL, finished_at = now()"
    )
    assert (
        "Nobody else is paged by itself. Acknowledge it, or page somebody."
        in (await ana.page(one)).text
    )


async def test_a_ladder_that_only_waits_for_its_end_says_that_nobody_else_is_paged(
    world: World,
) -> None:
    admin = await world.admin()
    ana = await console(world, await world.person(full_name="Ana Díaz"))
    one = await declared(ana)  # no policy: the fallback pages the admin
    await world.pass_time(Scripted())
    assert admin.email in (await ana.page(one)).text
    assert "Nobody else is paged by itself." in (await ana.page(one)).text


async def test_the_page_stands_when_nothing_can_be_foreseen(world: World) -> None:
    ana = await paged_by(world, [(10, "creator")])
    one = await declared(ana)
    # Every place of those who rehearse is taken.
    async with world.database.writing() as session:
        for place in range(4):
            await session.execute(TAKE_PLACE, {"place": 5_210_773_300 + place})
        text = soon((await ana.page(one)).text)
    assert "The next step comes soon unless somebody acknowledges." in text
    assert "Pages whoever declared it" in text


# --- The ladder


async def test_the_ladder_tells_what_was_done_what_comes_and_who_was_left_out(
    world: World,
) -> None:
    ben = await world.person("ben@example.org", full_name="Ben Okafor")
    channels = {"email": False}
    await world.call("PUT", "/v1/notification-preferences", ben, json={"channels": channels})
    ana = await paged_by(world, [(0, "creator"), (5, {"user": ben.id}), (5, "creator")])
    one = await declared(ana)
    await world.pass_time(Scripted())
    before = soon((await ana.page(one)).text)
    assert "Step 1" in before
    assert "mail · sent" in before
    assert "Step 2 soon" in before
    await world.pass_time(Scripted(), minutes=5)
    after = (await ana.page(one)).text
    assert "Reached nobody." in after
    assert "Ben Okafor has switched email off" in after


async def test_why_somebody_was_paged_is_told_in_sentences(world: World) -> None:
    ana = await paged_by(world, [(0, "creator")])
    one = await declared(ana)
    await world.pass_time(Scripted())
    assert "pages Ana Díaz, who declared the incident, by email" in (await ana.page(one)).text


# --- The story


async def test_a_comment_is_shown_as_markdown_and_can_do_no_harm(world: World) -> None:
    ana = await paged_by(world, [(0, "creator")])
    one = await declared(ana)
    text = "**Failing over** <script>alert(1)</script> [x](javascript:alert(1))"
    assert await ana.do(f"{one}/comments", {"content": text}) == f"{one}#story"
    html = await ana.get(one)
    assert "<strong>Failing over</strong> &lt;script&gt;" in html
    assert "javascript:" not in "".join(read(html).addresses)
    preview = await ana.post("/markdown", {"content": text})
    assert "<strong>Failing over</strong>" in preview.text


async def test_the_story_is_told_of_people_or_of_tocsin_alone(world: World) -> None:
    ana = await paged_by(world, [(0, "creator")])
    one = await declared(ana)
    await world.pass_time(Scripted())
    await ana.do(f"{one}/acknowledge")
    people = read(await ana.get(f"{one}?told=people&part=story", part=True)).text
    machine = read(await ana.get(f"{one}?told=machine&part=story", part=True)).text
    assert "Ana Díaz acknowledged the incident." in people
    assert "Step 1" not in people
    assert "Step 1 of “Primary” pages" in machine
    assert "acknowledged" not in machine


async def test_a_long_story_is_told_in_parts(world: World) -> None:
    ana = await paged_by(world, [(0, "creator")])
    one = await declared(ana)
    number = int(one.rsplit("/", 1)[1])
    await world.sql(
        "INSERT INTO timeline_events (incident_id, event_type, description)"
        " SELECT :id, 'edited', 'Entry ' || n || '.' FROM generate_series(1, 60) n",
        id=number,
    )
    page = await ana.page(one)
    assert "Entry 60." in page.text
    assert "Entry 5." not in page.text
    older = next(link for link in page.addresses if "before=" in link)
    assert "Entry 5." in (await ana.page(older.partition("#")[0])).text


async def test_an_edit_says_what_was_and_what_is(world: World) -> None:
    ana = await paged_by(world, [(0, "creator")])
    one = await declared(ana)
    form = {"title": "Disk full", "severity": "critical", "service": "database"}
    assert await ana.do(f"{one}/edit", form) == one
    text = (await ana.page(one)).text
    assert "SEV1 Critical" in text
    assert "severity high critical" in text


# --- Alerts


async def test_alerts_are_listed_and_what_came_is_for_responders(world: World) -> None:
    admin = await world.admin()
    ana = await console(world, await world.person(full_name="Ana Díaz"))
    key = await world.integration_key(admin)
    receipt = await world.alert(key, title="Disk <b>full</b>")
    one = f"/incidents/{receipt['incident_id']}"
    page = await ana.page(one)
    assert "Disk <b>full</b>" in page.text
    [body] = {link for link in page.addresses if link.endswith("/body")}
    assert "Disk <b>full</b>" in (await ana.page(body)).text
    vera = await console(world, await world.person("vera@example.org", Role.VIEWER))
    await vera.get(body, expect=403)
    other = await world.declare(ana.person)
    await ana.get(body.replace(one, f"/incidents/{other['id']}"), expect=404)


async def test_what_is_not_there_is_a_page_that_says_so(world: World) -> None:
    ana = await console(world, await world.person())
    await ana.get("/incidents/999999", expect=404)
    await ana.get("/incidents/999999/edit", expect=404)
