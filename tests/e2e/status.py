"""The status page: what is on it, what the public is told, and what anybody may read of it."""

from datetime import UTC, datetime, timedelta

from tests.e2e.steps import Group
from tests.e2e.tour import Tour, check

status = Group("Status page")

PAGE = "/v1/status-page"
V2 = ("summary", "status", "components", "incidents", "incidents/unresolved",
      "scheduled-maintenances", "scheduled-maintenances/upcoming",
      "scheduled-maintenances/active")  # fmt: skip


@status
def settings(tour: Tour) -> None:
    """An admin reads and changes the page's settings; a responder may not."""
    admin, viewer = tour.people["admin"], tour.people["viewer"]
    before = tour.call("GET", PAGE, viewer)
    tour.call("PATCH", PAGE, tour.people["responder"], expect=403, json={"name": "x"})
    tour.call("PATCH", PAGE, admin, json={"description": f"Of {tour.mark}."})
    tour.later("PATCH", PAGE, json={"description": before["description"]})
    told = tour.call("GET", "/v1/public/status")
    check(told["page"]["description"] == f"Of {tour.mark}.", "the page does not show it")


@status
def components(tour: Tour) -> None:
    """A component in a group; a responder sets its status, and everybody sees it."""
    admin, responder = tour.people["admin"], tour.people["responder"]
    body: dict[str, object] = {"name": f"Group {tour.mark}"}
    group = tour.call("POST", f"{PAGE}/groups", admin, expect=201, json=body)
    one = f"{PAGE}/groups/{group['id']}"
    tour.later("DELETE", one)
    tour.call("PATCH", one, admin, json={"description": "Made by a tour."})
    tour.call("GET", one, responder)
    tour.call("GET", f"{PAGE}/groups", responder)
    body = {"name": f"Checkout {tour.mark}", "group_id": group["id"]}
    made = tour.call("POST", f"{PAGE}/components", admin, expect=201, json=body)
    tour.ids["component"], tour.ids["component_group"] = made["id"], group["id"]
    one = f"{PAGE}/components/{made['id']}"
    tour.later("DELETE", one)
    tour.call("PATCH", one, responder, expect=403, json={"name": "x"})
    tour.call("PATCH", one, responder, json={"status": "degraded_performance"})
    shown = tour.call("GET", "/v1/public/components")
    named = {one["name"]: one["status"] for g in shown["groups"] for one in g["components"]}
    check(named[f"Checkout {tour.mark}"] == "degraded_performance", "nobody sees its status")
    tour.call("PATCH", one, responder, json={"status": "operational"})
    check(tour.call("GET", one, responder)["status"] == "operational", "it is not well again")
    mine = tour.call("GET", f"{PAGE}/components?group_id={group['id']}", responder)
    check(mine["total"] == 1, "it is not in its group")


