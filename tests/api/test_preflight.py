"""Checks before the night, from the rows of a real installation to the API, command and mail."""

import asyncio
import json
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import typer

from app import cli
from app.core.errors import SetupError
from app.db.session import transaction_time
from app.services import preflight
from app.worker.preflight import Preflight
from tests.process.test_audited_commands import _setup
from tests.world import Person, World

NIGHTS = {"since": "22:00", "until": "06:00"}


async def look(world: World, who: Person) -> dict[str, dict[str, Any]]:
    """What is found now, by code."""
    found = await world.call("GET", "/v1/preflight", who)
    assert found["is_clean"] is (not found["findings"])
    return {one["code"]: one for one in found["findings"]}


async def holed(world: World, admin: Person, who: Person, **fields: Any) -> dict[str, Any]:
    """A schedule that is on at night only."""
    rotation = {"kind": "daily", "handoff": "2026-01-05T08:00", "participants": [who.id]}
    body = {
        "name": "Nights",
        "time_zone": "UTC",
        "layers": [{"rotation": rotation, "restrictions": [NIGHTS]}],
        "allow_gaps": True,
        **fields,
    }
    made: dict[str, Any] = await world.call("POST", "/v1/schedules", admin, expect=201, json=body)
    return made


async def test_an_installation_that_is_whole_is_clean(world: World) -> None:
    admin = await world.admin()
    await world.policy(admin, [(0, {"user": admin.id})])
    await world.sql("UPDATE contact_methods SET verified_at = now()")
    assert await look(world, admin) == {}


async def test_holes_are_found_and_gone_once_they_are_closed(world: World) -> None:
    admin = await world.admin()
    ana = await world.person()
    await world.sql("UPDATE contact_methods SET verified_at = now()")
    schedule = await holed(world, admin, ana)
    policy = await world.policy(
        admin, [(0, {"schedule": schedule["id"]})], conditions={"service": ["web"]}
    )
    body = {"name": "db"}
    service = await world.call("POST", "/v1/services", admin, expect=201, json=body)
    found = await look(world, admin)
    assert set(found) == {"SCHEDULE_HAS_GAPS", "SERVICE_WITHOUT_POLICY"}
    gap = found["SCHEDULE_HAS_GAPS"]
    assert gap["link"] == f"/v1/schedules/{schedule['id']}"
    assert "“Nights”" in gap["message"]
    assert await world.call("GET", gap["link"], admin)
    layers = [{**schedule["layers"][0], "restrictions": []}]
    await world.call("PATCH", gap["link"], admin, json={"layers": layers})
    await world.call(
        "PATCH", f"/v1/services/{service['id']}", admin, json={"policy_id": policy["id"]}
    )
    assert await look(world, admin) == {}
    await world.sql("UPDATE users SET is_active = false WHERE id = :id", id=ana.id)
    found = await look(world, admin)
    assert set(found) == {"PERSON_DEACTIVATED", "STEP_REACHES_NOBODY"}
    assert found["PERSON_DEACTIVATED"]["message"].endswith(
        "is deactivated and still in the schedule “Nights”."
    )


async def test_calendars_heartbeats_and_teams_are_read(world: World) -> None:
    admin = await world.admin()
    await world.sql("""
        INSERT INTO calendars (name, kind, url, time_zone, failing_since, last_error)
        VALUES ('Holidays', 'holidays', 'https://example.org/secret', 'UTC', now(), 'It is gone.')
    """)
    body = {"name": "backup", "interval_seconds": 3600}
    await world.call("POST", "/v1/heartbeats", admin, expect=201, json=body)
    team = await world.call("POST", "/v1/teams", admin, expect=201, json={"name": "Data"})
    assert "TEAM_IS_EMPTY" not in await look(world, admin)
    await world.call(
        "POST", "/v1/services", admin, expect=201, json={"name": "db", "team_id": team["id"]}
    )
    found = await look(world, admin)
    assert "HEARTBEAT_NEVER_CAME" not in found  # it has had no time to
    assert {"CALENDAR_FAILS", "TEAM_IS_EMPTY"} <= set(found)
    assert "secret" not in json.dumps(found)
    world.clock.forward(days=2)
    assert "HEARTBEAT_NEVER_CAME" in await look(world, admin)


# --- Once a day


async def noon(world: World) -> None:
    """Let it be shortly after the next noon in UTC."""
    now = await world.clock.now()
    at = now.replace(hour=preflight.HOUR, minute=1, second=0, microsecond=0)
    if at <= now:
        at += timedelta(days=1)
    world.clock.forward(seconds=(at - now).total_seconds())


async def mails(world: World) -> list[dict[str, Any]]:
    rows = await world.sql("SELECT facts FROM notifications WHERE kind = 'preflight' ORDER BY id")
    return [row[0] for row in rows]


