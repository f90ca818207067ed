"""Integrations and heartbeats at the console: keys shown once, what to paste, what became of it."""

import re

import httpx

from app.domain.user import Role
from tests.web.consoles import Console, console
from tests.web.html import read
from tests.world import World

FORM = {"name": "Kibana", "kind": "alerts", "service": "shop", "default_severity": "high"}


async def made(ada: Console, kind: str = "alerts") -> tuple[str, str]:
    """An integration's page, and its key as the page shows it."""
    answer = await ada.post("/integrations/new", {**FORM, "kind": kind})
    assert answer.status_code == 200
    [key] = set(re.findall(r"tik_[\w-]{20,}", answer.text))
    addresses = read(answer.text).addresses
    [place] = [one for one in addresses if re.fullmatch(r"/integrations/\d+", one)]
    return place, key


async def refused(world: World, key: str) -> None:
    answer = await world.client.post("/v1/webhooks/alerts", headers={"X-API-Key": key}, json={})
    assert answer.status_code == 401


async def test_a_key_is_shown_once_in_what_is_pasted_and_lets_alerts_in(
    world: World, client: httpx.AsyncClient
) -> None:
    ada = await console(world, await world.admin())
    assert "Nothing sends alerts yet" in (await ada.page("/integrations")).text
    place, key = await made(ada)
    await world.alert(key, title="Mirror down")
    page = await ada.get(place)
    assert key not in page
    assert "Mirror down" in page
    assert "Opened incident #" in read(page).text
    assert "Mirror down" not in await ada.get(f"{place}?outcome=resolved")
    [replay] = [one for one in read(page).addresses if one.endswith("/replay")]
    assert await ada.do(replay) == place
    assert "Joined" in read(await ada.get(place)).text


async def test_each_kind_has_its_own_snippet_with_the_key(world: World) -> None:
    ada = await console(world, await world.admin())
    for kind, sign in (("elastic", "rule.id"), ("alertmanager", "send_resolved: true")):
        form = {**FORM, "kind": kind, "name": kind}
        text = read((await ada.post("/integrations/new", form)).text).text
        assert f"/v1/webhooks/{kind}" in text
        assert sign in text
        assert "<integration key>" not in text


async def test_a_key_is_changed_by_adding_one_and_revoking_the_old_one(world: World) -> None:
    ada = await console(world, await world.admin())
    place, old = await made(ada)
    [[first]] = await world.sql("SELECT max(id) FROM integration_keys")
    assert (await ada.post(f"{place}/keys/{first}/revoke")).status_code == 409
    answer = await ada.post(f"{place}/keys")
    [new] = set(re.findall(r"tik_[\w-]{20,}", answer.text))
    await world.alert(old, title="By the old one")
    await ada.do(f"{place}/keys/{first}/revoke")
    await refused(world, old)
    await world.alert(new, title="By the new one")


async def test_an_integration_is_edited_and_switched_off(world: World) -> None:
    ada = await console(world, await world.admin())
    place, key = await made(ada)
    answer = await ada.post(f"{place}/edit", {"name": "", "default_severity": "low"})
    assert answer.status_code == 422
    form = {"name": "Renamed", "service": "", "default_severity": "low", "is_active": "false"}
    await ada.do(f"{place}/edit", form)
    assert "It is switched off" in (await ada.page(place)).text
    await refused(world, key)


async def test_only_admins_make_keys(world: World) -> None:
    place, _ = await made(await console(world, await world.admin()))
    ana = await console(world, await world.person(role=Role.RESPONDER))
    page = await ana.page(place)
    assert f"{place}/keys" not in page.addresses
    for path in ("/integrations/new", f"{place}/edit", f"{place}/keys"):
        assert (await ana.post(path, FORM)).status_code == 403, path


async def test_a_heartbeat_shows_its_url_once_and_what_it_heard(
    world: World, client: httpx.AsyncClient
) -> None:
    ada = await console(world, await world.admin())
    assert "Nothing must be heard of yet" in (await ada.page("/heartbeats")).text
    form = {
        "name": "Backup",
        "interval_seconds": "3600",
        "grace_seconds": "600",
        "severity": "high",
    }
    assert (await ada.post("/heartbeats/new", {**form, "name": ""})).status_code == 422
    answer = await ada.post("/heartbeats/new", {**form, "is_active": "true"})
    [path] = set(re.findall(r"/v1/ping/thb_[\w-]{20,}", answer.text))
    addresses = read(answer.text).addresses
    [place] = [one for one in addresses if re.fullmatch(r"/heartbeats/\d+", one)]
    assert (await client.get(path)).status_code == 200
    page = await ada.get(place)
    assert path not in page
    assert "All is well" in read(page).text
    assert "Up" in (await ada.page("/heartbeats?state=up")).text
    assert "Backup" not in (await ada.page("/heartbeats?state=down")).text
    answer = await ada.post(f"{place}/rotate")
    [other] = set(re.findall(r"/v1/ping/thb_[\w-]{20,}", answer.text))
    assert (await client.get(path)).status_code == 404
    assert (await client.get(other)).status_code == 200
    await ada.do(f"{place}/edit", {**form, "grace_seconds": "60", "is_active": "false"})
    assert "Paused" in (await ada.page(place)).text
    assert await ada.do(f"{place}/delete") == "/heartbeats"
