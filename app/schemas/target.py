"""Whom an action of a step wants: a word, or an object that names somebody."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag

from app.schemas.base import WriteSchema
from app.schemas.types import Key

MOST_TAKE_TURNS = 50


class UserTarget(WriteSchema):
    """One person, whoever is on call."""

    user: Key


class ScheduleTarget(WriteSchema):
    """Whoever is on call by a schedule, or comes after them."""

    schedule: Key
    position: Literal["now", "next"] | None = Field(
        None, description="`next`: who is on call after whoever is now, which is the default."
    )


class TeamTarget(WriteSchema):
    """A team: all of its people, or one in turn."""

    team: Key
    pick: Literal["all", "round_robin"] | None = Field(
        None, description="`round_robin`: one of them, in turn; all of them by default."
    )


def _once_each(people: list[int]) -> list[int]:
    if len(set(people)) < len(people):
        raise ValueError("names somebody twice")
    return people


class RoundRobinTarget(WriteSchema):
    """One of these people, in turn."""

    round_robin: Annotated[list[Key], AfterValidator(_once_each)] = Field(
        min_length=2, max_length=MOST_TAKE_TURNS, examples=[[3, 1, 2]]
    )


# By the key that tells each from the others.
NAMED: dict[str, type[WriteSchema]] = {
    "user": UserTarget,
    "schedule": ScheduleTarget,
    "team": TeamTarget,
    "round_robin": RoundRobinTarget,
}


def _target_form(target: object) -> str:
    """Which of the forms was meant. No form is called like a key, or else a fault's path would
    have both."""
    if isinstance(target, Mapping):
        return _form(next((name for name in NAMED if name in target), "user"))
    return next((_form(name) for name, form in NAMED.items() if isinstance(target, form)), "word")


def _form(name: str) -> str:
    return f"target of {name}"


# Told apart by its form, so that a fault is that of the form that was meant.
Target = Annotated[
    Annotated[Literal["on_call", "next_on_call", "assignees", "creator", "admins"], Tag("word")]
    | Annotated[UserTarget, Tag(_form("user"))]
    | Annotated[ScheduleTarget, Tag(_form("schedule"))]
    | Annotated[TeamTarget, Tag(_form("team"))]
    | Annotated[RoundRobinTarget, Tag(_form("round_robin"))],
    Discriminator(_target_form),
]
