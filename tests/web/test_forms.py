"""Forms become the API's own shapes, and faults stand at their fields."""

import contextlib
from typing import Annotated
from urllib.parse import urlencode

import pytest
from fastapi import Request
from pydantic import Field

from app.core.errors import ConflictError, InvalidInputError
from app.schemas.base import WriteSchema
from app.schemas.types import Flag, Key, Name
from app.web.forms import FormFault, faults_of, given, read


class Step(WriteSchema):
    minutes: float
    people: list[Key] = Field(default_factory=list)


class Plan(WriteSchema):
    name: Name
    note: str | None = None
    count: int | None = None
    is_active: Flag = True
    tags: list[Name] = Field(default_factory=list)
    one: Step | None = None
    steps: Annotated[list[Step], Field(max_length=3)] = Field(default_factory=list)


def sent(*pairs: tuple[str, str]) -> Request:
    body = urlencode(pairs).encode()

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    kind = (b"content-type", b"application/x-www-form-urlencoded")
    return Request({"type": "http", "method": "POST", "headers": [kind]}, receive)


async def test_nested_fields_lists_and_numbers() -> None:
    plan = await read(
        sent(
            ("name", "  Nights "),
            ("count", "12"),
            ("is_active", "false"),
            ("tags[]", "a"),
            ("tags[]", "b"),
            ("one.minutes", "2.5"),
            ("steps[2].minutes", "30"),
            ("steps[0].minutes", "5"),
            ("steps[0].people[]", "7"),
            ("steps[0].people[]", "8"),
        ),
        Plan,
    )
    assert (plan.name, plan.count, plan.is_active, plan.tags) == ("Nights", 12, False, ["a", "b"])
    assert plan.one == Step(minutes=2.5)
    assert plan.steps == [Step(minutes=5, people=[7, 8]), Step(minutes=30)]


async def test_an_empty_field_is_absent_unless_it_empties() -> None:
    pairs = [("name", "Nights"), ("note", ""), ("count", "")]
    left = await read(sent(*pairs), Plan)
    emptied = await read(sent(*pairs), Plan, empties=["note"])
    assert left.model_fields_set == {"name"}
    assert emptied.model_fields_set == {"name", "note"}
    assert emptied.note is None


async def test_a_box_that_was_ticked_comes_after_its_hidden_no() -> None:
    ticked = await read(sent(("name", "n"), ("is_active", "false"), ("is_active", "true")), Plan)
    left = await read(sent(("name", "n"), ("is_active", "false")), Plan)
    assert (ticked.is_active, left.is_active) == (True, False)


async def test_one_of_a_list_may_come_alone() -> None:
    assert (await read(sent(("name", "n"), ("tags", "a")), Plan)).tags == ["a"]


async def test_what_belongs_to_the_frame_reaches_no_shape() -> None:
    pairs = [("name", "n"), ("csrf", "x"), ("next", "/"), ("part", "1"), ("_verb", "save")]
    assert (await read(sent(*pairs), Plan)).model_fields_set == {"name"}


async def test_faults_are_told_by_their_paths_with_what_was_typed() -> None:
    pairs = [
        ("count", "many"),
        ("steps[0].minutes", "soon"),
        ("steps[1].minutes", "1"),
        ("steps[1].people[]", "x"),
        ("other", "1"),
    ]
    with pytest.raises(FormFault) as fault:
        await read(sent(*pairs), Plan)
    assert fault.value.given["steps[0].minutes"] == "soon"
    assert set(fault.value.errors) == {
        "name",
        "count",
        "steps[0].minutes",
        "steps[1].people[0]",
        "other",
    }
    assert fault.value.errors["name"] == "Is needed."
    assert all(words[0].isupper() and words[-1] == "." for words in fault.value.errors.values())


@pytest.mark.parametrize(
    "name", ["a[", "a]", "[]", "[0]", "..", "a..b", "a[99999999999]", "name[0].x", "steps.x", ""]
)
async def test_no_name_of_a_field_breaks_anything(name: str) -> None:
    with contextlib.suppress(FormFault):  # a fault of theirs is one; anything else is ours
        await read(sent(("name", "n"), (name, "1"), (name + "x", "2")), Plan)


async def test_the_last_of_a_repeated_field_counts() -> None:
    assert await given(sent(("a", "1"), ("a", "2"))) == {"a": "2"}


def test_what_a_service_refuses_is_told_at_its_field_or_above_the_form() -> None:
    named = InvalidInputError("No.", errors=[{"path": "steps[0]", "message": "reaches nobody"}])
    assert faults_of(named) == {"steps[0]": "reaches nobody"}
    assert faults_of(InvalidInputError("Taken.", field="name")) == {"name": "Taken."}
    assert faults_of(ConflictError("Busy.")) == {"": "Busy."}
