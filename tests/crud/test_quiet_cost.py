"""What services say of their paging costs ingest no statement, until somebody has to wait."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import pytest
from sqlalchemy import event

from app.db import traced
from tests.stories.maintained import BERLIN_HOURS, LOW, service, window
from tests.world import Person, World


@contextmanager
def counted(world: World) -> Iterator[list[str]]:
    """Every statement while the block lasts."""
    found: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        found.append(statement)

    def asking(statement: str) -> AbstractContextManager[None]:
        found.append(statement)
        return nullcontext()

    engine = world.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(traced, "asking", asking)  # what goes to the driver itself
            yield found
    finally:
        event.remove(engine, "before_cursor_execute", note)


@pytest.fixture
async def admin(world: World) -> Person:
    made = await world.admin()
    await world.policy(made, [(0, "admins")])
    return made


async def statements(world: World, key: str, name: str, **fields: Any) -> int:
    with counted(world) as found:
        receipt = await world.alert(key, service=name, dedup_key=name, **fields)
    assert receipt["outcome"] == "opened"
    return len(found)


async def test_an_alert_of_a_catalogued_service_asks_no_more_than_any_other(
    world: World, admin: Person
) -> None:
    pinned = await world.policy(admin, [(0, "admins")], name="Pinned")
    key = await world.integration_key(admin)
    await service(
        world,
        "catalogued",
        policy_id=pinned["id"],
        urgency=LOW,
        support_hours=BERLIN_HOURS,
        auto_resolve_after_minutes=60,
    )
    quiet = await service(world, "maintained")
    await world.alert(key, dedup_key="first")  # from here on the key is known
    usual = await statements(world, key, "unknown")
    assert await statements(world, key, "catalogued", severity="high") == usual
    await window(world, quiet)
    assert await statements(world, key, "neighbour") == usual
    assert await statements(world, key, "maintained") > usual
    with counted(world) as found:
        joined = await world.alert(key, service="catalogued", dedup_key="catalogued")
    assert joined["outcome"] == "joined"
    assert len(found) == usual == 2
