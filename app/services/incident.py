"""How an incident opens, changes its status and its facts.

Its people are in `incident_people`, its end in `incident_deletion`, paging by hand in
`escalation_by_hand`. In all of them each public function is one use case: it takes a
`WriteSession`, who is acting and what time it is, and leaves the incident, its timeline and
its escalations pending in the caller's transaction. Nothing commits, sends, sleeps or reads a
clock.

Locking: whoever changes an incident, or its escalations, holds the incident's row first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.core.errors import ConflictError, InvalidInputError, InvalidStateError
from app.crud import crud_incident, crud_intake
from app.db.session import WriteSession
from app.domain import custom_field
from app.domain.incident import TRANSITIONS, IncidentStatus, Opening, TimelineType
from app.domain.notification import NotificationKind
from app.domain.storm import UNLIMITED, ServiceLimit
from app.domain.user import Actor
from app.models import Incident
from app.services import audit_log, fire_drill_answer, incident_people, quiet, status_update
from app.services import custom_field as custom_field_service
from app.services import escalation as escalation_service
from app.services import user as user_service
from app.services.incident_held import held, tell, unresolved

LONGEST_SNOOZE = timedelta(days=30)
TOLD = ("title", "description", "severity", "service", "source", "url", "tags", "labels",
        "custom_fields")  # fmt: skip
RETARGETING = {"severity", "service"}


class InvalidTransitionError(InvalidStateError):
    """The incident is in no status that allows this."""

    code = "INVALID_STATUS_TRANSITION"

    def __init__(self, current: IncidentStatus, wanted: IncidentStatus) -> None:
        allowed = [status.value for status in TRANSITIONS[current]]
        hint = " Reopen it instead." if current is IncidentStatus.RESOLVED else ""
        super().__init__(
            f"An incident that is {current} cannot become {wanted}.{hint}",
            current=current.value,
            allowed=allowed,
        )


class DrillOverError(ConflictError):
    """A fire drill happens once."""

    code = "DRILL_IS_OVER"


class ProblemReopenedError(ConflictError):
    """The same problem has another unresolved incident by now."""

    code = "PROBLEM_HAS_OPEN_INCIDENT"


# --- Opening ----------------------------------------------------------------------------


async def open_many(
    session: WriteSession,
    openings: Sequence[Opening],
    *,
    now: datetime,
    limit: ServiceLimit = UNLIMITED,
) -> Mapping[UUID, int]:
    """Open incidents and put their escalations to work, set-based; say which came to be.

    One whose problem has an unresolved incident already is left out. Beyond the limit of a
    service pages are held back and told together.
    """
    names = {opening.service for opening in openings}
    openings = quiet.placed(openings, await quiet.catalogue(session, names, now=now))
    opened = await crud_intake.open_many(session, openings, limit, now=now)
    subjects = [
        escalation_service.Subject(incident_id, escalation_service.attributes_of(opening))
        for opening in openings
        if (incident_id := opened.ids.get(opening.uid)) is not None
    ]
    if subjects:
        await escalation_service.start(
            session, subjects, now=now, limit=limit, before=opened.lately
        )
    return opened.ids


async def declare(
    session: WriteSession,
    opening: Opening,
    assignees: Sequence[int],
    *,
    actor: Actor,
    now: datetime,
) -> Incident:
    """Open an incident by hand, with the people who shall have it."""
    people = [
        await user_service.require_active(session, user_id) for user_id in dict.fromkeys(assignees)
    ]
    values = await custom_field_service.merged(session, {}, opening.custom_fields)
    opening = replace(opening, custom_fields=values)
    opened = await open_many(session, [opening], now=now)
    incident = await held(session, opened[opening.uid])
    await audit_log.note(session, "incident.created", incident.id, after=_told(opening), now=now)
    for person in people:
        await incident_people.hand_over(session, incident, person, actor=actor, now=now)
    return incident


def _told(opening: Opening) -> dict[str, object]:
    """What the audit log says of a new incident."""
    return {name: value for name in TOLD if (value := getattr(opening, name))}


# --- Status -----------------------------------------------------------------------------


async def change_status(
    session: WriteSession, incident_id: int, status: IncidentStatus, *, actor: Actor, now: datetime
) -> Incident:
    """Move an incident along its lifecycle; the status it has already is a no-op."""
    incident = await held(session, incident_id)
    if incident.status is status:
        return incident
    if status not in TRANSITIONS[incident.status]:
        raise InvalidTransitionError(incident.status, status)
    await enter(session, incident, status, actor=actor, now=now)
    return incident


async def enter(
    session: WriteSession,
    incident: Incident,
    status: IncidentStatus,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """Give an incident that the caller holds an answer, with everything that follows from it.

    Either answer is the end of a fire drill.
    """
    if incident.is_drill:
        await fire_drill_answer.end(session, incident, status, actor=actor, now=now)
        return
    incident.enter(status, by=actor.user_id, now=now)
    if status is IncidentStatus.ACKNOWLEDGED:
        if actor.user_id is not None:
            await incident_people.add_assignee(
                session, incident, actor.user_id, None, by=actor.user_id, now=now
            )
        await escalation_service.pause(session, [incident.id], now=now)
        kind, news, verb = TimelineType.ACKNOWLEDGED, NotificationKind.ACKNOWLEDGED, "acknowledged"
    else:
        await crud_incident.set_tally_open(session, [incident.id], is_open=False)
        await escalation_service.finish(session, [incident.id], now=now)
        kind, news, verb = TimelineType.RESOLVED, NotificationKind.RESOLVED, "resolved"
    await tell(session, incident, kind, f"{actor.name} {verb} the incident.", actor, now)
    await status_update.announce(session, incident, news, actor=actor, now=now)


async def resolve_many(
    session: WriteSession, incidents: Sequence[Incident], *, story: str, now: datetime
) -> None:
    """Resolve incidents that the caller holds: their source says that they are over."""
    ids = [incident.id for incident in incidents]
    for incident in incidents:
        incident.enter(IncidentStatus.RESOLVED, by=None, now=now)
    await crud_incident.set_tally_open(session, ids, is_open=False)
    await escalation_service.finish(session, ids, now=now)
    await crud_incident.tell(
        session,
        [crud_incident.entry(key, TimelineType.RESOLVED, story, now=now) for key in ids],
    )
    source = Actor(name="Its monitoring")
    await status_update.announce_many(
        session, incidents, NotificationKind.RESOLVED, actor=source, now=now
    )


async def reopen(
    session: WriteSession, incident_id: int, *, actor: Actor, now: datetime
) -> Incident:
    """A resolved incident is a problem again: it pages from the start."""
    incident = await held(session, incident_id)
    if incident.status is IncidentStatus.OPEN:
        return incident
    if incident.status is not IncidentStatus.RESOLVED:
        raise InvalidTransitionError(incident.status, IncidentStatus.OPEN)
    if incident.is_drill:
        raise DrillOverError("A fire drill cannot be reopened; start another one.")
    if incident.integration_id is not None and incident.dedup_key is not None:
        key = (incident.integration_id, incident.dedup_key)
        other = (await crud_intake.unresolved_by_key(session, [key])).get(key)
        if other is not None:
            raise ProblemReopenedError(
                f"The same problem is open again as incident {other}; work there.",
                incident_id=other,
            )
    incident.enter(IncidentStatus.OPEN, by=None, now=now)
    await crud_incident.set_tally_open(session, [incident.id], is_open=True)
    await quiet.place(session, incident, now=now)
    await tell(session, incident, TimelineType.REOPENED, f"{actor.name} reopened it.", actor, now)
    await escalation_service.start(session, [escalation_service.subject_of(incident)], now=now)
    return incident


async def snooze(
    session: WriteSession, incident_id: int, until: datetime, *, actor: Actor, now: datetime
) -> Incident:
    """Pause paging until then. If it was acknowledged, it opens and pages anew at that time."""
    if until <= now:
        raise InvalidInputError("The end of a snooze must lie in the future.", field="until")
    if until - now > LONGEST_SNOOZE:
        raise InvalidInputError(
            f"A snooze lasts {LONGEST_SNOOZE.days} days at most.", field="until"
        )
    incident = await unresolved(session, incident_id, "snoozed")
    incident.snoozed_until = until
    incident.touch(now)
    await escalation_service.put_off(session, incident, until=until, now=now)
    await tell(
        session,
        incident,
        TimelineType.SNOOZED,
        f"{actor.name} snoozed it until {until:%Y-%m-%d %H:%M} UTC.",
        actor,
        now,
        until=until.isoformat(),
    )
    return incident


async def end_snooze(
    session: WriteSession, incident_id: int, *, actor: Actor, now: datetime
) -> Incident:
    """Paging goes on now; an incident that is not snoozed stays as it is."""
    incident = await held(session, incident_id)
    if incident.snoozed_until is None:
        return incident
    incident.snoozed_until = None
    incident.touch(now)
    await escalation_service.bring_back(session, incident, now=now)
    await tell(
        session,
        incident,
        TimelineType.SNOOZE_ENDED,
        f"{actor.name} ended the snooze; paging goes on.",
        actor,
        now,
    )
    return incident


# --- Facts ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Changes:
    """The fields to write, by name, and a status to take."""

    fields: Mapping[str, Any]
    status: IncidentStatus | None = None


async def edit(
    session: WriteSession, incident_id: int, changes: Changes, *, actor: Actor, now: datetime
) -> Incident:
    """Write the named fields; a new severity or service picks its policies anew.

    Of `custom_fields`, too, only the named ones are written; one that is None is removed.
    """
    incident = await held(session, incident_id)
    fields = dict(changes.fields)
    if "custom_fields" in fields:
        fields["custom_fields"] = await custom_field_service.merged(
            session, incident.custom_fields, fields["custom_fields"]
        )
    was = incident.revise(fields, now=now)
    if was:
        before, after = _differences(was, fields)
        await tell(
            session,
            incident,
            TimelineType.EDITED,
            f"{actor.name} changed {', '.join(sorted(before))}.",
            actor,
            now,
            before=before,
            after=after,
        )
    is_paging = incident.status is not IncidentStatus.RESOLVED and not incident.is_drill
    if was.keys() & RETARGETING and is_paging:
        await escalation_service.retarget(session, incident, now=now)
    if changes.status is not None:
        return await change_status(session, incident_id, changes.status, actor=actor, now=now)
    return incident


def _differences(
    was: Mapping[str, Any], fields: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What was and what is, by name; each custom field by a name of its own."""
    before, after = dict(was), {name: fields[name] for name in was}
    if "custom_fields" in was:
        changed = custom_field.changes(before.pop("custom_fields"), after.pop("custom_fields"))
        for key, (old, new) in changed.items():
            before[f"custom_fields.{key}"], after[f"custom_fields.{key}"] = old, new
    return before, after
