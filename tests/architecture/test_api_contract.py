"""The API's document is committed, and no change to it breaks a client of /v1.

docs/versioning.md has the rules. docs/v1-contract.txt is what was promised so far: it needs no
history, so it holds in any clone, and a promise that goes is a line that a reviewer sees go.
"""

import json

from tests.versioning.contract import breaks, of
from tests.versioning.files import CONTRACT, DOCUMENT, noted, shown, told


def test_nothing_that_v1_promised_is_broken() -> None:
    assert breaks(noted(), of(told())) == [], "docs/versioning.md says what may change"


def test_the_committed_document_is_the_services_own() -> None:
    assert DOCUMENT.read_text() == shown(told()), "run `make openapi`"


def test_everything_that_is_promised_is_written_down() -> None:
    assert CONTRACT.read_text().splitlines() == of(told()).lines(), "run `make openapi`"


def test_the_document_does_not_depend_on_when_it_is_made() -> None:
    assert json.dumps(told()) == json.dumps(told())
