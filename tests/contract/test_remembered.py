"""A world that is put back is the one that was made."""

import pytest

from tests.contract.remembered import Remembered
from tests.contract.served import Served

pytestmark = [pytest.mark.contract, pytest.mark.timeout(600)]


def test_what_is_put_back_is_what_was_made(
    served: Served, remembered: Remembered, database_url: str
) -> None:
    filled = {table for table, rows in remembered.rows.items() if len(rows) > EMPTY}
    assert {"users", "incidents", "notifications", "schedules"} <= filled
    assert len(filled) > 40
    served.run(remembered.put_back(database_url))
    assert served.run(Remembered.of(database_url)) == remembered


# PostgreSQL's signature, flags and end of a copy in its binary form.
EMPTY = 21
