"""`Idempotency-Key`: asked twice, done once, and told the same."""

from typing import Any

import pytest

from app.api import idempotency
from app.api.idempotency import read_key
from app.domain.user import Role
from tests.api.answers import faulty, refused, send
from tests.api.keys import program
from tests.world import Person, Scripted, World

INCIDENT = {"title": "Disk full", "severity": "high", "service": "database"}
STEPS = [{"delay_minutes": 0, "actions": [{"type": "comment", "text": "x"}]}]


def keyed(key: str = "first") -> dict[str, str]:
    return {"Idempotency-Key": key}


async def count_of(world: World, table: str) -> int:
    ((count,),) = await world.sql(f"SELECT count(*) FROM {table}")
    return int(count)


@pytest.mark.parametrize(
    ("sent", "key"),
    [
        ("a", "a"),
        ("8e03978e-40d5", "8e03978e-40d5"),
        ('"8e03978e-40d5"', "8e03978e-40d5"),
        (r'"a \"b\" \\ c"', r'a "b" \ c'),
        ("two words", "two words"),
        ("x" * 255, "x" * 255),
        ('"' + "x" * 255 + '"', "x" * 255),
    ],
)
def test_a_key_comes_bare_or_as_a_string(sent: str, key: str) -> None:
    assert read_key(sent) == key


@pytest.mark.parametrize(
    "sent",
    ["", '""', '"', '"open', '"a"b"', '"a";q=1', r'"a\b"', "x" * 256, "ü", "a\tb", " ", "\x7f"],
)
def test_what_is_no_key_is_told_so(sent: str) -> None:
    with pytest.raises(ValueError, match="1 to 255 printable"):
        read_key(sent)


async def test_asked_again_nothing_is_done_and_the_first_answer_comes(world: World) -> None:
    ana = await world.person()
    first = await send(world, "POST", "/v1/incidents", ana, json=INCIDENT, headers=keyed())
    assert first.status_code == 201
    assert "idempotency-replayed" not in first.headers
    await world.act(ana, first.json()["id"], "acknowledge")
    again = await send(world, "POST", "/v1/incidents", ana, json=INCIDENT, headers=keyed())
    assert again.status_code == 200
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == first.json()  # as it was then, not as it is now
    assert again.headers["x-request-id"] != first.headers["x-request-id"]
    assert await count_of(world, "incidents") == 1
    quoted = await send(
        world, "POST", "/v1/incidents", ana, json=INCIDENT, headers=keyed('"first"')
    )
    assert quoted.json() == first.json()


async def test_without_a_key_nothing_is_remembered(world: World) -> None:
    ana = await world.person()
    made = [await world.declare(ana) for _ in range(2)]
    assert made[0]["id"] != made[1]["id"]
    assert await count_of(world, "idempotency_keys") == 0


async def test_a_key_that_came_with_something_else_is_refused(world: World) -> None:
    ana = await world.person()
    await world.call("POST", "/v1/incidents", ana, expect=201, json=INCIDENT, headers=keyed())
    for other in ({**INCIDENT, "title": "Disk fuller"}, {**INCIDENT, "assignees": []}):
        await refused(
            world, "POST", "/v1/incidents", ana, 409, "IDEMPOTENCY_KEY_CONFLICT",
            json=other, headers=keyed(),
        )  # fmt: skip
    assert await count_of(world, "incidents") == 1


async def test_the_query_is_part_of_what_is_asked(world: World) -> None:
    admin = await world.admin()
    key = await world.integration_key(admin)
    alert = await world.alert(key)
    path = f"/v1/alerts/{alert['id']}/replay"
    await world.call("POST", path, admin, headers=keyed())
    await world.call("POST", path, admin, headers=keyed())
    await refused(
        world, "POST", path + "?kind=elastic", admin, 409, "IDEMPOTENCY_KEY_CONFLICT",
        headers=keyed(),
    )  # fmt: skip
    assert await count_of(world, "alerts") == 2


