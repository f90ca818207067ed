"""Messages other than pages: promised here as rows, sent by the same lanes as pages are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.crud import crud_notification
from app.db.session import WriteSession, wake_after_commit
from app.domain.notification import Channel, NotificationKind
from app.models import Notification

DELIVERY = "delivery"  # the loop that sends


@dataclass(frozen=True)
class Letter:
    """One message to one address: a contact method's, or one that is named."""

    kind: NotificationKind
    channel: Channel
    user_id: int | None = None
    contact_method_id: int | None = None
    address: str | None = None
    incident_id: int | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


async def post(session: WriteSession, letter: Letter, *, now: datetime) -> Notification:
    """Promise a message; it leaves once the caller has committed."""
    promised = await crud_notification.add(
        session,
        Notification(
            kind=letter.kind,
            channel=letter.channel,
            recipient=f"user:{letter.user_id}" if letter.user_id is not None else "address",
            rule=0,
            user_id=letter.user_id,
            contact_method_id=letter.contact_method_id,
            address=letter.address,
            incident_id=letter.incident_id,
            facts=dict(letter.facts),
            due_at=now,
            ready_at=now,
            created_at=now,
            updated_at=now,
        ),
    )
    wake_after_commit(session, DELIVERY)
    return promised
