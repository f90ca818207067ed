"""The verdict of the tour: what makes it fail, and what does not."""

from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from tests.e2e import report
from tests.e2e.report import Result
from tests.e2e.runner import take
from tests.e2e.steps import Step
from tests.e2e.tour import Call, NoMail, check

GOOD = [Call("GET /", 200, 5.0), Call("POST /login", 200, 230.0), Call("POST /verify", 422, 4.0)]
OPTIONAL = {"POST /verify": "needs a mail"}


def tour(calls: list[Call], *routes: str) -> Any:
    return SimpleNamespace(
        calls=list(calls),
        routes=set(routes) or {"GET /", "POST /login", "POST /verify"},
        http=httpx.Client(base_url="http://127.0.0.1:1"),
        clean_up=lambda: None,
    )


def verdict(of: Any, *results: Result) -> bool:
    passed = Result("Logins", "Logging in", "passed", 240.0, 2)
    missing = report.uncalled(of, OPTIONAL)
    return report.is_good(report.summary(of, [passed, *results], 1.0, missing))


def test_a_tour_of_every_route_is_good() -> None:
    assert verdict(tour(GOOD))


def test_a_route_that_was_never_called_is_not() -> None:
    lost = tour(GOOD, "GET /", "POST /login", "POST /verify", "DELETE /users")
    assert report.uncalled(lost, OPTIONAL) == ["DELETE /users"]
    assert not verdict(lost)


def test_a_route_that_only_refused_was_not_called() -> None:
    refused = tour([GOOD[0], Call("POST /login", 401, 3.0), GOOD[2]])
    assert report.uncalled(refused, OPTIONAL) == ["POST /login"]


def test_a_route_that_needs_a_mail_must_be_called_all_the_same() -> None:
    assert report.uncalled(tour(GOOD[:2]), OPTIONAL) == ["POST /verify"]


def test_one_failure_is_enough() -> None:
    assert not verdict(tour(GOOD), Result("Logins", "Out", "failed", 1.0, 1, "it stayed"))
    assert verdict(tour(GOOD), Result("Logins", "Out", "skipped", 1.0, 1, "no mail"))


def test_slow_answers_are_not_good() -> None:
    assert not verdict(tour([*GOOD, Call("GET /", 200, 900.0)]))


@pytest.mark.parametrize(
    ("raised", "status"),
    [(None, "passed"), (NoMail(), "skipped"), (KeyError("id"), "failed")],
)
def test_a_step_that_breaks_does_not_stop_the_next(raised: Exception | None, status: str) -> None:
    def play(_: Any) -> None:
        if raised is not None:
            raise raised

    def next_one(_: Any) -> None:
        check(1 + 1 == 2, "never")

    steps = [Step("A", "one", play), Step("A", "two", next_one)]
    assert [result.status for result in take(tour(GOOD), steps)] == [status, "passed"]


def test_what_is_wrong_is_told_in_its_own_words() -> None:
    def play(_: Any) -> None:
        check(False, "the list has no pages")

    (result,) = take(tour(GOOD), [Step("A", "one", play)])
    assert (result.status, result.problem) == ("failed", "the list has no pages")
