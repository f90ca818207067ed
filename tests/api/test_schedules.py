"""Schedules over HTTP: made, changed, deleted; what is refused, and with which path."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.domain.user import Role
from tests.api.rotas import OFFICE, explicit, on_call, schedule, weekly
from tests.world import World


async def test_a_rotation_says_who_is_on_call(world: World) -> None:
    admin = await world.admin()
    ben = await world.person("ben@example.org")
    made = await schedule(world, admin, weekly(admin.id, ben.id))
    assert made["revision"] == 1
    assert made["layers"][0]["rotation"]["every"] == 1

    answer = await on_call(world, admin, made["id"])
    assert [one["id"] for one in answer["on_call"]] in ([admin.id], [ben.id])
    other = ben.id if answer["on_call"][0]["id"] == admin.id else admin.id
    assert [one["id"] for one in answer["next"]["people"]] == [other]
    assert answer["time_zone_version"]
