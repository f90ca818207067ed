"""Incidents that are declared as others were before."""

from tests.e2e.steps import Group
from tests.e2e.tour import Tour, check

templates = Group("Incident templates")

TEMPLATES = "/v1/incident-templates"


@templates
def keep(tour: Tour) -> None:
    """An admin drafts a template, and makes it active once it is right."""
    admin, viewer = tour.people["admin"], tour.people["viewer"]
    body = {
        "name": f"Till {tour.mark}",
        "title": "The till is stuck",
        "severity": "SEV3",
        "service": f"{tour.mark}-till",
        "checklist": "- [ ] Has it paper?",
        "is_active": False,
    }
    made = tour.call("POST", TEMPLATES, admin, expect=201, json=body)
    tour.ids["template"] = made["id"]
    path = f"{TEMPLATES}/{made['id']}"
    tour.later("DELETE", path)
    tour.call("POST", TEMPLATES, admin, expect=409, code="INCIDENT_TEMPLATE_NAME_TAKEN", json=body)
    declared = {"template_id": made["id"]}
    refusal = "INCIDENT_TEMPLATE_IS_DRAFT"
    responder = tour.people["responder"]
    tour.call("POST", "/v1/incidents", responder, expect=409, code=refusal, json=declared)
    tour.call("PATCH", path, admin, json={"is_active": True})
    found = tour.call("GET", f"{TEMPLATES}?search={tour.mark}&is_active=true", viewer)["items"]
    check([one["id"] for one in found] == [made["id"]], "it is not found by its name")
    check(tour.call("GET", path, viewer)["severity"] == "medium", "SEV3 is not what it was")


@templates
def declare(tour: Tour) -> None:
    """A responder declares with nothing but a template; deleting it leaves the incident."""
    responder, number = tour.people["responder"], tour.ids["template"]
    body = {"template_id": number}
    made = tour.call("POST", "/v1/incidents", responder, expect=201, json=body)
    path = f"/v1/incidents/{made['id']}"
    tour.later("DELETE", f"{path}?confirm={made['id']}")
    check(made["title"] == "The till is stuck", f"it is called {made['title']}")
    said = tour.call("GET", f"{path}/comments", responder)["items"]
    check([one["content"] for one in said] == ["- [ ] Has it paper?"], "the checklist is missing")
    tour.call("POST", f"{path}/resolve", responder)
    tour.call("DELETE", f"{TEMPLATES}/{number}", tour.people["admin"], expect=204)
    check(tour.call("GET", path, responder)["id"] == made["id"], "it went with its template")
