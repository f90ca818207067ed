"""The nightly checks: once a day, whichever replica gets hold of the day's row."""

from collections.abc import Collection
from datetime import date, timedelta

from app.db.session import Database, transaction_time
from app.domain.notification import Channel
from app.services import preflight


class Preflight:
    """Looks when the day's run is due."""

    def __init__(self, database: Database, unconfigured: Collection[Channel]) -> None:
        self._database = database
        self._unconfigured = frozenset(unconfigured)

    async def round(self) -> timedelta | None:
        """Make the run of today if it is due and nobody has; how long until the next."""
        async with self._database.reading() as session:
            found = await preflight.due(session, now=await transaction_time(session))
        if isinstance(found, date):
            await preflight.run(self._database, found, self._unconfigured)
            return preflight.SOON  # to see that it was made, here or elsewhere
        return found
