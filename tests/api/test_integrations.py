"""Where alerts come from, and the keys that let them in."""

import base64
from typing import Any

import pytest

from tests.api.answers import faulty, refusal, refused, send
from tests.world import Person, World

INTEGRATIONS = "/v1/integrations"
DOOR = "/v1/webhooks/alerts"
ALERT = {"title": "Disk full"}


async def make(world: World, admin: Person, **fields: Any) -> dict[str, Any]:
    body = {"name": "Kibana", "kind": "alerts", **fields}
    made: dict[str, Any] = await world.call("POST", INTEGRATIONS, admin, expect=201, json=body)
    return made


async def opens(world: World, key: str) -> bool:
    answer = await send(world, "POST", DOOR, json=ALERT, headers={"X-API-Key": key})
    if answer.status_code == 401:
        refusal(answer, 401, "INVALID_INTEGRATION_KEY")
    return answer.is_success


async def test_an_integration_comes_back_as_it_was_given_with_a_key(world: World) -> None:
    admin = await world.admin()
    made = await make(world, admin, kind="elastic", service="checkout", default_severity="SEV1")
    assert (made["name"], made["kind"], made["service"]) == ("Kibana", "elastic", "checkout")
    assert (made["default_severity"], made["is_active"], made["revision"]) == ("critical", True, 1)
    assert made["key"].startswith("tik_")
    (key,) = made["keys"]
    assert made["key"].startswith(key["hint"])
    assert len(key["hint"]) == 8
    assert key["revoked_at"] is None


async def test_an_integration_needs_a_name_and_a_kind(world: World) -> None:
    made = await make(world, await world.admin())
    assert (made["service"], made["default_severity"]) == (None, "high")


async def test_a_key_is_shown_once_and_kept_as_a_hash(world: World) -> None:
    admin = await world.admin()
    made = await make(world, admin)
    path = f"{INTEGRATIONS}/{made['id']}"
    added = await world.call("POST", f"{path}/keys", admin, expect=201)

    shown = [
        await send(world, "GET", path, admin),
        await send(world, "GET", INTEGRATIONS, admin),
        await send(world, "PATCH", path, admin, json={"name": "Grafana"}),
        await send(world, "POST", f"{path}/keys", admin),
    ]
    stored = str(await world.sql("SELECT * FROM integration_keys"))

    for secret in (made["key"], added["key"]):
        assert all(secret not in answer.text for answer in shown)
        assert secret not in stored


async def test_two_keys_live_side_by_side_until_one_is_revoked(world: World) -> None:
    admin = await world.admin()
    made = await make(world, admin)
    path = f"{INTEGRATIONS}/{made['id']}/keys"
    added = await world.call("POST", path, admin, expect=201)
    assert added["hint"] != added["key"]
    assert await opens(world, made["key"])
    assert await opens(world, added["key"])

    await world.call("DELETE", f"{path}/{made['keys'][0]['id']}", admin, expect=204)

    assert not await opens(world, made["key"])
    assert await opens(world, added["key"])
    shown = await world.call("GET", f"{INTEGRATIONS}/{made['id']}", admin)
    assert [key["revoked_at"] is None for key in shown["keys"]] == [False, True]


async def test_the_last_key_stays(world: World) -> None:
    admin = await world.admin()
    made = await make(world, admin)
    path = f"{INTEGRATIONS}/{made['id']}/keys/{made['keys'][0]['id']}"
    await refused(world, "DELETE", path, admin, 409, "LAST_KEY")
    assert await opens(world, made["key"])


async def test_a_key_can_be_revoked_once_and_only_through_its_own(world: World) -> None:
    admin = await world.admin()
    one, other = await make(world, admin), await make(world, admin, name="Other")
    path = f"{INTEGRATIONS}/{one['id']}/keys"
    await world.call("POST", path, admin, expect=201)
    key_id = one["keys"][0]["id"]

    foreign = f"{INTEGRATIONS}/{other['id']}/keys/{key_id}"
    await refused(world, "DELETE", foreign, admin, 404, "KEY_NOT_FOUND")
    await world.call("DELETE", f"{path}/{key_id}", admin, expect=204)
    await refused(world, "DELETE", f"{path}/{key_id}", admin, 404, "KEY_NOT_FOUND")
    await refused(world, "DELETE", f"{path}/999999", admin, 404, "KEY_NOT_FOUND")


async def test_a_deactivated_integrations_keys_open_nothing(world: World) -> None:
    admin = await world.admin()
    made = await make(world, admin)
    path = f"{INTEGRATIONS}/{made['id']}"
    await world.call("PATCH", path, admin, json={"is_active": False})
    assert not await opens(world, made["key"])
    await world.call("PATCH", path, admin, json={"is_active": True})
    assert await opens(world, made["key"])


async def test_each_field_can_be_changed_by_itself(world: World) -> None:
    admin = await world.admin()
    before = await make(world, admin)
    del before["key"]
    changes: list[dict[str, Any]] = [
        {"name": "Grafana"},
        {"service": "checkout"},
        {"service": None},
        {"default_severity": "low"},
        {"is_active": False},
    ]
    for change in changes:
        after = await world.call("PATCH", f"{INTEGRATIONS}/{before['id']}", admin, json=change)
        touched = {"revision": before["revision"] + 1, "updated_at": after["updated_at"]}
        assert after == {**before, **change, **touched}
        before = after


