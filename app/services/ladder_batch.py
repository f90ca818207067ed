"""What the steps of one batch come to, gathered as rows to be written at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from app.crud import crud_incident
from app.crud.crud_escalation import Due, DueEscalation, DueIncident
from app.crud.crud_ladder import Steps
from app.domain.escalation import (
    EscalationEventStatus,
    EscalationStatus,
    OwedPage,
    Position,
    StepPages,
)
from app.domain.incident import IncidentStatus, Severity, TimelineType
from app.domain.notification import Channel
from app.domain.quiet import Wait
from app.domain.target import ON_DUTY, Target
from app.models import Incident
from app.services.ladder_people import People


@dataclass
class Batch:
    """The rows so far, and how each incident stands once they are written."""

    now: datetime
    people: People
    incidents: dict[int, DueIncident]
    rows: Steps = field(default_factory=Steps)
    # When the nearest of the next steps is due, of what is critical and of the rest.
    nearest: dict[bool, datetime] = field(default_factory=dict)
    exhausted: list[Due] = field(default_factory=list)
    # Incidents that a step of this batch answered: nothing of theirs is climbed any further.
    answered: dict[int, IncidentStatus] = field(default_factory=dict)
    severities: dict[int, Severity] = field(default_factory=dict)
    # Incidents whose snooze is over or whose answer has expired, the latter with all ladders.
    roused: set[int] = field(default_factory=set)
    expired: set[int] = field(default_factory=set)
    missed: set[int] = field(default_factory=set)  # drills
    # Until when incidents wait whose paging is to begin.
    waits: Mapping[int, Wait] = field(default_factory=dict)
    # Incidents that nobody had, and whom their steps have given them to.
    entrusted: dict[int, list[int]] = field(default_factory=dict)
    # Only what changes an incident loads it.
    loaded: dict[int, Incident] = field(default_factory=dict)

    def tell(self, incident_id: int, kind: TimelineType, text: str, **facts: Any) -> None:
        entry = crud_incident.entry(incident_id, kind, text, now=self.now, **facts)
        self.rows.entries.append(entry)

    def tell_once(self, entry: dict[str, Any]) -> None:
        """Of several ladders of an incident the first one says it."""
        if entry not in self.rows.entries:
            self.rows.entries.append(entry)

    def rouse(self, incident: DueIncident) -> None:
        """Nothing rests on the incident any longer; one that was acknowledged is open again."""
        self.roused.add(incident.id)
        self.incidents[incident.id] = replace(
            incident, status=IncidentStatus.OPEN, snoozed_until=None, acknowledged_at=None
        )

    def worsen(self, incident: DueIncident, severity: Severity) -> None:
        """The incident is this bad now."""
        self.severities[incident.id] = severity
        self.incidents[incident.id] = replace(incident, severity=severity)

    def entrust(self, due: Due, user_ids: Sequence[int]) -> None:
        """Whose turn it is has the incident from now on, if nobody has it."""
        incident = self.incidents[due.incident.id]
        if user_ids and incident.assigned_to is None and not incident.is_drill:
            self.entrusted[incident.id] = list(user_ids)
            self.assign(incident.id, user_ids[0])
            names = ", ".join(self.people.by_id[user_id].name for user_id in user_ids)
            story = f"Assigned to {names}, who {'is' if len(user_ids) == 1 else 'are'} paged first."
            self.tell(incident.id, TimelineType.ASSIGNED, story, assignee_ids=user_ids)

    def assign(self, incident_id: int, user_id: int) -> None:
        """This person has the incident now."""
        self.incidents[incident_id] = replace(self.incidents[incident_id], assigned_to=user_id)

    def move(self, run: DueEscalation, position: Position, *, last_loop: int | None = None) -> None:
        """The escalation stands there now."""
        standing = _standing(run, position)
        self.rows.moves.append(standing | {"last_loop": last_loop or run.last_loop})
        nearest = self.nearest.get(run.is_critical, position.due_at)
        self.nearest[run.is_critical] = min(nearest, position.due_at)

    def defer(self, run: DueEscalation, position: Position, wait: Wait, *, last_loop: int) -> None:
        """The escalation stands there and waits, as its service has it."""
        self.move(run, replace(position, due_at=wait.until), last_loop=last_loop)
        self.rows.moves[-1] |= {"waits_until": wait.until, "waits_for": wait.reason}

    def exhaust(self, run: DueEscalation, position: Position) -> None:
        """The escalation has run out."""
        ended = {
            "status": EscalationStatus.EXHAUSTED,
            "next_step_at": None,
            "finished_at": self.now,
        }
        self.rows.moves.append(_standing(run, position) | ended)

    def promise(self, due: Due, position: Position, owed: OwedPage, target: Target) -> None:
        """A page to a person, with the reason why it is theirs and when."""
        page = owed.page
        wanted_at = page.wanted_at or page.due_at
        facts: dict[str, Any] = {"target": target.kind}
        if target.kind in ON_DUTY:
            facts["through"] = self.people.meant(target, due).through
        if wanted_at != position.due_at:
            facts["after_minutes"] = _minutes(position, wanted_at)
        if page.wanted_at is not None:
            facts["quiet_until"] = page.due_at.isoformat()
        person = {
            "recipient": f"user:{page.user_id}",
            "rule": page.rule_id,
            "channel": page.channel,
            "user_id": page.user_id,
            "contact_method_id": page.contact_method_id,
            "message": owed.message,
            "facts": facts,
            "held_until": self._held_until(due, position, page.due_at),
        }
        self._promise(due, position, owed.action, page.due_at, person)

    def promise_call(self, due: Due, position: Position, action: int, url: str) -> None:
        """A call of a step's own webhook."""
        call = {"recipient": "webhook", "rule": 0, "channel": Channel.WEBHOOK, "address": url}
        self._promise(due, position, action, position.due_at, call | {"facts": {}})

    def record(
        self, due: Due, position: Position, status: EscalationEventStatus, pages: StepPages
    ) -> None:
        """What the step came to."""
        self.rows.events.append(
            {
                "incident_id": due.incident.id,
                "policy_id": due.escalation.policy_id,
                "escalation_id": due.escalation.id,
                "loop": position.loop,
                "step": position.step,
                "status": status,
                "due_at": position.due_at,
                "facts": {
                    "paged": len(pages.owed),
                    "skipped": [
                        {"user_id": skip.user_id, "reason": skip.reason} for skip in pages.skipped
                    ],
                    **({"vacancies": list(pages.vacancies)} if pages.vacancies else {}),
                },
            }
        )

    def tell_step(self, due: Due, position: Position, pages: StepPages) -> None:
        """The step, as a sentence: who is paged and how, and who is not and why."""
        run = due.escalation
        where = (
            "Fallback" if run.is_fallback else f"Step {position.step + 1} of “{run.policy_name}”"
        )
        kind = TimelineType.ESCALATION_STEP
        if not pages.reached_somebody:
            kind = TimelineType.ESCALATION_REACHED_NOBODY
            story = f"{where} reached nobody; what comes next comes at once."
        elif pages.asks_for_people:
            story = f"{where} pages {self._paged(position, pages)}."
        else:
            story = f"{where} was taken."
        story += "".join(f" {skip.name} {skip.reason}." for skip in pages.skipped)
        story += "".join(f" {why}" for why in pages.vacancies)
        facts = {"escalation_id": run.id, "loop": position.loop, "step": position.step}
        self.tell(due.incident.id, kind, story, **facts)

    def _paged(self, position: Position, pages: StepPages) -> str:
        return ", ".join(
            f"{self.people.name(owed.page.user_id)} ({owed.page.channel}{_delay(owed, position)})"
            for owed in pages.owed
        )

    def _held_until(self, due: Due, position: Position, due_at: datetime) -> datetime | None:
        """Until when a storm holds a page back: of a first step, and never what is critical."""
        until = due.escalation.held_until
        is_first = position.loop == 0 and position.step == 0
        if until is None or not is_first or until < due_at or self._is_critical(due):
            return None
        return until

    def _is_critical(self, due: Due) -> bool:
        return self.incidents[due.incident.id].severity is Severity.CRITICAL

    def _promise(
        self,
        due: Due,
        position: Position,
        action: int,
        due_at: datetime,
        values: Mapping[str, Any],
    ) -> None:
        row = {
            "incident_id": due.incident.id,
            "escalation_id": due.escalation.id,
            "loop": position.loop,
            "step": position.step,
            "action": action,
            "is_critical": self._is_critical(due),
            "due_at": due_at,
        }
        self.rows.promises.append(row | dict(values))


def _standing(run: DueEscalation, position: Position) -> dict[str, Any]:
    return {
        "id": run.id,
        "status": EscalationStatus.ACTIVE,
        "loop": position.loop,
        "last_loop": run.last_loop,
        "next_step": position.step,
        "next_step_at": position.due_at,
        "finished_at": None,
    }


def _minutes(position: Position, at: datetime) -> float:
    """How long after its step was due; six digits of a minute are finer than any clock here."""
    return round((at - position.due_at).total_seconds() / 60, 6)


def _delay(owed: OwedPage, position: Position) -> str:
    minutes = _minutes(position, owed.page.due_at)
    return f" in {minutes:g} min" if minutes else ""
