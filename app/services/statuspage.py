"""The same page in the shapes of Statuspage's public API, version 2: one document a file.

What is not over and what is ahead is in the summary; the lists hold the newest `MOST`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.crud import (
    crud_postmortem,
    crud_public_incident,
    crud_public_maintenance,
    crud_public_update,
    crud_status_component,
    crud_status_page,
)
from app.crud.base import ALWAYS
from app.crud.crud_public_update import Posted
from app.db.session import ReadSession
from app.domain.public_maintenance import UNDER_WAY, MaintenanceStatus
from app.domain.public_page import Level, level_of, worst
from app.models import (
    ComponentGroup,
    PublicIncident,
    PublicMaintenance,
    StatusComponent,
    StatusPage,
)
from app.schemas.base import ReadSchema
from app.schemas.statuspage import (
    StatuspageAffectedComponent,
    StatuspageComponent,
    StatuspageComponents,
    StatuspageIncident,
    StatuspageIncidents,
    StatuspageIndicator,
    StatuspageMaintenance,
    StatuspageMaintenances,
    StatuspagePage,
    StatuspageStatus,
    StatuspageSummary,
    StatuspageUpdate,
)
from app.services import public_page

MOST = 50
POSTMORTEM = "postmortem"  # what their incidents are once there is one
DESCRIPTIONS = {
    Level.NONE: "All Systems Operational",
    Level.MAINTENANCE: "Service Under Maintenance",
    Level.MINOR: "Partially Degraded Service",
    Level.MAJOR: "Partial System Outage",
    Level.CRITICAL: "Major Service Outage",
}


@dataclass(frozen=True)
class _Drawing:
    """What every document needs."""

    page: StatusPage
    url: str

    @property
    def id(self) -> str:
        return str(self.page.id)

    def facts(self) -> StatuspagePage:
        return StatuspagePage(
            id=self.id,
            name=self.page.name,
            url=self.url,
            time_zone=self.page.time_zone,
            updated_at=self.page.changed_at,
        )


async def documents(session: ReadSession, *, address: str = "") -> Mapping[str, ReadSchema]:
    """Every document by its name, `summary.json` and so on."""
    page = await crud_status_page.get(session)
    drawing = _Drawing(page, (await public_page.facts(session, address=address)).url)
    components = await crud_status_component.list_all(session)
    groups = await crud_status_component.list_groups(session)
    newest = await crud_public_incident.started(session, ALWAYS, most=MOST)
    open_ = await crud_public_incident.unresolved(session, most=MOST)
    works = await crud_public_maintenance.started(session, ALWAYS, most=MOST)
    ahead = await crud_public_maintenance.ahead(session, most=MOST)
    incidents = await _incidents(session, drawing, [*newest, *open_])
    maintenances = await _maintenances(session, drawing, [*works, *ahead])
    upcoming = [one for one in ahead if one.status is MaintenanceStatus.SCHEDULED]
    active = [one for one in ahead if one.status in UNDER_WAY]
    facts = drawing.facts()
    level = level_of((one.status for one in components), (one.impact for one in open_))
    status = StatuspageIndicator(indicator=level, description=DESCRIPTIONS[level])
    drawn = _components(drawing, components, groups)

    def told(rows: Iterable[PublicIncident]) -> StatuspageIncidents:
        return StatuspageIncidents(page=facts, incidents=[incidents[row.id] for row in rows])

    def planned(rows: Iterable[PublicMaintenance]) -> StatuspageMaintenances:
        listed = [maintenances[row.id] for row in rows]
        return StatuspageMaintenances(page=facts, scheduled_maintenances=listed)

    return {
        "summary.json": StatuspageSummary(
            page=facts,
            components=drawn,
            incidents=told(open_).incidents,
            scheduled_maintenances=planned(ahead).scheduled_maintenances,
            status=status,
        ),
        "status.json": StatuspageStatus(page=facts, status=status),
        "components.json": StatuspageComponents(page=facts, components=drawn),
        "incidents.json": told(newest),
        "incidents/unresolved.json": told(open_),
        "scheduled-maintenances.json": planned(works),
        "scheduled-maintenances/upcoming.json": planned(upcoming),
        "scheduled-maintenances/active.json": planned(active),
    }


# --- Components -------------------------------------------------------------------------


def _components(
    drawing: _Drawing, components: Sequence[StatusComponent], groups: Sequence[ComponentGroup]
) -> list[StatuspageComponent]:
    """Groups with what is in them, then what is in none."""
    drawn = []
    for group in groups:
        theirs = [one for one in components if one.group_id == group.id]
        drawn.append(_group(drawing, group, theirs))
        drawn += [_component(drawing, one) for one in theirs]
    return drawn + [_component(drawing, one) for one in components if one.group_id is None]


def _group(
    drawing: _Drawing, group: ComponentGroup, theirs: Sequence[StatusComponent]
) -> StatuspageComponent:
    return StatuspageComponent(
        id=_group_id(group.id),
        name=group.name,
        status=worst(one.status for one in theirs),
        created_at=group.created_at,
        updated_at=max([group.updated_at, *(one.updated_at for one in theirs)]),
        position=group.position,
        description=group.description,
        showcase=False,
        start_date=None,
        group_id=None,
        page_id=drawing.id,
        group=True,
        only_show_if_degraded=False,
        components=[str(one.id) for one in theirs],
    )


def _group_id(group_id: int) -> str:
    """Groups are components there, and share their ids."""
    return f"group-{group_id}"


def _component(drawing: _Drawing, component: StatusComponent) -> StatuspageComponent:
    return StatuspageComponent(
        id=str(component.id),
        name=component.name,
        status=component.status,
        created_at=component.created_at,
        updated_at=component.updated_at,
        position=component.position,
        description=component.description,
        showcase=component.shows_uptime,
        start_date=component.created_at.date(),
        group_id=None if component.group_id is None else _group_id(component.group_id),
        page_id=drawing.id,
        group=False,
        only_show_if_degraded=component.only_show_if_degraded,
        components=None,
    )


# --- Incidents and maintenances ---------------------------------------------------------


async def _incidents(
    session: ReadSession, drawing: _Drawing, rows: Sequence[PublicIncident]
) -> dict[int, StatuspageIncident]:
    ids = {row.id for row in rows}
    updates = await crud_public_update.posted_of_incidents(session, ids)
    effects = await crud_public_incident.effects(session, ids)
    learned = await crud_postmortem.public_texts(session, ids)
    return {
        row.id: StatuspageIncident(
            id=row.code,
            name=row.title,
            status=POSTMORTEM if row.id in learned and row.resolved_at else row.status,
            created_at=row.created_at,
            updated_at=row.updated_at,
            monitoring_at=row.monitoring_at,
            resolved_at=row.resolved_at,
            impact=row.impact,
            shortlink=f"{drawing.url}/incidents/{row.code}",
            started_at=row.started_at,
            page_id=drawing.id,
            incident_updates=_updates(updates[row.id], row.code),
            components=[_component(drawing, effect.component) for effect in effects[row.id]],
        )
        for row in rows
    }


async def _maintenances(
    session: ReadSession, drawing: _Drawing, rows: Sequence[PublicMaintenance]
) -> dict[int, StatuspageMaintenance]:
    ids = {row.id for row in rows}
    updates = await crud_public_update.posted_of_maintenances(session, ids)
    components = await crud_public_maintenance.components(session, ids)
    return {
        row.id: StatuspageMaintenance(
            id=row.code,
            name=row.title,
            status=row.status,
            created_at=row.created_at,
            updated_at=row.updated_at,
            monitoring_at=None,
            resolved_at=row.completed_at,
            impact=Level.MAINTENANCE,
            shortlink=f"{drawing.url}/incidents/{row.code}",
            started_at=row.started_at or row.scheduled_for,
            page_id=drawing.id,
            incident_updates=_updates(updates[row.id], row.code),
            components=[_component(drawing, one) for one in components[row.id]],
            scheduled_for=row.scheduled_for,
            scheduled_until=row.scheduled_until,
        )
        for row in rows
    }


def _updates(posted: Sequence[Posted], code: str) -> list[StatuspageUpdate]:
    return [
        _update(one, one.update.posted_at, code)
        for one in posted
        if one.update.posted_at is not None
    ]


def _update(one: Posted, posted_at: datetime, code: str) -> StatuspageUpdate:
    update = one.update
    return StatuspageUpdate(
        id=str(update.id),
        status=update.status,
        body=update.body,
        incident_id=code,
        created_at=posted_at,
        updated_at=update.updated_at,
        display_at=posted_at,
        affected_components=[
            StatuspageAffectedComponent(
                code=str(change["id"]),
                name=str(change["name"]),
                old_status=str(change["before"]),
                new_status=str(change["after"]),
            )
            for change in update.changes
        ],
        deliver_notifications=update.notifies,
    )
