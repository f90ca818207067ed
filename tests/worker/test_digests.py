"""Summaries: one a day for each who wants it, told of what happened, and of nothing twice."""

from datetime import timedelta
from typing import Any

import pytest

from app.db.session import transaction_time
from app.services import digest as digest_service
from app.worker.digests import Digests
from tests.duty import midnight, move_to, schedule
from tests.postmortems import begun, item, resolved
from tests.world import Person, Scripted, World

SETTINGS = "/v1/users/me/digest-settings"


async def wanting(world: World, email: str = "ana@example.org", **fields: Any) -> Person:
    """Somebody who wants a summary of each day at nine."""
    person = await world.person(email, full_name=email.split("@", maxsplit=1)[0].capitalize())
    body = {"frequency": "daily", "hour": 9, **fields}
    await world.call("PUT", SETTINGS, person, json=body)
    return person


async def turn(world: World) -> timedelta | None:
    """One round of the loop, as a replica would make it."""
    return await Digests(world.database).round()


async def mails(world: World) -> list[Any]:
    sender = Scripted()
    await world.deliver(sender)
    return [one for one in sender.messages if one.subject.startswith("Your ")]


async def at_nine(world: World, *, days: int = 1) -> None:
    await move_to(world, await midnight(world, days=days) + timedelta(hours=9))


async def made(world: World) -> list[tuple[int, str]]:
    rows = await world.sql("SELECT user_id, outcome FROM digests ORDER BY day, user_id")
    return [(row[0], row[1]) for row in rows]


async def test_it_tells_what_happened(world: World) -> None:
    await move_to(world, await midnight(world) + timedelta(hours=10))
    ana = await wanting(world)
    admin = await world.admin()
    await world.policy(admin, [(0, {"user": ana.id})])
    over = await resolved(world, ana, title="Mail is late", service="mail")
    await world.declare(ana, title="Disk full", severity="critical")
    await world.climb()
    await world.deliver(Scripted())
    await schedule(world, ana, name="Databases")
    postmortem = await begun(world, ana, over)
    day = (await world.clock.now()).date() - timedelta(days=3)
    await item(world, ana, postmortem["id"], owner_id=ana.id, due_on=day.isoformat())
    assert await turn(world) is not None  # ahead
    await at_nine(world)
    await turn(world)
    [mail] = await mails(world)
    assert mail.subject == "Your day: 2 new, 1 resolved, 1 open"
    assert "Disk full (critical, database, open)" in mail.text
    assert "- database: 1 incident" in mail.text
    assert "- Rotate the logs (due " in mail.text
    assert "Your next duty" in mail.text
    assert "- Databases: " in mail.text
    assert "to you, about 1 incident" in mail.text
    assert mail.html is not None
    assert "https://tocsin.test/digest" in mail.text


async def test_nothing_is_sent_where_nothing_happened(world: World) -> None:
    ana = await wanting(world)
    ben = await wanting(world, "ben@example.org", even_when_empty=True)
    await at_nine(world)
    await turn(world)
    assert await made(world) == [(ana.id, "empty"), (ben.id, "sent")]
    [mail] = await mails(world)
    assert mail.subject == "Your day: 0 new, 0 resolved, 0 open"


async def test_of_one_day_there_is_one_whatever_replicas_do(world: World) -> None:
    ana = await wanting(world, even_when_empty=True)
    await at_nine(world)
    for _ in range(3):
        await turn(world)
    assert len(await mails(world)) == 1
    # Even if somebody lets it be due again on the same day.
    await world.call("PUT", SETTINGS, ana, json={"hour": 10})
    world.clock.forward(hours=1, minutes=5)
    await turn(world)
    assert await made(world) == [(ana.id, "sent")]
    assert await mails(world) == []
    await at_nine(world)
    world.clock.forward(hours=1)
    await turn(world)
    assert len(await made(world)) == 2


async def test_two_replicas_at_once_make_one_each_or_one_both(world: World) -> None:
    for number in range(4):
        await wanting(world, f"p{number}@example.org", even_when_empty=True)
    await at_nine(world)
    async with world.database.writing() as first, world.database.writing() as second:
        now = await transaction_time(first)
        one = await digest_service.crud_digest.lock_due(first, now=now)
        other = await digest_service.crud_digest.lock_due(second, now=now)
        assert one is not None
        assert other is not None
        assert one.user_id != other.user_id
        await digest_service.make(first, one, {}, now=now)
        await digest_service.make(second, other, {}, now=now)
    await turn(world)
    rows = await made(world)
    assert len(rows) == len(set(rows)) == 4
    assert len(await mails(world)) == 4


async def test_after_an_outage_only_the_last_is_told(world: World) -> None:
    ana = await wanting(world, even_when_empty=True)
    await at_nine(world, days=5)
    await turn(world)
    await turn(world)
    assert await made(world) == [(ana.id, "sent")]
    assert len(await mails(world)) == 1


async def test_a_weekly_one_comes_once_a_week(world: World) -> None:
    today = (await midnight(world)).weekday()
    ana = await wanting(world, frequency="weekly", weekday=today, even_when_empty=True)
    for _ in range(8):
        await at_nine(world)
        await turn(world)
    rows = await world.sql("SELECT until - since FROM digests WHERE user_id = :id", id=ana.id)
    assert [row[0] for row in rows] == [timedelta(days=7), timedelta(days=7)]
    assert (await mails(world))[0].subject.startswith("Your week: ")


async def test_who_wants_none_or_left_gets_none(world: World) -> None:
    admin = await world.admin()
    ana = await wanting(world, even_when_empty=True)
    ben = await wanting(world, "ben@example.org", even_when_empty=True)
    await world.call("PUT", SETTINGS, ana, json={"frequency": "off"})
    await world.call("PATCH", f"/v1/users/{ben.id}", admin, json={"is_active": False})
    await at_nine(world)
    await turn(world)
    assert await made(world) == []


async def test_one_that_breaks_holds_up_none_of_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = await wanting(world, even_when_empty=True)
    ben = await wanting(world, "ben@example.org", even_when_empty=True)
    right = digest_service.facts

    def broken(summary: digest_service.Summary) -> dict[str, Any]:
        if not world_is_right:
            raise RuntimeError("broken")
        return right(summary)

    world_is_right = False
    monkeypatch.setattr(digest_service, "facts", broken)
    await at_nine(world)
    await turn(world)
    assert await made(world) == []
    world_is_right = True
    world.clock.forward(minutes=15)
    await turn(world)
    assert await made(world) == [(ana.id, "sent"), (ben.id, "sent")]


async def test_the_preview_shows_it_and_sends_nothing(world: World) -> None:
    ana = await world.person("ana@example.org")
    shown = await world.call("GET", "/v1/users/me/digest", ana)
    assert (shown["is_empty"], shown["frequency"]) == (True, "daily")
    await world.declare(ana, severity="critical")
    shown = await world.call("GET", "/v1/users/me/digest", ana)
    assert shown["opened_by_severity"] == {"critical": 1}
    assert [one["title"] for one in shown["worst"]] == ["Disk full"]
    assert await made(world) == []


async def test_a_drill_and_what_was_deleted_are_no_news(world: World) -> None:
    admin = await world.admin()
    incident = await world.declare(admin)
    path = f"/v1/incidents/{incident['id']}?confirm={incident['id']}"
    await world.call("DELETE", path, admin, expect=204)
    await world.declare(admin)
    await world.sql("UPDATE incidents SET is_drill = true WHERE status = 'open'")
    assert (await world.call("GET", "/v1/users/me/digest", admin))["is_empty"]
