"""Being on call: a shift changes hands and comes back, the pager is taken, a brief is read."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.e2e.steps import Group
from tests.e2e.tour import Caller, Tour, check

duty = Group("Being on call")

REQUESTS = "/v1/shift-requests"
NOTICES = "/v1/users/me/on-call-notices"


def _path(tour: Tour) -> str:
    return f"/v1/schedules/{tour.ids['duty']}"


def _midnight(*, days: int) -> str:
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return (today + timedelta(days=days)).isoformat()


def _asked(tour: Tour, who: Caller, day: int, **fields: Any) -> dict[str, Any]:
    body = {
        "schedule_id": tour.ids["duty"],
        "starts_at": _midnight(days=day),
        "ends_at": _midnight(days=day + 1),
        **fields,
    }
    made: dict[str, Any] = tour.call("POST", REQUESTS, who, expect=201, json=body)
    return made


@duty
def make(tour: Tour) -> None:
    """Two people take turns from midnight to midnight."""
    admin, responder = tour.people["admin"], tour.people["responder"]
    handoff = (datetime.now(UTC) - timedelta(days=10)).strftime("%Y-%m-%dT00:00")
    people = [admin.id, responder.id]
    rotation = {"kind": "daily", "handoff": handoff, "participants": people}
    body = {"name": f"Duty {tour.mark}", "time_zone": "UTC", "layers": [{"rotation": rotation}]}
    tour.ids["duty"] = tour.call("POST", "/v1/schedules", admin, expect=201, json=body)["id"]
    tour.later("DELETE", _path(tour))


@duty
def cover(tour: Tour) -> None:
    """A shift is asked for, taken once and no second time, and given back."""
    admin, responder = tour.people["admin"], tour.people["responder"]
    made = _asked(tour, admin, 2, message="Dentist.")
    one = f"{REQUESTS}/{made['id']}"
    tour.call("POST", f"{one}/take", responder)
    tour.call("POST", f"{one}/take", responder, expect=409, code="SHIFT_REQUEST_SETTLED")
    shown = tour.call("GET", one, tour.people["viewer"])
    check(shown["status"] == "taken" and shown["override_id"], "it is not on the schedule")
    listed = tour.call("GET", f"{REQUESTS}?schedule_id={tour.ids['duty']}&status=taken", admin)
    check([each["id"] for each in listed["items"]] == [made["id"]], "it is not listed")
    back = tour.call("POST", f"{one}/give-back", responder)
    check(back["status"] == "given_back", f"it is {back['status']}")


@duty
def decline(tour: Tour) -> None:
    """Whoever is asked declines, whoever asked calls it off."""
    admin, responder = tour.people["admin"], tour.people["responder"]
    made = _asked(tour, admin, 4, asked_of=responder.id)
    tour.call("POST", f"{REQUESTS}/{made['id']}/decline", responder)
    made = _asked(tour, admin, 4)
    tour.call("POST", f"{REQUESTS}/{made['id']}/cancel", admin)


@duty
def pager(tour: Tour) -> None:
    """The pager is taken on the spot, and given back."""
    responder = tour.people["responder"]
    path = f"{_path(tour)}/take"
    tour.call("POST", path, responder, expect=201, json={"for_minutes": 2000})
    back = tour.call("DELETE", path, responder)
    check(back["on_call"], "nobody is on call")
    tour.call("DELETE", path, responder, expect=409, code="PAGER_NOT_TAKEN")


@duty
def brief(tour: Tour) -> None:
    """Whoever comes on call reads who hands over."""
    told = tour.call("GET", f"{_path(tour)}/brief", tour.people["viewer"])
    names = {one["id"] for one in told["outgoing"] + told["incoming"]}
    both = {tour.people["admin"].id, tour.people["responder"].id}
    check(names == both, "it does not tell who hands over to whom")


@duty
def notices(tour: Tour) -> None:
    """People say of what they want to hear."""
    responder = tour.people["responder"]
    usual = tour.call("GET", NOTICES, responder)
    changed = tour.call("PUT", NOTICES, responder, json={"end": not usual["end"]})
    check(changed["end"] != usual["end"], "it was not written")
    tour.call("PUT", NOTICES, responder, json={"end": usual["end"]})
