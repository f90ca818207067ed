"""Names for the people that schedules name."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.crud import crud_user
from app.db.session import ReadSession


@dataclass(frozen=True)
class Person:
    id: int
    name: str
    is_active: bool


async def named(session: ReadSession, user_ids: Iterable[int]) -> dict[int, Person]:
    """These people, by id."""
    users = await crud_user.by_ids(session, set(user_ids))
    return {user.id: Person(user.id, user.display_name, user.is_active) for user in users.values()}


def able(people: Mapping[int, Person], ids: Iterable[int]) -> list[Person]:
    """Those of them who can take a call."""
    return [one for one in those(people, ids) if one.is_active]


def those(people: Mapping[int, Person], ids: Iterable[int]) -> list[Person]:
    return [people[user_id] for user_id in ids if user_id in people]
