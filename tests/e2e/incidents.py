"""Incidents, from declaring to deleting; the people on them; what they owe an installation."""

from tests.e2e.steps import Group
from tests.e2e.tour import Tour, check

incidents = Group("Incidents")


@incidents
def declare(tour: Tour) -> None:
    """Somebody declares an incident; tools' words for severities are understood."""
    responder = tour.people["responder"]
    made = tour.incident(responder, severity="SEV2", tags=["eu"], labels={"region": "eu-west-1"})
    check((made["status"], made["severity"]) == ("open", "high"), "it is not open and high")
    tour.ids["incident"] = made["id"]


@incidents
def faulty(tour: Tour) -> None:
    """A faulty incident is refused with the place of each fault."""
    body = {"title": "", "severity": "bad", "service": "x" * 101}
    refusal = tour.call("POST", "/v1/incidents", tour.people["responder"], expect=422, json=body)
    paths = {fault["path"] for fault in refusal["details"]["errors"]}
    check(paths == {"title", "severity", "service"}, f"faults were told at {paths}")


@incidents
def read(tour: Tour) -> None:
    """Incidents are listed, filtered and read."""
    viewer, number = tour.people["viewer"], tour.ids["incident"]
    path = f"/v1/incidents?service={tour.mark}&status=open&severity=high&per_page=5"
    listed = tour.call("GET", path, viewer)
    check(number in {one["id"] for one in listed["items"]}, "the filter does not find it")
    none = tour.call("GET", f"/v1/incidents?service={tour.mark}&severity=low", viewer)
    check(none["items"] == [], "the filter finds others")
    check(tour.call("GET", f"/v1/incidents/{number}", viewer)["id"] == number, "not that one")
    tour.call("GET", "/v1/incidents/999999999", viewer, expect=404, code="INCIDENT_NOT_FOUND")


@incidents
def edit(tour: Tour) -> None:
    """A change writes the named fields only."""
    number, responder = tour.ids["incident"], tour.people["responder"]
    path = f"/v1/incidents/{number}"
    changed = tour.call("PATCH", path, responder, json={"title": "Disk very full"})
    check(changed["title"] == "Disk very full" and changed["tags"] == ["eu"], "more was changed")


@incidents
def assign(tour: Tour) -> None:
    """People get an incident, in a role, once each; and give it back."""
    number, responder = tour.ids["incident"], tour.people["responder"]
    path = f"/v1/incidents/{number}/assignments"
    person = tour.people["bystander"].id
    for role in ("responder", "commander"):
        shown = tour.call("POST", path, responder, json={"user_id": person, "role": role})
        roles = [one["role"] for one in shown["assignments"] if one["user_id"] == person]
        check(roles == [role], f"the roles are {roles}")
    shown = tour.call("DELETE", f"{path}/{person}", responder)
    check(shown["assignments"] == [], "somebody still has it")


@incidents
def comment(tour: Tour) -> None:
    """People comment, and read what was said."""
    number, responder = tour.ids["incident"], tour.people["responder"]
    path = f"/v1/incidents/{number}/comments"
    tour.call("POST", path, responder, expect=201, json={"content": "Failing over."})
    said = tour.call("GET", path, tour.people["viewer"])["items"]
    check(said[-1]["content"] == "Failing over.", "that was not said")


@incidents
def snooze(tour: Tour) -> None:
    """An incident is snoozed and woken."""
    number, responder = tour.ids["incident"], tour.people["responder"]
    path = f"/v1/incidents/{number}/snooze"
    check(tour.call("POST", path, responder, json={"minutes": 30})["snoozed_until"], "it is awake")
    check(tour.call("DELETE", path, responder)["snoozed_until"] is None, "it sleeps on")


@incidents
def lifecycle(tour: Tour) -> None:
    """Open, acknowledged, resolved, reopened; what is no way is refused with the ways there are."""
    number, responder = tour.ids["incident"], tour.people["responder"]
    path = f"/v1/incidents/{number}"
    for _ in range(2):  # the same status again is no error
        shown = tour.call("POST", f"{path}/acknowledge", responder)
        check(shown["status"] == "acknowledged", f"it is {shown['status']}")
    shown = tour.call("POST", f"{path}/resolve", responder)
    check(shown["resolved_at"], "it has no end")
    refusal = tour.call(
        "POST", f"{path}/acknowledge", responder, expect=400, code="INVALID_STATUS_TRANSITION"
    )
    check(refusal["details"]["allowed"] == [], "something is allowed")
    check(tour.call("POST", f"{path}/reopen", responder)["status"] == "open", "it stays closed")


