"""Every operation of the OpenAPI document answers as the document says, whoever asks.

Fifty random requests an operation, as an admin, as a viewer and as nobody, and for the admin all
that schemathesis can think of at the edges. The document itself is the list of operations: a new
route is tested from the day it is there.
"""

from collections.abc import Callable

import pytest

from tests.contract.peopled import operations
from tests.contract.runs import EXAMPLES, Credentialer, Extent, Seen, run_operation
from tests.contract.served import Served, described

# A run takes as long as it takes on a machine that does other things, too.
pytestmark = [pytest.mark.contract, pytest.mark.timeout(600)]

# What is answered to those who did not even come in.
SHUT = {401, 403, 405, 429}

As = Callable[[str], Credentialer]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for name in {"label", "guarded"} & set(metafunc.fixturenames):
        labels = [
            f"{method} {path}"
            for method, path, entry in operations(described())
            if name == "label" or entry.get("security")
        ]
        metafunc.parametrize(name, labels)


def accept(seen: Seen) -> None:
    if seen.findings:
        pytest.fail(seen.report(), pytrace=False)


def test_with_every_right(label: str, peopled: Served, as_: As) -> None:
    seen = run_operation(peopled.url, peopled.document, label, as_("admin"))
    accept(seen)
    method, path = label.split(" ")
    entry = peopled.document["paths"][path][method.lower()]
    assert seen.sent["coverage"] > 0, seen.report()
    if entry.get("parameters") or entry.get("requestBody"):  # else there is but one request
        assert seen.sent["fuzzing"] >= EXAMPLES, seen.report()
    assert set(seen.answers) - SHUT, seen.report()


def test_as_a_viewer(guarded: str, peopled: Served, as_: As) -> None:
    seen = run_operation(peopled.url, peopled.document, guarded, as_("viewer"), Extent.CHANCE)
    accept(seen)


def test_as_nobody(guarded: str, peopled: Served, as_: As) -> None:
    seen = run_operation(peopled.url, peopled.document, guarded, as_("nobody"), Extent.CHANCE)
    accept(seen)
    assert not [status for status in seen.answers if status < 400], seen.report()
    assert seen.answers[401] > 0, seen.report()
