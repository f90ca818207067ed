"""Monitors that must be heard of: pinged, failing, missed by nobody here, deleted."""

from tests.e2e.steps import Group
from tests.e2e.tour import Tour, check

heartbeats = Group("Heartbeats")

HEARTBEATS = "/v1/heartbeats"


def _path(tour: Tour) -> str:
    return f"{HEARTBEATS}/{tour.ids['heartbeat']}"


def _ping(tour: Tour, method: str = "GET", signal: str = "", **kw: str) -> None:
    answer = tour.send(method, f"/v1/ping/{tour.keys['heartbeat']}{signal}", **kw)
    check(answer.status_code == 200, f"the ping was answered {answer.status_code}")
    check(answer.text == "OK\n", f"the ping was answered “{answer.text[:50]}”")


def _token(made: dict[str, str]) -> str:
    return made["ping_url"].rpartition("/")[2]


@heartbeats
def make(tour: Tour) -> None:
    """An admin makes a monitor; its address is shown once, and it waits."""
    admin = tour.people["admin"]
    body = {"name": f"Backup {tour.mark}", "interval_seconds": 3600, "service": tour.mark}
    made = tour.call("POST", HEARTBEATS, admin, expect=201, json=body)
    tour.ids["heartbeat"], tour.keys["heartbeat"] = made["id"], _token(made)
    tour.later("DELETE", _path(tour))
    shown = tour.call("GET", _path(tour), admin)
    check("ping_url" not in shown, "the address is shown again")
    check(shown["state"] == "new", f"it is {shown['state']}")
    listed = tour.call("GET", f"{HEARTBEATS}?state=new&service={tour.mark}", admin)["items"]
    check([one["id"] for one in listed] == [made["id"]], "it is not listed")
    tour.call("POST", HEARTBEATS, admin, expect=409, code="HEARTBEAT_NAME_TAKEN", json=body)


@heartbeats
def ping(tour: Tour) -> None:
    """Whoever has the address can say that all is well, in every way."""
    _ping(tour, signal="/start")
    _ping(tour)
    _ping(tour, "POST", content="12 tables")
    shown = tour.call("GET", _path(tour), tour.people["viewer"])
    check((shown["state"], shown["ping_count"]) == ("up", 3), f"it is {shown['state']}")
    kept = tour.call("GET", f"{_path(tour)}/pings", tour.people["viewer"])["items"]
    check(kept[0]["note"] == "12 tables", "the note is lost")
    head = tour.send("HEAD", f"/v1/ping/{tour.keys['heartbeat']}")
    check(head.status_code == 200, "HEAD is no ping")
    tour.call("GET", "/v1/ping/thb_nobody", expect=404, code="HEARTBEAT_NOT_FOUND")


@heartbeats
def fail(tour: Tour) -> None:
    """A failure opens an incident at once, and the next good ping resolves it."""
    admin = tour.people["admin"]
    _ping(tour, "POST", "/fail", content="no space left")
    shown = tour.call("GET", _path(tour), admin)
    number = shown["incident_id"]
    tour.later("DELETE", f"/v1/incidents/{number}?confirm={number}")
    incident = tour.call("GET", f"/v1/incidents/{number}", admin)
    check(incident["status"] == "open", f"its incident is {incident['status']}")
    check("no space left" in incident["description"], "it does not say why")
    _ping(tour, signal="/0")
    incident = tour.call("GET", f"/v1/incidents/{number}", admin)
    check(incident["status"] == "resolved", f"its incident is {incident['status']}")
    [outage] = tour.call("GET", f"{_path(tour)}/outages", admin)["items"]
    check(outage["incident_id"] == number, "the outage is of another incident")


@heartbeats
def change(tour: Tour) -> None:
    """New spans and a new address count at once."""
    admin = tour.people["admin"]
    shown = tour.call("PATCH", _path(tour), admin, json={"interval_seconds": 60})
    check(shown["interval_seconds"] == 60, "it was not written")
    headers = {"If-Match": f'"{shown["revision"] - 1}"'}
    tour.call("PATCH", _path(tour), admin, expect=412, json={"name": "x"}, headers=headers)
    made = tour.call("POST", f"{_path(tour)}/rotate-url", admin, expect=201)
    old, tour.keys["heartbeat"] = tour.keys["heartbeat"], _token(made)
    tour.call("GET", f"/v1/ping/{old}", expect=404, code="HEARTBEAT_NOT_FOUND")
    _ping(tour)


@heartbeats
def delete(tour: Tour) -> None:
    """A deleted monitor is gone, and so is its address."""
    admin = tour.people["admin"]
    tour.call("DELETE", _path(tour), admin, expect=204)
    tour.call("GET", _path(tour), admin, expect=404, code="HEARTBEAT_NOT_FOUND")
    tour.send("GET", f"/v1/ping/{tour.keys['heartbeat']}")
