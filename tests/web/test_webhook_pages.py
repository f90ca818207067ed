"""Outgoing webhooks at the console: a secret once, what was sent, and what admins alone may."""

import re

from tests.web.consoles import Console, console
from tests.web.html import read
from tests.world import World

FORM = {
    "name": "Ticket desk",
    "url": "https://desk.example.org/hook",
    "event_types[]": ["incident.created"],
    "severities[]": ["critical"],
    "services": "checkout, shop",
    "is_active": ["false", "true"],
}


async def made(ada: Console) -> tuple[str, str]:
    """A webhook's page, and the HTML that shows its secret."""
    answer = await ada.post("/webhooks/new", FORM)
    assert answer.status_code == 200
    addresses = read(answer.text).addresses
    [place] = [one for one in addresses if re.fullmatch(r"/webhooks/\d+", one)]
    return place, answer.text


def secrets_in(html: str) -> set[str]:
    return set(re.findall(r"whsec_[\w+/=]+", html))


async def test_a_webhook_is_made_with_a_secret_that_is_shown_once(world: World) -> None:
    ada = await console(world, await world.admin())
    assert "Nobody is told by webhook" in (await ada.page("/webhooks")).text
    place, shown = await made(ada)
    assert len(secrets_in(shown)) == 1
    page = await ada.get(place)
    assert "whsec_" not in page
    assert "checkout, shop" in read(page).text
    [kept] = (await world.call("GET", "/v1/webhook-subscriptions", ada.person))["items"]
    assert (kept["event_types"], kept["severities"]) == (["incident.created"], ["critical"])
    again = secrets_in((await ada.post(f"{place}/rotate")).text)
    assert len(again) == 1
    assert again != secrets_in(shown)
    assert "signs, too, until" in (await ada.page(place)).text


async def test_it_is_edited_and_forgotten(world: World) -> None:
    ada = await console(world, await world.admin())
    place, _ = await made(ada)
    form = read(await ada.get(f"{place}/edit"))
    ticked = [one["value"] for one in form.all("input") if "checked" in one]
    assert ticked == ["incident.created", "critical", "true"]
    bad = {**FORM, "url": "https://user:pw@desk.example.org/"}
    answer = await ada.post(f"{place}/edit", bad)
    assert answer.status_code == 422
    fields = read(answer.text).all("input")
    assert [one["name"] for one in fields if "aria-invalid" in one] == ["url"]
    await ada.do(f"{place}/edit", {"name": "Desk", "url": FORM["url"], "is_active": "false"})
    assert "It is switched off" in (await ada.page(place)).text
    assert await ada.do(f"{place}/delete") == "/webhooks"
    await ada.get(place, expect=404)


async def test_deliveries_are_listed_by_how_they_went_and_sent_again(world: World) -> None:
    ada = await console(world, await world.admin())
    place, _ = await made(ada)
    [[delivery]] = await world.sql(
        "INSERT INTO webhook_deliveries (subscription_id, event_id, type, data, occurred_at,"
        " status, attempts, last_error, settled_at) SELECT max(id), 1, 'incident.created', '{}',"
        " now(), 'failed', 10, 'It hung up.', now() FROM webhook_subscriptions RETURNING id"
    )
    page = await ada.page(f"{place}?status=failed")
    assert "It hung up." in page.text
    assert "It hung up." not in (await ada.page(f"{place}?status=delivered")).text
    assert await ada.do(f"{place}/deliveries/{delivery}/replay") == place
    assert "Waiting" in (await ada.page(f"{place}?status=pending")).text


async def test_what_tocsin_switched_off_says_so(world: World) -> None:
    ada = await console(world, await world.admin())
    place, _ = await made(ada)
    await world.sql(
        "UPDATE webhook_subscriptions SET is_active = false, disabled_at = now(),"
        " disabled_reason = 'gone' RETURNING id"
    )
    assert "the endpoint answered 410" in (await ada.page(place)).text
    assert "Switched off by Tocsin" in (await ada.page("/webhooks")).text


async def test_only_admins_see_them(world: World) -> None:
    ana = await console(world, await world.person())
    for path in ("/webhooks", "/webhooks/new", "/webhooks/1"):
        await ana.get(path, expect=403)
    assert (await ana.post("/webhooks/new", FORM)).status_code == 403
