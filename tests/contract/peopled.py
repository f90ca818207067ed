"""A world with some of everything that the document says can be made.

Nobody lists routes here. What people can make, they make, from the document's own examples;
what they can do to a thing, they do to one thing each. So whatever an operation needs,
something of it is there, under a small key.

Whoever tests an operation has a key far from those, so that no request hits them by chance.
"""

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import asyncpg

from app.domain.user import Role
from tests.conftest import plain
from tests.contract.examples import Examples
from tests.kept import DELETE_ALL
from tests.world import Person, World

FAR_KEY = 1_000_000
# Keys that requests should often use: of what was made for them.
NEAR_KEYS = list(range(1, 9))

Operation = tuple[str, str, dict[str, Any]]


def operations(document: dict[str, Any]) -> list[Operation]:
    """Method, path and entry of every operation, in the document's order."""
    return [
        (method.upper(), path, entry)
        for path, methods in document["paths"].items()
        for method, entry in methods.items()
    ]


def is_for_people(entry: dict[str, Any]) -> bool:
    return any("Login" in way for way in entry.get("security", []))


async def emptied(database_url: str) -> None:
    """Leave empty tables whose keys begin at 1 again, so that a run can be repeated."""
    connection = await asyncpg.connect(plain(database_url))
    try:
        await connection.execute(DELETE_ALL)
    finally:
        await connection.close()
    await keys_from(database_url, 1)


async def keys_from(database_url: str, first: int) -> None:
    connection = await asyncpg.connect(plain(database_url))
    try:
        await connection.execute(
            "SELECT setval(format('%I.%I', schemaname, sequencename), $1, false)"
            " FROM pg_sequences WHERE schemaname = 'public'",
            first,
        )
    finally:
        await connection.close()


@dataclass
class Peopled:
    """Makes what can be made, as an admin."""

    world: World
    document: dict[str, Any]
    admin: Person

    async def fill(self) -> None:
        examples = Examples(self.document)
        things, parts, deeds = self._sorted()
        for method, path, entry in things:
            copies = 1 + len(deeds.get(path, []))
            for number in range(1, copies + 1):
                await self._try(method, path, list(examples.bodies(entry, number)))
        for method, path, entry in parts:
            await self._try(method, _filled(path, 1), list(examples.bodies(entry)))
        for done in deeds.values():
            for number, (method, path, entry) in enumerate(done, 2):
                await self._try(method, _filled(path, number), list(examples.bodies(entry)))

    def _sorted(self) -> tuple[list[Operation], list[Operation], dict[str, list[Operation]]]:
        """What makes things, what makes parts of them, and what is done to which of them."""
        things, parts = [], []
        deeds: dict[str, list[Operation]] = defaultdict(list)
        for operation in operations(self.document):
            method, path, entry = operation
            if method != "POST" or not is_for_people(entry):
                continue
            if "{" not in path:
                if "201" in entry["responses"]:
                    things.append(operation)
            elif "201" in entry["responses"]:
                parts.append(operation)
            else:
                deeds[path.partition("/{")[0]].append(operation)
        return things, parts, deeds

    async def _try(self, method: str, path: str, bodies: list[Any]) -> None:
        """Send bodies until one is taken. None may be: the examples need not fit this world.

        What breaks here is left to the test of that operation, lest it hide all the others.
        """
        for body in bodies:
            answer = await self.world.client.request(
                method, path, json=body, headers=self.admin.headers
            )
            if answer.is_success:
                return


def _filled(path: str, key: int) -> str:
    return re.sub(r"\{\w+\}", str(key), path)


async def people_the_world(world: World, document: dict[str, Any], database_url: str) -> None:
    """Empty tables, then some of everything, then only far keys for what is to come."""
    await emptied(database_url)
    await keys_from(database_url, FAR_KEY)
    admin = await world.admin("maker@example.org")
    await keys_from(database_url, 1)
    await Peopled(world, document, admin).fill()
    await world.climb()  # the first steps: something was sent, and something happened
    await keys_from(database_url, 2 * FAR_KEY)


async def newcomer(world: World, role: Role, number: int) -> Person:
    """Somebody whom nobody has met yet."""
    return await world.person(f"{role}.{number}@example.org", role)
