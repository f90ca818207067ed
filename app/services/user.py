"""People: making, changing and deactivating them. Passwords come in hashed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.core.errors import ConflictError, InvalidInputError, NotFoundError
from app.crud import crud_auth, crud_notification_preference, crud_user
from app.db.session import ReadSession, WriteSession
from app.domain.auth import SessionEnd
from app.domain.notification import Channel
from app.domain.user import Role
from app.models import ContactMethod, NotificationRule, User


class EmailTakenError(ConflictError):
    """Somebody has this address already."""

    code = "EMAIL_TAKEN"


class LastAdminError(ConflictError):
    """Nobody would be left who can administer Tocsin, or be paged when nobody else is."""

    code = "LAST_ADMIN"


class UserIsTargetError(ConflictError):
    """An active policy pages this person by name."""

    code = "USER_IS_A_TARGET"


class UserInactiveError(InvalidInputError):
    """A deactivated person cannot take part."""

    code = "USER_INACTIVE"


@dataclass(frozen=True)
class NewUser:
    email: str
    hashed_password: str
    full_name: str | None = None
    role: Role = Role.RESPONDER
    phone: str | None = None
    time_zone: str = "UTC"


async def anybody(session: ReadSession) -> bool:
    return await crud_user.any_exists(session)


async def require(session: ReadSession, user_id: int) -> User:
    user = await crud_user.get(session, user_id)
    if user is None or user.deleted_at is not None:
        raise NotFoundError("user", user_id)
    return user


async def recall(session: ReadSession, user_id: int) -> User:
    """Somebody who is, or was, here."""
    user = await crud_user.get(session, user_id)
    if user is None:
        raise NotFoundError("user", user_id)
    return user


async def require_active(session: ReadSession, user_id: int) -> User:
    user = await require(session, user_id)
    if not user.is_active:
        raise UserInactiveError(f"{user.display_name} is deactivated.", user_id=user_id)
    return user


async def create(session: WriteSession, new: NewUser, *, now: datetime) -> User:
    """A person who can log in and is paged at once by mail, the set that everybody starts with.

    The address counts as verified: an administrator vouches for it.
    """
    if await crud_user.by_email(session, new.email) is not None:
        raise EmailTakenError("There is a user with this mail address already.", field="email")
    user = await crud_user.add(
        session,
        User(
            email=new.email.strip(),
            hashed_password=new.hashed_password,
            full_name=new.full_name,
            role=new.role,
            phone=new.phone,
            time_zone=new.time_zone,
            created_at=now,
            updated_at=now,
        ),
    )
    method = await crud_notification_preference.add_method(
        session,
        ContactMethod(
            user_id=user.id,
            channel=Channel.EMAIL,
            address=user.email,
            label="mail",
            verified_at=now,
            created_at=now,
            updated_at=now,
        ),
    )
    await crud_notification_preference.add_rule(
        session,
        NotificationRule(
            user_id=user.id,
            contact_method_id=method.id,
            position=0,
            delay_minutes=0,
            created_at=now,
            updated_at=now,
        ),
    )
    return user


async def update(
    session: WriteSession, user_id: int, fields: Mapping[str, Any], *, now: datetime
) -> User:
    """Write the named fields. The last active admin stays one."""
    loses_admin = fields.get("is_active") is False or fields.get("role") not in (None, Role.ADMIN)
    if loses_admin:
        admins = await crud_user.lock_active_admins(session)
        if [admin.id for admin in admins] == [user_id]:
            raise LastAdminError("This is the last active admin; make another one first.")
    user = await crud_user.lock(session, user_id)
    if user is None or user.deleted_at is not None:
        raise NotFoundError("user", user_id)
    email = fields.get("email")
    if email is not None and email != user.email:
        other = await crud_user.by_email(session, email)
        if other is not None and other.id != user_id:
            raise EmailTakenError("There is a user with this mail address already.", field="email")
        await crud_notification_preference.move_address(
            session, user_id, Channel.EMAIL, user.email, email, now=now
        )
    user.revise(fields, now=now)
    if not user.is_active:
        await crud_auth.end_sessions(session, user_id, SessionEnd.DEACTIVATED, now=now)
    elif "hashed_password" in fields:
        await crud_auth.end_sessions(session, user_id, SessionEnd.PASSWORD_CHANGED, now=now)
    return user


async def remove(session: WriteSession, user_id: int, *, now: datetime) -> None:
    """Close an account for good. The row stays, for the history that names it."""
    policies = await crud_user.policies_that_page(session, user_id)
    if policies:
        raise UserIsTargetError(
            f"Policies page this person: {', '.join(policies)}. Change them first, so that no"
            " step reaches nobody.",
            policies=policies,
        )
    await update(session, user_id, {"is_active": False}, now=now)
    user = await crud_user.lock(session, user_id)
    assert user is not None  # it was just updated
    await crud_user.remove_addresses(session, user_id)
    user.phone = None
    user.deleted_at = now


async def create_first(session: WriteSession, new: NewUser, *, now: datetime) -> bool:
    """Make the first user there is; False if somebody is there. Replicas that start at once
    take turns."""
    await crud_user.lock_first(session)
    if await crud_user.any_exists(session):
        return False
    await create(session, new, now=now)
    return True
