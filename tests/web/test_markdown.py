"""Markdown is shown as it was meant, and nothing in it can leave its box."""

import pytest

from app.web.markdown import markdown
from tests.web.html import Page, read

HARMLESS = {
    "a", "blockquote", "br", "code", "em", "hr", "li", "ol", "p", "pre", "s", "strong", "table",
    "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "![x](https://evil.example/pixel.png)",
    "![x][1]\n\n[1]: https://evil.example/pixel.png",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:msgbox)",
    "[x](//evil.example)",
    "[x](/logout)",
    "<javascript:alert(1)>",
    '[x](https://e.example "onmouseover=alert(1)")',
    "[x](https://e.example/\"onmouseover=\"alert(1))",
    "<style>body{display:none}</style>",
    "<iframe src=https://evil.example></iframe>",
    "<form action=/incidents/1/delete><button>x</button></form>",
    "<a href='https://e.example' style='position:fixed;inset:0'>x</a>",
    "|a|\n|:-:|\n|<script>1</script>|",
    "```<script>\nalert(1)\n```",
    "```html\" onload=alert(1)\n<b>\n```",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<!-- --><script>alert(1)</script>",
    "</p></div></main><script>alert(1)</script>",
    "https://e.example/<script>alert(1)</script>",
    "\x00<script>alert(1)</script>",
    "<math><mtext></p><style><img src=x onerror=alert(1)>",
]  # fmt: skip


def shown(text: str) -> Page:
    return read(str(markdown(text)))


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_hostile_passes(text: str) -> None:
    page = shown(text)
    assert {name for name, _ in page.elements} <= HARMLESS
    for name, attributes in page.elements:
        allowed = {"a": {"href", "title", "rel"}, "p": {"class"}}.get(name, set())
        assert attributes.keys() <= allowed, text
    for address in page.addresses:
        assert address.startswith(("https://", "http://", "mailto:")), text


def test_raw_html_is_shown_as_it_was_typed() -> None:
    assert shown("<b>bold</b>").text == "<b>bold</b>"
    assert shown("<script>alert(1)</script>").text == "<script>alert(1)</script>"


def test_what_people_write_looks_as_they_meant_it() -> None:
    html = str(markdown("**Now** *slow* ~~gone~~ `db-7`\nnext line\n\n> said\n\n1. one\n2. two"))
    for part in (
        "<strong>Now</strong>", "<em>slow</em>", "<s>gone</s>", "<code>db-7</code><br>",
        "<blockquote>", "<ol>\n<li>one</li>",
    ):  # fmt: skip
        assert part in html
    assert str(markdown("# Plan")) == '<p class="heading">Plan</p>\n'
    assert "<td>2</td>" in str(markdown("|a|b|\n|-|-|\n|1|2|"))


def test_boxes_of_a_checklist_are_shown() -> None:
    page = shown("- [ ] look\n- [x] done\n- [X] done\n- [y] no")
    assert page.text == "☐ look ☑ done ☑ done [y] no"
    assert shown("[ ] no list").text == "[ ] no list"


def test_links_tell_nobody_where_they_were_followed_from() -> None:
    for text in (
        "[docs](https://e.example/a)",
        "<https://e.example/a>",
        "see https://e.example/a.",
    ):
        [link] = shown(text).all("a")
        assert link == {"href": "https://e.example/a", "rel": "noopener nofollow"}


def test_a_bare_address_is_a_link_but_not_in_code_or_in_another_link() -> None:
    assert shown("`https://e.example`").all("a") == []
    assert len(shown("[https://a.example](https://b.example)").all("a")) == 1
    found = shown("(https://e.example/x?a=1&b=2), and https://f.example/").all("a")
    assert [link["href"] for link in found] == ["https://e.example/x?a=1&b=2", "https://f.example/"]


@pytest.mark.parametrize(
    "text", ["[", "*a ", ">", "_a*b", "[a](", "`a", "|", "&", "<", "![[](", "\\", "- "]
)
def test_no_text_that_may_be_kept_takes_long(text: str) -> None:
    # One that did would outlast the patience of the whole run.
    assert "<script" not in markdown((text * 10_000)[:10_000])


def test_right_to_left_and_emoji_come_through() -> None:
    assert shown("שלום 🚨 **مرحبا**").text == "שלום 🚨 مرحبا"
