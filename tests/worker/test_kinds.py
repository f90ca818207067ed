"""Every kind of message by the same lanes: what stops which, and what each carries."""

import re
from datetime import timedelta
from typing import Any

import pytest

from app.channels.base import GaveUp, Message, RetryLater
from app.core.security import Signer
from app.crud import crud_auth
from app.db.session import transaction_time
from app.domain.auth import ChallengePurpose
from app.domain.bundle import USUAL_LIMIT
from app.domain.contact_method import secret_place
from app.domain.notification import Channel, NotificationKind
from app.models import Challenge
from app.services import outbox
from app.services.outbox import Letter
from app.worker.compose import composer
from tests.worker.lanes import URL, deliver, lane, lease, pages, pass_time
from tests.world import Person, Scripted, World


@pytest.fixture
async def ana(world: World) -> Person:
    admin = await world.admin()
    ana = await world.person(full_name="Ana")
    ben = await world.person("ben@example.org")
    await world.policy(
        admin, [(0, {"user": ana.id}), (60, {"user": ben.id})], final_delay_minutes=600
    )
    return ana


async def post(world: World, kind: NotificationKind, channel: Channel, **fields: Any) -> int:
    async with world.database.writing() as session:
        letter = Letter(kind, channel, **fields)
        return (await outbox.post(session, letter, now=await transaction_time(session))).id


async def method_of(world: World, who: Person) -> int:
    found = await world.sql("SELECT id FROM contact_methods WHERE user_id = :id", id=who.id)
    key: int = found[0][0]
    return key


async def add_method(world: World, who: Person, channel: Channel, **fields: Any) -> int:
    """Another verified contact method, with a rule for it."""
    values = {"address": "+49301234567", "secret": None, "label": None, **fields}
    [[key]] = await world.sql(
        "INSERT INTO contact_methods (user_id, channel, address, secret, label, verified_at)"
        " VALUES (:user_id, :channel, :address, :secret, :label, now()) RETURNING id",
        user_id=who.id,
        channel=channel.value,
        **values,
    )
    await world.sql(
        "INSERT INTO notification_rules (user_id, contact_method_id, position)"
        " VALUES (:user_id, :method, 99)",
        user_id=who.id,
        method=key,
    )
    method: int = key
    return method


async def challenge(world: World, who: Person, **fields: Any) -> int:
    async with world.database.writing() as session:
        now = await transaction_time(session)
        made = Challenge(user_id=who.id, created_at=now, expires_at=now + timedelta(minutes=15))
        for name, value in fields.items():
            setattr(made, name, value)
        return (await crud_auth.add_challenge(session, made)).id


async def sent(world: World, channel: Channel = Channel.EMAIL) -> list[Message]:
    sender = Scripted(channel=channel)
    await deliver(lane(world, sender))
    return sender.messages


# --- What stops what ----------------------------------------------------------------------


async def test_news_goes_out_however_the_incident_stands(world: World, ana: Person) -> None:
    incident = await world.declare(ana)
    await post(
        world,
        NotificationKind.RESOLVED,
        Channel.EMAIL,
        user_id=ana.id,
        contact_method_id=await method_of(world, ana),
        incident_id=incident["id"],
        facts={"actor": "Ben"},
    )
    await world.act(ana, incident["id"], "snooze", json={"minutes": 60})
    await world.act(ana, incident["id"], "acknowledge")
    await world.act(ana, incident["id"], "resolve")
    [message] = await sent(world)
    assert message.subject.startswith("Resolved: Disk full")
    assert "Ben resolved it" in message.text
    [row] = await pages(world, ana)
    assert (row["kind"], row["status"]) == ("resolved", "sent")


@pytest.mark.parametrize(
    ("loss", "reason"),
    [
        ("UPDATE users SET is_active = false WHERE id = :id", "The recipient was deactivated."),
        ("DELETE FROM contact_methods WHERE user_id = :id", "The contact method was removed."),
        (
            "UPDATE contact_methods SET verified_at = NULL WHERE user_id = :id",
            "The contact method is no longer verified.",
        ),
    ],
)
async def test_neither_page_nor_news_goes_to_who_is_no_longer_there(
    world: World, ana: Person, loss: str, reason: str
) -> None:
    admin = await world.admin("root@example.org")
    incident = await world.declare(admin)
    await world.climb()
    await post(
        world,
        NotificationKind.ACKNOWLEDGED,
        Channel.EMAIL,
        user_id=ana.id,
        contact_method_id=await method_of(world, ana),
        incident_id=incident["id"],
        facts={"actor": "Ben"},
    )
    await world.sql(loss, id=ana.id)
    assert await sent(world) == []
    found = await world.notifications(admin, incident["id"])
    assert [(one["status"], one["reason"]) for one in found] == [("cancelled", reason)] * 2
    assert "escalation_hurried" in await world.timeline(admin, incident["id"])


