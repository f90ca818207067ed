"""The addresses a person is reached at, and the proof that they are theirs.

Nobody is paged at an address until whoever reads it has entered the code that was sent
there; not even an admin can vouch for it. A wrong code is counted although it is refused, so
its refusal is returned and not raised: the caller raises it once the count is committed.
"""

import hmac
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.core.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from app.core.security import Signer, Vault
from app.crud import crud_auth, crud_contact_method, crud_notification_preference
from app.db.session import ReadSession, WriteSession
from app.domain.auth import CHALLENGE_LIFE, MOST_WRONG_CODES, ChallengePurpose
from app.domain.contact_method import MOST_METHODS, Address, Given, read_address, secret_place
from app.domain.notification import Channel, NotificationKind
from app.domain.throttle import CODES_PER_METHOD, CODES_PER_USER, TESTS_PER_USER, Quota
from app.domain.user import Permission
from app.models import Challenge, ContactMethod, Notification, User
from app.services import notification_preference, outbox
from app.services import user as user_service
from app.services.outbox import Letter
from app.services.target import InvalidAddressError, Objection, require_callable
from app.services.user import UserInactiveError

PURPOSE = ChallengePurpose.CONTACT_METHOD
LIFE = CHALLENGE_LIFE[PURPOSE]
# What the field is called in which the address of each channel is given.
FIELDS = {
    Channel.EMAIL: "address",
    Channel.SMS: "phone",
    Channel.PUSH: "subscription",
    Channel.CHAT: "url",
    Channel.WEBHOOK: "url",
}


class OwnHostError(ForbiddenError):
    """Which hosts Tocsin calls for a chat is for admins to say."""

    code = "OWN_HOST_NEEDS_ADMIN"


class AddressTakenError(ConflictError):
    """The person has this contact method already."""

    code = "CONTACT_METHOD_EXISTS"


class TooManyMethodsError(ConflictError):
    """Nobody needs so many."""

    code = "TOO_MANY_CONTACT_METHODS"


class AlreadyVerifiedError(ConflictError):
    """There is nothing left to prove."""

    code = "ALREADY_VERIFIED"


class NotVerifiedError(ConflictError):
    """Nobody has shown yet that they read what is sent there."""

    code = "NOT_VERIFIED"


class CodeExpiredError(ConflictError):
    """No code that was sent is good any more."""

    code = "CODE_EXPIRED"


class InvalidCodeError(InvalidInputError):
    """Another code was sent."""

    code = "INVALID_CODE"


@dataclass(frozen=True)
class NewMethod:
    address: Address
    label: str | None = None
    wants_updates: bool = False


@dataclass(frozen=True)
class CodeSent:
    """A code that is on its way."""

    channel: Channel
    address: str
    expires_at: datetime

    def message(self, unconfigured: Collection[Channel]) -> str:
        """What whoever asked for it should do now."""
        if self.channel in unconfigured:
            return (
                f"No code can leave: {self.channel} is not set up in this installation. Once an"
                " admin has set it up, have a new code sent."
            )
        minutes = LIFE // timedelta(minutes=1)
        return f"A code is on its way to {self.address}; enter it within {minutes} minutes."


def read(channel: Channel, given: Given, objection: Objection, *, by: User) -> Address:
    """The address that somebody gave, if it is one and they may give it."""
    try:
        address = read_address(channel, given)
    except ValueError as error:
        raise InvalidAddressError(FIELDS[channel], str(error)) from None
    if channel is Channel.WEBHOOK:
        require_callable(address.text, objection, place=FIELDS[channel])
    if address.own_host and not by.may(Permission.ADMINISTER):
        raise OwnHostError(
            "Tocsin would call a host that this URL names, which only an admin may allow; ask one"
            " to add it to your contact methods.",
            needs=Permission.ADMINISTER.value,
        )
    return address


def code_tries(user_id: int, channel: Channel, address: str) -> list[tuple[Quota, str]]:
    """What sending a code counts against: whoever asks, and whoever gets it."""
    return [(CODES_PER_USER, str(user_id)), (CODES_PER_METHOD, f"{channel} {address.lower()}")]


def test_tries(user_id: int) -> list[tuple[Quota, str]]:
    """What sending a test counts against."""
    return [(TESTS_PER_USER, str(user_id))]


async def methods(session: ReadSession, user_id: int) -> Sequence[ContactMethod]:
    await user_service.require(session, user_id)
    return await crud_contact_method.of_user(session, user_id)


async def require(session: ReadSession, user_id: int, method_id: int) -> ContactMethod:
    method = await crud_contact_method.get(session, user_id, method_id)
    if method is None:
        raise NotFoundError("contact method", method_id)
    return method


async def lock(session: WriteSession, user_id: int, method_id: int) -> ContactMethod:
    """The contact method, held with its person until the commit."""
    await notification_preference.hold(session, user_id)
    return await require(session, user_id, method_id)


async def require_unverified(session: ReadSession, user_id: int, method_id: int) -> ContactMethod:
    method = await require(session, user_id, method_id)
    if method.verified_at is not None:
        raise AlreadyVerifiedError("This contact method is verified already; pages reach it.")
    return method


