"""Markdown as people write it, made safe to show.

Two gates, neither of which trusts the other: the reader takes raw HTML for text and knows no
pictures, and what it made goes through a list of the elements, attributes and addresses that may
pass. Whatever somebody writes, it cannot leave its box: no scripts, no styles, nothing that a
browser would load, no links but to the web and to mail.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markupsafe import Markup

KEPT = 256  # texts, as they were rendered last
ELEMENTS = {
    "a", "blockquote", "br", "code", "em", "hr", "li", "ol", "p", "pre", "s", "strong", "table",
    "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
SCHEMES = {"http", "https", "mailto"}
_ADDRESS = re.compile(r"https?://[^\s<>\"'`]+[^\s<>\"'`.,:;!?)\]}*_]")
_BOXES = {"[ ] ": "☐ ", "[x] ": "☑ ", "[X] ": "☑ "}


@lru_cache(maxsize=KEPT)
def markdown(text: str) -> Markup:
    """The text as HTML that may stand in any page."""
    cleaned = nh3.clean(
        _READER.render(text),
        tags=ELEMENTS,
        attributes={"a": {"href", "title"}},
        allowed_classes={"p": {"heading"}},
        url_schemes=SCHEMES,
        url_relative="deny",
        link_rel="noopener nofollow",
    )
    return Markup(cleaned)  # noqa: S704  # it is what this module is for


def _finish(state: StateCore) -> None:
    """Headings become strong lines, for the page has headings of its own; boxes to tick are
    shown; a bare address is a link."""
    before = ""
    for token in state.tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = "p"
            if token.nesting == 1:
                token.attrSet("class", "heading")
        if token.type == "inline" and token.children:
            if before == "list_item_open":
                _tick(token.children[0])
            token.children = list(_linked(token.children))
        if token.type != "paragraph_open":
            before = token.type


def _tick(first: Token) -> None:
    if first.type == "text" and first.content[:4] in _BOXES:
        first.content = _BOXES[first.content[:4]] + first.content[4:]


def _linked(parts: list[Token]) -> Iterator[Token]:
    depth = 0
    for part in parts:
        depth += part.nesting if part.type in ("link_open", "link_close") else 0
        if part.type != "text" or depth > 0 or "://" not in part.content:
            yield part
            continue
        reached = 0
        for found in _ADDRESS.finditer(part.content):
            yield _text(part.content[reached : found.start()])
            yield Token("link_open", "a", 1, attrs={"href": found.group()})
            yield _text(found.group())
            yield Token("link_close", "a", -1)
            reached = found.end()
        yield _text(part.content[reached:])


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)


_READER = (
    MarkdownIt("commonmark", {"html": False, "breaks": True, "maxNesting": 20})
    .enable(["table", "strikethrough"])
    .disable(["image", "html_block", "html_inline"])
)
_READER.core.ruler.push("finish", _finish)
