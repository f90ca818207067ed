"""Cover and swaps: who may ask, take, decline, call off and give back, and what the schedule says
then."""

from datetime import datetime, timedelta
from typing import Any

from app.domain.user import Role
from tests.api.answers import faulty, refused
from tests.duty import midnight, move_to, on_call, override, schedule, told, turn
from tests.world import Person, World

REQUESTS = "/v1/shift-requests"
DAY = timedelta(days=1)


async def people(world: World) -> tuple[Person, Person, Person]:
    ana = await world.person("ana@example.org", full_name="Ana")
    ben = await world.person("ben@example.org", full_name="Ben")
    cleo = await world.person("cleo@example.org", full_name="Cleo")
    return ana, ben, cleo


def body(schedule_id: int, since: datetime, until: datetime, **fields: Any) -> dict[str, Any]:
    return {
        "schedule_id": schedule_id,
        "starts_at": since.isoformat(),
        "ends_at": until.isoformat(),
        **fields,
    }


async def ask(
    world: World, who: Person, schedule_id: int, since: datetime, until: datetime, **fields: Any
) -> dict[str, Any]:
    sent = body(schedule_id, since, until, **fields)
    made: dict[str, Any] = await world.call("POST", REQUESTS, who, expect=201, json=sent)
    return made


async def act(world: World, who: Person, request: dict[str, Any], verb: str) -> dict[str, Any]:
    made: dict[str, Any] = await world.call("POST", f"{REQUESTS}/{request['id']}/{verb}", who)
    return made


async def test_a_part_of_a_shift_is_asked_for_taken_and_on_the_schedule(world: World) -> None:
    ana, ben, cleo = await people(world)
    rota = await schedule(world, ana, ben)
    noon = await midnight(world, days=2) + timedelta(hours=12)
    request = await ask(world, ana, rota, noon, noon + timedelta(hours=2), message="Dentist.")
    assert (request["kind"], request["status"], request["taken_by"]) == ("cover", "open", None)
    assert await told(world, ben) == ["shift_requested"]
    assert await told(world, ana) == []

    taken = await act(world, cleo, request, "take")

    assert (taken["status"], taken["taken_by"]) == ("taken", cleo.id)
    assert await on_call(world, rota, noon) == [cleo.id]
    assert await on_call(world, rota, noon - timedelta(minutes=1)) == [ana.id]
    assert await on_call(world, rota, noon + timedelta(hours=2)) == [ana.id]
    assert await told(world, ana) == ["shift_answered"]
    [(override_id,)] = await world.sql("SELECT id FROM schedule_overrides")
    assert taken["override_id"] == override_id
    assert await world.call("GET", f"{REQUESTS}/{request['id']}", ben) == taken


async def test_a_swap_changes_both_shifts_and_nobody_elses(world: World) -> None:
    ana, ben, cleo = await people(world)
    rota = await schedule(world, ana, ben, cleo)
    monday = await midnight(world, days=3)
    wanted = {"starts_at": (monday + DAY).isoformat(), "ends_at": (monday + 2 * DAY).isoformat()}
    fields: dict[str, Any] = {"wanted": wanted, "asked_of": ben.id}
    request = await ask(world, ana, rota, monday, monday + DAY, **fields)
    assert request["kind"] == "swap"
    assert await told(world, cleo) == []
    await refused(
        world, "POST", f"{REQUESTS}/{request['id']}/take", cleo, 403, "NOT_YOUR_SHIFT_REQUEST"
    )

    taken = await act(world, ben, request, "take")

    days = [await on_call(world, rota, monday + n * DAY + timedelta(hours=9)) for n in range(-1, 4)]
    assert days == [[cleo.id], [ben.id], [ana.id], [cleo.id], [ana.id]]
    assert taken["override_id"] != taken["return_override_id"] is not None


async def test_who_comes_second_is_told_who_was_first(world: World) -> None:
    ana, ben, cleo = await people(world)
    rota = await schedule(world, ana)
    day = await midnight(world, days=1)
    request = await ask(world, ana, rota, day, day + DAY)
    await act(world, ben, request, "take")
    answer = await refused(
        world, "POST", f"{REQUESTS}/{request['id']}/take", cleo, 409, "SHIFT_REQUEST_SETTLED"
    )
    assert answer == {"status": "taken", "taken_by": ben.id}
    assert await world.sql("SELECT count(*) FROM schedule_overrides") == [(1,)]


