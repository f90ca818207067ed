"""Steps of policies in words, with the names of those whom they name. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain.target import WORDS, TargetKind
from app.web.choices import Offered


@dataclass(frozen=True)
class StepWords:
    """When a step comes after the one before it, and what it does."""

    after_minutes: float
    does: list[str]

    @property
    def after(self) -> str:
        minutes = self.after_minutes
        return "at once" if not minutes else f"after {minutes:g} min"


Names = Mapping[str, Mapping[int, str]]


def names(offered: Offered) -> Names:
    """The names of everybody and everything that can be offered."""
    return {
        "user": {one.id: one.display_name for one in offered.users},
        "schedule": {one.id: one.name for one in offered.schedules},
        "team": {one.id: one.name for one in offered.teams},
    }


def steps(written: Sequence[Mapping[str, Any]], known: Names) -> list[StepWords]:
    return [
        StepWords(step["delay_minutes"], [_does(action, known) for action in step["actions"]])
        for step in written
    ]


def _does(action: Mapping[str, Any], known: Names) -> str:
    match action["type"]:
        case "notify":
            over = f" by {', '.join(action['channels'])}" if action.get("channels") else ""
            return f"pages {target(action['target'], known)}{over}"
        case "assign":
            return f"gives it to {target(action['target'], known)}"
        case "set_status":
            return f"makes it {action['status']}"
        case "set_severity":
            return f"makes it {action['severity']}"
        case "webhook":
            return "calls a webhook"
    return "comments"


def target(wanted: Any, known: Names) -> str:
    """Whom a step wants, by name where there is one."""
    if isinstance(wanted, str):
        return WORDS.get(TargetKind(wanted), wanted)
    if "round_robin" in wanted:
        people = [known["user"].get(one, f"user {one}") for one in wanted["round_robin"]]
        return f"one of {', '.join(people)} in turn"
    kind = next(name for name in ("user", "schedule", "team") if name in wanted)
    name = known[kind].get(wanted[kind], f"{kind} {wanted[kind]}")
    if kind == "schedule":
        return f"whoever is on call {'next ' if wanted.get('position') == 'next' else ''}on {name}"
    if kind == "team":
        return f"one of {name} in turn" if wanted.get("pick") == "round_robin" else f"all of {name}"
    return name
