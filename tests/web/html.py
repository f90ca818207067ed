"""A page as its reader has it: what it says, where it leads, what it loads."""

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Page:
    """The elements that tests ask about, and the text without any markup."""

    elements: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def addresses(self) -> list[str]:
        """Everything it links to, loads or sends to."""
        names = ("href", "src", "action", "formaction", "srcset", "data", "poster")
        return [
            value
            for _, attributes in self.elements
            for name, value in attributes.items()
            if name in names and value
        ]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.page.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.page.texts.append(data)


def read(html: str) -> Page:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.page


def directives(policy: str) -> dict[str, list[str]]:
    """A Content-Security-Policy, by directive."""
    parts = [part.split() for part in policy.split(";")]
    return {name: values for name, *values in parts}
