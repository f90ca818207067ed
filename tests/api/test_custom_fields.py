"""Adding fields to incidents, changing them, archiving them, and bringing them back."""

import asyncio
from typing import Any

import pytest

from app.services import custom_field as custom_field_service
from tests.api.answers import faulty, refusal, refused, send
from tests.world import Person, World

FIELDS = "/v1/custom-fields"


async def made(world: World, admin: Person, **fields: Any) -> dict[str, Any]:
    body = {"key": "cause", "label": "Root cause", "type": "text", **fields}
    answer: dict[str, Any] = await world.call("POST", FIELDS, admin, expect=201, json=body)
    return answer


async def listed(world: World, who: Person, query: str = "") -> list[str]:
    answer = await world.call("GET", f"{FIELDS}{query}", who)
    assert answer["total"] >= len(answer["items"])
    return [field["key"] for field in answer["items"]]


async def test_a_field_is_made_and_shown(world: World) -> None:
    admin = await world.admin()
    field = await made(
        world, admin, key="region", type="select", options=["eu", "us"], description="Where?"
    )
    times = {name: field[name] for name in ("created_at", "updated_at")}
    assert field == {
        "key": "region",
        "label": "Root cause",
        "type": "select",
        "options": ["eu", "us"],
        "description": "Where?",
        "position": 0,
        "archived_at": None,
        "revision": 1,
        **times,
    }
    viewer = await world.person()
    assert await world.call("GET", f"{FIELDS}/region", viewer) == field


async def test_fields_are_listed_in_their_order_page_by_page(world: World) -> None:
    admin = await world.admin()
    for key, position in (("c", 1), ("a", 2), ("b", 1), ("d", 0)):
        await made(world, admin, key=key, position=position)
    assert await listed(world, admin) == ["d", "c", "b", "a"]
    assert await listed(world, admin, "?page=2&per_page=3") == ["a"]
    first = await world.call("GET", f"{FIELDS}?per_page=3", admin)
    assert first["total"] == 4
    assert await listed(world, admin, f"?per_page=3&cursor={first['next_cursor']}") == ["a"]
    last = await world.call("GET", f"{FIELDS}?per_page=4", admin)
    assert last["next_cursor"] is None


async def test_an_archived_field_is_listed_only_on_demand(world: World) -> None:
    admin = await world.admin()
    await made(world, admin)
    await made(world, admin, key="other")

    await world.call("DELETE", f"{FIELDS}/cause", admin, expect=204)

    assert await listed(world, admin) == ["other"]
    assert await listed(world, admin, "?archived=true") == ["cause", "other"]
    archived = await world.call("GET", f"{FIELDS}/cause", admin)
    assert archived["archived_at"] is not None
    await world.call("DELETE", f"{FIELDS}/cause", admin, expect=204)
    assert await world.call("GET", f"{FIELDS}/cause", admin) == archived


async def test_an_archived_key_comes_back_with_its_own_type_only(world: World) -> None:
    admin = await world.admin()
    await made(world, admin)
    body = {"key": "cause", "label": "Why", "type": "text"}
    await refused(world, "POST", FIELDS, admin, 409, "CUSTOM_FIELD_KEY_TAKEN", json=body)
    await world.call("DELETE", f"{FIELDS}/cause", admin, expect=204)

    other = {**body, "type": "number"}
    details = await refused(world, "POST", FIELDS, admin, 409, "CUSTOM_FIELD_KEY_TAKEN", json=other)
    assert details["type"] == "text"
    revived = await made(world, admin, **body)

    assert (revived["label"], revived["archived_at"]) == ("Why", None)
    assert await listed(world, admin, "?archived=true") == ["cause"]


