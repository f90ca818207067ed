"""Contact methods, rules and switches of people."""

from datetime import datetime

from sqlalchemy import update

from app.crud import base
from app.db.session import WriteSession
from app.domain.notification import Channel
from app.models import ContactMethod, NotificationRule


async def add_method(session: WriteSession, method: ContactMethod) -> ContactMethod:
    return await base.add(session, method)


async def add_rule(session: WriteSession, rule: NotificationRule) -> NotificationRule:
    return await base.add(session, rule)


async def move_address(
    session: WriteSession, user_id: int, channel: Channel, old: str, new: str, *, now: datetime
) -> None:
    """Where a person was reached at `old`, they are reached at `new`."""
    await session.execute(
        update(ContactMethod)
        .where(
            ContactMethod.user_id == user_id,
            ContactMethod.channel == channel,
            ContactMethod.address == old,
        )
        .values(address=new, updated_at=now)
        .execution_options(synchronize_session=False)
    )
