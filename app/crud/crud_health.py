"""How late the most overdue promises are: one look at the head of each due index."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from app.db.session import ReadSession
from app.domain.notification import NotificationKind
from app.models import Escalation, Notification


@dataclass(frozen=True)
class Lateness:
    """Seconds."""

    steps: float
    pages: float


async def lateness(session: ReadSession, *, now: datetime) -> Lateness:
    step_due = await session.scalar(
        select(func.min(Escalation.next_step_at)).where(Escalation.next_step_at.is_not(None))
    )
    page_due = await session.scalar(
        select(func.min(Notification.ready_at)).where(
            Notification.ready_at.is_not(None), Notification.kind == NotificationKind.PAGE
        )
    )
    return Lateness(_seconds_since(step_due, now), _seconds_since(page_due, now))


def _seconds_since(due_at: datetime | None, now: datetime) -> float:
    return max((now - due_at).total_seconds(), 0.0) if due_at else 0.0