async def create(
    session: WriteSession, user_id: int, new: NewMethod, vault: Vault, *, now: datetime
) -> tuple[ContactMethod, CodeSent | None]:
    """Add an address and send it a code. One that proves itself is paged from now on."""
    await _hold_active(session, user_id)
    there = await crud_contact_method.of_user(session, user_id)
    address = new.address
    if any(one.channel is address.channel and address.is_same(one.address) for one in there):
        raise AddressTakenError(
            "This address is among the contact methods already.", field=FIELDS[address.channel]
        )
    if len(there) >= MOST_METHODS:
        raise TooManyMethodsError(
            f"There are {MOST_METHODS} contact methods already, which is the most there can be;"
            " remove one first."
        )
    place = secret_place(user_id, address.channel, address.text)
    method = await crud_notification_preference.add_method(
        session,
        ContactMethod(
            user_id=user_id,
            channel=address.channel,
            address=address.text,
            secret=vault.lock(address.secret, place=place) if address.secret else None,
            label=new.label,
            wants_updates=new.wants_updates,
            verified_at=now if address.proves_itself else None,
            created_at=now,
            updated_at=now,
        ),
    )
    if address.proves_itself:
        await notification_preference.page_over(session, method, now=now)
        return method, None
    return method, await _send_code(session, method, now=now)


async def update(
    session: WriteSession, user_id: int, method_id: int, fields: Mapping[str, Any], *, now: datetime
) -> ContactMethod:
    """Write the named fields. The address stays: another one is another contact method."""
    method = await lock(session, user_id, method_id)
    notification_preference.amend(method, fields, now=now)
    return method


async def remove(session: WriteSession, user_id: int, method_id: int, *, now: datetime) -> None:
    """Forget an address. Its rules go with it, and the others close ranks."""
    method = await lock(session, user_id, method_id)
    await notification_preference.drop_rules_over(session, method, now=now)
    await crud_contact_method.remove(session, method)


async def send_code(
    session: WriteSession, user_id: int, method_id: int, *, now: datetime
) -> CodeSent:
    """Send a new code. Those sent before are good for nothing any more."""
    await _hold_active(session, user_id)
    method = await require_unverified(session, user_id, method_id)
    return await _send_code(session, method, now=now)


async def verify(
    session: WriteSession, user_id: int, method_id: int, code: str, signer: Signer, *, now: datetime
) -> ContactMethod | InvalidCodeError:
    """Take the code that was sent last, and page there from now on; or the refusal of a wrong one.

    A contact method that is verified already needs no code.
    """
    method = await lock(session, user_id, method_id)
    if method.verified_at is not None:
        return method
    challenge = await crud_auth.lock_newest_of_method(session, method_id)
    if (
        challenge is None
        or challenge.used_at is not None
        or challenge.expires_at <= now
        or challenge.failures >= MOST_WRONG_CODES
    ):
        raise CodeExpiredError(
            "The code is too old or was tried too often; have a new one sent and enter that."
        )
    if not hmac.compare_digest(code.encode(), signer.code(PURPOSE, challenge.id).encode()):
        challenge.failures += 1
        return _wrong(MOST_WRONG_CODES - challenge.failures)
    challenge.used_at = now
    method.verified_at = method.updated_at = now
    await notification_preference.page_over(session, method, now=now)
    return method


async def send_test(
    session: WriteSession, user_id: int, method_id: int, *, now: datetime
) -> tuple[ContactMethod, Notification]:
    """Send a message that asks for nothing, to see whether a page would arrive."""
    await _hold_active(session, user_id)
    method = await require(session, user_id, method_id)
    if method.verified_at is None:
        raise NotVerifiedError(
            "This contact method is not verified; enter the code that was sent to it first."
        )
    letter = Letter(
        NotificationKind.TEST,
        method.channel,
        user_id=user_id,
        contact_method_id=method_id,
    )
    return method, await outbox.post(session, letter, now=now)


def _wrong(left: int) -> InvalidCodeError:
    if left == 0:
        hint = "That was the last try; have a new one sent."
    else:
        hint = f"{left} {'try is' if left == 1 else 'tries are'} left."
    return InvalidCodeError(f"This is not the code that was sent last. {hint}", tries_left=left)


async def _send_code(session: WriteSession, method: ContactMethod, *, now: datetime) -> CodeSent:
    challenge = await crud_auth.add_challenge(
        session,
        Challenge(
            purpose=PURPOSE,
            user_id=method.user_id,
            contact_method_id=method.id,
            created_at=now,
            expires_at=now + LIFE,
        ),
    )
    letter = Letter(
        NotificationKind.VERIFICATION,
        method.channel,
        user_id=method.user_id,
        contact_method_id=method.id,
        facts={"challenge_id": challenge.id},
    )
    await outbox.post(session, letter, now=now)
    return CodeSent(method.channel, method.address, challenge.expires_at)


async def _hold_active(session: WriteSession, user_id: int) -> None:
    """Nothing is sent to somebody who is deactivated."""
    user = await notification_preference.hold(session, user_id)
    if not user.is_active:
        raise UserInactiveError(f"{user.display_name} is deactivated.", user_id=user_id)
