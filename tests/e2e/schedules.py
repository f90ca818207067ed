"""Schedules, from a draft to who was on call then: made, changed, rendered, overridden."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.e2e.steps import Group
from tests.e2e.tour import Tour, check

schedules = Group("Schedules")

SCHEDULES = "/v1/schedules"


def _path(tour: Tour) -> str:
    return f"{SCHEDULES}/{tour.ids['schedule']}"


def _layer(tour: Tour) -> dict[str, Any]:
    people = [tour.people["admin"].id, tour.people["responder"].id]
    rotation = {"kind": "daily", "handoff": "2026-01-05T09:00", "participants": people}
    return {"rotation": rotation}


def _draft(tour: Tour) -> dict[str, Any]:
    return {"time_zone": "Europe/Berlin", "layers": [_layer(tour)]}


def _on_call(tour: Tour, **query: str) -> list[int]:
    told = "&".join(f"{name}={value}" for name, value in query.items())
    answer = tour.call("GET", f"{_path(tour)}/on-call?{told}", tour.people["viewer"])
    return [one["id"] for one in answer["on_call"]]


def _in(**span: float) -> str:
    return (datetime.now(UTC) + timedelta(**span)).isoformat().replace("+00:00", "Z")


@schedules
def make(tour: Tour) -> None:
    """An admin previews a draft and makes it; one with a hole is refused with the hole named."""
    admin = tour.people["admin"]
    shown = tour.call("POST", f"{SCHEDULES}/preview", admin, json=_draft(tour))
    check(shown["gaps"] == [], "a rotation round the clock has a gap")
    office = {**_layer(tour), "restrictions": [{"since": "09:00", "until": "17:00"}]}
    body = {**_draft(tour), "name": f"Databases {tour.mark}"}
    refused = tour.call("POST", SCHEDULES, admin, expect=409, json={**body, "layers": [office]})
    check(refused["code"] == "SCHEDULE_HAS_GAPS", f"it was refused as {refused['code']}")
    made = tour.call("POST", SCHEDULES, admin, expect=201, json=body)
    tour.ids["schedule"] = made["id"]
    tour.later("DELETE", f"{SCHEDULES}/{made['id']}")
    listed = tour.call("GET", f"{SCHEDULES}?search={tour.mark}", admin)["items"]
    check([one["id"] for one in listed] == [made["id"]], "it is not listed")


@schedules
def read(tour: Tour) -> None:
    """Who is on call now, from when to when, and when somebody is."""
    viewer, responder = tour.people["viewer"], tour.people["responder"]
    now = tour.call("GET", f"{_path(tour)}/on-call", viewer)
    check(len(now["on_call"]) == 1 and now["next"], "nobody is on call, or nobody follows")
    shifts = tour.call("GET", f"{_path(tour)}/shifts?until={_in(days=7)}", viewer)
    check(len(shifts["final"]) in (7, 8, 9), f"a week has {len(shifts['final'])} shifts")
    check(shifts["gaps"] == [], "there is a gap")
    mine = tour.call("GET", "/v1/users/me/on-call", responder)
    check(tour.ids["schedule"] in {one["schedule_id"] for one in mine["shifts"]}, "never on call")
    everybody = tour.call("GET", "/v1/on-call?per_page=100", viewer)
    check(everybody["items"], "nobody at all is on call")


@schedules
def override(tour: Tour) -> None:
    """A responder stands in; taken back, it counts no more."""
    responder, viewer = tour.people["responder"], tour.people["viewer"]
    path = f"{_path(tour)}/overrides"
    at = _in(days=3)
    usual = _on_call(tour, at=at)
    other = ({tour.people["admin"].id, responder.id} - set(usual)).pop()
    body = {"user_id": other, "starts_at": _in(days=2), "ends_at": _in(days=4)}
    made = tour.call("POST", path, responder, expect=201, json=body)
    check(_on_call(tour, at=at) == [other], "the override is not followed")
    check(tour.call("GET", path, viewer)["total"] == 1, "it is not listed")
    tour.call("GET", f"{path}/{made['id']}", viewer)
    tour.call("DELETE", f"{path}/{made['id']}", responder, expect=204)
    check(_on_call(tour, at=at) == usual, "it still counts")


@schedules
def temporary(tour: Tour) -> None:
    """For a while a schedule has other layers."""
    admin, viewer = tour.people["admin"], tour.people["viewer"]
    path = f"{_path(tour)}/temporary-schedules"
    alone = {"kind": "daily", "handoff": "2026-01-05T09:00", "participants": [admin.id]}
    body = {"starts_at": _in(days=5), "ends_at": _in(days=9), "layers": [{"rotation": alone}]}
    made = tour.call("POST", path, admin, expect=201, json=body)
    at = _in(days=6), _in(days=7.5)
    check([_on_call(tour, at=each) for each in at] == [[admin.id]] * 2, "other layers count")
    check(tour.call("GET", path, viewer)["total"] == 1, "it is not listed")
    tour.call("GET", f"{path}/{made['id']}", viewer)
    tour.call("DELETE", f"{path}/{made['id']}", admin, expect=204)


@schedules
def change(tour: Tour) -> None:
    """An edit changes nothing of what was, and the history tells both."""
    admin, viewer = tour.people["admin"], tour.people["viewer"]
    then = tour.call("GET", f"{_path(tour)}/on-call", viewer)
    was = [one["id"] for one in then["on_call"]]
    other = ({admin.id, tour.people["responder"].id} - set(was)).pop()
    alone = {"kind": "daily", "handoff": "2026-01-05T09:00", "participants": [other]}
    tour.call("PATCH", _path(tour), admin, json={"layers": [{"rotation": alone}]})
    check(tour.call("GET", _path(tour), viewer)["revision"] == 2, "it has no new revision")
    check(_on_call(tour) == [other], "the edit does not count")
    check(_on_call(tour, at=then["at"]) == was, "the edit changed the past")
    history = tour.call("GET", f"{_path(tour)}/history", viewer)["items"]
    check([one["number"] for one in history] == [2, 1], "the history is another")


@schedules
def delete(tour: Tour) -> None:
    """A schedule that nothing goes by is deleted."""
    admin = tour.people["admin"]
    tour.call("DELETE", _path(tour), admin, expect=204)
    tour.call("GET", _path(tour), admin, expect=404)
