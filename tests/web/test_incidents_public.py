"""The public side of an incident at the console: published, updated, resolved, taken off."""

from tests.api.test_incident_templates import a_template
from tests.web.consoles import Console, console
from tests.web.html import read
from tests.world import World

WORDS = {"title": "Checkout is slow", "body": "We **are** looking.", "status": "investigating"}


async def responding(world: World) -> tuple[Console, str]:
    ana = await console(world, await world.person(full_name="Ana Díaz"))
    return ana, f"/incidents/{(await world.declare(ana.person, title='db-7 is on fire'))['id']}"


async def test_an_incident_is_published_in_words_of_its_own(world: World) -> None:
    ana, one = await responding(world)
    assert "The public knows nothing of it." in (await ana.page(one)).text
    assert await ana.do(f"{one}/public", WORDS) == one
    page = await ana.page(one)
    for words in ("Checkout is slow", "Investigating", "We are looking.", "Tell the public"):
        assert words in page.text
    [shown] = {link for link in page.addresses if link.startswith("/status/incidents/")}
    public = (await world.client.get(shown, headers={"Accept": "text/html"})).text
    assert "Checkout is slow" in public
    assert "db-7" not in public


async def test_what_is_wrong_stands_at_its_field(world: World) -> None:
    ana, one = await responding(world)
    answer = await ana.post(f"{one}/public", {**WORDS, "title": "", "body": "kept"})
    assert answer.status_code == 422
    page = read(answer.text)
    assert [one["name"] for one in page.all("input") if "aria-invalid" in one] == ["title"]
    assert "kept" in page.text
    assert (await world.sql("SELECT count(*) FROM public_incidents"))[0][0] == 0


async def test_updates_go_on_only_where_the_public_was_led_to(world: World) -> None:
    ana, one = await responding(world)
    await ana.do(f"{one}/public", {**WORDS, "status": "monitoring"})
    radios = (await ana.page(f"{one}/public")).all("input")
    offered = [radio["value"] for radio in radios if radio.get("name") == "status"]
    assert offered == ["monitoring", "resolved"]
    refused = await ana.post(f"{one}/public", {"body": "Again.", "status": "identified"})
    assert refused.status_code == 422
    assert "cannot become identified" in read(refused.text).text


async def test_resolving_what_the_public_sees_offers_to_tell_them(world: World) -> None:
    ana, one = await responding(world)
    await ana.do(f"{one}/public", WORDS)
    page = await ana.page(one)
    assert f"{one}/public?status=resolved" in page.addresses
    assert "Resolve without a word to the public" in page.text
    await ana.do(f"{one}/public", {"body": "All works again.", "status": "resolved"})
    assert (await world.sql("SELECT status FROM incidents"))[0][0] == "resolved"
    assert "does not know yet" not in (await ana.page(one)).text


async def test_who_resolves_without_a_word_is_told_that_the_public_waits(world: World) -> None:
    ana, one = await responding(world)
    await ana.do(f"{one}/public", WORDS)
    await ana.do(f"{one}/resolve")
    text = (await ana.page(one)).text
    assert "It is resolved, and the public does not know yet." in text


async def test_it_is_taken_off_the_page_and_published_anew(world: World) -> None:
    ana, one = await responding(world)
    await ana.do(f"{one}/public", WORDS)
    assert await ana.do(f"{one}/public/withdraw") == one
    assert "The public knows nothing of it." in (await ana.page(one)).text
    await ana.do(f"{one}/public", {**WORDS, "title": "Checkout is down"})
    assert "Checkout is down" in (await ana.page(one)).text


async def test_a_template_drafts_the_first_words(world: World) -> None:
    admin = await world.admin()
    ana, _ = await responding(world)
    template = await a_template(world, admin)
    body = {"template_id": template["id"]}
    made = await world.call("POST", "/v1/incidents", ana.person, expect=201, json=body)
    assert template["public_text"] in (await ana.page(f"/incidents/{made['id']}/public")).text