@incidents
def timeline(tour: Tour) -> None:
    """The timeline tells everything, who did it and in order."""
    viewer, number = tour.people["viewer"], tour.ids["incident"]
    told = tour.call("GET", f"/v1/incidents/{number}/timeline?per_page=100", viewer)["items"]
    kinds = [entry["event_type"] for entry in told]
    check(kinds[0] == "opened", f"it begins with {kinds[0]}")
    wanted = {"edited", "assigned", "unassigned", "commented", "snoozed", "snooze_ended",
              "acknowledged", "resolved", "reopened"}  # fmt: skip
    check(wanted <= set(kinds), f"it leaves out {wanted - set(kinds)}")


@incidents
def viewers_look(tour: Tour) -> None:
    """A viewer changes nothing."""
    viewer, path = tour.people["viewer"], f"/v1/incidents/{tour.ids['incident']}"
    for action in ("acknowledge", "resolve", "reopen"):
        tour.call("POST", f"{path}/{action}", viewer, expect=403, code="FORBIDDEN")
    tour.call("PATCH", path, viewer, expect=403, json={"title": "Mine"})


@incidents
def delete(tour: Tour) -> None:
    """An admin deletes an incident, confirming its number, and brings it back."""
    admin = tour.people["admin"]
    number = tour.incident(admin)["id"]
    path = f"/v1/incidents/{number}"
    tour.call("DELETE", path, admin, expect=422, code="CONFIRMATION_MISSING")
    tour.call("DELETE", f"{path}?confirm={number}", admin, expect=204)
    tour.call("GET", path, admin, expect=404, code="INCIDENT_NOT_FOUND")
    listed = tour.call("GET", f"/v1/incidents?deleted=true&service={tour.mark}", admin)
    check(number in {one["id"] for one in listed["items"]}, "nobody can find it any more")
    back = tour.call("POST", f"{path}/restore", admin)
    check(back["status"] == "resolved", f"it came back {back['status']}")


fields = Group("Custom fields")


@fields
def define(tour: Tour) -> None:
    """An admin defines typed fields; a faulty one is refused."""
    admin, key = tour.people["admin"], tour.mark.replace("-", "_")
    body = {"key": key, "label": "Customers affected", "type": "number"}
    tour.call("POST", "/v1/custom-fields", admin, expect=201, json=body)
    tour.later("DELETE", f"/v1/custom-fields/{key}")
    tour.call("PATCH", f"/v1/custom-fields/{key}", admin, json={"label": "Customers"})
    check(tour.call("GET", f"/v1/custom-fields/{key}", admin)["label"] == "Customers", "no change")
    wrong = {"key": "No Key", "label": "", "type": "colour"}
    tour.call("POST", "/v1/custom-fields", admin, expect=422, json=wrong)


@fields
def fill_in(tour: Tour) -> None:
    """An incident holds values of the right type, and is found by them."""
    responder, key = tour.people["responder"], tour.mark.replace("-", "_")
    number, path = tour.ids["incident"], "/v1/incidents"
    shown = tour.call("PATCH", f"{path}/{number}", responder, json={"custom_fields": {key: 42}})
    check(shown["custom_fields"] == {key: 42}, f"it holds {shown['custom_fields']}")
    wrong = {"custom_fields": {key: "many"}}
    tour.call("PATCH", f"{path}/{number}", responder, expect=422, json=wrong)
    found = tour.call("GET", f"{path}?custom_field={key}:42", responder)["items"]
    check([one["id"] for one in found] == [number], "the filter does not find it")
    check(tour.call("GET", f"{path}?custom_field={key}:7", responder)["items"] == [], "any value")


@fields
def archive(tour: Tour) -> None:
    """An archived field is no longer asked for; what was held stays."""
    admin, key = tour.people["admin"], tour.mark.replace("-", "_")
    tour.call("DELETE", f"/v1/custom-fields/{key}", admin, expect=204)
    keys = {
        one["key"] for one in tour.call("GET", "/v1/custom-fields?per_page=100", admin)["items"]
    }
    check(key not in keys, "it is still listed")
    shown = tour.call("GET", f"/v1/incidents/{tour.ids['incident']}", admin)
    check(shown["custom_fields"] == {key: 42}, "its value went with it")
