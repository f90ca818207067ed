"""Subscribers are told what the public is told: once, of what they want, or visibly not."""

import asyncio
import email
import email.policy
from datetime import timedelta
from email.message import EmailMessage

import pytest

from app.channels.base import GaveUp, RetryLater, Sent
from app.crud import crud_subscriber_delivery
from app.crud.crud_subscriber_delivery import LeasedLetter
from app.db.session import WriteSession, transaction_time
from app.domain.notification import Channel
from app.domain.subscriber import Cadence, LetterStatus
from app.services import subscriber_delivery as delivery_service
from app.services.subscriber_delivery import Lost, Recorded
from app.worker import subscribers as subscribers_module
from tests.channels.servers import Mailbox, answer, http_server, mail_server
from tests.worker.hooks import opened
from tests.worker.subscribing import (
    component,
    deliver,
    group,
    keys,
    loops,
    notice,
    public_incident,
    run,
    sent,
    subscribe,
    to_server,
    token_of,
)
from tests.world import Scripted, World


def parsed(content: bytes | str | None) -> EmailMessage:
    assert isinstance(content, bytes)
    read = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(read, EmailMessage)
    assert read.defects == []
    return read


def text_of(mail: EmailMessage, kind: str = "plain") -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content())


async def test_a_mail_says_what_the_public_may_read_and_how_to_end_it(world: World) -> None:
    shop = await component(world, "Checkout")
    sam = await subscribe(world)
    incident = await public_incident(world)
    await notice(world, incident, components=[shop], body="Paying <b>takes</b> long.")
    with mail_server() as mailbox:
        await run(loops(world, [to_server(mailbox)]))
    [envelope] = mailbox.envelopes
    assert envelope.rcpt_tos == ["sam@example.org"]
    mail = parsed(envelope.content)
    assert mail["Subject"] == "[Status] Investigating: Checkout is slow"
    assert mail["To"] == "sam@example.org"
    assert mail["Auto-Submitted"] == "auto-generated"
    link = f"https://tocsin.test/status/unsubscribe/{token_of(world, sam)}"
    assert mail["List-Unsubscribe"] == f"<{link}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    text, html = text_of(mail), text_of(mail, "html")
    for said in ("Paying <b>takes</b> long.", "Checkout", "/status/incidents/c0de", link):
        assert said in text
    assert "Paying &lt;b&gt;takes&lt;/b&gt; long." in html
    assert f'href="{link}"' in html
    assert "INTERNAL" not in text + html
    assert await sent(world) == [("notice", "sent", 1, None)]


async def test_each_subscriber_is_told_once_of_what_they_want(world: World) -> None:
    shop = await group(world, "Shop")
    pay, find = await component(world, "Pay", shop), await component(world, "Find")
    this, other = await public_incident(world), await public_incident(world, code="other")
    await subscribe(world, "all@example.org")
    await subscribe(world, "pay@example.org", components=[pay])
    await subscribe(world, "shop@example.org", groups=[shop], components=[pay])
    await subscribe(world, "find@example.org", components=[find])
    await subscribe(world, "this@example.org", incidents=[this])
    await subscribe(world, "other@example.org", incidents=[other])
    await subscribe(world, "unproved@example.org", is_proved=False)
    way = Scripted()
    await notice(world, this, components=[pay])
    await run(loops(world, [way]))
    meant = ["all@example.org", "pay@example.org", "shop@example.org", "this@example.org"]
    assert sorted(way.recipients) == meant
    # What joins a group later belongs to it.
    new = await component(world, "Search", shop)
    await notice(world, other, components=[new], kind="incident_updated")
    way.messages.clear()
    await run(loops(world, [way]))
    assert sorted(way.recipients) == ["all@example.org", "other@example.org", "shop@example.org"]


async def test_who_came_later_is_not_told_of_what_was_before(world: World) -> None:
    incident = await public_incident(world)
    await notice(world, incident)
    world.clock.forward(seconds=1)
    await subscribe(world)
    way = Scripted()
    await run(loops(world, [way]))
    assert way.messages == []


async def test_no_author_is_named_unless_the_page_shows_them(world: World) -> None:
    ben = await world.person("ben@example.org", full_name="Ben Okafor")
    await subscribe(world)
    incident = await public_incident(world)
    way = Scripted()
    await notice(world, incident, author=ben.id)
    await run(loops(world, [way]))
    await world.sql(
        "INSERT INTO status_pages (id, shows_authors) VALUES (1, true)"
        " ON CONFLICT (id) DO UPDATE SET shows_authors = true"
    )
    await notice(world, incident, author=ben.id)
    await run(loops(world, [way]))
    hidden, shown = way.messages
    assert "Ben" not in hidden.text + (hidden.html or "")
    assert "Ben Okafor" in shown.text


