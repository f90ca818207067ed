"""What schemathesis may call amiss and is not: each as narrow as can be, with its reason.

A server error has no excuse.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from schemathesis.core.failures import Failure
from schemathesis.generation.case import Case
from schemathesis.openapi.checks import AllowHeaderMismatch

from tests.contract.answers import Answer

Document = dict[str, Any]
Schema = dict[str, Any]


@dataclass(frozen=True)
class Seeming:
    """What a check thinks is amiss, with all that may speak for it."""

    check: str
    failure: Failure
    case: Case
    answer: Answer
    document: Document

    @property
    def entry(self) -> dict[str, Any]:
        """The operation's entry in the document."""
        entry: dict[str, Any] = self.case.operation.definition.raw
        return entry


def excuse(seeming: Seeming) -> str | None:
    """Why this is no finding, or None if it is one."""
    if seeming.check == "not_a_server_error":
        return None
    for checks, reason, holds in EXCUSES:
        if seeming.check in checks and holds(seeming):
            return reason
    return None


# --- positive_data_acceptance: well formed by the schema, and refused


def _is_refused_by_a_rule(seeming: Seeming) -> bool:
    """Whether the answer says that the request was well formed and cannot be done all the same.

    The schema promises what is well formed; breaking it is always a `VALIDATION_ERROR`. A rule
    that looks at what is stored, or at two parameters at once, has a code of its own.
    """
    answer = seeming.answer
    return answer.status in (400, 412, 422) and answer.code not in (None, "VALIDATION_ERROR")


def _is_about_the_whole(seeming: Seeming) -> bool:
    """Whether the fault is in no field, but between them, like `until` beside `minutes`."""
    return seeming.answer.faults == [""]


def _is_for_a_template_to_say(seeming: Seeming) -> bool:
    """Whether an incident was declared without a template and without what one would say."""
    body, faults = seeming.case.body, seeming.answer.faults
    return (
        isinstance(body, dict)
        and seeming.case.operation.label == "POST /v1/incidents"
        and body.get("template_id") is None
        and any(body.get(name) is None for name in ("title", "severity", "service"))
        and all(body.get(fault) is None for fault in faults)
    )


def _is_said_elsewhere(seeming: Seeming) -> bool:
    """Whether every fault is where a schema cannot say it: in a text whose `format` is stated or
    that is measured without its blanks (a label's name is one, too), or between the parts of an
    object or a list, like a name that is in it twice.

    JSON Schema has no way to say what a mail address or a time zone is; `format` is the word.
    """
    faults = seeming.answer.faults
    return bool(faults) and all(
        _is_whole_or_padded(_value(seeming.case.body, _steps(fault)))
        or _is_padded(_steps(fault)[-1:])
        or _has_a_format(seeming, _steps(fault))
        for fault in faults
    )


def _is_whole_or_padded(value: object) -> bool:
    return isinstance(value, dict | list) or _is_padded([value])


def _is_padded(texts: Iterable[object]) -> bool:
    return any(isinstance(text, str) and text.strip() != text for text in texts)


def _has_a_format(seeming: Seeming, steps: list[str]) -> bool:
    body = seeming.entry.get("requestBody", {}).get("content", {})
    schema = body.get("application/json", {}).get("schema", {})
    asked = [one["schema"] for one in seeming.entry.get("parameters", ()) if [one["name"]] == steps]
    found = [field for one in asked for field in _fields(one, [], seeming.document)]
    return any("format" in field for field in (*found, *_fields(schema, steps, seeming.document)))


def _fits_without_blanks(seeming: Seeming) -> bool:
    """Whether what is too long has blanks around it, and so is not."""
    return "`maxLength`" in seeming.failure.message and any(
        text.strip() != text for text in _texts(seeming.case.body)
    )


# --- an address that is also another operation's


def _is_anothers(seeming: Seeming) -> bool:
    """`/users/{user_id}` with the key `me` is `/users/me`."""
    address, case = seeming.case.formatted_path, seeming.case
    methods = seeming.document["paths"].get(address, {})
    return address != case.operation.path and case.method.lower() in methods


def _has_that_method(seeming: Seeming) -> bool:
    """`DELETE /users/me` is `DELETE /users/{user_id}`, which says what it makes of `me`."""
    if isinstance(seeming.failure, AllowHeaderMismatch):
        told = {method.lower() for method in seeming.failure.undocumented_methods}
        return not seeming.failure.missing_methods and told <= _methods_here(seeming)
    return seeming.case.method.lower() in _methods_here(seeming)


