"""Making an account for oneself, coming back into it, and changing its password.

Nothing here tells whether an address has an account: the answer is the same and costs the
same, and what differs goes to the address by mail.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeGuard

from app.core.errors import ForbiddenError, InvalidInputError
from app.core.security import Passwords, Signer
from app.crud import crud_auth, crud_user
from app.db.session import ReadSession, WriteSession
from app.domain.auth import CHALLENGE_LIFE, ChallengePurpose, SessionEnd
from app.domain.notification import Channel, NotificationKind
from app.domain.user import Role
from app.models import Challenge, User
from app.services import audit_log, outbox
from app.services import user as user_service
from app.services.auth import Origin
from app.services.outbox import Letter

SIGNUP, RECOVERY = ChallengePurpose.SIGNUP, ChallengePurpose.RECOVERY


class SignupClosedError(ForbiddenError):
    """Accounts are made by admins here."""

    code = "SIGNUP_CLOSED"


class LinkRefusedError(InvalidInputError):
    """A link that we never made, that is too old, or that was used."""

    code = "LINK_NOT_GOOD"


class WrongPasswordError(InvalidInputError):
    """The current password is another one."""

    code = "WRONG_PASSWORD"


@dataclass(frozen=True)
class Signup:
    """An account that somebody asks for, made once they have shown that they read its mail."""

    email: str
    hashed_password: str
    full_name: str | None
    time_zone: str


async def sign_up(session: WriteSession, wanted: Signup, *, now: datetime) -> None:
    """Send the link that makes the account; to who has one already, a mail that says so."""
    known = await crud_user.by_email(session, wanted.email)
    if known is not None:
        await _write_to(session, known, NotificationKind.SIGNUP_KNOWN, now=now)
        return
    challenge = await _challenge(
        session,
        Challenge(
            purpose=SIGNUP,
            facts={
                "email": wanted.email,
                "hashed_password": wanted.hashed_password,
                "full_name": wanted.full_name,
                "time_zone": wanted.time_zone,
            },
        ),
        now=now,
    )
    letter = Letter(
        NotificationKind.SIGNUP,
        Channel.EMAIL,
        address=wanted.email,
        facts={"challenge_id": challenge.id},
    )
    await outbox.post(session, letter, now=now)


async def confirm_signup(
    session: WriteSession, token: str, signer: Signer, role: Role, *, now: datetime
) -> User:
    """Make the account whose link this is."""
    challenge = await _use(session, SIGNUP, token, signer, now=now)
    new = user_service.NewUser(**challenge.facts, role=role)
    challenge.facts = {}  # nobody needs the password's hash twice
    return await user_service.create(session, new, now=now)


async def recover(session: WriteSession, email: str, *, now: datetime) -> None:
    """Send the link that sets a new password, if there is somebody to send it to.

    Links sent before are void: only the newest mail counts.
    """
    user = await crud_user.by_email(session, email)
    if user is None or not user.is_active:
        return
    await crud_auth.void_challenges(session, user.id, RECOVERY, now=now)
    challenge = await _challenge(session, Challenge(purpose=RECOVERY, user_id=user.id), now=now)
    await _write_to(
        session, user, NotificationKind.RECOVERY, now=now, facts={"challenge_id": challenge.id}
    )


async def reset_password(
    session: WriteSession,
    token: str,
    hashed_password: str,
    signer: Signer,
    origin: Origin,
    *,
    now: datetime,
) -> User:
    """Set the password of whoever got this link by mail, and end all their logins."""
    challenge = await _use(session, RECOVERY, token, signer, now=now)
    user = await crud_user.lock(session, challenge.user_id) if challenge.user_id else None
    if user is None or not user.is_active:
        raise _not_good()
    audit_log.was_proved(session, user)
    await _set_password(session, user, hashed_password, origin, now=now)
    return user


async def prove_current(user: User, password: str, passwords: Passwords) -> None:
    """Whoever changes a password knows the one before."""
    if not await passwords.verify(password, user.hashed_password):
        raise WrongPasswordError("The current password is wrong.", field="current_password")


async def change_password(
    session: WriteSession, proved: User, hashed_password: str, origin: Origin, *, now: datetime
) -> None:
    """Set another password for somebody who proved the current one; every login ends."""
    user = await crud_user.lock(session, proved.id)
    if user is None or user.hashed_password != proved.hashed_password:
        raise WrongPasswordError("The current password is wrong.", field="current_password")
    await _set_password(session, user, hashed_password, origin, now=now)


async def _set_password(
    session: WriteSession, user: User, hashed_password: str, origin: Origin, *, now: datetime
) -> None:
    user.revise({"hashed_password": hashed_password}, now=now)
    await crud_auth.end_sessions(session, user.id, SessionEnd.PASSWORD_CHANGED, now=now)
    await crud_auth.void_challenges(session, user.id, RECOVERY, now=now)
    facts = {"address": origin.address} if origin.address else {}
    await _write_to(session, user, NotificationKind.PASSWORD_CHANGED, now=now, facts=facts)


async def _challenge(session: WriteSession, challenge: Challenge, *, now: datetime) -> Challenge:
    challenge.created_at = now
    challenge.expires_at = now + CHALLENGE_LIFE[challenge.purpose]
    return await crud_auth.add_challenge(session, challenge)


async def is_good(
    session: ReadSession, purpose: ChallengePurpose, token: str, signer: Signer, *, now: datetime
) -> bool:
    """Whether following this link would still do something."""
    challenge_id = signer.read_link(purpose, token)
    if challenge_id is None:
        return False
    return _is_open(await crud_auth.get_challenge(session, challenge_id), purpose, now)


def _is_open(
    challenge: Challenge | None, purpose: ChallengePurpose, now: datetime
) -> TypeGuard[Challenge]:
    return (
        challenge is not None
        and challenge.purpose is purpose
        and challenge.used_at is None
        and challenge.expires_at > now
    )


async def _use(
    session: WriteSession, purpose: ChallengePurpose, token: str, signer: Signer, *, now: datetime
) -> Challenge:
    """Use up the challenge a link stands for."""
    challenge_id = signer.read_link(purpose, token)
    challenge = (
        await crud_auth.lock_challenge(session, challenge_id) if challenge_id is not None else None
    )
    if not _is_open(challenge, purpose, now):
        raise _not_good()
    challenge.used_at = now
    return challenge


def _not_good() -> LinkRefusedError:
    return LinkRefusedError(
        "This link is wrong, too old or was used already; ask for a new one.", field="token"
    )


async def _write_to(
    session: WriteSession,
    user: User,
    kind: NotificationKind,
    *,
    now: datetime,
    facts: Mapping[str, object] | None = None,
) -> None:
    """To the address of the account itself, whatever else the person is paged over."""
    letter = Letter(kind, Channel.EMAIL, user_id=user.id, address=user.email, facts=facts or {})
    await outbox.post(session, letter, now=now)
