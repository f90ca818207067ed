"""Any schedule, on any night on which a clock changes: the engine says what every minute says."""

from datetime import datetime, time, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from app.domain.on_call import next_change, next_shift, on_call
from app.domain.restriction import EVERY_DAY, Restriction
from app.domain.rotation import Rotation, RotationKind
from app.domain.schedule import (
    ExplicitShifts,
    GivenShifts,
    Layer,
    OnHolidays,
    Override,
    Schedule,
    Temporary,
    WallShift,
    render,
    render_layers,
)
from app.domain.time_zone import time_zones
from app.domain.timeline import Interval, Shift, gaps, overlaps, shifts, within
from tests.domain.minutes import (
    MINUTE,
    SINCE,
    Minutes,
    by_minute,
    people_by_minute,
    transitions,
)

QUICK = settings(derandomize=True, max_examples=40, deadline=None, database=None)
PEOPLE = st.integers(1, 6)
DAYS = timedelta(days=1)
YEAR = 365 * DAYS
AROUND = timedelta(hours=16)


class Night:
    """A zone, and a minute at which its clock jumps (or an ordinary one, if it never does)."""

    def __init__(self, name: str, pick: int) -> None:
        jumps = transitions(name)
        self.name = name
        self.jump = jumps[pick % len(jumps)] if jumps else SINCE + pick * DAYS
        self.during = Interval(self.jump - AROUND, self.jump + AROUND)
        self.minutes = Minutes(name, self.during)
        self.shown = self.minutes.shown[AROUND // MINUTE - 1]  # right before the jump


nights = st.builds(Night, st.sampled_from(sorted(time_zones())), st.integers(0, 5000))
near = st.one_of(
    st.integers(-150, 150), st.integers(-150, 150), st.integers(-4000, 4000)
)  # minutes from the jump


def _rotation(draw: DrawFn, night: Night) -> Rotation:
    kind = draw(st.sampled_from(RotationKind))
    turns_ago = draw(st.integers(-2, 40))
    back = {
        RotationKind.HOURLY: timedelta(hours=1),
        RotationKind.DAILY: DAYS,
        RotationKind.WEEKLY: 7 * DAYS,
        RotationKind.MONTHLY: 31 * DAYS,
    }[kind]
    anchor = night.shown + draw(near) * MINUTE - turns_ago * back
    people = tuple(draw(st.lists(PEOPLE, min_size=1, max_size=4)))
    return Rotation(kind, anchor, people, draw(st.sampled_from([1, 1, 2, 3, 8])))


def _time(draw: DrawFn, night: Night) -> time:
    return (night.shown + draw(near) * MINUTE).time()


def _restriction(draw: DrawFn, night: Night) -> Restriction:
    days = draw(st.one_of(st.just(EVERY_DAY), st.frozensets(st.integers(0, 6))))
    return Restriction(_time(draw, night), _time(draw, night), days)


def _span(draw: DrawFn, night: Night) -> Interval:
    ends = sorted((night.jump + draw(near) * MINUTE, night.jump + draw(near) * MINUTE))
    return Interval(*ends)


def _wall_shift(draw: DrawFn, night: Night) -> WallShift:
    ends = sorted((night.shown + draw(near) * MINUTE, night.shown + draw(near) * MINUTE))
    return WallShift(*ends, draw(PEOPLE))


def _source(draw: DrawFn, night: Night) -> Rotation | ExplicitShifts | GivenShifts:
    kind = draw(st.sampled_from(["rotation", "rotation", "explicit", "given"]))
    if kind == "rotation":
        return _rotation(draw, night)
    if kind == "explicit":
        return ExplicitShifts(
            tuple(_wall_shift(draw, night) for _ in range(draw(st.integers(0, 4))))
        )
    return GivenShifts(
        tuple(Shift(*_span(draw, night), draw(PEOPLE)) for _ in range(draw(st.integers(0, 4))))
    )


def _layer(draw: DrawFn, night: Night) -> Layer:
    limit = st.one_of(st.none(), near.map(lambda minutes: night.shown + minutes * MINUTE))
    return Layer(
        _source(draw, night),
        tuple(_restriction(draw, night) for _ in range(draw(st.integers(0, 2)))),
        draw(limit),
        draw(limit),
        draw(st.sampled_from(OnHolidays)),
    )


def _layers(draw: DrawFn, night: Night, most: int) -> tuple[Layer, ...]:
    return tuple(_layer(draw, night) for _ in range(draw(st.integers(0, most))))


@st.composite
def schedules(draw: DrawFn, most: int = 3) -> tuple[Schedule, Night]:
    night = draw(nights)
    some = st.integers(0, 2)
    schedule = Schedule(
        night.name,
        _layers(draw, night, most),
        tuple(_span(draw, night) for _ in range(draw(some))),
        tuple(Temporary(*_span(draw, night), _layers(draw, night, 2)) for _ in range(draw(some))),
        tuple(
            Override(*_span(draw, night), draw(PEOPLE), draw(st.one_of(st.none(), PEOPLE)))
            for _ in range(draw(st.integers(0, 3)))
        ),
    )
    return schedule, night


@st.composite
def round_the_clock(draw: DrawFn) -> tuple[Schedule, Night]:
    """A rotation alone, at work since long before the night."""
    night = draw(nights)
    rotation = _rotation(draw, night)
    since = night.shown - 10 * DAYS
    return Schedule(night.name, (Layer(rotation, starts=since),)), night


@QUICK
@given(schedules())
def test_a_rendering_says_what_every_minute_says(case: tuple[Schedule, Night]) -> None:
    schedule, night = case
    rendered = by_minute(render(schedule, night.during), night.minutes)
    assert rendered == people_by_minute(schedule, night.minutes)


@QUICK
@given(round_the_clock())
def test_a_rotation_round_the_clock_has_neither_gap_nor_overlap(
    case: tuple[Schedule, Night],
) -> None:
    schedule, night = case
    for during in (night.during, Interval(night.jump - DAYS, night.jump + YEAR)):
        stretches = render(schedule, during)
        assert gaps(stretches, during) == []
        assert overlaps(stretches) == []
        assert all(one.ends_at == two.starts_at for one, two in pairwise(stretches))


@QUICK
@given(schedules(), st.lists(st.integers(-3000, 3000), min_size=1, max_size=8))
def test_now_and_in_the_rendering_of_a_year_the_same_person_is_on_call(
    case: tuple[Schedule, Night], minutes: list[int]
) -> None:
    schedule, night = case
    year = render(schedule, Interval(night.jump - YEAR / 2, night.jump + YEAR / 2))
    for instant in [night.jump + number * MINUTE for number in minutes]:
        there = [each.people for each in year if each.starts_at <= instant < each.ends_at]
        assert there == ([on_call(schedule, instant)] if on_call(schedule, instant) else [])


@QUICK
@given(schedules(), st.lists(near, min_size=2, max_size=2, unique=True))
def test_the_rendering_of_a_part_is_that_part_of_the_rendering(
    case: tuple[Schedule, Night], edges: list[int]
) -> None:
    schedule, night = case
    part = Interval(*(night.jump + number * MINUTE for number in sorted(edges)))
    whole = render(schedule, Interval(night.jump - 9 * DAYS, night.jump + 9 * DAYS))
    assert render(schedule, part) == within(whole, [part])


@QUICK
@given(schedules())
def test_a_rendering_is_in_order_and_changes_at_each_of_its_edges(
    case: tuple[Schedule, Night],
) -> None:
    schedule, night = case
    for stretches in (render(schedule, night.during), *render_layers(schedule, night.during)):
        for one, two in pairwise(stretches):
            assert one.ends_at <= two.starts_at
            assert one.ends_at < two.starts_at or one.people != two.people
        for each in stretches:
            assert night.during.starts_at <= each.starts_at < each.ends_at <= night.during.ends_at
            assert each.people == tuple(sorted(set(each.people)))


@QUICK
@given(schedules(most=2), st.integers(-2000, 2000))
def test_the_next_change_is_the_first_minute_with_somebody_else(
    case: tuple[Schedule, Night], minutes: int
) -> None:
    schedule, night = case
    at = night.jump + minutes * MINUTE
    horizon = timedelta(hours=20)
    change = next_change(schedule, at, horizon=horizon)
    until = at + horizon if change is None else change.at
    now = on_call(schedule, at)
    assert len({each.people for each in render(schedule, Interval(at, until))}) <= 1
    assert on_call(schedule, until - MINUTE) == now
    if change is not None:
        assert on_call(schedule, change.at) == change.people != now


@QUICK
@given(schedules(most=2), PEOPLE, st.integers(-2000, 2000))
def test_the_next_shift_is_whole_and_nobody_misses_one_before(
    case: tuple[Schedule, Night], user_id: int, minutes: int
) -> None:
    schedule, night = case
    at = night.jump + minutes * MINUTE
    ahead = Interval(at, at + 5 * DAYS)
    found = next_shift(schedule, user_id, at, horizon=5 * DAYS)
    mine = [each for each in shifts(render(schedule, ahead)) if each.user_id == user_id]
    assert found == next((each for each in mine if each.starts_at > at), None)


def test_the_minutes_of_the_oracle_know_the_nights_of_berlin() -> None:
    jumps = transitions("Europe/Berlin")
    assert len(jumps) == 32
    assert f"{jumps[12]:%Y-%m-%d %H:%M}" == "2026-03-29 01:00"
    assert transitions("Asia/Tokyo") == ()
    shown: list[datetime] = Night("Europe/Berlin", 13).minutes.shown
    assert shown.count(datetime.fromisoformat("2026-10-25 02:30")) == 2
