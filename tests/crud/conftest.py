"""What PostgreSQL looks at is counted here, and rows that other tests left would count, too."""

import os
from collections.abc import AsyncIterator

import pytest

from app.db.embedded import EmbeddedPostgres
from app.db.session import Database
from tests.conftest import copy_of_template


@pytest.fixture
async def database(server: EmbeddedPostgres) -> AsyncIterator[Database]:
    """A database that no other test has been in."""
    async with copy_of_template(server, f"counted_{os.getpid()}") as url:
        made = Database(url, pool_size=5)
        yield made
        await made.close()
