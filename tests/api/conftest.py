"""One service for all tests of the doors, and a check of everything that it answers.

To build a service takes longer than most of these tests, so they share one; each gets it with
a database of its own. Whatever it answers, its OpenAPI document must have said that it can.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.core.load import load_settings
from app.db.session import Database
from app.main import Setup, create_app
from tests import unlimited


@pytest.fixture(scope="session")
def built(_no_settings_from_outside: None, tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    """A service that has no database yet."""
    settings = load_settings(
        password_rounds=4,
        allow_private_targets="127.0.0.1/32",
        public_url="https://tocsin.test",
        **unlimited.SETTINGS,
    )
    setup = Setup(
        settings=settings,
        database_url="postgresql+asyncpg://nobody@127.0.0.1:1/nothing",
        data_dir=tmp_path_factory.mktemp("data"),
        secret_key="a secret key that is long enough for the tests",
        public_url="https://tocsin.test",
    )
    return create_app(setup, with_worker=False)


@pytest.fixture
def app(built: FastAPI, database: Database) -> Iterator[FastAPI]:
    """The service without its loops: a test turns them by hand."""
    unplugged = built.state.service
    built.state.service = replace(unplugged, database=database)
    yield built
    built.state.service = unplugged
    built.dependency_overrides.clear()


@pytest.fixture(scope="session")
def document(built: FastAPI) -> dict[str, Any]:
    """The OpenAPI document."""
    return built.openapi()


@pytest.fixture(autouse=True)
def _only_documented_answers(document: dict[str, Any], client: httpx.AsyncClient) -> None:
    operations = [
        (method.upper(), re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), operation["responses"])
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]

    async def check(response: httpx.Response) -> None:
        request = response.request
        documented = next(
            (
                answers
                for method, path, answers in operations
                if method == request.method and path.fullmatch(request.url.path)
            ),
            None,
        )
        assert documented is None or str(response.status_code) in documented, (
            f"{request.method} {request.url.path} answered {response.status_code}, which its"
            " OpenAPI entry does not mention"
        )

    client.event_hooks["response"].append(check)