async def test_only_the_named_things_of_a_field_change(world: World) -> None:
    admin = await world.admin()
    field = await made(world, admin, key="region", type="select", options=["eu", "us"])
    body = {"label": "Region", "options": ["us", "asia"], "position": 3}
    changed = await world.call("PATCH", f"{FIELDS}/region", admin, json=body)
    assert changed == {**field, **body, "revision": 2, "updated_at": changed["updated_at"]}
    for name in ("key", "type", "archived_at"):
        faults = await faulty(world, "PATCH", f"{FIELDS}/region", admin, json={name: "text"})
        assert set(faults) == {name}


async def test_only_a_choice_has_options_and_always_some(world: World) -> None:
    admin = await world.admin()
    await made(world, admin)
    await made(world, admin, key="region", type="multi_select", options=["eu"])
    body = {"options": ["a"]}
    details = await refused(
        world, "PATCH", f"{FIELDS}/cause", admin, 422, "INVALID_INPUT", json=body
    )
    assert details == {"field": "options"}
    assert set(await faulty(world, "PATCH", f"{FIELDS}/region", admin, json={"options": []})) == {
        "options"
    }
    for fault in (
        {"type": "select"},
        {"type": "multi_select", "options": []},
        {"type": "number", "options": ["a"]},
    ):
        body = {"key": "x", "label": "X", **fault}
        assert "" in await faulty(world, "POST", FIELDS, admin, json=body), fault


FAULTY: list[tuple[dict[str, Any], str]] = [
    ({"key": "Cause"}, "key"),
    ({"key": ""}, "key"),
    ({"key": "x" * 51}, "key"),
    ({"label": ""}, "label"),
    ({"label": "x" * 101}, "label"),
    ({"label": "\x00"}, "label"),
    ({"type": "color"}, "type"),
    ({"type": "select", "options": ["a", "a"]}, "options"),
    ({"type": "select", "options": ["a", " a "]}, "options"),
    ({"type": "select", "options": [""]}, "options[0]"),
    ({"type": "select", "options": ["x" * 101]}, "options[0]"),
    ({"type": "select", "options": [str(n) for n in range(101)]}, "options"),
    ({"position": -1}, "position"),
    ({"position": 10**20}, "position"),
    ({"required": True}, "required"),
]


async def test_a_faulty_field_is_told_where_it_is_wrong(world: World) -> None:
    admin = await world.admin()
    for fault, where in FAULTY:
        body = {"key": "cause", "label": "Root cause", "type": "text", **fault}
        assert where in await faulty(world, "POST", FIELDS, admin, json=body), fault


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
async def test_a_field_that_is_not_there(world: World, method: str) -> None:
    admin = await world.admin()
    kw = {"json": {"label": "x"}} if method == "PATCH" else {}
    await refused(world, method, f"{FIELDS}/none", admin, 404, "CUSTOM_FIELD_NOT_FOUND", **kw)
    await faulty(world, method, f"{FIELDS}/No-key", admin, **kw)


async def test_of_four_who_add_the_same_field_at_once_one_does(world: World) -> None:
    admin = await world.admin()
    body = {"key": "cause", "label": "Root cause", "type": "text"}
    answers = await asyncio.gather(
        *(send(world, "POST", FIELDS, admin, json=body) for _ in range(4))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]


async def test_there_is_an_end_to_fields_whoever_adds_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(custom_field_service, "MOST_ACTIVE", 3)
    admin = await world.admin()
    bodies = [{"key": f"k{n}", "label": "x", "type": "text"} for n in range(6)]
    answers = await asyncio.gather(
        *(send(world, "POST", FIELDS, admin, json=body) for body in bodies)
    )
    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [409] * 3
    for answer in answers:
        if answer.status_code == 409:
            refusal(answer, 409, "TOO_MANY_CUSTOM_FIELDS")

    kept = await listed(world, admin)
    await world.call("DELETE", f"{FIELDS}/{kept[0]}", admin, expect=204)
    await made(world, admin, key="next")
    await refused(
        world,
        "POST",
        FIELDS,
        admin,
        409,
        "TOO_MANY_CUSTOM_FIELDS",
        json={"key": kept[0], "label": "x", "type": "text"},
    )