async def test_a_key_belongs_to_one_caller_and_one_address(world: World) -> None:
    ana, ben = await world.person(), await world.person("ben@example.org")
    mine = await world.call(
        "POST", "/v1/incidents", ana, expect=201, json=INCIDENT, headers=keyed()
    )
    his = await world.call("POST", "/v1/incidents", ben, expect=201, json=INCIDENT, headers=keyed())
    assert mine["id"] != his["id"]
    for incident in (mine, his):
        await world.call(
            "POST", f"/v1/incidents/{incident['id']}/comments", ana, expect=201,
            json={"content": "Looking."}, headers=keyed(),
        )  # fmt: skip
    assert await count_of(world, "incident_comments") == 2


async def test_a_key_is_one_persons_whatever_login_it_comes_by(world: World) -> None:
    ana = await world.person()
    first = await world.call(
        "POST", "/v1/incidents", ana, expect=201, json=INCIDENT, headers=keyed()
    )
    elsewhere = await world.login(ana.id)
    again = await world.call("POST", "/v1/incidents", elsewhere, json=INCIDENT, headers=keyed())
    assert again == first


async def test_a_program_and_its_owner_share_no_keys(world: World) -> None:
    ana = await world.person()
    callers = [ana, *[await program(world, ana, "respond") for _ in range(2)]]
    made = [
        await world.call("POST", "/v1/incidents", who, expect=201, json=INCIDENT, headers=keyed())
        for who in callers
    ]
    assert len({incident["id"] for incident in made}) == 3
    for who, incident in zip(callers, made, strict=True):
        again = await world.call("POST", "/v1/incidents", who, json=INCIDENT, headers=keyed())
        assert again == incident


async def test_a_request_that_was_refused_leaves_its_key_unused(world: World) -> None:
    ana = await world.person()
    wrong = {**INCIDENT, "severity": "dreadful"}
    await faulty(world, "POST", "/v1/incidents", ana, json=wrong, headers=keyed())
    unknown = {**INCIDENT, "assignees": [999]}
    await refused(
        world, "POST", "/v1/incidents", ana, 404, "USER_NOT_FOUND", json=unknown, headers=keyed()
    )
    assert await count_of(world, "idempotency_keys") == 0
    await world.call("POST", "/v1/incidents", ana, expect=201, json=INCIDENT, headers=keyed())


async def test_a_key_is_good_for_a_day(world: World) -> None:
    ana = await world.person()
    first = await world.call(
        "POST", "/v1/incidents", ana, expect=201, json=INCIDENT, headers=keyed()
    )
    world.clock.forward(hours=23)
    assert await world.call("POST", "/v1/incidents", ana, json=INCIDENT, headers=keyed()) == first
    world.clock.forward(hours=1)
    other = {**INCIDENT, "title": "Tomorrow"}
    later = await world.call("POST", "/v1/incidents", ana, expect=201, json=other, headers=keyed())
    assert later["id"] != first["id"]
    assert await world.call("POST", "/v1/incidents", ana, json=other, headers=keyed()) == later


async def test_who_may_no_longer_ask_gets_no_replay(world: World) -> None:
    ana = await world.person()
    await world.call("POST", "/v1/incidents", ana, expect=201, json=INCIDENT, headers=keyed())
    await world.sql("UPDATE users SET role = 'viewer' WHERE id = :id", id=ana.id)
    await refused(
        world, "POST", "/v1/incidents", ana, 403, "FORBIDDEN", json=INCIDENT, headers=keyed()
    )


async def test_what_is_no_key_is_told_over_http(world: World) -> None:
    ana = await world.person()
    for sent in ("", '"open', "x" * 300):
        faults = await faulty(
            world, "POST", "/v1/incidents", ana, json=INCIDENT, headers=keyed(sent)
        )
        assert "1 to 255 printable" in faults["Idempotency-Key"]
    assert await count_of(world, "incidents") == 0


