"""Steps that page whoever is on call: for the service, in turn, and by hand."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.e2e.steps import Group
from tests.e2e.tour import Tour, check

paging = Group("Who is paged")

POLICIES = "/v1/escalation/policies"


def _policy(tour: Tour, *targets: Any) -> dict[str, Any]:
    actions = [{"type": "notify", "target": target} for target in targets]
    return {
        "name": f"On call {tour.mark}",
        "conditions": {"service": tour.ids["paged service"]},
        "steps": [{"delay_minutes": 0, "actions": actions}],
        "final_delay_minutes": 600,
    }


@paging
def make(tour: Tour) -> None:
    """A schedule, a service that pages by it, and a policy for whoever is on call."""
    admin, responder = tour.people["admin"], tour.people["responder"]
    handoff = (datetime.now(UTC) - timedelta(days=10)).strftime("%Y-%m-%dT00:00")
    rotation = {"kind": "daily", "handoff": handoff, "participants": [responder.id]}
    body = {"name": f"Paged {tour.mark}", "time_zone": "UTC", "layers": [{"rotation": rotation}]}
    schedule = tour.call("POST", "/v1/schedules", admin, expect=201, json=body)["id"]
    tour.later("DELETE", f"/v1/schedules/{schedule}")
    name = tour.ids["paged service"] = f"paged-{tour.mark}"
    made = tour.call(
        "POST", "/v1/services", admin, expect=201, json={"name": name, "schedule_id": schedule}
    )
    tour.later("DELETE", f"/v1/services/{made['id']}")
    shifts = tour.call("GET", f"/v1/services/{made['id']}/shifts", tour.people["viewer"])
    check(shifts["schedule_id"] == schedule, "a service goes by another schedule than its own")
    wrong = tour.call("POST", POLICIES, admin, expect=422, json=_policy(tour, {"schedule": 2**40}))
    path = wrong["details"]["errors"][0]["path"]
    check(path == "steps[0].actions[0].target.schedule", f"the fault was told at {path}")
    policy = tour.call(
        "POST", POLICIES, admin, expect=201, json=_policy(tour, "on_call", {"schedule": schedule})
    )
    tour.later("DELETE", f"{POLICIES}/{policy['id']}")
    tour.ids["paged schedule"], tour.ids["on-call policy"] = schedule, policy["id"]


@paging
def keep(tour: Tour) -> None:
    """A schedule that a policy pages cannot be deleted."""
    path = f"/v1/schedules/{tour.ids['paged schedule']}"
    tour.call("DELETE", path, tour.people["admin"], expect=409)


@paging
def rehearse(tour: Tour) -> None:
    """The simulation says who would be paged."""
    incident = {"severity": "high", "service": tour.ids["paged service"]}
    told = tour.call(
        "POST", "/v1/escalation/simulate", tour.people["viewer"], json={"incident": incident}
    )
    paged = {line["user_id"] for line in told["lines"] if line["action"] == "page"}
    check(tour.people["responder"].id in paged, f"it would page {paged}")


@paging
def page(tour: Tour) -> None:
    """An incident pages who is on call and is theirs; others are called by hand."""
    admin, responder = tour.people["admin"], tour.people["responder"]
    number = tour.incident(admin, service=tour.ids["paged service"])["id"]
    path = f"/v1/incidents/{number}"

    def given() -> bool:
        return bool(tour.call("GET", path, admin)["assigned_to"] == responder.id)

    tour.until(given, "it is not assigned to whoever is on call")
    tour.call("POST", f"{path}/escalate", admin, json={"to": {"user": admin.id}})

    def called() -> bool:
        found = tour.call("GET", f"{path}/notifications", admin)["items"]
        return admin.id in {one["user_id"] for one in found}

    tour.until(called, "whoever was called is not paged")
    body = {"policy_id": tour.ids["on-call policy"], "service": tour.ids["paged service"]}
    drill = tour.call("POST", "/v1/fire-drills", admin, expect=201, json=body)
    tour.call("POST", f"/v1/incidents/{drill['incident_id']}/resolve", admin)
    tour.call("POST", f"{path}/resolve", admin)
