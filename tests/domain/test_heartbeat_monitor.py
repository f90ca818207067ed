"""How a monitor stands, what a ping means, and how spans are told."""

from datetime import UTC, datetime, timedelta

import pytest

from app.domain.heartbeat_monitor import (
    NOTE_KEPT,
    MonitorState,
    PingKind,
    Pulse,
    missed_story,
    read_kind,
    readable,
    spoken,
    state_of,
)

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
SOON, JUST = NOW + timedelta(seconds=1), NOW - timedelta(seconds=1)


@pytest.mark.parametrize(
    ("pulse", "is_active", "expected_at", "state"),
    [
        (Pulse.NEW, True, None, MonitorState.NEW),
        (Pulse.UP, True, SOON, MonitorState.UP),
        (Pulse.UP, True, NOW, MonitorState.LATE),
        (Pulse.UP, True, JUST, MonitorState.LATE),
        (Pulse.DOWN, True, JUST, MonitorState.DOWN),
        (Pulse.UP, False, JUST, MonitorState.PAUSED),
        (Pulse.DOWN, False, JUST, MonitorState.PAUSED),
    ],
)
def test_how_a_monitor_stands(
    pulse: Pulse, is_active: bool, expected_at: datetime | None, state: MonitorState
) -> None:
    assert state_of(pulse, is_active=is_active, expected_at=expected_at, now=NOW) is state


@pytest.mark.parametrize(
    ("word", "kind"),
    [("start", PingKind.START), ("fail", PingKind.FAIL), ("0", PingKind.SUCCESS),
     ("000", PingKind.SUCCESS), ("1", PingKind.FAIL), ("137", PingKind.FAIL)],
)  # fmt: skip
def test_what_the_last_part_of_an_address_means(word: str, kind: PingKind) -> None:
    assert read_kind(word) is kind


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("", None), (" \n", None), ("ok\r\n", "ok"), ("a\r\nb\tc", "a\nb\tc"),
     ("a\x00\x1b[1m", "a��[1m"), ("x" * 2_000, "x" * NOTE_KEPT)],
)  # fmt: skip
def test_a_note_is_text_and_bounded(sent: str, kept: str | None) -> None:
    assert readable(sent) == kept


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(60, "1 minute"), (90, "90 seconds"), (600, "10 minutes"), (7200, "2 hours"),
     (86_400, "1 day"), (90_000, "25 hours"), (0, "0 seconds")],
)  # fmt: skip
def test_spans_are_told_in_the_largest_whole_unit(seconds: int, told: str) -> None:
    assert spoken(timedelta(seconds=seconds)) == told


def test_why_an_incident_was_opened() -> None:
    story = missed_story(JUST, NOW, timedelta(minutes=5))
    assert story == (
        "Its last ping came at 2027-03-01 11:59:59 UTC. The next one was expected by"
        " 2027-03-01 12:00:00 UTC, and did not come within 5 minutes after that."
    )
    assert missed_story(None, NOW, timedelta(minutes=5)).startswith("The next one")
