"""What an incident leaves behind: a postmortem, things to do, and a summary of the day."""

from datetime import UTC, datetime, timedelta

from tests.e2e.steps import Group
from tests.e2e.tour import Tour, check

learned = Group("What was learned")

TEMPLATE = "/v1/postmortem-template"


def _path(tour: Tour) -> str:
    return f"/v1/incidents/{tour.ids['learned from']}/postmortem"


@learned
def begin(tour: Tour) -> None:
    """A responder begins the postmortem of what is over; there is one and no second."""
    responder = tour.people["responder"]
    body = {"title": f"Learned {tour.mark}", "severity": "low", "service": tour.mark}
    made = tour.call("POST", "/v1/incidents", responder, expect=201, json=body)
    tour.ids["learned from"] = made["id"]
    tour.call("POST", f"/v1/incidents/{made['id']}/resolve", responder)
    begun = tour.call("POST", _path(tour), responder, expect=201, json={})
    check(begun["timeline"], "nothing is drawn from the incident's timeline")
    tour.ids["postmortem"] = begun["id"]
    tour.call("POST", _path(tour), responder, expect=409, code="POSTMORTEM_EXISTS", json={})


@learned
def write(tour: Tour) -> None:
    """It is written; who has not seen the last change is told so."""
    responder = tour.people["responder"]
    seen = tour.send("GET", _path(tour), responder).headers["ETag"]
    change = {"root_cause": f"A disk, {tour.mark}."}
    tour.call("PATCH", _path(tour), responder, json=change, headers={"If-Match": seen})
    again = {"If-Match": seen}
    tour.call("PATCH", _path(tour), responder, expect=412, json=change, headers=again)
    found = tour.call("GET", f"/v1/postmortems?search={tour.mark}", tour.people["viewer"])
    check([one["id"] for one in found["items"]] == [tour.ids["postmortem"]], "it is not found")


@learned
def promise(tour: Tour) -> None:
    """What is to be done is promised, found among one's own, done and removed."""
    responder = tour.people["responder"]
    items = f"/v1/postmortems/{tour.ids['postmortem']}/action-items"
    day = (datetime.now(UTC) + timedelta(days=3)).date().isoformat()
    body = {"title": f"Mend {tour.mark}", "owner_id": responder.id, "due_on": day}
    made = tour.call("POST", items, responder, expect=201, json=body)
    one = f"/v1/action-items/{made['id']}"
    mine = tour.call("GET", "/v1/action-items?owner_id=me&state=open", responder)
    check(made["id"] in [each["id"] for each in mine["items"]], "it is not among one's own")
    check(tour.call("GET", items, responder)["total"] == 1, "it is not listed")
    done = tour.call("PATCH", one, responder, json={"state": "done"})
    check(done["finished_at"], "it is not finished")
    check(tour.call("GET", one, responder)["state"] == "done", "it was not written")
    tour.call("DELETE", one, responder, expect=204)


@learned
def review(tour: Tour) -> None:
    """It is sent to review, approved, taken back, and published to those who log in."""
    admin, responder = tour.people["admin"], tour.people["responder"]
    tour.call("POST", f"{_path(tour)}/submit", responder)
    approved = tour.call("POST", f"{_path(tour)}/approve", admin)
    check(approved["reviewers"][0]["approved_at"], "nobody approved")
    tour.call("POST", f"{_path(tour)}/return", responder)
    public = {"is_public": True}
    publish = f"{_path(tour)}/publish"
    tour.call("POST", publish, responder, expect=409, code="INCIDENT_NOT_PUBLIC", json=public)
    done = tour.call("POST", publish, responder, json={})
    check(done["status"] == "published", f"it is {done['status']}")
    tour.call("POST", f"{_path(tour)}/withdraw", responder)


@learned
def keep(tour: Tour) -> None:
    """It is amended, with what it said kept, and exported as Markdown."""
    responder = tour.people["responder"]
    tour.call("PATCH", _path(tour), responder, json={"lessons": "Look at disks."})
    kept = tour.call("GET", f"{_path(tour)}/versions", responder)
    check(kept["total"] == 2, "what it said is not kept")
    text = tour.send("GET", f"{_path(tour)}/export", responder).text
    check(text.startswith(f"# Learned {tour.mark}"), "the export does not begin with its title")


@learned
def public(tour: Tour) -> None:
    """Of what the public was told, it may read what was learned, until that is withdrawn."""
    responder = tour.people["responder"]
    told = {"title": f"It was slow ({tour.mark})", "body": "It is over.", "status": "resolved"}
    there = f"/v1/incidents/{tour.ids['learned from']}/public"
    code = tour.call("POST", there, responder, expect=201, json=told)["code"]
    known = f"/v1/public/incidents/{code}/postmortem"
    tour.call("GET", known, expect=404, code="POSTMORTEM_NOT_FOUND")
    said = {"public_summary": "A disk was full."}
    tour.call("PATCH", _path(tour), responder, json=said)
    tour.call("POST", f"{_path(tour)}/publish", responder, json={"is_public": True})
    text = tour.send("GET", known).text
    check("A disk was full." in text, "the public cannot read it")
    check(f"A disk, {tour.mark}." not in text, "it tells what only those who log in may know")
    tour.call("POST", f"{_path(tour)}/withdraw", responder)
    tour.call("GET", known, expect=404, code="POSTMORTEM_NOT_FOUND")
    tour.call("DELETE", there, responder, expect=204)


@learned
def template(tour: Tour) -> None:
    """An admin says what a new one looks like, and goes back to the built-in one."""
    admin = tour.people["admin"]
    stands = tour.call("GET", TEMPLATE, admin)
    if stands["is_custom"]:  # somebody's own, which is not touched
        tour.call("PUT", TEMPLATE, admin, json={})
        return
    tour.call("PUT", TEMPLATE, admin, json={"impact": "Who noticed {{ title }}?"})
    tour.call("DELETE", TEMPLATE, admin, expect=204)


@learned
def summary(tour: Tour) -> None:
    """A summary is looked at, wanted, and wanted no more."""
    responder = tour.people["responder"]
    shown = tour.call("GET", "/v1/users/me/digest", responder)
    check(shown["opened"] > 0, "it does not tell of what was opened")
    path = "/v1/users/me/digest-settings"
    wanted = tour.call("PUT", path, responder, json={"frequency": "weekly", "weekday": 4})
    check(wanted["next_at"], "it never comes")
    tour.call("PUT", path, responder, json={"frequency": "off"})
    check(tour.call("GET", path, responder)["next_at"] is None, "it still comes")
