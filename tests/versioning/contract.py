"""An OpenAPI document taken apart into what clients may count on.

Two kinds of statements are enough to tell a breaking change. A *promise* is something a client may
use: a route, a parameter, a field it may send, a field that it always finds. None may go. A
*demand* is something a client has to cope with: a field it must send, a type an answer may have, a
bound. None may come to what was there before; what is new may demand what it likes.

Names of operations and schemas are promises, too: generated clients are written with them.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Schema = Mapping[str, Any]

METHODS = ("get", "put", "post", "delete", "patch", "head", "options")
UPPER_BOUNDS = ("maxLength", "maximum", "exclusiveMaximum", "maxItems", "maxProperties")
BOUND_TEXT = {"enum", "const", "pattern", "format"}
LOWER_BOUNDS = ("minLength", "minimum", "exclusiveMinimum", "minItems", "minProperties")


class Demand(NamedTuple):
    """What clients must cope with; `limit` is the number of a bound."""

    subject: str
    what: str
    limit: float | None = None


@dataclass
class Contract:
    """Everything a document promises and demands."""

    promises: set[str] = field(default_factory=set)
    demands: set[Demand] = field(default_factory=set)

    def lines(self) -> list[str]:
        """One statement a line, sorted: so that a difference is read like any other."""
        told = [f"promise {text}" for text in self.promises]
        told += [f"demand {json.dumps(demand, ensure_ascii=False)}" for demand in self.demands]
        return sorted(told)


def read(lines: list[str]) -> Contract:
    """The contract that such lines tell."""
    found = Contract()
    for line in lines:
        kind, _, text = line.partition(" ")
        if kind == "promise":
            found.promises.add(text)
        elif kind == "demand":
            found.demands.add(Demand(*json.loads(text)))
    return found


def of(document: Schema) -> Contract:
    """The contract of an OpenAPI document."""
    return _Reader(document).contract


class _Reader:
    """Walks a document; a schema is met once for each direction that it travels in."""

    def __init__(self, document: Schema) -> None:
        self.contract = Contract()
        self._document = document
        self._met: set[tuple[str, str]] = set()
        for path, item in document["paths"].items():
            for method in METHODS:
                if method in item:
                    shared = item.get("parameters", [])
                    self._operation(f"{method.upper()} {path}", item[method], shared)

    def _promise(self, text: str) -> None:
        self.contract.promises.add(text)

    def _demand(self, subject: str, what: str, limit: float | None = None) -> None:
        self.contract.demands.add(Demand(subject, what, limit))

    def _operation(self, name: str, operation: Schema, shared: list[Schema]) -> None:
        self._promise(name)
        self._promise(f"{name} is called {operation['operationId']}")
        for parameter in [*shared, *operation.get("parameters", [])]:
            where = f"{name} {parameter['in']} {parameter['name']}"
            self._promise(where)
            if parameter.get("required"):
                self._demand(name, f"needs {parameter['in']} {parameter['name']}")
            self._taken(where, _without_null(parameter["schema"]))
            self._taken_in_an_address(where, parameter)
        body = operation.get("requestBody", {})
        if body.get("required"):
            self._demand(name, "needs a body")
        for kind, content in body.get("content", {}).items():
            self._promise(f"{name} body {kind}")
            self._taken(f"{name} body {kind}", content.get("schema", {}))
        for status, answer in operation["responses"].items():
            self._promise(f"{name} answers {status}")
            for kind, content in answer.get("content", {}).items():
                self._promise(f"{name} answers {status} {kind}")
                self._given(f"{name} answers {status} {kind}", content.get("schema", {}))
        self._security(name, operation.get("security"))

    def _taken_in_an_address(self, where: str, parameter: Schema) -> None:
        """There every value is a text, and one value a list of one."""
        for one in _alternatives(parameter["schema"]):
            if one.get("type") == "array" and parameter["in"] == "query":
                self._taken(where, one["items"])
            elif one.get("type") == "string" and not BOUND_TEXT & one.keys():
                for form in ("integer", "number", "boolean"):
                    self._promise(f"{where} takes {form}")

    def _security(self, name: str, ways: list[Schema] | None) -> None:
        if not ways:
            self._promise(f"{name} is open")
        for way in ways or ():
            self._promise(f"{name} lets in {'+'.join(sorted(way)) or 'anybody'}")

    def _taken(self, where: str, schema: Schema) -> None:
        """What clients send: every form that is taken is a promise, every condition a demand."""
        for one in map(self._known, _alternatives(schema)):
            named = self._named(one, "in")
            form = named or _form(one)
            self._promise(f"{where} takes {form}")
            for bound in (*UPPER_BOUNDS, *LOWER_BOUNDS):
                if bound in one:
                    self._demand(where, bound, float(one[bound]))
            if "pattern" in one:
                self._demand(where, f"matches {one['pattern']}")
            values = _values(one)
            if values:
                self._demand(where, "knows no other values")
            for value in values:
                self._promise(f"{where} takes the value {json.dumps(value)}")
            if named is None:
                self._within(where, one, "in")

    def _given(self, where: str, schema: Schema) -> None:
        """What clients get: every form that may come is a demand."""
        for one in map(self._known, _alternatives(schema)):
            named = self._named(one, "out")
            self._demand(where, f"may be {named or _form(one)}")
            if named is None:
                self._within(where, one, "out")

    def _known(self, schema: Schema) -> Schema:
        """A list of values is the same whether it has a name or not."""
        if "$ref" not in schema:
            return schema
        target: Schema = self._document["components"]["schemas"][_name(schema)]
        return target if "enum" in target else schema

    def _named(self, schema: Schema, way: str) -> str | None:
        """The name of a schema that stands in the document's list, which is then read, too."""
        if "$ref" not in schema:
            return None
        name = _name(schema)
        if (way, name) not in self._met:
            self._met.add((way, name))
            self._promise(f"{way} {name}")
            walk = self._taken if way == "in" else self._given
            walk(f"{way} {name}", self._document["components"]["schemas"][name])
        return name

    def _within(self, where: str, schema: Schema, way: str) -> None:
        walk = self._taken if way == "in" else self._given
        required = set(schema.get("required", ()))
        for name, inner in schema.get("properties", {}).items():
            self._promise(f"{where}.{name}")
            if name in required and way == "in":
                self._demand(where, f"needs {name}")
            elif name in required:
                self._promise(f"{where}.{name} is always there")
            walk(f"{where}.{name}", inner)
        if schema.get("type") == "array":
            self._promise(f"{where}[]")
            walk(f"{where}[]", schema.get("items", {}))
        others = schema.get("additionalProperties")
        if isinstance(others, Mapping):
            self._promise(f"{where}{{}}")
            walk(f"{where}{{}}", others)
        elif others is False and way == "in":
            self._demand(where, "knows no other fields")