async def test_what_is_not_ones_own_cannot_be_given_away(world: World) -> None:
    ana, ben, cleo = await people(world)
    rota = await schedule(world, ana, ben)
    first = await midnight(world, days=2)  # Ana's
    told_off = body(rota, first, first + 2 * DAY)
    await refused(world, "POST", REQUESTS, ana, 409, "NOT_ON_CALL", json=told_off)
    await refused(
        world, "POST", REQUESTS, cleo, 409, "NOT_ON_CALL", json=body(rota, first, first + DAY)
    )
    wanted = {"starts_at": first.isoformat(), "ends_at": (first + DAY).isoformat()}
    swap = body(rota, first + 2 * DAY, first + 3 * DAY, wanted=wanted, asked_of=ben.id)
    await refused(world, "POST", REQUESTS, ana, 409, "NOT_ON_CALL", json=swap)
    lost = body(999, first, first + DAY)
    await refused(world, "POST", REQUESTS, ana, 404, "SCHEDULE_NOT_FOUND", json=lost)


async def test_what_cannot_be_is_refused(world: World) -> None:
    ana, ben, _ = await people(world)
    gone = await world.person("gone@example.org", Role.VIEWER)
    rota = await schedule(world, ana, ben)
    day = await midnight(world, days=2)
    for fields, path in (
        ({"ends_at": day.isoformat()}, ""),
        ({"wanted": {"starts_at": day.isoformat(), "ends_at": day.isoformat()}}, "wanted"),
        ({"schedule_id": 0}, "schedule_id"),
        ({"colour": "red"}, "colour"),
    ):
        sent = body(rota, day, day + DAY) | fields
        assert path in await faulty(world, "POST", REQUESTS, ana, json=sent)
    for asked in (ana.id, gone.id, 999):
        sent = body(rota, day, day + DAY, asked_of=asked)
        code = "INVALID_INPUT"
        answer = await refused(world, "POST", REQUESTS, ana, 422, code, json=sent)
        assert answer["field"] == "asked_of"
    past = body(rota, day - 10 * DAY, day - 9 * DAY)
    await refused(world, "POST", REQUESTS, ana, 422, "SHIFT_NOT_AHEAD", json=past)
    wanted = {"starts_at": day.isoformat(), "ends_at": (day + DAY).isoformat()}
    same = body(rota, day, day + DAY, wanted=wanted, asked_of=ben.id)
    await refused(world, "POST", REQUESTS, ana, 422, "SHIFT_NOT_AHEAD", json=same)
    await ask(world, ana, rota, day, day + DAY)
    again = body(rota, day + timedelta(hours=23), day + DAY)
    await refused(world, "POST", REQUESTS, ana, 409, "SHIFT_REQUESTED_ALREADY", json=again)


async def test_nobody_stands_in_for_two(world: World) -> None:
    ana, ben, cleo = await people(world)
    rota = await schedule(world, ana)
    day = await midnight(world)
    request = await ask(world, ana, rota, day, day + DAY)
    await override(world, rota, ben, cleo, day + timedelta(hours=20), day + 2 * DAY)
    path = f"{REQUESTS}/{request['id']}/take"
    await refused(world, "POST", path, cleo, 409, "SHIFT_REQUEST_STALE")


async def test_declining_and_calling_off(world: World) -> None:
    ana, ben, cleo = await people(world)
    rota = await schedule(world, ana)
    day = await midnight(world)
    one = await ask(world, ana, rota, day, day + DAY, asked_of=ben.id)
    path = f"{REQUESTS}/{one['id']}"
    await refused(world, "POST", f"{path}/decline", cleo, 403, "NOT_YOUR_SHIFT_REQUEST")
    await refused(world, "POST", f"{path}/cancel", ben, 403, "NOT_YOUR_SHIFT_REQUEST")
    await refused(world, "POST", f"{path}/take", ana, 403, "NOT_YOUR_SHIFT_REQUEST")
    assert (await act(world, ben, one, "decline"))["status"] == "declined"
    assert await told(world, ana) == ["shift_answered"]
    await refused(world, "POST", f"{path}/take", ben, 409, "SHIFT_REQUEST_SETTLED")

    other = await ask(world, ana, rota, day, day + DAY)
    path = f"{REQUESTS}/{other['id']}"
    await refused(world, "POST", f"{path}/decline", ben, 403, "NOT_YOUR_SHIFT_REQUEST")
    await refused(world, "POST", f"{path}/give-back", ana, 409, "SHIFT_REQUEST_SETTLED")
    assert (await act(world, ana, other, "cancel"))["status"] == "cancelled"
    assert await on_call(world, rota, day) == [ana.id]


