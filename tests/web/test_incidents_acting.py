"""What somebody does about an incident from its page, by forms alone."""

import pytest

from tests.web.consoles import Console, console
from tests.web.html import read
from tests.world import World


async def responding(world: World) -> tuple[Console, str]:
    """Ana at the console, and the address of an incident of hers."""
    ana = await console(world, await world.person(full_name="Ana Díaz"))
    return ana, f"/incidents/{(await world.declare(ana.person))['id']}"


async def status(world: World) -> str:
    return str((await world.sql("SELECT status FROM incidents ORDER BY id"))[0][0])


async def test_an_incident_is_taken_resolved_and_reopened(world: World) -> None:
    ana, one = await responding(world)
    for action, then in (
        ("acknowledge", "acknowledged"),
        ("resolve", "resolved"),
        ("reopen", "open"),
    ):
        assert await ana.do(f"{one}/{action}") == one
        assert await status(world) == then


async def test_the_buttons_are_those_that_can_do_something(world: World) -> None:
    ana, one = await responding(world)

    async def offered() -> set[str]:
        actions = {str(form.get("action")) for form in (await ana.page(one)).all("form")}
        named = ("acknowledge", "resolve", "reopen", "snooze", "wake", "escalate", "assign")
        return {name for name in named if f"{one}/{name}" in actions}

    assert await offered() == {"acknowledge", "resolve", "snooze", "escalate", "assign"}
    await ana.do(f"{one}/acknowledge")
    assert await offered() == {"resolve", "snooze", "escalate", "assign"}
    await ana.do(f"{one}/resolve")
    assert await offered() == {"reopen", "assign"}


async def test_what_is_refused_is_said_on_the_page_as_it_is_now(world: World) -> None:
    ana, one = await responding(world)
    await ana.do(f"{one}/resolve")
    answer = await ana.post(f"{one}/acknowledge")
    assert (answer.status_code, answer.headers["location"]) == (303, one)
    assert "tocsin-said=" in answer.headers["set-cookie"]
    assert await status(world) == "resolved"
    assert (await ana.post("/incidents/999999/acknowledge")).status_code == 404


async def test_a_form_of_another_page_changes_nothing(world: World) -> None:
    ana, one = await responding(world)
    answer = await ana.post(f"{one}/acknowledge", token="odd")
    assert answer.status_code == 403
    assert await status(world) == "open"


async def test_it_sleeps_and_is_woken(world: World) -> None:
    ana, one = await responding(world)
    page = await ana.page(one)
    naps = [str(b["value"]) for b in page.all("button") if b.get("name") == "until"]
    assert len(naps) == 5
    await ana.do(f"{one}/snooze", {"until": naps[0]})
    page = await ana.page(one)
    assert "Nobody is paged before it wakes in" in page.text
    await ana.do(f"{one}/wake")
    assert "Snoozed" not in (await ana.page("/incidents")).text
    # What no button sends is refused in words.
    for form in ({}, {"until": "never"}, {"until": "2001-01-01T00:00:00Z"}, {"minutes": "-5"}):
        await ana.do(f"{one}/snooze", form)
    assert (await world.sql("SELECT snoozed_until FROM incidents"))[0][0] is None


async def test_it_is_given_to_somebody_and_taken_back(world: World) -> None:
    ana, one = await responding(world)
    ben = await world.person("ben@example.org", full_name="Ben Okafor")
    await ana.do(f"{one}/assign", {"user_id": str(ben.id), "role": "commander"})
    assert "Ben Okafor commander" in (await ana.page(one)).text
    await ana.do(f"{one}/unassign/{ben.id}")
    assert "Nobody has it" in (await ana.page(one)).text
    await ana.do(f"{one}/assign", {"user_id": "999999"})
    await ana.do(f"{one}/assign", {"user_id": ""})


async def test_somebody_is_paged_by_hand(world: World) -> None:
    ana, one = await responding(world)
    ben = await world.person("ben@example.org", full_name="Ben Okafor")
    await ana.do(f"{one}/escalate", {"to": f"user:{ben.id}"})
    await world.climb()
    assert "Ben Okafor" in (await ana.page(f"{one}?part=beside")).text
    await ana.do(f"{one}/escalate", {"to": "user:999999"})
    told = (await world.sql("SELECT count(*) FROM escalations WHERE NOT is_fallback"))[0][0]
    assert told == 1
    for word in ("everybody", "user:", "user:0", "user:x", "policy:1"):
        await ana.do(f"{one}/escalate", {"to": word})


async def test_what_comes_next_comes_now(world: World) -> None:
    admin = await world.admin()
    ana = await console(world, await world.person(full_name="Ana Díaz"))
    await world.policy(admin, [(30, {"user": ana.person.id})])
    one = f"/incidents/{(await world.declare(ana.person))['id']}"
    await ana.do(f"{one}/escalate")
    await world.climb()
    assert "Step 1 of “Primary” pages Ana Díaz" in (await ana.page(one)).text


async def test_one_ladder_is_stopped(world: World) -> None:
    admin = await world.admin()
    ana = await console(world, await world.person())
    await world.policy(admin, [(30, "admins")])
    one = f"/incidents/{(await world.declare(ana.person))['id']}"
    actions = [str(form.get("action")) for form in (await ana.page(one)).all("form")]
    [stop] = [action for action in actions if action.endswith("/cancel")]
    await ana.do(stop)
    found = await world.sql("SELECT status FROM escalations WHERE NOT is_fallback")
    assert [row[0] for row in found] == ["cancelled"]


@pytest.mark.parametrize("content", ["", "   ", "x" * 10_001, "a\x00b"])
async def test_a_comment_that_cannot_be_kept_is_refused_in_words(
    world: World, content: str
) -> None:
    ana, one = await responding(world)
    assert await ana.do(f"{one}/comments", {"content": content}) == f"{one}#story"
    assert (await world.sql("SELECT count(*) FROM incident_comments"))[0][0] == 0


async def test_only_an_admin_deletes_and_is_told_what_follows(world: World) -> None:
    ana, one = await responding(world)
    assert (await ana.post(f"{one}/delete")).status_code == 403
    assert "Delete incident #" not in (await ana.page(one)).text
    ada = await console(world, await world.admin())
    text = (await ada.page(one)).text
    assert "it is resolved first: whoever is being paged for it is paged no longer" in text
    assert await ada.do(f"{one}/delete") == "/incidents"
    await ada.get(one, expect=404)
    assert read(await ada.get("/incidents")).text.count("Disk full") == 0
