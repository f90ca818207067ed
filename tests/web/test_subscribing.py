"""The public subscribes, chooses and leaves on pages that work without JavaScript."""

import re

import pytest

from tests.worker.subscribing import (
    component,
    deliver,
    group,
    loops,
    notice,
    public_incident,
    run,
    subscribe,
    token_of,
)
from tests.world import Scripted, World

FORM = "/status/subscribe"


async def link_of(world: World) -> str:
    way = Scripted()
    await deliver(loops(world, [way]))
    found = re.search(r"https://tocsin\.test(\S+/confirm)", way.messages[-1].text)
    assert found
    return found[1]


async def test_from_the_form_to_the_first_mail_and_out_again(world: World) -> None:
    shown = await world.client.get(FORM)
    assert shown.status_code == 200
    assert "style=" not in shown.text
    sent = await world.client.post(FORM, data={"channel": "email", "address": "sam@example.org"})
    assert sent.status_code == 200
    assert "Now follow the link" in sent.text
    link = await link_of(world)
    looked = await world.client.get(link)
    assert "Confirm that I want this" in looked.text
    assert "s…@example.org" in looked.text
    assert await world.sql("SELECT state FROM subscribers") == [("pending",)]  # a scanner looked
    confirmed = await world.client.post(link)
    assert "You are subscribed." in confirmed.text
    assert await world.sql("SELECT state FROM subscribers") == [("active",)]

    way = Scripted()
    await notice(world, await public_incident(world))
    await run(loops(world, [way]))
    [message] = way.messages
    assert message.unsubscribe_url
    out = message.unsubscribe_url.removeprefix("https://tocsin.test")
    asked = await world.client.get(out)
    assert '<button type="submit">Unsubscribe</button>' in asked.text
    assert await world.sql("SELECT state FROM subscribers") == [("active",)]
    # What a mail program posts by itself (RFC 8058).
    done = await world.client.post(out, data={"List-Unsubscribe": "One-Click"})
    assert done.status_code == 200
    assert "You are unsubscribed" in done.text
    assert await world.sql("SELECT state FROM subscribers") == [("unsubscribed",)]


async def test_what_is_wrong_stands_at_its_field_and_nothing_typed_is_lost(world: World) -> None:
    pay = await component(world, "Pay")
    data = {"channel": "email", "address": "no <address>", "_components": str(pay)}
    shown = await world.client.post(FORM, data=data)
    assert shown.status_code == 422
    assert "mail address" in shown.text
    assert 'value="no &lt;address&gt;"' in shown.text
    assert f'value="{pay}" checked' in shown.text
    assert 'aria-invalid="true"' in shown.text


async def test_only_what_is_ticked_is_told(world: World) -> None:
    shop = await group(world, "Shop")
    pay = await component(world, "Pay", shop)
    await component(world, "Find")
    sam = await subscribe(world)
    address = f"{FORM}/{token_of(world, sam)}"
    data = {"frequency": "daily", "is_for_everything": "false", "_components": str(pay)}
    shown = await world.client.post(address, data={**data, "_groups": str(shop)})
    assert "Saved." in shown.text
    assert "once a day about Pay, Shop" in shown.text
    nothing = await world.client.post(address, data={"is_for_everything": "false"})
    assert nothing.status_code == 422
    assert "Choose everything" in nothing.text


async def test_one_incident_is_followed_from_its_page(world: World) -> None:
    await public_incident(world)
    shown = await world.client.get(f"{FORM}?incident=c0de")
    assert "Checkout is slow" in shown.text
    data = {"address": "sam@example.org", "incident": "c0de"}
    assert (await world.client.post(FORM, data=data)).status_code == 200
    confirmed = await world.client.post(await link_of(world))
    assert "Checkout is slow" in confirmed.text


async def test_no_cache_keeps_a_link_and_no_other_site_learns_of_it(world: World) -> None:
    sam = await subscribe(world)
    shown = await world.client.get(f"{FORM}/{token_of(world, sam)}")
    assert shown.headers["cache-control"] == "no-store"
    assert shown.headers["referrer-policy"] == "no-referrer"
    assert "script-src 'self'" in shown.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["subscribe/x", "subscribe/x/confirm", "unsubscribe/x"])
async def test_a_link_that_is_none_of_ours_says_what_to_do(world: World, path: str) -> None:
    shown = await world.client.get(f"/status/{path}")
    assert shown.status_code == 404
    assert "This link does nothing any more" in shown.text
