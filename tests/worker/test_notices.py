"""Notices of duty: each made once, when it is due, for whom it is still true."""

from datetime import datetime, timedelta
from typing import Any

from tests.duty import midnight, move_to, override, schedule, told, turn
from tests.world import Person, Scripted, World

HOUR = timedelta(hours=1)


async def people(world: World, **fields: Any) -> tuple[Person, Person]:
    ana = await world.person("ana@example.org", full_name="Ana", **fields)
    return ana, await world.person("ben@example.org", full_name="Ben")


async def quiet(world: World, person: Person, since: str, until: str) -> None:
    await world.sql(
        "UPDATE notification_rules SET quiet_from = CAST(CAST(:since AS text) AS time),"
        " quiet_until = CAST(CAST(:until AS text) AS time) WHERE user_id = :id",
        since=since,
        until=until,
        id=person.id,
    )


async def test_a_duty_is_announced_begins_and_ends(world: World) -> None:
    ana, ben = await people(world)
    await schedule(world, ana, ben)
    await world.call("PUT", "/v1/users/me/on-call-notices", ana, json={"end": True})
    day = await midnight(world)
    await turn(world)
    assert (await told(world, ana), await told(world, ben)) == ([], [])
    await move_to(world, day - HOUR)
    await turn(world)
    assert await told(world, ben) == ["duty_reminder"]
    await move_to(world, day)
    await turn(world)
    await turn(world)
    assert await told(world, ben) == ["duty_reminder", "duty_started"]
    assert await told(world, ana) == ["duty_ended"]
    await move_to(world, day + timedelta(days=1))
    await turn(world)
    assert await told(world, ben) == ["duty_reminder", "duty_started"]
    assert await told(world, ana) == ["duty_ended", "duty_started"]


async def test_the_mail_says_who_hands_over_and_what_is_open(world: World) -> None:
    ana, ben = await people(world)
    rota = await schedule(world, ana, ben)
    incident = await world.declare(ana, title="Disk full", service="database")
    await world.sql(
        "INSERT INTO services (name, schedule_id) VALUES ('database', :rota)", rota=rota
    )
    day = await midnight(world)
    await turn(world)
    await move_to(world, day)
    await turn(world)
    sender = Scripted()
    await world.deliver(sender)
    [mail] = [one for one in sender.messages if one.subject.startswith("You are on call: ")]
    assert mail.subject == "You are on call: Primary"
    assert "Ben, you are on call now." in mail.text
    assert f"- Not over yet: #{incident['id']} Disk full (high)." in mail.text
    assert "- Ana hands over." in mail.text
    assert f"{day + timedelta(days=1):%Y-%m-%d} 00:00 UTC" in mail.text


async def test_many_replicas_and_restarts_make_each_notice_once(world: World) -> None:
    ana, ben = await people(world)
    await schedule(world, ana, ben)
    await turn(world)
    await move_to(world, await midnight(world))
    for _ in range(3):
        await turn(world)
    rows = await world.sql(
        "SELECT count(*), count(DISTINCT facts) FROM notifications WHERE kind = 'duty_started'"
    )
    assert rows == [(1, 1)]


async def test_a_start_at_night_waits_for_the_morning(world: World) -> None:
    ana, ben = await people(world)
    await quiet(world, ben, "22:00", "07:00")
    await schedule(world, ana, ben)
    day = await midnight(world)
    await turn(world)
    await move_to(world, day)
    await turn(world)
    assert await told(world, ben) == []
    await move_to(world, day + 7 * HOUR)
    await turn(world)
    assert await told(world, ben) == ["duty_started"]


async def test_nobody_is_told_of_a_start_once_the_shift_is_over(world: World) -> None:
    ana, ben = await people(world)
    await quiet(world, ben, "22:00", "07:00")
    day = await midnight(world)
    await schedule(world, ana, ben, kind="hourly", anchor=day)
    await move_to(world, day - 2 * HOUR)
    await turn(world)
    for hour in range(-1, 9):
        await move_to(world, day + hour * HOUR + timedelta(minutes=1))
        await turn(world)
    started = await world.sql(
        "SELECT facts ->> 'starts_at' FROM notifications WHERE kind = 'duty_started'"
        " AND user_id = :id",
        id=ben.id,
    )
    assert [datetime.fromisoformat(at) for (at,) in started] == [day + 7 * HOUR]


async def test_what_is_taken_away_before_it_begins_is_not_announced(world: World) -> None:
    ana, ben = await people(world)
    rota = await schedule(world, ana, ben)
    day = await midnight(world)
    await turn(world)
    await override(world, rota, ana, ana, day, day + 24 * HOUR)
    await turn(world)
    assert await told(world, ben) == ["duty_changed"]
    await move_to(world, day)
    await turn(world)
    assert await told(world, ben) == ["duty_changed"]
    assert "duty_started" not in await told(world, ana), "her duty only goes on"


