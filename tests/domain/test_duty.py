"""Whom targets of schedules and teams mean at an instant, and why nobody; and who comes next."""

from typing import Any

import pytest

from app.domain.duty import Crew, Duty, Meant, Rota
from app.domain.on_call import relief
from app.domain.schedule import Schedule
from app.domain.target import read_target
from tests.domain.rotas import (
    ANA,
    BEN,
    CLEO,
    WORKDAYS,
    berlin,
    override,
    restricted,
    turning,
    utc,
    written,
)

WEEKLY = berlin(turning("weekly", "2026-06-01 09:00", ANA, BEN, CLEO))
OFFICE = berlin(
    turning(
        "weekly", "2026-06-01 00:00", ANA, restrictions=(restricted("09:00", "17:00", WORKDAYS),)
    )
)
MONDAY = "2026-06-01 10:00"


def duty(at: str, schedule: Schedule = WEEKLY, **more: Any) -> Duty:
    services: dict[str, int | None] = {"web": 1, "batch": None}
    return Duty(utc(at), {1: Rota("DB", schedule)}, more.get("crews", {}), services)


def meant(on: Duty, target: Any, service: str = "web") -> Meant:
    return on.meant(read_target(target), service)


@pytest.mark.parametrize("target", ["on_call", {"schedule": 1}])
def test_whoever_is_on_call_at_the_instant(target: Any) -> None:
    assert meant(duty("2026-06-08 06:59:59.999999"), target) == Meant((ANA,), "DB")
    assert meant(duty("2026-06-08 07:00"), target) == Meant((BEN,), "DB")


@pytest.mark.parametrize("target", ["next_on_call", {"schedule": 1, "position": "next"}])
def test_whoever_comes_after_them(target: Any) -> None:
    assert meant(duty("2026-06-08 06:59:59.999999"), target) == Meant((BEN,), "DB")
    assert meant(duty("2026-06-08 07:00"), target) == Meant((CLEO,), "DB")


@pytest.mark.parametrize(
    ("at", "until"),
    [
        ("2026-06-01 06:30", "09:00 Europe/Berlin"),
        ("2026-06-01 15:00", "Tuesday 09:00 Europe/Berlin"),
        ("2026-06-05 15:00", "Monday 09:00 Europe/Berlin"),
    ],
)
def test_a_gap_is_told_with_its_end_on_the_schedules_own_clock(at: str, until: str) -> None:
    why = f"Nobody is on call on “DB” until {until}."
    assert meant(duty(at, OFFICE), "on_call") == Meant((), "DB", why)


def test_a_gap_without_an_end_in_sight_has_none() -> None:
    ended = berlin(written(("2026-05-01 09:00", "2026-05-02 09:00", ANA)))
    assert meant(duty(MONDAY, ended), "on_call").why == "Nobody is on call on “DB”."


@pytest.mark.parametrize(
    ("target", "service", "why"),
    [
        ("on_call", "batch", "Service “batch” has no schedule."),
        ("next_on_call", "batch", "Service “batch” has no schedule."),
        ("on_call", "Web", "Service “Web” is not in the catalogue."),
        ({"schedule": 2}, "web", "Schedule 2 is deleted."),
        ({"team": 5}, "web", "Team 5 is deleted."),
        ({"team": 6, "pick": "round_robin"}, "web", "Nobody is in team “Empty”."),
        ({"team": 7}, "web", "Everybody in team “Gone” is deactivated."),
    ],
)
def test_why_it_is_nobody(target: Any, service: str, why: str) -> None:
    crews = {6: Crew("Empty", (), False), 7: Crew("Gone", (), True)}
    found = meant(duty(MONDAY, crews=crews), target, service)
    assert (found.user_ids, found.why) == ((), why)


def test_who_would_be_next_on_a_schedule_of_one_is_nobody() -> None:
    alone = berlin(turning("weekly", "2026-06-01 09:00", ANA))
    why = "Nobody else is on call on “DB” next."
    assert meant(duty(MONDAY, alone), "next_on_call") == Meant((), "DB", why)


# --- Relief ---------------------------------------------------------------------------------


def test_behind_a_gap_comes_whoever_is_first_after_it() -> None:
    assert relief(OFFICE, utc("2026-06-05 15:00")) == (ANA,)  # it is Friday night


def test_a_gap_in_between_does_not_make_the_same_person_the_next() -> None:
    shifts = berlin(
        written(
            ("2026-06-01 09:00", "2026-06-01 12:00", ANA),
            ("2026-06-01 13:00", "2026-06-01 17:00", ANA),
            ("2026-06-02 09:00", "2026-06-02 12:00", BEN),
        )
    )
    assert relief(shifts, utc("2026-06-01 08:00")) == (BEN,)


def test_of_two_who_change_only_the_new_one_is_next() -> None:
    both = berlin(
        written(
            ("2026-06-01 09:00", "2026-06-03 09:00", ANA),
            ("2026-06-01 09:00", "2026-06-02 09:00", BEN),
            ("2026-06-02 09:00", "2026-06-03 09:00", CLEO),
        )
    )
    assert relief(both, utc("2026-06-01 10:00")) == (CLEO,)


def test_an_override_counts_as_a_hand_off() -> None:
    stand_in = override("2026-06-02 10:00", "2026-06-02 11:00", CLEO)
    schedule = berlin(turning("weekly", "2026-06-01 09:00", ANA, BEN), overrides=(stand_in,))
    assert relief(schedule, utc(MONDAY)) == (CLEO,)
