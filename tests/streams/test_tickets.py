"""Tickets: what stands in a browser's URL opens streams for a minute, and nothing else."""

from datetime import UTC, datetime, timedelta

from app.core import stream_ticket
from app.core.security import Signer
from app.domain.user import Role
from tests.streams.listening import Stage, listening
from tests.world import Person


async def ticket(stage: Stage, who: Person) -> str:
    got = await stage.world.call("POST", "/v1/stream/tickets", who)
    assert got["expires_in"] == 60
    return str(got["ticket"])


async def refused(stage: Stage, path: str) -> str:
    answer = await stage.http.get(path)
    assert answer.status_code == 401
    return str(answer.json()["message"])


async def test_a_ticket_opens_a_stream_without_a_header(stage: Stage) -> None:
    viewer = await stage.world.person("v@example.org", Role.VIEWER)
    path = f"/v1/stream?ticket={await ticket(stage, viewer)}"
    async with listening(stage.http, path) as stream:
        await stage.joined(1)
        await stage.world.declare(await stage.world.admin())
        await stage.relay()
        assert (await stream.event()).event == "incident.created"


async def test_it_is_good_for_a_minute(stage: Stage) -> None:
    admin = await stage.world.admin()
    path = f"/v1/stream?follow=false&ticket={await ticket(stage, admin)}"
    stage.world.clock.forward(seconds=55)
    assert (await stage.http.get(path)).status_code == 200
    stage.world.clock.forward(seconds=10)
    assert "older than a minute" in await refused(stage, path)


async def test_it_is_worth_no_more_than_the_login_that_asked_for_it(stage: Stage) -> None:
    admin = await stage.world.admin()
    path = f"/v1/stream?follow=false&ticket={await ticket(stage, admin)}"
    await stage.world.call("POST", "/v1/auth/logout", admin, expect=204)
    assert "log in again" in await refused(stage, path)


async def test_it_opens_nothing_else(stage: Stage) -> None:
    admin = await stage.world.admin()
    made = await ticket(stage, admin)
    for headers in ({"Authorization": f"Bearer {made}"}, {}):
        answer = await stage.http.get(f"/v1/incidents?ticket={made}", headers=headers)
        assert answer.status_code in (401, 422)


async def test_one_that_was_tampered_with_is_none(stage: Stage) -> None:
    admin = await stage.world.admin()
    made = await ticket(stage, admin)
    # Not its last character, of which a few bits may say nothing.
    other = f"{made[:-5]}{'B' if made[-5] == 'A' else 'A'}{made[-4:]}"
    for wrong in ("", "x", "ä", made[:-2], other, "B" + made[1:]):
        await refused(stage, f"/v1/stream?ticket={wrong}")


async def test_an_api_key_listens_and_gets_tickets_until_it_is_revoked(stage: Stage) -> None:
    admin = await stage.world.admin()
    body = {"name": "screen", "scopes": ["read"]}
    key = await stage.world.call("POST", "/v1/api-keys", admin, expect=201, json=body)
    headers = {"X-API-Key": key["key"]}
    async with listening(stage.http, "/v1/stream?follow=false", headers=headers):
        pass
    got = await stage.http.post("/v1/stream/tickets", headers=headers)
    assert got.status_code == 200
    path = f"/v1/stream?follow=false&ticket={got.json()['ticket']}"
    assert (await stage.http.get(path)).status_code == 200
    await stage.world.call("DELETE", f"/v1/api-keys/{key['id']}", admin, expect=204)
    await refused(stage, path)


def test_no_other_installation_takes_it() -> None:
    ours = Signer("a secret key that is long enough for the tests")
    other = Signer("another secret key that is long enough for tests")
    now, listener = datetime.now(UTC), stream_ticket.Listener(1, session_id=2)
    made = stream_ticket.issue(ours, listener, now=now)
    assert stream_ticket.read(ours, made, now=now) == listener
    assert stream_ticket.read(other, made, now=now) is None
    assert stream_ticket.read(ours, made, now=now + timedelta(minutes=2)) is None
