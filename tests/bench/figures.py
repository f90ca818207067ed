"""A figure and what it is measured against; how all of them are shown."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """One measured value beside its limit, which was measured in the same run.

    `goal` is the ratio it must reach (or, for a `smaller` one, must not pass); a figure
    without a limit is compared with its goal itself.
    """

    name: str
    value: float
    unit: str
    what: str
    limit: float | None = None
    limit_is: str = ""
    goal: float | None = None
    smaller: bool = False  # smaller is better

    @property
    def ratio(self) -> float | None:
        return self.value / self.limit if self.limit else None

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is met; None where there is none."""
        if self.goal is None:
            return None
        reached = self.value if self.ratio is None else self.ratio
        return reached <= self.goal if self.smaller else reached >= self.goal


def as_json(figures: Sequence[Figure]) -> str:
    found = {
        figure.name: {
            "value": round(figure.value, 3),
            "limit": None if figure.limit is None else round(figure.limit, 3),
            "ratio": None if figure.ratio is None else round(figure.ratio, 3),
            "unit": figure.unit,
            "goal": figure.goal,
            "met": figure.is_met,
            "what": figure.what,
            "limit_is": figure.limit_is or None,
        }
        for figure in figures
    }
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def as_table(figures: Sequence[Figure]) -> str:
    """Lines for a terminal."""
    head = ("figure", "value", "limit", "ratio", "goal", "")
    rows = [head, *(_row(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def _row(figure: Figure) -> tuple[str, ...]:
    sign = "≤" if figure.smaller else "≥"
    goal = "" if figure.goal is None else f"{sign} {figure.goal:g}"
    met = {None: "", True: "met", False: "MISSED"}[figure.is_met]
    limit = "" if figure.limit is None else _number(figure.limit)
    ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
    return (figure.name, f"{_number(figure.value)} {figure.unit}", limit, ratio, goal, met)


def _number(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


ROW, LEFT, WIDE = 34, 300, 420
INK, BAR, TRACK, MISSED = "#1f2933", "#2f6f9f", "#e4e9ee", "#b4462f"


def as_chart(figures: Sequence[Figure], title: str) -> str:
    """An SVG: every figure with a limit as a bar, the limit being the whole width."""
    shown = [figure for figure in figures if figure.ratio is not None]
    height = 60 + ROW * len(shown)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="860" height="{height}"'
        f' viewBox="0 0 860 {height}" font-family="system-ui, sans-serif" font-size="13">',
        f"<title>{escape(title)}</title>",
        f'<rect width="860" height="{height}" fill="#ffffff"/>',
        f'<text x="12" y="28" font-size="16" fill="{INK}">{escape(title)}</text>',
    ]
    for row, figure in enumerate(shown):
        parts += _bar(figure, 52 + ROW * row)
    return "\n".join([*parts, "</svg>\n"])


def _bar(figure: Figure, top: int) -> list[str]:
    assert figure.ratio is not None
    assert figure.limit is not None
    width = WIDE * min(figure.ratio, 1.0)
    colour = MISSED if figure.is_met is False else BAR
    value = f"{_number(figure.value)} of {_number(figure.limit)} {figure.unit}"
    lines = [
        f'<text x="{LEFT - 10}" y="{top + 15}" text-anchor="end" fill="{INK}">'
        f"{escape(figure.what)}</text>",
        f'<rect x="{LEFT}" y="{top}" width="{WIDE}" height="20" rx="2" fill="{TRACK}"/>',
        f'<rect x="{LEFT}" y="{top}" width="{width:.0f}" height="20" rx="2" fill="{colour}"/>',
        f'<text x="{LEFT + WIDE + 8}" y="{top + 15}" fill="{INK}">{escape(value)}</text>',
    ]
    if figure.goal is not None and figure.goal <= 1:
        at = LEFT + WIDE * figure.goal
        lines.append(
            f'<line x1="{at:.0f}" y1="{top - 3}" x2="{at:.0f}" y2="{top + 23}"'
            f' stroke="{INK}" stroke-width="2"/>'
        )
    return lines


def write(figures: Sequence[Figure], folder: Path, title: str) -> None:
    """The results for programs and for people."""
    (folder / "bench_results.json").write_text(as_json(figures))
    (folder / "bench_results.svg").write_text(as_chart(figures, title))
