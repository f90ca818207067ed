"""Subscribers in the console: looked after by admins, looked at by responders."""

from app.domain.notification import Channel
from app.domain.user import Role
from tests.web.consoles import console
from tests.worker.subscribing import (
    component,
    loops,
    notice,
    public_incident,
    run,
    subscribe,
)
from tests.worker.test_subscriber_imports import imports
from tests.world import GaveUp, Scripted, World


async def test_the_list_narrows_and_teaches_while_it_is_empty(world: World) -> None:
    browser = await console(world, await world.admin())
    assert "Nobody has subscribed yet" in await browser.get("/subscribers")
    await subscribe(world, "sam@example.org")
    await subscribe(world, "https://hooks.example.org/secret", channel=Channel.WEBHOOK)
    page = await browser.get("/subscribers?q=sam")
    assert "sam@example.org" in page
    assert "hooks.example.org" not in page
    page = await browser.get("/subscribers?channel=webhook")
    assert "https://hooks.example.org/…" in page
    assert "secret" not in page
    assert "Nobody matches" in await browser.get("/subscribers?state=bouncing")


async def test_a_responder_sees_addresses_masked_and_changes_nothing(world: World) -> None:
    sam = await subscribe(world)
    browser = await console(world, await world.person(role=Role.RESPONDER))
    page = await browser.get("/subscribers?q=nobody")
    assert "s…@example.org" in page
    assert "sam@" not in page
    page = await browser.get(f"/subscribers/{sam.id}")
    assert "sam@" not in page
    assert "Remove" not in page
    answer = await browser.post(f"/subscribers/{sam.id}/remove")
    assert answer.status_code == 403
    assert (await browser.post("/subscribers/imports")).status_code == 403


async def test_an_admin_adds_changes_and_removes(world: World) -> None:
    admin = await world.admin()
    pay = await component(world, "Pay")
    browser = await console(world, admin)
    wrong = await browser.post("/subscribers", {"channel": "email", "address": "nobody"})
    assert wrong.status_code == 422
    assert "mail address" in wrong.text
    form = {"channel": "email", "address": "eva@example.org", "have_agreed": "true"}
    place = await browser.do("/subscribers", {**form, "frequency": "daily"})
    shown = await browser.get(place)
    assert "eva@example.org" in shown
    assert "Once a day" in shown
    await browser.do(place, {"is_for_everything": "false", "_components": str(pay)})
    assert '<dd dir="auto">Pay</dd>' in await browser.get(place)
    wrong = await browser.post(place, {"is_for_everything": "false"})
    assert "Choose everything" in wrong.text
    assert await browser.do(f"{place}/remove") == "/subscribers"
    assert await world.sql("SELECT count(*) FROM subscribers") == [(0,)]


async def test_what_failed_is_shown_and_sent_again(world: World) -> None:
    browser = await console(world, await world.admin())
    sam = await subscribe(world)
    await notice(world, await public_incident(world))
    await run(loops(world, [Scripted(GaveUp("The message was refused.", is_answer=True))]))
    page = await browser.get("/subscribers/deliveries?status=failed")
    assert "The message was refused." in page
    [(delivery,)] = await world.sql("SELECT id FROM subscriber_deliveries")
    place = await browser.do(f"/subscribers/deliveries/{delivery}/resend")
    assert place == f"/subscribers/{sam.id}"
    way = Scripted()
    await run(loops(world, [way]))
    assert len(way.messages) == 1


async def test_a_file_is_sent_and_watched_until_it_is_taken_in(world: World) -> None:
    browser = await console(world, await world.admin())
    wrong = await browser.post("/subscribers/imports")
    assert "Choose a file." in wrong.text
    answer = await browser._send(
        "POST",
        "/subscribers/imports",
        data={"csrf": browser.token, "have_agreed": "true"},
        files={"file": ("people.csv", b"address\nsam@example.org\nnobody\n", "text/csv")},
    )
    assert answer.status_code == 303, answer.text
    place = answer.headers["location"]
    page = await browser.get(place)
    assert 'hx-trigger="every 2s"' in page
    assert "0 of 2 lines" in page
    await imports(world).round()
    part = await browser.get(f"{place}?part=progress", part=True)
    assert "2 of 2 lines" in part
    assert "hx-trigger" not in part  # it is over: nothing asks again
    assert "mail address" in part
    assert "nobody" in await browser.get(f"{place}/report")
    assert "people.csv" in await browser.get("/subscribers/imports")
    assert "sam@example.org" in await browser.get("/subscribers/export")
