"""What an admin's wording may say, checked on its syntax tree before anything is run.

Rendering happens in the process that pages, so a wording may not be able to cost more than
its own length. What is not on the list is refused, most of all whatever makes a long text
out of a short one, runs a loop in a loop, or calls anything. Every part is counted
(`expressions`), every value is bounded (`vocabulary`, `filters`), and texts are joined only
where they are printed and never worked on again.
"""

from collections.abc import Mapping, Sequence

from jinja2 import TemplateSyntaxError, nodes

from app.messages.expressions import (
    ALLOWED,
    DEEPEST,
    UNKNOWN,
    Complaint,
    Reader,
    kinds,
    quoted,
)
from app.messages.filters import TEXT
from app.messages.plain import cut, line
from app.messages.vocabulary import Type, Types, Word

MOST_ELIFS = 20
_JOINABLE = frozenset({Type.TEXT, Type.NUMBER})


def complaints(tree: nodes.Template, words: Mapping[str, Word]) -> list[Complaint]:
    """Everything that a parsed wording says and may not say."""
    reader = _Statements(words)
    reader.statements(tree.body, depth=0)
    return reader.found


def unreadable(fault: TemplateSyntaxError) -> Complaint:
    """What the parser could make nothing of."""
    return Complaint(
        fault.lineno,
        f"This cannot be read: {cut(line(fault.message or ''), 200).rstrip('.')}. "
        f"Allowed are {ALLOWED}.",
    )


class _Statements(Reader):
    """Reads what stands around the expressions."""

    def statements(self, body: Sequence[nodes.Node], *, depth: int) -> None:
        for node in body:
            if not self.counts(node, depth):
                return
            match node:
                case nodes.Output():
                    for part in node.nodes:
                        self._printed(part, depth)
                case nodes.If():
                    self._if(node, depth)
                case nodes.For():
                    self._for(node, depth)
                case _:
                    self.refuse_construct(node)

    def _printed(self, node: nodes.Node, depth: int) -> None:
        match node:
            case nodes.TemplateData():
                return
            case nodes.Concat():
                if self.counts(node, depth):
                    for part in node.nodes:
                        self._joined(part, depth + 1)
            case nodes.CondExpr(expr2=nodes.Expr() as other):
                if self.counts(node, depth):
                    self.type_of(node.test, depth + 1)
                    self._printed(node.expr1, depth + 1)
                    self._printed(other, depth + 1)
            case _:
                types = self.type_of(node, depth)
                if types & {Type.LIST}:
                    self.complain(
                        node,
                        'A list is printed with {{ tags | join(", ") }} or '
                        "{% for tag in tags %}{{ tag }} {% endfor %}.",
                    )
                elif types & {Type.LABELS}:
                    self.complain(
                        node,
                        "Labels are printed one by one, {{ labels.team }}, or with "
                        "{% for name, value in labels %}{{ name }}: {{ value }} {% endfor %}.",
                    )

    def _joined(self, node: nodes.Node, depth: int) -> None:
        types = self.type_of(node, depth)
        if not types <= _JOINABLE:
            self.complain(
                node,
                f"“~” joins texts and numbers, and this may be {kinds(types - _JOINABLE)}. "
                'Give it a default, {{ (url | default("")) ~ "!" }}, or print it by itself.',
            )

    def _if(self, node: nodes.If, depth: int) -> None:
        if len(node.elif_) > MOST_ELIFS:
            self.complain(node, f"An {{% if %}} may have at most {MOST_ELIFS} {{% elif %}}.")
            return
        for branch in (node, *node.elif_):
            self.type_of(branch.test, depth + 1)
            self.statements(branch.body, depth=depth + 1)
        self.statements(node.else_, depth=depth + 1)

    def _for(self, node: nodes.For, depth: int) -> None:
        if self._is_in_loop:
            self.complain(node, "A {% for %} inside a {% for %} is not allowed.")
            return
        if node.recursive or node.test is not None:
            self.complain(
                node,
                "A {% for %} has no “if” and no “recursive” of its own: "
                "write {% for tag in tags %}{% if … %} … {% endif %}{% endfor %}.",
            )
            return
        self._items = self._targets(node)
        self._is_in_loop = True
        self.statements(node.body, depth=depth + 1)
        self._items, self._is_in_loop = {}, False
        self.statements(node.else_, depth=depth + 1)

    def _targets(self, node: nodes.For) -> dict[str, Types]:
        types = self.type_of(node.iter, DEEPEST) if isinstance(node.iter, nodes.Name) else UNKNOWN
        match node.target:
            case nodes.Name() as only if types == {Type.LIST}:
                targets = [only]
            case nodes.Tuple(items=[nodes.Name() as name, nodes.Name() as value]) if types == {
                Type.LABELS
            }:
                targets = [name, value]
            case _:
                self.complain(
                    node,
                    "A loop is {% for tag in tags %} or {% for name, value in labels %}.",
                )
                targets = list(node.target.find_all(nodes.Name))
        for target in targets:
            taken = target.name in self.words or target.name == "loop"
            if taken or not target.name.isascii():
                self.complain(node, f"A loop cannot name its items “{quoted(target.name)}”.")
        return {target.name: TEXT for target in targets}
