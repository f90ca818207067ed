"""Bodies as the OpenAPI document itself shows them."""

from collections.abc import Iterator
from typing import Any

Json = Any
Schema = dict[str, Any]

# What the document's own example of logging in sends.
PASSWORD = "correct horse"
PLAIN: dict[str, Json] = {
    "string": "text",
    "integer": 1,
    "number": 1,
    "boolean": True,
    "null": None,
    "array": [],
    "object": {},
}


class Examples:
    """Reads examples out of one document."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._schemas: dict[str, Schema] = document["components"]["schemas"]

    def bodies(self, operation: dict[str, Any], number: int = 1) -> Iterator[Json]:
        """What to send, likeliest first; each `number` names other things."""
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content is None:
            yield None
            return
        if "example" in content:
            yield content["example"]
            return
        schema = self._resolved(content["schema"])
        required = {name: self._named(schema, name, number) for name in schema.get("required", [])}
        yield required
        for name in schema.get("properties", {}):
            if name not in required:
                yield {**required, name: self._named(schema, name, number)}

    def _named(self, schema: Schema, name: str, number: int) -> Json:
        field = self._resolved(schema["properties"][name])
        shown = self.value(field)
        if number == 1 or not isinstance(shown, str) or "enum" in field:
            return shown
        match field.get("format"):
            case None:
                return f"{shown} {number}"
            case "email":
                return f"{number}.{shown}"
            case _:
                return shown

    def value(self, schema: Schema) -> Json:
        """The example that a schema shows, or the plainest value that fits it."""
        schema = self._resolved(schema)
        if schema.get("examples"):
            return schema["examples"][0]
        for told in ("const", "default"):
            if told in schema:
                return schema[told]
        if "enum" in schema:
            return schema["enum"][0]
        for choice in schema.get("anyOf") or schema.get("oneOf") or []:
            return self.value(choice)
        if schema.get("format") == "password":
            return PASSWORD
        if schema.get("type") == "object":
            return {name: self._named(schema, name, 1) for name in schema.get("required", [])}
        if schema.get("type") == "array" and schema.get("minItems"):
            return [self.value(schema["items"])]
        return PLAIN[schema.get("type", "string")]

    def _resolved(self, schema: Schema) -> Schema:
        if "$ref" not in schema:
            return schema
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        return {**self._schemas[schema["$ref"].rsplit("/", 1)[1]], **beside}