async def test_a_fan_out_that_is_killed_goes_on_where_it_was(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscribers_module, "OWED_AT_ONCE", 3)
    for number in range(10):
        await subscribe(world, f"s{number}@example.org")
    await notice(world, await public_incident(world))
    works = loops(world)
    await world.database.write(works._owe)
    await world.database.write(works._owe)

    # Here the process dies, its third batch in mid-transaction.
    async def die(session: WriteSession) -> None:
        assert await works._owe(session) == 3
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await world.database.write(die)
    assert len(await sent(world)) == 6
    await loops(world).fan_out()
    found = await world.sql("SELECT subscriber_id FROM subscriber_deliveries ORDER BY id")
    assert len(found) == len(set(found)) == 10
    await loops(world).fan_out()
    assert len(await sent(world)) == 10


async def test_two_replicas_owe_and_send_each_letter_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscribers_module, "OWED_AT_ONCE", 7)
    for number in range(40):
        await subscribe(world, f"s{number}@example.org")
    incident = await public_incident(world)
    for _ in range(3):
        await notice(world, incident)
    with mail_server() as mailbox:
        replicas = [loops(world, [to_server(mailbox)]) for _ in range(3)]
        await asyncio.gather(*(one.fan_out() for one in replicas))
        await replicas[0].fan_out()
        await asyncio.gather(*(deliver(one) for one in replicas))
        await deliver(replicas[0])
    marks = [parsed(one.content)["Message-ID"] for one in mailbox.envelopes]
    assert len(marks) == len(set(marks)) == 120
    assert {row[:3] for row in await sent(world)} == {("notice", "sent", 1)}


async def test_unsubscribing_stops_what_has_not_left(world: World) -> None:
    sam = await subscribe(world)
    await notice(world, await public_incident(world))
    way = Scripted()
    works = loops(world, [way])
    await works.fan_out()
    await world.call("POST", f"/v1/public/subscribers/{token_of(world, sam)}/unsubscribe")
    await deliver(works)
    assert way.messages == []
    [(_, status, attempts, why)] = await sent(world)
    assert (status, attempts) == ("cancelled", 0)
    assert "unsubscribed" in why


async def test_what_was_owed_while_somebody_left_is_not_sent(world: World) -> None:
    """The two do not see one another: the fan-out commits after the leaving."""
    sam = await subscribe(world)
    await notice(world, await public_incident(world))
    way = Scripted()
    works = loops(world, [way])
    async with world.database.writing() as session:
        await works._owe(session)
        await world.sql(
            "UPDATE subscribers SET state = 'unsubscribed', unsubscribed_at = now() WHERE id = :id",
            id=sam.id,
        )
    await deliver(works)
    assert way.messages == []
    assert [row[1] for row in await sent(world)] == ["cancelled"]


async def test_what_fails_comes_again_later_under_the_same_mark(world: World) -> None:
    await subscribe(world)
    await notice(world, await public_incident(world))
    way = Scripted(RetryLater("busy", is_about_message=True), Sent())
    works = loops(world, [way])
    await run(works)
    assert await sent(world) == [("notice", "pending", 1, "busy")]
    await run(works)
    assert len(way.messages) == 1
    world.clock.forward(seconds=31)
    await run(works)
    first, second = way.messages
    assert first.mark == second.mark
    assert await sent(world) == [("notice", "sent", 2, None)]


async def test_it_gives_up_after_so_many_attempts_and_says_so(world: World) -> None:
    await subscribe(world)
    await notice(world, await public_incident(world))
    way = Scripted(*[RetryLater("busy", is_about_message=True)] * 20)
    works = loops(world, [way])
    await works.fan_out()
    for _ in range(12):
        await deliver(works)
        world.clock.forward(hours=30)
    [(_, status, attempts, why)] = await sent(world)
    assert (status, attempts, len(way.messages)) == ("failed", 8, 8)
    assert why == "Gave up after 8 attempts: busy"


async def test_a_mailbox_that_does_not_exist_is_paused_for_everybody_to_see(world: World) -> None:
    await subscribe(world)
    incident = await public_incident(world)
    await notice(world, incident)
    await notice(world, incident)
    refusals = {"sam@example.org": "550 5.1.1 nobody of that name"}
    with mail_server(Mailbox(refusals)) as mailbox:
        works = loops(world, [to_server(mailbox)], each=1)
        await run(works)
    assert [row[1] for row in await sent(world)] == ["failed", "cancelled"]
    admin = await world.admin()
    [shown] = (await world.call("GET", "/v1/subscribers", admin))["items"]
    assert shown["state"] == "bouncing"
    assert "550" in shown["bounce_reason"]


async def test_a_server_that_is_full_pauses_nobody(world: World) -> None:
    await subscribe(world)
    await notice(world, await public_incident(world))
    way = Scripted(GaveUp("The message was refused.", is_answer=True))
    await run(loops(world, [way]))
    assert await world.sql("SELECT state FROM subscribers") == [("active",)]


async def test_a_lost_sender_s_letter_is_sent_again_under_its_mark(world: World) -> None:
    await subscribe(world)
    await notice(world, await public_incident(world))
    works = loops(world)
    await works.fan_out()
    # A replica leases it and is killed.
    await world.sql(
        "UPDATE subscriber_deliveries SET status = 'sending', attempts = 1,"
        " ready_at = now() + interval '30 seconds'"
    )
    way = Scripted()
    await deliver(loops(world, [way]))
    assert way.messages == []
    world.clock.forward(seconds=31)
    await deliver(loops(world, [way]))
    assert len(way.messages) == 1
    found = await world.sql("SELECT status, attempts, is_resend FROM subscriber_deliveries")
    assert found == [("sent", 2, True)]


