"""The status page in HTML, its feeds and its badges, drawn from one picture of it.

The same drawing is served by us and exported as files: what differs is where links lead, which
`Links` says. Its environment is its own, so that nothing of the console can be named in a public
template (promise 7); nothing in here knows a request or a database.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import format_datetime
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.domain.public_history import MonthName, MonthPicture
from app.domain.public_page import (
    HistoryDay,
    IncidentPicture,
    Level,
    MaintenancePicture,
    PublicPage,
)
from app.domain.time_zone import zone
from app.web import badge, bars
from app.web.badge import Badge
from app.web.markdown import markdown
from app.web.templating import HERE, asset

NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
WORDS = {
    **{status: words.capitalize() for status, words in bars.WORDS.items()},
    "investigating": "Investigating",
    "identified": "Identified",
    "monitoring": "Monitoring",
    "resolved": "Resolved",
    "scheduled": "Scheduled",
    "in_progress": "In progress",
    "verifying": "Verifying",
    "completed": "Completed",
}
LEVELS = tuple(Level)
IMPACTS = {
    "none": "No impact",
    "minor": "Minor impact",
    "major": "Major impact",
    "critical": "Critical impact",
}


@dataclass(frozen=True)
class Links:
    """Where everything is, from one of the pages: served by us, or as a file among files."""

    home: str = "/status"
    history: str = "/status/history"
    months: str = "/status/history?month="
    incident_pages: str = "/status/incidents/"
    suffix: str = ""
    feeds: str = "/status/history"
    static: str = asset("")
    api: str = "/api/v2/"
    subscribe: str | None = "/status/subscribe"
    stream: str | None = "/v1/public/stream"

    def incident(self, code: str) -> str:
        return f"{self.incident_pages}{code}{self.suffix}"

    def month(self, name: MonthName) -> str:
        """A month of the history, as 2026-11."""
        return f"{self.months}{name}{self.suffix}"


SERVED = Links()


@dataclass(frozen=True)
class Stretch:
    """A day on which something happened, or days in a row on which nothing did."""

    first: date
    last: date
    day: HistoryDay | None


def stretches(days: Iterable[HistoryDay]) -> list[Stretch]:
    """The days, newest first, the quiet ones told together."""
    told: list[Stretch] = []
    for day in days:
        if day.incidents or day.maintenances:
            told.append(Stretch(day.on, day.on, day))
        elif told and told[-1].day is None:
            told[-1] = Stretch(day.on, told[-1].last, None)
        else:
            told.append(Stretch(day.on, day.on, None))
    return told


def home(page: PublicPage, links: Links = SERVED) -> str:
    """The page itself."""
    past = stretches(page.history)
    return _draw("status/index.html", page, links, day_bars=bars.bars_of, stretches=past)


def incident(page: PublicPage, shown: IncidentPicture, links: Links = SERVED) -> str:
    """What was told of one incident."""
    return _draw("status/incident.html", page, links, incident=shown, maintenance=None)


def maintenance(page: PublicPage, shown: MaintenancePicture, links: Links = SERVED) -> str:
    """What was told of one maintenance."""
    return _draw("status/incident.html", page, links, incident=None, maintenance=shown)


def history(page: PublicPage, month: MonthPicture, links: Links = SERVED) -> str:
    """What happened in one month."""
    return _draw("status/history.html", page, links, month=month)


def nothing(page: PublicPage, links: Links = SERVED) -> str:
    """What somebody sees who followed a link to nothing."""
    return _draw("status/nothing.html", page, links)


def subscribing(template: str, page: PublicPage, **values: Any) -> str:
    """One of the pages on which people subscribe, choose and leave."""
    return _draw(f"status/{template}.html", page, SERVED, **values)


def feed(kind: str, page: PublicPage, told: Iterable[IncidentPicture], suffix: str = "") -> str:
    """The history as `rss` or `atom`; its links are whole, for who reads it elsewhere."""
    told = tuple(told)
    newest = max([page.page.updated_at, *(one.updated_at for one in told)])
    where = Links(home=page.page.url, incident_pages=f"{page.page.url}/incidents/", suffix=suffix)
    return _draw(f"status/history.{kind}", page, where, incidents=told, newest=newest)


def page_badge(page: PublicPage) -> str:
    """How everything is, as an SVG."""
    return _svg(badge.of_page(page))


def component_badge(page: PublicPage, component_id: int) -> str | None:
    """How one component is, as an SVG; None where no such component is public."""
    for component in page.components():
        if component.id == component_id:
            return _svg(badge.of_component(component))
    return None


def _svg(drawn: Badge) -> str:
    text = _environment.get_template("status/badge.svg").render(badge=drawn)
    return NO_XML.sub("", text)


def _draw(template: str, page: PublicPage, links: Links, **values: Any) -> str:
    shared: Mapping[str, Any] = {
        "page": page,
        "facts": page.page,
        "links": links,
        "place": zone(page.page.time_zone),
        "words": WORDS,
        "impacts": IMPACTS,
    }
    return NO_XML.sub("", _environment.get_template(template).render(**shared, **values))


# --- What templates may ask for ----------------------------------------------------------


def _moment(at: datetime, place: ZoneInfo) -> str:
    """22 Nov 2026, 04:30 CET."""
    here = at.astimezone(place)
    return f"{here.day} {here:%b %Y, %H:%M} {here:%Z}"


def _clock(at: datetime, place: ZoneInfo) -> str:
    here = at.astimezone(place)
    return f"{here:%H:%M} {here:%Z}"


def _utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _machine(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _mail_date(at: datetime) -> str:
    return format_datetime(at.astimezone(UTC))


def _lasted(since: datetime, until: datetime) -> str:
    minutes = max(round((until - since).total_seconds() / 60), 1)
    days, rest = divmod(minutes, 24 * 60)
    if not days:
        return bars.span(rest)
    return f"{days} d {rest // 60} h" if rest >= 60 else f"{days} d"


_environment = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.filters |= {
    "markdown": markdown,
    "moment": _moment,
    "clock": _clock,
    "utc": _utc,
    "machine": _machine,
    "mail_date": _mail_date,
    "day_name": bars.day_name,
    "told": bars.told,
    "per_cent": bars.per_cent,
    "kind": lambda status: status.replace("_", "-"),
}
_environment.globals |= {"lasted": _lasted}