async def test_admins_are_told_once_of_what_is_new(world: World) -> None:
    admin = await world.admin()
    await world.person()
    await world.sql("UPDATE contact_methods SET verified_at = now()")
    loop = Preflight(world.database, ())
    ana = await world.person("bea@example.org")
    schedule = await holed(world, admin, ana)
    await world.sql("UPDATE contact_methods SET verified_at = now()")
    await noon(world)
    await loop.round()
    (first,) = await mails(world)  # one admin
    assert first["new"] == 1
    assert "“Nights”" in first["findings"][0]
    assert await loop.round() > preflight.SOON  # type: ignore[operator]
    assert len(await mails(world)) == 1
    since = (await look(world, admin))["SCHEDULE_HAS_GAPS"]["known_since"]
    assert since is not None
    await noon(world)
    await loop.round()
    assert len(await mails(world)) == 1  # it stands, and they know
    await world.call("POST", "/v1/services", admin, expect=201, json={"name": "db"})
    await noon(world)
    await loop.round()
    news = (await mails(world))[1:]
    assert [mail["new"] for mail in news] == [1]
    assert "“db”" in news[0]["findings"][0]
    assert (await look(world, admin))["SCHEDULE_HAS_GAPS"]["known_since"] == since
    layers = [{**schedule["layers"][0], "restrictions": []}]
    await world.call("PATCH", f"/v1/schedules/{schedule['id']}", admin, json={"layers": layers})
    await noon(world)
    await loop.round()
    assert (await world.sql("SELECT count(*) FROM preflight_findings"))[0][0] == 1


async def test_before_noon_nobody_looks(world: World) -> None:
    await world.admin()
    await noon(world)
    world.clock.forward(hours=-1)
    wait = await Preflight(world.database, ()).round()
    assert wait is not None
    assert timedelta(minutes=50) < wait < timedelta(hours=1)
    assert (await world.sql("SELECT count(*) FROM preflight_runs"))[0][0] == 0


async def test_of_many_replicas_one_makes_the_run(world: World) -> None:
    admin = await world.admin()
    ana = await world.person()
    await holed(world, admin, ana)
    await noon(world)
    loops = [Preflight(world.database, ()) for _ in range(5)]
    await asyncio.gather(*(loop.round() for loop in loops))
    assert len(await mails(world)) == 1


async def test_a_run_whose_replica_vanished_is_made_by_another(world: World) -> None:
    admin = await world.admin()
    ana = await world.person()
    await holed(world, admin, ana)
    await noon(world)
    day = (await world.clock.now()).date()
    await world.sql(
        "INSERT INTO preflight_runs (day, started_at) VALUES (:day, :at)",
        day=day,
        at=await world.clock.now(),
    )
    loop = Preflight(world.database, ())
    await loop.round()
    assert await mails(world) == []
    world.clock.forward(minutes=11)
    await loop.round()
    assert len(await mails(world)) == 1


async def test_a_thousand_schedules_are_read_in_few_statements(world: World) -> None:
    admin = await world.admin()
    layers = [
        {
            "rotation": {
                "kind": "weekly",
                "handoff": "2026-01-05T08:00",
                "participants": [admin.id],
            }
        }
    ]
    await world.sql(
        "WITH made AS (INSERT INTO schedules (name, time_zone, layers)"
        " SELECT 'S' || n, 'Europe/Berlin', CAST(:layers AS jsonb) FROM generate_series(1, 1000) n"
        " RETURNING id, name, layers)"
        " INSERT INTO schedule_versions"
        " (schedule_id, number, name, time_zone, layers, holidays, known_from)"
        " SELECT id, 1, name, 'Europe/Berlin', layers, '[]', now() FROM made",
        layers=json.dumps(layers),
    )
    async with world.database.reading() as session:
        found = await preflight.look(session, (), now=await transaction_time(session))
    assert {str(one.code) for one in found} <= {"ON_TWO_SCHEDULES", "NO_VERIFIED_CONTACT"}


# --- The command


async def test_the_command_prints_what_is_found_and_says_so_by_its_status(
    world: World, database_url: str, tmp_path: Path
) -> None:
    admin = await world.admin()
    await world.sql("UPDATE contact_methods SET verified_at = now()")
    setup = _setup(database_url, tmp_path)
    report = await cli._look(setup)
    assert report.is_clean
    assert "Nothing was found" in cli.readable(report)
    await holed(world, admin, admin)
    report = await cli._look(setup)
    told = cli.readable(report)
    assert "SCHEDULE_HAS_GAPS" in told
    assert told.endswith("1 finding.")


@pytest.mark.parametrize(("is_holed", "status"), [(False, 0), (True, 1)])
def test_its_exit_status_is_for_scripts(
    is_holed: bool, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = {
        "code": "SCHEDULE_IS_EMPTY",
        "place": "schedule:1",
        "severity": "critical",
        "message": "Nobody is on call.",
        "fix": "Add somebody.",
        "link": "/v1/schedules/1",
        "known_since": None,
    }
    report = cli.PreflightRead.model_validate(
        {
            "checked_at": "2026-11-21T12:00:00Z",
            "last_run_at": None,
            "is_clean": not is_holed,
            "findings": [found] if is_holed else [],
        }
    )

    async def look(_: object) -> object:
        return report

    monkeypatch.setattr(cli, "_look", look)
    monkeypatch.setattr(cli, "set_up", lambda _: nullcontext())
    with pytest.raises(typer.Exit) as left:
        cli.preflight(as_json=True)
    assert left.value.exit_code == status
    assert json.loads(capsys.readouterr().out)["is_clean"] is not is_holed


async def test_what_cannot_be_looked_at_is_no_clean_bill(tmp_path: Path) -> None:
    setup = _setup(f"postgresql+asyncpg://nobody@/none?host={tmp_path}", tmp_path)
    with pytest.raises(SetupError, match="went away"):
        await cli._look(setup)
