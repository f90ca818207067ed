"""Policies, what they do to an incident, and the tools that open incidents."""

from typing import Any

from tests.e2e.steps import Group
from tests.e2e.tour import Tour, check

policies = Group("Escalation")
tools = Group("Integrations")

POLICIES = "/v1/escalation/policies"


def policy_body(tour: Tour, name: str, **fields: Any) -> dict[str, Any]:
    """A policy for this run's service only, which pages nobody else."""
    steps = [{"delay_minutes": 0, "actions": [{"type": "comment", "text": "Look at this."}]}]
    conditions = {"service": [tour.mark]}
    return {"name": f"{name} {tour.mark}", "conditions": conditions, "steps": steps, **fields}


@policies
def create(tour: Tour) -> None:
    """An admin makes a policy; a faulty one is refused with the path of the fault."""
    admin = tour.people["admin"]
    made = tour.call("POST", POLICIES, admin, expect=201, json=policy_body(tour, "Primary"))
    tour.ids["policy"] = made["id"]
    tour.later("DELETE", f"{POLICIES}/{made['id']}")
    wrong = policy_body(tour, "Wrong", steps=[{"delay_minutes": 0, "actions": [{"type": "sing"}]}])
    refusal = tour.call("POST", POLICIES, admin, expect=422, json=wrong)
    path = refusal["details"]["errors"][0]["path"]
    check(path == "steps[0].actions[0].type", f"the fault was told at {path}")


@policies
def read_and_change(tour: Tour) -> None:
    """Policies are listed, read and changed."""
    admin, path = tour.people["admin"], f"{POLICIES}/{tour.ids['policy']}"
    listed = tour.call("GET", f"{POLICIES}?per_page=100", tour.people["viewer"])
    check(tour.ids["policy"] in {one["id"] for one in listed["items"]}, "it is not listed")
    check(tour.call("PATCH", path, admin, json={"repeat": 1})["repeat"] == 1, "no repeat")
    check(tour.call("GET", path, admin)["is_active"], "it sleeps")


@policies
def runs(tour: Tour) -> None:
    """A policy that matches takes its step by itself; where it stands can be read."""
    responder = tour.people["responder"]
    number = tour.incident(responder)["id"]
    tour.ids["escalated"] = number
    path = f"/v1/incidents/{number}/escalation"

    def taken() -> Any:
        standing = tour.call("GET", path, responder)
        mine = [run for run in standing["escalations"] if run["policy_id"] == tour.ids["policy"]]
        return mine and [
            event for event in standing["events"] if event["escalation_id"] == mine[0]["id"]
        ]

    (step,) = tour.until(taken, "no step of this policy was taken")
    check(step["status"] == "completed", f"its step is {step['status']}")
    tour.ids["event"] = step["id"]
    sent = tour.call("GET", f"/v1/incidents/{number}/notifications", responder)
    check(sent["items"] == [] and sent["not_paged"] == [], "a comment paged somebody")


@policies
def events(tour: Tour) -> None:
    """What each step came to is listed, with its status and times."""
    viewer = tour.people["viewer"]
    path = f"/v1/escalation/events?incident_id={tour.ids['escalated']}"
    listed = tour.call("GET", path, viewer)["items"]
    check(tour.ids["event"] in {event["id"] for event in listed}, "the step is not listed")
    one = tour.call("GET", f"/v1/escalation/events/{tour.ids['event']}", viewer)
    check(one["completed_at"] >= one["triggered_at"], "it ended before it began")


@policies
def by_hand(tour: Tour) -> None:
    """A responder escalates, puts another policy to work, and stops it."""
    admin, responder = tour.people["admin"], tour.people["responder"]
    path = f"/v1/incidents/{tour.ids['escalated']}"
    body = policy_body(tour, "By hand", conditions={"service": ["nothing"]})
    made = tour.call("POST", POLICIES, admin, expect=201, json=body)
    tour.later("DELETE", f"{POLICIES}/{made['id']}")
    tour.call("POST", f"{path}/escalate", responder)
    started = {"policy_id": made["id"]}
    tour.call("POST", f"{path}/escalations", responder, expect=201, json=started)
    tour.call(
        "POST", f"{path}/escalations", responder, expect=409, code="ALREADY_RUNNING", json=started
    )
    runs = tour.call("GET", f"{path}/escalation", responder)["escalations"]
    mine = next(run for run in runs if run["policy_id"] == made["id"])
    tour.call("POST", f"{path}/escalations/{mine['id']}/cancel", responder)
    told = tour.call("GET", f"{path}/timeline?per_page=100", responder)["items"]
    check("escalated" in {entry["event_type"] for entry in told}, "the timeline does not tell")


