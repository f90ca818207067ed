"""A badge for a readme or a wiki: a name and a status, as an SVG that needs no font of ours."""

from dataclasses import dataclass

from app.domain.public_page import ComponentPicture, Level, PublicPage

NARROW, WIDE = set("fijlrtI.,:;|!'()[] "), set("mwMW@%&—")
AROUND = 20  # blanks to the left and right of both texts
LONGEST = 60

# Ink that can be read on white and on a dark page alike, under white words.
INK = {
    Level.NONE: "#1a7f37",
    Level.MAINTENANCE: "#1d5fa8",
    Level.MINOR: "#8a6100",
    Level.MAJOR: "#b8480a",
    Level.CRITICAL: "#b42318",
}
SAID = {
    Level.NONE: "operational",
    Level.MAINTENANCE: "maintenance",
    Level.MINOR: "degraded",
    Level.MAJOR: "partial outage",
    Level.CRITICAL: "major outage",
}
LEVELS = {
    "operational": Level.NONE,
    "under_maintenance": Level.MAINTENANCE,
    "degraded_performance": Level.MINOR,
    "partial_outage": Level.MAJOR,
    "major_outage": Level.CRITICAL,
}


@dataclass(frozen=True)
class Badge:
    """Two words side by side; widths in pixels."""

    label: str
    said: str
    ink: str
    label_width: int
    said_width: int

    @property
    def width(self) -> int:
        return self.label_width + self.said_width


def of_page(page: PublicPage) -> Badge:
    """How everything is."""
    return _badge(page.page.name, page.level)


def of_component(component: ComponentPicture) -> Badge:
    """How one component is."""
    return _badge(component.name, LEVELS[component.status])


def _badge(label: str, level: Level) -> Badge:
    label = label if len(label) <= LONGEST else label[: LONGEST - 1] + "…"
    said = SAID[level]
    return Badge(label, said, INK[level], _width(label), _width(said))


def _width(text: str) -> int:
    """About as wide as the text is at 11 px; the SVG fits its words to it."""
    measured = sum(4 if c in NARROW else 10 if c in WIDE else 7 for c in text)
    return measured + AROUND
