"""A change that would break a client is seen, whatever its form; one that would not is let pass."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.versioning.contract import breaks, of, read

Document = dict[str, Any]


def document() -> Document:
    """A small API with one of everything."""
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    shown = {"application/json": {"schema": {"$ref": "#/components/schemas/ThingRead"}}}
    made = {"application/json": {"schema": {"$ref": "#/components/schemas/ThingCreate"}}}
    severity = {"type": "string", "enum": ["low", "high"]}
    return {
        "paths": {
            "/things": {
                "get": {
                    "operationId": "list_things",
                    "parameters": [
                        {"in": "query", "name": "page", "schema": {"type": "integer", "minimum": 1}}
                    ],
                    "responses": {"200": {"content": shown}, "422": {"content": error}},
                },
                "post": {
                    "operationId": "make_thing",
                    "requestBody": {"required": True, "content": made},
                    "responses": {"201": {"content": shown}},
                    "security": [{"Login": []}, {"Key": []}],
                },
            }
        },
        "components": {
            "schemas": {
                "Error": {"type": "object", "properties": {"code": {"type": "string"}}},
                "Severity": severity,
                "ThingCreate": {
                    "type": "object",
                    "required": ["name"],
                    "properties": {
                        "name": {"type": "string", "maxLength": 100, "minLength": 2},
                        "severity": {"$ref": "#/components/schemas/Severity"},
                        "tags": {"type": "array", "items": {"type": "string"}},
                        "due": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
                    },
                },
                "ThingRead": {
                    "type": "object",
                    "required": ["id", "owner"],
                    "properties": {
                        "id": {"type": "integer"},
                        "severity": {"$ref": "#/components/schemas/Severity"},
                        "owner": {
                            "type": "object",
                            "properties": {"email": {"type": "string", "format": "email"}},
                        },
                        "late": {"anyOf": [{"type": "number"}, {"type": "null"}]},
                    },
                },
            }
        },
    }


def schemas(changed: Document) -> Any:
    return changed["components"]["schemas"]


def field(changed: Document, schema: str, name: str) -> Any:
    return schemas(changed)[schema]["properties"][name]


def operation(changed: Document, method: str) -> Any:
    return changed["paths"]["/things"][method]


Change = Callable[[Document], object]
BREAKING: dict[str, tuple[Change, str]] = {
    "a path goes": (lambda d: d["paths"].clear(), "gone: GET /things"),
    "a method goes": (lambda d: d["paths"]["/things"].pop("post"), "gone: POST /things"),
    "an operation is called something else": (
        lambda d: operation(d, "get").update(operationId="things"),
        "gone: GET /things is called list_things",
    ),
    "a parameter goes": (
        lambda d: operation(d, "get")["parameters"].clear(),
        "gone: GET /things query page",
    ),
    "a parameter comes that must be sent": (
        lambda d: operation(d, "get")["parameters"].append(
            {"in": "query", "name": "team", "required": True, "schema": {"type": "string"}}
        ),
        "new demand: GET /things needs query team",
    ),
    "an optional parameter must be sent now": (
        lambda d: operation(d, "get")["parameters"][0].update(required=True),
        "new demand: GET /things needs query page",
    ),
    "a parameter has another type": (
        lambda d: operation(d, "get")["parameters"][0].update(schema={"type": "boolean"}),
        "gone: GET /things query page takes integer",
    ),
    "a field must be sent now": (
        lambda d: schemas(d)["ThingCreate"]["required"].append("severity"),
        "new demand: in ThingCreate needs severity",
    ),
    "a field comes that must be sent": (
        lambda d: (
            schemas(d)["ThingCreate"]["properties"].update(team={"type": "string"}),
            schemas(d)["ThingCreate"]["required"].append("team"),
        ),
        "new demand: in ThingCreate needs team",
    ),
    "a field may not be sent any more": (
        lambda d: schemas(d)["ThingCreate"]["properties"].pop("tags"),
        "gone: in ThingCreate.tags",
    ),
    "null may not be sent any more": (
        lambda d: schemas(d)["ThingCreate"]["properties"].update(due={"type": "integer"}),
        "gone: in ThingCreate.due takes null",
    ),
    "what is in a list has another type": (
        lambda d: field(d, "ThingCreate", "tags").update(items={"type": "integer"}),
        "gone: in ThingCreate.tags[] takes string",
    ),
    "fewer values are taken": (
        lambda d: schemas(d)["Severity"].update(enum=["low"]),
        'gone: in ThingCreate.severity takes the value "high"',
    ),
    "a text is bound to some values": (
        lambda d: field(d, "ThingCreate", "name").update(enum=["one"]),
        "new demand: in ThingCreate.name knows no other values",
    ),
    "an upper bound falls": (
        lambda d: field(d, "ThingCreate", "name").update(maxLength=50),
        "tighter: in ThingCreate.name maxLength 50",
    ),
    "a lower bound rises": (
        lambda d: field(d, "ThingCreate", "name").update(minLength=3),
        "tighter: in ThingCreate.name minLength 3",
    ),
    "a bound comes": (
        lambda d: field(d, "ThingCreate", "tags").update(maxItems=3),
        "new demand: in ThingCreate.tags maxItems 3",
    ),
    "a pattern comes": (
        lambda d: field(d, "ThingCreate", "name").update(pattern="^a"),
        "new demand: in ThingCreate.name matches ^a",
    ),
    "unknown fields are refused now": (
        lambda d: schemas(d)["ThingCreate"].update(additionalProperties=False),
        "new demand: in ThingCreate knows no other fields",
    ),
    "a body must be sent now": (
        lambda d: operation(d, "get").update(
            requestBody={"required": True, "content": {"text/plain": {}}}
        ),
        "new demand: GET /things needs a body",
    ),
    "an answer lacks a field": (
        lambda d: schemas(d)["ThingRead"]["properties"].pop("severity"),
        "gone: out ThingRead.severity",
    ),
    "an answer lacks a field further in": (
        lambda d: field(d, "ThingRead", "owner")["properties"].clear(),
        "gone: out ThingRead.owner.email",
    ),
    "a field is not always there any more": (
        lambda d: schemas(d)["ThingRead"]["required"].remove("id"),
        "gone: out ThingRead.id is always there",
    ),
    "a field of an answer may be null now": (
        lambda d: schemas(d)["ThingRead"]["properties"].update(
            id={"anyOf": [{"type": "integer"}, {"type": "null"}]}
        ),
        "new demand: out ThingRead.id may be null",
    ),
    "a field of an answer has another type": (
        lambda d: field(d, "ThingRead", "id").update(type="string"),
        "new demand: out ThingRead.id may be string",
    ),
    "an answer goes": (
        lambda d: operation(d, "get")["responses"].pop("422"),
        "gone: GET /things answers 422",
    ),
    "an answer is another one": (
        lambda d: operation(d, "post")["responses"]["201"]["content"].update(
            {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
        ),
        "new demand: POST /things answers 201 application/json may be Error",
    ),
    "an answer comes in another format": (
        lambda d: operation(d, "post")["responses"]["201"].update(content={"text/csv": {}}),
        "gone: POST /things answers 201 application/json",
    ),
    "a way in is closed": (
        lambda d: operation(d, "post")["security"].pop(),
        "gone: POST /things lets in Key",
    ),
    "an open route wants a login": (
        lambda d: operation(d, "get").update(security=[{"Login": []}]),
        "gone: GET /things is open",
    ),
}
HARMLESS: dict[str, Change] = {
    "nothing changes": lambda d: None,
    "words change": lambda d: operation(d, "get").update(summary="All things", description="…"),
    "a path comes": lambda d: d["paths"].update(
        {"/more": {"get": {**operation(d, "post"), "operationId": "more"}}}
    ),
    "a parameter comes": lambda d: operation(d, "get")["parameters"].append(
        {"in": "query", "name": "team", "schema": {"type": "string"}}
    ),
    "a field may be sent": lambda d: schemas(d)["ThingCreate"]["properties"].update(
        team={"type": "string", "maxLength": 5}
    ),
    "a field need not be sent": lambda d: schemas(d)["ThingCreate"]["required"].clear(),
    "an answer has another field": lambda d: schemas(d)["ThingRead"]["properties"].update(
        team={"anyOf": [{"type": "string"}, {"type": "null"}]}
    ),
    "a field is always there now": lambda d: schemas(d)["ThingRead"]["required"].append("late"),
    "a field of an answer is never null now": lambda d: schemas(d)["ThingRead"][
        "properties"
    ].update(late={"type": "number"}),
    "more values are taken": lambda d: schemas(d)["Severity"]["enum"].append("critical"),
    "an upper bound rises": lambda d: field(d, "ThingCreate", "name").update(maxLength=200),
    "a bound goes": lambda d: field(d, "ThingCreate", "name").pop("minLength"),
    "a parameter may be repeated": lambda d: operation(d, "get")["parameters"][0].update(
        schema={"type": "array", "items": {"type": "integer", "minimum": 1}}
    ),
    "a parameter may be a word, too": lambda d: operation(d, "get")["parameters"][0].update(
        schema={"type": "string"}
    ),
    "a list of values gets a name": lambda d: (
        schemas(d).update(Level=copy.deepcopy(schemas(d)["Severity"])),
        field(d, "ThingCreate", "severity").update({"$ref": "#/components/schemas/Level"}),
    ),
    "another error": lambda d: operation(d, "get")["responses"].update({"429": {}}),
    "another way in": lambda d: operation(d, "post")["security"].append({"Cookie": []}),
}


def after(change: Change) -> Document:
    changed = copy.deepcopy(document())
    change(changed)
    return changed


@pytest.mark.parametrize("name", BREAKING)
def test_what_would_break_a_client_is_told(name: str) -> None:
    change, sentence = BREAKING[name]
    assert sentence in breaks(of(document()), of(after(change)))


@pytest.mark.parametrize("name", HARMLESS)
def test_what_clients_do_not_notice_is_let_pass(name: str) -> None:
    assert breaks(of(document()), of(after(HARMLESS[name]))) == []


def test_a_route_that_goes_is_told_once() -> None:
    told = breaks(of(document()), of(after(lambda d: d["paths"]["/things"].pop("get"))))
    assert told == ["gone: GET /things", "gone: out Error"]


def test_what_is_written_down_is_read_back() -> None:
    contract = of(document())
    assert read(contract.lines()) == contract
    assert contract.lines() == sorted(contract.lines())
