"""Words from anywhere, made fit for one place in a message.

What should be one line is one line: nothing that a stranger typed can pass for the rest of a
message, and nothing invisible rides along.
"""

import re
from datetime import UTC, datetime

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_GAPS = re.compile(r"\n{3,}")
# Each begins something in one chat or another: a call to everybody, a link in disguise.
_CALLS = re.compile(
    r"@(?=(?:all|channel|everyone|here)\b)|<(?=[!@#A-Za-z])|\](?=\()", re.IGNORECASE
)


def line(text: str) -> str:
    """The printable words of `text`, on one line."""
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(text.split())


def block(text: str) -> str:
    """`text` with at most one blank line in a row, none at its ends, and no control in it."""
    lines = "\n".join(_CONTROLS.sub("", one).rstrip() for one in text.splitlines())
    return _GAPS.sub("\n\n", lines).strip()


def hushed(text: str) -> str:
    """`text` as it looks, with an invisible break where a chat would call everybody or link."""
    return _CALLS.sub(lambda found: f"{found[0]}\u200b", text)


def cut(text: str, room: int) -> str:
    """`text`, or as much of it as `room` characters hold with the sign that some is missing."""
    return text if len(text) <= room else text[: max(room - 1, 0)].rstrip() + "…"


def instant(moment: datetime) -> str:
    """A moment for people: 2026-11-21 03:12:05 UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def zulu(moment: datetime) -> str:
    """A moment for programs: 2026-11-21T03:12:05Z."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def counted(number: int, noun: str) -> str:
    """`1 minute`, `10 minutes`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
