"""Logins: how one begins, goes on and ends.

A refusal that must be remembered (a token that came twice) is returned, not raised: the door
commits first and refuses then.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.core.errors import UnauthorizedError
from app.core.security import Passwords, hash_key, new_cookie, new_refresh_token
from app.crud import crud_auth, crud_caller, crud_user
from app.crud.crud_caller import LiveLogin
from app.db.session import Database, WriteSession
from app.domain.auth import USE_NOTED_EVERY, SessionEnd, browser_expiry
from app.models import LoginSession, RefreshToken, User
from app.services import audit_log

WRONG = "The mail address or the password is wrong."


class WrongCredentialsError(UnauthorizedError):
    """The same for an unknown address, a wrong password and a deactivated account."""

    code = "WRONG_CREDENTIALS"


class RefreshRefusedError(UnauthorizedError):
    """This refresh token begins nothing any more."""

    code = "REFRESH_TOKEN_REFUSED"


@dataclass(frozen=True)
class Origin:
    """Where a login comes from, for whoever reads the list of their logins."""

    address: str | None = None
    user_agent: str | None = None


@dataclass(frozen=True)
class Grant:
    """A login, and the one refresh token that continues it. The token is not kept anywhere."""

    user: User
    session_id: int
    refresh_token: str
    at: datetime


async def prove(account: User | None, password: str, passwords: Passwords) -> User:
    """The account, if the password is its own and it is active; in the same time if it is not."""
    known = account is not None and account.is_active
    matches = await passwords.verify(
        password, account.hashed_password if known and account else None
    )
    if not matches or account is None:
        raise WrongCredentialsError(WRONG)
    return account


async def begin(
    session: WriteSession,
    user: User,
    proved: str,
    origin: Origin,
    *,
    life: timedelta,
    now: datetime,
) -> Grant:
    """Let somebody in who has proved who they are.

    The account is held and looked at again: a password that was changed, or an account that
    was closed, since it was proved lets nobody in.
    """
    login = await _let_in(session, user, proved, origin, life=life, now=now)
    return Grant(user, login.id, await _next_token(session, login.id, life=life, now=now), now)


async def begin_in_browser(
    session: WriteSession,
    user: User,
    proved: str,
    origin: Origin,
    *,
    life: timedelta,
    now: datetime,
) -> str:
    """Let somebody in with a browser; the cookie that proves it from now on, kept nowhere."""
    cookie = new_cookie()
    hashed = hash_key(cookie)
    await _let_in(session, user, proved, origin, life=life, cookie_hash=hashed, now=now)
    return cookie


async def _let_in(
    session: WriteSession,
    user: User,
    proved: str,
    origin: Origin,
    *,
    life: timedelta,
    cookie_hash: str | None = None,
    now: datetime,
) -> LoginSession:
    held = await crud_user.lock(session, user.id)
    if held is None or not held.is_active or held.hashed_password != proved:
        raise WrongCredentialsError(WRONG)
    audit_log.was_proved(session, user)
    login = LoginSession(
        user_id=user.id,
        address=origin.address and origin.address[:64],
        user_agent=origin.user_agent and origin.user_agent[:255],
        created_at=now,
        last_used_at=now,
        expires_at=now + life,
        cookie_hash=cookie_hash,
    )
    return await crud_auth.add_session(session, login)


async def in_browser(database: Database, cookie: str, *, life: timedelta) -> LiveLogin | None:
    """The login that this cookie proves, if it is good; that it is in use is written down."""
    login = await crud_caller.of_cookie(database, hash_key(cookie))
    if login is not None and login.now - login.last_used_at >= USE_NOTED_EVERY:
        until = browser_expiry(login.begun_at, life, login.now)
        async with database.writing() as session:
            await crud_auth.note_use(session, login.id, expires_at=until, now=login.now)
    return login


async def refresh(
    session: WriteSession, token: str, *, life: timedelta, now: datetime
) -> Grant | RefreshRefusedError:
    """Trade a refresh token for the next one.

    One that was used before is held by two, and one of them stole it: the login ends for both.
    """
    found = await crud_auth.lock_token(session, hash_key(token))
    if found is None:
        return RefreshRefusedError("This refresh token is not known; log in again.")
    brought, login, user = found
    if brought.used_at is not None:
        await crud_auth.end_sessions(session, user.id, SessionEnd.REUSE, now=now, only=[login.id])
        await _note_end(session, user.id, login.id, SessionEnd.REUSE, now=now)
        return RefreshRefusedError(
            "This refresh token was used before, so its login has been ended; log in again."
        )
    if login.ended_at is not None or brought.expires_at <= now or not user.is_active:
        return RefreshRefusedError("This login is over; log in again.")
    brought.used_at = login.last_used_at = now
    login.expires_at = now + life
    return Grant(user, login.id, await _next_token(session, login.id, life=life, now=now), now)


async def end(
    session: WriteSession, user_id: int, session_id: int, *, everywhere: bool, now: datetime
) -> None:
    """Log out, here or wherever this person is logged in."""
    only = None if everywhere else [session_id]
    await crud_auth.end_sessions(session, user_id, SessionEnd.LOGOUT, now=now, only=only)
    which = "all" if everywhere else session_id
    await _note_end(session, user_id, which, SessionEnd.LOGOUT, now=now)


async def note_failure(session: WriteSession, account: User | None, *, now: datetime) -> None:
    """Remember that somebody did not get in.

    What they typed is not written down: a password may stand where the address belongs.
    """
    tried = {} if account is None else {"user_id": account.id}
    await audit_log.note(session, "session.refused", None, after=tried, now=now)


async def _note_end(
    session: WriteSession, user_id: int, which: int | str, reason: SessionEnd, *, now: datetime
) -> None:
    after = {"user_id": user_id, "end_reason": reason}
    await audit_log.note(session, "session.ended", which, after=after, now=now)


async def _next_token(
    session: WriteSession, session_id: int, *, life: timedelta, now: datetime
) -> str:
    token = new_refresh_token()
    await crud_auth.add_token(
        session,
        RefreshToken(
            session_id=session_id,
            token_hash=hash_key(token),
            created_at=now,
            expires_at=now + life,
        ),
    )
    return token
