"""The forms in which incidents are declared and edited: from what was typed to the API's shapes."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from app.api.errors import path
from app.domain.custom_field import FieldType
from app.models import CustomField
from app.web.forms import FormFault

Shape = TypeVar("Shape", bound=BaseModel)

PREFIX = "custom_fields."
_NUMBER = re.compile(r"-?\d{1,18}")
_FRACTION = re.compile(r"-?\d{1,18}\.\d{1,18}")
SEVERITIES = {
    "critical": "Customers cannot work, or data is at risk. Pages through quiet hours.",
    "high": "A main part is broken or very slow. Pages now; only somebody’s quiet hours hold it.",
    "medium": "Something is wrong and can wait a little. Pages as its policies say.",
    "low": "Nobody is hurt yet. Where its service says so, it waits for the morning.",
}


class Typed(dict[str, Any]):
    """What was typed, by the names of the fields; those that may come twice as lists."""


async def typed(request: Request) -> Typed:
    """The form as it was sent."""
    form = await request.form()
    found = Typed({name: text for name, text in form.multi_items() if isinstance(text, str)})
    for name in form:
        if name == "assignees" or name.endswith("[]"):
            found[name] = [text for text in form.getlist(name) if isinstance(text, str)]
    return found


def facts(given: Mapping[str, Any], fields: Sequence[CustomField]) -> dict[str, Any]:
    """What an incident is, of the fields that the form has; an empty one is none."""
    body: dict[str, Any] = {name: given[name] for name in ("title", "severity") if name in given}
    body |= {name: given[name].strip() or None for name in ("description", "url") if name in given}
    if given.get("service"):
        body["service"] = given["service"]
    if "tags" in given:
        body["tags"] = tags(given["tags"])
    own = {one.key: _value(one, given) for one in fields if _is_asked(one, given)}
    return body | ({"custom_fields": own} if own else {})


def tags(text: str) -> list[str]:
    """Tags as people type them, parted by commas; each once."""
    words = (word.strip() for word in text.split(","))
    return list(dict.fromkeys(word for word in words if word))


def shaped(shape: type[Shape], body: Mapping[str, Any], given: Mapping[str, Any]) -> Shape:
    """The body as this shape, or what is wrong with it at each field."""
    try:
        return shape.model_validate(body)
    except ValidationError as error:
        told: dict[str, str] = {}
        for fault in error.errors(include_input=False, include_url=False):
            place = path({**fault, "loc": ("body", *fault["loc"])}, dict(body))
            words = str(fault["msg"]).removeprefix("Value error, ")
            told.setdefault(place.partition("[")[0], f"{words[:1].upper()}{words[1:]}.")
        texts = {name: text for name, text in given.items() if isinstance(text, str)}
        raise FormFault(texts, told) from None


def _is_asked(field: CustomField, given: Mapping[str, Any]) -> bool:
    name = PREFIX + field.key
    return name in given or f"{name}[]" in given


def _value(field: CustomField, given: Mapping[str, Any]) -> Any:
    """As the field's type has it; what cannot be read so is left for the service to refuse."""
    if field.type is FieldType.MULTI_SELECT:
        return [word for word in given.get(f"{PREFIX}{field.key}[]", ()) if word] or None
    text = given[PREFIX + field.key].strip()
    if not text:
        return None
    if field.type is FieldType.BOOLEAN:
        return {"true": True, "false": False}.get(text, text)
    if field.type is FieldType.NUMBER and _NUMBER.fullmatch(text):
        return int(text)
    if field.type is FieldType.NUMBER and _FRACTION.fullmatch(text):
        return float(text)
    return text
