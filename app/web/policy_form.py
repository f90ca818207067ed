"""Policies in a form: from what the API keeps to what people fill in, and back. Pure.

In the form a target is one word, such as `schedule:3:next`, so that one choice names it.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from copy import deepcopy
from typing import Any

from app.domain.conditions import WEEKDAYS, faults
from app.domain.target import WORDS, TargetKind
from app.models import EscalationPolicy
from app.web import condition_form, tree_form
from app.web.tree_form import Tree

SAID = (
    "name",
    "description",
    "team_id",
    "conditions",
    "steps",
    "repeat",
    "final_delay_minutes",
    "ack_timeout_minutes",
    "is_active",
)
NEEDED = ("name", "repeat", "final_delay_minutes")
TYPES = (
    ("notify", "Page"),
    ("assign", "Give it to"),
    ("set_severity", "Make its severity"),
    ("set_status", "Make it"),
    ("comment", "Comment"),
    ("webhook", "Call a webhook"),
)
# What each action has beside its type.
HAS = {
    "notify": ("target", "channels", "message"),
    "assign": ("target",),
    "set_severity": ("severity",),
    "set_status": ("status",),
    "comment": ("text",),
    "webhook": ("url",),
}
LISTS = ("conditions", "steps")
PLAIN = ("on_call", "next_on_call", "assignees", "creator", "admins")
TURNS = "round_robin"
_ROW = dict.fromkeys(("key", "name", "op", "value", "since", "until", "zone"), "")
_ACTION = dict.fromkeys(("type", "target", "message", "status", "severity", "url", "text"), "")
# What the form sends; an action has more in it than its type needs.
MOULD: Tree = {
    **dict.fromkeys((*SAID, "nested"), ""),
    "conditions": [{**_ROW, "words": [""], "days": [""]}],
    "steps": [
        {"delay_minutes": "", "actions": [{**_ACTION, "people": [""], "channels": [""]}]},
    ],
}
Choice = tuple[str, str]


def blanks() -> dict[str, Any]:
    """What a new item of each list is."""
    action = {"type": "notify", "target": "on_call", "channels": [], "message": ""}
    window = {"since": "09:00", "until": "17:00", "days": list(WEEKDAYS[:5]), "zone": "UTC"}
    return {
        "conditions": {**condition_form.BLANK, **window},
        "steps": {"delay_minutes": "5", "actions": [action]},
        "actions": action,
        "people": "",
    }


def fresh() -> Tree:
    """What a new policy begins with: whoever is on call at once, then whoever is next."""
    first, second = blanks()["steps"], blanks()["steps"]
    first["delay_minutes"] = "0"
    second["actions"] = [{**blanks()["actions"], "target": "next_on_call"}]
    kept = {"repeat": "1", "final_delay_minutes": "5", "is_active": "true"}
    return {"name": "", "conditions": [], "steps": [first, second], **kept}


def document_of(policy: EscalationPolicy) -> Tree:
    """A policy as the API takes it."""
    return {name: getattr(policy, name) for name in SAID}


def draft_of(document: Mapping[str, Any]) -> Tree:
    """A policy as the form has it; conditions that rows cannot say stay JSON (`nested`)."""
    draft: Tree = {name: value for name, value in document.items() if name in SAID}
    conditions = draft.get("conditions") or {}
    rows = None if faults(conditions) else condition_form.rows_of(conditions)
    draft["conditions"] = rows or []
    draft["nested"] = None if rows is not None else conditions
    for name in ("final_delay_minutes", "ack_timeout_minutes"):
        draft[name] = _number(draft.get(name))
    draft["steps"] = [
        {
            **step,
            "delay_minutes": _number(step.get("delay_minutes")),
            "actions": [_drafted(action) for action in step.get("actions", ())],
        }
        for step in draft.get("steps") or ()
    ]
    return draft


def document_from(draft: Mapping[str, Any]) -> Tree:
    """What the form means, as the API takes it; nothing is judged."""
    filled = tree_form.filled({name: draft.get(name) for name in SAID if name not in LISTS})
    body: Tree = dict(filled)
    for name in ("description", "team_id", "ack_timeout_minutes"):
        body.setdefault(name, None)
    if draft.get("nested") is not None:
        body["conditions"] = _nested(draft["nested"])
    else:
        body["conditions"] = condition_form.conditions_of(_list(draft.get("conditions")))[0]
    body["steps"] = [
        {
            "delay_minutes": str(step.get("delay_minutes", "")).strip() or "0",
            "actions": [
                _action(one) for one in _list(step.get("actions")) if isinstance(one, dict)
            ],
        }
        for step in _list(draft.get("steps"))
        if isinstance(step, dict)
    ]
    return body


def _nested(written: Any) -> Any:
    """Conditions that were typed as JSON; what is none is left for the API to refuse."""
    if not isinstance(written, str):
        return written
    try:
        return json.loads(written)
    except (ValueError, RecursionError):
        return written


def condition_faults(draft: Mapping[str, Any], errors: Mapping[str, str]) -> dict[int, str]:
    """What is wrong with which row."""
    _, places = condition_form.conditions_of(_list(draft.get("conditions")))
    return {
        number: f"{words[:1].upper()}{words[1:]}"
        for number, place in enumerate(places)
        for path, words in errors.items()
        if path == place or path.startswith((f"{place}.", f"{place}["))
    }


def tidied(draft: Tree) -> Tree:
    """The draft without turns that nobody has, so that faults stand at the fields they are of."""
    new: Tree = deepcopy(draft)
    for step in _list(new.get("steps")):
        for action in _list(step.get("actions")) if isinstance(step, dict) else ():
            if isinstance(action, dict) and "people" in action:
                action["people"] = [one for one in _list(action["people"]) if one]
    return new


def targets(
    users: Sequence[Choice], schedules: Sequence[Choice], teams: Sequence[Choice]
) -> list[tuple[str, list[Choice]]]:
    """Whom a step can want, in groups."""
    plain = [(word, _capital(WORDS[TargetKind(word)])) for word in PLAIN]
    now = [(f"schedule:{key}", f"On call now: {name}") for key, name in schedules]
    after = [(f"schedule:{key}:next", f"On call next: {name}") for key, name in schedules]
    all_of = [(f"team:{key}", f"All of {name}") for key, name in teams]
    turns = [(f"team:{key}:round_robin", f"One of {name}, in turn") for key, name in teams]
    return [
        ("By role", plain),
        ("By schedule", [*now, *after]),
        ("People", [(f"user:{key}", name) for key, name in users]),
        ("Teams", [*all_of, *turns]),
        ("In turn", [(TURNS, "One of some people, in turn")]),
    ]


def known(groups: Sequence[tuple[str, Sequence[Choice]]]) -> Collection[str]:
    return {word for _, choices in groups for word, _ in choices}


def target_word(target: Any) -> tuple[str, list[str]]:
    """A target as one word, and whoever takes turns."""
    if not isinstance(target, Mapping):
        return str(target or ""), []
    if TURNS in target:
        return TURNS, [str(one) for one in _list(target[TURNS])]
    kind = next((name for name in ("user", "schedule", "team") if name in target), "")
    more = {"position": "next", "pick": "round_robin"}
    tail = [word for name, word in more.items() if target.get(name) == word]
    return ":".join([kind, str(target.get(kind, "")), *tail]), []


def _number(value: Any) -> Any:
    """Five minutes are 5, not 5.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _drafted(action: Mapping[str, Any]) -> Tree:
    word, people = target_word(action.get("target"))
    return {**action, "target": word, "people": people}


def _action(action: Mapping[str, Any]) -> Tree:
    kind = str(action.get("type", "notify"))
    made: Tree = {"type": kind}
    for name in HAS.get(kind, ()):
        value = tree_form.filled(action.get(name))
        if name == "target":
            made[name] = _target(str(value or ""), action.get("people"))
        elif value not in ("", None, []):
            made[name] = value
    return made


def _target(word: str, people: Any) -> Any:
    kind, _, rest = word.partition(":")
    key, _, tail = rest.partition(":")
    if word == TURNS:
        return {TURNS: [one for one in _list(people) if one]}
    if kind not in ("user", "schedule", "team"):
        return word
    more = {"next": {"position": "next"}, "round_robin": {"pick": "round_robin"}}
    return {kind: key, **more.get(tail, {})}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
