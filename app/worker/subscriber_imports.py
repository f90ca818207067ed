"""The loop that takes in files of subscribers, so many lines in a transaction.

It has the way to the database that subscribers have, and none of pages': a large file delays
nobody who is paged.
"""

from collections.abc import Collection
from datetime import timedelta

from app.crud import crud_subscriber_import
from app.db.session import Database, WriteSession, transaction_time
from app.domain.notification import Channel
from app.services import subscriber_import as import_service
from app.services.subscriber_keys import Keys
from app.services.target import Objection
from app.worker.loop import SKIPPED

LINES_AT_ONCE = 500


class SubscriberImports:
    """What one process does for files of subscribers."""

    def __init__(
        self,
        database: Database,
        keys: Keys,
        objection: Objection,
        *,
        unconfigured: Collection[Channel] = (),
    ) -> None:
        self._database = database
        self._keys = keys
        self._objection = objection
        self._unconfigured = frozenset(unconfigured)

    async def round(self) -> timedelta | None:
        """Take in every file that waits."""
        while await self._is_any_running():
            if await self._database.write(self._take_in) is None:
                return SKIPPED  # others hold all that are
        return None

    async def _is_any_running(self) -> bool:
        async with self._database.reading() as session:
            return await crud_subscriber_import.is_any_running(session)

    async def _take_in(self, session: WriteSession) -> int | None:
        return await import_service.take_in(
            session,
            self._keys,
            self._objection,
            unconfigured=self._unconfigured,
            limit=LINES_AT_ONCE,
            now=await transaction_time(session),
        )
