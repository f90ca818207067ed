"""Publishing an incident, and telling the public how it goes on.

State, timeline, audit log, events and what subscribers are to hear commit together. A public
`resolved` resolves the incident, and `investigating` after it reopens it, in the same transaction;
the other way round nothing is ever published by itself: an incident that ends without a word to the
public has its people reminded (`public_reminder`).

Locking: the incident, then the page, as `services.status_page` says.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from app.core.errors import ConflictError, NotFoundError
from app.crud import crud_incident, crud_public_incident, crud_public_update
from app.db.session import ReadSession, WriteSession
from app.domain.event import EventType
from app.domain.incident import IncidentStatus, TimelineType
from app.domain.public_incident import TRANSITIONS, Impact, PublicStatus, may_become
from app.domain.public_update import NoticeKind, UpdateStatus
from app.domain.status_component import ComponentStatus
from app.domain.status_page import new_code, next_update_due, reminder_for
from app.domain.user import Actor
from app.models import Incident, PublicIncident, PublicUpdate, StatusPage
from app.services import component_state, public_news, public_update, status_page
from app.services import incident as incident_service
from app.services.incident_held import held, tell
from app.services.public_update import InvalidPublicTransitionError, NewUpdate

USUAL = -1  # minutes: as the page says for the severity


class AlreadyPublishedError(ConflictError):
    """The public sees it already."""

    code = "INCIDENT_ALREADY_PUBLISHED"


class NotForThePublicError(ConflictError):
    """A fire drill is no news for anybody outside."""

    code = "DRILL_IS_NOT_PUBLIC"


@dataclass(frozen=True)
class Said:
    """What an act changes besides what it says. `next_update_minutes`: None for no promise."""

    components: Mapping[int, ComponentStatus] = field(default_factory=dict)
    impact: Impact | None = None
    next_update_minutes: int | None = USUAL


@dataclass(frozen=True)
class Publication:
    """How an incident is told to the public for the first time."""

    title: str
    update: NewUpdate
    said: Said = field(default_factory=Said)
    started_at: datetime | None = None


async def require(session: ReadSession, incident_id: int) -> PublicIncident:
    """What the public is told of an incident."""
    found = await crud_public_incident.of_incident(session, incident_id)
    if found is None and await crud_incident.get(session, incident_id) is None:
        raise NotFoundError("incident", incident_id)
    return _there(found, incident_id)


async def publish(
    session: WriteSession, incident_id: int, new: Publication, *, actor: Actor, now: datetime
) -> PublicIncident:
    """Let the public know: title, first words, components and impact, in one act."""
    incident = await held(session, incident_id)
    if incident.is_drill:
        raise NotForThePublicError("A fire drill is not published.")
    if await crud_public_incident.of_incident(session, incident_id) is not None:
        raise AlreadyPublishedError("The incident is published already; post an update instead.")
    page = await status_page.hold(session, now=now)
    at = page.changed_at
    await public_update.require_components(session, new.said.components)
    status = PublicStatus(new.update.status or PublicStatus.INVESTIGATING)
    public = PublicIncident(
        incident_id=incident_id,
        code=new_code(),
        title=new.title,
        status=PublicStatus.INVESTIGATING,
        impact=new.said.impact or Impact.NONE,
        started_at=min(new.started_at or incident.created_at, at),
        created_by=actor.user_id,
        revision=1,
        created_at=at,
        updated_at=at,
    )
    _enter(public, status, at)
    _promise(public, incident, page, new.said.next_update_minutes)
    await crud_public_incident.add(session, public)
    update = public_update.write(
        public, UpdateStatus(status), new.update, author_id=actor.user_id, at=at
    )
    story = f"{actor.name} published it as “{new.title}” ({status})."
    await tell(session, incident, TimelineType.PUBLISHED, story, actor, now, code=public.code)
    kinds = NoticeKind.INCIDENT_CREATED, EventType.INCIDENT_CREATED
    await _post(session, public, update, new.said, *kinds, at=at)
    if status is PublicStatus.RESOLVED:
        await _follow(session, incident, status, actor=actor, now=now)
    return public


async def post(
    session: WriteSession,
    incident_id: int,
    new: NewUpdate,
    said: Said,
    *,
    actor: Actor,
    now: datetime,
) -> PublicUpdate:
    """Tell the public how it goes on; maybe that it has become something else."""
    incident = await held(session, incident_id)
    public = _there(await crud_public_incident.lock(session, incident_id), incident_id)
    page = await status_page.hold(session, now=now)
    status = UpdateStatus(new.status or public.status)
    update = public_update.write(public, status, new, author_id=actor.user_id, at=page.changed_at)
    await _go_on(session, incident, public, update, said, page, actor=actor, now=now)
    return update


async def resolve(
    session: WriteSession,
    incident_id: int,
    body: str,
    *,
    notifies: bool,
    actor: Actor,
    now: datetime,
) -> PublicUpdate:
    """Tell the public that it is over, which resolves the incident."""
    new = NewUpdate(body, UpdateStatus.RESOLVED, notifies)
    return await post(session, incident_id, new, Said(), actor=actor, now=now)


async def post_draft(
    session: WriteSession,
    incident_id: int,
    update_id: int,
    said: Said,
    *,
    actor: Actor,
    now: datetime,
) -> PublicUpdate:
    """Tell the public what was drafted."""
    incident = await held(session, incident_id)
    public = _there(await crud_public_incident.lock(session, incident_id), incident_id)
    page = await status_page.hold(session, now=now)
    update = public_update.there(await crud_public_update.lock(session, update_id), update_id)
    if update.public_incident_id != public.id:
        raise NotFoundError("public update", update_id)
    public_update.require_draft(update)
    update.revision += 1
    await _go_on(session, incident, public, update, said, page, actor=actor, now=now)
    return update


async def draft(
    session: WriteSession, incident_id: int, new: NewUpdate, *, actor: Actor, now: datetime
) -> PublicUpdate:
    """Keep what somebody means to tell the public."""
    public = await require(session, incident_id)
    status = UpdateStatus(new.status or public.status)
    update = public_update.write(public, status, new, author_id=actor.user_id, at=now)
    return await crud_public_update.add(session, update)


async def edit(
    session: WriteSession,
    incident_id: int,
    fields: Mapping[str, Any],
    *,
    actor: Actor,
    now: datetime,
) -> PublicIncident:
    """Write the named fields of what the public sees, without a word about it."""
    incident = await held(session, incident_id)
    public = _there(await crud_public_incident.lock(session, incident_id), incident_id)
    page = await status_page.hold(session, now=now)
    written = dict(fields)
    if "next_update_minutes" in written:
        _promise(public, incident, page, written.pop("next_update_minutes"))
        public.touch(page.changed_at)
    if public.revise(written, now=page.changed_at):
        named = ", ".join(sorted(written))
        story = f"{actor.name} changed what the public sees: {named}."
        await tell(session, incident, TimelineType.PUBLIC_UPDATE, story, actor, now)
    await _announce(session, public, EventType.INCIDENT_UPDATED, at=page.changed_at)
    return public


async def withdraw(session: WriteSession, incident_id: int, *, actor: Actor, now: datetime) -> None:
    """Let the public see nothing of it any more. It can be published anew, as another one."""
    incident = await held(session, incident_id)
    public = _there(await crud_public_incident.lock(session, incident_id), incident_id)
    await hide(session, incident, public, actor=actor, now=now)


async def hide_if_shown(
    session: WriteSession, incident: Incident, *, actor: Actor, now: datetime
) -> None:
    """Withdraw an incident that the caller holds, if the public sees it."""
    public = await crud_public_incident.lock(session, incident.id)
    if public is not None:
        await hide(session, incident, public, actor=actor, now=now)


async def hide(
    session: WriteSession,
    incident: Incident,
    public: PublicIncident,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """Withdraw what the caller holds."""
    at = (await status_page.hold(session, now=now)).changed_at
    public.withdrawn_at = at
    public.next_update_due_at = public.remind_at = None
    public.touch(at)
    effects = (await crud_public_incident.effects(session, [public.id]))[public.id]
    await component_state.settle(session, [effect.id for effect in effects], now=at)
    story = f"{actor.name} withdrew it from the status page."
    await tell(session, incident, TimelineType.PUBLIC_WITHDRAWN, story, actor, now)
    await _announce(session, public, EventType.INCIDENT_DELETED, at=at)


# --- What an act comes to ---------------------------------------------------------------


async def _go_on(
    session: WriteSession,
    incident: Incident,
    public: PublicIncident,
    update: PublicUpdate,
    said: Said,
    page: StatusPage,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    status, at = PublicStatus(update.status), page.changed_at
    was = public.status
    if not may_become(was, status):
        raise InvalidPublicTransitionError("an incident", was, status, TRANSITIONS[was])
    await public_update.require_components(session, said.components)
    if status is not was:
        _enter(public, status, at)
    if said.impact is not None:
        public.impact = said.impact
    _promise(public, incident, page, said.next_update_minutes)
    public.touch(at)
    became = f" ({status})" if status is not was else ""
    story = f"{actor.name} told the public{became}: {update.body}"
    await tell(session, incident, TimelineType.PUBLIC_UPDATE, story, actor, now, status=status)
    if status is was:
        kinds = NoticeKind.INCIDENT_UPDATED, EventType.UPDATE_POSTED
    else:
        kinds = NoticeKind.INCIDENT_STATUS_CHANGED, EventType.INCIDENT_STATUS_CHANGED
    await _post(session, public, update, said, *kinds, at=at)
    if status is not was:
        await _follow(session, incident, status, actor=actor, now=now)


async def _post(
    session: WriteSession,
    public: PublicIncident,
    update: PublicUpdate,
    said: Said,
    kind: NoticeKind,
    event: EventType,
    *,
    at: datetime,
) -> None:
    """Post an update with what it does to components, and tell whoever is to hear."""
    await crud_public_incident.put_effects(session, public.id, said.components)
    effects = (await crud_public_incident.effects(session, [public.id]))[public.id]
    changes = await component_state.settle(session, [effect.id for effect in effects], now=at)
    await public_update.post(session, update, changes, at=at)
    components = [effect.component for effect in effects]
    if event is not EventType.UPDATE_POSTED:
        await public_news.tell(session, event, public, components, update=update, now=at)
    if event is not EventType.INCIDENT_CREATED:
        posted = EventType.UPDATE_POSTED
        await public_news.tell(session, posted, public, components, update=update, now=at)
    if update.notifies:
        await public_news.notify(session, kind, public, components, update=update, now=at)


async def _follow(
    session: WriteSession,
    incident: Incident,
    status: PublicStatus,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """Have the incident be over, or open again, as the public was told."""
    is_over = incident.status is IncidentStatus.RESOLVED
    if status is PublicStatus.RESOLVED and not is_over:
        await incident_service.enter(
            session, incident, IncidentStatus.RESOLVED, actor=actor, now=now
        )
    elif status is PublicStatus.INVESTIGATING and is_over:
        await incident_service.reopen(session, incident.id, actor=actor, now=now)


def _enter(public: PublicIncident, status: PublicStatus, at: datetime) -> None:
    """Take a status, with everything the row itself must say about it."""
    public.status = status
    match status:
        case PublicStatus.INVESTIGATING:
            public.identified_at = public.monitoring_at = public.resolved_at = None
        case PublicStatus.IDENTIFIED:
            public.identified_at = at
        case PublicStatus.MONITORING:
            public.monitoring_at = at
        case PublicStatus.RESOLVED:
            public.resolved_at = at


def _promise(
    public: PublicIncident, incident: Incident, page: StatusPage, minutes: int | None
) -> None:
    """Set the clock of the next update; what is over has none."""
    at = page.changed_at
    if public.status is PublicStatus.RESOLVED or minutes is None:
        due_at = None
    elif minutes == USUAL:
        due_at = next_update_due(page.update_minutes, incident.severity, now=at)
    else:
        due_at = at + timedelta(minutes=minutes)
    public.next_update_due_at = due_at
    public.remind_at = None if due_at is None else reminder_for(due_at, now=at)


async def _announce(
    session: WriteSession, public: PublicIncident, kind: EventType, *, at: datetime
) -> None:
    effects = (await crud_public_incident.effects(session, [public.id]))[public.id]
    components = [effect.component for effect in effects]
    await public_news.tell(session, kind, public, components, now=at)


def _there(public: PublicIncident | None, incident_id: int) -> PublicIncident:
    if public is None:
        raise NotFoundError("public incident", incident_id)
    return public