async def test_a_change_of_a_far_day_or_of_ones_own_making_is_not_told(world: World) -> None:
    ana, ben = await people(world)
    cleo = await world.person("cleo@example.org")
    rota = await schedule(world, ana, ben)
    await turn(world)
    now = await world.clock.now()
    await override(world, rota, cleo, cleo, now + 30 * HOUR, now + 31 * HOUR)
    await turn(world)
    assert await told(world, ana) + await told(world, ben) == []
    await override(world, rota, ana, cleo, now + HOUR, now + 2 * HOUR)
    await turn(world)
    assert "duty_changed" in await told(world, cleo)
    assert "duty_changed" not in await told(world, ana)


async def test_who_wants_to_hear_nothing_hears_nothing(world: World) -> None:
    ana, ben = await people(world)
    wishes = {"start": False, "change": False, "reminder_minutes": None}
    await world.call("PUT", "/v1/users/me/on-call-notices", ben, json=wishes)
    await schedule(world, ana, ben)
    await turn(world)
    await move_to(world, await midnight(world))
    await turn(world)
    assert await told(world, ben) == []


async def test_wishes_that_change_count_for_what_is_planned(world: World) -> None:
    ana, ben = await people(world)
    await schedule(world, ana, ben)
    day = await midnight(world, days=2)  # Ana's next
    await move_to(world, day - timedelta(days=1, hours=-1))
    await turn(world)
    await world.call("PUT", "/v1/users/me/on-call-notices", ana, json={"reminder_minutes": 240})
    await turn(world)
    await move_to(world, day - 4 * HOUR)
    await turn(world)
    assert await told(world, ana) == ["duty_reminder"]
    await move_to(world, day - HOUR)
    await turn(world)
    assert await told(world, ana) == ["duty_reminder"]


async def test_somebody_deactivated_is_told_nothing(world: World) -> None:
    ana, ben = await people(world)
    await schedule(world, ana, ben)
    await turn(world)
    await world.sql("UPDATE users SET is_active = false WHERE id = :id", id=ben.id)
    await move_to(world, await midnight(world))
    await turn(world)
    assert await told(world, ben) == []


async def test_a_message_that_is_late_for_the_shift_is_not_sent(world: World) -> None:
    ana, ben = await people(world)
    await schedule(world, ana, ben)
    day = await midnight(world)
    await turn(world)
    await move_to(world, day)
    await turn(world)
    await move_to(world, day + 25 * HOUR)
    sender = Scripted()
    await world.deliver(sender)
    assert [one.subject for one in sender.messages if "on call: " in one.subject] == []
    [(status, reason)] = await world.sql(
        "SELECT status, reason FROM notifications WHERE kind = 'duty_started'"
    )
    assert (status, reason) == ("cancelled", "What it tells of is over.")


async def test_only_schedules_whose_time_has_come_are_looked_at(world: World) -> None:
    ana, _ = await people(world)
    one = await schedule(world, ana)
    other = await schedule(world, ana, name="Other")
    await turn(world)
    looks = "SELECT schedule_id, looked_at FROM on_call_watches ORDER BY schedule_id"
    before = dict(await world.sql(looks))
    world.clock.forward(minutes=1)
    now = await world.clock.now()
    await override(world, other, ana, ana, now + HOUR, now + 2 * HOUR)
    await turn(world)
    after = dict(await world.sql(looks))
    assert (after[one], after[other] > before[other]) == (before[one], True)


async def test_a_calendar_that_changes_has_its_followers_looked_at(world: World) -> None:
    ana, ben = await people(world)
    follows = await schedule(world, ana)
    other = await schedule(world, ana, name="Other")
    [(calendar,)] = await world.sql(
        "INSERT INTO calendars (name, kind, time_zone, url) VALUES"
        " ('Theirs', 'on_call', 'UTC', 'https://calendar.example.org/x') RETURNING id"
    )
    await world.sql(
        "UPDATE schedules SET layers = jsonb_build_array(jsonb_build_object("
        "'calendar', CAST(:calendar AS bigint))) WHERE id = :id",
        calendar=calendar,
        id=follows,
    )
    await turn(world)
    now = await world.clock.now()
    await world.sql(
        "INSERT INTO calendar_shifts (calendar_id, uid, starts_at, ends_at, summary, user_id,"
        " seen_from) VALUES (:calendar, 'a', :since, :until, 'Ben', :ben, :now)",
        calendar=calendar,
        since=now + HOUR,
        until=now + 3 * HOUR,
        ben=ben.id,
        now=now,
    )
    due = "SELECT schedule_id FROM on_call_watches WHERE next_look_at <= now()"
    assert await world.sql(due) == [(follows,)]
    assert other
    await turn(world)
    assert await told(world, ben) == ["duty_changed"]


async def test_a_duty_that_only_goes_on_does_not_begin(world: World) -> None:
    ana, ben = await people(world)
    rota = await schedule(world, ana, ben)
    day = await midnight(world)
    await move_to(world, day - HOUR)
    await turn(world)
    await override(world, rota, ana, ana, day, day + 24 * HOUR, replaces=ben)
    for at in (day - HOUR / 2, day, day + 24 * HOUR):
        await move_to(world, at)
        await turn(world)
    assert set(await told(world, ana)) <= {"duty_changed"}
