"""Subscribers at a test's command: a page, what happens on it, who is told, loops by hand."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from app.channels.base import Sender
from app.channels.email import SmtpSender, SmtpServer, StartTls
from app.core.security import hash_key
from app.crud import crud_subscriber
from app.crud.crud_subscriber import Scopes
from app.db.session import Database, transaction_time
from app.domain.notification import Channel
from app.domain.subscriber import Cadence, SubscriberOrigin, read_address
from app.models import Subscriber
from app.services.subscriber_keys import Keys, Wishes, new_row
from app.worker.compose_subscriber import Writer
from app.worker.subscribers import Subscribers
from tests.channels.servers import Mailbox
from tests.worker.hooks import sender as hook_sender
from tests.world import Scripted, World

BASE = "https://tocsin.test"


def keys(world: World) -> Keys:
    return Keys(world.service.signer, world.service.vault)


def to_server(mailbox: Mailbox, **options: Any) -> SmtpSender:
    server = SmtpServer("127.0.0.1", mailbox.port, starttls=StartTls.OFF)
    return SmtpSender(server, "Status <status@example.org>", **options)


def loops(
    world: World,
    senders: Sequence[Sender] | None = None,
    database: Database | None = None,
    **options: Any,
) -> Subscribers:
    """The loops of one process; without jitter."""
    options.setdefault("chance", lambda: 0.0)
    chosen = [Scripted()] if senders is None else senders
    writer = Writer(keys(world), BASE)
    return Subscribers(database or world.database, chosen, hook_sender(), writer, **options)


async def run(works: Subscribers) -> None:
    """Write down who is owed what, and send everything that is due now, as the loops do."""
    await works.fan_out()
    await deliver(works)


async def deliver(works: Subscribers) -> None:
    freed = asyncio.Event()
    works.freed = freed.set
    freed.set()
    while freed.is_set():
        freed.clear()
        await works.deliver_due()
        await works.drain()


async def subscribe(
    world: World,
    address: str = "sam@example.org",
    *,
    channel: Channel = Channel.EMAIL,
    components: Sequence[int] = (),
    groups: Sequence[int] = (),
    incidents: Sequence[int] = (),
    frequency: Cadence = Cadence.IMMEDIATE,
    is_proved: bool = True,
) -> Subscriber:
    """Somebody who is told, of everything unless something is named."""
    scopes = Scopes(tuple(components), tuple(groups), tuple(incidents))
    wishes = Wishes(scopes.count == 0, scopes, frequency)
    given, found = read_address(channel, address), keys(world)
    async with world.database.writing() as session:
        now = await transaction_time(session)
        row = new_row(
            given,
            found.digest(given),
            wishes,
            found,
            SubscriberOrigin.ADMIN,
            is_proved=is_proved,
            now=now,
        )
        made = await crud_subscriber.add(session, Subscriber(**row))
        await crud_subscriber.want(session, made.id, scopes)
    return made


def token_of(world: World, subscriber: Subscriber) -> str:
    token = keys(world).token(subscriber.link_number)
    assert hash_key(token) == subscriber.token_hash
    return token


async def component(world: World, name: str = "Checkout", group: int | None = None) -> int:
    [(made,)] = await world.sql(
        "INSERT INTO status_components (name, group_id) VALUES (:name, :group) RETURNING id",
        name=name,
        group=group,
    )
    return int(made)


async def group(world: World, name: str = "Shop") -> int:
    [(made,)] = await world.sql(
        "INSERT INTO component_groups (name) VALUES (:name) RETURNING id", name=name
    )
    return int(made)


async def public_incident(world: World, title: str = "Checkout is slow", code: str = "c0de") -> int:
    """An incident that the public knows; nothing internal of it may be read."""
    [(made,)] = await world.sql(
        "WITH i AS (INSERT INTO incidents (title, severity, status, source, service) VALUES"
        " ('INTERNAL db-7 of Ben', 'high', 'open', 'manual', 'INTERNAL') RETURNING id)"
        " INSERT INTO public_incidents (incident_id, code, title, impact, started_at)"
        " SELECT id, :code, :title, 'minor', now() FROM i RETURNING id",
        title=title,
        code=code,
    )
    return int(made)


async def notice(
    world: World,
    incident: int,
    *,
    kind: str = "incident_created",
    body: str | None = "We are looking into it.",
    components: Sequence[int] = (),
    author: int | None = None,
) -> int:
    """Something happened that subscribers are to hear of, as the services say it."""
    now = await world.clock.now()
    update = None
    if body is not None:
        [(update,)] = await world.sql(
            "INSERT INTO public_updates (public_incident_id, status, body, posted_at, author_id)"
            " VALUES (:incident, 'investigating', :body, :now, :author) RETURNING id",
            incident=incident,
            body=body,
            now=now,
            author=author,
        )
    [(made,)] = await world.sql(
        "INSERT INTO public_notices (kind, public_incident_id, public_update_id, component_ids,"
        " created_at) VALUES (:kind, :incident, :update, :components, :now) RETURNING id",
        kind=kind,
        incident=incident,
        update=update,
        components=list(components),
        now=now,
    )
    return int(made)


async def sent(world: World) -> list[tuple[Any, ...]]:
    """What is in the table of deliveries: kind, status, attempts, what was wrong."""
    found = await world.sql(
        "SELECT kind, status, attempts, last_error FROM subscriber_deliveries ORDER BY id"
    )
    return [tuple(row) for row in found]


async def next_morning(world: World) -> None:
    """Move the clock past the next digest."""
    world.clock.forward(hours=25)


QUICK = timedelta(seconds=2)
