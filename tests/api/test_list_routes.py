"""What holds for every list there is, told by the OpenAPI document."""

import re
from typing import Any

import pytest

from tests.api.answers import faulty, refused, send
from tests.api.publishing import publish
from tests.postmortems import begun
from tests.world import World

KNOWN_TO_ALL = {"page", "per_page", "cursor", "sort_by", "sort_order"}


@pytest.fixture
async def document(world: World) -> dict[str, Any]:
    found: dict[str, Any] = await world.call("GET", "/openapi.json")
    return found


def lists(document: dict[str, Any]) -> dict[str, dict[str, dict[str, Any]]]:
    """The parameters of every operation that answers in pages, by path."""
    schemas = document["components"]["schemas"]
    found = {}
    for path, methods in document["paths"].items():
        operation = methods.get("get", {})
        answer = operation.get("responses", {}).get("200", {}).get("content", {})
        ref = answer.get("application/json", {}).get("schema", {}).get("$ref", "")
        if "next_cursor" in schemas.get(ref.rsplit("/", 1)[-1], {}).get("properties", {}):
            parameters = operation["parameters"]
            found[path] = {one["name"]: one for one in parameters if one["in"] == "query"}
    assert len(found) >= 13
    return found


def orders(parameter: dict[str, Any], document: dict[str, Any]) -> list[str]:
    """The words that `sort_by` may be."""
    text = repr(parameter["schema"])
    named = [document["components"]["schemas"][name] for name in re.findall(r"schemas/(\w+)", text)]
    words = [word for one in named for word in one.get("enum", [one.get("const")])]
    assert words, parameter
    return words


def address_of(path: str, key: int) -> str:
    return re.sub(r"\{\w+\}", str(key), path.replace("{user_id}", "me"))


async def test_every_list_takes_pages_cursors_and_an_order(document: dict[str, Any]) -> None:
    for path, parameters in lists(document).items():
        assert parameters.keys() >= KNOWN_TO_ALL, path
        assert all(parameters[name].get("description") for name in KNOWN_TO_ALL - {"per_page"})


async def test_every_list_refuses_what_it_does_not_know_and_names_what_it_does(
    world: World, document: dict[str, Any]
) -> None:
    who = await world.admin()
    for path, parameters in lists(document).items():
        address = address_of(path, 1)
        details = await faulty(world, "GET", f"{address}?stauts=open&per_page=1&x=y", who)
        assert set(details) == {"stauts", "x"}, path
        told = set(details["stauts"].partition("there are: ")[2].split(", "))
        assert told == set(parameters), path


async def test_every_list_refuses_an_order_it_does_not_know_and_names_those_it_does(
    world: World, document: dict[str, Any]
) -> None:
    who = await world.admin()
    for path, parameters in lists(document).items():
        address = address_of(path, 1)
        details = await faulty(world, "GET", f"{address}?sort_by=colour", who)
        words = orders(parameters["sort_by"], document)
        assert all(f"'{word}'" in details["sort_by"] for word in words), (path, details)
        assert "sort_order" in await faulty(world, "GET", f"{address}?sort_order=up", who)


async def test_every_list_can_be_read_in_each_of_its_orders(
    world: World, document: dict[str, Any]
) -> None:
    who = await world.admin()
    incident = await world.declare(who)
    await begun(world, who, incident["id"])
    await publish(world, who, incident)
    for path, parameters in lists(document).items():
        address = address_of(path, incident["id"])
        for word in orders(parameters["sort_by"], document):
            for way in ("asc", "desc"):
                query = f"sort_by={word}&sort_order={way}&per_page=1"
                query += "&search=disk" if word == "relevance" else ""
                response = await send(world, "GET", f"{address}?{query}", who)
                # What hangs on a thing of another kind than an incident is not there.
                is_elsewhere = "{" in path and "{incident_id}" not in path
                expected = {200, 404} if is_elsewhere else {200}
                assert response.status_code in expected, (path, query, response.text)
                cursor = response.json().get("next_cursor")
                if cursor is not None:
                    await world.call("GET", f"{address}?{query}&cursor={cursor}", who)
                    turned = query.replace(way, "desc" if way == "asc" else "asc")
                    await refused(
                        world, "GET", f"{address}?{turned}&cursor={cursor}", who, 422,
                        "INVALID_INPUT",
                    )  # fmt: skip
