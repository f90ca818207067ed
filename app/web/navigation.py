"""The ways through the console, as far as there are such pages and whoever looks may see them."""

import re
from dataclasses import dataclass, replace
from functools import cache

from fastapi import FastAPI, Request
from starlette.routing import Match

from app.domain.user import Permission
from app.models import User


@dataclass(frozen=True)
class Link:
    href: str
    words: str
    icon: str
    short: str = ""
    needs: Permission = Permission.READ
    is_here: bool = False


@dataclass(frozen=True)
class Group:
    title: str | None
    links: tuple[Link, ...]
    begins_folded: bool = False
    is_open: bool = True

    @property
    def key(self) -> str:
        """Its name in the cookie."""
        return (self.title or "").lower().replace(" ", "-")


COOKIE = "tocsin-folds"  # the groups that this browser has otherwise than they begin; rail.js
GROUPS = (
    Group(
        None,
        (
            Link("/", "Home", "house", "Home"),
            Link("/incidents", "Incidents", "siren", "Incidents"),
        ),
    ),
    Group(
        "On call",
        (
            Link("/schedules", "Schedules", "calendar-days", "On call"),
            Link("/policies", "Policies", "git-branch"),
            Link("/notifications", "Notifications", "bell"),
            Link("/fire-drills", "Fire drills", "flag"),
        ),
    ),
    Group(
        "Afterwards",
        (
            Link("/postmortems", "Postmortems", "book-open"),
            Link("/action-items", "Action items", "list-checks"),
            Link("/analytics", "Analytics", "chart-column"),
        ),
    ),
    Group(
        "Catalogue",
        (
            Link("/services", "Services", "boxes", "Services"),
            Link("/teams", "Teams", "users"),
            Link("/users", "People", "user"),
            Link("/maintenance-windows", "Maintenance", "wrench"),
        ),
    ),
    Group(
        "Public",
        (
            Link("/status-page", "Status page", "globe"),
            Link("/subscribers", "Subscribers", "rss"),
        ),
    ),
    Group(
        "Set up",
        (
            Link("/integrations", "Integrations", "plug"),
            Link("/heartbeats", "Heartbeats", "heart-pulse"),
            Link("/webhooks", "Webhooks", "webhook", needs=Permission.ADMINISTER),
            Link("/incident-templates", "Incident templates", "file-text"),
            Link("/settings", "Settings", "settings", needs=Permission.ADMINISTER),
            Link("/audit", "Audit log", "scroll-text", needs=Permission.ADMINISTER),
        ),
        begins_folded=True,
    ),
)
SHORTCUTS = (
    (("/",), "Search"),
    (("g", "h"), "Home"),
    (("g", "i"), "Incidents"),
    (("g", "s"), "Schedules"),
    (("d",), "Declare an incident"),
    (("j",), "Next row"),
    (("k",), "Previous row"),
    (("Enter",), "Open the row"),
    (("a",), "Acknowledge"),
    (("r",), "Resolve"),
    (("c",), "Comment"),
    (("?",), "This list"),
)


# Pages whose address does not begin as that of the list that they belong to.
_BELONG = (
    (re.compile(r"/incidents/\d+/postmortem"), "/postmortems"),
    (re.compile(r"/calendars"), "/schedules"),
)


def groups(request: Request, user: User) -> list[Group]:
    """What the rail shows. The group of the page that is shown is open, whatever was folded."""
    there = _there(request.app)
    turned = request.cookies.get(COOKIE, "").split(".")
    shown = []
    for group in GROUPS:
        links = tuple(
            replace(link, is_here=_is_here(link.href, request.url.path))
            for link in group.links
            if link.href in there and user.may(link.needs)
        )
        is_here = any(link.is_here for link in links)
        is_open = group.begins_folded is (group.key in turned)
        shown.append(replace(group, links=links, is_open=is_open or is_here))
    return [group for group in shown if group.links]


def bar(shown: list[Group]) -> list[Link]:
    """The few of them that fit at the bottom of a phone."""
    return [link for group in shown for link in group.links if link.short]


def _is_here(href: str, path: str) -> bool:
    path = next((way for pages, way in _BELONG if pages.match(path)), path)
    return path == href or (href != "/" and path.startswith(f"{href}/"))


@cache
def _there(app: FastAPI) -> frozenset[str]:
    """The addresses among them that some route answers."""
    found = set()
    for group in GROUPS:
        for link in group.links:
            scope = {"type": "http", "method": "GET", "path": link.href, "root_path": ""}
            if any(route.matches(dict(scope, headers=[]))[0] is Match.FULL for route in app.routes):
                found.add(link.href)
    return frozenset(found)
