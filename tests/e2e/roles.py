"""Every route that a role may not use, asked by that role: nothing may come of it."""

import re

from tests.e2e.steps import Group
from tests.e2e.tour import Tour, check
from tests.permissions import BODIES, CALLERS, TABLE

roles = Group("Roles")


def _refusals(tour: Tour, caller: str) -> None:
    """Each call that this caller is refused is refused, with the status that the table says."""
    who = tour.people.get(caller)
    column, wrong = CALLERS.index(caller), []
    for route, expected in TABLE.items():
        method, path = route.split()
        status = expected.split()[column]
        if status == "ok":
            continue
        body = BODIES.get(f"{method} {path}", {})
        # A thing that is not there: whoever may not, does not even learn that.
        there = re.sub(r"\{\w+\}", "999999999", path)
        answer = tour.send(method, there, who, json=body)
        if str(answer.status_code) != status:
            wrong.append(f"{route} answered {answer.status_code}, not {status}")
    check(not wrong, "; ".join(wrong))


@roles
def anonymous(tour: Tour) -> None:
    """Nobody gets in without a login"""
    _refusals(tour, "anonymous")


@roles
def viewer(tour: Tour) -> None:
    """A viewer looks and changes nothing of others"""
    _refusals(tour, "viewer")


@roles
def responder(tour: Tour) -> None:
    """A responder does not administer"""
    _refusals(tour, "responder")


@roles
def every_route_is_in_the_table(tour: Tour) -> None:
    """No route is missing from the table of roles"""
    known = {" ".join(route.split()) for route in TABLE}
    check(known == tour.routes, f"{sorted(known ^ tour.routes)}")
