"""Figures about incidents: what each counts, and what it leaves out."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest

from tests.api.answers import send
from tests.world import Person, World


def about(seconds: float) -> Any:
    """So long, and what the calls themselves took."""
    return pytest.approx(seconds + 10, abs=10.5)


async def ask(world: World, who: Person, what: str, **params: Any) -> dict[str, Any]:
    found: dict[str, Any] = await world.call("GET", f"/v1/figures/{what}", who, params=params)
    return found


async def answered(world: World, who: Person, minutes: float, **fields: Any) -> int:
    """An incident that was acknowledged after so long, and resolved after twice as long."""
    number = int((await world.declare(who, **fields))["id"])
    world.clock.forward(minutes=minutes)
    await world.act(who, number, "acknowledge")
    world.clock.forward(minutes=minutes)
    await world.act(who, number, "resolve")
    return number


async def test_times_are_told_in_the_mean_in_the_middle_and_at_the_tail(world: World) -> None:
    ana = await world.person()
    for minutes in range(1, 11):
        await answered(world, ana, minutes)
    (row,) = (await ask(world, ana, "response"))["rows"]
    assert row["opened"] == 10
    assert row["unresolved"] == row["unacknowledged"] == row["resolved_by_itself"] == 0
    took = row["time_to_acknowledge"]
    assert (took["count"], took["median"], took["p90"]) == (10, about(300), about(540))
    assert took["mean"] == about(330)
    assert row["time_to_resolve"]["median"] == about(600)
    assert row["time_to_resolve"]["p90"] == about(1080)


async def test_the_first_acknowledgement_counts_and_the_last_resolution(world: World) -> None:
    ana, bob = await world.person(), await world.person("bob@example.org")
    number = await answered(world, ana, 5)
    world.clock.forward(minutes=60)
    await world.act(bob, number, "reopen")
    world.clock.forward(minutes=20)
    await world.act(bob, number, "acknowledge")
    (row,) = (await ask(world, ana, "response"))["rows"]
    assert (row["opened"], row["unresolved"]) == (1, 1)
    assert row["time_to_acknowledge"]["median"] == about(300)
    assert row["time_to_resolve"] == {"count": 0, "mean": None, "median": None, "p90": None}
    await world.act(bob, number, "resolve")
    (row,) = (await ask(world, ana, "response"))["rows"]
    assert row["time_to_resolve"]["median"] == about(90 * 60)
    people = {one["name"]: one for one in (await ask(world, ana, "pages"))["rows"]}
    assert people[ana.email]["acknowledged"]["count"] == 1
    assert bob.email not in people


async def test_what_recovers_by_itself_has_no_time_to_acknowledge(world: World) -> None:
    admin = await world.admin()
    key = await world.integration_key(admin)
    await world.alert(key)
    world.clock.forward(minutes=7)
    await world.alert(key, status="resolved")
    await world.declare(admin)
    (row,) = (await ask(world, admin, "response"))["rows"]
    assert (row["opened"], row["unresolved"], row["unacknowledged"]) == (2, 1, 2)
    assert row["resolved_by_itself"] == 1
    assert row["time_to_acknowledge"]["mean"] is None
    assert row["time_to_resolve"]["median"] == about(420)


async def test_drills_and_deleted_incidents_are_in_no_figure(world: World) -> None:
    admin = await world.admin()
    number = await answered(world, admin, 1)
    await answered(world, admin, 1)
    await world.call("DELETE", f"/v1/incidents/{number}?confirm={number}", admin, expect=204)
    await world.call("POST", "/v1/fire-drills", admin, expect=201, json={})
    (row,) = (await ask(world, admin, "response"))["rows"]
    assert row["opened"] == 1
    load = await ask(world, admin, "load")
    assert (load["open"], load["resolved_in_seven_days"]) == (0, 1)
    await world.call("POST", f"/v1/incidents/{number}/restore", admin)
    (row,) = (await ask(world, admin, "response"))["rows"]
    assert row["opened"] == 2


async def test_groups_come_with_the_most_frequent_first(world: World) -> None:
    ana = await world.person()
    for service, severity in (("web", "low"), ("db", "critical"), ("db", "low"), ("db", "low")):
        await answered(world, ana, 1, service=service, severity=severity)
    rows = (await ask(world, ana, "response", group_by="service"))["rows"]
    assert [(row["service"], row["opened"]) for row in rows] == [("db", 3), ("web", 1)]
    rows = (await ask(world, ana, "response", group_by="severity"))["rows"]
    assert [(row["severity"], row["opened"]) for row in rows] == [("low", 3), ("critical", 1)]
    rows = (await ask(world, ana, "frequency", by="service", severity="low"))["rows"]
    assert [(row["key"], row["opened"], row["share"]) for row in rows] == [
        ("db", 2, 0.6667),
        ("web", 1, 0.3333),
    ]
    (row,) = (await ask(world, ana, "response", service="web"))["rows"]
    assert row["opened"] == 1


async def test_an_edit_moves_an_incident_to_where_it_belongs(world: World) -> None:
    ana = await world.person()
    number = await answered(world, ana, 1, service="web")
    await world.call("PATCH", f"/v1/incidents/{number}", ana, json={"severity": "critical"})
    rows = (await ask(world, ana, "frequency", by="severity"))["rows"]
    assert [row["key"] for row in rows] == ["critical"]


async def test_only_services_of_the_team_are_counted(world: World) -> None:
    admin = await world.admin()
    await world.declare(admin, service="web")
    await world.declare(admin, service="db")
    team = await world.call("POST", "/v1/teams", admin, expect=201, json={"name": "Data"})
    body = {"name": "db", "team_id": team["id"]}
    await world.call("POST", "/v1/services", admin, expect=201, json=body)
    rows = (await ask(world, admin, "frequency", team_id=team["id"]))["rows"]
    assert [row["key"] for row in rows] == ["db"]
    await world.call("GET", "/v1/figures/load?team_id=999999", admin, expect=404)


async def test_hours_are_those_of_the_zone_that_is_named(world: World) -> None:
    ana = await world.person()
    await world.declare(ana)
    opened = "2026-10-25T00:30:00Z"  # in Berlin the clock is put back half an hour later
    await world.sql(
        "UPDATE incidents SET created_at = CAST(CAST(:at AS text) AS timestamptz)", at=opened
    )
    await world.declare(ana)
    later = "2026-10-25T01:30:00Z"
    await world.sql(
        "UPDATE incidents SET created_at = CAST(CAST(:at AS text) AS timestamptz)"
        " WHERE id = (SELECT max(id) FROM incidents)",
        at=later,
    )
    span = {"since": "2026-10-24T00:00:00Z", "until": "2026-10-27T00:00:00Z"}

    async def hours(zone: str) -> dict[str, int]:
        rows = (await ask(world, ana, "frequency", by="hour", time_zone=zone, **span))["rows"]
        assert len(rows) == 24
        return {row["key"]: row["opened"] for row in rows if row["opened"]}

    assert await hours("UTC") == {"00": 1, "01": 1}
    assert await hours("Europe/Berlin") == {"02": 2}  # an hour that comes twice
    assert await hours("Asia/Kathmandu") == {"06": 1, "07": 1}
    rows = (await ask(world, ana, "frequency", by="weekday", time_zone="America/New_York", **span))[
        "rows"
    ]
    assert {row["key"]: row["opened"] for row in rows if row["opened"]} == {"saturday": 2}


async def test_a_trend_stands_beside_the_time_before(world: World) -> None:
    ana = await world.person()
    for _ in range(3):
        await answered(world, ana, 5)
    world.clock.forward(days=7)
    for _ in range(2):
        await answered(world, ana, 10)
        world.clock.forward(days=1)
    now = await world.clock.now()
    span = {"since": (now - timedelta(days=6)).isoformat(), "until": now.isoformat()}
    found = await ask(world, ana, "trend", per="day", **span)
    assert sum(row["opened"] for row in found["rows"]) == found["total"]["opened"] == 2
    assert found["total"]["time_to_acknowledge"]["mean"] == about(600)
    assert found["before"]["opened"] == 3
    assert found["change"] == -0.3333
    assert [row["since"] for row in found["rows"][1:]] == [
        row["until"] for row in found["rows"][:-1]
    ]
    monthly = await ask(world, ana, "trend", per="month", time_zone="Asia/Tokyo", **span)
    assert monthly["total"]["opened"] == 2


async def test_the_load_is_of_now(world: World) -> None:
    ana = await world.person()
    await world.declare(ana, severity="critical")
    await answered(world, ana, 1)
    number = (await world.declare(ana, severity="low"))["id"]
    await world.act(ana, number, "acknowledge")
    load = await ask(world, ana, "load")
    assert (load["open"], load["acknowledged"], load["resolved_in_seven_days"]) == (1, 1, 1)
    rows = {row["severity"]: row for row in load["rows"]}
    assert rows["critical"] == {"severity": "critical", "open": 1, "acknowledged": 0, "share": 0.5}
    assert rows["medium"]["share"] == 0
    world.clock.forward(days=8)
    assert (await ask(world, ana, "load"))["resolved_in_seven_days"] == 0


async def test_figures_come_as_csv_that_is_safe_to_open(world: World) -> None:
    ana = await world.person()
    await answered(world, ana, 1, service="=cmd()")
    for params, headers in (
        ({"group_by": "service", "format": "csv"}, {}),
        ({"group_by": "service"}, {"Accept": "text/csv"}),
    ):
        answer = await send(
            world, "GET", "/v1/figures/response", ana, params=params, headers=headers
        )
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        (row,) = csv.DictReader(io.StringIO(answer.text, newline=""))
        assert row["service"] == "'=cmd()"
        assert float(row["time_to_acknowledge_median"]) == about(60)
    for what in ("frequency", "trend", "load", "pages", "on-call", "noise"):
        answer = await send(world, "GET", f"/v1/figures/{what}?format=csv", ana)
        assert answer.status_code == 200
        assert answer.text.partition("\r\n")[0].count(",") > 0, what


async def test_a_time_that_is_no_time_or_too_long_is_refused(world: World) -> None:
    ana = await world.person()
    for what, params, code in (
        ("response", {"since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"}, None),
        ("response", {"since": "2020-01-01T00:00:00Z"}, "SPAN_TOO_WIDE"),
        ("noise", {"since": "2026-01-01T00:00:00Z", "until": "2026-05-01T00:00:00Z"}, None),
        ("frequency", {"time_zone": "Mars/Olympus"}, "VALIDATION_ERROR"),
        ("frequency", {"services": "db"}, "VALIDATION_ERROR"),
    ):
        refused = await world.call("GET", f"/v1/figures/{what}", ana, params=params, expect=422)
        assert code is None or refused["code"] == code
