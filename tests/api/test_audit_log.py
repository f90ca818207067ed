"""The audit log: who, what, before and after, from where; and what it never says."""

from fastapi import FastAPI

from app.domain.audit_log import LEFT_OUT
from app.domain.user import Role
from app.services.notification import LINK_PURPOSE
from tests.api.answers import send
from tests.api.auditing import LOG, entries, newest
from tests.api.keys import make_key, program
from tests.world import World

LOGIN = "/v1/auth/login/access-token"


async def test_an_entry_says_who_what_from_where_and_in_which_request(world: World) -> None:
    admin = await world.admin()
    number = (await world.declare(admin))["id"]
    headers = {"X-Request-ID": "req-1", "User-Agent": "curl/8 " + "x" * 300}
    await world.call("POST", f"/v1/incidents/{number}/acknowledge", admin, headers=headers)
    entry = await newest(world, admin, "incident.acknowledged")
    assert entry == entry | {
        "actor_kind": "user",
        "actor": "admin@example.org",
        "user_id": admin.id,
        "api_key_id": None,
        "resource_type": "incident",
        "resource_id": str(number),
        "address": "127.0.0.1",
        "request_id": "req-1",
        "user_agent": headers["User-Agent"][:200],
    }
    assert entry["changes"]["status"] == {"before": "open", "after": "acknowledged"}
    assert entry["changes"]["acknowledged_by"] == {"before": None, "after": admin.id}
    assert set(entry["changes"]) == {"status", "acknowledged_by", "acknowledged_at"}


async def test_another_role_is_told_with_whose_it_is(world: World) -> None:
    admin = await world.admin()
    number = (await world.declare(admin))["id"]
    for role in ("commander", "observer"):
        body = {"user_id": admin.id, "role": role}
        await world.call("POST", f"/v1/incidents/{number}/assignments", admin, json=body)
    entry = await newest(world, admin, "assignment.updated")
    assert entry["changes"] == {
        "user_id": {"before": admin.id, "after": admin.id},
        "role": {"before": "commander", "after": "observer"},
    }


async def test_a_change_of_nothing_leaves_no_entry(world: World) -> None:
    admin = await world.admin()
    made = await world.declare(admin)
    before = await entries(world, admin)
    await world.call("PATCH", f"/v1/incidents/{made['id']}", admin, json={"title": made["title"]})
    await world.call("GET", f"/v1/incidents/{made['id']}", admin)
    assert await entries(world, admin) == before


async def test_what_is_refused_leaves_no_entry(world: World) -> None:
    admin = await world.admin()
    await world.integration_key(admin, name="one")
    before = await entries(world, admin)
    body = {"name": "one", "kind": "alerts"}
    await world.call("POST", "/v1/integrations", admin, expect=409, json=body)
    assert await entries(world, admin) == before


async def test_a_failed_commit_leaves_no_entry(world: World) -> None:
    """The entry is part of the transaction that it tells of."""
    admin = await world.admin()
    before = await entries(world, admin)
    await world.sql(
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE EXCEPTION 'disk full'; END $$"
    )
    await world.sql(
        "CREATE CONSTRAINT TRIGGER fail AFTER INSERT ON integrations DEFERRABLE"
        " INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fail()"
    )
    try:
        body = {"name": "one", "kind": "alerts"}
        assert (await send(world, "POST", "/v1/integrations", admin, json=body)).status_code == 500
    finally:
        await world.sql("DROP FUNCTION fail CASCADE")
    assert await entries(world, admin) == before


async def test_a_program_is_told_from_its_owner(world: World) -> None:
    admin = await world.admin()
    made = await make_key(world, admin, "respond")
    await world.call(
        "POST",
        "/v1/incidents",
        headers={"X-API-Key": made["key"]},
        json={"title": "a", "severity": "low", "service": "b"},
        expect=201,
    )
    entry = await newest(world, admin, "incident.created")
    assert (entry["actor_kind"], entry["user_id"]) == ("api_key", admin.id)
    assert entry["api_key_id"] == made["id"]
    [about] = await entries(world, admin, resource_type="api_key")
    assert about["action"] == "api_key.created"
    assert about["changes"]["scopes"]["after"] == ["read", "respond"]
    assert about["changes"]["key_hash"]["after"] == LEFT_OUT


async def test_using_a_key_is_no_change(world: World) -> None:
    admin = await world.admin()
    held = await program(world, admin, "read")
    before = await entries(world, admin)
    await world.call("GET", "/v1/users/me", held)
    assert await entries(world, admin) == before


