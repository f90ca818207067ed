"""What the list of incidents is narrowed to, as its address says it.

An address is typed, kept and sent around by people: what nobody understands in it is left out, and
the page says what it shows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from fastapi import Request

from app.api.paging import PageQuery
from app.api.state import Service
from app.core.paging import BIGGEST_KEY, Cursors
from app.crud import crud_service, crud_team
from app.crud.base import Window
from app.crud.crud_incident_filter import IncidentFilter, IncidentOrder
from app.crud.crud_service import ServiceFilter
from app.db.session import ReadSession
from app.domain.incident import IncidentStatus, Severity, read_severity
from app.domain.search import to_query
from app.web.deps import Visitor

PER_PAGE = 50
MOST_NAMED = 100  # services of a team
ANY = "any"
UNRESOLVED = (IncidentStatus.OPEN, IncidentStatus.ACKNOWLEDGED)
SPANS = {
    "1h": ("the last hour", timedelta(hours=1)),
    "24h": ("the last 24 hours", timedelta(days=1)),
    "7d": ("the last 7 days", timedelta(days=7)),
    "30d": ("the last 30 days", timedelta(days=30)),
    "90d": ("the last 90 days", timedelta(days=90)),
}
SORTS: dict[str, tuple[str, IncidentOrder, bool]] = {
    "newest": ("Newest first", IncidentOrder.ID, True),
    "oldest": ("Oldest first", IncidentOrder.ID, False),
    "severity": ("Worst first", IncidentOrder.SEVERITY, True),
    "updated": ("Changed last", IncidentOrder.UPDATED_AT, True),
}
NAMES = ("q", "status", "severity", "service", "team", "assignee", "tag", "since", "sort", "drill")


@dataclass(frozen=True)
class Chip:
    """One thing the list is narrowed to, and the query without it."""

    label: str
    value: str
    without: Mapping[str, Any]


@dataclass(frozen=True)
class Listing:
    """A list that somebody asked for: in their words, and as the database is asked."""

    given: Mapping[str, Any]
    where: IncidentFilter
    paging: PageQuery
    sort: str
    is_impossible: bool = False  # a team that has no services
    chips: Sequence[Chip] = ()

    @property
    def is_narrowed(self) -> bool:
        return any(self.given.get(name) for name in NAMES if name not in ("sort", "status"))


def given_in(request: Request) -> dict[str, Any]:
    """The part of the address that the list understands; of a name that may come twice, all."""
    query = request.query_params
    many = {name: query.getlist(name) for name in ("status", "severity", "service", "tag")}
    one = {name: query.get(name, "") for name in NAMES if name not in many}
    found = {
        "q": one["q"][:200].strip().replace("\x00", ""),
        "status": [word for word in many["status"] if word in {*IncidentStatus, ANY}],
        "severity": [str(known) for word in many["severity"] if (known := read_severity(word))],
        "service": [word[:100] for word in many["service"] if _is_name(word)][:20],
        "tag": [word[:100] for word in many["tag"] if _is_name(word)][:20],
        "team": str(_key(one["team"]) or ""),
        "assignee": one["assignee"] if _is_somebody(one["assignee"]) else "",
        "since": one["since"] if one["since"] in SPANS else "",
        "sort": one["sort"] if one["sort"] in SORTS else "",
        "drill": "1" if one["drill"] == "1" else "",
    }
    return {name: value for name, value in found.items() if value}


async def listing(
    session: ReadSession, service: Service, request: Request, visitor: Visitor
) -> Listing:
    """What the address asks for."""
    given = given_in(request)
    words = to_query(given["q"]) if given.get("q") else None
    names, is_impossible = await _services(session, given)
    assignee = given.get("assignee")
    span = SPANS.get(given.get("since", ""))
    where = IncidentFilter(
        status=_statuses(given),
        severity=[Severity(word) for word in given.get("severity", ())],
        service=names,
        tag=given.get("tag", ()),
        assigned_to=visitor.user.id if assignee == "me" else _key(assignee or ""),
        unassigned=assignee == "none",
        since=visitor.now - span[1] if span else None,
        search=words,
        drill="drill" in given,
    )
    sort = given.get("sort", "newest")
    return Listing(given, where, _paging(service, request, given, where), sort, is_impossible)


def _statuses(given: Mapping[str, Any]) -> Sequence[IncidentStatus]:
    asked = given.get("status", ())
    if ANY in asked or (not asked and given.get("q")):  # whoever searches looks everywhere
        return ()
    return [IncidentStatus(word) for word in asked] or UNRESOLVED


async def _services(session: ReadSession, given: Mapping[str, Any]) -> tuple[Sequence[str], bool]:
    """The services that are asked for, and whether a team and they exclude each other."""
    names: Sequence[str] = given.get("service", ())
    team_id = _key(given.get("team", ""))
    if team_id is None:
        return names, False
    owned = await crud_service.list_page(
        session, ServiceFilter(team_id=team_id), Window(MOST_NAMED)
    )
    theirs = [one.name for one in owned.items if not names or one.name in names]
    return theirs, not theirs


def _paging(
    service: Service, request: Request, given: Mapping[str, Any], where: IncidentFilter
) -> PageQuery:
    scope = repr((request.url.path, sorted((name, str(value)) for name, value in given.items())))
    cursors = Cursors(service.signer.derive("cursors"), scope)
    cursor = request.query_params.get("cursor")
    _, order, descending = SORTS[given.get("sort", "newest")]
    if "sort" not in given and where.search is not None:
        order = IncidentOrder.RELEVANCE
    window = Window(PER_PAGE, order=order, descending=descending)
    if cursor:
        window = replace(window, after=cursors.decode(cursor))
    return PageQuery(window, None, cursors)


async def chips(
    session: ReadSession, given: Mapping[str, Any], people: Mapping[int, str]
) -> Sequence[Chip]:
    """What the list is narrowed to, each with the way to leave it out."""
    team_id = _key(given.get("team", ""))
    team = await crud_team.get(session, team_id) if team_id is not None else None
    assignee = given.get("assignee", "")
    told: list[tuple[str, str, str]] = []
    told += [("severity", "Severity", word) for word in given.get("severity", ())]
    told += [("service", "Service", word) for word in given.get("service", ())]
    if team_id is not None:
        told.append(("team", "Team", team.name if team else f"number {team_id}"))
    if assignee:
        known = {"me": "me", "none": "nobody"}.get(assignee)
        told.append(("assignee", "Assigned to", known or people.get(int(assignee), assignee)))
    told += [("tag", "Tag", word) for word in given.get("tag", ())]
    if "since" in given:
        told.append(("since", "Opened in", SPANS[given["since"]][0]))
    if "q" in given:
        told.append(("q", "Search", f"“{given['q']}”"))
    if "drill" in given:
        told.append(("drill", "Only", "fire drills"))
    return [Chip(label, value, _without(given, name, value)) for name, label, value in told]


def _without(given: Mapping[str, Any], name: str, value: str) -> dict[str, Any]:
    left = dict(given)
    if isinstance(left[name], list):
        left[name] = [word for word in left[name] if word != value]
    else:
        del left[name]
    return left


def _key(word: str) -> int | None:
    is_number = word.isascii() and word.isdigit() and len(word) <= 16
    return int(word) if is_number and 1 <= int(word) <= BIGGEST_KEY else None


def _is_somebody(word: str) -> bool:
    return word in ("me", "none") or _key(word) is not None


def _is_name(word: str) -> bool:
    return bool(word.strip()) and "\x00" not in word