async def test_a_name_is_given_once(world: World) -> None:
    admin = await world.admin()
    await make(world, admin)
    other = await make(world, admin, name="Other")
    body = {"name": "Kibana", "kind": "alerts"}
    code = "INTEGRATION_NAME_TAKEN"
    assert await refused(world, "POST", INTEGRATIONS, admin, 409, code, json=body) == {
        "field": "name"
    }
    path = f"{INTEGRATIONS}/{other['id']}"
    await refused(world, "PATCH", path, admin, 409, code, json={"name": "Kibana"})


FAULTY: list[tuple[dict[str, Any], str]] = [
    ({"name": ""}, "name"),
    ({"name": "n" * 101}, "name"),
    ({"name": "a\x00"}, "name"),
    ({"kind": "pigeon"}, "kind"),
    ({"kind": None}, "kind"),
    ({"service": ""}, "service"),
    ({"service": "s" * 101}, "service"),
    ({"default_severity": "bad"}, "default_severity"),
    ({"default_severity": None}, "default_severity"),
    ({"key": "mine"}, "key"),
]


async def test_a_faulty_integration_is_told_where_it_is_wrong(world: World) -> None:
    admin = await world.admin()
    for fields, path in FAULTY:
        body = {"name": "Kibana", "kind": "alerts", **fields}
        assert set(await faulty(world, "POST", INTEGRATIONS, admin, json=body)) == {path}, fields


async def test_what_cannot_be_nothing_or_never_changes_is_refused(world: World) -> None:
    admin = await world.admin()
    path = f"{INTEGRATIONS}/{(await make(world, admin))['id']}"
    names = {"name", "default_severity", "is_active"}
    assert set(await faulty(world, "PATCH", path, admin, json=dict.fromkeys(names))) == names
    assert set(await faulty(world, "PATCH", path, admin, json={"kind": "elastic"})) == {"kind"}


async def test_integrations_are_listed_in_the_order_of_making(world: World) -> None:
    admin = await world.admin()
    ids = [(await make(world, admin, name=f"Number {n}"))["id"] for n in range(3)]
    page = await world.call("GET", f"{INTEGRATIONS}?per_page=2", admin)
    rest = await world.call("GET", f"{INTEGRATIONS}?cursor={page['next_cursor']}", admin)
    assert [item["id"] for item in page["items"] + rest["items"]] == ids


async def test_an_integration_that_is_not_there_is_not_found(world: World) -> None:
    admin = await world.admin()
    path, code = f"{INTEGRATIONS}/999999", "INTEGRATION_NOT_FOUND"
    await refused(world, "GET", path, admin, 404, code)
    await refused(world, "PATCH", path, admin, 404, code, json={})
    await refused(world, "POST", f"{path}/keys", admin, 404, code)
    await refused(world, "DELETE", f"{path}/keys/1", admin, 404, code)


# --- The three ways to send a key -------------------------------------------------------


def basic(text: str | bytes) -> str:
    raw = text if isinstance(text, bytes) else text.encode()
    return "Basic " + base64.b64encode(raw).decode()


async def knock(world: World, **headers: str) -> int:
    named = {name.replace("_", "-"): value.encode() for name, value in headers.items()}
    answer = await send(world, "POST", DOOR, json=ALERT, headers=named)
    if answer.status_code != 200:
        refusal(answer, 401, "INVALID_INTEGRATION_KEY")
        assert "www-authenticate" in answer.headers
    return answer.status_code


async def test_a_key_opens_as_header_as_bearer_and_as_basic_password(world: World) -> None:
    key = await world.integration_key(await world.admin())
    assert await knock(world, X_API_Key=key) == 200
    assert await knock(world, X_API_Key=f"  {key} ") == 200
    assert await knock(world, Authorization=f"Bearer {key}") == 200
    assert await knock(world, Authorization=f"bearer   {key}") == 200
    for user in ("", "tocsin", "héllo"):
        assert await knock(world, Authorization=basic(f"{user}:{key}")) == 200


async def test_what_holds_no_live_key_opens_nothing(world: World) -> None:
    key = await world.integration_key(await world.admin())
    assert await knock(world) == 401
    for header in ("", " ", "tik_nonsense", key[:-1], key + "x", key.upper(), "🔔"):
        assert await knock(world, X_API_Key=header) == 401
    for header in (
        "",
        "Bearer",
        "Bearer ",
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic YQ",
        basic(key),  # a user name without a password
        basic(f"{key}:"),
        basic(b"\xff\xfe:\xff"),
        basic(":"),
        f"Digest {key}",
        key,
    ):
        assert await knock(world, Authorization=header) == 401


async def test_a_persons_token_opens_no_tools_door_and_a_key_no_persons(world: World) -> None:
    admin = await world.admin()
    key = await world.integration_key(admin)
    assert await knock(world, Authorization=admin.headers["Authorization"]) == 401
    headers = {"Authorization": f"Bearer {key}"}
    refusal(await send(world, "GET", INTEGRATIONS, headers=headers), 401, "UNAUTHORIZED")


@pytest.mark.parametrize("door", ["alerts", "alertmanager", "elastic"])
async def test_every_door_asks_for_a_key(world: World, door: str) -> None:
    answer = await send(world, "POST", f"/v1/webhooks/{door}", json={"title": "x"})
    refusal(answer, 401, "INVALID_INTEGRATION_KEY")
    assert await world.sql("SELECT 1 FROM alerts") == []
