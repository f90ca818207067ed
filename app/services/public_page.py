"""What the public sees, as one picture, out of public columns and of nothing else (promise 7).

The page, its feeds, its JSON and the exported files are all drawn from it. What it costs follows
what is on the page: a bounded number of rows by a fixed number of statements.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from app.crud import (
    crud_postmortem,
    crud_public_incident,
    crud_public_maintenance,
    crud_public_update,
    crud_status_component,
    crud_status_page,
)
from app.crud.base import Span
from app.crud.crud_postmortem import PublicText
from app.crud.crud_public_update import Posted
from app.db.session import ReadSession
from app.domain.public_page import (
    ComponentDay,
    ComponentPicture,
    GroupPicture,
    HistoryDay,
    IncidentPicture,
    MaintenancePicture,
    PageFacts,
    PublicLink,
    PublicPage,
    PublicPostmortem,
    UpdatePicture,
    headline_of,
    level_of,
    worst,
)
from app.domain.status_component import ComponentStatus
from app.domain.time_zone import zone
from app.domain.uptime import Day, days, uptime
from app.models import PublicIncident, PublicMaintenance, StatusComponent, StatusPage

MOST_SHOWN = 50  # of what is going on, and of what is ahead
MOST_IN_HISTORY = 200
HISTORY_DAYS = 15
AT = "/status"  # of the page, where Tocsin itself serves it


async def picture(session: ReadSession, *, now: datetime, address: str = "") -> PublicPage:
    """Everything that the page shows. `address` is where Tocsin is reached."""
    page = await crud_status_page.get(session)
    place = zone(page.time_zone)
    groups = await _groups(session, place, now=now)
    active = await crud_public_incident.unresolved(session, most=MOST_SHOWN)
    ahead = await crud_public_maintenance.ahead(session, most=MOST_SHOWN)
    recent = days(now, place, count=HISTORY_DAYS)
    span = Span(recent[0].starts_at, None)
    began = await crud_public_incident.started(session, span, most=MOST_IN_HISTORY)
    done = await crud_public_maintenance.started(
        session, Span(recent[0].starts_at, now), most=MOST_IN_HISTORY
    )
    told = await incidents(session, page, [*active, *began])
    works = await maintenances(session, page, [*ahead, *done])
    shown = [component for group in groups for component in group.components]
    drawn = PublicPage(
        page=_facts(page, address),
        level=level_of(
            (component.status for component in shown), (told[one.id].impact for one in active)
        ),
        headline=headline_of(
            ((component.name, component.status) for component in shown),
            has_incidents=bool(active),
        ),
        groups=tuple(groups),
        incidents=tuple(told[one.id] for one in active),
        maintenances=tuple(works[one.id] for one in ahead),
        history=_history(
            recent,
            place,
            [told[one.id] for one in began],
            [works[one.id] for one in done if one.completed_at is not None],
        ),
        checked_at=now,
        revision="",
    )
    return replace(drawn, revision=_revision(drawn))


def _facts(page: StatusPage, address: str) -> PageFacts:
    return PageFacts(
        name=page.name,
        url=(page.url or f"{address.rstrip('/')}{AT}").rstrip("/"),
        description=page.description,
        support_url=page.support_url,
        time_zone=page.time_zone,
        updated_at=page.changed_at,
    )


async def facts(session: ReadSession, *, address: str = "") -> PageFacts:
    """The page's own."""
    return _facts(await crud_status_page.get(session), address)


def _revision(drawn: PublicPage) -> str:
    """The same for two pictures that show the same."""
    told = asdict(drawn) | {"checked_at": None}
    written = json.dumps(told, sort_keys=True, default=str).encode()
    return hashlib.blake2s(written, digest_size=8).hexdigest()


# --- Components -------------------------------------------------------------------------


async def _groups(
    session: ReadSession, place: ZoneInfo, *, now: datetime
) -> Sequence[GroupPicture]:
    """The groups with something to show, in the order of the page, then what is in none."""
    components = [one for one in await crud_status_component.list_all(session) if _is_shown(one)]
    drawn = await _drawn(session, components, place, now=now)
    found = []
    for group in await crud_status_component.list_groups(session):
        theirs = [one for one in components if one.group_id == group.id]
        if theirs:
            found.append(_group(group.name, group.description, theirs, drawn))
    alone = [one for one in components if one.group_id is None]
    if alone:
        found.append(_group(None, None, alone, drawn))
    return found


def _is_shown(component: StatusComponent) -> bool:
    is_well = component.status is ComponentStatus.OPERATIONAL
    return not (component.only_show_if_degraded and is_well)


def _group(
    name: str | None,
    description: str | None,
    components: Sequence[StatusComponent],
    drawn: Mapping[int, ComponentPicture],
) -> GroupPicture:
    status = worst(component.status for component in components)
    return GroupPicture(name, description, status, tuple(drawn[one.id] for one in components))


@dataclass(frozen=True)
class ComponentHistory:
    """The days of a component, and how long it was well in all of them."""

    component: StatusComponent
    days: tuple[ComponentDay, ...]
    uptime: float | None


async def _drawn(
    session: ReadSession, components: Sequence[StatusComponent], place: ZoneInfo, *, now: datetime
) -> dict[int, ComponentPicture]:
    counted = [component for component in components if component.shows_uptime]
    histories = await history_of(session, counted, days(now, place), now=now)
    drawn = {}
    for component in components:
        history = histories.get(component.id)
        drawn[component.id] = ComponentPicture(
            component.id,
            component.name,
            component.description,
            component.status.value,
            history.days if history is not None else (),
            history.uptime if history is not None else None,
        )
    return drawn


