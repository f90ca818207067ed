"""The lines that an iCalendar file is made of (RFC 5545), and its components. Pure.

Files come from strangers. Each line is looked at once, nothing is looked up anywhere, and what is
too much is refused: the work grows with the bytes alone.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

MOST_LINES = 100_000
DEEPEST = 6
NAME = re.compile(r"[A-Za-z0-9-]+")
PARAMETER = re.compile(r';([A-Za-z0-9-]+)=((?:"[^"]*"|[^";:,]*)(?:,(?:"[^"]*"|[^";:,]*))*)')
ESCAPED = re.compile(r"\\([\\;,nN])")
LONGEST_LINE = 75  # octets, its end not counted


class UnreadableCalendarError(ValueError):
    """It is no calendar; the text is a sentence for whoever sees to it."""


class Line(NamedTuple):
    """A property, with the number of the line that it begins in."""

    name: str
    parameters: Mapping[str, str]
    value: str
    number: int

    @property
    def text(self) -> str:
        """The value without its escapes, if it is text."""
        return ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], self.value)


@dataclass
class Component:
    """What stands between a BEGIN and its END."""

    name: str
    number: int  # of the line that it begins in
    lines: dict[str, list[Line]] = field(default_factory=lambda: defaultdict(list))
    parts: list["Component"] = field(default_factory=list)

    def first(self, name: str) -> Line | None:
        found = self.lines.get(name)
        return found[0] if found else None

    def all(self, name: str) -> list[Line]:
        return self.lines.get(name, [])


def read(body: bytes) -> Component:
    """The calendar in a file; several in one file are taken for one."""
    whole = Component("", 0)
    path = [whole]
    for line in _lines(body):
        if line.name == "BEGIN":
            if len(path) > DEEPEST:
                raise UnreadableCalendarError(
                    f"Line {line.number}: components are nested deeper than {DEEPEST} levels."
                )
            inner = Component(line.value.strip().upper(), line.number)
            path[-1].parts.append(inner)
            path.append(inner)
        elif line.name == "END":
            if len(path) == 1 or path[-1].name != line.value.strip().upper():
                raise UnreadableCalendarError(
                    f"Line {line.number}: END:{line.value[:40]} closes nothing that is open."
                )
            path.pop()
        else:
            path[-1].lines[line.name].append(line)
    calendars = [part for part in whole.parts if part.name == "VCALENDAR"]
    if not calendars:
        raise UnreadableCalendarError(
            "This is no iCalendar file: it has no BEGIN:VCALENDAR. If it is a web page, the address"
            " asks for a login; use the calendar’s secret iCal address."
        )
    if len(path) > 1:
        raise UnreadableCalendarError(
            f"The file ends within the {path[-1].name[:40]} that begins in line {path[-1].number}:"
            " it was cut off."
        )
    together = calendars[0]
    for other in calendars[1:]:
        together.parts += other.parts
    return together


def _lines(body: bytes) -> Iterator[Line]:
    for number, text in _unfolded(body):
        line = _line(number, text)
        if line is not None:
            yield line


def _unfolded(body: bytes) -> Iterator[tuple[int, str]]:
    """Whole lines. Octets are put together before they are read: a fold may split a letter."""
    lines = body.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").split(b"\n")
    if len(lines) > MOST_LINES:
        raise UnreadableCalendarError(f"The file has more than {MOST_LINES:,} lines.")
    whole: list[bytes] = []
    begins = 1
    for number, raw in enumerate(lines, 1):
        if raw[:1] in (b" ", b"\t"):
            whole.append(raw[1:])
            continue
        if whole:
            yield begins, b"".join(whole).decode(errors="replace")
        whole, begins = [raw], number
    yield begins, b"".join(whole).decode(errors="replace")


def _line(number: int, text: str) -> Line | None:
    """A property, or None for what is none: files hold empty lines, and worse."""
    found = NAME.match(text)
    if found is None:
        return None
    at = found.end()
    parameters: dict[str, str] = {}
    while (parameter := PARAMETER.match(text, at)) is not None:
        parameters.setdefault(parameter[1].upper(), parameter[2].strip('"'))
        at = parameter.end()
    if text[at : at + 1] != ":":
        return None
    return Line(found[0].upper(), parameters, text[at + 1 :], number)


# --- writing


def written(name: str, value: str) -> bytes:
    """A property as a file has it: lines of at most 75 octets that break no letter."""
    octets = f"{name}:{value}".encode()
    lines: list[bytes] = []
    while len(octets) > LONGEST_LINE - bool(lines):
        end = LONGEST_LINE - bool(lines)
        while octets[end] & 0xC0 == 0x80:  # a letter goes on here
            end -= 1
        lines.append(octets[:end])
        octets = octets[end:]
    return b"\r\n ".join([*lines, octets]) + b"\r\n"


def escaped(text: str) -> str:
    """Text as the value of a property; what is no character of text is left out."""
    kept = "".join(one for one in text if one.isprintable() or one == "\n")
    for special in ("\\", ";", ","):
        kept = kept.replace(special, f"\\{special}")
    return kept.replace("\n", "\\n")
