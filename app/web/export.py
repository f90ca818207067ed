"""The status page as files, for a web server that goes on when everything of ours is down.

Links are relative, so the folder may be served from anywhere; nothing in it needs JavaScript.
Each file is replaced at one stroke, and the front page last: whoever reads meanwhile never sees
half a file, nor a link to what is not there yet. The folder is ours alone: a marker in it says so
and lists what was written, nothing else in it is ever touched, and a folder with something else in
it is refused.
"""

import asyncio
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from app.core.errors import SetupError
from app.db.session import Database, transaction_time
from app.domain.public_history import MonthPicture
from app.domain.public_page import IncidentPicture, MaintenancePicture, PublicPage
from app.services import public_history, statuspage
from app.services import public_page as public_page_service
from app.web import public_page as draw
from app.web.public_page import Links
from app.web.templating import STATIC

MARKER = ".tocsin-status.json"
FRONT = "index.html"
MONTHS = 12
ASSETS = ("css/pages/status.css", *(f"icons/status-{level}.svg" for level in draw.LEVELS))
LINKS = Links(
    home=FRONT,
    history="history/index.html",
    months="history/",
    incident_pages="incidents/",
    suffix=".html",
    feeds="history",
    static="static/",
    api="api/v2/",
    subscribe=None,
    stream=None,
)


@dataclass(frozen=True)
class Shown:
    """Everything that the files show."""

    page: PublicPage
    months: Sequence[MonthPicture]  # newest first
    newest: Sequence[IncidentPicture]
    documents: Mapping[str, bytes]  # of the JSON API, by name

    def incidents(self) -> Iterator[IncidentPicture]:
        """Each one that something leads to."""
        yield from self.page.incidents
        for day in self.page.history:
            yield from day.incidents
        for month in self.months:
            yield from month.incidents
        yield from self.newest

    def maintenances(self) -> Iterator[MaintenancePicture]:
        yield from self.page.maintenances
        for day in self.page.history:
            yield from day.maintenances
        for month in self.months:
            yield from month.maintenances


@dataclass(frozen=True)
class Written:
    """What became of an export."""

    files: int
    changed: int
    removed: int


async def export(database: Database, folder: Path, address: str) -> Written:
    """Write the page as it is now into `folder`. `address` is where Tocsin is reached."""
    shown = await _look(database, address)
    return await asyncio.to_thread(_put, folder, shown)


async def _look(database: Database, address: str) -> Shown:
    async with database.reading() as session:
        now = await transaction_time(session)
        page = await public_page_service.picture(session, now=now, address=address)
        months = await public_history.months(session, now=now, most=MONTHS)
        newest = await public_history.newest(session)
        found = await statuspage.documents(session, address=address)
    documents = {name: one.model_dump_json().encode() for name, one in found.items()}
    return Shown(page, months, newest, documents)


def _put(folder: Path, shown: Shown) -> Written:
    return write(folder, files_of(shown))


def files_of(shown: Shown) -> dict[str, bytes]:
    """Every file by its path, the front page last."""
    page = shown.page
    deeper = _from_below(LINKS)
    texts: dict[str, str] = {}
    for incident in shown.incidents():
        texts[f"incidents/{incident.code}.html"] = draw.incident(page, incident, deeper)
    for maintenance in shown.maintenances():
        texts[f"incidents/{maintenance.code}.html"] = draw.maintenance(page, maintenance, deeper)
    for month in shown.months:
        texts[f"history/{month.name}.html"] = draw.history(page, month, deeper)
    texts["history/index.html"] = draw.history(page, shown.months[0], deeper)
    for kind in ("rss", "atom"):
        texts[f"history.{kind}"] = draw.feed(kind, page, shown.newest, LINKS.suffix)
    texts["badge.svg"] = draw.page_badge(page)
    for component in page.components():
        texts[f"badges/{component.id}.svg"] = draw.component_badge(page, component.id) or ""
    files = {f"static/{name}": (STATIC / name).read_bytes() for name in ASSETS}
    files |= {f"api/v2/{name}": content for name, content in shown.documents.items()}
    files |= {path: text.encode() for path, text in texts.items()}
    return files | {FRONT: draw.home(page, LINKS).encode()}


def _from_below(links: Links) -> Links:
    """The same links, from a page one folder further down."""
    return replace(
        links,
        **{
            name: f"../{getattr(links, name)}"
            for name in ("home", "history", "months", "incident_pages", "feeds", "static", "api")
        },
    )


# --- Into the folder ---------------------------------------------------------------------


def write(folder: Path, files: Mapping[str, bytes]) -> Written:
    """Put these files into the folder, in their order, and take away what is no longer shown."""
    try:
        before = _ours(folder)
        _list(folder, before | files.keys())  # so that nothing is ever left behind unknown
        changed = sum(_replace(folder / path, content) for path, content in files.items())
        gone = before - files.keys()
        for path in gone:
            (folder / path).unlink(missing_ok=True)
        _list(folder, files.keys())
    except OSError as error:
        raise _refused(folder, error) from None
    return Written(len(files), changed, len(gone))


def claim(folder: Path) -> None:
    """Say now if nothing can be written there."""
    try:
        _list(folder, _ours(folder))
    except OSError as error:
        raise _refused(folder, error) from None


def _refused(folder: Path, error: OSError) -> SetupError:
    why = error.strerror or str(error)
    return SetupError(f"The status page cannot be written into {folder}: {why}.")


def _ours(folder: Path) -> set[str]:
    """What was written there before; a folder with anything of somebody else's is refused."""
    folder.mkdir(parents=True, exist_ok=True)
    marker = folder / MARKER
    if not marker.exists():
        if any(folder.iterdir()):
            raise SetupError(
                f"{folder} is not empty, and no status page was written there before; choose"
                " an empty folder or a new one."
            )
        return set()
    try:
        listed = json.loads(marker.read_text())["files"]
    except (ValueError, KeyError, TypeError):
        raise SetupError(f"{marker} cannot be read; empty the folder, and try again.") from None
    return {path for path in listed if isinstance(path, str) and _is_inside(path)}


def _is_inside(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return bool(parts) and not path.startswith("/") and ".." not in parts


def _list(folder: Path, paths: Iterable[str]) -> None:
    content = json.dumps({"files": sorted(paths)}, indent=1)
    _replace(folder / MARKER, content.encode())


def _replace(path: Path, content: bytes) -> bool:
    """Put a file there at one stroke, unless it is there already; whether it was put."""
    if path.is_file() and path.read_bytes() == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}.new")
    aside.write_bytes(content)
    aside.replace(path)
    return True
