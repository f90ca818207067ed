"""Whom a policy's steps name: checked when it is saved, each fault with its path.

What is named is shared until commit, so that nobody deletes it meanwhile.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from app.crud import crud_target, crud_user
from app.db.session import WriteSession
from app.domain.conditions import Fault


async def faults(session: WriteSession, steps: Sequence[Mapping[str, Any]]) -> list[Fault]:
    """Everybody and everything that steps name and that is not there, in their order."""
    return await faults_of(
        session,
        {
            f"steps[{s}].actions[{a}].target": action["target"]
            for s, step in enumerate(steps)
            for a, action in enumerate(step["actions"])
            if "target" in action
        },
    )


async def faults_of(session: WriteSession, targets: Mapping[str, Any]) -> list[Fault]:
    """What these targets, each at its path, name that is not there."""
    named = [one for path, target in targets.items() for one in _named(path, target)]
    users = await crud_user.by_ids(session, {key for _, word, key in named if word == "user"})
    gone = await crud_target.missing(
        session,
        schedules={key for _, word, key in named if word == "schedule"},
        teams={key for _, word, key in named if word == "team"},
    )
    found: list[Fault] = []
    for path, word, key in named:
        if word == "user":
            user = users.get(key)
            if user is None:
                found.append(Fault(path, f"names user {key}, who does not exist"))
            elif not user.is_active:
                found.append(Fault(path, f"names {user.display_name}, who is deactivated"))
        elif (word, key) in gone:
            found.append(Fault(path, f"names {word} {key}, which does not exist"))
    return found


def _named(path: str, target: Any) -> Iterator[tuple[str, str, int]]:
    """Where a target names what, by which number."""
    if isinstance(target, Mapping):
        for word in ("user", "schedule", "team"):
            if word in target:
                yield f"{path}.{word}", word, target[word]
        for place, user_id in enumerate(target.get("round_robin", ())):
            yield f"{path}.round_robin[{place}]", "user", user_id
