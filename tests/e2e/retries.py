"""Asking twice, editing what somebody else edits, and reading what one has."""

from tests.e2e.steps import Group
from tests.e2e.tour import Tour, check

retries = Group("Retries and conditions")


@retries
def ask_twice(tour: Tour) -> None:
    """With an idempotency key an incident is declared once, however often it is asked for."""
    responder, path = tour.people["responder"], "/v1/incidents"
    body = {"title": f"{tour.mark}: asked for twice", "severity": "low", "service": tour.mark}
    keyed = {"headers": {"Idempotency-Key": tour.mark}}
    first = tour.call("POST", path, responder, expect=201, json=body, **keyed)
    tour.call("POST", f"{path}/{first['id']}/resolve", responder)
    again = tour.send("POST", path, responder, json=body, **keyed)
    check(again.status_code == 200, f"the second time answered {again.status_code}")
    check(again.headers.get("idempotency-replayed") == "true", "it does not say so")
    check(again.json() == first, "it answered something else")
    other = {**body, "title": "Something else"}
    tour.call(
        "POST", path, responder, expect=409, code="IDEMPOTENCY_KEY_CONFLICT", json=other, **keyed
    )


@retries
def edit_what_was_seen(tour: Tour) -> None:
    """Of two editors the second is told what the first did; an unchanged incident is not sent."""
    responder = tour.people["responder"]
    path = f"/v1/incidents/{tour.ids['incident']}"
    seen = tour.send("GET", path, responder).headers["etag"]
    unchanged = tour.send("GET", path, responder, headers={"If-None-Match": seen})
    check(unchanged.status_code == 304, f"an unchanged one answered {unchanged.status_code}")
    edit = {"json": {"description": "First."}, "headers": {"If-Match": seen}}
    tour.call("PATCH", path, responder, **edit)
    edit["json"] = {"description": "Second."}
    refused = tour.call("PATCH", path, responder, expect=412, code="PRECONDITION_FAILED", **edit)
    check(refused["details"]["current"]["description"] == "First.", "it shows another state")
    edit["headers"] = {"If-Match": refused["details"]["etag"]}
    tour.call("PATCH", path, responder, **edit)
