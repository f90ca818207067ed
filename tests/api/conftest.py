"""Whatever the API answers in these tests, its own document must have said that it can."""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.core.config import load_settings
from app.main import Setup, create_app


@pytest.fixture(scope="session")
def document(_no_settings_from_outside: None) -> dict[str, Any]:
    """The OpenAPI document. It needs no database, and some time."""
    setup = Setup(
        settings=load_settings(password_rounds=4),
        database_url="postgresql+asyncpg://nobody@127.0.0.1:1/nothing",
        data_dir=Path("unused"),
        secret_key="a secret key that is long enough for the tests",
        public_url="https://tocsin.test",
    )
    made: dict[str, Any] = create_app(setup, with_worker=False).openapi()
    return made


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
