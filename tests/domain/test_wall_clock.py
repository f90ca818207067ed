"""The instants that wall-clock times mean on the nights when clocks change."""

from datetime import UTC, datetime, timedelta

import pytest

from app.domain.time_zone import zone
from app.domain.wall_clock import first_instant, last_instant, shown_at
from tests.domain.rotas import BERLIN, utc, wall


@pytest.mark.parametrize(
    ("shown", "name", "first", "last"),
    [
        # an ordinary time is one instant
        ("2026-07-01 12:00", BERLIN, "2026-07-01 10:00", "2026-07-01 10:00"),
        # 2026-10-25 in Berlin: 03:00 becomes 02:00
        ("2026-10-25 01:59", BERLIN, "2026-10-24 23:59", "2026-10-24 23:59"),
        ("2026-10-25 02:00", BERLIN, "2026-10-25 00:00", "2026-10-25 01:00"),
        ("2026-10-25 02:30", BERLIN, "2026-10-25 00:30", "2026-10-25 01:30"),
        ("2026-10-25 03:00", BERLIN, "2026-10-25 02:00", "2026-10-25 02:00"),
        # 2026-03-29 in Berlin: 02:00 becomes 03:00
        ("2026-03-29 01:59", BERLIN, "2026-03-29 00:59", "2026-03-29 00:59"),
        ("2026-03-29 02:00", BERLIN, "2026-03-29 01:00", "2026-03-29 01:00"),
        ("2026-03-29 02:59", BERLIN, "2026-03-29 01:00", "2026-03-29 01:00"),
        ("2026-03-29 03:00", BERLIN, "2026-03-29 01:00", "2026-03-29 01:00"),
        # Lord Howe moves by half an hour
        ("2026-04-05 01:45", "Australia/Lord_Howe", "2026-04-04 14:45", "2026-04-04 15:15"),
        ("2026-10-04 02:20", "Australia/Lord_Howe", "2026-10-03 15:30", "2026-10-03 15:30"),
        # Santiago and Cairo jump at midnight
        ("2026-09-06 00:30", "America/Santiago", "2026-09-06 04:00", "2026-09-06 04:00"),
        ("2026-04-24 00:00", "Africa/Cairo", "2026-04-23 22:00", "2026-04-23 22:00"),
        # Samoa had no 30 December 2011
        ("2011-12-30 09:00", "Pacific/Apia", "2011-12-30 10:00", "2011-12-30 10:00"),
    ],
)
def test_a_time_on_the_wall_is_its_first_and_its_last_instant(
    shown: str, name: str, first: str, last: str
) -> None:
    assert first_instant(wall(shown), zone(name)) == utc(first)
    assert last_instant(wall(shown), zone(name)) == utc(last)


def test_the_jump_is_found_to_the_second_whatever_was_asked() -> None:
    skipped = wall("2026-03-29 02:59:59.999999")
    assert first_instant(skipped, zone(BERLIN)) == utc("2026-03-29 01:00")


def test_instants_are_in_utc_and_shown_times_have_no_zone() -> None:
    instant = first_instant(wall("2026-10-25 02:30"), zone(BERLIN))
    assert instant.tzinfo is UTC
    assert shown_at(instant, zone(BERLIN)) == wall("2026-10-25 02:30")
    assert shown_at(instant + timedelta(hours=1), zone(BERLIN)) == wall("2026-10-25 02:30")


@pytest.mark.parametrize("night", ["2026-03-28 22:00", "2026-10-24 22:00"])
def test_later_on_the_wall_is_never_earlier_in_time(night: str) -> None:
    shown: list[datetime] = [wall(night) + timedelta(minutes=7 * n) for n in range(60)]
    for instants in (
        [first_instant(each, zone(BERLIN)) for each in shown],
        [last_instant(each, zone(BERLIN)) for each in shown],
    ):
        assert instants == sorted(instants)