async def test_the_table_tells_nobody_who_asked_what(world: World) -> None:
    """Not even by trying: a digest that anybody can make would give away a password."""
    admin = await world.admin()
    body = {"email": "new@example.org", "password": "correct horse battery"}
    await world.call(
        "POST", "/v1/users", admin, expect=201, json=body, headers=keyed("secret-key-7")
    )
    ((row,),) = await world.sql("SELECT idempotency_keys::text FROM idempotency_keys")
    assert "secret-key-7" not in row
    assert "correct horse" not in row
    ours, theirs = (idempotency._digest(secret, "same") for secret in (b"ours", b"theirs"))
    assert ours != theirs


# --- Every route that takes a key ---------------------------------------------------------


async def _ground(world: World) -> tuple[Person, dict[str, Any]]:
    """What the routes below need: an admin, and what their addresses name."""
    admin = await world.admin()
    other = await world.person("ben@example.org", Role.RESPONDER)
    alert = await world.alert(await world.integration_key(admin))
    policy = await world.policy(admin, [(0, {"user": other.id})], conditions={"service": ["none"]})
    incident = await world.declare(admin)
    return admin, {
        "alert": alert["id"],
        "policy": policy["id"],
        "incident": incident["id"],
        "integration": (await world.call("GET", "/v1/integrations", admin))["items"][0]["id"],
        "subscription": await _subscription(world, admin),
        "method": (await world.call("GET", "/v1/users/me/contact-methods", admin))["items"][0][
            "id"
        ],
    }


async def _subscription(world: World, admin: Person) -> int:
    body = {"name": "Ours", "url": "https://hooks.example.org/ours"}
    made = await world.call("POST", "/v1/webhook-subscriptions", admin, expect=201, json=body)
    return int(made["id"])


Body = dict[str, Any] | None
ROUTES: dict[str, tuple[str, Body]] = {
    "declare_incident": ("/v1/incidents", INCIDENT),
    "comment_on_incident": ("/v1/incidents/{incident}/comments", {"content": "Looking."}),
    "escalate_incident": ("/v1/incidents/{incident}/escalate", None),
    "start_escalation": ("/v1/incidents/{incident}/escalations", {"policy_id": "{policy}"}),
    "create_user": ("/v1/users", {"email": "new@example.org", "password": "correct horse"}),
    "create_contact_method": (
        "/v1/users/me/contact-methods",
        {"channel": "sms", "phone": "+491701234567"},
    ),
    "test_contact_method": ("/v1/users/me/contact-methods/{method}/test", None),
    "create_custom_field": (
        "/v1/custom-fields",
        {"key": "customers", "label": "Customers", "type": "number"},
    ),
    "create_policy": ("/v1/escalation/policies", {"name": "Nights", "steps": STEPS}),
    "start_fire_drill": ("/v1/fire-drills", {}),
    "create_integration": ("/v1/integrations", {"name": "Kibana", "kind": "alerts"}),
    "add_key": ("/v1/integrations/{integration}/keys", None),
    "replay_alert": ("/v1/alerts/{alert}/replay", None),
    "create_api_key": ("/v1/api-keys", {"name": "bot", "scopes": ["read"]}),
    "create_webhook_subscription": (
        "/v1/webhook-subscriptions",
        {"name": "Mirror", "url": "https://hooks.example.org/tocsin"},
    ),
    "rotate_webhook_secret": ("/v1/webhook-subscriptions/{subscription}/rotate-secret", None),
}
# They need a message or an address in a state of its own; see the tests below.
ELSEWHERE = {"resend_notification", "send_contact_method_code", "replay_webhook_delivery"}
SHOWN_ONCE = {"key", "secret", "token", "ticket", "access_token", "refresh_token"}
A_NAME = {"create_custom_field"}  # there `key` is the field's own


