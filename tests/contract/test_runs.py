"""The runs themselves: they see what is planted, excuse no more than they say, and repeat."""

from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, Path
from fastapi.responses import JSONResponse
from fastapi.security import OAuth2PasswordBearer
from pydantic import BaseModel, ConfigDict, Field

from app.api import errors
from app.api.errors import answers
from app.api.middleware import RequestContext
from tests.contract.runs import EXAMPLES, Seen, run_operation
from tests.contract.served import Server

# A run takes as long as it takes on a machine that does other things, too.
pytestmark = [pytest.mark.contract, pytest.mark.timeout(600)]

TOKEN = {"Authorization": "Bearer good"}
Keyed = Annotated[int, Path(ge=1, le=100)]


class Thing(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=5, examples=["bolt"])
    zone: str = Field("UTC", json_schema_extra={"format": "zone"})


def refused(code: str, *paths: str) -> JSONResponse:
    details = {"errors": [{"path": path, "message": "is wrong"} for path in paths]}
    body = {"code": code, "message": "It is wrong.", "request_id": None, "details": details}
    return JSONResponse(body, 422)


def answering() -> APIRouter:
    """Addresses whose answers are amiss, all but the first."""
    router = APIRouter(responses=answers(422))
    login = OAuth2PasswordBearer("/login", auto_error=False, scheme_name="Login")

    @router.get("/sound/{key}")
    async def sound(key: Keyed) -> dict[str, int]:
        return {"key": key}

    @router.get("/broken/{key}", responses=answers(500))
    async def broken(key: Keyed) -> JSONResponse:
        return JSONResponse({}, 500 if key > 1 else 200)

    @router.get("/silent/{key}")
    async def silent(key: Keyed) -> JSONResponse:
        return JSONResponse({}, 200 if key % 2 else 418)

    @router.get("/misshapen/{key}", response_model=Thing)
    async def misshapen(key: Keyed) -> JSONResponse:
        return JSONResponse({"name": key})

    @router.get("/open/{key}", responses=answers(401), dependencies=[Depends(login)])
    async def left_open(key: Keyed) -> dict[str, int]:
        return {"key": key}

    return router


def taking() -> APIRouter:
    """Addresses that take too much or too little."""
    router = APIRouter(responses=answers(422))

    @router.post("/lax", openapi_extra=body_of(Thing))
    async def lax() -> dict[str, int]:
        return {}

    @router.post("/strict")
    async def strict(thing: Thing) -> JSONResponse:
        return refused("VALIDATION_ERROR", "name") if thing.name else JSONResponse({})

    @router.post("/ruled")
    async def ruled(thing: Thing) -> JSONResponse:
        return refused("NO_SUCH_THING") if thing.name else JSONResponse({})

    @router.post("/zoned")
    async def zoned(thing: Thing) -> JSONResponse:
        return JSONResponse({}) if thing.zone == "UTC" else refused("VALIDATION_ERROR", "zone")

    @router.post("/paired")
    async def paired(thing: Thing) -> JSONResponse:
        return JSONResponse({}) if thing.zone == "UTC" else refused("VALIDATION_ERROR", "")

    @router.put("/mute")
    async def mute(thing: Thing) -> JSONResponse:
        return JSONResponse({}, 422 if thing.name else 200)

    return router


def faulty() -> FastAPI:
    app = FastAPI()
    app.include_router(answering())
    app.include_router(taking())
    errors.install(app)
    app.add_middleware(RequestContext)
    return app


def body_of(model: type[BaseModel]) -> dict[str, Any]:
    content = {"application/json": {"schema": model.model_json_schema()}}
    return {"requestBody": {"required": True, "content": content}}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(faulty()) as running:
        yield running


def run(server: Server, label: str) -> Seen:
    return run_operation(server.url, server.document, label, lambda _: TOKEN)


def checks(seen: Seen) -> set[str]:
    return {finding.check for finding in seen.findings}


def test_nothing_is_amiss_where_nothing_is(server: Server) -> None:
    seen = run(server, "GET /sound/{key}")
    assert not seen.findings, seen.report()
    assert seen.sent["fuzzing"] == EXAMPLES
    assert seen.excused == {}


@pytest.mark.parametrize(
    ("label", "check"),
    [
        ("GET /broken/{key}", "not_a_server_error"),
        ("GET /silent/{key}", "status_code_conformance"),
        ("GET /misshapen/{key}", "response_schema_conformance"),
        ("GET /open/{key}", "ignored_auth"),
        ("POST /lax", "negative_data_rejection"),
        ("POST /strict", "positive_data_acceptance"),
        ("PUT /mute", "positive_data_acceptance"),  # no code of ours, no excuse
    ],
)
def test_a_planted_fault_is_found(server: Server, label: str, check: str) -> None:
    seen = run(server, label)
    assert check in checks(seen), seen.report()
    assert "curl" in seen.report()


@pytest.mark.parametrize(
    ("label", "reason"),
    [
        ("POST /ruled", "refused by a rule that no schema can state"),
        ("POST /paired", "refused for how its fields go together"),
        ("POST /zoned", "the fault is where no schema can say it"),
    ],
)
def test_what_no_schema_can_say_is_excused(server: Server, label: str, reason: str) -> None:
    seen = run(server, label)
    assert not seen.findings, seen.report()
    assert set(seen.excused) == {reason}


def test_a_run_can_be_repeated(server: Server) -> None:
    first, second = run(server, "POST /zoned"), run(server, "POST /zoned")
    assert first.requests == second.requests
    assert len(first.requests) > 50
