"""Wordings of messages and fields of incidents at the console, for admins."""

from tests.web.consoles import console
from tests.web.html import read
from tests.world import World

PLACE = "/settings/messages/page/sms"


async def test_a_wording_is_tried_kept_and_forgotten(world: World) -> None:
    ada = await console(world, await world.admin())
    assert await ada.get("/settings", expect=303) == ""
    assert PLACE in (await ada.page("/settings/messages")).addresses
    form = {"body": "Wake up: {{ title }}"}
    tried = await ada.post(PLACE, {**form, "_do": "preview"})
    assert tried.status_code == 200
    assert "Wake up: Disk almost full" in read(tried.text).text
    assert "Wake up" not in await ada.get(PLACE)  # nothing was kept
    assert await ada.do(PLACE, form) == PLACE
    page = await ada.page(PLACE)
    assert "Wake up: {{ title }}" in page.text
    assert "Own words" in (await ada.page("/settings/messages")).text
    await ada.do(f"{PLACE}/reset")
    assert "Wake up" not in await ada.get(PLACE)


async def test_a_faulty_wording_is_refused_at_its_field_and_stays_typed(world: World) -> None:
    ada = await console(world, await world.admin())
    answer = await ada.post(PLACE, {"body": "{{ nonsense }} of mine"})
    assert answer.status_code == 422
    page = read(answer.text)
    assert [one["name"] for one in page.all("textarea") if "aria-invalid" in one] == ["body"]
    assert "of mine" in page.text


async def test_a_field_is_added_changed_and_archived(world: World) -> None:
    ada = await console(world, await world.admin())
    assert "No field of your own" in (await ada.page("/settings/fields")).text
    form = {"key": "impact", "label": "Impact", "type": "select", "options": "low\nhigh\n"}
    await ada.do("/settings/fields/new", {**form, "position": "3"})
    [made] = (await world.call("GET", "/v1/custom-fields", ada.person))["items"]
    assert (made["options"], made["position"]) == (["low", "high"], 3)
    assert "Impact" in (await ada.page("/incidents/new")).text
    answer = await ada.post("/settings/fields/new", {**form, "options": ""})
    assert answer.status_code == 422
    edit = {"label": "Harm", "options": "low\nhigh\nhuge", "position": "1"}
    await ada.do("/settings/fields/impact/edit", edit)
    assert "low, high, huge" in (await ada.page("/settings/fields")).text
    await ada.do("/settings/fields/impact/archive")
    assert "Harm" not in (await ada.page("/settings/fields")).text
    assert "Harm" in (await ada.page("/settings/fields?archived=1")).text


async def test_only_admins_have_settings(world: World) -> None:
    ana = await console(world, await world.person())
    for path in ("/settings", "/settings/messages", PLACE, "/settings/fields"):
        await ana.get(path, expect=403)
    assert (await ana.post(PLACE, {"body": "mine"})).status_code == 403
