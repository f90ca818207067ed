"""Streams: what happens is told as it happens, and can be read back."""

import json

from tests.e2e.steps import Group
from tests.e2e.tour import PATIENCE, Tour, check

streams = Group("Streams")


@streams
def listen(tour: Tour) -> None:
    """Whoever listens hears of a new incident at once, with a ticket instead of a header."""
    got = tour.call("POST", "/v1/stream/tickets", tour.people["viewer"])
    check(got["expires_in"] == 60, f"it is good for {got['expires_in']} s")
    told = None
    path = f"/v1/stream?types=incident.created&ticket={got['ticket']}"
    with tour.http.stream("GET", path, timeout=PATIENCE) as stream:
        check(stream.status_code == 200, f"it answered {stream.status_code}")
        lines = stream.iter_lines()
        next(lines)  # it has begun
        number = tour.incident(tour.people["responder"])["id"]
        for line in lines:
            name, _, value = line.partition(": ")
            if name == "data" and json.loads(value)["incident_id"] == number:
                told = json.loads(value)
                break
    check(told is not None, "it was not told")
    tour.ids["event"] = (told or {})["id"]


@streams
def read_back(tour: Tour) -> None:
    """What has happened can be read back from a bookmark, and only by those who may know."""
    before = tour.ids["event"] - 1
    path = f"/v1/stream?follow=false&last_event_id={before}"
    told = tour.send("GET", path, tour.people["viewer"]).text
    check(f"id: {before + 1}\n" in told, "what followed is not told")
    tour.call("GET", path, expect=401, code="UNAUTHORIZED")
    tour.call("GET", f"{path}&types=nonsense", tour.people["viewer"], expect=422)


@streams
def public(tour: Tour) -> None:
    """Everybody may listen to what the public is told, and hears nothing internal."""
    answer = tour.send("GET", "/v1/public/stream?follow=false&last_event_id=0")
    check(answer.status_code == 200, f"it answered {answer.status_code}")
    for internal in (f'"{tour.mark}"', '"incident_id"', "Disk full"):
        check(internal not in answer.text, "it tells what only those who log in may know")
