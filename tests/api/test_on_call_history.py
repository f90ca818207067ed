"""Who was on call at T, as it was known then: an answer that no later edit changes."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.api.rotas import ids_on_call, on_call, schedule, weekly
from tests.world import Person, World


async def edit(world: World, who: Person, schedule_id: int, **fields: Any) -> None:
    path = f"/v1/schedules/{schedule_id}"
    await world.call("PATCH", path, who, json={"allow_gaps": True, **fields})


async def test_an_edit_changes_nothing_of_what_was(world: World) -> None:
    admin = await world.admin()
    ben = await world.person("ben@example.org")
    made = await schedule(world, admin, weekly(admin.id))
    world.clock.forward(days=1)
    then = (await world.clock.now()).isoformat()
    world.clock.forward(days=1)
    await edit(world, admin, made["id"], layers=[weekly(ben.id)], name="Storage")
    later = (await world.clock.now()).isoformat()
    world.clock.forward(days=1)

    assert await ids_on_call(world, admin, made["id"]) == [ben.id]
    was = await on_call(world, admin, made["id"], at=then)
    assert [one["id"] for one in was["on_call"]] == [admin.id]
    assert was["schedule_name"] == "Databases"
    # What was thought at `then` of a time that came otherwise:
    assert await ids_on_call(world, admin, made["id"], at=later, known_at=then) == [admin.id]
    # And what the schedule says today of that day:
    assert await ids_on_call(world, admin, made["id"], at=then, known_at=later) == [ben.id]


async def test_shifts_of_the_past_are_those_that_were(world: World) -> None:
    admin = await world.admin()
    ben = await world.person("ben@example.org")
    made = await schedule(world, admin, weekly(admin.id))
    begun = await world.clock.now()
    world.clock.forward(days=1)
    await edit(world, admin, made["id"], layers=[weekly(ben.id)])
    world.clock.forward(days=1)
    query = {
        "since": (begun - timedelta(days=1)).isoformat(),
        "until": (begun + timedelta(days=3)).isoformat(),
    }
    path = f"/v1/schedules/{made['id']}/shifts"
    shown = await world.call("GET", path, admin, params=query)
    assert [one["people"] for one in shown["final"]] == [[admin.id], [ben.id]]
    assert len(shown["gaps"]) == 1  # before it was made
    now = (await world.clock.now()).isoformat()
    today = await world.call("GET", path, admin, params={**query, "known_at": now})
    assert [one["people"] for one in today["final"]] == [[ben.id]]
    mine = await world.call("GET", "/v1/users/me/on-call", ben, params=query)
    assert len(mine["shifts"]) == 1
    assert mine["shifts"][0]["starts_at"] == shown["final"][1]["starts_at"]


async def test_the_history_lists_what_was_said_by_whom(world: World) -> None:
    admin = await world.admin()
    made = await schedule(world, admin, weekly(admin.id))
    world.clock.forward(days=1)
    await edit(world, admin, made["id"], time_zone="Asia/Tokyo")
    await edit(world, admin, made["id"], description="Not what a version keeps")
    page = await world.call("GET", f"/v1/schedules/{made['id']}/history", admin)
    assert [(one["number"], one["time_zone"]) for one in page["items"]] == [
        (2, "Asia/Tokyo"),
        (1, "Europe/Berlin"),
    ]
    new, old = page["items"]
    assert new["known_until"] is None
    assert old["known_until"] == new["known_from"]
    assert old["changed_by"] == admin.id


async def test_a_schedule_that_is_deleted_has_a_past(world: World) -> None:
    admin = await world.admin()
    made = await schedule(world, admin, weekly(admin.id))
    early = (await world.clock.now() - timedelta(days=1)).isoformat()
    world.clock.forward(days=1)
    then = (await world.clock.now()).isoformat()
    world.clock.forward(days=1)
    await world.call("DELETE", f"/v1/schedules/{made['id']}", admin, expect=204)
    assert await ids_on_call(world, admin, made["id"], at=then) == [admin.id]
    path = f"/v1/schedules/{made['id']}/on-call"
    await world.call("GET", path, admin, expect=404)
    await world.call("GET", path, admin, params={"at": early}, expect=404)


class Editor:
    """Somebody who changes a schedule in any way there is."""

    def __init__(self, world: World, admin: Person, people: list[int], choose: random.Random):
        self.world, self.admin, self.people, self.choose = world, admin, people, choose
        self.standing: list[str] = []
        self.path = ""

    async def begin(self) -> int:
        made = await schedule(self.world, self.admin, self._layer(), allow_gaps=True)
        self.path = f"/v1/schedules/{made['id']}"
        number: int = made["id"]
        return number

    async def act(self) -> None:
        what = self.choose.choice([self._rewrite, self._put, self._put_layers, self._take_back])
        await what()

    def _layer(self) -> dict[str, Any]:
        kind = self.choose.choice(["hourly", "daily", "weekly", "monthly"])
        people = self.choose.sample(self.people, self.choose.randint(1, 3))
        handoff = f"2026-0{self.choose.randint(1, 9)}-1{self.choose.randint(0, 9)}T07:30"
        rotation = {"kind": kind, "handoff": handoff, "participants": people}
        night = [{"since": "20:00", "until": "08:00"}]
        return {"rotation": rotation, "restrictions": self.choose.choice([[], night])}

    async def _rewrite(self) -> None:
        zone = self.choose.choice(["Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns"])
        layers = [self._layer() for _ in range(self.choose.randint(0, 3))]
        body = {"layers": layers, "time_zone": zone, "allow_gaps": True}
        await self.world.call("PATCH", self.path, self.admin, json=body)

    async def _put(self) -> None:
        one, other = self.choose.sample(self.people, 2)
        body = {**await self._time(), "user_id": one, "replaces": self.choose.choice([None, other])}
        await self._made("overrides", body)

    async def _put_layers(self) -> None:
        body = {**await self._time(), "layers": [self._layer()], "allow_gaps": True}
        await self._made("temporary-schedules", body)

    async def _made(self, kind: str, body: dict[str, Any]) -> None:
        made = await self.world.call(
            "POST", f"{self.path}/{kind}", self.admin, expect=201, json=body
        )
        self.standing.append(f"{self.path}/{kind}/{made['id']}")

    async def _take_back(self) -> None:
        if self.standing:
            gone = self.standing.pop(self.choose.randrange(len(self.standing)))
            await self.world.call("DELETE", gone, self.admin, expect=204)

    async def _time(self) -> dict[str, str]:
        start = await self.world.clock.now() + timedelta(hours=self.choose.randint(-12, 48))
        end = max(start, await self.world.clock.now()) + timedelta(hours=self.choose.randint(1, 90))
        return {"starts_at": start.isoformat(), "ends_at": end.isoformat()}


@pytest.mark.parametrize("seed", range(4))
async def test_no_sequence_of_edits_changes_an_answer_of_before(world: World, seed: int) -> None:
    choose = random.Random(seed)
    admin = await world.admin()
    people = [admin.id] + [(await world.person(f"p{n}@example.org")).id for n in range(4)]
    editor = Editor(world, admin, people, choose)
    number = await editor.begin()
    known: list[tuple[dict[str, str], list[int]]] = []
    present: list[tuple[str, list[int]]] = []
    for _ in range(12):
        await editor.act()
        world.clock.forward(hours=choose.randint(1, 40))
        now = await world.clock.now()
        present.append((now.isoformat(), await ids_on_call(world, admin, number)))
        at = (now + timedelta(hours=choose.randint(-200, 200))).isoformat()
        query = {"at": at, "known_at": now.isoformat()}
        known.append((query, await ids_on_call(world, admin, number, **query)))
    for query, was in known:
        assert await ids_on_call(world, admin, number, **query) == was, query
    for moment, was in present:
        assert await ids_on_call(world, admin, number, at=moment) == was, moment
    await _as_rendered(world, admin, number, present)


async def _as_rendered(
    world: World, admin: Person, number: int, present: list[tuple[str, list[int]]]
) -> None:
    """The answers of the moment are those of one rendering of the whole time."""
    last = datetime.fromisoformat(present[-1][0])
    query = {
        "since": (last - timedelta(days=60)).astimezone(UTC).isoformat(),
        "until": (last + timedelta(days=300)).astimezone(UTC).isoformat(),
    }
    shown = await world.call("GET", f"/v1/schedules/{number}/shifts", admin, params=query)
    spans = [
        (*map(datetime.fromisoformat, (one["starts_at"], one["ends_at"])), one["people"])
        for one in shown["final"]
    ]
    for moment, was in present:
        at = datetime.fromisoformat(moment)
        found = [people for starts, ends, people in spans if starts <= at < ends]
        assert (found or [[]])[0] == was, moment
