"""Postmortems: one of each incident, found by it; what was published of them, and before."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, column, delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import joinedload, selectinload

from app.crud import base
from app.db.session import ReadSession, WriteSession
from app.domain.incident import Severity
from app.domain.postmortem import PostmortemStatus
from app.models import (
    Incident,
    Postmortem,
    PostmortemReviewer,
    PostmortemTemplate,
    PostmortemVersion,
    PublicIncident,
    PublicIncidentComponent,
    PublicNotice,
    StatusComponent,
    TimelineEvent,
)

TEMPLATE_ID = 1
MOST_OFFERED = 200
SHOWN = (
    joinedload(Postmortem.incident),
    joinedload(Postmortem.owner),
    selectinload(Postmortem.reviews).joinedload(PostmortemReviewer.user),
)


class PostmortemOrder(StrEnum):
    ID = "id"
    UPDATED_AT = "updated_at"


ORDERS: base.Orders = {PostmortemOrder.UPDATED_AT: Postmortem.updated_at}


@dataclass(frozen=True)
class PostmortemFilter:
    """Which postmortems; an empty field does not narrow."""

    status: Collection[PostmortemStatus] = ()
    owner_id: int | None = None
    reviewer_id: int | None = None
    service: Collection[str] = ()
    severity: Collection[Severity] = ()
    is_public: bool | None = None
    search: str | None = None


async def of_incident(session: ReadSession, incident_id: int) -> Postmortem | None:
    """The postmortem of an incident that is not deleted, with all that is shown of it."""
    statement = _visible().where(Postmortem.incident_id == incident_id).options(*SHOWN)
    found = await session.scalars(statement.execution_options(populate_existing=True))
    return found.one_or_none()


async def by_id(session: ReadSession, postmortem_id: int) -> Postmortem | None:
    statement = _visible().where(Postmortem.id == postmortem_id).options(*SHOWN)
    found = await session.scalars(statement.execution_options(populate_existing=True))
    return found.one_or_none()


async def lock(session: WriteSession, incident_id: int) -> Postmortem | None:
    """The postmortem of an incident, held until commit."""
    statement = _visible().where(Postmortem.incident_id == incident_id)
    held = statement.with_for_update(of=Postmortem, key_share=True)
    found = await session.scalars(held.execution_options(populate_existing=True))
    return found.one_or_none()


async def add(session: WriteSession, postmortem: Postmortem) -> Postmortem:
    return await base.add(session, postmortem)


async def list_page(
    session: ReadSession, where: PostmortemFilter, wanted: base.Window
) -> base.Slice[Postmortem]:
    """Newest first, unless another order is wanted."""
    statement = _visible().options(*SHOWN)
    if where.status:
        statement = statement.where(Postmortem.status.in_(where.status))
    if where.owner_id is not None:
        statement = statement.where(Postmortem.owner_id == where.owner_id)
    if where.reviewer_id is not None:
        statement = statement.where(
            exists().where(
                PostmortemReviewer.postmortem_id == Postmortem.id,
                PostmortemReviewer.user_id == where.reviewer_id,
            )
        )
    if where.service:
        statement = statement.where(Incident.service.in_(where.service))
    if where.severity:
        statement = statement.where(Incident.severity.in_(where.severity))
    if where.is_public is not None:
        statement = statement.where(Postmortem.is_public.is_(where.is_public))
    if where.search is not None:
        asked = func.websearch_to_tsquery("simple", where.search)
        statement = statement.where(column("words", _selectable=_TABLE).op("@@")(asked))
    return await base.window(session, statement, Postmortem.id, wanted, orders=ORDERS)


_TABLE = Postmortem.metadata.tables["postmortems"]


def _visible() -> Select[tuple[Postmortem]]:
    """What became of an incident that was deleted is there for nobody, as it is itself."""
    return (
        select(Postmortem)
        .join(Incident, Incident.id == Postmortem.incident_id)
        .where(Incident.deleted_at.is_(None))
    )


async def picked(
    session: ReadSession, incident_id: int, event_ids: Collection[int]
) -> dict[int, TimelineEvent]:
    """Those of these timeline entries that belong to an incident."""
    statement = select(TimelineEvent).where(
        TimelineEvent.incident_id == incident_id, TimelineEvent.id.in_(event_ids)
    )
    return {one.id: one for one in await session.scalars(statement)}


# --- Reviewers ----------------------------------------------------------------------------


async def let_review(session: WriteSession, postmortem_id: int, user_ids: Collection[int]) -> None:
    """Let these be the reviewers; who was one already keeps what they said."""
    await session.execute(
        delete(PostmortemReviewer)
        .where(
            PostmortemReviewer.postmortem_id == postmortem_id,
            PostmortemReviewer.user_id.not_in(user_ids),
        )
        .execution_options(synchronize_session=False)
    )
    if user_ids:
        rows = [{"postmortem_id": postmortem_id, "user_id": key} for key in sorted(user_ids)]
        await session.execute(upsert(PostmortemReviewer).values(rows).on_conflict_do_nothing())


async def reviewer_ids(session: ReadSession, postmortem_id: int) -> list[int]:
    statement = (
        select(PostmortemReviewer.user_id)
        .where(PostmortemReviewer.postmortem_id == postmortem_id)
        .order_by(PostmortemReviewer.user_id)
    )
    return list((await session.scalars(statement)).all())


async def ask(session: WriteSession, postmortem_id: int, *, now: datetime) -> None:
    """Every reviewer is asked, anew: what they approved of before may be another text now."""
    await session.execute(
        update(PostmortemReviewer)
        .where(PostmortemReviewer.postmortem_id == postmortem_id)
        .values(asked_at=now, approved_at=None)
        .execution_options(synchronize_session=False)
    )


async def approve(
    session: WriteSession, postmortem_id: int, user_id: int, *, now: datetime
) -> None:
    """Note that somebody approves; from here on they are among the reviewers."""
    row = {"postmortem_id": postmortem_id, "user_id": user_id, "approved_at": now}
    statement = upsert(PostmortemReviewer).values(row)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["postmortem_id", "user_id"], set_={"approved_at": now}
        )
    )


# --- What it said before ------------------------------------------------------------------


async def add_version(session: WriteSession, version: PostmortemVersion) -> PostmortemVersion:
    return await base.add(session, version)


async def versions(
    session: ReadSession, postmortem_id: int, wanted: base.Window
) -> base.Slice[PostmortemVersion]:
    """What a published postmortem has said, the latest first."""
    statement = select(PostmortemVersion).where(PostmortemVersion.postmortem_id == postmortem_id)
    return await base.window(session, statement, PostmortemVersion.id, wanted)


# --- What the public may read -------------------------------------------------------------


@dataclass(frozen=True)
class PublicText:
    """What the public reads of a postmortem, all of it out of public columns."""

    code: str  # of the public incident
    title: str  # likewise
    summary: str
    body: str
    published_at: datetime
    amended_at: datetime | None


_PUBLIC: tuple[Any, ...] = (
    PublicIncident.id,
    PublicIncident.code,
    PublicIncident.title,
    Postmortem.public_summary,
    Postmortem.public_body,
    Postmortem.public_at,
    Postmortem.public_amended_at,
)


def _published() -> Select[Any]:
    return (
        select(*_PUBLIC)
        .join(Postmortem, Postmortem.incident_id == PublicIncident.incident_id)
        .join(Incident, Incident.id == PublicIncident.incident_id)
        .where(
            Postmortem.is_public,
            PublicIncident.withdrawn_at.is_(None),
            Incident.deleted_at.is_(None),
        )
    )


async def public_text(session: ReadSession, code: str) -> PublicText | None:
    """The published postmortem of a public incident."""
    found = (await session.execute(_published().where(PublicIncident.code == code))).one_or_none()
    return None if found is None else PublicText(*found[1:])


async def public_texts(
    session: ReadSession, public_incident_ids: Collection[int]
) -> dict[int, PublicText]:
    """The published postmortems of these public incidents, by one statement."""
    rows = await session.execute(_published().where(PublicIncident.id.in_(public_incident_ids)))
    return {row[0]: PublicText(*row[1:]) for row in rows}


async def public_incident(session: ReadSession, incident_id: int) -> PublicIncident | None:
    """What the public sees of an incident; so it stays for whoever holds the page."""
    statement = (
        select(PublicIncident)
        .where(
            PublicIncident.incident_id == incident_id,
            PublicIncident.withdrawn_at.is_(None),
        )
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(statement)).one_or_none()


async def components_of(session: ReadSession, public_incident_id: int) -> dict[int, str]:
    """The components that a public incident concerns, by name."""
    statement = (
        select(StatusComponent.id, StatusComponent.name)
        .join(
            PublicIncidentComponent,
            PublicIncidentComponent.component_id == StatusComponent.id,
        )
        .where(PublicIncidentComponent.public_incident_id == public_incident_id)
        .order_by(StatusComponent.name)
    )
    return dict((await session.execute(statement)).tuples().all())


async def add_notice(session: WriteSession, notice: PublicNotice) -> PublicNotice:
    """Owe subscribers a word; whoever fans it out takes it from here."""
    return await base.add(session, notice)


# --- The template -------------------------------------------------------------------------


async def template(session: ReadSession) -> PostmortemTemplate | None:
    return await base.get(session, PostmortemTemplate, TEMPLATE_ID)


async def lock_template(session: WriteSession) -> PostmortemTemplate | None:
    """The template, or the place where there is none yet, held until commit."""
    place = func.hashtextextended("postmortem template", 0)
    await session.execute(select(func.pg_advisory_xact_lock(place)))
    return await base.lock(session, PostmortemTemplate, TEMPLATE_ID)


async def add_template(
    session: WriteSession, fields: Mapping[str, Any], *, by: int, now: datetime
) -> PostmortemTemplate:
    row = PostmortemTemplate(
        id=TEMPLATE_ID, **fields, updated_by=by, revision=1, created_at=now, updated_at=now
    )
    return await base.add(session, row)


async def remove_template(session: WriteSession, row: PostmortemTemplate) -> None:
    await base.delete(session, row)


async def timeline_of(session: ReadSession, incident_id: int) -> Sequence[TimelineEvent]:
    """What there is to pick from: the first and the last of an incident's timeline."""
    statement = select(TimelineEvent).where(TimelineEvent.incident_id == incident_id)
    first = (await session.scalars(statement.order_by(TimelineEvent.id).limit(MOST_OFFERED))).all()
    if len(first) < MOST_OFFERED:
        return first
    last = await session.scalars(statement.order_by(TimelineEvent.id.desc()).limit(MOST_OFFERED))
    kept = {one.id: one for one in [*first, *last.all()]}
    return [kept[key] for key in sorted(kept)]
