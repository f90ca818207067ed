"""The breaker of a provider: when it opens, how it finds out that all is well again."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.breaker import OF_MANY, Breaker, BreakerState, Permit, Refusal, Tolerance

START = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
USUAL = Tolerance()


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def permit(breaker: Breaker, seconds: float) -> Permit:
    found = breaker.admit(at(seconds))
    assert isinstance(found, Permit)
    return found


def refusal(breaker: Breaker, seconds: float) -> datetime:
    found = breaker.admit(at(seconds))
    assert isinstance(found, Refusal)
    return found.until


def fail(breaker: Breaker, seconds: float, wish: float | None = None) -> None:
    span = None if wish is None else timedelta(seconds=wish)
    breaker.failed(permit(breaker, seconds), "no answer", now=at(seconds), wish=span)


def opened(failures: int = USUAL.failures) -> Breaker:
    breaker = Breaker()
    for _ in range(failures):
        fail(breaker, 0)
    return breaker


def test_it_opens_after_so_many_failures_in_a_row_and_not_before() -> None:
    breaker = opened(USUAL.failures - 1)
    assert breaker.state == BreakerState.CLOSED
    fail(breaker, 1)
    assert breaker.state == BreakerState.OPEN
    assert breaker.failing_since == at(0)
    assert refusal(breaker, 1) == at(1) + USUAL.first_pause


def test_what_it_takes_in_between_begins_the_count_anew() -> None:
    breaker = opened(USUAL.failures - 1)
    breaker.worked()
    for _ in range(USUAL.failures - 1):
        fail(breaker, 1)
    assert breaker.state == BreakerState.CLOSED


def test_one_probe_at_a_time_and_the_first_that_is_taken_closes_it() -> None:
    breaker = opened()
    assert permit(breaker, 2).is_probe
    assert breaker.state == BreakerState.HALF_OPEN
    refusal(breaker, 2)
    refusal(breaker, 60)
    breaker.worked()
    assert breaker.state == BreakerState.CLOSED
    assert not permit(breaker, 3).is_probe
    assert (breaker.failures, breaker.failing_since, breaker.last_error) == (0, None, None)


def test_each_probe_that_fails_doubles_the_pause_up_to_a_bound() -> None:
    breaker = opened()
    pauses, now = [], 0.0
    for _ in range(6):
        now = (refusal(breaker, now) - START).total_seconds()
        fail(breaker, now)
        pauses.append((refusal(breaker, now) - at(now)).total_seconds())
    assert pauses == [4, 8, 16, 30, 30, 30]
    breaker.worked()
    for _ in range(USUAL.failures):
        fail(breaker, now)
    assert refusal(breaker, now) == at(now) + USUAL.first_pause, "the pauses begin anew"


def test_who_waits_for_a_probe_asks_again_ever_less_often() -> None:
    breaker = opened()
    permit(breaker, 2)
    waits = [(refusal(breaker, now) - at(now)).total_seconds() for now in (2, 3, 5, 12, 300)]
    assert waits == [1, 1, 3, 10, 30]


def test_a_providers_wish_opens_it_at_once_and_for_that_long() -> None:
    breaker = Breaker()
    fail(breaker, 0, wish=90)
    assert refusal(breaker, 1) == at(90)


def test_a_wish_is_honoured_only_so_far_and_less_where_many_share_a_host() -> None:
    for tolerance, longest in ((USUAL, 300), (OF_MANY, 30)):
        breaker = Breaker(tolerance)
        fail(breaker, 0, wish=3600)
        assert refusal(breaker, 0) == at(longest)


def test_a_probe_that_says_nothing_of_the_provider_lets_the_next_one_go_at_once() -> None:
    breaker = opened()
    breaker.undecided(permit(breaker, 2))
    assert breaker.state == BreakerState.OPEN
    assert permit(breaker, 2).is_probe


def test_what_was_sent_before_it_opened_does_not_lengthen_the_pause() -> None:
    breaker = Breaker()
    early = [permit(breaker, 0) for _ in range(USUAL.failures * 2)]
    for one in early:
        breaker.failed(one, "no answer", now=at(1))
    assert breaker.failures == USUAL.failures
    assert refusal(breaker, 1) == at(1) + USUAL.first_pause


def test_late_failures_of_an_outage_that_is_over_do_not_open_it_again() -> None:
    breaker = Breaker()
    stuck = [permit(breaker, 0) for _ in range(USUAL.failures)]
    for _ in range(USUAL.failures):
        fail(breaker, 0)
    permit(breaker, 2)
    breaker.worked()
    for one in stuck:
        breaker.failed(one, "timed out", now=at(20))
    assert breaker.state == BreakerState.CLOSED


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["admit", "worked", "failed", "wish", "undecided", "wait"]),
        st.integers(0, 40),
    ),
    max_size=80,
)


@given(EVENTS)
@settings(max_examples=300, deadline=None)
def test_whatever_happens_it_is_asked_again_in_time_and_probed_alone(
    events: list[tuple[str, int]],
) -> None:
    breaker, now, held = Breaker(), START, list[Permit]()
    for what, number in events:
        one = (
            held.pop(number % len(held))
            if held and what in {"failed", "wish", "undecided"}
            else None
        )
        match what:
            case "wait":
                now += timedelta(seconds=number)
            case "worked":
                breaker.worked()
            case "admit":
                match breaker.admit(now):
                    case Refusal(until):
                        assert timedelta() < until - now <= USUAL.longest_wish
                        assert breaker.state is not BreakerState.CLOSED
                    case Permit() as found:
                        held.append(found)
            case _ if one is not None and what == "undecided":
                breaker.undecided(one)
            case _ if one is not None:
                wish = timedelta(seconds=number) if what == "wish" else None
                breaker.failed(one, "no", now=now, wish=wish)
        probes = [one for one in held if one.is_probe and one.turn == breaker._turn]
        assert len(probes) == (breaker.state is BreakerState.HALF_OPEN)
        assert (breaker.failing_since is None) == (breaker.failures == 0)
    for one in held:  # however it stood: once everybody has said how it went, it comes back
        breaker.undecided(one)
    assert isinstance(breaker.admit(now + USUAL.longest_wish), Permit)
