"""Postmortems, action items and summaries in the console, as a browser without scripts has them."""

import re

from app.domain.user import Role
from tests.postmortems import begun, item, path_of, publicly_known, resolved
from tests.web.consoles import Console, console
from tests.world import Person, World


async def setting(world: World) -> tuple[Person, Console, int]:
    """Somebody at the console, and an incident that is over."""
    ana = await world.person("ana@example.org", full_name="Ana")
    return ana, await console(world, ana), await resolved(world, ana)


def hidden(html: str, name: str) -> str:
    """What a hidden field of a page says."""
    found = re.search(rf'name="{name}" value="([^"]*)"', html)
    assert found is not None, name
    return found[1]


def picked(html: str) -> list[str]:
    """The entries of the timeline that are ticked."""
    return re.findall(r'name="_pick" value="(\d+)" form="postmortem" checked', html)


async def test_one_is_begun_written_and_published(world: World) -> None:
    ana, browser, incident_id = await setting(world)
    here = f"/incidents/{incident_id}/postmortem"
    assert "Begin a postmortem" in await browser.get(here)
    assert await browser.do(f"{here}/begin") == f"{here}/edit"
    html = await browser.get(f"{here}/edit")
    ticks = picked(html)
    assert len(ticks) == 3
    form = {
        "title": "The disk was full",
        "summary": "It was **full**.\r\n<script>alert(1)</script>",
        "impact": "",
        "owner_id": str(ana.id),
        "_reviewer": str(ana.id),
        "_pick": ticks[0],
        f"_note-{ticks[0]}": "Too late.",
        "_own-at-0": "2026-11-20T02:00",
        "_own-text-0": "The import began.",
        "_revision": hidden(html, "_revision"),
    }
    assert await browser.do(f"{here}/edit", form) == here
    stands = await world.call("GET", path_of(incident_id), ana)
    assert stands["summary"] == "It was **full**.\n<script>alert(1)</script>"
    assert [one["note"] for one in stands["timeline"] if one["event_id"]] == ["Too late."]
    own = [one for one in stands["timeline"] if not one["event_id"]]
    assert (own[0]["happened_at"], own[0]["description"]) == (
        "2026-11-20T02:00:00Z",
        "The import began.",
    )
    assert [one["user_id"] for one in stands["reviewers"]] == [ana.id]
    html = await browser.get(here)
    assert "It was <strong>full</strong>." in html
    assert "<script>alert(1)" not in html
    await browser.do(f"{here}/submit")
    await browser.do(f"{here}/approve")
    await browser.do(f"{here}/publish", {"is_public": "false"})
    assert (await world.call("GET", path_of(incident_id), ana))["status"] == "published"
    text = await browser.get(f"{here}/export")
    assert text.startswith("# The disk was full")


async def test_who_was_slower_is_told_and_loses_nothing(world: World) -> None:
    ana, browser, incident_id = await setting(world)
    await begun(world, ana, incident_id)
    here = f"/incidents/{incident_id}/postmortem/edit"
    form = {"title": "Mine", "impact": "My words.", "owner_id": ""}
    form["_revision"] = hidden(await browser.get(here), "_revision")
    await world.call("PATCH", path_of(incident_id), ana, json={"impact": "Their words."})
    automatic = await browser.post(f"{here}?auto=1", form)
    assert "Somebody changed it while you wrote" in automatic.text
    assert "hx-post" not in automatic.text  # it stops
    refused = await browser.post(here, form)
    assert refused.status_code == 412
    assert "My words." in refused.text
    assert "Their words." in refused.text
    assert (await world.call("GET", path_of(incident_id), ana))["impact"] == "Their words."
    form["_revision"] = hidden(refused.text, "_revision")
    await browser.do(here, form)
    assert (await world.call("GET", path_of(incident_id), ana))["impact"] == "My words."


async def test_it_is_saved_while_it_is_written(world: World) -> None:
    ana, browser, incident_id = await setting(world)
    await begun(world, ana, incident_id)
    here = f"/incidents/{incident_id}/postmortem/edit"
    form = {"title": "Mine", "impact": "First.", "owner_id": ""}
    form["_revision"] = hidden(await browser.get(here), "_revision")
    for words in ("First.", "Second."):
        answer = await browser.post(f"{here}?auto=1", {**form, "impact": words})
        assert (answer.status_code, 'data-saved="yes"' in answer.text) == (200, True)
        form["_revision"] = hidden(answer.text, "_revision")
    assert (await world.call("GET", path_of(incident_id), ana))["impact"] == "Second."


async def test_a_fault_stands_at_its_field(world: World) -> None:
    ana, browser, incident_id = await setting(world)
    await begun(world, ana, incident_id)
    here = f"/incidents/{incident_id}/postmortem"
    form = {"title": "", "summary": "Kept.", "owner_id": ""}
    form["_revision"] = hidden(await browser.get(f"{here}/edit"), "_revision")
    refused = await browser.post(f"{here}/edit", form)
    assert refused.status_code == 422
    assert 'id="f-title-error"' in refused.text
    assert "Kept." in refused.text
    refused = await browser.post(f"{here}/action-items", {"title": "x", "url": "ftp://x"})
    assert refused.status_code == 422
    assert 'id="f-url-error"' in refused.text


