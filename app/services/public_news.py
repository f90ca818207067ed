"""Telling the public of a change: the event for whoever listens, the notice for subscribers.

Both are rows of the transaction that made the change. Which words they carry was written for the
public and for nobody else (promise 7): this is handed public rows only.
"""

from collections.abc import Sequence
from datetime import datetime

from app.crud import crud_public_update
from app.db.session import WriteSession, wake_after_commit
from app.domain.event import EventType
from app.domain.public_update import FAN_OUT, NoticeKind
from app.models import (
    PublicIncident,
    PublicMaintenance,
    PublicNotice,
    PublicUpdate,
    StatusComponent,
)
from app.schemas.event import PublicNews
from app.services import event as event_service

GONE = "Withdrawn"  # in place of a title that the public is to see no more


async def tell(
    session: WriteSession,
    kind: EventType,
    about: PublicIncident | PublicMaintenance,
    components: Sequence[StatusComponent],
    *,
    update: PublicUpdate | None = None,
    now: datetime,
) -> None:
    """Tell whoever listens."""
    is_gone = about.withdrawn_at is not None
    news = PublicNews(
        type=kind,
        public_id=about.code,
        title=GONE if is_gone else about.title,
        status=about.status,
        body=update.body if update is not None else None,
        components=[] if is_gone else [component.name for component in components],
    )
    await event_service.publish(session, news, now=now)


async def notify(
    session: WriteSession,
    kind: NoticeKind,
    about: PublicIncident | PublicMaintenance | StatusComponent,
    components: Sequence[StatusComponent],
    *,
    update: PublicUpdate | None = None,
    now: datetime,
) -> None:
    """Have subscribers told."""
    notice = PublicNotice(
        kind=kind,
        public_incident_id=about.id if isinstance(about, PublicIncident) else None,
        public_maintenance_id=about.id if isinstance(about, PublicMaintenance) else None,
        component_id=about.id if isinstance(about, StatusComponent) else None,
        public_update_id=update.id if update is not None else None,
        component_ids=[component.id for component in components],
        created_at=now,
    )
    await crud_public_update.add_notice(session, notice)
    wake_after_commit(session, FAN_OUT)
