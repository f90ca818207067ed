"""Telling the public: the only way for an event to reach people without a login.

What is told comes as a `PublicEvent`, a shape with no room for anything internal (promise 7).
What the console is told needs no call: it is written with the timeline.
"""

from datetime import datetime

from app.crud import crud_event
from app.db import feed
from app.db.session import WriteSession
from app.domain.event import Audience
from app.models import Event
from app.schemas.event import PublicNews


async def publish(session: WriteSession, news: PublicNews, *, now: datetime) -> Event:
    """Tell everybody, once the caller has committed."""
    event = Event(
        type=news.type,
        audience=Audience.PUBLIC,
        data=news.model_dump(mode="json", exclude={"type"}),
        created_at=now,
    )
    feed.after_commit(session)
    return await crud_event.add(session, event)
