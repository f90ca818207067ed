"""What it costs a climb to find out who is on call: a handful of statements for the batch, and
none where no step asks."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import event

from app.domain import duty, on_call
from app.domain.schedule import Schedule
from tests.duties import keep_schedule, keep_service, keep_team, people_paged, turns
from tests.world import Person, World

TABLES = ("schedules", "services", "teams", "round_robins", "team_members")


@contextmanager
def statements(world: World) -> Iterator[list[str]]:
    """Everything that is sent to the database meanwhile."""
    sent: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        sent.append(statement)

    engine = world.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


@pytest.fixture
async def admin(world: World) -> Person:
    return await world.admin()


async def test_a_batch_over_many_schedules_costs_what_one_costs(
    world: World, admin: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = await world.person(full_name="Ana")
    team = await keep_team(world, ana)
    for number in range(50):
        schedule = await keep_schedule(world, turns(ana), name=f"Rota {number}")
        await keep_service(world, f"service-{number}", schedule)
    targets: list[Any] = ["on_call", {"team": team, "pick": "round_robin"}]
    actions = [{"type": "notify", "target": target} for target in targets]
    steps = [{"delay_minutes": 0, "actions": actions}]
    await world.policy(admin, [], steps=steps, final_delay_minutes=60)
    rendered: list[datetime] = []

    def render_once(schedule: Schedule, at: datetime) -> tuple[int, ...]:
        rendered.append(at)
        return on_call.on_call(schedule, at)

    monkeypatch.setattr(duty, "on_call", render_once)
    costs = []
    for many in (1, 50):
        for place in range(2 * many):
            await world.declare(admin, service=f"service-{place % many}")
        rendered.clear()
        with statements(world) as sent:
            assert await world.climb() == 2 * many
        assert (len(rendered), len(set(rendered))) == (many, 1)
        costs.append(len(sent))
    assert costs[0] == costs[1] < 25
    assert await people_paged(world) == [ana.id] * 102


async def test_policies_without_such_targets_ask_for_nothing_of_it(
    world: World, admin: Person
) -> None:
    await keep_service(world, schedule=await keep_schedule(world, turns(admin)))
    later = {"delay_minutes": 60, "actions": [{"type": "notify", "target": "on_call"}]}
    first = {"delay_minutes": 0, "actions": [{"type": "notify", "target": "admins"}]}
    await world.policy(admin, [], steps=[first, later])  # what is not due costs nothing either
    await world.declare(admin)
    with statements(world) as sent:
        assert await world.climb() == 1
    assert not [one for one in sent if any(f"FROM {table}" in one for table in TABLES)]
    assert not [one for one in sent if "round_robins" in one]
