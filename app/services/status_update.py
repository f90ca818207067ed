"""News of an incident, to those who were paged for it and want to know how it went on.

Nobody is told what they did themselves. Webhooks that were called are called again in any
case: a program that was told of a problem must hear that it is over. A fire drill makes no news.
"""

from collections.abc import Collection
from datetime import datetime

from app.crud import crud_status_update
from app.crud.crud_status_update import News
from app.db.session import WriteSession, wake_after_commit
from app.domain.incident import AssignmentRole
from app.domain.notification import NotificationKind
from app.domain.user import Actor
from app.models import Incident
from app.services.outbox import DELIVERY


async def announce(
    session: WriteSession,
    incident: Incident,
    kind: NotificationKind,
    *,
    actor: Actor,
    now: datetime,
    assignee_id: int | None = None,
    role: AssignmentRole | None = None,
) -> None:
    """Promise the news: an answer to whoever was paged, an assignment to the assignee alone."""
    if kind is not NotificationKind.ASSIGNED:
        await announce_many(session, [incident], kind, actor=actor, now=now)
    elif assignee_id is not None and assignee_id != actor.user_id:
        facts = {"actor": actor.name, "role": role or AssignmentRole.RESPONDER}
        news = News(kind, [incident.id], facts, actor.user_id)
        if await crud_status_update.tell_assignee(session, news, assignee_id, now=now):
            wake_after_commit(session, DELIVERY)


async def announce_many(
    session: WriteSession,
    incidents: Collection[Incident],
    kind: NotificationKind,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """Promise the same news of several incidents, with one statement."""
    ids = [incident.id for incident in incidents if not incident.is_drill]
    news = News(kind, ids, {"actor": actor.name}, actor.user_id)
    if ids and await crud_status_update.tell_paged(session, news, now=now):
        wake_after_commit(session, DELIVERY)
