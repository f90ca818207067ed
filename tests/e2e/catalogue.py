"""Teams, the services that they own, and when those are worked on."""

from datetime import UTC, datetime, timedelta

from tests.e2e.steps import Group
from tests.e2e.tour import Tour, check

catalogue = Group("Catalogue")

TEAMS, SERVICES, WINDOWS = "/v1/teams", "/v1/services", "/v1/maintenance-windows"


@catalogue
def teams(tour: Tour) -> None:
    """An admin makes a team, changes it, and finds it by its name."""
    admin = tour.people["admin"]
    body = {"name": f"Team {tour.mark}", "time_zone": "Europe/Berlin"}
    made = tour.call("POST", TEAMS, admin, expect=201, json=body)
    tour.ids["team"] = made["id"]
    path = f"{TEAMS}/{made['id']}"
    tour.later("DELETE", path)
    tour.call("POST", TEAMS, admin, expect=409, code="TEAM_NAME_TAKEN", json=body)
    tour.call("PATCH", path, admin, json={"description": "Made by a tour."})
    found = tour.call("GET", f"{TEAMS}?search={tour.mark}", tour.people["viewer"])
    check([one["id"] for one in found["items"]] == [made["id"]], "it is not found by its name")
    read = tour.call("GET", path, tour.people["viewer"])
    check(read["description"] == "Made by a tour.", "its description is not what was said")


@catalogue
def members(tour: Tour) -> None:
    """People come into a team and leave it, and its lead may change it."""
    admin, responder = tour.people["admin"], tour.people["responder"]
    path = f"{TEAMS}/{tour.ids['team']}"
    tour.call("PATCH", path, responder, expect=403, json={"description": "x"})
    body = {"user_id": responder.id, "is_lead": True}
    tour.call("POST", f"{path}/members", admin, expect=201, json=body)
    tour.call("PATCH", path, responder, json={"description": "Changed by its lead."})
    everybody = [body, {"user_id": admin.id}]
    put = tour.call("PUT", f"{path}/members", responder, json={"members": everybody})
    check(len(put["items"]) == 2, "not everybody is in it")
    tour.call("DELETE", f"{path}/members/{admin.id}", responder, expect=204)
    left = tour.call("GET", f"{path}/members", tour.people["viewer"])["items"]
    check([one["user_id"] for one in left] == [responder.id], "somebody else is in it")


@catalogue
def services(tour: Tour) -> None:
    """A lead catalogues a service of their team; it shows what is unresolved."""
    responder, viewer = tour.people["responder"], tour.people["viewer"]
    name = f"{tour.mark}-till"
    tour.incident(responder, service=name)
    told = tour.call("GET", f"{SERVICES}/uncatalogued", viewer)
    check(
        not told["is_whole"] or name in {one["name"] for one in told["items"]},
        "a name that nobody has catalogued is not told",
    )
    tour.call("POST", SERVICES, responder, expect=403, json={"name": name})
    body = {"name": name, "team_id": tour.ids["team"], "urgency": {"low": "low"}}
    made = tour.call("POST", SERVICES, responder, expect=201, json=body)
    tour.ids["service"] = made["id"]
    path = f"{SERVICES}/{made['id']}"
    tour.later("DELETE", path)
    tour.call("PATCH", path, responder, json={"auto_resolve_after_minutes": 1440})
    shown = tour.call("GET", path, viewer)
    check(shown["unresolved"]["total"] == 1, "its incident is not counted")
    check(shown["auto_resolve_after_minutes"] == 1440, "the change is not there")
    listed = tour.call("GET", f"{SERVICES}?team_id={tour.ids['team']}", viewer)["items"]
    check([one["id"] for one in listed] == [made["id"]], "it is not found by its owner")
    nobody = tour.call("GET", f"{path}/on-call", viewer)
    check(nobody["people"] == [], "somebody is on call without a schedule")
    code = "SERVICE_HAS_NO_SCHEDULE"
    tour.call("GET", f"{path}/shifts", viewer, expect=409, code=code)
    team = f"{TEAMS}/{tour.ids['team']}"
    told = tour.call("DELETE", team, tour.people["admin"], expect=409, code="TEAM_IN_USE")
    check(told["details"]["services"] == [name], "it is not said what the team owns")


@catalogue
def maintenance(tour: Tour) -> None:
    """A responder plans maintenance, moves and cancels it, and ends what is on."""
    responder, viewer = tour.people["responder"], tour.people["viewer"]
    now = datetime.now(UTC)
    starts_at, ends_at = (now + timedelta(hours=hours) for hours in (1, 2))
    body = {"title": f"Disks {tour.mark}", "service_ids": [tour.ids["service"]]}
    times = {"starts_at": starts_at.isoformat(), "ends_at": ends_at.isoformat()}
    planned = tour.call("POST", WINDOWS, responder, expect=201, json=body | times)
    check(planned["status"] == "scheduled", f"it is {planned['status']}")
    path = f"{WINDOWS}/{planned['id']}"
    later = {"ends_at": (now + timedelta(hours=3)).isoformat()}
    tour.call("PATCH", path, responder, json=later)
    tour.call("DELETE", path, responder, expect=204)
    check(tour.call("GET", path, viewer)["status"] == "cancelled", "it is not cancelled")

    begun = tour.call("POST", WINDOWS, responder, expect=201, json=body | later)
    tour.later("POST", f"{WINDOWS}/{begun['id']}/end")
    mine = f"{WINDOWS}?service_id={tour.ids['service']}&status=running"
    running = [one["id"] for one in tour.call("GET", mine, viewer)["items"]]
    check(begun["id"] in running, "it is not listed as running")
    ended = tour.call("POST", f"{WINDOWS}/{begun['id']}/end", responder)
    check(ended["status"] == "over", f"it is {ended['status']}")


@catalogue
def taken_out(tour: Tour) -> None:
    """A service is taken out of the catalogue, and its team is deleted."""
    admin = tour.people["admin"]
    service, team = f"{SERVICES}/{tour.ids['service']}", f"{TEAMS}/{tour.ids['team']}"
    tour.call("DELETE", service, tour.people["responder"], expect=204)
    tour.call("DELETE", team, admin, expect=204)
    tour.call("GET", team, admin, expect=404, code="TEAM_NOT_FOUND")
