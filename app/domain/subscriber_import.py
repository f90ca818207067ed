"""Files of subscribers: their head, their lines, and what is wrong with one. Pure.

A file is CSV with a head that names its columns: `address` at least; `channel` (email unless it
says otherwise), `frequency` (immediate or daily), and `components`, whose names are separated by
semicolons (everything, if it is empty).
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from app.domain.notification import Channel
from app.domain.subscriber import CHANNELS, MOST_SCOPES, Cadence

Word = TypeVar("Word", bound=StrEnum)

LARGEST_FILE = 5_000_000  # bytes
MOST_LINES = 50_000
LONGEST_LINE = 4_000  # characters
COLUMNS = ("address", "channel", "frequency", "components")
ALIASES = {"email": "address", "mail": "address", "e-mail": "address", "email address": "address"}


class ImportState(StrEnum):
    RUNNING = "running"
    FINISHED = "finished"


class LineOutcome(StrEnum):
    WAITING = "waiting"
    ADDED = "added"
    KNOWN = "known"  # the address is there already, and stays as it is
    REFUSED = "refused"  # with the reason


class FileFaultError(ValueError):
    """The file cannot be read at all, said in a sentence."""


class LineFaultError(ValueError):
    """A line cannot be taken in, said in a sentence."""


@dataclass(frozen=True)
class Wanted:
    """What a line asks for; whether its address is one, others find out."""

    channel: Channel
    address: str
    frequency: Cadence
    components: tuple[str, ...]


def read_head(cells: Iterable[str]) -> list[str]:
    """The columns that a head names, in our words."""
    names = [cell.strip().lower() for cell in cells]
    names = [ALIASES.get(name, name) for name in names]
    if "address" not in names:
        raise FileFaultError(
            "The first line must name the columns, and one of them must be “address”: write"
            " address,channel,frequency,components."
        )
    unknown = [name for name in names if name and name not in COLUMNS]
    if unknown:
        raise FileFaultError(
            f"There is no column “{unknown[0][:40]}”; known are {', '.join(COLUMNS)}."
        )
    if len(set(names)) < len(names):
        raise FileFaultError("A column is named twice in the first line.")
    return names


def lines_of(text: Iterable[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """The lines below the head that say something, each with its number in the file."""
    reader = csv.reader(text)
    try:
        head = read_head(next(reader, []))
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            said = dict(zip(head, (cell.strip() for cell in cells), strict=False))
            extra = len(cells) - len(head)
            if extra > 0:
                said["more"] = str(extra)
            yield reader.line_num, said
    except csv.Error as error:
        raise FileFaultError(
            f"Line {reader.line_num} is no CSV ({error}); save the file as CSV in UTF-8."
        ) from None


def read_line(said: dict[str, str]) -> Wanted:
    """What a line asks for, or the fault in it."""
    if "more" in said:
        raise LineFaultError("It has more cells than the first line names columns.")
    address = said.get("address", "")
    if not address:
        raise LineFaultError("It has no address.")
    if len(address) > LONGEST_LINE:
        raise LineFaultError("Its address is longer than any address is.")
    channel = _one_of(Channel, said.get("channel") or Channel.EMAIL, "channel")
    if channel not in CHANNELS:
        raise LineFaultError(f"Nobody can subscribe by {channel}; write {_listed(CHANNELS)}.")
    frequency = _one_of(Cadence, said.get("frequency") or Cadence.IMMEDIATE, "frequency")
    named = (name.strip() for name in said.get("components", "").split(";"))
    components = tuple(dict.fromkeys(name for name in named if name))
    if len(components) > MOST_SCOPES:
        raise LineFaultError(f"It names more than {MOST_SCOPES} components.")
    return Wanted(channel, address, frequency, components)


def _one_of(kind: type[Word], word: str, column: str) -> Word:
    try:
        return kind(word.lower())
    except ValueError:
        allowed = CHANNELS if kind is Channel else tuple(kind)
        raise LineFaultError(f"“{word[:40]}” is no {column}; write {_listed(allowed)}.") from None


def _listed(words: Iterable[StrEnum]) -> str:
    *most, last = (str(word) for word in words)
    return f"{', '.join(most)} or {last}"
