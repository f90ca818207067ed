"""Webhook subscriptions: who is told of what happens, and what came of telling them."""

from typing import Any

from tests.e2e.steps import Group
from tests.e2e.tour import Tour, check

subscribers = Group("Outgoing webhooks")

SUBSCRIPTIONS = "/v1/webhook-subscriptions"
NOBODY = "http://localhost:9/hook"  # a name, for where nobody listens


def _path(tour: Tour) -> str:
    return f"{SUBSCRIPTIONS}/{tour.ids['subscription']}"


@subscribers
def subscribe(tour: Tour) -> None:
    """An admin subscribes an endpoint; its secret is shown once."""
    admin = tour.people["admin"]
    body = {"name": f"Desk {tour.mark}", "url": NOBODY, "services": [tour.mark]}
    made = tour.call("POST", SUBSCRIPTIONS, admin, expect=201, json=body)
    tour.ids["subscription"] = made["id"]
    tour.later("DELETE", _path(tour))
    check(made["secret"].startswith("whsec_"), "that is no secret")
    shown = tour.call("GET", _path(tour), admin)
    check("secret" not in shown, "the secret is shown again")
    listed = tour.call("GET", f"{SUBSCRIPTIONS}?per_page=100", admin)["items"]
    check(made["id"] in {one["id"] for one in listed}, "it is not listed")
    wrong = {**body, "url": "https://user:password@desk.example.test/"}
    tour.call("POST", SUBSCRIPTIONS, admin, expect=422, code="VALIDATION_ERROR", json=wrong)


@subscribers
def change(tour: Tour) -> None:
    """Filters change, and whoever did not see that is told so."""
    admin = tour.people["admin"]
    fields = {"event_types": ["incident.created"], "severities": ["SEV1"]}
    shown = tour.call("PATCH", _path(tour), admin, json=fields)
    check(shown["severities"] == ["critical"], "the alias was not understood")
    headers = {"If-Match": f'"{shown["revision"] - 1}"'}
    tour.call("PATCH", _path(tour), admin, expect=412, json={"name": "x"}, headers=headers)


@subscribers
def test(tour: Tour) -> None:
    """A test goes out at once and says what came back."""
    told = tour.call("POST", f"{_path(tour)}/test", tour.people["admin"])
    check(told["is_taken"] is False, "somebody was there")
    check(told["error"], "it does not say why")


@subscribers
def rotate(tour: Tour) -> None:
    """A secret is rotated, and the old one signs on for a while."""
    rotated = tour.call("POST", f"{_path(tour)}/rotate-secret", tour.people["admin"], expect=201)
    check(rotated["secret"].startswith("whsec_"), "that is no secret")
    shown = tour.call("GET", _path(tour), tour.people["admin"])
    check(shown["previous_until"] == rotated["previous_until"], "they differ")


@subscribers
def deliver(tour: Tour) -> None:
    """What happens is delivered, or says why not; what was missed is replayed."""
    admin = tour.people["admin"]
    incident = tour.incident(tour.people["responder"], severity="critical")
    path = f"{_path(tour)}/deliveries"

    def tried() -> Any:
        items = tour.call("GET", path, admin)["items"]
        return next((one for one in items if one["last_error"]), None)

    delivery = tour.until(tried, f"incident {incident['id']} was not tried to be delivered")
    check(delivery["type"] == "incident.created", f"it told of {delivery['type']}")
    tour.call("PATCH", _path(tour), admin, json={"is_active": False})
    tour.until(
        lambda: tour.call("GET", f"{path}?status=cancelled", admin)["items"],
        "what was waiting did not end",
    )
    replay = f"{path}/{delivery['id']}/replay"
    code = "WEBHOOK_SUBSCRIPTION_INACTIVE"
    tour.call("POST", replay, admin, expect=409, code=code)
    tour.call("PATCH", _path(tour), admin, json={"is_active": True})
    again = tour.call("POST", replay, admin, expect=202)
    check(again["webhook_id"] == delivery["webhook_id"], "it has another id")


@subscribers
def delete(tour: Tour) -> None:
    """A deleted subscription is gone."""
    admin = tour.people["admin"]
    body = {"name": f"Brief {tour.mark}", "url": NOBODY, "is_active": False}
    made = tour.call("POST", SUBSCRIPTIONS, admin, expect=201, json=body)
    path = f"{SUBSCRIPTIONS}/{made['id']}"
    tour.call("DELETE", path, admin, expect=204)
    tour.call("GET", path, admin, expect=404, code="WEBHOOK_SUBSCRIPTION_NOT_FOUND")
