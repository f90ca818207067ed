"""What is critical is never held back behind anything lower, and a change of severity counts
at once for what still waits."""

from datetime import timedelta
from typing import Any

import pytest

from app.channels.base import RetryLater
from app.crud import crud_notification, crud_outbox
from app.db.session import transaction_time
from app.domain.bundle import USUAL_LIMIT, PageLimit
from app.domain.notification import Channel
from app.services import outbox
from app.worker.delivery import Lane
from tests.explain import plans_of
from tests.worker.lanes import FEW, Gated, lane, lease, pages, statuses, storm
from tests.world import Person, Scripted, World, deliver

EVERYTHING = PageLimit(1_000)


@pytest.fixture
async def ana(world: World) -> Person:
    """Somebody who is paged for everything."""
    admin = await world.admin()
    ana = await world.person()
    await world.policy(admin, [(0, {"user": ana.id})], final_delay_minutes=600)
    return ana


@pytest.fixture
async def key(world: World, ana: Person) -> str:
    admin = await world.login((await world.sql("SELECT min(id) FROM users"))[0][0])
    return await world.integration_key(admin)


async def pass_time(world: World, way: Lane, **span: float) -> None:
    world.clock.forward(**span)
    await world.climb()
    await deliver(way)


async def alert(world: World, key: str, name: str, **fields: Any) -> int:
    """One more incident, its step taken."""
    body = {"title": f"Problem {name}", "severity": "critical", "dedup_key": name, **fields}
    number = (await world.alert(key, **body))["incident_id"]
    await world.climb()
    return int(number)


def subjects(mail: Scripted) -> list[str]:
    return [message.subject.partition(" · ")[0] for message in mail.messages]


async def test_a_critical_page_is_leased_before_everything_that_was_due_before_it(
    world: World, ana: Person, key: str
) -> None:
    await storm(world, key, 20)
    world.clock.forward(seconds=5)
    critical = await alert(world, key, "fire")
    async with world.database.writing() as session:
        [first] = (await lease(session, EVERYTHING, free=1)).leased
    assert first.incident is not None
    assert first.incident.id == critical


async def test_other_people_do_not_stand_before_a_critical_page(
    world: World, ana: Person, key: str
) -> None:
    """Whose pages are leased is settled before which: it must be whose is critical."""
    admin = await world.login((await world.sql("SELECT min(id) FROM users"))[0][0])
    others = [await world.person(f"p{n}@example.org") for n in range(3)]
    notify = [{"type": "notify", "target": {"user": who.id}} for who in others]
    steps = [{"delay_minutes": 0, "actions": notify}]
    lower = {"severity": "high"}
    await world.policy(admin, [], name="Low", steps=steps, conditions=lower, final_delay_minutes=60)
    await storm(world, key, 2)
    await world.sql(
        "UPDATE notifications SET ready_at = NULL, status = 'cancelled', reason = ''"
        " WHERE user_id = :ana",
        ana=ana.id,
    )
    world.clock.forward(seconds=5)
    await alert(world, key, "fire")
    async with world.database.writing() as session:
        [first] = (await lease(session, EVERYTHING, free=1)).leased
    assert first.user_id == ana.id


async def test_senders_that_are_reserved_take_nothing_lower(
    world: World, ana: Person, key: str
) -> None:
    async def taken(free: int) -> list[bool]:
        async with world.database.writing() as session:
            now = await transaction_time(session)
            term = crud_outbox.Term(Channel.EMAIL, now, now + timedelta(seconds=20))
            leasing = await outbox.lease(session, term, limit=EVERYTHING, free=free, reserved=1)
            return [leased.is_critical for leased in leasing.leased]

    await storm(world, key, 20)
    assert await taken(3) == [False, False]
    assert await taken(1) == []
    for name in "abc":
        await alert(world, key, name)
    assert await taken(1) == [True]
    assert await taken(4) == [False, True, True]