def _name(schema: Schema) -> str:
    return str(schema["$ref"]).rsplit("/", 1)[1]


def _alternatives(schema: Schema) -> Iterator[Schema]:
    """Each form that a value may have."""
    for word in ("anyOf", "oneOf", "allOf"):
        if word in schema:
            for one in schema[word]:
                yield from _alternatives(one)
            return
    if isinstance(schema.get("type"), list):
        for word in schema["type"]:
            yield {**schema, "type": word}
        return
    yield schema


def _without_null(schema: Schema) -> Schema:
    """Outside of a body nobody can send null, whatever the framework writes."""
    forms = [one for one in _alternatives(schema) if one.get("type") != "null"]
    return {"anyOf": forms}


def _form(schema: Schema) -> str:
    form = str(schema.get("type", "anything"))
    if "format" in schema:
        form += f" ({schema['format']})"
    return form


def _values(schema: Schema) -> list[Any]:
    return [schema["const"]] if "const" in schema else list(schema.get("enum", ()))


# --- Two of them --------------------------------------------------------------------------


def breaks(old: Contract, new: Contract) -> list[str]:
    """What a client of the old one would stumble over in the new one, a sentence each."""
    gone = sorted(old.promises - new.promises)
    found = [f"gone: {text}" for text in gone if not _is_part_of_another(text, gone)]
    before = {(demand.subject, demand.what): demand.limit for demand in old.demands}
    for demand in sorted(new.demands, key=str):
        if demand.subject not in old.promises:
            continue
        if (demand.subject, demand.what) not in before:
            found.append(f"new demand: {demand.subject} {_told(demand)}")
        elif _is_tighter(demand, before[demand.subject, demand.what]):
            found.append(f"tighter: {demand.subject} {_told(demand)}")
    return found


def _is_part_of_another(text: str, gone: list[str]) -> bool:
    """A route that is gone need not be told with each of its fields."""
    return any(
        text != other and text.startswith((f"{other} ", f"{other}.", f"{other}[")) for other in gone
    )


def _is_tighter(demand: Demand, before: float | None) -> bool:
    if demand.limit is None or before is None:
        return False
    if demand.what in UPPER_BOUNDS:
        return demand.limit < before
    return demand.limit > before


def _told(demand: Demand) -> str:
    return demand.what if demand.limit is None else f"{demand.what} {demand.limit:g}"
