"""Charts as they are drawn by the server: columns over time, and bars by name. Pure.

Across, everything is in per cent, so that a chart is as wide as its place and its words keep their
size; down, in pixels. Each column says in words what it stands for.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count

HEIGHT = 160
MOST_LABELS = 5
WEEK = 7  # names that are short enough to stand all
EDGE = 92  # per cent: what begins beyond it would stand out
MOST_STEPS = 4
STEPS = (1, 2, 5)
MINUTE, HOUR = 60, 3600


@dataclass(frozen=True)
class Point:
    """One number: what it is of, and how it reads."""

    name: str
    value: float
    words: str


@dataclass(frozen=True)
class Column:
    x: str
    width: str
    y: float
    height: float
    middle: str
    title: str
    words: str
    is_highest: bool


@dataclass(frozen=True)
class Tick:
    """A line across, or a name below."""

    at: str
    words: str
    anchor: str = "middle"


@dataclass(frozen=True)
class Columns:
    """A chart of columns; `label` is what it says to whoever cannot see it."""

    columns: tuple[Column, ...]
    lines: tuple[Tick, ...]
    names: tuple[Tick, ...]
    height: int
    label: str


@dataclass(frozen=True)
class Bar:
    """One of a list: its share of the longest."""

    name: str
    width: str
    words: str
    href: str | None = None


def columns(points: Sequence[Point], unit: str, *, divisor: float = 1) -> Columns:
    """Columns from left to right, with an axis in `unit`: so many of what values are counted in."""
    top = _axis([point.value / divisor for point in points])
    share = 100 / max(len(points), 1)
    highest = max((point.value for point in points), default=0)
    drawn = []
    is_marked = False
    for at, point in enumerate(points):
        tall = round(point.value / divisor / top[-1] * HEIGHT, 1)
        is_highest = not is_marked and point.value == highest > 0
        is_marked = is_marked or is_highest
        drawn.append(
            Column(
                x=_percent((at + 0.12) * share),
                width=_percent(0.76 * share),
                y=round(HEIGHT - tall, 1),
                height=tall,
                middle=_percent((at + 0.5) * share),
                title=f"{point.name}: {point.words}",
                words=point.words,
                is_highest=is_highest,
            )
        )
    lines = [Tick(f"{HEIGHT - step / top[-1] * HEIGHT:.1f}", f"{step:g}") for step in top]
    said = ", ".join(f"{point.name} {point.words}" for point in points if point.value == highest)
    label = f"{len(points)} columns, in {unit}. Highest: {said[:200]}." if highest else "Nothing."
    return Columns(tuple(drawn), tuple(lines), _names(points, share), HEIGHT, label)


def bars(points: Sequence[Point], hrefs: Sequence[str | None] = ()) -> list[Bar]:
    """Bars under each other; the longest takes all the room."""
    longest = max((point.value for point in points), default=0) or 1
    links = [*hrefs, *([None] * (len(points) - len(hrefs)))]
    return [
        Bar(point.name, _percent(100 * point.value / longest), point.words, link)
        for point, link in zip(points, links, strict=True)
    ]


def time_unit(values: Sequence[float]) -> tuple[str, float]:
    """The unit in which spans of so many seconds are best told."""
    most = max(values, default=0)
    if most >= 3 * HOUR:
        return "hours", HOUR
    return ("minutes", MINUTE) if most >= 2 * MINUTE else ("seconds", 1)


def _axis(values: Sequence[float]) -> list[float]:
    """Some round numbers from nothing to above the highest."""
    most = max(values, default=0) or 1
    for power in count(-3):
        for step in STEPS:
            size = step * 10.0**power
            if size * MOST_STEPS >= most and (size >= 1 or most < 1):
                steps = next(n for n in count(1) if n * size >= most)
                return [round(n * size, 3) for n in range(steps + 1)]
    raise AssertionError("no number is endless")


def _names(points: Sequence[Point], share: float) -> tuple[Tick, ...]:
    """As many names below as a phone has room for; the last one keeps inside."""
    every = 1 if len(points) <= WEEK else -(-len(points) // MOST_LABELS)
    found = []
    for at in range(0, len(points), every):
        middle = (at + 0.5) * share
        is_last = len(points) > WEEK and middle > EDGE
        place = Tick(_percent(100 if is_last else middle), points[at].name)
        found.append(replace(place, anchor="end") if is_last else place)
    return tuple(found)


def _percent(share: float) -> str:
    return f"{share:.3f}".rstrip("0").rstrip(".") + "%"
