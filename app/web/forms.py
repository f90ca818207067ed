"""Forms as the API's own shapes: what a person typed, or the faults, each at its field.

`name.sub`, `name[0]` and `name[]` are nested fields. An empty field is an absent one, unless the
page says that it empties what it stands for. Of a name that comes twice the last counts, so that
a hidden `false` before a box says that it was left open. What begins with `_`, and the frame's
own fields, are no part of a shape.
"""

import re
from collections.abc import Collection, Mapping
from typing import Any, TypeVar, get_args, get_origin

from fastapi import Request
from pydantic import BaseModel, ValidationError
from starlette.datastructures import UploadFile

from app.api.errors import path
from app.core.errors import TocsinError
from app.core.paging import BIGGEST_KEY

Shape = TypeVar("Shape", bound=BaseModel)

OWN = frozenset({"csrf", "next", "part"})
STEP = re.compile(r"[^.\[\]]+|\[\d{0,4}\]")
MOST_ITEMS = 1_000
TRUE, FALSE = ("true", "on"), ("false", "off")


class FormFault(Exception):  # noqa: N818  # it is shown at the form, and is no refusal
    """Something in a form is wrong: what was given, and what to say at which field."""

    def __init__(self, given: dict[str, str], errors: dict[str, str]) -> None:
        super().__init__(errors)
        self.given = given
        self.errors = errors


async def given(request: Request) -> dict[str, str]:
    """The fields of a form as they were typed; of a repeated one the last."""
    form = await request.form()
    return {name: text for name, text in form.multi_items() if isinstance(text, str)}


async def read(request: Request, shape: type[Shape], *, empties: Collection[str] = ()) -> Shape:
    """The form as this shape. An empty field that `empties` names is null."""
    form = await request.form()
    pairs = [
        (name, text)
        for name, text in form.multi_items()
        if not isinstance(text, UploadFile) and name not in OWN and not name.startswith("_")
    ]
    typed = {name: str(text) for name, text in pairs}
    body: dict[str, Any] = {}
    for name, text in pairs:
        steps = STEP.findall(name)
        if text == "" and name not in empties:
            continue
        _put(body, steps, None if text == "" else text)
    return shaped(shape, _dense(body), typed)


def shaped(shape: type[Shape], tree: Any, typed: Mapping[str, str]) -> Shape:
    """What was typed, as a tree, in this shape; or what is wrong with it, each at its place."""
    _convert(tree, shape)
    try:
        return shape.model_validate(tree)
    except ValidationError as error:
        raise FormFault(dict(typed), _told(error, tree)) from None


def typed_as(shape: type[BaseModel], tree: Any) -> None:
    """Make numbers and yes-or-no in a tree of what were texts, as far as the shape has such."""
    _convert(tree, shape)


async def tree(request: Request) -> dict[str, Any]:
    """The form as it was typed, nested as its names say, with what is empty; nothing is judged."""
    form = await request.form()
    body: dict[str, Any] = {}
    for name, text in form.multi_items():
        if isinstance(text, str) and name not in OWN and not name.startswith("_"):
            _put(body, STEP.findall(name), text)
    found: dict[str, Any] = _dense(body)
    return found


def key_of(word: str) -> int | None:
    """The number of a row that a word is; None for what is none."""
    is_number = word.isascii() and word.isdigit() and len(word) <= 16
    return int(word) if is_number and 1 <= int(word) <= BIGGEST_KEY else None


def faults_of(error: TocsinError) -> dict[str, str]:
    """Where to say what a service refused: at the fields that it names, else above the form."""
    named = error.details.get("errors")
    if isinstance(named, list):
        return {str(fault["path"]): str(fault["message"]) for fault in named}
    return {str(error.details.get("field", "")): error.message}


def _told(error: ValidationError, body: Mapping[str, Any]) -> dict[str, str]:
    told: dict[str, str] = {}
    for fault in error.errors(include_input=False, include_url=False):
        place = path({**fault, "loc": ("body", *fault["loc"])}, body)
        words = str(fault["msg"]).removeprefix("Value error, ")
        if fault["type"] == "missing":
            words = "is needed"
        told.setdefault(place, words[:1].upper() + words[1:] + ("" if words[-1:] in ".?" else "."))
    return told


def _put(body: dict[str, Any], steps: list[str], text: str | None) -> None:
    """Set a field; lists are kept by their numbers until all of them are there."""
    here: dict[str, Any] = body
    for turn, step in enumerate(steps):
        key = step
        if step == "[]":
            key = f"[{len(here)}]"
        if turn == len(steps) - 1:
            here[key] = text
            return
        deeper = here.setdefault(key, {})
        if not isinstance(deeper, dict):
            return
        here = deeper


def _dense(found: Any) -> Any:
    """The tree with its lists as lists, in the order of their numbers, without gaps."""
    if not isinstance(found, dict):
        return found
    if found and all(key.startswith("[") for key in found):
        ordered = sorted(found.items(), key=lambda item: int(item[0][1:-1]))
        return [_dense(value) for _, value in ordered[:MOST_ITEMS]]
    return {key: _dense(value) for key, value in found.items()}


def _convert(tree: Any, shape: type[BaseModel]) -> None:
    """Make numbers and yes-or-no of texts where the shape has such: a form knows texts only."""
    if not isinstance(tree, dict):
        return
    for name, field in shape.model_fields.items():
        if name in tree:
            tree[name] = _as(tree[name], field.annotation)


def _as(value: Any, kind: Any) -> Any:
    kinds = _kinds(kind)
    models = [one for one in kinds if isinstance(one, type) and issubclass(one, BaseModel)]
    if isinstance(value, dict):
        for model in models:
            _convert(value, model)
        return value
    item = _item(kind)
    if isinstance(value, list):
        return [_as(one, item or kind) for one in value]
    if isinstance(value, str) and item is not None and str not in _kinds(kind) - _kinds(item):
        return [_as(value, item)]
    if isinstance(value, str) and str not in kinds:
        if bool in kinds and value.lower() in TRUE + FALSE:
            return value.lower() in TRUE
        if int in kinds and re.fullmatch(r"-?\d{1,18}", value):
            return int(value)
        if float in kinds and re.fullmatch(r"-?\d{1,18}(\.\d{1,18})?", value):
            return float(value)
    return value


def _item(kind: Any) -> Any:
    """What a list of this kind holds; None where it is no list."""
    if get_origin(kind) is list:
        return get_args(kind)[0]
    found = [_item(one) for one in get_args(kind)]
    return next((one for one in found if one is not None), None)


def _kinds(kind: Any) -> set[Any]:
    """The types that an annotation is made of, as far as they tell how to read a text."""
    inner = get_args(kind)
    if not inner:
        return {kind} if isinstance(kind, type) else set()
    return {found for one in inner for found in _kinds(one)}