async def test_logins_good_and_bad_are_in_it(world: World) -> None:
    admin, ana = await world.admin(), await world.person()
    good = {"username": ana.email, "password": "password"}
    await world.call("POST", LOGIN, json=good)
    entry = await newest(world, admin, "session.created")
    assert (entry["actor_kind"], entry["actor"], entry["user_id"]) == ("user", ana.email, ana.id)

    await world.call("POST", LOGIN, json={**good, "password": "wrong"}, expect=401)
    entry = await newest(world, admin, "session.refused")
    assert (entry["actor_kind"], entry["user_id"], entry["address"]) == (
        "anonymous",
        None,
        "127.0.0.1",
    )
    assert entry["changes"] == {"user_id": {"before": None, "after": ana.id}}

    typed = "hunter2-in-the-wrong-box"
    await world.call("POST", LOGIN, json={"username": typed, "password": "x"}, expect=401)
    entry = await newest(world, admin, "session.refused")
    assert entry["changes"] == {}
    assert typed not in str(entry)


async def test_a_new_password_is_told_and_not_what_it_is(world: World) -> None:
    admin, ana = await world.admin(), await world.person()
    body = {"current_password": "password", "new_password": "passphrase"}
    await world.call("PUT", "/v1/users/me/password", ana, json=body)
    entry = await newest(world, admin, "user.password_changed")
    assert (entry["user_id"], entry["resource_id"]) == (ana.id, str(ana.id))
    assert entry["changes"] == {"hashed_password": {"before": LEFT_OUT, "after": LEFT_OUT}}


async def test_machines_leave_no_entries(world: World) -> None:
    admin = await world.admin()
    await world.policy(admin, [(0, "admins")])
    key = await world.integration_key(admin)
    before = await entries(world, admin)
    receipt = await world.alert(key)
    await world.alert(key, action="resolve")
    await world.pass_time(minutes=1)
    assert receipt["outcome"] == "opened"
    assert await entries(world, admin) == before


async def test_one_request_does_not_speak_for_the_next(world: World) -> None:
    """Who was behind a request is forgotten with it."""
    admin = await world.admin()
    await world.declare(admin)
    before = await entries(world, admin)
    await world.person("quiet@example.org")  # not through the API
    assert await entries(world, admin) == before


async def test_filters_narrow_and_pages_follow(world: World) -> None:
    admin, ana = await world.admin(), await world.person()
    for title in ("one", "two", "three"):
        await world.declare(ana, title=title)
    await world.declare(admin, title="four")
    hers = await entries(world, admin, user_id=ana.id, action="incident.created")
    assert [one["changes"]["title"]["after"] for one in hers] == ["one", "two", "three"]
    number = hers[1]["resource_id"]
    [one] = await entries(world, admin, resource_type="incident", resource_id=number)
    assert one == hers[1]
    assert await entries(world, admin, request_id=hers[0]["request_id"]) == [hers[0]]
    world.clock.forward(hours=1)
    moment = (await world.clock.now()).isoformat()
    await world.declare(ana, title="later")
    assert [
        one["changes"]["title"]["after"] for one in await entries(world, admin, since=moment)
    ] == ["later"]
    assert len(await entries(world, admin, until=moment)) == 4

    first = await world.call("GET", LOG, admin, params={"per_page": 2})
    assert [one["changes"]["title"]["after"] for one in first["items"]] == ["later", "four"]
    await world.declare(admin, title="meanwhile")
    rest = await world.call(
        "GET", LOG, admin, params={"per_page": 2, "cursor": first["next_cursor"]}
    )
    assert [one["changes"]["title"]["after"] for one in rest["items"]] == ["three", "two"]
    await world.call("GET", LOG, admin, params={"users": 1}, expect=422)


async def test_only_admins_read_it(world: World) -> None:
    responder = await world.person(role=Role.RESPONDER)
    for path in (LOG, f"{LOG}.csv"):
        await world.call("GET", path, responder, expect=403)
        await world.call("GET", path, expect=401)


async def test_a_link_acts_as_whoever_it_was_sent_to(world: World, app: FastAPI) -> None:
    """What the page behind a link does is its reader's deed."""
    admin = await world.admin()
    await world.policy(admin, [(0, "admins")])
    number = (await world.declare(admin))["id"]
    await world.pass_time()
    page = (await world.notifications(admin, number))[0]
    link = app.state.service.signer.link(LINK_PURPOSE, page["id"])
    assert (await world.client.post(f"/a/{link}")).status_code == 200
    entry = await newest(world, admin, "incident.acknowledged")
    assert (entry["actor_kind"], entry["user_id"]) == ("user", admin.id)
