"""Me, and the people that admins look after."""

import asyncio
from typing import Any

from tests.api.answers import faulty, refusal, refused, send
from tests.world import Person, World

USERS = "/v1/users"


async def make(world: World, admin: Person, **fields: Any) -> dict[str, Any]:
    body = {"email": "new@example.org", "password": "passphrase", **fields}
    made: dict[str, Any] = await world.call("POST", USERS, admin, expect=201, json=body)
    return made


async def test_me_is_whoever_holds_the_token(world: World) -> None:
    ana = await world.person("ana@example.org", full_name="Ana Díaz")
    me = await world.call("GET", f"{USERS}/me", ana)
    assert (me["id"], me["email"], me["full_name"]) == (ana.id, ana.email, "Ana Díaz")
    assert not any("password" in name for name in me)


async def test_an_admin_makes_an_account_that_can_log_in(world: World) -> None:
    admin = await world.admin()

    made = await make(
        world,
        admin,
        full_name="Ben Ng",
        role="viewer",
        phone="+49 30 123",
        time_zone="Europe/Berlin",
    )

    assert made["email"] == "new@example.org"
    assert (made["full_name"], made["role"], made["is_superuser"]) == ("Ben Ng", "viewer", False)
    assert (made["phone"], made["time_zone"]) == ("+49 30 123", "Europe/Berlin")
    assert (made["is_active"], made["revision"]) == (True, 1)
    body = {"username": "new@example.org", "password": "passphrase"}
    assert (await send(world, "POST", "/v1/auth/login/access-token", json=body)).is_success


async def test_a_new_account_is_a_responder_unless_said_otherwise(world: World) -> None:
    made = await make(world, await world.admin())
    assert (made["role"], made["time_zone"], made["full_name"]) == ("responder", "UTC", None)


async def test_a_new_admin_is_shown_as_a_superuser(world: World) -> None:
    made = await make(world, await world.admin(), role="admin")
    assert made["is_superuser"] is True


async def test_a_new_account_is_paged_by_mail_from_the_start(world: World) -> None:
    made = await make(world, await world.admin())

    (method,) = await world.sql(
        "SELECT id, channel, address, verified_at FROM contact_methods WHERE user_id = :id",
        id=made["id"],
    )
    (rule,) = await world.sql(
        "SELECT contact_method_id, delay_minutes FROM notification_rules WHERE user_id = :id",
        id=made["id"],
    )
    assert (method.channel, method.address) == ("email", "new@example.org")
    assert method.verified_at is not None
    assert (rule.contact_method_id, rule.delay_minutes) == (method.id, 0)


async def test_an_address_is_taken_in_any_case(world: World) -> None:
    admin = await world.admin()
    await make(world, admin, email="Ana@Example.org")
    body = {"email": "aNA@example.ORG", "password": "passphrase"}
    details = await refused(world, "POST", USERS, admin, 409, "EMAIL_TAKEN", json=body)
    assert details == {"field": "email"}


FAULTY: list[tuple[dict[str, Any], str]] = [
    ({"email": "no address"}, "email"),
    ({"email": "a@b@c"}, "email"),
    ({"email": "a" * 250 + "@example.org"}, "email"),
    ({"email": None}, "email"),
    ({"password": "short"}, "password"),
    ({"password": "x" * 201}, "password"),
    ({"password": "pass\x00word"}, "password"),
    ({"full_name": ""}, "full_name"),
    ({"full_name": "x" * 256}, "full_name"),
    ({"full_name": "Ana\x00"}, "full_name"),
    ({"role": "king"}, "role"),
    ({"phone": "1" * 51}, "phone"),
    ({"time_zone": "Mars/Olympus"}, "time_zone"),
    ({"time_zone": "../../etc/passwd"}, "time_zone"),
    ({"time_zone": "Europe"}, "time_zone"),
    ({"is_superuser": True}, "is_superuser"),
]


async def test_a_faulty_account_is_told_where_it_is_wrong(world: World) -> None:
    admin = await world.admin()
    for fields, path in FAULTY:
        body = {"email": "new@example.org", "password": "passphrase", **fields}
        assert set(await faulty(world, "POST", USERS, admin, json=body)) == {path}, fields


async def test_a_short_password_is_told_in_characters(world: World) -> None:
    body = {"email": "new@example.org", "password": "short"}
    faults = await faulty(world, "POST", USERS, await world.admin(), json=body)
    assert faults == {"password": "String should have at least 8 characters"}


async def test_the_list_is_paged_in_the_order_of_making(world: World) -> None:
    admin = await world.admin()
    ids = [admin.id] + [(await world.person(f"p{n}@example.org")).id for n in range(4)]

    first = await world.call("GET", f"{USERS}?per_page=2", admin)
    second = await world.call("GET", f"{USERS}?per_page=2&page=2", admin)
    third = await world.call("GET", f"{USERS}?per_page=2&page=3", admin)

    assert [[u["id"] for u in page["items"]] for page in (first, second, third)] == [
        ids[:2],
        ids[2:4],
        ids[4:],
    ]
    assert (first["total"], first["total_is_bound"], first["page"]) == (5, False, 1)
    assert first["next_cursor"] is not None
    assert third["next_cursor"] is None


async def test_a_page_past_the_end_is_empty(world: World) -> None:
    page = await world.call("GET", f"{USERS}?page=9", await world.admin())
    assert (page["items"], page["total"], page["next_cursor"]) == ([], 1, None)


async def test_one_account_can_be_read(world: World) -> None:
    ana = await world.person()
    assert (await world.call("GET", f"{USERS}/{ana.id}", ana))["email"] == ana.email


