"""What is saved is looked at: its answer says what would let a page reach nobody."""

from typing import Any

from tests.explain import counted_statements
from tests.world import Person, World

ALWAYS = {"kind": "daily", "handoff": "2026-01-05T08:00"}
SCHEDULES, POLICIES, SERVICES = "/v1/schedules", "/v1/escalation/policies", "/v1/services"


async def scheduled(
    world: World, admin: Person, *people: Person, name: str = "Days", **fields: Any
) -> dict[str, Any]:
    rotation = {**ALWAYS, "participants": [person.id for person in people]}
    body = {"name": name, "time_zone": "UTC", "layers": [{"rotation": rotation}], **fields}
    made: dict[str, Any] = await world.call("POST", SCHEDULES, admin, expect=201, json=body)
    return made


def codes(saved: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["code"], one["place"]) for one in saved["findings"]]


async def verified(world: World) -> None:
    await world.sql("UPDATE contact_methods SET verified_at = now()")


async def test_a_schedule_says_whom_no_page_reaches(world: World) -> None:
    admin, ana, ben = (
        await world.admin(),
        await world.person(),
        await world.person("ben@example.org"),
    )
    await world.sql(f"UPDATE contact_methods SET verified_at = NULL WHERE user_id = {ben.id}")
    made = await scheduled(world, admin, ana, ben)
    assert codes(made) == [("NO_VERIFIED_CONTACT", f"user:{ben.id}")]
    assert all(made["findings"][0][part] for part in ("message", "fix", "link", "severity"))
    path = f"{SCHEDULES}/{made['id']}"
    assert (await world.call("GET", path, ana))["findings"] is None
    rotation = {**ALWAYS, "participants": [ana.id]}
    body = {"layers": [{"rotation": rotation}]}
    assert codes(await world.call("PATCH", path, admin, json=body)) == []


async def test_a_schedule_says_its_gaps_and_who_is_on_elsewhere_and_no_more(world: World) -> None:
    admin, ana, ben = (
        await world.admin(),
        await world.person(),
        await world.person("ben@example.org"),
    )
    await verified(world)
    nights = [{"since": "22:00", "until": "06:00"}]
    other = await scheduled(world, admin, ben, name="Others")
    rotation = {**ALWAYS, "participants": [ana.id]}
    layers = [{"rotation": rotation, "restrictions": nights}]
    first = await scheduled(world, admin, ana, name="Nights", layers=layers, allow_gaps=True)
    assert codes(first) == [("SCHEDULE_HAS_GAPS", f"schedule:{first['id']}")]
    second = await scheduled(world, admin, ana, ben, name="Both")
    pairs = {(one["id"], second["id"]) for one in (other, first)}
    assert set(codes(second)) == {
        ("ON_TWO_SCHEDULES", f"user:{who.id}:schedules:{pair[0]},{pair[1]}")
        for who, pair in zip((ben, ana), sorted(pairs), strict=True)
    }


async def test_a_schedule_says_which_step_reaches_nobody_by_it(world: World) -> None:
    admin, ana = await world.admin(), await world.person()
    await verified(world)
    made = await scheduled(world, admin, ana)
    policy = await world.policy(admin, [(0, {"schedule": made["id"]}), (5, {"user": admin.id})])
    await world.sql(f"DELETE FROM notification_rules WHERE user_id = {ana.id}")
    saved = await world.call("PATCH", f"{SCHEDULES}/{made['id']}", admin, json={"name": "New"})
    assert ("STEP_REACHES_NOBODY", f"policy:{policy['id']}:step:0") in codes(saved)


async def test_a_policy_says_what_it_names_and_cannot_reach(world: World) -> None:
    admin, ana = await world.admin(), await world.person()
    made = await scheduled(world, admin, ana)
    await world.sql(f"UPDATE contact_methods SET verified_at = NULL WHERE user_id = {ana.id}")
    steps = [{"delay_minutes": 0, "actions": [{"type": "notify", "target": target}]} for target in (
        {"schedule": made["id"]}, "assignees",
    )]  # fmt: skip
    body = {"name": "Page", "conditions": {}, "steps": steps}
    policy = await world.call("POST", POLICIES, admin, expect=201, json=body)
    assert codes(policy) == [
        ("NO_VERIFIED_CONTACT", f"user:{ana.id}"),
        ("STEP_REACHES_NOBODY", f"policy:{policy['id']}:step:0"),
    ]
    await verified(world)
    path = f"{POLICIES}/{policy['id']}"
    assert codes(await world.call("PATCH", path, admin, json={"name": "Pages"})) == []
    assert (await world.call("GET", path, ana))["findings"] is None


async def test_a_service_says_that_nothing_pages_for_it(world: World) -> None:
    admin = await world.admin()
    made = await world.call("POST", SERVICES, admin, expect=201, json={"name": "db"})
    assert codes(made) == [("SERVICE_WITHOUT_POLICY", f"service:{made['id']}")]
    await world.policy(admin, [(0, "on_call")], conditions={"service": "db"})
    path = f"{SERVICES}/{made['id']}"
    saved = await world.call("PATCH", path, admin, json={"description": "The database"})
    assert codes(saved) == [("SERVICE_WITHOUT_SCHEDULE", f"service:{made['id']}")]


async def test_a_look_costs_what_it_touches(world: World) -> None:
    admin, ana, ben = (
        await world.admin(),
        await world.person(),
        await world.person("ben@example.org"),
    )
    made = await scheduled(world, admin, ana)
    path = f"{SCHEDULES}/{made['id']}"
    with counted_statements(world.database) as few:
        await world.call("PATCH", path, admin, json={"description": "One"})
    for number in range(30):
        other = await scheduled(world, admin, ben, name=f"Other {number}")
        await world.policy(admin, [(0, {"schedule": other["id"]})], name=f"Policy {number}")
    with counted_statements(world.database) as many:
        await world.call("PATCH", path, admin, json={"description": "Many"})
    assert len(many) == len(few)
