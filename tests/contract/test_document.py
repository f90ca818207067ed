"""The OpenAPI document by itself: whole and clear enough to work from.

What is true of every operation's names and answers stands in `tests/api/test_openapi.py`.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.peopled import operations
from tests.contract.served import described

Schema = dict[str, Any]
SAID = ("examples", "example", "enum", "const")


@pytest.fixture(scope="module")
def document(_no_settings_from_outside: None) -> dict[str, Any]:
    return described()


def resolved(schema: Schema, document: dict[str, Any]) -> Schema:
    if "$ref" not in schema:
        return schema
    beside = {key: value for key, value in schema.items() if key != "$ref"}
    found: Schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return {**found, **beside}


def bodies(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Whose body, and what its media type holds."""
    for method, path, entry in operations(document):
        for kind, content in entry.get("requestBody", {}).get("content", {}).items():
            yield f"{method} {path} {kind}", content


def members(schema: Schema) -> list[Schema]:
    """Those of a union, each with what is said of the union."""
    said = {name: schema[name] for name in ("description", "examples") if name in schema}
    return [
        {**said, **member}
        for union in ("anyOf", "oneOf", "allOf")
        for member in schema.get(union, [])
    ]


def parts(
    schema: Schema, document: dict[str, Any], seen: frozenset[str] = frozenset()
) -> Iterator[Schema]:
    """The schema and everything in it, each once along a way."""
    reference = schema.get("$ref", "")
    if reference in seen:
        return
    here = resolved(schema, document)
    yield here
    inner = (here.get("items"), here.get("additionalProperties"))
    for part in (
        *here.get("properties", {}).values(),
        *members(here),
        *(part for part in inner if isinstance(part, dict)),
    ):
        yield from parts(part, document, seen | ({reference} if reference else set()))


def shows_an_example(content: dict[str, Any], document: dict[str, Any]) -> bool:
    """Of the whole body, or of each field that must be there, or of some that may."""
    schema = resolved(content["schema"], document)
    if any(said in content or said in schema for said in SAID[:2]):
        return True
    if "properties" not in schema:
        return any(shows_an_example({"schema": form}, document) for form in members(schema))
    fields = {
        name: any(
            said in part or part.get("format") == "password"  # which is nobody's to show
            for part in parts(field, document)
            for said in SAID
        )
        for name, field in schema["properties"].items()
    }
    needed = schema.get("required", [])
    return all(fields[name] for name in needed) if needed else any(fields.values())


def test_every_body_shows_an_example(document: dict[str, Any]) -> None:
    without = [
        name for name, content in bodies(document) if not shows_an_example(content, document)
    ]
    assert not without, "\n".join(without)


def is_free(schema: Schema) -> bool:
    """Whether anything at all may stand here."""
    told = {"$ref", "type", "anyOf", "oneOf", "allOf", "enum", "const"}
    is_open_object = schema.get("type") == "object" and not schema.get("properties")
    return not told & set(schema) or (
        is_open_object and schema.get("additionalProperties") in (None, True, {})
    )


def test_free_json_is_explained_wherever_people_may_send_it(document: dict[str, Any]) -> None:
    mute = [
        (name, part)
        for name, content in bodies(document)
        for part in parts(content["schema"], document)
        if is_free(part) and not part.get("description") and "example" not in content
    ]
    assert mute == []


def test_every_body_is_an_object_or_free(document: dict[str, Any]) -> None:
    for name, content in bodies(document):
        schema = resolved(content["schema"], document)
        forms = [schema] if "type" in schema else members(schema)
        if name.startswith(("POST /v1/ping/", "POST /v1/subscriber-imports ")):
            continue  # a note, as a script writes it; a file
        types = {resolved(form, document).get("type") for form in forms}
        assert types <= {"object", "null"} or schema == {}, name


def test_every_schema_has_a_name_of_its_own(document: dict[str, Any]) -> None:
    # Of two of one name each is called by its module, and generated clients have neither.
    assert [name for name in document["components"]["schemas"] if "__" in name] == []


def test_every_body_has_a_form_that_generated_clients_know(document: dict[str, Any]) -> None:
    kinds = {name.rsplit(" ", 1)[1] for name, _ in bodies(document)}
    assert kinds == {
        "application/json",
        "application/octet-stream",
        "application/x-www-form-urlencoded",
    }


def test_an_address_has_one_tag(document: dict[str, Any]) -> None:
    tags: dict[str, set[str]] = defaultdict(set)
    for method, path, entry in operations(document):
        assert len(entry["tags"]) == 1, (method, path)
        tags[path.removesuffix("/me")] |= set(entry["tags"])
    assert [(path, found) for path, found in tags.items() if len(found) > 1] == []


def test_every_parameter_of_a_query_is_typed(document: dict[str, Any]) -> None:
    for method, path, entry in operations(document):
        for parameter in entry.get("parameters", []):
            assert not is_free(parameter["schema"]), (method, path, parameter["name"])


def test_what_cannot_be_null_is_not_said_to_be(document: dict[str, Any]) -> None:
    """A default of null where null is refused would be sent back by generated clients."""
    for name, content in bodies(document):
        for field, schema in resolved(content["schema"], document).get("properties", {}).items():
            may_be_null = any(part.get("type") == "null" for part in parts(schema, document))
            if "default" in schema and schema["default"] is None:
                assert may_be_null, (name, field)
