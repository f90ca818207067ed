"""Wordings of an installation's own, each found by what it words."""

from collections.abc import Sequence

from sqlalchemy import Select, func, select

from app.crud import base
from app.db.session import ReadSession, WriteSession
from app.domain.notification import Channel, NotificationKind
from app.models import MessageTemplate


async def list_all(session: ReadSession) -> Sequence[MessageTemplate]:
    return (await session.scalars(select(MessageTemplate))).all()


async def get(
    session: ReadSession, kind: NotificationKind, channel: Channel
) -> MessageTemplate | None:
    return (await session.scalars(_of(kind, channel))).one_or_none()


async def lock(
    session: WriteSession, kind: NotificationKind, channel: Channel
) -> MessageTemplate | None:
    """The wording, or the place where there is none yet, held until commit."""
    place = func.hashtextextended(f"message template {kind} {channel}", 0)
    await session.execute(select(func.pg_advisory_xact_lock(place)))
    return (await session.scalars(_of(kind, channel).with_for_update(key_share=True))).one_or_none()


async def add(session: WriteSession, template: MessageTemplate) -> MessageTemplate:
    return await base.add(session, template)


async def remove(session: WriteSession, template: MessageTemplate) -> None:
    await base.delete(session, template)


def _of(kind: NotificationKind, channel: Channel) -> Select[tuple[MessageTemplate]]:
    return (
        select(MessageTemplate)
        .where(MessageTemplate.kind == kind, MessageTemplate.channel == channel)
        .execution_options(populate_existing=True)
    )
