"""A schedule as it is drawn: rows of bars over days, in per cent of the width. Pure.

The final row is on top, then what counts for a while, then the layers, the highest first, as they
win over one another. A gap is a bar, too. Everything that is drawn is also told in words.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from app.domain.timeline import Interval, cut
from app.web.wall import Wall

MOST_BARS = 400  # of one row; what has more wants fewer weeks
WEEKS = (1, 2, 4)
SATURDAY = 5
USUAL_WIDTH, LETTER, PADDING = 1_000, 7, 6  # px: by them it is reckoned which words fit


@dataclass(frozen=True)
class Day:
    """A column, and how the clock is turned in it."""

    x: str
    width: str
    on: date
    is_weekend: bool
    is_today: bool
    turned_x: str | None = None
    turned: str | None = None

    @property
    def words(self) -> str:
        return f"{self.on:%a} {self.on.day}"


@dataclass(frozen=True)
class Bar:
    """Somebody, or nobody, from when to when."""

    x: str
    width: str
    kind: str  # shift, gap, instead, other
    words: str
    title: str
    starts_at: datetime
    ends_at: datetime
    people: tuple[int, ...] = ()
    label: str = ""  # as much of the words as there is room for

    @property
    def span(self) -> timedelta:
        return self.ends_at - self.starts_at


@dataclass(frozen=True)
class Row:
    name: str
    kind: str  # final, passing, layer
    bars: Sequence[Bar]
    hatched: Sequence[Bar] = ()
    is_too_full: bool = False


@dataclass(frozen=True)
class Chart:
    """Days, rows, and where now is."""

    wall: Wall
    during: Interval
    weeks: int
    days: Sequence[Day]
    rows: Sequence[Row]
    now_x: str | None
    gaps: Sequence[Interval]

    @property
    def final(self) -> Row:
        return self.rows[0]

    @property
    def turns(self) -> list[str]:
        return [day.turned for day in self.days if day.turned is not None]


def frame(wall: Wall, first: date, weeks: int) -> Interval:
    """So many weeks of days, from the first one on."""
    return Interval(wall.midnight(first), wall.midnight(first + timedelta(weeks=weeks)))


def first_day(wall: Wall, now: datetime, asked: str) -> date:
    """The day that an address asks for; else the Monday before now."""
    try:
        found = date.fromisoformat(asked)
    except ValueError:
        found = date.min
    if not 1971 <= found.year < 2199:
        today = wall.day_of(now)
        return today - timedelta(days=today.weekday())
    return found


def chart_of(
    rendered: Mapping[str, Any],
    wall: Wall,
    during: Interval,
    *,
    now: datetime,
    since: datetime | None = None,
) -> Chart:
    """A rendering, drawn. Before `since` the schedule was not there, and nobody is missing."""
    names = {one.id: _name(one) for one in rendered["people"]}
    scale = _Scale(wall, during)
    born = during.starts_at if since is None else since
    gaps = [
        Interval(max(gap.starts_at, born), gap.ends_at)
        for gap in rendered["gaps"]
        if gap.ends_at > born
    ]
    final = [scale.shift(part, names) for part in rendered["final"]]
    final += [scale.gap(gap) for gap in gaps]
    final.sort(key=lambda bar: bar.starts_at)
    instead = _instead(rendered, during)
    rows = [_row("On call", "final", final, [scale.bare(part, "instead") for part in instead])]
    passing = [scale.override(one, names) for one in reversed(rendered.get("overrides", ()))]
    passing += [scale.other(one) for one in rendered.get("temporary_schedules", ())]
    if passing:
        rows.append(_row("For a while", "passing", [bar for bar in passing if bar is not None]))
    numbered = list(enumerate(rendered["layers"], start=1))
    for number, layer in reversed(numbered):
        bars = [scale.shift(part, names) for part in layer.stretches]
        rows.append(_row(layer.name or f"Layer {number}", "layer", bars))
    is_within = during.starts_at <= now < during.ends_at
    weeks = round((during.ends_at - during.starts_at) / timedelta(weeks=1)) or 1
    now_x = scale.at(now) if is_within else None
    return Chart(wall, during, weeks, _days(scale, now), rows, now_x, gaps)


def listed(people: Iterable[int], names: Mapping[int, str]) -> str:
    return ", ".join(names.get(one, "somebody who is gone") for one in people) or "Nobody"


def hours(span: timedelta) -> str:
    """“2 d 4 h”, “8 h”, “45 min”."""
    minutes = round(span.total_seconds() / 60)
    days, rest = divmod(minutes, 24 * 60)
    whole, left = divmod(rest, 60)
    parts = [(days, "d"), (whole, "h"), (left, "min")]
    told = [f"{count} {unit}" for count, unit in parts if count]
    return " ".join(told[:2]) or "0 min"


class _Scale:
    """Where an instant lies."""

    def __init__(self, wall: Wall, during: Interval) -> None:
        self.wall = wall
        self.during = during
        self.whole = during.ends_at - during.starts_at

    def at(self, moment: datetime) -> str:
        return _percent((moment - self.during.starts_at) / self.whole)

    def width(self, part: Interval) -> str:
        return _percent((part.ends_at - part.starts_at) / self.whole)

    def bar(self, part: Interval, kind: str, words: str, people: tuple[int, ...] = ()) -> Bar:
        span = hours(part.ends_at - part.starts_at)
        times = f"{self.wall.told(part.starts_at)} – {self.wall.told(part.ends_at)}"
        title = f"{words}: {times} ({span})"
        place = self.at(part.starts_at), self.width(part)
        room = (part.ends_at - part.starts_at) / self.whole * USUAL_WIDTH
        label = _label(words, room, span if kind == "gap" else "")
        return Bar(*place, kind, words, title, *part, people, label)

    def shift(self, part: Any, names: Mapping[int, str]) -> Bar:
        interval = Interval(part.starts_at, part.ends_at)
        return self.bar(interval, "shift", listed(part.people, names), tuple(part.people))

    def gap(self, gap: Interval) -> Bar:
        return self.bar(gap, "gap", f"Nobody for {hours(gap.ends_at - gap.starts_at)}")

    def bare(self, part: Interval, kind: str) -> Bar:
        return self.bar(part, kind, "Instead")

    def override(self, one: Any, names: Mapping[int, str]) -> Bar | None:
        part = cut(one, self.during)
        who = names.get(one.user_id, "Somebody")
        return None if part is None else self.bar(part, "instead", who, (one.user_id,))

    def other(self, one: Any) -> Bar | None:
        part = cut(one, self.during)
        return None if part is None else self.bar(part, "other", one.reason or "Other layers")


def _row(name: str, kind: str, bars: Sequence[Bar], hatched: Sequence[Bar] = ()) -> Row:
    if len(bars) > MOST_BARS:
        return Row(name, kind, [], [], is_too_full=True)
    return Row(name, kind, bars, hatched)


def _instead(rendered: Mapping[str, Any], during: Interval) -> list[Interval]:
    """Where the final row is what somebody put there for a while."""
    found = []
    for one in rendered.get("overrides", ()):
        for part in rendered["final"]:
            touching = cut(one, Interval(part.starts_at, part.ends_at))
            if touching is not None and one.user_id in part.people:
                inside = cut(touching, during)
                found += [] if inside is None else [inside]
    return sorted(found)


def _days(scale: _Scale, now: datetime) -> list[Day]:
    wall, during = scale.wall, scale.during
    days = []
    on, today = wall.day_of(during.starts_at), wall.day_of(now)
    while (begin := wall.midnight(on)) < during.ends_at:
        part = cut(Interval(begin, wall.midnight(on + timedelta(days=1))), during)
        if part is not None:
            turn = wall.turn(*part)
            days.append(
                Day(
                    scale.at(part.starts_at),
                    scale.width(part),
                    on,
                    on.weekday() >= SATURDAY,
                    on == today,
                    None if turn is None else scale.at(turn[0]),
                    None if turn is None else _turned(wall, *turn),
                )
            )
        on += timedelta(days=1)
    return days


def _turned(wall: Wall, at: datetime, by: timedelta) -> str:
    way = "forward" if by > timedelta() else "back"
    return f"{wall.told(at - timedelta(minutes=1))}: the clock goes {way} by {hours(abs(by))}"


def _label(words: str, room: float, span: str) -> str:
    """The words, or the first of them, or the initials, or of a gap its length; what fits."""
    first = words.split(" ", maxsplit=1)[0]
    initials = "".join(word[:1] for word in words.split()[:2])
    fewer: tuple[str, ...] = (span,) if span else (first, initials)
    for label in (words, *fewer):
        if len(label) * LETTER + 2 * PADDING <= room:
            return label
    return ""


def _name(person: Any) -> str:
    return str(person.name) if person.is_active else f"{person.name} (deactivated)"


def _percent(share: float) -> str:
    return f"{max(share, 0) * 100:.3f}%"
