"""Housekeeping: forget what is over, in batches that hold nobody up.

Nothing that somebody waits for is done here; a replica that comes late finds less to do. A round
ends after so many batches of each kind, and the next comes soon while there is more.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from app.crud import (
    crud_alert,
    crud_audit_log,
    crud_auth,
    crud_calendar_shift,
    crud_event,
    crud_idempotency_key,
    crud_notification,
    crud_on_call_notice,
    crud_subscriber,
    crud_subscriber_delivery,
    crud_subscriber_import,
    crud_throttle,
    crud_webhook_delivery,
)
from app.db.session import Database, WriteSession, transaction_time
from app.domain.subscriber import FORGOTTEN_AFTER, UNCONFIRMED_FOR
from app.services import idempotency_key as idempotency_key_service

BATCH = 500
MOST_BATCHES = 40  # of each kind in one round: the next one goes on
NEXT_ROUND = timedelta(seconds=5)  # while there is more
LOGINS_KEPT = timedelta(days=30)  # and challenges, after they ended
LETTERS_KEPT = timedelta(days=90)
NOTICES_KEPT = timedelta(days=30)  # of duty: what was sent of them is a letter
BODIES_KEPT = timedelta(days=14)  # of alerts, unless a setting says otherwise
EVENTS_KEPT = timedelta(days=7)  # likewise
DELIVERIES_KEPT = timedelta(days=30)  # to webhook subscriptions, after they ended
IMPORTS_KEPT = timedelta(days=30)  # files of subscribers, after they were taken in
CALENDARS_KEPT = timedelta(days=800)  # what calendars said of a time, after it ended

Remove = Callable[[WriteSession, datetime], Awaitable[int]]


async def _throttles(session: WriteSession, now: datetime) -> int:
    return await crud_throttle.remove_over(session, now=now, limit=BATCH)


async def _logins(session: WriteSession, now: datetime) -> int:
    return await crud_auth.remove_over(session, before=now - LOGINS_KEPT, limit=BATCH)


async def _letters(session: WriteSession, now: datetime) -> int:
    return await crud_notification.remove_old_letters(
        session, before=now - LETTERS_KEPT, limit=BATCH
    )


async def _notices(session: WriteSession, now: datetime) -> int:
    return await crud_on_call_notice.remove_old(session, before=now - NOTICES_KEPT, limit=BATCH)


async def _answers(session: WriteSession, now: datetime) -> int:
    return await crud_idempotency_key.remove_old(
        session, before=now - idempotency_key_service.KEPT, limit=BATCH
    )


async def _deliveries(session: WriteSession, now: datetime) -> int:
    return await crud_webhook_delivery.remove_over(
        session, before=now - DELIVERIES_KEPT, limit=BATCH
    )


async def _calendar_shifts(session: WriteSession, now: datetime) -> int:
    return await crud_calendar_shift.remove_over(session, before=now - CALENDARS_KEPT, limit=BATCH)


async def _abandoned_deliveries(session: WriteSession, now: datetime) -> int:
    return await crud_webhook_delivery.cancel_abandoned(session, now=now, limit=BATCH)


async def _unconfirmed(session: WriteSession, now: datetime) -> int:
    return await crud_subscriber.remove_unconfirmed(
        session, before=now - UNCONFIRMED_FOR, limit=BATCH
    )


async def _unsubscribed(session: WriteSession, now: datetime) -> int:
    return await crud_subscriber.remove_unsubscribed(
        session, before=now - FORGOTTEN_AFTER, limit=BATCH
    )


async def _sent_to_subscribers(session: WriteSession, now: datetime) -> int:
    return await crud_subscriber_delivery.remove_over(
        session, before=now - FORGOTTEN_AFTER, limit=BATCH
    )


async def _imports(session: WriteSession, now: datetime) -> int:
    return await crud_subscriber_import.remove_over(session, before=now - IMPORTS_KEPT, limit=BATCH)


class Housekeeping:
    """Sweeps, and counts what it removed since this process began."""

    def __init__(
        self,
        database: Database,
        *,
        bodies_kept: timedelta = BODIES_KEPT,
        events_kept: timedelta = EVENTS_KEPT,
        audit_kept_days: int = 0,
    ) -> None:
        self._database = database
        self._bodies_kept = bodies_kept
        self._events_kept = events_kept
        self._audit_kept_days = audit_kept_days
        self._rooms: tuple[Remove, ...] = (
            _throttles,
            _deliveries,
            _abandoned_deliveries,
            _calendar_shifts,
            _logins,
            _letters,
            _notices,
            _answers,
            _sent_to_subscribers,
            _unsubscribed,
            _unconfirmed,
            _imports,
            self._bodies,
            self._events,
            self._audit_log,
        )
        self.removed = 0

    async def sweep(self) -> timedelta | None:
        """Forget what is over; how long until there is more of it, if it was too much at once."""
        has_more = False
        for remove in self._rooms:
            has_more |= await self._sweep_room(remove)
        return NEXT_ROUND if has_more else None

    async def _sweep_room(self, remove: Remove) -> bool:
        """Whether something may be left."""
        for _ in range(MOST_BATCHES):
            count = await self._sweep_once(remove)
            self.removed += count
            if count == 0:
                return False
        return True

    async def _sweep_once(self, remove: Remove) -> int:
        async def once(session: WriteSession) -> int:
            return await remove(session, await transaction_time(session))

        return await self._database.write(once)

    async def _bodies(self, session: WriteSession, now: datetime) -> int:
        return await crud_alert.forget_bodies(session, before=now - self._bodies_kept, limit=BATCH)

    async def _events(self, session: WriteSession, now: datetime) -> int:
        return await crud_event.remove_old(session, before=now - self._events_kept, limit=BATCH)

    async def _audit_log(self, session: WriteSession, _: datetime) -> int:
        """By the database's own clock: that is what it compares with, whoever asks."""
        if self._audit_kept_days == 0:  # for good
            return 0
        return await crud_audit_log.forget(session, kept_days=self._audit_kept_days, limit=BATCH)
