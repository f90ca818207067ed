"""Operations one after another: what one answers is asked of the next.

Found in the document: what makes a thing, and what reads, changes or deletes it. A thing that
was made is there; one that was deleted is not.
"""

from collections.abc import Callable

import pytest

from tests.contract.runs import Credentialer, run_chains
from tests.contract.served import Served

# A run takes as long as it takes on a machine that does other things, too.
pytestmark = [pytest.mark.contract, pytest.mark.timeout(600)]


def test_chains_of_an_admin(peopled: Served, as_: Callable[[str], Credentialer]) -> None:
    seen = run_chains(peopled.url, peopled.document, as_("admin"))
    if seen.findings:
        pytest.fail(seen.report(), pytrace=False)
    assert seen.sent["stateful"] > 100, seen.report()
    assert seen.answers[200] > 50, seen.report()
