"""Times in forms: fields for date and time mean those of the wall that the form names."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel

from app.web import forms
from app.web.forms import FormFault
from app.web.wall import wall_of

Shape = TypeVar("Shape", bound=BaseModel)

NO_TIME = "Name a date and a time, such as 2026-01-05T09:00."


def shaped(
    shape: type[Shape],
    given: Mapping[str, str],
    *,
    times: Sequence[str],
    more: Mapping[str, Any] | None = None,
    fallback: str = "UTC",
) -> Shape:
    """What was typed as this shape, with `more` that was not; its `times` as instants."""
    wall = wall_of(given.get("_zone"), fallback)
    body: dict[str, Any] = {}
    errors = {}
    for name, text in given.items():
        if text == "" or name in forms.OWN or name.startswith("_"):
            continue
        if name not in times:
            body[name] = text
            continue
        try:
            body[name] = wall.read(text).isoformat()
        except (ValueError, OverflowError):
            errors[name] = NO_TIME
    if errors:
        raise FormFault(dict(given), errors)
    return forms.shaped(shape, {**body, **(more or {})}, given)
