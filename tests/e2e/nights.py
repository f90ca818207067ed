"""Figures, and checks before the night."""

import csv
import io

from tests.e2e.steps import Group
from tests.e2e.tour import Tour, check

nights = Group("Figures and checks")
FIGURES = ("response", "frequency", "trend", "load", "pages", "on-call", "noise")


@nights
def counted(tour: Tour) -> None:
    """Every figure is told in JSON and as CSV."""
    viewer = tour.people["viewer"]
    for what in FIGURES:
        found = tour.call("GET", f"/v1/figures/{what}", viewer)
        check(found["since"] < found["until"], f"{what} is of no time")
        answer = tour.send("GET", f"/v1/figures/{what}?format=csv", viewer)
        check(answer.headers["content-type"].startswith("text/csv"), f"{what} comes in no CSV")
        rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
        check(answer.status_code == 200 and len(rows) <= 10_000, f"{what} is no file")


@nights
def answered(tour: Tour) -> None:
    """An answer is in the figures as soon as it is given."""
    responder = tour.people["responder"]
    service = f"{tour.mark}-figures"
    number = tour.incident(responder, service=service)["id"]
    path = f"/v1/figures/response?service={service}"
    [row] = tour.call("GET", path, responder)["rows"]
    check(row["opened"] == row["unresolved"] == 1, "an open incident is not counted")
    tour.call("POST", f"/v1/incidents/{number}/acknowledge", responder)
    tour.call("POST", f"/v1/incidents/{number}/resolve", responder)
    [row] = tour.call("GET", path, responder)["rows"]
    check(row["time_to_acknowledge"]["count"] == 1, "its acknowledgement is not counted")
    check(row["time_to_resolve"]["count"] == 1, "its resolution is not counted")
    tour.call("GET", "/v1/figures/response?since=2001-01-01T00:00:00Z", responder, expect=422,
              code="SPAN_TOO_WIDE")  # fmt: skip


@nights
def looked_at(tour: Tour) -> None:
    """A schedule with nobody in it is found, and told to nobody who only looks."""
    admin = tour.people["admin"]
    body = {"name": f"{tour.mark} nobody", "time_zone": "UTC", "layers": [], "allow_gaps": True}
    made = tour.call("POST", "/v1/schedules", admin, expect=201, json=body)
    tour.later("DELETE", f"/v1/schedules/{made['id']}")
    found = tour.call("GET", "/v1/preflight", tour.people["responder"])
    place = f"schedule:{made['id']}"
    there = [one for one in found["findings"] if one["place"] == place]
    is_full = sum(one["code"] == "SCHEDULE_IS_EMPTY" for one in found["findings"]) >= 200
    check(is_full or there, "a schedule without anybody is not found")
    check(not there or there[0]["severity"] == "critical", "it is not grave")
    tour.call("GET", "/v1/preflight", tour.people["viewer"], expect=403)
