"""docs/api.md lists every error code that the service can answer, with its status."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from fastapi import FastAPI

from app import main
from app.api.errors import CODE_BY_STATUS, STATUS_BY_KIND
from app.core.errors import NotFoundError, TocsinError
from app.domain.contact_method import MOST_METHODS, MOST_RULES
from app.domain.heartbeat_monitor import PINGS_KEPT
from app.domain.notification import INCIDENT_KINDS
from app.domain.team import MOST_MEMBERS
from app.messages.wording import WORDED_CHANNELS
from app.services.service import MOST_UNCATALOGUED

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "api.md").read_text()
TOLD = re.findall(r"^\| `([A-Z_…]+)` \| (\d{3}) \| .{10,} \|$", PAGE, re.MULTILINE)


def refusals(kind: type[TocsinError]) -> Iterator[type[TocsinError]]:
    for one in kind.__subclasses__():
        yield one
        yield from refusals(one)


def by_kind() -> Iterator[tuple[str, str]]:
    """What services refuse with; all of their modules are imported by the composition root."""
    assert main.create_app
    for refusal in refusals(TocsinError):
        status = next(s for kind, s in STATUS_BY_KIND.items() if issubclass(refusal, kind))
        yield refusal.code, str(status)


def by_hand() -> Iterator[tuple[str, str]]:
    """What is answered past them: `envelope(request_id, 503, "BUSY", …)`."""
    for path in (ROOT / "app" / "api").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(
                    func=ast.Name(id="envelope"),
                    args=[_, ast.Constant(value=int(status)), ast.Constant(value=str(code)), *_],
                ):
                    yield code, str(status)


def test_every_code_is_told_with_its_status() -> None:
    answered = {*by_kind(), *by_hand()}
    answered |= {(code, str(status)) for status, code in CODE_BY_STATUS.items()}
    answered.add((f"…_{NotFoundError.code}", "404"))  # the kind makes one for each thing
    assert set(TOLD) == answered, "tell each code in docs/api.md, with its status"


def test_no_code_is_told_twice() -> None:
    assert len(TOLD) == len({code for code, _ in TOLD})


def test_every_list_without_pages_is_told_with_its_bound(app: FastAPI) -> None:
    document = app.openapi()
    schemas = document["components"]["schemas"]
    whole = set()
    for path, methods in document["paths"].items():
        answer = methods.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
        ref = answer.get("application/json", {}).get("schema", {}).get("$ref", "")
        fields = schemas.get(ref.rpartition("/")[2], {}).get("properties", {})
        if "items" in fields and "next_cursor" not in fields:
            whole.add(path)
    table = PAGE.partition("| list | holds at most |")[2].partition("\n\n")[0]
    told = dict(re.findall(r"^\| `(\S+)` \| (\d*)", table, re.MULTILINE))
    assert set(told) == whole
    assert {path.rpartition("/")[2]: int(most) for path, most in told.items() if most} == {
        "message-templates": len(INCIDENT_KINDS) * len(WORDED_CHANNELS),
        "contact-methods": MOST_METHODS,
        "notification-rules": MOST_RULES,
        "pings": PINGS_KEPT,
        "members": MOST_MEMBERS,
        "uncatalogued": MOST_UNCATALOGUED,
    }


def test_the_page_names_only_routes_that_there_are(app: FastAPI) -> None:
    known = {re.sub(r"\{\w+\}", "…", path) for path in app.openapi()["paths"]}
    for method, path in re.findall(r"`(?:(GET|POST|PATCH|PUT|DELETE) )?(/[\w/.-]+)`", PAGE):
        if path in {"/v1", "/v2", "/docs", "/redoc", "/openapi.json"}:
            continue
        assert path in known, path
        assert not method or method.lower() in app.openapi()["paths"][path]
