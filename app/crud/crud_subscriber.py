"""Subscribers: found by what nobody can guess, listed for those who look after them.

Whoever changes a subscriber, or what it wants, holds its row.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, or_, select
from sqlalchemy.dialects.postgresql import insert as upsert

from app.crud import base
from app.db.session import ReadSession, WriteSession
from app.domain.notification import Channel
from app.domain.subscriber import Cadence, SubscriberState
from app.models import (
    ComponentGroup,
    PublicIncident,
    StatusComponent,
    Subscriber,
    SubscriberScope,
)


async def get(session: ReadSession, subscriber_id: int) -> Subscriber | None:
    return await base.get(session, Subscriber, subscriber_id)


async def lock(session: WriteSession, subscriber_id: int) -> Subscriber | None:
    """The subscriber, held until commit."""
    return await base.lock(session, Subscriber, subscriber_id)


async def by_address(session: ReadSession, address_hash: str) -> Subscriber | None:
    statement = select(Subscriber).where(Subscriber.address_hash == address_hash)
    return (await session.scalars(statement)).one_or_none()


async def lock_by_address(session: WriteSession, address_hash: str) -> Subscriber | None:
    """The subscriber of this address, held until commit."""
    statement = (
        select(Subscriber)
        .where(Subscriber.address_hash == address_hash)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(statement)).one_or_none()


async def by_token(
    session: ReadSession, token_hash: str, link_number: int | None
) -> Subscriber | None:
    """Whose token it is: by its digest, or by the number that it was read to be made from.

    The second is for tokens that are newer than the installation's key.
    """
    is_meant = Subscriber.token_hash == token_hash
    if link_number is not None:
        is_meant = or_(is_meant, Subscriber.link_number == link_number)
    statement = select(Subscriber).where(is_meant).limit(1)
    return (await session.scalars(statement)).one_or_none()


async def add(session: WriteSession, subscriber: Subscriber) -> Subscriber:
    return await base.add(session, subscriber)


async def remove(session: WriteSession, subscriber: Subscriber) -> None:
    await base.delete(session, subscriber)


# --- Listed -----------------------------------------------------------------------------


@dataclass(frozen=True)
class SubscriberFilter:
    """Which subscribers; an empty field does not narrow.

    `search` is a part of an address, for those who may see them; `address_hash` is a whole one.
    """

    states: Collection[SubscriberState] = ()
    channels: Collection[Channel] = ()
    frequency: Cadence | None = None
    component_id: int | None = None
    search: str | None = None
    address_hash: str | None = None


async def list_page(
    session: ReadSession, where: SubscriberFilter, wanted: base.Window
) -> base.Slice[Subscriber]:
    """Those that match, the newest first."""
    statement = select(Subscriber)
    if where.states:
        statement = statement.where(Subscriber.state.in_(where.states))
    if where.channels:
        statement = statement.where(Subscriber.channel.in_(where.channels))
    if where.frequency is not None:
        statement = statement.where(Subscriber.frequency == where.frequency)
    if where.component_id is not None:
        named = select(SubscriberScope.subscriber_id).where(
            SubscriberScope.component_id == where.component_id
        )
        statement = statement.where(Subscriber.id.in_(named))
    if where.search is not None:
        statement = statement.where(Subscriber.address.icontains(where.search, autoescape=True))
    if where.address_hash is not None:
        statement = statement.where(Subscriber.address_hash == where.address_hash)
    return await base.window(session, statement, Subscriber.id, wanted)


async def before(session: ReadSession, reached: int | None, *, limit: int) -> Sequence[Subscriber]:
    """The next of them all, the newest first, from where a file has come to."""
    statement = select(Subscriber).order_by(Subscriber.id.desc()).limit(limit)
    if reached is not None:
        statement = statement.where(Subscriber.id < reached)
    return (await session.scalars(statement)).all()


async def count_by_state(session: ReadSession) -> dict[SubscriberState, int]:
    """How many there are in each state."""
    statement = select(Subscriber.state, func.count()).group_by(Subscriber.state)
    found = dict((await session.execute(statement)).tuples().all())
    return {state: found.get(state, 0) for state in SubscriberState}


# --- What they want ---------------------------------------------------------------------


@dataclass(frozen=True)
class Scopes:
    """What somebody is told of who does not want everything, by id."""

    components: tuple[int, ...] = ()
    groups: tuple[int, ...] = ()
    incidents: tuple[int, ...] = ()

    @property
    def count(self) -> int:
        return len(self.components) + len(self.groups) + len(self.incidents)


@dataclass(frozen=True)
class ScopeNamed:
    """One thing that a subscriber wants, as people read it."""

    kind: str  # component, group or incident
    id: int
    name: str
    code: str | None = None  # an incident's, by which the public knows it


_NAMED = (
    select(
        SubscriberScope.subscriber_id,
        SubscriberScope.component_id,
        SubscriberScope.group_id,
        SubscriberScope.public_incident_id,
        func.coalesce(StatusComponent.name, ComponentGroup.name, PublicIncident.title),
        PublicIncident.code,
    )
    .outerjoin(StatusComponent, StatusComponent.id == SubscriberScope.component_id)
    .outerjoin(ComponentGroup, ComponentGroup.id == SubscriberScope.group_id)
    .outerjoin(PublicIncident, PublicIncident.id == SubscriberScope.public_incident_id)
    .where(StatusComponent.deleted_at.is_(None), PublicIncident.withdrawn_at.is_(None))
    .order_by(SubscriberScope.id)
)


async def scopes_of(
    session: ReadSession, subscriber_ids: Collection[int]
) -> Mapping[int, list[ScopeNamed]]:
    """What each of them is told of who does not want everything."""
    found: dict[int, list[ScopeNamed]] = {one: [] for one in subscriber_ids}
    statement = _NAMED.where(SubscriberScope.subscriber_id.in_(subscriber_ids))
    for whose, component, group, incident, name, code in await session.execute(statement):
        kind = "component" if component else "group" if group else "incident"
        found[whose].append(ScopeNamed(kind, component or group or incident, name, code))
    return found


async def asked_for(
    session: ReadSession, subscriber_ids: Collection[int]
) -> dict[int, dict[str, Any] | None]:
    """What each of these asked for and has not proved yet."""
    statement = select(Subscriber.id, Subscriber.asked_for).where(Subscriber.id.in_(subscriber_ids))
    return dict((await session.execute(statement)).tuples().all())


async def names_of(session: ReadSession, scopes: Scopes) -> list[str]:
    """What these are called on the page."""
    names: list[str] = []
    for column, key, ids in (
        (StatusComponent.name, StatusComponent.id, scopes.components),
        (ComponentGroup.name, ComponentGroup.id, scopes.groups),
        (PublicIncident.title, PublicIncident.id, scopes.incidents),
    ):
        if ids:
            found = await session.scalars(select(column).where(key.in_(ids)).order_by(key))
            names.extend(found.all())
    return names


async def missing(session: ReadSession, scopes: Scopes) -> dict[str, int]:
    """Of each kind one id that the public page does not have, if there is one."""
    absent = {}
    components = select(StatusComponent.id).where(
        StatusComponent.id.in_(scopes.components), StatusComponent.deleted_at.is_(None)
    )
    groups = select(ComponentGroup.id).where(ComponentGroup.id.in_(scopes.groups))
    for kind, wanted, statement in (
        ("components", scopes.components, components),
        ("groups", scopes.groups, groups),
    ):
        there = set((await session.scalars(statement)).all()) if wanted else set()
        if unknown := [one for one in wanted if one not in there]:
            absent[kind] = unknown[0]
    return absent


async def incident_of(session: ReadSession, code: str) -> int | None:
    """The public incident of this code, if the public may know it."""
    statement = select(PublicIncident.id).where(
        PublicIncident.code == code, PublicIncident.withdrawn_at.is_(None)
    )
    return (await session.scalars(statement)).one_or_none()


async def title_of(session: ReadSession, code: str) -> str | None:
    """What the public incident of this code is called."""
    statement = select(PublicIncident.title).where(
        PublicIncident.code == code, PublicIncident.withdrawn_at.is_(None)
    )
    return (await session.scalars(statement)).one_or_none()


async def components_by_name(session: ReadSession, names: Collection[str]) -> Mapping[str, int]:
    """The ids of components by their names in lower case; of two with one name the older."""
    lowered = func.lower(StatusComponent.name)
    statement = (
        select(lowered, func.min(StatusComponent.id))
        .where(lowered.in_({name.lower() for name in names}), StatusComponent.deleted_at.is_(None))
        .group_by(lowered)
    )
    return dict((await session.execute(statement)).tuples().all())


async def choices(
    session: ReadSession,
) -> tuple[list[tuple[int, str]], list[tuple[int, str, int | None]]]:
    """What one may choose from: the groups, and the components with their groups."""
    groups = select(ComponentGroup.id, ComponentGroup.name).order_by(
        ComponentGroup.position, ComponentGroup.id
    )
    components = (
        select(StatusComponent.id, StatusComponent.name, StatusComponent.group_id)
        .where(StatusComponent.deleted_at.is_(None))
        .order_by(StatusComponent.position, StatusComponent.id)
    )
    return (
        [(one, name) for one, name in await session.execute(groups)],
        [(one, name, group) for one, name, group in await session.execute(components)],
    )


async def want(session: WriteSession, subscriber_id: int, scopes: Scopes) -> None:
    """Be told of these, and of nothing else that was chosen before."""
    await session.execute(
        delete(SubscriberScope).where(SubscriberScope.subscriber_id == subscriber_id)
    )
    await want_too(session, subscriber_id, scopes)


async def want_too(session: WriteSession, subscriber_id: int, scopes: Scopes) -> None:
    """Be told of these as well; what is wanted already stays."""
    rows = list(_rows(subscriber_id, scopes))
    if rows:
        await session.execute(upsert(SubscriberScope).values(rows).on_conflict_do_nothing())


async def add_many(session: WriteSession, rows: Sequence[Mapping[str, object]]) -> dict[str, int]:
    """Write subscribers whose addresses are not there yet; the ids of these, by address digest."""
    if not rows:
        return {}
    statement = (
        upsert(Subscriber)
        .values([dict(row) for row in rows])
        .on_conflict_do_nothing(index_elements=["address_hash"])
        .returning(Subscriber.address_hash, Subscriber.id)
    )
    return dict((await session.execute(statement)).tuples().all())


async def add_scopes(session: WriteSession, wanted: Mapping[int, Scopes]) -> None:
    """What each of some new subscribers wants."""
    rows = [row for one, scopes in wanted.items() for row in _rows(one, scopes)]
    if rows:
        await session.execute(insert(SubscriberScope), rows)


def _rows(subscriber_id: int, scopes: Scopes) -> Iterable[dict[str, int | None]]:
    nothing = {"component_id": None, "group_id": None, "public_incident_id": None}
    for column, ids in (
        ("component_id", scopes.components),
        ("group_id", scopes.groups),
        ("public_incident_id", scopes.incidents),
    ):
        for one in dict.fromkeys(ids):
            yield {**nothing, "subscriber_id": subscriber_id, column: one}


# --- Forgotten --------------------------------------------------------------------------


async def remove_unconfirmed(session: WriteSession, *, before: datetime, limit: int) -> int:
    """Forget up to `limit` addresses that never proved themselves; how many."""
    over = (Subscriber.state == SubscriberState.PENDING) & (Subscriber.asked_at < before)
    return await base.remove_some(
        session, Subscriber.id, over, limit=limit, order=Subscriber.asked_at
    )


async def remove_unsubscribed(session: WriteSession, *, before: datetime, limit: int) -> int:
    """Forget up to `limit` addresses that left before then; how many."""
    left = Subscriber.unsubscribed_at
    return await base.remove_some(session, Subscriber.id, left < before, limit=limit, order=left)
