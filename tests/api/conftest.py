"""Whatever the service answers in these tests, its OpenAPI document must have said that it can."""

import re
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

Operation = tuple[str, re.Pattern[str], dict[str, Any]]


@pytest.fixture(scope="session")
def document(built: FastAPI) -> dict[str, Any]:
    """The OpenAPI document."""
    return built.openapi()


@pytest.fixture(scope="session")
def documented(built: FastAPI) -> list[Operation]:
    """Which methods and paths there are, and what each may answer."""
    return [
        (method.upper(), re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), operation["responses"])
        for path, methods in built.openapi()["paths"].items()
        for method, operation in methods.items()
    ]


@pytest.fixture(autouse=True)
def _only_documented_answers(documented: list[Operation], client: httpx.AsyncClient) -> None:
    async def check(response: httpx.Response) -> None:
        request = response.request
        told = next(
            (
                answers
                for method, path, answers in documented
                if method == request.method and path.fullmatch(request.url.path)
            ),
            None,
        )
        assert told is None or str(response.status_code) in told, (
            f"{request.method} {request.url.path} answered {response.status_code}, which its"
            " OpenAPI entry does not mention"
        )

    client.event_hooks["response"].append(check)