async def test_the_next_due_time_looks_at_both(world: World, ana: Person, key: str) -> None:
    async def hours_to_next(**which: bool) -> int | None:
        lead = await crud_outbox.next_lead(world.database, Channel.EMAIL, **which)
        return None if lead is None else round(lead / timedelta(hours=1))

    async def ready_in(*, lower: int, critical: int) -> None:
        await world.sql(
            "UPDATE notifications SET ready_at = CAST(:now AS timestamptz) + interval '1 hour'"
            " * CASE WHEN is_critical THEN CAST(:critical AS int) ELSE :lower END",
            now=await world.clock.now(),
            lower=lower,
            critical=critical,
        )

    assert await hours_to_next() is None
    await storm(world, key, 1)
    assert await hours_to_next(only_critical=True) is None
    await alert(world, key, "fire")
    await ready_in(lower=2, critical=5)
    assert await hours_to_next() == 2
    assert await hours_to_next(only_critical=True) == 5
    world.clock.forward(hours=3)
    assert await hours_to_next() == -1
    await ready_in(lower=5, critical=2)
    assert await hours_to_next() == 2


async def test_pages_that_were_told_never_hold_a_critical_one(
    world: World, ana: Person, key: str
) -> None:
    mail = Scripted()
    way = lane(world, mail)
    await storm(world, key, 30)
    await deliver(way)
    assert len(mail.messages) == FEW.pages
    await alert(world, key, "fire")
    await deliver(way)
    assert subjects(mail)[3:] == ["[CRITICAL] Problem fire"]
    await pass_time(world, way, minutes=1)
    assert subjects(mail)[4:] == ["[HIGH] 27 incidents at once"]
    assert await statuses(world) == {"sent": 31}


async def test_a_storm_of_critical_ones_is_told_at_once_first_and_then_together(
    world: World, ana: Person, key: str
) -> None:
    mail = Scripted()
    way = lane(world, mail)
    await storm(world, key, 5)
    for name in "abcdefg":
        await alert(world, key, name)
    await deliver(way)
    # The lower ones have no room beside them, and do not go along.
    assert [subject[:10] for subject in subjects(mail)] == ["[CRITICAL]"] * 3
    await pass_time(world, way, minutes=1)
    assert sorted(subjects(mail)[3:]) == [
        "[CRITICAL] 4 incidents at once",
        "[HIGH] 5 incidents at once",
    ]
    assert await statuses(world) == {"sent": 12}


async def test_what_becomes_critical_while_it_is_held_leaves_at_once(
    world: World, ana: Person, key: str
) -> None:
    mail = Scripted()
    way = lane(world, mail)
    incidents = await storm(world, key, 6)
    await deliver(way)
    changed = {"severity": "critical"}
    await world.call("PATCH", f"/v1/incidents/{incidents[5]}", ana, json=changed)
    await deliver(way)
    assert subjects(mail)[3:] == ["[CRITICAL] Problem 5"]
    [page] = [page for page in await pages(world, ana) if page["incident_id"] == incidents[5]]
    assert page["held_until"] is None
    await pass_time(world, way, minutes=1)
    assert subjects(mail)[4:] == ["[HIGH] 2 incidents at once"]


async def test_what_is_critical_no_longer_waits_like_the_others(
    world: World, ana: Person, key: str
) -> None:
    mail = Scripted()
    way = lane(world, mail)
    await storm(world, key, 3)
    await deliver(way)
    number = await alert(world, key, "fire")
    await world.call("PATCH", f"/v1/incidents/{number}", ana, json={"severity": "low"})
    await deliver(way)
    assert len(mail.messages) == 3
    await pass_time(world, way, minutes=1)
    assert subjects(mail)[3:] == ["[LOW] Problem fire"]


async def set_urgency(world: World, incident_id: int, *, is_critical: bool) -> None:
    async with world.database.writing() as session:
        now = await transaction_time(session)
        await crud_notification.set_urgency(session, incident_id, is_critical=is_critical, now=now)