@pytest.mark.parametrize("name", ROUTES)
async def test_every_route_with_a_key_does_its_thing_once(world: World, name: str) -> None:
    admin, ids = await _ground(world)
    path, body = ROUTES[name]
    if body is not None:
        body = {k: ids[v[1:-1]] if str(v)[:1] == "{" else v for k, v in body.items()}
    path = path.format(**ids)
    before = await _everything(world)
    first = await send(world, "POST", path, admin, json=body, headers=keyed())
    assert first.status_code in (200, 201, 202), first.text
    done = await _everything(world)
    assert done != before
    again = await send(world, "POST", path, admin, json=body, headers=keyed())
    assert (again.status_code, again.headers["idempotency-replayed"]) == (200, "true")
    assert await _everything(world) == done
    once = set() if name in A_NAME else SHOWN_ONCE
    assert again.json() == {k: v for k, v in first.json().items() if k not in once}


async def _everything(world: World) -> dict[str, int]:
    """How many rows there are of all that these routes make."""
    tables = (
        *("incidents", "incident_comments", "timeline_events", "users", "contact_methods"),
        *("notifications", "custom_fields", "escalation_policies", "fire_drills", "throttles"),
        *("integrations", "integration_keys", "alerts", "escalations", "idempotency_keys"),
        *("api_keys", "webhook_subscriptions"),
    )
    return {table: await count_of(world, table) for table in tables}


async def test_a_code_is_sent_once(world: World) -> None:
    ana = await world.person()
    body = {"channel": "sms", "phone": "+491701234567"}
    made = await world.call("POST", "/v1/users/me/contact-methods", ana, expect=201, json=body)
    path = f"/v1/users/me/contact-methods/{made['id']}/send-code"
    first = await world.call("POST", path, ana, expect=202, headers=keyed())
    sent = await count_of(world, "notifications")
    for _ in range(20):  # a replay counts for nothing: there is no quota to run out
        assert await world.call("POST", path, ana, headers=keyed()) == first
    assert await count_of(world, "notifications") == sent


async def test_a_message_is_sent_again_once(world: World) -> None:
    admin = await world.admin()
    path = "/v1/users/me/contact-methods"
    method = (await world.call("GET", path, admin))["items"][0]["id"]
    told = await world.call("POST", f"{path}/{method}/test", admin, expect=202)
    mail = Scripted()
    await world.deliver(mail)
    path = f"/v1/notifications/{told['notification_id']}/resend"
    first = await world.call("POST", path, admin, expect=202, headers=keyed())
    await world.deliver(mail)
    again = await world.call("POST", path, admin, headers=keyed())
    assert again == first
    await world.deliver(mail)
    assert len(mail.messages) == 2


def test_every_creating_route_takes_a_key_and_says_so(document: dict[str, Any]) -> None:
    # Nobody is logged in yet: a link is good once, and mails are counted by their address.
    without = {"confirm_signup", "sign_up", "recover_password", "subscribe_to_status"}
    without |= {"refresh_calendar"}  # asked for twice, it is fetched once or twice
    missing, taking = set(), set()
    for path, methods in document["paths"].items():
        operation = methods.get("post", {})
        takes = "Idempotency-Key" in [one["name"] for one in operation.get("parameters", ())]
        name = operation.get("operationId")
        if takes:
            taking.add(name)
            assert {"200", "409", "413", "422"} <= set(operation["responses"]), path
            headers = operation["responses"]["200"]["headers"]
            assert "Idempotency-Replayed" in headers, path
        elif {"201", "202"} & set(operation.get("responses", ())):
            missing.add(name)
    assert missing - without == set()
    assert {*ROUTES, *ELSEWHERE} <= taking


def test_no_replay_has_room_for_a_secret(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for path, methods in document["paths"].items():
        for operation in methods.values():
            if "Idempotency-Key" not in [one["name"] for one in operation.get("parameters", ())]:
                continue
            ref = operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
            if operation["operationId"] not in A_NAME:
                fields = set(schemas[ref.rsplit("/", 1)[1]]["properties"])
                assert SHOWN_ONCE & fields == set(), path