async def test_cover_is_given_back_until_it_begins_and_after_that_by_its_owner(
    world: World,
) -> None:
    ana, ben, _ = await people(world)
    rota = await schedule(world, ana)
    day = await midnight(world)
    one = await ask(world, ana, rota, day, day + DAY)
    await act(world, ben, one, "take")
    assert (await act(world, ben, one, "give-back"))["status"] == "given_back"
    assert await on_call(world, rota, day) == [ana.id]
    assert await told(world, ana) == ["shift_answered", "shift_answered"]

    two = await ask(world, ana, rota, day, day + DAY)
    await act(world, ben, two, "take")
    await move_to(world, day + timedelta(hours=6))
    path = f"{REQUESTS}/{two['id']}/give-back"
    await refused(world, "POST", path, ben, 409, "SHIFT_REQUEST_SETTLED")
    assert await on_call(world, rota, day + timedelta(hours=7)) == [ben.id]
    await act(world, ana, two, "give-back")
    assert await on_call(world, rota, day + timedelta(hours=7)) == [ana.id]
    assert await on_call(world, rota, day + timedelta(hours=5)) == [ben.id], "the past stays"


async def test_what_is_left_of_a_running_shift_can_be_taken(world: World) -> None:
    ana, ben, _ = await people(world)
    rota = await schedule(world, ana)
    day = await midnight(world)
    one = await ask(world, ana, rota, day, day + DAY)
    await move_to(world, day + timedelta(hours=6))
    await act(world, ben, one, "take")
    assert await on_call(world, rota, day + timedelta(hours=5)) == [ana.id]
    assert await on_call(world, rota, day + timedelta(hours=7)) == [ben.id]


async def test_what_nobody_took_in_time_is_expired_and_the_asker_hears_so(world: World) -> None:
    ana, ben, _ = await people(world)
    rota = await schedule(world, ana)
    day = await midnight(world)
    one = await ask(world, ana, rota, day, day + DAY)
    await move_to(world, day + DAY)
    path = f"{REQUESTS}/{one['id']}"
    refusal = await refused(world, "POST", f"{path}/take", ben, 409, "SHIFT_REQUEST_SETTLED")
    assert refusal["status"] == "expired"
    await turn(world)
    assert (await world.call("GET", path, ana))["status"] == "expired"
    assert "shift_answered" in await told(world, ana)


async def test_an_edit_that_takes_the_shift_away_makes_a_request_stale(world: World) -> None:
    ana, ben, cleo = await people(world)
    rota = await schedule(world, ana)
    day = await midnight(world, days=3)
    one = await ask(world, ana, rota, day, day + DAY)
    await turn(world)
    assert (await world.call("GET", f"{REQUESTS}/{one['id']}", ana))["status"] == "open"

    await override(world, rota, ben, cleo, day + timedelta(hours=3), day + timedelta(hours=4))

    path = f"{REQUESTS}/{one['id']}/take"
    await refused(world, "POST", path, ben, 409, "SHIFT_REQUEST_STALE")
    await turn(world)
    assert (await world.call("GET", f"{REQUESTS}/{one['id']}", ana))["status"] == "stale"
    assert "shift_answered" in await told(world, ana)
    await refused(world, "POST", path, ben, 409, "SHIFT_REQUEST_SETTLED")


async def test_requests_are_found_by_schedule_state_and_person(world: World) -> None:
    ana, ben, cleo = await people(world)
    rota = await schedule(world, ana)
    other = await schedule(world, ben, name="Other")
    day = await midnight(world)
    one = await ask(world, ana, rota, day, day + DAY, asked_of=cleo.id)
    two = await ask(world, ben, other, day, day + DAY)
    await act(world, ana, two, "take")

    async def ids(query: str) -> list[int]:
        page = await world.call("GET", f"{REQUESTS}?{query}", ben)
        return [item["id"] for item in page["items"]]

    assert await ids("") == [two["id"], one["id"]]
    assert await ids(f"schedule_id={rota}") == [one["id"]]
    assert await ids("status=taken") == [two["id"]]
    assert await ids(f"user_id={ana.id}") == [two["id"], one["id"]]
    assert await ids(f"user_id={cleo.id}") == [one["id"]]


async def test_a_lost_answer_is_asked_for_again_and_nothing_is_asked_twice(world: World) -> None:
    ana, ben, _ = await people(world)
    rota = await schedule(world, ana, ben)
    day = await midnight(world, days=2)
    sent, once = body(rota, day, day + DAY), {"Idempotency-Key": "cover-1"}
    made = await world.call("POST", REQUESTS, ana, expect=201, json=sent, headers=once)
    assert await world.call("POST", REQUESTS, ana, json=sent, headers=once) == made
    assert await told(world, ben) == ["shift_requested"]