async def test_a_letter_without_an_account_goes_to_its_address(world: World) -> None:
    body = {"email": "new@example.org", "password": "passphrase"}
    await world.call("POST", "/v1/auth/signup", json=body, expect=202)
    [message] = await sent(world)
    assert message.address == "new@example.org"
    [token] = re.findall(f"{URL}/account/signup/(\\S+)", message.text)
    await world.call("POST", "/v1/auth/signup/confirm", json={"token": token}, expect=201)


async def test_a_recovery_link_sets_a_new_password(world: World, ana: Person) -> None:
    await world.call("POST", "/v1/auth/password-recovery", json={"email": ana.email}, expect=202)
    [message] = await sent(world)
    [token] = re.findall(f"{URL}/account/reset/(\\S+)", message.text)
    body = {"token": token, "new_password": "another passphrase"}
    await world.call("POST", "/v1/auth/reset-password", json=body, expect=200)
    [changed] = await sent(world)
    assert changed.subject == "Your Tocsin password was changed"
    assert changed.mark != message.mark


async def test_a_code_goes_to_an_address_that_is_not_verified(
    world: World, ana: Person, signer: Signer
) -> None:
    method = await add_method(world, ana, Channel.SMS)
    await world.sql("UPDATE contact_methods SET verified_at = NULL WHERE id = :id", id=method)
    number = await challenge(
        world, ana, purpose=ChallengePurpose.CONTACT_METHOD, contact_method_id=method
    )
    fields: dict[str, Any] = {"user_id": ana.id, "contact_method_id": method}
    facts = {"challenge_id": number}
    await post(world, NotificationKind.VERIFICATION, Channel.SMS, facts=facts, **fields)
    [message] = await sent(world, Channel.SMS)
    assert message.address == "+49301234567"
    code = signer.code("contact_method", number)
    assert message.text == f"{code} is your Tocsin code, good for 15 minutes."


async def test_a_code_that_is_no_longer_good_is_not_sent(world: World, ana: Person) -> None:
    method = await add_method(world, ana, Channel.SMS)
    number = await challenge(
        world, ana, purpose=ChallengePurpose.CONTACT_METHOD, contact_method_id=method
    )
    fields: dict[str, Any] = {"user_id": ana.id, "contact_method_id": method}
    facts = {"challenge_id": number}
    await post(world, NotificationKind.VERIFICATION, Channel.SMS, facts=facts, **fields)
    sms = Scripted(RetryLater("Busy.", timedelta(minutes=16)), channel=Channel.SMS)
    way = lane(world, sms)
    await deliver(way)
    await pass_time(world, way, minutes=17)
    assert len(sms.messages) == 1
    [row] = await pages(world, ana)
    assert (row["status"], row["reason"]) == ("cancelled", "What it carries is no longer good.")


async def test_a_test_names_the_contact_method(world: World, ana: Person) -> None:
    method = await add_method(world, ana, Channel.SMS, label="My phone")
    fields: dict[str, Any] = {"user_id": ana.id, "contact_method_id": method}
    await post(world, NotificationKind.TEST, Channel.SMS, **fields)
    [message] = await sent(world, Channel.SMS)
    assert '"My phone"' in message.text


async def test_a_letter_that_fails_for_good_is_no_incidents_business(
    world: World, ana: Person
) -> None:
    await world.call("POST", "/v1/auth/password-recovery", json={"email": ana.email}, expect=202)
    await deliver(lane(world, Scripted(GaveUp("No such mailbox."))))
    [row] = await pages(world, ana)
    assert (row["status"], row["reason"]) == ("failed", "No such mailbox.")
    assert await world.sql("SELECT 1 FROM timeline_events") == []


async def test_news_that_is_lost_is_on_the_timeline_and_hurries_nobody(
    world: World, ana: Person
) -> None:
    incident = await world.declare(ana)
    await post(
        world,
        NotificationKind.ASSIGNED,
        Channel.EMAIL,
        user_id=ana.id,
        contact_method_id=await method_of(world, ana),
        incident_id=incident["id"],
        facts={"actor": "Ben", "role": "commander"},
    )
    await deliver(lane(world, Scripted(GaveUp("No such mailbox."))))
    story = await world.timeline(ana, incident["id"])
    assert "notification_failed" in story
    assert "escalation_hurried" not in story


# --- What they carry ----------------------------------------------------------------------


async def test_a_secret_is_unlocked_for_the_message_alone(world: World, ana: Person) -> None:
    label = "Slack · hooks.slack.com"
    place = secret_place(ana.id, Channel.CHAT, label)
    locked = world.service.vault.lock("slack://T0/B0/secret", place=place)
    await add_method(world, ana, Channel.CHAT, address=label, secret=locked)
    await world.declare(ana)
    await world.climb()
    [message] = await sent(world, Channel.CHAT)
    assert (message.address, message.secret) == (label, "slack://T0/B0/secret")
    assert "secret" not in str(await pages(world, ana))
    assert "B0" not in repr(message.text)


