"""The demo refuses what it must not do, takes back only its own, and leaves nothing to send."""

from pathlib import Path

import pytest

from app.core.errors import SetupError
from app.core.security import Passwords
from app.demo import command
from app.services.subscriber_keys import Keys
from tests.world import World

pytestmark = pytest.mark.timeout(300)  # a demo is some thousand statements


async def seed(world: World, *, reset: bool = False, yes: bool = False) -> str:
    said: list[str] = []
    where = (str(Path("outbox")), "https://tocsin.test")
    seals = Keys(world.service.signer, world.service.vault)
    await command.seed(
        world.database, Passwords(4), seals, where, said.append, reset=reset, yes=yes
    )
    return "\n".join(said)


async def count(world: World, table: str, where: str = "true") -> int:
    [found] = await world.sql(f"SELECT count(*) FROM {table} WHERE {where}")
    return int(found[0])


async def test_it_is_made_once_and_told_anew_when_asked(world: World) -> None:
    assert "ada@demo.example.org" in await seed(world)
    made = await count(world, "incidents")
    assert "there already" in await seed(world)
    assert await count(world, "incidents") == made
    assert "ada@demo.example.org" in await seed(world, reset=True)
    assert await count(world, "incidents", "deleted_at IS NULL") == made
    for table, rows in (
        ("users", 8),
        ("teams", 2),
        ("schedules", 2),
        ("services", 4),
        ("calendars", 1),
        ("incident_templates", 3),
        ("custom_fields", 2),
        ("subscribers", 6),
        ("subscriber_imports", 1),
        ("webhook_subscriptions", 1),
        ("digest_preferences", 2),
    ):
        assert await count(world, table) == rows, table
    ahead = "starts_at > now() AND cancelled_at IS NULL"
    assert await count(world, "maintenance_windows", ahead) == 1


async def test_nothing_of_its_past_is_left_to_send_or_to_climb(world: World) -> None:
    await seed(world)
    assert await count(world, "notifications", "status = 'pending'") == 0
    assert await count(world, "notifications", "kind = 'page' AND status = 'sent'") > 40
    assert await world.climb() == 0


async def test_every_incident_has_the_alert_that_opened_it(world: World) -> None:
    await seed(world)
    without = "NOT is_drill AND NOT EXISTS (SELECT FROM alerts WHERE incident_id = incidents.id)"
    assert await count(world, "incidents", without) == 0
    assert await count(world, "alerts", "raw_body IS NOT NULL AND received_at < now()") > 50
    # But what goes on goes on.
    assert await count(world, "escalations", "next_step_at IS NOT NULL") == 1
    await world.pass_time(minutes=10)
    assert await count(world, "notifications", "status = 'pending'") > 0
    elsewhere = "address NOT LIKE '%@demo.example.org'"
    assert await count(world, "contact_methods", elsewhere) == 0


async def test_it_never_calls_anybody(world: World) -> None:
    await seed(world)
    assert await count(world, "webhook_subscriptions", "is_active") == 0
    assert await count(world, "webhook_deliveries", "status = 'delivered'") > 10
    assert await count(world, "webhook_deliveries", "ready_at IS NOT NULL") == 0
    assert await count(world, "calendars", "url IS NOT NULL") == 0
    assert await count(world, "subscribers", "address NOT LIKE '%@demo.example.org'") == 0
    assert await count(world, "fire_drills", "answered_at IS NOT NULL") == 2


async def test_in_the_end_it_tidies_up_and_pages_no_fallback(world: World) -> None:
    await seed(world)
    await world.pass_time(minutes=10)
    await world.pass_time(hours=9)
    assert await count(world, "incidents", "status = 'open'") == 0
    assert await count(world, "escalations", "is_fallback") == 0


async def test_what_is_in_use_is_left_alone(world: World) -> None:
    admin = await world.admin()
    real = await world.declare(admin)
    with pytest.raises(SetupError, match="1 incident"):
        await seed(world)
    with pytest.raises(SetupError, match="--yes"):
        await seed(world, reset=True)
    assert await count(world, "users") == 1
    await seed(world, reset=True, yes=True)
    await seed(world, reset=True, yes=True)
    shown = await world.call("GET", f"/v1/incidents/{real['id']}", admin)
    assert shown["status"] == "open"
    assert await count(world, "users") == 9
