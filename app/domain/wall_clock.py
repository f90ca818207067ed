"""What a clock on the wall shows, and the instants that it means. Pure.

All that a schedule says about DST is decided here, and nowhere else:

- A hand-off is one instant: the first at which the clock shows the time. So what ends there and
  what begins there meet, and a rotation round the clock has neither gap nor overlap.
- What is written down with a start and an end (an explicit shift, a restriction) starts at the
  first instant that shows its start and ends at the last that shows its end. On the night
  on which an hour comes twice it therefore lasts through both.
- A time that the clock skips moves forward to the instant of the jump, whatever it is: the first
  at which the clock is past that time. So no order is ever turned round, and what lies wholly
  within the skipped time is empty.

Times on the wall are naive datetimes, instants are aware ones in UTC.
"""

from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

SECOND = timedelta(seconds=1)


def first_instant(shown: datetime, zone: ZoneInfo) -> datetime:
    """The first instant at which the clock shows this time, or is past it if it skips it."""
    before, after = _offsets(shown, zone)
    if before < after:
        return _jump(shown, zone)
    return (shown - before).replace(tzinfo=UTC)


def last_instant(shown: datetime, zone: ZoneInfo) -> datetime:
    """The last instant at which the clock shows this time; where it skips it, the first past it."""
    before, after = _offsets(shown, zone)
    if before < after:
        return _jump(shown, zone)
    return (shown - after).replace(tzinfo=UTC)


def shown_at(instant: datetime, zone: ZoneInfo) -> datetime:
    """What the clock shows at an instant."""
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)


def _offsets(shown: datetime, zone: ZoneInfo) -> tuple[timedelta, timedelta]:
    # The same, unless the time comes twice (the second is smaller) or never (it is greater).
    before = zone.utcoffset(shown.replace(fold=0))
    after = zone.utcoffset(shown.replace(fold=1))
    assert before is not None
    assert after is not None
    return before, after


def _jump(skipped: datetime, zone: ZoneInfo) -> datetime:
    before, after = _offsets(skipped, zone)
    since = (skipped.replace(microsecond=0) - after).replace(tzinfo=UTC)  # the jump is yet to come

    def offset(seconds: int) -> timedelta:
        passed = (since + seconds * SECOND).astimezone(zone).utcoffset()
        assert passed is not None
        return passed

    at_most = (after - before) // SECOND + 1
    return since + bisect_left(range(at_most), after, key=offset) * SECOND
