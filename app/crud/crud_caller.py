"""Whose login or API key somebody brings: asked with every request, so by one statement each."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import make_transient_to_detached

from app.db.session import Database
from app.domain.user import Role
from app.models import User

_COLUMNS = User.__table__.columns.keys()
_PERSON = ", ".join(f"u.{column}" for column in _COLUMNS)
_OF_LOGIN = f"""
    SELECT {_PERSON}
    FROM users u JOIN login_sessions s ON s.user_id = u.id
    WHERE u.id = $1 AND u.is_active AND s.id = $2 AND s.ended_at IS NULL
"""  # noqa: S608  # names of columns
_OF_KEY = f"""
    SELECT {_PERSON}, k.id AS key_id, k.scopes, k.last_used_at, clock.now
    FROM (SELECT now() + $2::interval AS now) clock, api_keys k JOIN users u ON u.id = k.user_id
    WHERE k.key_hash = $1 AND u.is_active AND k.revoked_at IS NULL
        AND (k.expires_at IS NULL OR k.expires_at > clock.now)
"""  # noqa: S608
_OF_COOKIE = f"""
    SELECT {_PERSON}, s.id AS session_id, s.created_at AS begun_at, s.last_used_at, clock.now,
        coalesce((SELECT max(position) FROM event_feed), 0) AS heard
    FROM (SELECT now() + $2::interval AS now) clock,
        login_sessions s JOIN users u ON u.id = s.user_id
    WHERE s.cookie_hash = $1 AND u.is_active AND s.ended_at IS NULL AND s.expires_at > clock.now
"""  # noqa: S608


@dataclass(frozen=True)
class LiveLogin:
    """A browser's login that is good, and whose it is; `heard` is how far the feed was then."""

    id: int
    user: User
    begun_at: datetime
    last_used_at: datetime
    now: datetime
    heard: int


@dataclass(frozen=True)
class LiveKey:
    """A key that opens something, and its owner."""

    id: int
    user: User
    scopes: list[str]
    last_used_at: datetime | None
    now: datetime


async def of_login(database: Database, user_id: int, session_id: int) -> User | None:
    """The person whose login this is, if both are still good."""
    rows = await database.ask(_OF_LOGIN, user_id, session_id)
    return _person(rows[0]) if rows else None


async def of_cookie(database: Database, cookie_hash: str) -> LiveLogin | None:
    """The browser's login with its person, if both are still good."""
    rows = await database.ask(_OF_COOKIE, cookie_hash, database.clock_shift)
    if not rows:
        return None
    row = rows[0]
    return LiveLogin(
        row["session_id"],
        _person(row),
        row["begun_at"],
        row["last_used_at"],
        row["now"],
        row["heard"],
    )


async def of_key(database: Database, key_hash: str) -> LiveKey | None:
    """The key with its owner, if it still opens anything: both are good."""
    rows = await database.ask(_OF_KEY, key_hash, database.clock_shift)
    if not rows:
        return None
    row = rows[0]
    return LiveKey(row["key_id"], _person(row), row["scopes"], row["last_used_at"], row["now"])


def _person(row: Mapping[str, Any]) -> User:
    """Of no session; one that was handed it would not add it anew."""
    user = User(**{column: row[column] for column in _COLUMNS})
    user.role = Role(user.role)
    make_transient_to_detached(user)
    return user
