"""Subscribers as they are shown: addresses whole for admins, masked for everybody else."""

from collections.abc import Iterable, Sequence
from typing import Any

from app.crud import crud_subscriber, crud_subscriber_delivery_list
from app.crud.base import Slice
from app.db.session import ReadSession
from app.domain.notification import Channel
from app.domain.subscriber import masked
from app.models import Subscriber, SubscriberDelivery
from app.services.subscriber_keys import Keys


async def rows(
    session: ReadSession, found: Sequence[Subscriber], *, is_whole: bool
) -> list[dict[str, Any]]:
    """These subscribers with what they want."""
    scopes = await crud_subscriber.scopes_of(session, [one.id for one in found])
    return [
        {
            **_columns(one),
            "address": _address(one.channel, one.address, is_whole=is_whole),
            "bounce_reason": _without(one.bounce_reason, one, is_whole=is_whole),
            "scopes": scopes[one.id],
        }
        for one in found
    ]


async def one(session: ReadSession, found: Subscriber, *, is_whole: bool) -> dict[str, Any]:
    [shown] = await rows(session, [found], is_whole=is_whole)
    return shown


async def to_its_holder(session: ReadSession, found: Subscriber, keys: Keys) -> dict[str, Any]:
    """A subscription for whoever holds its link."""
    scopes = (await crud_subscriber.scopes_of(session, [found.id]))[found.id]
    is_hook = found.channel is Channel.WEBHOOK
    return {
        **_columns(found),
        "address": masked(found.channel, found.address),
        "scopes": [
            {
                "kind": scope.kind,
                "id": None if scope.code else scope.id,
                "code": scope.code,
                "name": scope.name,
            }
            for scope in scopes
        ],
        "signing_secret": keys.hook_secret(found.link_number) if is_hook else None,
    }


async def deliveries(
    session: ReadSession, found: Slice[SubscriberDelivery], *, is_whole: bool
) -> Slice[dict[str, Any]]:
    """A page of what was and will be sent, with where to."""
    who = {delivery.subscriber_id for delivery in found.items}
    addresses = await crud_subscriber_delivery_list.addresses_of(session, who)
    items = []
    for delivery in found.items:
        channel, address = addresses[delivery.subscriber_id]
        error = delivery.last_error
        if error is not None and not is_whole:
            error = error.replace(address, masked(channel, address))
        items.append(
            {
                **_columns(delivery),
                "uid": str(delivery.uid),
                "next_attempt_at": delivery.next_attempt_at,
                "address": _address(channel, address, is_whole=is_whole),
                "last_error": error,
            }
        )
    return Slice(items, found.total, found.total_is_bound, found.next_after)


def csv_cells(found: Iterable[dict[str, Any]]) -> Iterable[list[object]]:
    """Subscribers as lines of a file that can be read in again, but for what is secret."""
    for shown in found:
        wanted = "; ".join(scope.name for scope in shown["scopes"] if scope.kind == "component")
        yield [
            shown["address"],
            str(shown["channel"]),
            str(shown["frequency"]),
            wanted,
            str(shown["state"]),
            shown["created_at"].isoformat(),
            shown["confirmed_at"].isoformat() if shown["confirmed_at"] else None,
        ]


def _columns(row: Subscriber | SubscriberDelivery) -> dict[str, Any]:
    return {one.key: getattr(row, one.key) for one in row.__table__.columns}


def _address(channel: Channel, text: str, *, is_whole: bool) -> str:
    return text if is_whole else masked(channel, text)


def _without(reason: str | None, found: Subscriber, *, is_whole: bool) -> str | None:
    """What a server said often quotes the address."""
    if reason is None or is_whole:
        return reason
    return reason.replace(found.address, masked(found.channel, found.address))
