"""Logins, their refresh tokens, and challenges."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import or_, select, update

from app.crud import base
from app.db.session import ReadSession, WriteSession
from app.domain.auth import ChallengePurpose, SessionEnd
from app.models import ApiKey, Challenge, LoginSession, RefreshToken, User


async def add_session(session: WriteSession, login: LoginSession) -> LoginSession:
    return await base.add(session, login)


async def add_token(session: WriteSession, token: RefreshToken) -> RefreshToken:
    return await base.add(session, token)


async def lock_token(
    session: WriteSession, token_hash: str
) -> tuple[RefreshToken, LoginSession, User] | None:
    """A refresh token with its login and its person.

    The login is held: of two who bring the same token, the second sees it used.
    """
    session_id = await session.scalar(
        select(RefreshToken.session_id).where(RefreshToken.token_hash == token_hash)
    )
    if session_id is None:
        return None
    await session.execute(
        select(LoginSession.id).where(LoginSession.id == session_id).with_for_update(key_share=True)
    )
    statement = (
        select(RefreshToken, LoginSession, User)
        .join(LoginSession, LoginSession.id == RefreshToken.session_id)
        .join(User, User.id == LoginSession.user_id)
        .where(RefreshToken.token_hash == token_hash)
        .execution_options(populate_existing=True)
    )
    found = (await session.execute(statement)).tuples().one_or_none()
    return None if found is None else (found[0], found[1], found[2])


async def end_sessions(
    session: WriteSession,
    user_id: int,
    reason: SessionEnd,
    *,
    now: datetime,
    only: Collection[int] | None = None,
) -> None:
    """End a person's logins: all of them, or only these."""
    ending = update(LoginSession).where(
        LoginSession.user_id == user_id, LoginSession.ended_at.is_(None)
    )
    if only is not None:
        ending = ending.where(LoginSession.id.in_(only))
    await session.execute(
        ending.values(ended_at=now, end_reason=reason).execution_options(synchronize_session=False)
    )


async def note_use(
    session: WriteSession, session_id: int, *, expires_at: datetime, now: datetime
) -> None:
    """This login is in use, and goes on until then."""
    await session.execute(
        update(LoginSession)
        .where(LoginSession.id == session_id, LoginSession.ended_at.is_(None))
        .values(last_used_at=now, expires_at=expires_at)
        .execution_options(synchronize_session=False)
    )


async def session_page(
    session: ReadSession, user_id: int, wanted: base.Window
) -> base.Slice[LoginSession]:
    """A person's logins, newest first."""
    statement = select(LoginSession).where(LoginSession.user_id == user_id)
    return await base.window(session, statement, LoginSession.id, wanted)


async def add_challenge(session: WriteSession, challenge: Challenge) -> Challenge:
    return await base.add(session, challenge)


async def get_challenge(session: ReadSession, challenge_id: int) -> Challenge | None:
    return await base.get(session, Challenge, challenge_id)


async def lock_challenge(session: WriteSession, challenge_id: int) -> Challenge | None:
    return await base.lock(session, Challenge, challenge_id)


async def lock_newest_of_method(session: WriteSession, contact_method_id: int) -> Challenge | None:
    """The last challenge sent to a contact method: the ones before it are void."""
    statement = (
        select(Challenge)
        .where(Challenge.contact_method_id == contact_method_id)
        .order_by(Challenge.id.desc())
        .limit(1)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(statement)).one_or_none()


async def void_challenges(
    session: WriteSession, user_id: int, purpose: ChallengePurpose, *, now: datetime
) -> None:
    """What was sent to this person for this purpose is good for nothing any more."""
    await session.execute(
        update(Challenge)
        .where(
            Challenge.user_id == user_id,
            Challenge.purpose == purpose,
            Challenge.used_at.is_(None),
        )
        .values(used_at=now)
        .execution_options(synchronize_session=False)
    )


async def remove_over(session: WriteSession, *, before: datetime, limit: int) -> int:
    """Forget up to `limit` logins and as many challenges that ended before then; how many."""
    gone = 0
    for model in (LoginSession, Challenge):
        is_over = model.expires_at < before
        gone += await base.remove_some(session, model.id, is_over, limit=limit)
    return gone


async def good_among(
    session: ReadSession,
    session_ids: Collection[int],
    key_ids: Collection[int],
    *,
    now: datetime,
) -> tuple[set[int], set[int]]:
    """Which of these logins, and of these API keys, still open anything."""
    logins = (
        select(LoginSession.id)
        .join(User, User.id == LoginSession.user_id)
        .where(
            LoginSession.id.in_(session_ids),
            LoginSession.ended_at.is_(None),
            User.is_active,
            # A token of the API has an end of its own, which it has met before it got here.
            or_(LoginSession.cookie_hash.is_(None), LoginSession.expires_at > now),
        )
    )
    keys = (
        select(ApiKey.id)
        .join(User, User.id == ApiKey.user_id)
        .where(
            ApiKey.id.in_(key_ids),
            ApiKey.revoked_at.is_(None),
            or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now),
            User.is_active,
        )
    )
    return set((await session.scalars(logins)).all()), set((await session.scalars(keys)).all())