def _methods_here(seeming: Seeming) -> set[str]:
    address = seeming.case.formatted_path
    return {
        method
        for path, methods in seeming.document["paths"].items()
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), address)
        for method in methods
    }


# --- the rest


def _is_about_another_thing(seeming: Seeming) -> bool:
    """`USER_NOT_FOUND` says nothing against the incident of `/incidents/{incident_id}`."""
    missing = (seeming.answer.code or "").removesuffix("_NOT_FOUND").lower()
    return missing != "" and f"{missing}_id" not in seeming.case.path_parameters


def _is_taken_in(seeming: Seeming) -> bool:
    """Whether a tool sent it with its key: unreadable alerts open an incident."""
    is_for_tools = any("IntegrationKey" in way for way in seeming.entry.get("security", []))
    return is_for_tools and seeming.answer.status == 200


ANY_CHECK = (
    "allow_header_conformance",
    "content_type_conformance",
    "ensure_resource_availability",
    "ignored_auth",
    "missing_required_header",
    "negative_data_rejection",
    "positive_data_acceptance",
    "response_headers_conformance",
    "response_schema_conformance",
    "status_code_conformance",
    "unsupported_method",
    "use_after_free",
)
POSITIVE = ("positive_data_acceptance",)

EXCUSES: list[tuple[tuple[str, ...], str, Callable[[Seeming], bool]]] = [
    (ANY_CHECK, "the address is another operation's, which is tested by itself", _is_anothers),
    (POSITIVE, "refused by a rule that no schema can state", _is_refused_by_a_rule),
    (POSITIVE, "refused for how its fields go together", _is_about_the_whole),
    (POSITIVE, "the fault is where no schema can say it", _is_said_elsewhere),
    (POSITIVE, "needed only where no template says it", _is_for_a_template_to_say),
    (
        ("unsupported_method", "allow_header_conformance"),
        "the same address with this method is another operation",
        _has_that_method,
    ),
    (
        ("ensure_resource_availability",),
        "what is missing is named in the body, not made before",
        _is_about_another_thing,
    ),
    (("negative_data_rejection",), "what a tool sends is always taken in", _is_taken_in),
    (
        ("status_code_conformance",),
        "it was no HTTP: refused before anybody could tell which operation was meant",
        lambda seeming: str(seeming.answer) == "400 Invalid HTTP request received.",
    ),
    (
        ("negative_data_rejection",),
        "it was refused, for what it expected to find or for its size",
        lambda seeming: seeming.answer.status in (412, 413),
    ),
    (
        ("negative_data_rejection",),
        "a text is measured without the blanks around it",
        _fits_without_blanks,
    ),
]


# --- the way along a path such as `steps[0].url`


def _steps(path: str) -> list[str]:
    return re.findall(r"[^.\[\]]+", path)


def _value(body: Any, steps: list[str]) -> Any:
    """What stands at a path of a body, if anything does."""
    for step in steps:
        if isinstance(body, dict) and step in body:
            body = body[step]
        elif isinstance(body, list) and step.isdecimal() and int(step) < len(body):
            body = body[int(step)]
        else:
            return None
    return body


def _texts(body: Any) -> Iterator[str]:
    """Every text in a body."""
    if isinstance(body, str):
        yield body
    elif isinstance(body, (dict, list)):
        for part in body.values() if isinstance(body, dict) else body:
            yield from _texts(part)


def _fields(schema: Schema, steps: list[str], document: Document) -> Iterator[Schema]:
    """The schemas of what a path leads to, whichever member of a union was meant."""
    if "$ref" in schema:
        schemas = document["components"]["schemas"]
        yield from _fields(schemas[schema["$ref"].rsplit("/", 1)[1]], steps, document)
        return
    for union in ("anyOf", "oneOf", "allOf"):
        for member in schema.get(union, []):
            yield from _fields(member, steps, document)
    if not steps:
        yield schema
    elif steps[0] in schema.get("properties", {}):
        yield from _fields(schema["properties"][steps[0]], steps[1:], document)
    elif steps[0].isdecimal() and "items" in schema:
        yield from _fields(schema["items"], steps[1:], document)
