"""Who of the public is told: they ask, prove their address, choose, and leave.

What somebody asked for counts once the link that was sent to the address was followed; until then
a stranger who typed it has changed nothing. Whoever asks is answered alike, whether or not the
address is known. Leaving needs no proof but the link, and ends what has not left yet.

Whoever changes a subscriber holds its row.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from app.core.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from app.core.security import hash_key
from app.crud import crud_subscriber, crud_subscriber_delivery
from app.crud.crud_subscriber import ScopeNamed, Scopes, SubscriberFilter
from app.db.session import ReadSession, WriteSession, wake_after_commit
from app.domain.notification import Channel
from app.domain.subscriber import (
    LINK_PURPOSE,
    MOST_SCOPES,
    Address,
    LetterKind,
    SubscriberOrigin,
    SubscriberState,
    in_words,
    read_address,
)
from app.domain.throttle import SUBSCRIBING_PER_ADDRESS, SUBSCRIBING_PER_CLIENT, Quota
from app.domain.user import Permission
from app.models import Subscriber, User
from app.schemas.subscriber import checked
from app.services.subscriber_keys import Keys, Wishes, new_row
from app.services.target import InvalidAddressError, Objection, require_callable

DELIVERY = "subscriber_delivery"  # the loop that sends to subscribers
ASKED_LATELY = timedelta(minutes=5)  # who asks for the same again within this is sent one link
LEFT = "Its subscriber unsubscribed before it was sent."
ASKED_ANEW = "A newer link was asked for."


class SubscriberLinkRefusedError(NotFoundError):
    """The token in a link is none of ours, or its subscription is over."""

    def __init__(self) -> None:
        super().__init__("subscription", "")
        self.message = "This link leads nowhere: the subscription is over, or it was mistyped."
        self.args = (self.message,)


class AddressSubscribedError(ConflictError):
    """The address is in the list already."""

    code = "ADDRESS_SUBSCRIBED"


class NotConfirmedError(ConflictError):
    """What may only be done to a subscription that counts."""

    code = "SUBSCRIPTION_NOT_CONFIRMED"


class ChannelUnavailableError(InvalidInputError):
    """Nobody can be told over this channel here."""

    code = "CHANNEL_UNAVAILABLE"


def tries(digest: str, client: str) -> list[tuple[Quota, str]]:
    """What asking counts against: the address, and whoever asks."""
    return [(SUBSCRIBING_PER_ADDRESS, digest), (SUBSCRIBING_PER_CLIENT, client)]


def read(
    channel: Channel,
    given: str,
    objection: Objection,
    *,
    unconfigured: Collection[Channel] = (),
    by_admin: bool = False,
) -> Address:
    """The address that somebody gave, if it is one that we would send to."""
    if channel in unconfigured:
        raise ChannelUnavailableError(
            f"Nobody is told by {channel} here; choose another way.", field="channel"
        )
    try:
        address = read_address(channel, checked(channel, given))
    except ValueError as error:
        raise InvalidAddressError("address", str(error)) from None
    if channel is Channel.WEBHOOK:
        require_callable(given, objection, place="address")
    elif address.own_host and not by_admin:
        raise InvalidAddressError(
            "address", "It names a host of its own, which only an admin may allow; ask one."
        )
    return address


async def check(session: ReadSession, wishes: Wishes) -> None:
    """Refuse what the page does not have."""
    if wishes.scopes.count > MOST_SCOPES:
        raise InvalidInputError(
            f"Choose at most {MOST_SCOPES} components, groups and incidents; or everything.",
            field="components",
        )
    if not wishes.is_for_everything and wishes.scopes.count == 0:
        raise InvalidInputError(
            "Choose everything, or at least one component, group or incident.", field="components"
        )
    for kind, absent in (await crud_subscriber.missing(session, wishes.scopes)).items():
        raise InvalidInputError(f"There is no {kind[:-1]} {absent}.", field=kind)


async def incident_of(session: ReadSession, code: str) -> int:
    """The public incident that somebody wants to be told of."""
    found = await crud_subscriber.incident_of(session, code)
    if found is None:
        raise InvalidInputError("There is no such incident on the status page.", field="incident")
    return found


# --- Asked for, proved ------------------------------------------------------------------


async def ask(
    session: WriteSession, address: Address, wishes: Wishes, keys: Keys, *, now: datetime
) -> None:
    """Send the address a link, which makes all this count. The same again soon is no second."""
    await check(session, wishes)
    digest = keys.digest(address)
    row = new_row(address, digest, wishes, keys, SubscriberOrigin.PUBLIC, now=now)
    made = await crud_subscriber.add_many(session, [row])  # of many at once, one makes it
    if made:
        await crud_subscriber.add_scopes(session, {made[digest]: wishes.scopes})
        await _send_link(session, made[digest], address.channel, now=now)
        return
    found = await crud_subscriber.lock_by_address(session, digest)
    if found is None:  # forgotten in this very moment
        return
    is_repeated = found.asked_for == wishes.kept() and now - found.asked_at < ASKED_LATELY
    if is_repeated and found.state is not SubscriberState.UNSUBSCRIBED:
        return
    if found.state is SubscriberState.UNSUBSCRIBED:
        found.revise({"state": SubscriberState.PENDING, "unsubscribed_at": None}, now=now)
    found.asked_for, found.asked_at = wishes.kept(), now
    await crud_subscriber_delivery.cancel_waiting(
        session, found.id, ASKED_ANEW, kind=LetterKind.CONFIRMATION, now=now
    )
    await _send_link(session, found.id, found.channel, now=now)


async def _send_link(
    session: WriteSession, subscriber_id: int, channel: Channel, *, now: datetime
) -> None:
    await crud_subscriber_delivery.owe_link(session, [(subscriber_id, channel)], now=now)
    wake_after_commit(session, DELIVERY)


async def holder(session: ReadSession, token: str, keys: Keys) -> Subscriber:
    """Whose link this is."""
    number = keys.signer.read_link(LINK_PURPOSE, token)
    found = await crud_subscriber.by_token(session, hash_key(token), number)
    if found is None:
        raise SubscriberLinkRefusedError
    return found


async def _hold(session: WriteSession, token: str, keys: Keys) -> Subscriber:
    found = await holder(session, token, keys)
    if await crud_subscriber.lock(session, found.id) is None:
        raise SubscriberLinkRefusedError
    return found


async def confirm(session: WriteSession, token: str, keys: Keys, *, now: datetime) -> Subscriber:
    """Whoever follows the link reads what is sent there: what was asked for counts from now on."""
    found = await _hold(session, token, keys)
    if found.state is SubscriberState.UNSUBSCRIBED:
        raise NotConfirmedError("This subscription was ended; subscribe again on the status page.")
    wishes = None if found.asked_for is None else Wishes.read(found.asked_for)
    was_active = found.state is SubscriberState.ACTIVE
    if wishes is not None:
        # Whoever was told already is told more by it, and nothing less.
        is_wider = wishes.is_for_everything or (was_active and found.is_for_everything)
        found.revise({"is_for_everything": is_wider, "frequency": wishes.frequency}, now=now)
        await crud_subscriber.want_too(session, found.id, wishes.scopes)
        found.asked_for = None
    if not was_active:
        proved = {"state": SubscriberState.ACTIVE, "confirmed_at": now}
        found.revise({**proved, "bounced_at": None, "bounce_reason": None}, now=now)
    return found


# --- What they choose -------------------------------------------------------------------


async def choose(
    session: WriteSession, found: Subscriber, fields: Mapping[str, Any], *, now: datetime
) -> Subscriber:
    """Write the named wishes: `is_for_everything`, `frequency`, and `scopes` as a whole."""
    scopes: Scopes | None = fields.get("scopes")
    there = (await crud_subscriber.scopes_of(session, [found.id]))[found.id]
    kept = scopes if scopes is not None else _ids(there)
    wishes = Wishes(
        fields.get("is_for_everything", found.is_for_everything),
        kept,
        fields.get("frequency", found.frequency),
    )
    await check(session, wishes)
    if scopes is not None and scopes != _ids(there):
        await crud_subscriber.want(session, found.id, scopes)
        found.touch(now)
    simple = {name: fields[name] for name in ("is_for_everything", "frequency") if name in fields}
    found.revise(simple, now=now)
    return found


def _ids(there: Collection[ScopeNamed]) -> Scopes:
    return Scopes(
        tuple(one.id for one in there if one.kind == "component"),
        tuple(one.id for one in there if one.kind == "group"),
        tuple(one.id for one in there if one.kind == "incident"),
    )


async def with_scopes(
    session: ReadSession, subscriber_id: int, fields: Mapping[str, Any]
) -> dict[str, Any]:
    """The fields with `components` and `groups` as one set of scopes; what is not named stays."""
    given = dict(fields)
    components, groups = given.pop("components", None), given.pop("groups", None)
    if components is None and groups is None:
        return given
    there = _ids((await crud_subscriber.scopes_of(session, [subscriber_id]))[subscriber_id])
    given["scopes"] = Scopes(
        there.components if components is None else tuple(components),
        there.groups if groups is None else tuple(groups),
        there.incidents,
    )
    return given


async def choose_by_link(
    session: WriteSession, token: str, fields: Mapping[str, Any], keys: Keys, *, now: datetime
) -> Subscriber:
    """The same by whoever holds the link of a subscription that counts."""
    found = await _hold(session, token, keys)
    if found.state is not SubscriberState.ACTIVE:
        raise NotConfirmedError("Confirm the subscription first, with the link that was sent.")
    return await choose(session, found, fields, now=now)


async def unsubscribe(
    session: WriteSession, token: str, keys: Keys, *, now: datetime
) -> Subscriber:
    """Send nothing more, and nothing of what has not left yet. Again is no mistake."""
    found = await _hold(session, token, keys)
    if found.state is not SubscriberState.UNSUBSCRIBED:
        found.revise(
            {
                "state": SubscriberState.UNSUBSCRIBED,
                "unsubscribed_at": now,
                "bounced_at": None,
                "bounce_reason": None,
            },
            now=now,
        )
        found.asked_for = None
        await crud_subscriber_delivery.cancel_waiting(session, found.id, LEFT, now=now)
    return found


# --- For those who look after them ------------------------------------------------------


async def require(session: ReadSession, subscriber_id: int) -> Subscriber:
    found = await crud_subscriber.get(session, subscriber_id)
    if found is None:
        raise NotFoundError("subscriber", subscriber_id)
    return found


def require_search_right(where: SubscriberFilter, *, is_whole: bool) -> None:
    """Whoever sees addresses masked does not find them out by searching for their parts."""
    if where.search is not None and not is_whole:
        raise ForbiddenError(
            "Only admins search for addresses, since others see them masked.",
            needs=Permission.ADMINISTER.value,
        )


async def add(
    session: WriteSession,
    address: Address,
    wishes: Wishes,
    keys: Keys,
    *,
    have_agreed: bool,
    by: User,
    now: datetime,
) -> Subscriber:
    """Add somebody: at an admin's word that they agreed, or by sending them the link."""
    await check(session, wishes)
    digest = keys.digest(address)
    if await crud_subscriber.by_address(session, digest) is not None:
        raise AddressSubscribedError(
            "This address is among the subscribers already; search for it.", field="address"
        )
    origin = SubscriberOrigin.ADMIN
    row = new_row(address, digest, wishes, keys, origin, by=by.id, is_proved=have_agreed, now=now)
    made = await crud_subscriber.add(session, Subscriber(**row))
    await crud_subscriber.want(session, made.id, wishes.scopes)
    if not have_agreed:
        await _send_link(session, made.id, made.channel, now=now)
    return made


async def update(
    session: WriteSession, subscriber_id: int, fields: Mapping[str, Any], *, now: datetime
) -> Subscriber:
    """Write the named fields. `is_paused` false tells an address again that refused before."""
    found = await crud_subscriber.lock(session, subscriber_id)
    if found is None:
        raise NotFoundError("subscriber", subscriber_id)
    if fields.get("is_paused") is False and found.state is SubscriberState.BOUNCING:
        state = SubscriberState.ACTIVE if found.confirmed_at else SubscriberState.PENDING
        found.revise({"state": state, "bounced_at": None, "bounce_reason": None}, now=now)
    return await choose(session, found, fields, now=now)


async def remove(session: WriteSession, subscriber_id: int) -> None:
    """Forget an address and all that was sent there."""
    found = await crud_subscriber.lock(session, subscriber_id)
    if found is None:
        raise NotFoundError("subscriber", subscriber_id)
    await crud_subscriber.remove(session, found)


def wants_in_words(wishes: Wishes, names: Collection[str]) -> str:
    """What a subscription is for, in a sentence."""
    return in_words(wishes.frequency, () if wishes.is_for_everything else names)
