"""Ninety days of a component as bars, ready to be drawn. Pure.

They read without colour: a day without trouble is a low bar, and the worse a day was the higher
its bar stands out of the line; a day before the component was there is a stub. Each says in words
what its day was like, and all of them together have one sentence for who cannot see them.
"""

from dataclasses import dataclass
from datetime import date

from app.domain.public_page import ComponentDay, ComponentPicture

PITCH = 10  # one day's share of the width, of which a bar takes so much
BAR = 7
HEIGHT = 40
HEIGHTS = {
    "none": 6,
    "operational": 22,
    "under_maintenance": 26,
    "degraded_performance": 30,
    "partial_outage": 35,
    "major_outage": HEIGHT,
}
WORDS = {
    "operational": "operational",
    "under_maintenance": "under maintenance",
    "degraded_performance": "degraded performance",
    "partial_outage": "partial outage",
    "major_outage": "major outage",
}
FEW = 8  # days that the sentence names; more are only counted


@dataclass(frozen=True)
class Bar:
    """One day: where it stands, and what it says."""

    x: int
    y: int
    height: int
    kind: str  # its status with hyphens, for the style sheet
    title: str


@dataclass(frozen=True)
class Bars:
    """All days of a component."""

    width: int
    height: int
    bars: tuple[Bar, ...]
    label: str
    troubled: tuple[ComponentDay, ...]  # newest first

    @property
    def bar(self) -> int:
        return BAR


def bars_of(component: ComponentPicture) -> Bars:
    """The bars of a component, oldest first."""
    troubled = tuple(day for day in reversed(component.days) if is_troubled(day))
    return Bars(
        width=max(len(component.days) * PITCH - (PITCH - BAR), BAR),
        height=HEIGHT,
        bars=tuple(_bar(at, day) for at, day in enumerate(component.days)),
        label=_label(component, troubled),
        troubled=troubled,
    )


def is_troubled(day: ComponentDay) -> bool:
    return day.status is not None and (day.status != "operational" or bool(day.incidents))


def day_name(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def told(day: ComponentDay) -> str:
    """A day in words: what it was like, for how long, and why."""
    if day.status is None:
        return "no data"
    spans = [f"{WORDS[status]} for {span(minutes)}" for status, minutes in day.minutes if minutes]
    said = ", ".join(spans) or ("no downtime" if day.status == "operational" else WORDS[day.status])
    titles = [link.title for link in day.incidents]
    return f"{said} ({'; '.join(titles)})" if titles else said


def span(minutes: int) -> str:
    """Minutes for people: 32 min, 1 h, 2 h 5 min."""
    hours, rest = divmod(minutes, 60)
    if not hours:
        return f"{rest} min"
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def per_cent(share: float) -> str:
    """An uptime, cut and never rounded up: less than everything is not shown as 100 %."""
    cut = int(share * 100 + 1e-9) / 100
    return "100 %" if cut >= 100 else f"{cut:.2f} %"


def _bar(at: int, day: ComponentDay) -> Bar:
    kind = day.status or "none"
    height = HEIGHTS[kind]
    title = f"{day_name(day.on)}: {told(day)}"
    return Bar(at * PITCH, HEIGHT - height, height, kind.replace("_", "-"), title)


def _label(component: ComponentPicture, troubled: tuple[ComponentDay, ...]) -> str:
    begin = f"{component.name}, the last {len(component.days)} days"
    if component.uptime is not None:
        begin += f": {per_cent(component.uptime)} uptime"
    if not troubled:
        return f"{begin}. No downtime."
    named = "; ".join(f"{day_name(day.on)}, {told(day)}" for day in troubled[:FEW])
    more = len(troubled) - FEW
    return f"{begin}. Days with trouble: {named}{f'; and {more} more' if more > 0 else ''}."
