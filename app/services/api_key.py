"""API keys: with one a program acts as whoever made it, within its scopes and its owner's role.

A key is shown once and kept as a hash. What it may do is asked each time: a role that was taken
away, an account that was closed, takes effect with the next request.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.core.errors import ConflictError, InvalidInputError, NotFoundError
from app.core.security import hash_key, new_api_key
from app.crud import crud_api_key, crud_caller, crud_user
from app.db.session import Database, WriteSession
from app.domain.api_key import HINT, MOST_KEYS, USE_NOTED_EVERY, KeyInUse, beyond, is_ours, whole
from app.domain.user import Permission
from app.models import ApiKey, User


class ScopeBeyondRoleError(InvalidInputError):
    """A key may not do what its owner may not."""

    code = "SCOPE_BEYOND_ROLE"


class TooManyKeysError(ConflictError):
    """One person has this many keys already."""

    code = "TOO_MANY_API_KEYS"


@dataclass(frozen=True)
class Wanted:
    """A key that somebody asks for."""

    name: str
    scopes: Sequence[Permission]
    expires_at: datetime | None = None


@dataclass(frozen=True)
class NewApiKey:
    """A key as it is shown once, and the row that keeps its hash."""

    secret: str
    row: ApiKey


@dataclass(frozen=True)
class Holder:
    """Whose key a program brought, and when; `is_noted` says that its use was written down just
    before."""

    user: User
    key: KeyInUse
    now: datetime
    is_noted: bool


async def create(session: WriteSession, wanted: Wanted, *, owner: User, now: datetime) -> NewApiKey:
    """A key of one's own. Its scopes come with what they include."""
    too_much = beyond(wanted.scopes, owner.role)
    if too_much:
        raise ScopeBeyondRoleError(
            f"Your role ({owner.role}) does not allow “{too_much[0]}”, so no key of yours can;"
            " leave that scope out, or ask an admin for another role.",
            field="scopes",
        )
    if wanted.expires_at is not None and wanted.expires_at <= now:
        raise InvalidInputError("The key would have expired already.", field="expires_at")
    await crud_user.lock(session, owner.id)  # of two who make the last one, one waits
    if await crud_api_key.count_live(session, owner.id, now=now) >= MOST_KEYS:
        raise TooManyKeysError(
            f"You have {MOST_KEYS} live keys already; revoke one that nobody uses.",
            limit=MOST_KEYS,
        )
    secret = new_api_key()
    row = ApiKey(
        user_id=owner.id,
        name=wanted.name,
        key_hash=hash_key(secret),
        hint=secret[:HINT],
        scopes=[scope.value for scope in whole(wanted.scopes)],
        created_at=now,
        expires_at=wanted.expires_at,
    )
    return NewApiKey(secret, await crud_api_key.add(session, row))


async def revoke(session: WriteSession, key_id: int, *, by: User, now: datetime) -> None:
    """End a key of one's own, or anybody's for an admin; one that is revoked stays so."""
    row = await crud_api_key.lock(session, key_id)
    if row is None or (row.user_id != by.id and not by.may(Permission.ADMINISTER)):
        raise NotFoundError("API key", key_id)
    if row.revoked_at is None:
        row.revoked_at = now


async def holder(database: Database, secret: str) -> Holder | None:
    """Whose key this is and what it is limited to; None if it opens nothing, or nothing more."""
    if not is_ours(secret):
        return None
    live = await crud_caller.of_key(database, hash_key(secret))
    if live is None:
        return None
    key = KeyInUse(live.id, frozenset(Permission(scope) for scope in live.scopes))
    used = live.last_used_at
    is_noted = used is not None and live.now - used < USE_NOTED_EVERY
    return Holder(live.user, key, live.now, is_noted)


async def note_use(session: WriteSession, key_id: int, *, now: datetime) -> None:
    """Remember, to the minute, that a key was used."""
    await crud_api_key.note_use(session, key_id, now=now)