@policies
def simulated(tour: Tour) -> None:
    """Who would be paged, and when, is told for a draft and for an incident; nothing is kept."""
    viewer, path = tour.people["viewer"], "/v1/escalation/simulate"
    whom = {"user": tour.people["responder"].id}
    pages = [{"type": "notify", "target": whom}]
    steps = [{"delay_minutes": 0, "actions": pages}, {"delay_minutes": 5, "actions": pages}]
    draft = policy_body(tour, "Draft", steps=steps)
    supposed = {"severity": "critical", "service": tour.mark}
    told = tour.call("POST", path, viewer, json={"incident": supposed, "policy": draft})
    minutes = [line["minute"] for line in told["lines"] if line["action"] == "page"]
    check(minutes[:2] == [0, 5], f"its pages come at {minutes}")
    supposed["service"] = "something else"
    other = tour.call("POST", path, viewer, json={"incident": supposed, "policy": draft})
    check(other["policies"][0]["reasons"], "it does not say why it does not match")
    number = tour.ids["escalated"]
    tour.call("POST", path, viewer, json={"incident_id": number})
    tour.call("POST", path, viewer, expect=422, json={"incident_id": number, "incident": supposed})


@policies
def delete(tour: Tour) -> None:
    """A policy is deleted; what it did stays."""
    admin = tour.people["admin"]
    made = tour.call("POST", POLICIES, admin, expect=201, json=policy_body(tour, "Brief"))
    tour.call("DELETE", f"{POLICIES}/{made['id']}", admin, expect=204)
    tour.call("GET", f"{POLICIES}/{made['id']}", admin, expect=404, code="POLICY_NOT_FOUND")


@tools
def connect(tour: Tour) -> None:
    """An admin connects tools, each with a key that is shown once."""
    admin = tour.people["admin"]
    for kind in ("alerts", "alertmanager", "elastic"):
        body = {"name": f"{kind} {tour.mark}", "kind": kind, "service": tour.mark}
        made = tour.call("POST", "/v1/integrations", admin, expect=201, json=body)
        path = f"/v1/integrations/{made['id']}"
        tour.ids[kind], tour.keys[kind] = made["id"], made["key"]
        tour.later("PATCH", path, json={"is_active": False})  # nothing deletes an integration
        check("key" not in tour.call("GET", path, admin), "the key is shown again")
        tour.call("PATCH", path, admin, json={"default_severity": "low"})
    listed = tour.call("GET", "/v1/integrations?per_page=100", admin)
    check(tour.ids["elastic"] in {one["id"] for one in listed["items"]}, "it is not listed")


@tools
def rotate(tour: Tour) -> None:
    """A key is replaced while both live; the old one is revoked."""
    admin, path = tour.people["admin"], f"/v1/integrations/{tour.ids['alerts']}/keys"
    made = tour.call("POST", path, admin, expect=201)
    old, tour.keys["alerts"] = tour.keys["alerts"], made["key"]
    listed = tour.call("GET", f"/v1/integrations/{tour.ids['alerts']}", admin)["keys"]
    tour.call("DELETE", f"{path}/{listed[0]['id']}", admin, expect=204)
    body = {"title": "Old key", "dedup_key": "old"}
    refused = tour.send("POST", "/v1/webhooks/alerts", headers={"X-API-Key": old}, json=body)
    check(refused.status_code == 401, f"the old key got {refused.status_code}")


@tools
def plain_alerts(tour: Tour) -> None:
    """One problem is one incident, however often its alert comes; its recovery resolves it."""
    headers = {"X-API-Key": tour.keys["alerts"]}
    path, body = "/v1/webhooks/alerts", {"title": "Disk full", "dedup_key": tour.mark}
    first = tour.call("POST", path, headers=headers, json=body)["alerts"][0]
    again = tour.call("POST", path, headers=headers, json=body)["alerts"][0]
    check((first["outcome"], again["outcome"]) == ("opened", "joined"), "two incidents")
    over = tour.call("POST", path, headers=headers, json={**body, "status": "resolved"})
    check(over["alerts"][0]["outcome"] == "resolved", "it goes on")
    _forget(tour, first["incident_id"])