async def test_what_was_withdrawn_before_it_left_is_not_sent(world: World) -> None:
    await subscribe(world)
    await notice(world, await public_incident(world))
    works = loops(world, [way := Scripted()])
    await works.fan_out()
    await world.sql("UPDATE public_updates SET withdrawn_at = now()")
    await deliver(works)
    assert way.messages == []
    assert [row[1] for row in await sent(world)] == ["cancelled"]


async def test_the_outbox_of_an_installation_without_a_mail_server_is_no_success(
    world: World,
) -> None:
    await subscribe(world)
    await notice(world, await public_incident(world))
    await run(loops(world, [Scripted(Sent(kept_at="/var/outbox/1.eml"))]))
    [(_, status, _, why)] = await sent(world)
    assert status == "failed"
    assert "TOCSIN_SMTP_URL" in why


async def test_a_day_s_news_come_in_one_mail_at_eight_on_the_page_s_wall(world: World) -> None:
    await world.sql("INSERT INTO status_pages (id, time_zone) VALUES (1, 'Europe/Berlin')")
    await subscribe(world, frequency=Cadence.DAILY)
    incident = await public_incident(world)
    way = Scripted()
    works = loops(world, [way])
    for body in ("First.", "Second.", "Third."):
        await notice(world, incident, kind="incident_updated", body=body)
    await run(works)
    assert way.messages == []
    [(at,)] = await world.sql("SELECT digest_at FROM subscriber_deliveries WHERE kind = 'digest'")
    [(wall,)] = await world.sql(
        "SELECT to_char(digest_at AT TIME ZONE 'Europe/Berlin', 'HH24:MI')"
        " FROM subscriber_deliveries WHERE kind = 'digest'"
    )
    assert wall == "08:00"
    now = await world.clock.now()
    world.clock.forward(seconds=(at - now).total_seconds() + 1)
    await run(works)
    [digest] = way.messages
    assert digest.subject == "[Status] 3 updates since yesterday"
    places = [digest.text.index(body) for body in ("First.", "Second.", "Third.")]
    assert places == sorted(places)
    assert [row[:2] for row in await sent(world)].count(("notice", "sent")) == 3
    await run(works)
    assert len(way.messages) == 1


async def test_a_webhook_is_called_in_statuspage_s_shape_and_signed(world: World) -> None:
    shop = await component(world)
    incident = await public_incident(world)
    async with http_server(answer(204)) as server:
        sam = await subscribe(world, server.url, channel=Channel.WEBHOOK)
        await notice(world, incident, components=[shop])
        await run(loops(world))
    [request] = server.requests
    body = opened(request, keys(world).hook_secret(sam.link_number))
    assert body.keys() == {"meta", "page", "incident"}
    assert body["meta"]["unsubscribe"].endswith(token_of(world, sam))
    assert body["page"]["status_indicator"] == "minor"
    assert body["page"]["status_description"]
    assert body["incident"]["id"] == "c0de"
    assert body["incident"]["name"] == "Checkout is slow"
    assert body["incident"]["impact"] == "minor"
    [update] = body["incident"]["incident_updates"]
    assert (update["status"], update["body"]) == ("investigating", "We are looking into it.")


async def test_a_webhook_that_is_gone_is_called_no_more(world: World) -> None:
    async with http_server(answer(410)) as server:
        await subscribe(world, server.url, channel=Channel.WEBHOOK)
        await notice(world, await public_incident(world))
        await run(loops(world))
    assert await world.sql("SELECT state FROM subscribers") == [("bouncing",)]


async def test_a_sender_that_comes_back_too_late_does_not_speak_for_the_next(
    world: World,
) -> None:
    await subscribe(world)
    await notice(world, await public_incident(world))
    works = loops(world)
    await works.fan_out()

    async def lease(session: WriteSession) -> LeasedLetter:
        now = await transaction_time(session)
        until = now + timedelta(seconds=30)
        found = await crud_subscriber_delivery.lease_due(
            session, Channel.EMAIL, now=now, until=until, limit=1
        )
        return found.leased[0]

    slow = await world.database.write(lease)
    world.clock.forward(seconds=31)
    next_one = await world.database.write(lease)
    assert (slow.attempts, next_one.attempts) == (1, 2)

    async def record(session: WriteSession, one: LeasedLetter) -> Recorded:
        now = await transaction_time(session)
        return await delivery_service.record(session, [(one, Lost("late"))], now=now, chance=0.0)

    late = await world.database.write(lambda session: record(session, slow))
    assert late.became == {}
    assert [row[1] for row in await sent(world)] == ["sending"]
    mine = await world.database.write(lambda session: record(session, next_one))
    assert mine.became == {next_one.id: LetterStatus.FAILED}
