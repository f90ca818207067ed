"""The sandboxes in which words are put together: one for our texts, one for our HTML.

Templates are compiled once in a process; a missing fact is an error and never a hole.
"""

from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from app.messages.plain import instant

TEMPLATES = Path(__file__).parent / "templates"


def _environment(*, is_html: bool) -> ImmutableSandboxedEnvironment:
    made = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=is_html,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters["instant"] = instant
    # Only such an address is made something to press: no script, no file.
    made.tests["web_link"] = lambda url: url.startswith(("https://", "http://"))
    return made


_PLAIN = _environment(is_html=False)
_HTML = _environment(is_html=True)


def plain_text(template: str, **facts: Any) -> str:
    """What a template says in plain text."""
    return _PLAIN.get_template(f"{template}.txt").render(facts)


def html(template: str, **facts: Any) -> str:
    """What a template says in HTML, every fact escaped."""
    return _HTML.get_template(f"{template}.html").render(facts)
