"""API keys, by their hash and by whose they are."""

from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select, update

from app.crud import base
from app.db.session import ReadSession, WriteSession
from app.domain.api_key import USE_NOTED_EVERY
from app.models import ApiKey


def _is_live(now: datetime) -> ColumnElement[bool]:
    return ApiKey.revoked_at.is_(None) & or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now)


async def note_use(session: WriteSession, key_id: int, *, now: datetime) -> None:
    """Remember that the key was used, unless that was noted just before."""
    before = now - USE_NOTED_EVERY
    await session.execute(
        update(ApiKey)
        .where(
            ApiKey.id == key_id, or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at <= before)
        )
        .values(last_used_at=now)
        .execution_options(synchronize_session=False)
    )


async def count_live(session: ReadSession, user_id: int, *, now: datetime) -> int:
    statement = select(func.count()).where(ApiKey.user_id == user_id, _is_live(now))
    return (await session.scalars(statement)).one()


async def list_page(
    session: ReadSession, user_id: int | None, wanted: base.Window
) -> base.Slice[ApiKey]:
    """A person's keys, or everybody's, newest first; those that are over, too."""
    statement = select(ApiKey)
    if user_id is not None:
        statement = statement.where(ApiKey.user_id == user_id)
    return await base.window(session, statement, ApiKey.id, wanted)


async def lock(session: WriteSession, key_id: int) -> ApiKey | None:
    return await base.lock(session, ApiKey, key_id)


async def add(session: WriteSession, key: ApiKey) -> ApiKey:
    return await base.add(session, key)
