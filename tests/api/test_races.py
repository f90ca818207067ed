"""Requests that meet in the database: each gets an answer that means something."""

import asyncio
from collections import Counter
from collections.abc import MutableMapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI

from app.api.again import Again
from app.core.security import hash_key
from app.crud import crud_incident, crud_intake
from app.db import session as db
from app.services import integration as integration_service
from tests.api.answers import refusal, send
from tests.api.logs import logged
from tests.world import Person, World

STEPS = [{"delay_minutes": 0, "actions": [{"type": "comment", "text": "x"}]}]
MAKINGS: list[tuple[str, dict[str, Any], str]] = [
    ("/v1/users", {"email": "a@example.org", "password": "passphrase"}, "EMAIL_TAKEN"),
    ("/v1/escalation/policies", {"name": "Nights", "steps": STEPS}, "POLICY_NAME_TAKEN"),
    ("/v1/integrations", {"name": "Kibana", "kind": "alerts"}, "INTEGRATION_NAME_TAKEN"),
]


@pytest.mark.parametrize(("path", "body", "code"), MAKINGS)
async def test_of_four_who_make_the_same_at_once_one_does(
    world: World, path: str, body: dict[str, Any], code: str
) -> None:
    admin = await world.admin()
    with logged() as log:
        answers = await asyncio.gather(
            *(send(world, "POST", path, admin, json=body) for _ in range(4))
        )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    for answer in answers:
        if answer.status_code == 409:
            refusal(answer, 409, code)
    assert log.of("request.failed") == []
    assert len(log.of("request")) == 4


async def test_of_two_who_take_the_same_name_at_once_one_does(world: World) -> None:
    admin = await world.admin()
    paths = []
    for n in range(3):
        body = {"name": f"Number {n}", "kind": "alerts"}
        made = await world.call("POST", "/v1/integrations", admin, expect=201, json=body)
        paths.append(f"/v1/integrations/{made['id']}")
    answers = await asyncio.gather(
        *(send(world, "PATCH", path, admin, json={"name": "The one"}) for path in paths)
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]


async def test_of_two_keys_that_are_revoked_at_once_one_stays(world: World) -> None:
    admin = await world.admin()
    body = {"name": "Kibana", "kind": "alerts"}
    made = await world.call("POST", "/v1/integrations", admin, expect=201, json=body)
    path = f"/v1/integrations/{made['id']}/keys"
    other = await world.call("POST", path, admin, expect=201)
    answers = await asyncio.gather(
        *(send(world, "DELETE", f"{path}/{n}", admin) for n in (other["id"], made["keys"][0]["id"]))
    )
    assert sorted(answer.status_code for answer in answers) == [204, 409]


async def test_a_reopening_that_meets_a_new_alert_is_told_where_to_work(world: World) -> None:
    admin = await world.admin()
    key = await world.integration_key(admin)
    old = (await world.alert(key))["incident_id"]
    await world.act(admin, old, "resolve")
    async with world.database.reading() as session:
        sender = (await crud_intake.senders(session, [hash_key(key)]))[hash_key(key)]
    body = b'{"title": "Disk full", "dedup_key": "disk"}'
    readings = integration_service.read(sender.kind, body)
    delivery = integration_service.Delivery(sender, readings, body, len(body))

    async with world.database.writing() as session:
        now = await db.transaction_time(session)
        (item,) = await integration_service.receive(session, [delivery], now=now)
        path = f"/v1/incidents/{old}/reopen"
        reopening = asyncio.create_task(send(world, "POST", path, admin))
        await somebody_waits(world)

    details = refusal(await reopening, 409, "PROBLEM_HAS_OPEN_INCIDENT")
    assert details == {"incident_id": item.incident_id}