async def test_a_change_reaches_what_is_on_its_way_and_the_ladder(
    world: World, ana: Person, key: str
) -> None:
    """What fails is tried again before everything lower."""
    [number, other] = await storm(world, key, 2)
    slow = Gated(RetryLater("Busy."), RetryLater("Busy."))
    way = lane(world, slow)
    await way.deliver_due()
    await slow.began.wait()
    await set_urgency(world, number, is_critical=True)
    slow.gate.set()
    await way.drain()
    for table in ("notifications", "escalations"):
        marked = await world.sql(f"SELECT incident_id, is_critical FROM {table}")
        assert dict(map(tuple, marked)) == {number: True, other: False}
    await world.act(ana, number, "resolve")
    await set_urgency(world, number, is_critical=False)
    ended = await world.sql("SELECT is_critical FROM escalations WHERE status = 'completed'")
    assert [tuple(row) for row in ended] == [(True,)]  # what has ended stays as it was


async def test_a_page_that_waits_for_its_next_try_or_a_snooze_goes_on_waiting(
    world: World, ana: Person, key: str
) -> None:
    tried, snoozed = await storm(world, key, 2)
    await deliver(lane(world, Scripted(*[RetryLater("Busy.", timedelta(minutes=9))] * 2)))
    await world.act(ana, snoozed, "snooze", json={"minutes": 30})
    before = await world.sql("SELECT incident_id, due_at, ready_at FROM notifications ORDER BY 1")
    for number in (tried, snoozed):
        await set_urgency(world, number, is_critical=True)
    after = await world.sql("SELECT incident_id, due_at, ready_at FROM notifications ORDER BY 1")
    assert after == before


async def test_quiet_hours_end_for_what_becomes_critical(
    world: World, ana: Person, key: str
) -> None:
    numbers = await storm(world, key, 2)
    now = await world.clock.now()
    for number, after in zip(numbers, (0, 5), strict=True):
        await world.sql(
            "UPDATE notifications SET due_at = :morning, ready_at = :morning,"
            " facts = facts || CAST(:facts AS jsonb) WHERE incident_id = :number",
            morning=now + timedelta(hours=4),
            facts=f'{{"quiet_until": "07:00", "after_minutes": {after}}}',
            number=number,
        )
        await set_urgency(world, number, is_critical=True)
    mail = Scripted()
    way = lane(world, mail)
    await deliver(way)
    assert subjects(mail) == ["[HIGH] Problem 0"]
    await pass_time(world, way, minutes=5)
    assert subjects(mail) == ["[HIGH] Problem 0", "[HIGH] Problem 1"]
    [[left]] = await world.sql("SELECT count(*) FROM notifications WHERE facts ? 'quiet_until'")
    assert left == 0


async def test_a_lease_reads_what_is_due_and_no_more(world: World, ana: Person, key: str) -> None:
    """Both parts of the index, each in its order; and no table as a whole."""
    [number] = await storm(world, key, 1)
    await world.sql(
        "INSERT INTO notifications (incident_id, escalation_id, loop, step, action, recipient,"
        " rule, channel, user_id, contact_method_id, status, due_at, ready_at, is_critical)"
        " SELECT incident_id, escalation_id, loop, step, 1000 + n, recipient, rule, channel,"
        " user_id, contact_method_id, 'pending', due_at,"
        " now() - 10000 * interval '1 s' + n * interval '1 s', n % 100 = 0"
        " FROM notifications, generate_series(1, 20000) n WHERE incident_id = :number",
        number=number,
    )
    await world.sql("ANALYZE notifications")
    async with plans_of(world.database, "WITH paged") as plans, world.database.writing() as session:
        assert len((await lease(session, USUAL_LIMIT)).leased) == 8
    [plan] = plans
    assert plan.count("Index Scan using ix_notifications_ready") == 4
    assert plan.count("is_critical = true") == plan.count("is_critical = false") == 2
    assert "Seq Scan on notifications" not in plan
    async with plans_of(world.database, "ready_at") as plans:
        await crud_outbox.next_lead(world.database, Channel.EMAIL)
    [plan] = plans
    assert plan.count("Index Only Scan using ix_notifications_ready") == 2
