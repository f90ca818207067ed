"""Writing down how messages went: whatever ended while the last writing was under way, together.

What is lost for good takes the locks of incidents and has a writer of its own: an answer to an
incident that takes its time holds up no other message. It is tried until the lease ends; a
message whose end could not be written by then goes out again, under its mark.
"""

from collections.abc import Sequence
from datetime import datetime

from app.core.metrics import Metrics, Settled
from app.db.coalesce import Coalescer
from app.db.session import Database, WriteSession, transaction_time
from app.domain.lease import Leased
from app.domain.notification import NotificationKind, NotificationStatus
from app.services import outcome as outcome_service
from app.services.outcome import Again, HandedBack, Kept, Lost, Taken, Unknown, Verdict
from app.worker.underway import write_down

MOST = 200
MOST_LOST = 20

Told = tuple[Leased, Verdict]


class Recorder:
    """Writes down how the messages of one lane went."""

    def __init__(self, database: Database, metrics: Metrics | None = None) -> None:
        self._database = database
        self._metrics = metrics
        self._usual: Coalescer[Told, bool] = Coalescer(self._write, most=MOST, flushers=2)
        self._lost: Coalescer[Told, bool] = Coalescer(self._write, most=MOST_LOST, flushers=1)

    async def record(self, lease: Leased, verdict: Verdict, *, patience: float) -> None:
        """Write down how a message went, trying for so many seconds."""
        writer = self._lost if isinstance(verdict, Lost) else self._usual
        await write_down(
            lambda: writer.add((lease, verdict)),
            patience=patience,
            what="delivery",
            notification_id=lease.id,
        )

    async def _write(self, told: list[Told]) -> Sequence[bool]:
        async def write(
            session: WriteSession,
        ) -> tuple[datetime, list[dict[int, NotificationStatus]]]:
            now = await transaction_time(session)
            return now, await outcome_service.record(session, told, now=now)

        now, recorded = await self._database.write(write)
        for (lease, verdict), ours in zip(told, recorded, strict=True):
            self._count(lease, verdict, ours, now)
        return [bool(ours) for ours in recorded]

    def _count(
        self, lease: Leased, verdict: Verdict, ours: dict[int, NotificationStatus], now: datetime
    ) -> None:
        if self._metrics is None:
            return
        for row in lease.rows:
            if row.id in ours:
                is_page = row.kind is NotificationKind.PAGE
                lateness = now - outcome_service.ordered_at(row) if is_page else None
                settled = _settled(row, verdict, ours[row.id])
                self._metrics.page_settled(row.channel, row.kind, settled, lateness)


def _settled(row: Leased, verdict: Verdict, status: NotificationStatus) -> Settled:
    match status, verdict:
        case NotificationStatus.CANCELLED, _:
            return Settled.CANCELLED
        case NotificationStatus.FAILED, _:
            return Settled.FAILED
        case _, Taken():
            return Settled.RESENT if row.is_resend else Settled.SENT
        case _, Kept():
            return Settled.KEPT
        case _, HandedBack():
            return Settled.HANDED_BACK
        case _, Again() | Unknown() | Lost():
            return Settled.RETRIED
    raise AssertionError("unreachable")