@tools
def alertmanager(tour: Tour) -> None:
    """Alertmanager's webhook opens an incident and resolves it."""
    alert = {"status": "firing", "labels": {"alertname": "DiskFull", "severity": "warning"},
             "annotations": {}, "startsAt": "2026-11-21T03:00:00Z", "fingerprint": tour.mark,
             "generatorURL": ""}  # fmt: skip
    group = {"version": "4", "status": "firing", "receiver": "tocsin", "groupKey": tour.mark,
             "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {},
             "externalURL": "http://alertmanager.example", "alerts": [alert]}  # fmt: skip
    headers = {"Authorization": f"Bearer {tour.keys['alertmanager']}"}
    path = "/v1/webhooks/alertmanager"
    made = tour.call("POST", path, headers=headers, json=group)["alerts"][0]
    check(made["outcome"] == "opened", f"it was {made['outcome']}")
    over = {**group, "status": "resolved", "alerts": [{**alert, "status": "resolved"}]}
    told = tour.call("POST", path, headers=headers, json=over)["alerts"][0]
    check(told["outcome"] == "resolved", f"it was {told['outcome']}")
    _forget(tour, made["incident_id"])


@tools
def elastic(tour: Tour) -> None:
    """Elastic APM's webhook opens an incident; the key may come as a basic password."""
    body = {"source": "elastic-apm", "dedup_key": tour.mark, "status": "threshold_met",
            "title": "Error rate", "reason": "It is 12 %", "service": tour.mark}  # fmt: skip
    made = tour.call(
        "POST", "/v1/webhooks/elastic", auth=("elastic", tour.keys["elastic"]), json=body
    )["alerts"][0]
    check(made["outcome"] == "opened", f"it was {made['outcome']}")
    _forget(tour, made["incident_id"])


@tools
def unreadable(tour: Tour) -> None:
    """An alert that cannot be read is kept, answered 200, and opens an incident about itself."""
    headers = {"X-API-Key": tour.keys["alerts"]}
    told = tour.call("POST", "/v1/webhooks/alerts", headers=headers, content=b"{no json")
    check(told["alerts"][0]["outcome"] == "unreadable", "it was understood")
    _forget(tour, told["alerts"][0]["incident_id"])


@tools
def what_became_of_it(tour: Tour) -> None:
    """Every alert says what became of it; its body is saved and read again."""
    viewer, responder = tour.people["viewer"], tour.people["responder"]
    body = {"title": "Disk full", "dedup_key": f"again {tour.mark}"}
    headers = {"X-API-Key": tour.keys["alerts"]}
    made = tour.call("POST", "/v1/webhooks/alerts", headers=headers, json=body)["alerts"][0]
    _forget(tour, made["incident_id"])
    path, number = f"/v1/alerts/{made['id']}", made["incident_id"]
    told = tour.call("GET", path, viewer)["summary"]
    check(told.startswith(f"Opened incident #{number}."), f"it says {told}")
    saved = tour.send("GET", f"{path}/body", responder)
    check(saved.json() == body, "the body is another")
    check("attachment" in saved.headers["content-disposition"], "a browser would show it")
    tour.call("GET", f"{path}/body", viewer, expect=403, code="FORBIDDEN")
    again = tour.call("POST", f"{path}/replay", responder)["alerts"][0]
    check((again["outcome"], again["incident_id"]) == ("joined", number), "it went elsewhere")
    both = [again["id"], made["id"]]
    for query in (f"/v1/alerts?incident_id={number}", f"/v1/incidents/{number}/alerts"):
        listed = [one["id"] for one in tour.call("GET", query, viewer)["items"]]
        check(listed == both, f"{query} lists {listed}")
    told = tour.call("GET", f"/v1/incidents/{number}/timeline?per_page=100", viewer)["items"]
    check("alert_replayed" in {one["event_type"] for one in told}, "nobody is named")
    tour.call("GET", "/v1/alerts/999999999", viewer, expect=404, code="ALERT_NOT_FOUND")


@tools
def no_key(tour: Tour) -> None:
    """No key, a wrong key and a person's token open nothing."""
    for headers in ({}, {"X-API-Key": "tik_guess"}, tour.people["admin"].headers):
        answer = tour.send("POST", "/v1/webhooks/alerts", headers=headers, json={"title": "x"})
        check(answer.status_code == 401, f"it answered {answer.status_code}")


def _forget(tour: Tour, number: int | None) -> None:
    check(number is not None, "no incident was named")
    tour.later("DELETE", f"/v1/incidents/{number}?confirm={number}")
