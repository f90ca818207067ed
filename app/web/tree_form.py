"""Forms that grow: lists within lists, of which buttons add, remove and move an item. Pure.

A button named `_do` says what it does and where: `add layers`, `remove layers[1]`,
`up steps[0].actions[2]`, `down …`. What is typed is kept as it is; what no button of ours could
have said changes nothing. Without scripts the whole page comes back, with them only its builder.
"""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from app.web.forms import STEP

MOST = 200  # items of one list in a form
Tree = dict[str, Any]


def changed(tree: Tree, do: str, blanks: Mapping[str, Any]) -> Tree:
    """The tree after a button; `blanks` are what a list of that name gets as a new item."""
    verb, _, path = do.partition(" ")
    steps = STEP.findall(path)
    new = deepcopy(tree)
    if verb == "add" and steps and steps[-1] in blanks:
        holder = _at(new, steps[:-1])
        if isinstance(holder, dict):
            items = holder.get(steps[-1]) or []
            if isinstance(items, list) and len(items) < MOST:
                holder[steps[-1]] = [*items, deepcopy(blanks[steps[-1]])]
        return new
    items = _at(new, steps[:-1])
    place = _place(steps[-1]) if steps else None
    if not isinstance(items, list) or place is None or place >= len(items):
        return new
    if verb == "remove":
        del items[place]
    elif verb == "up" and place > 0:
        items[place - 1], items[place] = items[place], items[place - 1]
    elif verb == "down" and place + 1 < len(items):
        items[place + 1], items[place] = items[place], items[place + 1]
    return new


def fitted(tree: Any, mould: Any) -> Any:
    """What of a tree has the form of the mould: objects, lists of what the mould's list holds, and
    texts. All else, which no form of ours sends, is left out."""
    if isinstance(mould, dict):
        given = tree if isinstance(tree, dict) else {}
        found = {name: fitted(given[name], inner) for name, inner in mould.items() if name in given}
        return {name: value for name, value in found.items() if value is not None}
    if isinstance(mould, list):
        items = tree if isinstance(tree, list) else []
        found_items = [fitted(one, mould[0]) for one in items[:MOST]]
        return [one for one in found_items if one is not None]
    return tree if isinstance(tree, str) else None


def filled(tree: Any) -> Any:
    """The tree without what was left empty; what is left of a list keeps its order."""
    if isinstance(tree, dict):
        kept = {name: filled(value) for name, value in tree.items()}
        return {name: value for name, value in kept.items() if value not in ("", None)}
    if isinstance(tree, list):
        return [filled(value) for value in tree if value not in ("", None)]
    return tree.strip() if isinstance(tree, str) else tree


def _at(tree: Any, steps: list[str]) -> Any:
    here = tree
    for step in steps:
        place = _place(step)
        if isinstance(here, dict) and place is None:
            here = here.get(step)
        elif isinstance(here, list) and place is not None and place < len(here):
            here = here[place]
        else:
            return None
    return here


def _place(step: str) -> int | None:
    inner = step[1:-1]
    return int(inner) if step.startswith("[") and inner else None