async def somebody_waits(world: World) -> None:
    """Until a transaction of this database waits for another one."""
    waiting = (
        "SELECT 1 FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with asyncio.timeout(5):
        while not await world.sql(waiting):
            pass


async def test_people_who_meet_a_storm_of_alerts_get_their_answers(world: World) -> None:
    admin = await world.admin()
    people = [await world.person(f"p{n}@example.org") for n in range(4)]
    await world.policy(admin, [(0, "admins")])
    key = await world.integration_key(admin)
    met: Counter[int] = Counter()
    for turn in range(4):
        keys = [f"{turn}-{n}" for n in range(4)]
        numbers = [(await world.alert(key, dedup_key=name))["incident_id"] for name in keys]
        answers = await asyncio.gather(
            *(work(world, who, number) for who in people for number in numbers),
            storm(world, key, keys),
            storm(world, key, keys[::-1]),
            world.climb(),
        )
        for statuses in answers:
            if not isinstance(statuses, int):
                met.update(statuses)
    assert set(met) <= {200, 400, 409}


async def work(world: World, who: Person, number: int) -> list[int]:
    path = f"/v1/incidents/{number}"
    answers = [
        await send(world, "POST", f"{path}/acknowledge", who),
        await send(world, "PATCH", path, who, json={"severity": "low"}),
        await send(world, "POST", f"{path}/assignments", who, json={"user_id": who.id}),
        await send(world, "POST", f"{path}/resolve", who),
        await send(world, "POST", f"{path}/reopen", who),
    ]
    return [answer.status_code for answer in answers]


async def storm(world: World, key: str, names: list[str]) -> list[int]:
    body = [
        {"title": "x", "dedup_key": name, "status": status}
        for name in names
        for status in ("firing", "resolved", "firing")
    ]
    headers = {"X-API-Key": key}
    answers = [
        await send(world, "POST", "/v1/webhooks/alerts", headers=headers, json=body)
        for _ in range(3)
    ]
    return [answer.status_code for answer in answers]


async def test_who_waits_too_long_for_somebody_else_is_told_to_try_again(
    world: World, app: FastAPI, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = await world.person()
    number = (await world.declare(ana))["id"]
    monkeypatch.setattr(db, "LOCK_TIMEOUT", timedelta(milliseconds=100))
    impatient = db.Database(database_url)
    app.state.service = replace(app.state.service, database=impatient)
    async with world.database.writing() as session:
        await crud_incident.lock(session, number)
        answer = await send(world, "POST", f"/v1/incidents/{number}/acknowledge", ana)
    await impatient.close()
    refusal(answer, 503, "BUSY")
    assert answer.headers["retry-after"] == "1"


# --- Running a request again, by itself -------------------------------------------------


class ClashError(Exception):
    """As SQLAlchemy wraps what PostgreSQL says."""

    def __init__(self, state: str) -> None:
        self.orig = type("Orig", (Exception,), {"sqlstate": state})()


class Stage:
    """An application that fails as told before it answers, and the client that it answers."""

    def __init__(self, *errors: Exception, body: bytes = b"body", answers_first: bool = False):
        self.errors = list(errors)
        self.answers_first = answers_first
        self.coming = [{"type": "http.request", "body": body, "more_body": False}]
        self.heard: list[bytes] = []
        self.sent: list[MutableMapping[str, Any]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.heard.append((await receive())["body"])
        assert "mark" not in scope
        scope["mark"] = "what a router writes into its scope"
        if self.answers_first:
            await send({"type": "http.response.start"})
        if self.errors:
            raise self.errors.pop(0)
        await send({"type": "http.response.start"})

    async def receive(self) -> MutableMapping[str, Any]:
        return self.coming.pop(0)

    async def send(self, message: MutableMapping[str, Any]) -> None:
        self.sent.append(message)

    async def run(self) -> None:
        await Again(self)({"type": "http"}, self.receive, self.send)


async def test_what_clashed_hears_the_same_body_again_and_answers_once() -> None:
    stage = Stage(ClashError("40P01"), ClashError("40001"), ClashError("23505"))
    await stage.run()
    assert stage.heard == [b"body"] * 4
    assert len(stage.sent) == 1


async def test_what_goes_on_clashing_is_given_up() -> None:
    stage = Stage(*[ClashError("40P01")] * 9)
    with pytest.raises(ClashError):
        await stage.run()
    assert len(stage.heard) == db.CLASH_RETRIES
    assert stage.sent == []


@pytest.mark.parametrize(
    "error", [ClashError("22P02"), ClashError("57014"), RuntimeError("broken")]
)
async def test_any_other_failure_is_one_at_once(error: Exception) -> None:
    stage = Stage(error)
    with pytest.raises(type(error)):
        await stage.run()
    assert len(stage.heard) == 1


async def test_an_answer_that_has_begun_is_never_begun_again() -> None:
    stage = Stage(ClashError("40P01"), answers_first=True)
    with pytest.raises(ClashError):
        await stage.run()
    assert len(stage.sent) == 1


async def test_a_body_too_large_to_keep_is_not_run_again() -> None:
    stage = Stage(ClashError("40P01"), body=b"x" * 1_000_001)
    with pytest.raises(ClashError):
        await stage.run()
    assert len(stage.heard) == 1
