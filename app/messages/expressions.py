"""What may stand between the braces of a wording: its parts, their types, their bounds.

Every part is counted, those in a loop once for each item. A part whose type is known to be
wrong is refused here, so that what is accepted cannot fail on some incident later.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from jinja2 import nodes

from app.messages.filters import FILTERS, ONE_VALUE, TEXT, Argument
from app.messages.plain import cut, line
from app.messages.vocabulary import MOST_ITEMS, Type, Types, Word

DEEPEST = 8
MOST_PARTS = 3000
LONGEST_CONSTANT = 200
MOST_FAULTS = 20
ALLOWED = "{{ a variable }}, its filters, {% if %} and {% for %} over tags or labels"
UNKNOWN: Types = frozenset()  # the type of what was refused already: it fits everywhere

_SEARCH = 20  # what looking for a text in a text counts for
_NUMBER = frozenset({Type.NUMBER})
_FLAG = frozenset({Type.FLAG})
_LABEL = frozenset({Type.TEXT, Type.NOTHING})
_ORDERED = (_NUMBER, frozenset({Type.MOMENT}))
_SEARCHED = (TEXT, frozenset({Type.LIST}), frozenset({Type.LABELS}))
_TESTS = ("defined", "none")
_LOOP: Mapping[str, Types] = {"first": _FLAG, "last": _FLAG, "index": _NUMBER}
_NAMES: Mapping[Type, str] = {
    Type.TEXT: "a text",
    Type.NUMBER: "a number",
    Type.FLAG: "a yes or no",
    Type.MOMENT: "a moment",
    Type.NOTHING: "nothing",
    Type.LIST: "a list",
    Type.LABELS: "the labels",
}
_CONSTRUCTS: Mapping[type[nodes.Node], str] = {
    nodes.Assign: "{% set %}",
    nodes.AssignBlock: "{% set %}",
    nodes.Block: "{% block %}",
    nodes.Call: "A call",
    nodes.CallBlock: "{% call %}",
    nodes.Dict: "A dictionary",
    nodes.Extends: "{% extends %}",
    nodes.FilterBlock: "{% filter %}",
    nodes.FromImport: "{% from %}",
    nodes.Import: "{% import %}",
    nodes.Include: "{% include %}",
    nodes.List: "A list of your own, outside of “in”,",
    nodes.Macro: "{% macro %}",
    nodes.Scope: "{% autoescape %}",
    nodes.ScopedEvalContextModifier: "{% autoescape %}",
    nodes.Slice: "A slice",
    nodes.Tuple: "A list of your own, outside of “in”,",
    nodes.With: "{% with %}",
}


@dataclass(frozen=True)
class Complaint:
    """What is wrong with a text, and on which of its lines."""

    line: int
    message: str


@dataclass
class Reader:
    """Reads expressions and notes what is wrong with them."""

    words: Mapping[str, Word]
    found: list[Complaint] = field(default_factory=list)
    _parts: int = 0
    _items: Mapping[str, Types] = field(default_factory=dict)  # what the loop around us names
    _is_in_loop: bool = False

    def type_of(self, node: nodes.Node, depth: int) -> Types:
        """What the expression may turn out to be; what is wrong with it is noted."""
        if not self.counts(node, depth):
            return UNKNOWN
        inner = depth + 1
        match node:
            case nodes.Name():
                return self._name(node)
            case nodes.Const():
                return self._constant(node)
            case nodes.Getattr() | nodes.Getitem():
                return self._part(node)
            case nodes.Filter():
                return self._filtered(node, inner)
            case nodes.Test():
                return self._tested(node, inner)
            case nodes.Concat():
                self.complain(
                    node, "“~” joins what is printed, and nothing can be done to it after that."
                )
            case _:
                return self._operation(node, inner)
        return UNKNOWN

    def _operation(self, node: nodes.Node, depth: int) -> Types:
        match node:
            case nodes.CondExpr():
                return self._choice(node, depth)
            case nodes.Compare():
                return self._comparison(node, depth)
            case nodes.And():
                return self.type_of(node.left, depth) | self.type_of(node.right, depth)
            case nodes.Or():
                left = self.type_of(node.left, depth) - {Type.NOTHING}
                return left | self.type_of(node.right, depth)
            case nodes.Not():
                self.type_of(node.node, depth)
                return _FLAG
            case _:
                self.refuse_construct(node)
        return UNKNOWN

    def _name(self, node: nodes.Name) -> Types:
        if node.name in self._items:
            return self._items[node.name]
        if node.name in self.words:
            return self.words[node.name].types
        if node.name == "loop" and self._is_in_loop:
            self.complain(node, "Of a loop there are loop.first, loop.last and loop.index.")
            return UNKNOWN
        known = ", ".join([*self._items, *self.words])
        self.complain(node, f"“{quoted(node.name)}” is not known here. Known are: {known}.")
        return UNKNOWN

    def _constant(self, node: nodes.Const) -> Types:
        match node.value:
            case None:
                return frozenset({Type.NOTHING})
            case bool():
                return _FLAG
            case str() as text if len(text) <= LONGEST_CONSTANT:
                return TEXT
            case int() as number if abs(number) < 10**9:
                return _NUMBER
            case str():
                self.complain(
                    node,
                    f"A text in quotes may have {LONGEST_CONSTANT} characters; "
                    "write longer ones outside of {{ }}.",
                )
            case _:
                self.complain(node, "A number is whole, and smaller than 1000000000.")
        return UNKNOWN

    def _part(self, node: nodes.Getattr | nodes.Getitem) -> Types:
        match node:
            case nodes.Getattr(node=nodes.Name(name="loop"), attr=attr) if self._is_in_loop:
                if attr in _LOOP:
                    return _LOOP[attr]
            case nodes.Getattr(node=nodes.Name(name="labels"), attr=attr):
                if not attr.startswith("_"):
                    return _LABEL
            case nodes.Getitem(node=nodes.Name(name="labels"), arg=nodes.Const(value=str())):
                return _LABEL
        self.complain(
            node,
            'Only labels have parts, labels.team or labels["team"], and inside a loop there '
            "are loop.first, loop.last and loop.index.",
        )
        return UNKNOWN

    def _choice(self, node: nodes.CondExpr, depth: int) -> Types:
        self.type_of(node.test, depth)
        types = self.type_of(node.expr1, depth)
        if node.expr2 is None:
            self.complain(node, 'Say what to print else: {{ source if source else "a person" }}.')
            return UNKNOWN
        return types | self.type_of(node.expr2, depth)

    def _comparison(self, node: nodes.Compare, depth: int) -> Types:
        left = self.type_of(node.expr, depth)
        for operand in node.ops:
            self.counts(node, depth)
            if operand.op in {"in", "notin"}:
                left = self._sought(node, operand, left, depth)
                continue
            right = self.type_of(operand.expr, depth)
            if operand.op not in {"eq", "ne"} and not any(left | right <= one for one in _ORDERED):
                self.complain(
                    node,
                    "Greater and less compare numbers, or moments, and not "
                    f"{kinds(left)} with {kinds(right)}. For severities there is “in”: "
                    '{% if severity in ["critical", "high"] %}.',
                )
            left = right
        return _FLAG

    def _sought(
        self, node: nodes.Compare, operand: nodes.Operand, left: Types, depth: int
    ) -> Types:
        if isinstance(operand.expr, nodes.List | nodes.Tuple):
            for item in operand.expr.items:
                if self.counts(item, depth) and not isinstance(item, nodes.Const):
                    self.complain(item, "A list after “in” holds texts in quotes and numbers.")
                elif isinstance(item, nodes.Const):
                    self._constant(item)
            return UNKNOWN
        right = self.type_of(operand.expr, depth)
        self.counts(node, depth, _SEARCH)
        if not (left <= TEXT and any(right <= one for one in _SEARCHED)):
            self.complain(
                node,
                "“in” looks for a text in a text or a list, and not for "
                f"{kinds(left)} in {kinds(right)}. What may be missing needs a default: "
                '{% if "disk" in (description | default("")) %}.',
            )
        return right

    def _filtered(self, node: nodes.Filter, depth: int) -> Types:
        if node.node is None or node.name not in FILTERS:
            self.complain(
                node,
                f"“{quoted(node.name)}” is no filter here. "
                f"Filters are: {', '.join(sorted(FILTERS))}.",
            )
            return UNKNOWN
        rule = FILTERS[node.name]
        types = self.type_of(node.node, depth)
        if not types <= rule.takes:
            self.complain(
                node,
                f"“{node.name}” takes {kinds(rule.takes)}, and this may be "
                f"{kinds(types - rule.takes)}.",
            )
        given = self._argument(node, rule.argument, depth)
        if node.name == "default":
            return (types - {Type.NOTHING}) | given
        return rule.gives

    def _argument(self, node: nodes.Filter, rule: Argument | None, depth: int) -> Types:
        is_plain = not (node.kwargs or node.dyn_args or node.dyn_kwargs)
        match node.args:
            case [] if is_plain and (rule is None or not rule.is_required):
                return UNKNOWN
            case [nodes.Const() as given] if is_plain and rule is not None and rule.accepts:
                if rule.accepts(given.value):
                    return self._constant(given)
            case [given] if is_plain and rule is not None and rule.accepts is None:
                types = self.type_of(given, depth)
                if types <= ONE_VALUE:
                    return types
        wanted = (
            "has nothing in brackets" if rule is None else f"has one thing in brackets: {rule.what}"
        )
        self.complain(node, f"“{node.name}” {wanted}.")
        return UNKNOWN

    def _tested(self, node: nodes.Test, depth: int) -> Types:
        self.type_of(node.node, depth)
        has_more = node.args or node.kwargs or node.dyn_args or node.dyn_kwargs
        if node.name not in _TESTS or has_more:
            self.complain(
                node, f"After “is” may stand: {', '.join(_TESTS)}. Compare other things with ==."
            )
        return _FLAG

    # --- Bounds and complaints ------------------------------------------------------------

    def counts(self, node: nodes.Node, depth: int, weight: int = 1) -> bool:
        """Whether there is still room for a part: not too deep, and not too many."""
        if depth > DEEPEST:
            self.complain(node, f"This is nested more than {DEEPEST} deep.")
            return False
        self._parts += weight * (MOST_ITEMS if self._is_in_loop else 1)
        if self._parts > MOST_PARTS:
            self.complain(
                node,
                f"A wording may have {MOST_PARTS} parts, and those in a loop count "
                f"{MOST_ITEMS} times. Say less with {{{{ }}}} and {{% %}} from here on.",
            )
            return False
        return True

    def refuse_construct(self, node: nodes.Node) -> None:
        name = _CONSTRUCTS.get(type(node), "Arithmetic" if isinstance(node, nodes.Expr) else "This")
        self.complain(node, f"{name} is not allowed in a wording. Allowed are {ALLOWED}.")

    def complain(self, node: nodes.Node, message: str) -> None:
        complaint = Complaint(node.lineno or 1, message)
        if len(self.found) < MOST_FAULTS and complaint not in self.found:
            self.found.append(complaint)


def kinds(types: Types) -> str:
    return " or ".join(_NAMES[one] for one in Type if one in types) or "something unknown"


def quoted(name: str) -> str:
    return cut(line(name), 50)
