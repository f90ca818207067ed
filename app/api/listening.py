"""Says, while this process takes pings, that it does.

If nobody said so for a while, pings may have been lost, and none is missed (`heartbeat_ping`).
"""

import logging
from datetime import timedelta

from app.db.session import Database, WriteSession, transaction_time
from app.domain.heartbeat_monitor import LISTEN_EVERY, LISTENING
from app.services import heartbeat_ping as heartbeat_ping_service

__all__ = ["LISTENING", "LISTEN_EVERY", "Listening"]
log = logging.getLogger(__name__)


class Listening:
    """Notes it in the database, now and then."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def round(self) -> timedelta | None:
        """Note it once."""

        async def listen(session: WriteSession) -> int:
            now = await transaction_time(session)
            return await heartbeat_ping_service.listen(session, now=now)

        excused = await self._database.write(listen)
        if excused:
            log.warning("heartbeats.excused", extra={"heartbeats": excused})
        return None
