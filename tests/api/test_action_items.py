"""Action items: promised, changed, found again by those who have them and those who ask."""

from datetime import timedelta
from typing import Any

import pytest

from tests.api.answers import send
from tests.postmortems import begun, item, resolved
from tests.world import Person, World


async def setting(world: World) -> tuple[Person, Person, dict[str, Any]]:
    """Two people, and the postmortem of an incident."""
    ana = await world.person("ana@example.org", full_name="Ana")
    ben = await world.person("ben@example.org", full_name="Ben")
    return ana, ben, await begun(world, ana, await resolved(world, ana))


async def test_one_is_made_read_changed_and_removed(world: World) -> None:
    ana, ben, postmortem = await setting(world)
    made = await item(world, ana, postmortem["id"], owner_id=ben.id, priority="high")
    assert made["owner"] == {"user_id": ben.id, "name": "Ben"}
    assert (made["state"], made["priority"]) == ("open", "high")
    assert made["postmortem"]["incident_id"] == postmortem["incident"]["id"]
    one = f"/v1/action-items/{made['id']}"
    assert await world.call("GET", one, ana) == made
    done = await world.call("PATCH", one, ben, json={"state": "done"})
    assert done["finished_at"]
    assert done["revision"] == made["revision"] + 1
    again = await world.call("PATCH", one, ben, json={"state": "in_progress"})
    assert again["finished_at"] is None
    await world.call("DELETE", one, ana, expect=204)
    gone = await world.call("GET", one, ana, expect=404)
    assert gone["code"] == "ACTION_ITEM_NOT_FOUND"


async def test_nobody_overwrites_what_they_have_not_seen(world: World) -> None:
    ana, _, postmortem = await setting(world)
    made = await item(world, ana, postmortem["id"])
    one = f"/v1/action-items/{made['id']}"
    seen = {"If-Match": (await send(world, "GET", one, ana)).headers["ETag"]}
    await world.call("PATCH", one, ana, json={"priority": "low"}, headers=seen)
    answer = await world.call(
        "PATCH", one, ana, expect=412, json={"priority": "high"}, headers=seen
    )
    assert answer["details"]["current"]["priority"] == "low"
    assert (await send(world, "DELETE", one, ana, headers=seen)).status_code == 412


async def test_the_same_key_makes_one_item(world: World) -> None:
    ana, _, postmortem = await setting(world)
    where = f"/v1/postmortems/{postmortem['id']}/action-items"
    key = {"Idempotency-Key": "once"}
    body = {"title": "Rotate the logs"}
    first = await world.call("POST", where, ana, expect=201, json=body, headers=key)
    assert await world.call("POST", where, ana, expect=200, json=body, headers=key) == first
    assert (await world.call("GET", where, ana))["total"] == 1


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"title": ""}, "title"),
        ({"title": "x", "due_on": "tomorrow"}, "due_on"),
        ({"title": "x", "due_on": 0}, "due_on"),
        ({"title": "x", "url": "javascript:alert(1)"}, "url"),
        ({"title": "x", "owner_id": 4711}, "owner_id"),
        ({"title": "x", "state": "maybe"}, "state"),
    ],
)
async def test_a_fault_names_its_place(world: World, body: dict[str, Any], where: str) -> None:
    ana, _, postmortem = await setting(world)
    path = f"/v1/postmortems/{postmortem['id']}/action-items"
    answer = await world.call("POST", path, ana, expect=422, json=body)
    assert answer["details"]["errors"][0]["path"] == where


async def test_lists_are_narrowed_to_what_one_asks(world: World) -> None:
    ana, ben, postmortem = await setting(world)
    today = (await world.clock.now()).date()
    where = postmortem["id"]
    late = await item(world, ana, where, owner_id=ana.id, due_on=str(today - timedelta(days=1)))
    due = await item(world, ana, where, owner_id=ana.id, due_on=str(today), title="Check disks")
    done = await item(
        world, ana, where, owner_id=ana.id, due_on=str(today - timedelta(days=9)), state="done"
    )
    free = await item(world, ana, where, priority="low", due_on=None)

    async def found(query: str, who: Person = ana) -> list[int]:
        listed = await world.call("GET", f"/v1/action-items?{query}", who)
        return [one["id"] for one in listed["items"]]

    assert await found("") == [free["id"], done["id"], due["id"], late["id"]]
    assert await found("owner_id=me") == [done["id"], due["id"], late["id"]]
    assert await found("owner_id=me", ben) == []
    assert await found(f"owner_id={ana.id}&state=done") == [done["id"]]
    assert await found("is_overdue=true") == [late["id"]]
    assert await found("is_owned=false") == [free["id"]]
    assert await found("priority=low") == [free["id"]]
    assert await found(f"due_before={today}") == [done["id"], late["id"]]
    assert await found("search=disk") == [due["id"]]
    assert await found(f"incident_id={postmortem['incident']['id']}&state=done") == [done["id"]]
    # What is due on no day comes last.
    order = "sort_by=due_on&sort_order=asc"
    by_day = [done["id"], late["id"], due["id"], free["id"]]
    assert await found(order) == by_day
    page = await world.call("GET", f"/v1/action-items?{order}&per_page=2", ana)
    follows = await found(f"{order}&per_page=2&cursor={page['next_cursor']}")
    assert [one["id"] for one in page["items"]] + follows == by_day


async def test_a_postmortem_has_so_many_and_no_more(world: World) -> None:
    ana, _, postmortem = await setting(world)
    await world.sql(
        "INSERT INTO action_items (postmortem_id, title)"
        " SELECT :id, 'Item ' || n FROM generate_series(1, 100) n",
        id=postmortem["id"],
    )
    where = f"/v1/postmortems/{postmortem['id']}/action-items"
    answer = await world.call("POST", where, ana, expect=409, json={"title": "One more"})
    assert answer["code"] == "TOO_MANY_ACTION_ITEMS"


async def test_of_a_postmortem_that_is_not_there_there_are_none(world: World) -> None:
    ana, _, _ = await setting(world)
    where = "/v1/postmortems/4711/action-items"
    for method, kw in (("GET", {}), ("POST", {"json": {"title": "x"}})):
        answer = await world.call(method, where, ana, expect=404, **kw)
        assert answer["code"] == "POSTMORTEM_NOT_FOUND"