async def history_of(
    session: ReadSession,
    components: Sequence[StatusComponent],
    during: Sequence[Day],
    *,
    now: datetime,
) -> dict[int, ComponentHistory]:
    """How these components were on each of these days, and how long they were well."""
    ids = [component.id for component in components]
    spent = await crud_status_component.spent(session, ids, during, now=now)
    hits: dict[int, list[PublicIncident]] = {key: [] for key in ids}
    since = during[0].starts_at
    for key, incident in await crud_public_incident.hitting(
        session, ids, since=since, most=MOST_IN_HISTORY
    ):
        hits[key].append(incident)
    return {
        component.id: ComponentHistory(
            component,
            tuple(
                _day(day, component, spent[component.id][turn], hits[component.id])
                for turn, day in enumerate(during)
            ),
            uptime(spent[component.id]),
        )
        for component in components
    }


def _day(
    day: Day,
    component: StatusComponent,
    seconds: Mapping[ComponentStatus, float],
    hits: Sequence[PublicIncident],
) -> ComponentDay:
    met = [status.value for status, length in seconds.items() if length > 0]
    if not met and component.created_at <= day.ends_at and day.starts_at >= day.ends_at:
        met = [component.status.value]  # the first instant of a day
    minutes = {status.value: round(length / 60) for status, length in seconds.items()}
    worst_first = sorted(ComponentStatus, key=lambda one: -one.rank)
    return ComponentDay(
        day.on,
        worst(met) if met else None,
        tuple(
            (status.value, minutes[status.value])
            for status in worst_first
            if status is not ComponentStatus.OPERATIONAL and minutes.get(status.value)
        ),
        tuple(
            PublicLink(one.code, one.title)
            for one in hits
            if one.started_at < day.ends_at
            and (one.resolved_at is None or one.resolved_at > day.starts_at)
        ),
    )


# --- Incidents and maintenances ---------------------------------------------------------


async def incidents(
    session: ReadSession, page: StatusPage, rows: Sequence[PublicIncident]
) -> dict[int, IncidentPicture]:
    """What was told of these incidents, by their ids."""
    ids = {row.id for row in rows}
    updates = await crud_public_update.posted_of_incidents(session, ids)
    effects = await crud_public_incident.effects(session, ids)
    learned = await crud_postmortem.public_texts(session, ids)
    return {
        row.id: IncidentPicture(
            row.code,
            row.title,
            row.status.value,
            row.impact.value,
            row.started_at,
            row.resolved_at,
            _last(row.updated_at, updates[row.id]),
            tuple(effect.name for effect in effects[row.id]),
            _updates(updates[row.id], page),
            row.next_update_due_at,
            _postmortem(learned.get(row.id)),
        )
        for row in rows
    }


async def maintenances(
    session: ReadSession, page: StatusPage, rows: Sequence[PublicMaintenance]
) -> dict[int, MaintenancePicture]:
    """What was told of these maintenances, by their ids."""
    ids = {row.id for row in rows}
    updates = await crud_public_update.posted_of_maintenances(session, ids)
    components = await crud_public_maintenance.components(session, ids)
    return {
        row.id: MaintenancePicture(
            row.code,
            row.title,
            row.status.value,
            row.scheduled_for,
            row.scheduled_until,
            _last(row.updated_at, updates[row.id]),
            tuple(component.name for component in components[row.id]),
            _updates(updates[row.id], page),
        )
        for row in rows
    }


def _last(updated_at: datetime, posted: Sequence[Posted]) -> datetime:
    return max([updated_at, *(one.update.updated_at for one in posted)])


def _updates(posted: Sequence[Posted], page: StatusPage) -> tuple[UpdatePicture, ...]:
    return tuple(
        UpdatePicture(
            one.update.id,
            one.update.status.value,
            one.update.body,
            one.update.posted_at,
            one.update.edited_at,
            one.author if page.shows_authors else None,
        )
        for one in posted
        if one.update.posted_at is not None
    )


def _postmortem(learned: PublicText | None) -> PublicPostmortem | None:
    if learned is None:
        return None
    return PublicPostmortem(learned.summary, learned.body, learned.published_at)


def _history(
    recent: Sequence[Day],
    place: ZoneInfo,
    told: Sequence[IncidentPicture],
    works: Sequence[MaintenancePicture],
) -> tuple[HistoryDay, ...]:
    """Newest first, days without anything included."""

    def on(at: datetime) -> date:
        return at.astimezone(place).date()

    return tuple(
        HistoryDay(
            day.on,
            tuple(one for one in told if on(one.started_at) == day.on),
            tuple(one for one in works if on(one.scheduled_for) == day.on),
        )
        for day in reversed(recent)
    )


async def incident(session: ReadSession, code: str, *, now: datetime) -> IncidentPicture | None:
    """One incident, by what the public calls it; None where there is none such."""
    row = await crud_public_incident.by_code(session, code)
    if row is None:
        return None
    page = await crud_status_page.get(session)
    return (await incidents(session, page, [row]))[row.id]


async def maintenance(session: ReadSession, code: str) -> MaintenancePicture | None:
    """One maintenance, by what the public calls it; None where there is none such."""
    row = await crud_public_maintenance.by_code(session, code)
    if row is None:
        return None
    page = await crud_status_page.get(session)
    return (await maintenances(session, page, [row]))[row.id]
