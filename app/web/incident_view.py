"""Everything that the page of an incident shows, gathered in one look.

What comes next is told by a rehearsal of the very code that pages. Where none can be had, because
others rehearse just now, the steps themselves say when they come.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from app.api.rehearsing import rehearsed
from app.api.state import Service
from app.core.errors import NotFoundError, TocsinError
from app.crud import (
    crud_alert,
    crud_custom_field,
    crud_escalation,
    crud_incident_page,
    crud_incident_shown,
    crud_incident_template,
    crud_notification_story,
    crud_postmortem,
    crud_user,
)
from app.crud.base import Window
from app.crud.crud_alert import AlertFilter
from app.crud.crud_incident_page import Telling
from app.db.session import ReadSession
from app.domain.escalation import LIVE, EscalationStatus
from app.domain.incident import IncidentStatus
from app.domain.quiet import WaitsFor
from app.models import Escalation, IncidentTemplate, Postmortem
from app.services import alert as alert_service
from app.services import notification_story
from app.services.simulation import Question
from app.services.simulation_course import Line
from app.web import ladder, public_side, story
from app.web.deps import Visitor
from app.web.ladder import Ladder, NextPage, Work
from app.web.public_side import PublicSide
from app.web.story import Story

log = logging.getLogger(__name__)

MOST_ENTRIES = 50
MOST_ALERTS = 10
LOOK_AHEAD = timedelta(hours=4)


@dataclass(frozen=True)
class Next:
    """What happens next if nobody does anything."""

    kind: str  # page, nobody, step, expires, snoozed, waits, over
    at: datetime | None = None
    page: NextPage | None = None
    waits_for: str | None = None


@dataclass(frozen=True)
class Seen:
    """An incident with all that hangs on it."""

    incident: Mapping[str, Any]
    people: Mapping[int, str]
    ladders: Sequence[Ladder]
    next: Next
    alerts: Sequence[Mapping[str, Any]]
    fields: Sequence[tuple[str, Any]]
    template: IncidentTemplate | None
    public: PublicSide
    postmortem: Postmortem | None


async def look(service: Service, visitor: Visitor, incident_id: int) -> Seen:
    """The incident as it is now."""
    async with service.database.reading() as session:
        incident = await require(session, incident_id)
        work = await _work(session, incident_id, now=visitor.now)
        alerts = await alerts_of(session, incident_id, now=visitor.now)
        fields = await _fields(session, incident["custom_fields"])
        template = await crud_incident_template.used_for(session, incident_id)
        people = await _people(session, incident)
        public = await public_side.of_incident(session, incident_id)
        postmortem = await crud_postmortem.of_incident(session, incident_id)
    lines = await _foreseen(service, incident, work)
    coming = _next(incident, work.escalations, lines, visitor.now)
    work = replace(work, foreseen=lines or ())
    ladders = ladder.of_incident(work)
    return Seen(incident, people, ladders, coming, alerts, fields, template, public, postmortem)


async def require(session: ReadSession, incident_id: int) -> Mapping[str, Any]:
    """The incident as the API shows it, with its tally beside it."""
    found = await crud_incident_shown.read(session, incident_id)
    if found is None:
        raise NotFoundError("incident", incident_id)
    return found


async def tell(session: ReadSession, visitor: Visitor, incident_id: int, which: Telling) -> Story:
    """A part of the incident's story, newest first, in the days of whoever reads it."""
    events = await crud_incident_page.newest_entries(session, incident_id, which, most=MOST_ENTRIES)
    said = {one.facts["comment_id"] for one in events if "comment_id" in one.facts}
    comments = await crud_incident_page.comments(session, incident_id, said)
    people = await crud_user.by_ids(session, {one.user_id for one in events if one.user_id})
    names = {key: person.display_name for key, person in people.items()}
    return story.told(events, comments, names, zone=visitor.user.time_zone, most=MOST_ENTRIES)


async def _work(session: ReadSession, incident_id: int, *, now: datetime) -> Work:
    pages = await crud_incident_page.newest_pages(session, incident_id)
    return Work(
        await crud_escalation.of_incident(session, incident_id),
        await crud_escalation.events_of(session, incident_id),
        await notification_story.told(session, pages, now=now) if pages else [],
        await crud_notification_story.not_paged(session, incident_id),
    )


async def alerts_of(
    session: ReadSession, incident_id: int, *, now: datetime
) -> Sequence[Mapping[str, Any]]:
    """The newest alerts of an incident, each with what became of it."""
    found = await crud_alert.list_page(
        session, AlertFilter(incident_id=incident_id), Window(MOST_ALERTS, order="")
    )
    return await alert_service.told(session, found.items, now=now) if found.items else []


async def _fields(session: ReadSession, values: Mapping[str, Any]) -> Sequence[tuple[str, Any]]:
    """What the incident holds in the installation's own fields, by their labels."""
    if not values:
        return []
    known = await crud_custom_field.every(session)
    return [(one.label, values[one.key]) for one in known if one.key in values]


async def _people(session: ReadSession, incident: Mapping[str, Any]) -> Mapping[int, str]:
    named = ("created_by", "acknowledged_by", "resolved_by", "assigned_to")
    keys = {incident[name] for name in named if incident[name] is not None}
    found = await crud_user.by_ids(session, keys) if keys else {}
    return {key: person.display_name for key, person in found.items()}


async def _foreseen(
    service: Service, incident: Mapping[str, Any], work: Work
) -> Sequence[Line] | None:
    """What the next hours bring; None where nobody could look."""
    is_climbing = any(run.status is EscalationStatus.ACTIVE for run in work.escalations)
    if not is_climbing or incident["status"] == IncidentStatus.RESOLVED:
        return ()
    try:
        question = Question(incident_id=incident["id"], until=LOOK_AHEAD)
        return (await rehearsed(service, question)).lines
    except TocsinError:  # somebody resolved it meanwhile, or others rehearse
        return None
    except Exception:
        # What is to come is an extra of this page, which must be there whenever it is needed.
        log.exception("an incident's course could not be foreseen", extra={"id": incident["id"]})
        return None


def _next(
    incident: Mapping[str, Any],
    runs: Sequence[Escalation],
    lines: Sequence[Line] | None,
    now: datetime,
) -> Next:
    live = [run for run in runs if run.status in LIVE]
    due = min((run.next_step_at for run in live if run.next_step_at is not None), default=None)
    if incident["status"] == IncidentStatus.RESOLVED:
        return Next("over")
    if incident["snoozed_until"] is not None and incident["snoozed_until"] > now:
        return Next("snoozed", incident["snoozed_until"])
    if incident["status"] == IncidentStatus.ACKNOWLEDGED:
        return Next("expires" if due is not None else "answered", due)
    waits = [run for run in live if run.waits_until is not None and run.waits_until > now]
    if waits and len(waits) == len(live):
        first = min(waits, key=lambda run: run.waits_until or now)
        return Next("waits", first.waits_until, waits_for=_reason(first.waits_for))
    page = ladder.next_page(lines or (), now)
    if page is not None:
        return Next("page", page.at, page)
    was_looked_at = lines is not None and due is not None and due <= now + LOOK_AHEAD
    return Next("nobody") if due is None or was_looked_at else Next("step", due)


def _reason(waits_for: WaitsFor | None) -> str:
    return "" if waits_for is None else waits_for.value.replace("_", " ")
