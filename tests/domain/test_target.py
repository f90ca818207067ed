"""Whom a policy's JSON names, and whose turn it is."""

from typing import Any

import pytest

from app.domain.target import Target, TargetKind, read_target, whose_turn

KINDS: list[tuple[Any, Target]] = [
    ("on_call", Target(TargetKind.ON_CALL)),
    ("next_on_call", Target(TargetKind.NEXT_ON_CALL)),
    ({"user": 7}, Target(TargetKind.USER, 7)),
    ({"schedule": 3}, Target(TargetKind.SCHEDULE, schedule_id=3)),
    ({"schedule": 3, "position": "now"}, Target(TargetKind.SCHEDULE, schedule_id=3)),
    ({"schedule": 3, "position": "next"}, Target(TargetKind.NEXT_ON_SCHEDULE, schedule_id=3)),
    ({"team": 4}, Target(TargetKind.TEAM, team_id=4)),
    ({"team": 4, "pick": "all"}, Target(TargetKind.TEAM, team_id=4)),
    ({"team": 4, "pick": "round_robin"}, Target(TargetKind.ROUND_ROBIN, team_id=4)),
    ({"round_robin": [9, 7]}, Target(TargetKind.ROUND_ROBIN, user_ids=(9, 7))),
]


@pytest.mark.parametrize(("document", "target"), KINDS)
def test_each_form_means_one_target(document: Any, target: Target) -> None:
    assert read_target(document) == target


def test_a_target_that_nobody_knows_is_an_error() -> None:
    with pytest.raises(ValueError, match="unknown target"):
        read_target({"pigeon": 1})


def test_the_same_people_in_another_order_are_another_ring() -> None:
    rings = {read_target({"round_robin": people}).ring for people in ([1, 2], [2, 1], [1, 2])}
    assert rings == {"users:1,2", "users:2,1"}
    assert read_target({"team": 4, "pick": "round_robin"}).ring == "team:4"


@pytest.mark.parametrize(
    ("last", "turns"),
    [(None, [5, 3, 9]), (5, [3, 9, 5]), (3, [9, 5, 3]), (9, [5, 3, 9]), (4, [5, 3, 9])],
)
def test_a_list_goes_on_behind_whoever_had_the_last_turn(
    last: int | None, turns: list[int]
) -> None:
    assert whose_turn([5, 3, 9], last, is_team=False) == turns


@pytest.mark.parametrize(
    ("last", "turns"),
    [(None, [3, 5, 9]), (3, [5, 9, 3]), (4, [5, 9, 3]), (9, [3, 5, 9]), (10, [3, 5, 9])],
)
def test_a_team_goes_by_numbers_whoever_has_left_it(last: int | None, turns: list[int]) -> None:
    assert whose_turn([3, 5, 9], last, is_team=True) == turns


def test_of_nobody_it_is_nobodys_turn() -> None:
    assert whose_turn([], 3, is_team=True) == whose_turn([], 3, is_team=False) == []
