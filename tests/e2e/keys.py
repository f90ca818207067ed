"""Programs with API keys, and the log of what everybody changed."""

import csv
import io

from tests.e2e.steps import Group
from tests.e2e.tour import Caller, Tour, check

keys = Group("API keys and the audit log")


@keys
def make(tour: Tour) -> None:
    """A key is shown once, and acts as its owner within its scopes."""
    responder = tour.people["responder"]
    body = {"name": tour.mark, "scopes": ["read"]}
    made = tour.call("POST", "/v1/api-keys", responder, expect=201, json=body)
    tour.later("DELETE", f"/v1/api-keys/{made['id']}")
    tour.ids["api key"] = made["id"]
    tour.keys["api"] = made["key"]
    program = Caller(responder.id, "", "", {"Authorization": f"Bearer {made['key']}"})
    me = tour.call("GET", "/v1/users/me", program)
    check(me["id"] == responder.id, "it acts as somebody else")
    tour.call("GET", "/v1/users/me", headers={"X-API-Key": made["key"]})
    declared = {"title": "x", "severity": "low", "service": tour.mark}
    tour.call("POST", "/v1/incidents", program, expect=403, code="KEY_SCOPE_MISSING", json=declared)
    tour.call("POST", "/v1/api-keys", program, expect=403, json=body)


@keys
def listed(tour: Tour) -> None:
    """Keys are listed without their secrets, everybody's for admins only."""
    responder, admin = tour.people["responder"], tour.people["admin"]
    [key] = tour.call("GET", "/v1/api-keys", responder)["items"]
    check(key["id"] == tour.ids["api key"] and "key" not in key, "it is not listed as it should")
    check(key["last_used_at"], "its use was not written down")
    everybodys = tour.call("GET", f"/v1/api-keys?user_id={responder.id}", admin)
    check(everybodys["items"][0]["id"] == key["id"], "the admin does not see it")


@keys
def revoked(tour: Tour) -> None:
    """A revoked key opens nothing any more."""
    number = tour.ids["api key"]
    tour.call("DELETE", f"/v1/api-keys/{number}", tour.people["responder"], expect=204)
    tour.call("GET", "/v1/users/me", expect=401, headers={"X-API-Key": tour.keys["api"]})


@keys
def audited(tour: Tour) -> None:
    """The audit log names who did it, what was before and after, and in which request."""
    admin, responder = tour.people["admin"], tour.people["responder"]
    incident = tour.incident(responder)
    path = f"/v1/incidents/{incident['id']}"
    headers = {"X-Request-ID": f"{tour.mark}-audited"}
    tour.call("PATCH", path, responder, json={"severity": "low"}, headers=headers)
    where = f"resource_type=incident&resource_id={incident['id']}"
    told = tour.call("GET", f"/v1/audit-log?{where}", admin)["items"][0]
    check(told["action"] == "incident.updated", f"it tells of {told['action']}")
    check(told["changes"]["severity"] == {"before": "high", "after": "low"}, "not what changed")
    check(told["user_id"] == responder.id, "not who did it")
    check(told["request_id"] == headers["X-Request-ID"], "not in which request")
    tour.ids["audited"] = incident["id"]


@keys
def exported(tour: Tour) -> None:
    """The audit log is to be had as CSV."""
    where = f"resource_type=incident&resource_id={tour.ids['audited']}"
    answer = tour.send("GET", f"/v1/audit-log.csv?{where}", tour.people["admin"])
    check(answer.status_code == 200, f"it answered {answer.status_code}")
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    check([row["action"] for row in rows] == ["incident.updated", "incident.created"], "other rows")