@status
def incident(tour: Tour) -> None:
    """An incident is published, told of, and ends with the public told in the same act."""
    responder, viewer = tour.people["responder"], tour.people["viewer"]
    number = tour.incident(responder)["id"]
    path = f"/v1/incidents/{number}/public"
    tour.call("GET", path, viewer, expect=404, code="PUBLIC_INCIDENT_NOT_FOUND")
    body = {
        "title": f"Checkout is slow ({tour.mark})",
        "body": "We are looking into it.",
        "impact": "minor",
        "components": [{"id": tour.ids["component"], "status": "partial_outage"}],
    }
    made = tour.call("POST", path, responder, expect=201, json=body)
    tour.call("PATCH", path, responder, json={"impact": "major"})
    check(tour.call("GET", path, viewer)["code"] == made["code"], "it is published as another")
    seen = tour.call("GET", f"/v1/public/incidents/{made['code']}")
    check(seen["impact"] == "major", "the public does not see how bad it is")
    listed = tour.call("GET", f"{PAGE}/incidents?component_id={tour.ids['component']}", viewer)
    check([one["id"] for one in listed["items"]] == [made["id"]], "it is not listed")
    body = {"body": "Teh cause is known.", "status": "identified", "is_draft": True}
    draft = tour.call("POST", f"{path}/updates", responder, expect=201, json=body)
    one = f"{PAGE}/updates/{draft['id']}"
    tour.call("PATCH", one, responder, json={"body": "The cause is known."})
    tour.call("POST", f"{one}/post", responder)
    tour.call("PATCH", one, responder, json={"body": "We know the cause."})
    kept = tour.call("GET", f"{one}/versions", viewer)["items"]
    check([was["body"] for was in kept] == ["The cause is known."], "what it said is lost")
    tour.call("GET", one, viewer)
    tour.call("DELETE", one, responder, expect=204)
    back = {"body": "Hm.", "status": "investigating"}
    code = "INVALID_STATUS_TRANSITION"
    refused = tour.call("POST", f"{path}/updates", responder, expect=400, code=code, json=back)
    check(refused["details"]["allowed"] == ["monitoring", "resolved"], "the law is another")
    said = {"public_update": {"body": "All is well again."}}
    tour.call("POST", f"/v1/incidents/{number}/resolve", responder, json=said)
    told = tour.call("GET", f"{path}/updates", viewer)["items"]
    check(told[0]["body"] == "All is well again.", "the public was not told the end")
    history = tour.call("GET", "/v1/public/incidents?status=resolved")
    check(made["code"] in {one["code"] for one in history["items"]}, "it is not in the history")
    tour.call("DELETE", path, responder, expect=204)
    tour.call("GET", f"/v1/public/incidents/{made['code']}", expect=404, code="INCIDENT_NOT_FOUND")


@status
def maintenance(tour: Tour) -> None:
    """Maintenance is announced, moved, begun by hand and withdrawn."""
    responder, viewer = tour.people["responder"], tour.people["viewer"]
    now = datetime.now(UTC)
    body = {
        "title": f"Disks {tour.mark}",
        "body": "Checkout is read-only for ten minutes.",
        "scheduled_for": (now + timedelta(hours=1)).isoformat(),
        "scheduled_until": (now + timedelta(hours=2)).isoformat(),
        "component_ids": [tour.ids["component"]],
    }
    path = f"{PAGE}/maintenances"
    made = tour.call("POST", path, responder, expect=201, json=body)
    one = f"{path}/{made['id']}"
    later = {"scheduled_until": (now + timedelta(hours=3)).isoformat()}
    tour.call("PATCH", one, responder, json=later)
    said = {"body": "It begins.", "status": "in_progress"}
    tour.call("POST", f"{one}/updates", responder, expect=201, json=said)
    check(tour.call("GET", one, viewer)["status"] == "in_progress", "it has not begun")
    check(tour.call("GET", f"{one}/updates", viewer)["total"] == 2, "something was not told")
    tour.call("GET", f"/v1/public/maintenances/{made['code']}")
    running = tour.call("GET", "/v1/public/maintenances?status=in_progress")["items"]
    check(made["code"] in {one["code"] for one in running}, "the public does not see it")
    tour.call("GET", path, viewer)
    tour.call("DELETE", one, responder, expect=204)


@status
def anybody(tour: Tour) -> None:
    """Anybody reads the page, in our shapes and in Statuspage's, and is not sent it twice."""
    uptimes = tour.call("GET", "/v1/public/uptime")["components"]
    mine = next(one for one in uptimes if one["id"] == tour.ids["component"])
    check(len(mine["days"]) == 90, "there are not 90 days")
    for name in V2:
        answer = tour.send("GET", f"/api/v2/{name}.json")
        check(answer.status_code == 200, f"{name} answered {answer.status_code}")
        check(answer.headers["Access-Control-Allow-Origin"] == "*", f"{name} is not for all pages")
        check("page" in answer.json(), f"{name} does not say whose it is")
    answer = tour.send("GET", "/v1/public/status")
    tag = {"If-None-Match": answer.headers["ETag"]}
    again = tour.send("GET", "/v1/public/status", headers=tag)
    check(again.status_code in (200, 304), f"it answered {again.status_code}")


@status
def taken_off(tour: Tour) -> None:
    """The component and its group leave the page."""
    admin = tour.people["admin"]
    tour.call("DELETE", f"{PAGE}/components/{tour.ids['component']}", admin, expect=204)
    tour.call("DELETE", f"{PAGE}/groups/{tour.ids['component_group']}", admin, expect=204)