async def test_the_public_is_offered_only_what_was_written_for_it(world: World) -> None:
    ana, browser, incident_id = await setting(world)
    await begun(world, ana, incident_id)
    here = f"/incidents/{incident_id}/postmortem"
    assert 'name="is_public"' not in await browser.get(here)
    await publicly_known(world, incident_id)
    assert 'name="is_public"' not in await browser.get(here)
    await world.call("PATCH", path_of(incident_id), ana, json={"public_summary": "It was slow."})
    assert 'name="is_public"' in await browser.get(here)
    await browser.do(f"{here}/publish", {"is_public": "true", "tell_subscribers": "true"})
    assert (await world.call("GET", path_of(incident_id), ana))["is_public"]
    await browser.do(f"{here}/withdraw")
    assert not (await world.call("GET", path_of(incident_id), ana))["is_public"]


async def test_action_items_are_added_done_changed_and_removed(world: World) -> None:
    ana, browser, incident_id = await setting(world)
    await begun(world, ana, incident_id)
    here = f"/incidents/{incident_id}/postmortem"
    form = {"title": "Rotate the logs", "owner_id": str(ana.id), "due_on": "2026-12-24"}
    assert await browser.do(f"{here}/action-items", form) == f"{here}#action-items"
    [found] = (await world.call("GET", "/v1/action-items", ana))["items"]
    assert "Rotate the logs" in await browser.get("/action-items")
    one = f"/action-items/{found['id']}"
    assert "Rotate the logs" in await browser.get(one)
    await browser.do(one, {"title": "Rotate logs", "due_on": "", "owner_id": ""})
    changed = await world.call("GET", f"/v1{one}", ana)
    assert (changed["title"], changed["due_on"], changed["owner"]) == ("Rotate logs", None, None)
    to = await browser.do(one, {"state": "done", "next": "//evil.example"})
    assert to == "/"
    assert "Rotate logs" not in await browser.get("/action-items")
    assert "Rotate logs" in await browser.get("/action-items?view=all")
    await browser.do(f"{one}/delete")
    assert (await world.call("GET", "/v1/action-items", ana))["items"] == []


async def test_lists_narrow_and_search(world: World) -> None:
    ana, browser, incident_id = await setting(world)
    assert "Nothing was written down yet" in await browser.get("/postmortems")
    made = await begun(world, ana, incident_id, title="A forgotten cronjob")
    await item(world, ana, made["id"], due_on="2020-01-01", title="Look at cron")
    for query in ("", "?view=draft", "?view=mine", "?q=cronjob"):
        assert "A forgotten cronjob" in await browser.get(f"/postmortems{query}")
    for query in ("?view=published", "?view=to-read", "?q=nothing", "?view=nonsense&q=no"):
        assert "A forgotten cronjob" not in await browser.get(f"/postmortems{query}")
    assert "overdue since" in await browser.get("/action-items?view=overdue")
    for query in ("?page=0", "?page=x", "?page=99999", "?page=3"):
        await browser.get(f"/postmortems{query}")
        await browser.get(f"/action-items{query}")


async def test_who_only_reads_is_offered_nothing_to_do(world: World) -> None:
    ana, _, incident_id = await setting(world)
    made = await begun(world, ana, incident_id)
    promised = await item(world, ana, made["id"])
    eve = await world.person("eve@example.org", Role.VIEWER)
    browser = await console(world, eve)
    here = f"/incidents/{incident_id}/postmortem"
    html = await browser.get(here)
    assert "Rotate the logs" in html
    assert f'action="{here}' not in html
    for path in (f"{here}/edit", f"/action-items/{promised['id']}"):
        await browser.get(path, expect=403)
    refused = await browser.post(f"{here}/submit")
    assert refused.status_code == 403


async def test_the_page_of_an_incident_leads_to_what_was_learned(world: World) -> None:
    ana, browser, incident_id = await setting(world)
    here = f'href="/incidents/{incident_id}/postmortem"'
    assert here in await browser.get(f"/incidents/{incident_id}")
    await begun(world, ana, incident_id)
    assert here in await browser.get(f"/incidents/{incident_id}")


async def test_a_summary_is_wanted_and_shown(world: World) -> None:
    ana, browser, _ = await setting(world)
    html = await browser.get("/digest")
    assert "If it came now" in html
    assert "database: 1 incident" in html
    form = {"frequency": "weekly", "hour": "7", "weekday": "4", "time_zone": "Europe/Berlin"}
    assert await browser.do("/digest", form) == "/digest"
    stands = await world.call("GET", "/v1/users/me/digest-settings", ana)
    assert (stands["frequency"], stands["hour"], stands["weekday"]) == ("weekly", 7, 4)
    refused = await browser.post("/digest", {"time_zone": "Mars"})
    assert refused.status_code == 422
    assert 'id="f-time_zone-error"' in refused.text
    await browser.do("/digest", {"frequency": "off", "time_zone": ""})
    stands = await world.call("GET", "/v1/users/me/digest-settings", ana)
    assert (stands["next_at"], stands["time_zone"]) == (None, None)


async def test_words_of_any_kind_leave_the_page_whole(world: World) -> None:
    ana, browser, incident_id = await setting(world)
    wild = "x" * 200 + " <b>&\"' مرحبا 🚒"
    made = await begun(world, ana, incident_id, title=wild[:255], lessons=wild)
    await item(world, ana, made["id"], title=wild[:255], url="https://example.org/?a=1&b=2")
    for path in (
        f"/incidents/{incident_id}/postmortem",
        f"/incidents/{incident_id}/postmortem/edit",
        "/postmortems",
        "/action-items?view=all",
    ):
        html = await browser.get(path)
        assert "<b>&" not in html
        assert "مرحبا" in html
