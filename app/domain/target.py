"""Whom a step wants: what a policy may name as a target, and what each name means. Pure.

Some targets are the same people for every incident; some depend on the incident itself, or on
its service; and of those who take turns it is one. Who is on call is asked when the step is
taken, and not when it was due: the page goes to whoever has the pager then.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class TargetKind(StrEnum):
    ASSIGNEES = "assignees"
    CREATOR = "creator"
    ADMINS = "admins"
    USER = "user"
    ON_CALL = "on_call"  # for the incident's service
    NEXT_ON_CALL = "next_on_call"  # after whoever is on call for the incident's service
    SCHEDULE = "schedule"  # on call by it
    NEXT_ON_SCHEDULE = "next_on_schedule"  # after whoever is on call by it
    TEAM = "team"  # everybody in it
    ROUND_ROBIN = "round_robin"  # whoever's turn it is, of a list or of a team
    FALLBACK = "fallback"  # of the built-in ladder only: the admins, or whom a setting names


NEXT, IN_TURN = "next", "round_robin"  # as a policy says them
OF_SERVICE = frozenset({TargetKind.ON_CALL, TargetKind.NEXT_ON_CALL})
ON_DUTY = OF_SERVICE | {
    TargetKind.SCHEDULE,
    TargetKind.NEXT_ON_SCHEDULE,
    TargetKind.TEAM,
    TargetKind.ROUND_ROBIN,
}
# Whoever is paged by one of these has the incident, if nobody has it: it is their turn. Of a
# whole team that is nobody in particular.
ENTRUSTED = ON_DUTY - {TargetKind.TEAM}


@dataclass(frozen=True)
class Target:
    kind: TargetKind
    user_id: int | None = None
    schedule_id: int | None = None
    team_id: int | None = None
    user_ids: tuple[int, ...] = ()  # who take turns, in their order

    @property
    def ring(self) -> str:
        """Those who take turns, by name: the same people in the same order are the same ring,
        whichever policy names them."""
        if self.team_id is not None:
            return f"team:{self.team_id}"
        return "users:" + ",".join(map(str, self.user_ids))

    @property
    def is_next(self) -> bool:
        return self.kind in (TargetKind.NEXT_ON_CALL, TargetKind.NEXT_ON_SCHEDULE)


def read_target(target: str | Mapping[str, Any]) -> Target:
    """The target that a policy's validated JSON means."""
    match target:
        case str():
            return Target(TargetKind(target))
        case {"user": user_id}:
            return Target(TargetKind.USER, user_id)
        case {"schedule": schedule_id, "position": "next"}:
            return Target(TargetKind.NEXT_ON_SCHEDULE, schedule_id=schedule_id)
        case {"schedule": schedule_id}:
            return Target(TargetKind.SCHEDULE, schedule_id=schedule_id)
        case {"team": team_id, "pick": "round_robin"}:
            return Target(TargetKind.ROUND_ROBIN, team_id=team_id)
        case {"team": team_id}:
            return Target(TargetKind.TEAM, team_id=team_id)
        case {"round_robin": user_ids}:
            return Target(TargetKind.ROUND_ROBIN, user_ids=tuple(user_ids))
    raise ValueError(f"unknown target {target!r}")


def whose_turn(ring: Sequence[int], last: int | None, *, is_team: bool) -> list[int]:
    """Those who take turns, whoever's turn it is first.

    That is whoever comes after the one who had the last turn. A team goes by the numbers of its
    people, so that one who has left it keeps their place.
    """
    if last is None:
        return list(ring)
    if is_team:
        ordered = sorted(ring)
        return [user for user in ordered if user > last] + [
            user for user in ordered if user <= last
        ]
    after = ring.index(last) + 1 if last in ring else 0
    return [*ring[after:], *ring[:after]]


WORDS = {
    TargetKind.ON_CALL: "whoever is on call",
    TargetKind.NEXT_ON_CALL: "whoever is on call next",
    TargetKind.ASSIGNEES: "whoever has it",
    TargetKind.CREATOR: "whoever declared it",
    TargetKind.ADMINS: "the admins",
    TargetKind.TEAM: "a team",
    TargetKind.ROUND_ROBIN: "whoever’s turn it is",
    TargetKind.SCHEDULE: "whoever is on call on a schedule",
    TargetKind.NEXT_ON_SCHEDULE: "whoever is on call next on a schedule",
}


def spoken(target: str | Mapping[str, Any]) -> str:
    """A target as people say it; whom it comes to is told with the step."""
    return WORDS.get(read_target(target).kind, "somebody")