async def test_an_account_that_is_not_there_is_not_found(world: World) -> None:
    admin = await world.admin()
    await refused(world, "GET", f"{USERS}/999999", admin, 404, "USER_NOT_FOUND")
    await refused(world, "PATCH", f"{USERS}/999999", admin, 404, "USER_NOT_FOUND", json={})


async def test_each_field_can_be_changed_by_itself(world: World) -> None:
    admin, ana = await world.admin(), await world.person()
    changes: list[dict[str, Any]] = [
        {"email": "ana.diaz@example.org"},
        {"full_name": "Ana Díaz"},
        {"full_name": None},
        {"role": "viewer"},
        {"phone": "+1 555"},
        {"phone": None},
        {"time_zone": "Asia/Kolkata"},
        {"is_active": False},
        {"is_active": True},
    ]
    before = await world.call("GET", f"{USERS}/{ana.id}", admin)
    for change in changes:
        after = await world.call("PATCH", f"{USERS}/{ana.id}", admin, json=change)
        touched = {"revision", "updated_at"}
        assert {k: v for k, v in after.items() if k not in touched} == {
            **{k: v for k, v in before.items() if k not in touched},
            **change,
        }
        assert after["revision"] == before["revision"] + 1
        before = after


async def test_a_changed_password_is_the_one_that_works(world: World) -> None:
    admin, ana = await world.admin(), await world.person()
    await world.call("PATCH", f"{USERS}/{ana.id}", admin, json={"password": "another one"})

    async def log_in(password: str) -> int:
        body = {"username": ana.email, "password": password}
        return (await send(world, "POST", "/v1/auth/login/access-token", json=body)).status_code

    assert (await log_in("password"), await log_in("another one")) == (401, 200)


async def test_pages_follow_a_changed_address(world: World) -> None:
    admin, ana = await world.admin(), await world.person()
    await world.call("PATCH", f"{USERS}/{ana.id}", admin, json={"email": "moved@example.org"})
    rows = await world.sql("SELECT address FROM contact_methods WHERE user_id = :id", id=ana.id)
    assert [row.address for row in rows] == ["moved@example.org"]


async def test_what_cannot_be_nothing_refuses_null(world: World) -> None:
    admin, ana = await world.admin(), await world.person()
    names = {"email", "password", "role", "is_active", "time_zone"}
    body = dict.fromkeys(names)
    assert set(await faulty(world, "PATCH", f"{USERS}/{ana.id}", admin, json=body)) == names


async def test_an_unknown_field_is_refused(world: World) -> None:
    admin, ana = await world.admin(), await world.person()
    faults = await faulty(world, "PATCH", f"{USERS}/{ana.id}", admin, json={"name": "Ana"})
    assert set(faults) == {"name"}


async def test_somebody_elses_address_is_refused_and_ones_own_is_not(world: World) -> None:
    admin, ana = await world.admin(), await world.person("ana@example.org")
    path = f"{USERS}/{ana.id}"
    theirs = {"email": "ADMIN@example.org"}
    await refused(world, "PATCH", path, admin, 409, "EMAIL_TAKEN", json=theirs)
    changed = await world.call("PATCH", path, admin, json={"email": "ANA@example.org"})
    assert changed["email"] == "ANA@example.org"


async def test_the_last_admin_stays_one(world: World) -> None:
    admin = await world.admin()
    path = f"{USERS}/{admin.id}"
    for change in ({"role": "responder"}, {"is_active": False}):
        await refused(world, "PATCH", path, admin, 409, "LAST_ADMIN", json=change)
    me = await world.call("GET", f"{USERS}/me", admin)
    assert (me["role"], me["is_active"], me["revision"]) == ("admin", True, 1)


async def test_a_deactivated_admin_is_none_that_could_stand_in(world: World) -> None:
    admin, other = await world.admin(), await world.admin("other@example.org")
    await world.call("PATCH", f"{USERS}/{other.id}", admin, json={"is_active": False})
    path = f"{USERS}/{admin.id}"
    await refused(world, "PATCH", path, admin, 409, "LAST_ADMIN", json={"role": "viewer"})


async def test_of_two_admins_who_demote_each_other_exactly_one_wins(world: World) -> None:
    for turn in range(6):
        await world.sql("UPDATE users SET role = 'viewer'")
        one = await world.admin(f"one{turn}@example.org")
        two = await world.admin(f"two{turn}@example.org")

        answers = await asyncio.gather(
            send(world, "PATCH", f"{USERS}/{two.id}", one, json={"role": "responder"}),
            send(world, "PATCH", f"{USERS}/{one.id}", two, json={"role": "responder"}),
        )

        assert sorted(answer.status_code for answer in answers) in ([200, 409], [200, 403])
        admins = await world.sql("SELECT id FROM users WHERE role = 'admin' AND is_active")
        assert len(admins) == 1


async def test_a_refused_change_writes_nothing_of_itself(world: World) -> None:
    admin = await world.admin()
    body = {"full_name": "Somebody Else", "role": "viewer"}
    await refused(world, "PATCH", f"{USERS}/{admin.id}", admin, 409, "LAST_ADMIN", json=body)
    assert (await world.call("GET", f"{USERS}/me", admin))["full_name"] is None


async def test_only_admins_make_and_change_accounts(world: World) -> None:
    admin = await world.admin()
    body = {"email": "x@example.org", "password": "passphrase"}
    for role in ("responder", "viewer"):
        who = await world.person(f"{role}@example.org", role=role)  # type: ignore[arg-type]
        for method, path in (("POST", USERS), ("PATCH", f"{USERS}/{admin.id}")):
            sent = body if method == "POST" else {"full_name": "Mallory"}
            details = refusal(await send(world, method, path, who, json=sent), 403, "FORBIDDEN")
            assert details == {"needs": "administer"}