async def test_a_secret_that_cannot_be_read_fails_with_what_to_do(
    world: World, ana: Person
) -> None:
    """Moved to another person's contact method, or locked with another key."""
    locked = world.service.vault.lock("slack://T0/B0/secret", place="somewhere else")
    await add_method(world, ana, Channel.CHAT, address="Slack", secret=locked)
    await world.declare(ana)
    await world.climb()
    assert await sent(world, Channel.CHAT) == []
    page = next(page for page in await pages(world, ana) if page["channel"] == "chat")
    assert page["status"] == "failed"
    assert "add the contact method anew" in page["reason"]


async def test_only_a_text_message_asks_for_a_receipt(world: World, ana: Person) -> None:
    await add_method(world, ana, Channel.SMS)
    await world.declare(ana)
    await world.climb()
    [mail] = await sent(world)
    assert mail.receipt_url is None
    [text] = await sent(world, Channel.SMS)
    assert text.receipt_url is not None
    assert text.receipt_url.startswith(f"{URL}/v1/receipts/")


@pytest.mark.parametrize(
    ("url", "is_asked"),
    [
        ("http://127.0.0.1:8000", True),
        ("http://[::1]:8000", True),
        ("http://tocsin.example.org", False),
        ("https://tocsin.example.org", True),
    ],
)
async def test_a_receipt_comes_over_tls_or_from_this_machine(
    world: World, ana: Person, url: str, is_asked: bool
) -> None:
    await add_method(world, ana, Channel.SMS)
    await world.declare(ana)
    await world.climb()
    async with world.database.writing() as session:
        [leased] = (await lease(session, USUAL_LIMIT, channel=Channel.SMS)).leased
    message = composer(world.service.signer, url)(leased).message
    assert (message.receipt_url is not None) is is_asked


async def wording(world: World, body: str) -> None:
    await world.sql(
        "INSERT INTO message_templates (kind, channel, subject, body)"
        " VALUES ('page', 'email', 'Wake up: {{ title }}', :body)",
        body=body,
    )


async def test_a_wording_of_ones_own_is_used(world: World, ana: Person) -> None:
    await wording(world, "Please look at {{ title }}.")
    await world.declare(ana)
    await world.climb()
    [message] = await sent(world)
    assert message.subject == "Wake up: Disk full"
    assert message.text.startswith("Please look at Disk full.")
    assert (await pages(world, ana))[0]["last_error"] is None


async def test_a_wording_that_breaks_costs_no_page_and_is_told(world: World, ana: Person) -> None:
    await wording(world, "{{ titel }}")
    await world.declare(ana)
    await world.climb()
    [message] = await sent(world)
    assert message.subject.startswith("[HIGH] Disk full")
    [page] = await pages(world, ana)
    assert page["status"] == "sent"
    assert "was not used" in page["last_error"]


# --- Addresses that have ended ------------------------------------------------------------


async def test_an_address_that_is_gone_is_paged_no_more(world: World, ana: Person) -> None:
    await add_method(world, ana, Channel.PUSH, address="https://push.example.org/1")
    incident = await world.declare(ana)
    await world.climb()
    gone = Scripted(GaveUp("410 Gone", is_gone=True), channel=Channel.PUSH)
    await deliver(lane(world, gone))
    page = next(one for one in await pages(world, ana) if one["channel"] == "push")
    assert page["status"] == "failed"
    assert "subscription has ended" in page["reason"]
    assert "subscription has ended" in await story(world, ana, incident["id"])
    other = await world.declare(ana, title="Another")
    await world.climb()
    assert "has not verified the contact method for push" in await story(world, ana, other["id"])
    assert len([one for one in await pages(world, ana) if one["channel"] == "push"]) == 1


async def test_an_address_that_was_made_anew_meanwhile_stays(world: World, ana: Person) -> None:
    method = await add_method(world, ana, Channel.PUSH, address="https://push.example.org/1")
    await world.declare(ana)
    await world.climb()

    class Renewing(Scripted):
        async def send(self, message: Message) -> Any:
            later = await world.clock.now() + timedelta(seconds=1)
            await world.sql(
                "UPDATE contact_methods SET verified_at = :at WHERE id = :id", at=later, id=method
            )
            return await super().send(message)

    sender = Renewing(GaveUp("410 Gone", is_gone=True), channel=Channel.PUSH)
    await deliver(lane(world, sender))
    [[verified_at]] = await world.sql(
        "SELECT verified_at FROM contact_methods WHERE id = :id", id=method
    )
    assert verified_at is not None


async def story(world: World, who: Person, incident_id: int) -> str:
    answer = await world.call("GET", f"/v1/incidents/{incident_id}/timeline", who)
    return " ".join(entry["description"] for entry in answer["items"])
