"""One served service a worker; for each test, a world that has some of everything."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app.domain.user import Role
from tests.contract.peopled import is_for_people, newcomer, people_the_world
from tests.contract.remembered import Remembered
from tests.contract.runs import Credentialer, Credentials
from tests.contract.served import Served


@pytest.fixture(scope="session")
def served(
    _no_settings_from_outside: None,
    database_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Served]:
    """The service on a port, on this worker's database."""
    with Served(database_url, tmp_path_factory.mktemp("served")) as running:
        yield running


@pytest.fixture(scope="session")
def remembered(served: Served, database_url: str) -> Remembered:
    """Some of everything, made through the API once."""
    served.run(people_the_world(served.world(), served.document, database_url))
    return served.run(Remembered.of(database_url))


@pytest.fixture
def peopled(served: Served, remembered: Remembered, database_url: str) -> Served:
    """The service with some of everything in it."""
    served.run(remembered.put_back(database_url))
    return served


@pytest.fixture
def as_(peopled: Served) -> Callable[[str], Credentialer]:
    """Credentials by what an operation asks for; each time those of somebody new.

    A run may end the session it uses, change its password or deactivate its account: then
    somebody else goes on.
    """
    world, numbers = peopled.world(), itertools.count(1)
    kinds = peopled.document["components"]["schemas"]["IntegrationKind"]["enum"]

    def of_role(role: Role) -> Credentials:
        return peopled.run(newcomer(world, role, next(numbers))).headers

    def key(entry: dict[str, Any]) -> Credentials:
        said = [kind for kind in kinds if kind in entry["operationId"]]
        admin = peopled.run(newcomer(world, Role.ADMIN, next(numbers)))
        name = f"tool {next(numbers)}"
        made = world.integration_key(admin, said[0] if said else "alerts", name=name)
        return {"X-API-Key": peopled.run(made)}

    def chosen(who: str) -> Credentialer:
        def credentials(entry: dict[str, Any]) -> Credentials | None:
            if who == "nobody" or not entry.get("security"):
                return None
            if who == "viewer":
                return of_role(Role.VIEWER)
            return of_role(Role.ADMIN) if is_for_people(entry) else key(entry)

        return credentials

    return chosen
