"""Monitors that must be heard of: a ping is due in every interval; silence is the alarm. Pure.

A monitor expects its next ping at `expected_at`, an interval after the last; it waits a grace
longer, and whoever is not heard of by then is down. What is never pinged waits, because whoever
made it may still be setting it up. One that is down is looked at again after a whole period: if
its incident was resolved by hand meanwhile and nothing was heard, another one opens.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

MONITORS = "heartbeat_monitors"  # the loop that looks for missed pings
LISTENING = "listening"  # the one that notes that pings can come in

SHORTEST_SECONDS = 60
LONGEST_SECONDS = 366 * 24 * 3600
LISTEN_EVERY = timedelta(seconds=10)
# Not heard of us for so long, others could not reach us either: less than the shortest grace.
DEAF_AFTER = timedelta(seconds=30)
PINGS_KEPT = 25  # of each monitor
OUTAGES_KEPT = 100  # likewise
NOTE_KEPT = 1_000  # characters of what came with a ping


class Pulse(StrEnum):
    """What was last heard of a monitor, as its row keeps it."""

    NEW = "new"  # nothing yet
    UP = "up"  # it is well, as far as anybody has heard
    DOWN = "down"  # it was not heard of in time, or it reported a failure


class MonitorState(StrEnum):
    """How a monitor stands, as it is shown."""

    NEW = "new"  # never pinged: nothing is expected yet
    UP = "up"  # pinged in time
    LATE = "late"  # its interval is over, its grace is not
    DOWN = "down"  # missed, or reported a failure: it has an incident
    PAUSED = "paused"  # nothing is expected


class PingKind(StrEnum):
    SUCCESS = "success"  # all is well; ends an outage
    START = "start"  # a run began: its length is told when it ends
    FAIL = "fail"  # a run failed: no need to wait for silence


class OutageCause(StrEnum):
    MISSED = "missed"  # nothing came in time
    FAILED = "failed"  # it said so itself


@dataclass(frozen=True)
class Ping:
    """One call of a ping URL. Its note is bounded and printable already."""

    token_hash: str
    kind: PingKind
    note: str | None = None


def read_kind(word: str) -> PingKind:
    """What the last part of a ping URL means: a word, or the exit status of a program."""
    if word.isdecimal():
        return PingKind.SUCCESS if int(word) == 0 else PingKind.FAIL
    return PingKind(word)


def state_of(
    pulse: Pulse, *, is_active: bool, expected_at: datetime | None, now: datetime
) -> MonitorState:
    """How a monitor stands at `now`."""
    if not is_active:
        return MonitorState.PAUSED
    if pulse is Pulse.UP and expected_at is not None and expected_at <= now:
        return MonitorState.LATE
    return MonitorState(pulse.value)


def readable(note: str) -> str | None:
    """What came with a ping, as it is kept: text, and not too much of it."""
    text = note.replace("\r\n", "\n").strip()
    kept = "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text[:NOTE_KEPT])
    return kept or None


def missed_story(last_ping_at: datetime | None, expected_at: datetime, grace: timedelta) -> str:
    """Why an incident was opened, for whoever is paged."""
    last = "" if last_ping_at is None else f"Its last ping came at {_told(last_ping_at)}. "
    return (
        f"{last}The next one was expected by {_told(expected_at)}, and did not come within"
        f" {spoken(grace)} after that."
    )


def spoken(span: timedelta) -> str:
    """A span in the largest unit that it is a whole number of."""
    seconds = round(span.total_seconds())
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)):
        if seconds % length == 0 and (seconds or unit == "second"):
            count = seconds // length
            return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
    raise AssertionError("every whole number is divisible by one")


def _told(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
