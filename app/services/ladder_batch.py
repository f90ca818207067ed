"""What the steps of one batch come to, gathered as rows to be written at once."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.crud import crud_incident
from app.crud.crud_escalation import Due
from app.domain.escalation import (
    EscalationEventStatus,
    EscalationStatus,
    OwedPage,
    Position,
    StepPages,
    Target,
    TargetKind,
)
from app.domain.incident import IncidentStatus, TimelineType
from app.domain.notification import Channel, NotificationStatus, Recipient
from app.models import Escalation, Incident

# A target that means other people for every incident is looked up with the incident.
Whom = Target | tuple[int, TargetKind]


@dataclass
class Batch:
    """The rows so far. Every list holds dicts with the same keys, for one statement each."""

    now: datetime
    people: Mapping[Whom, Collection[Recipient]]
    promises: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)
    moves: list[dict[str, Any]] = field(default_factory=list)
    exhausted: list[Due] = field(default_factory=list)
    # Incidents that a step of this batch answered: nothing of theirs is climbed any further.
    answered: dict[int, tuple[Incident, IncidentStatus]] = field(default_factory=dict)
    retargeted: dict[int, Incident] = field(default_factory=dict)

    def recipients(self, target: Target, incident_id: int) -> Collection[Recipient]:
        return self.people.get(target) or self.people.get((incident_id, target.kind)) or ()

    def tell(self, incident: Incident, kind: TimelineType, text: str, **facts: Any) -> None:
        self.entries.append(crud_incident.entry(incident.id, kind, text, now=self.now, **facts))

    def move(self, run: Escalation, position: Position, *, last_loop: int | None = None) -> None:
        """The escalation stands there now."""
        standing = self._standing(run, position)
        self.moves.append(standing | {"last_loop": last_loop or run.last_loop})

    def exhaust(self, run: Escalation, position: Position) -> None:
        """The escalation has run out."""
        ended = {
            "status": EscalationStatus.EXHAUSTED,
            "next_step_at": None,
            "finished_at": self.now,
        }
        self.moves.append(self._standing(run, position) | ended)

    def promise(self, due: Due, position: Position, owed: OwedPage) -> None:
        """A page to a person."""
        page = owed.page
        person = {
            "recipient": f"user:{page.user_id}",
            "rule": page.rule_id,
            "channel": page.channel,
            "user_id": page.user_id,
            "contact_method_id": page.contact_method_id,
            "message": owed.message,
        }
        self._promise(due, position, owed.action, page.due_at, person)

    def promise_call(self, due: Due, position: Position, action: int, url: str) -> None:
        """A call of a step's own webhook."""
        call = {"recipient": "webhook", "rule": 0, "channel": Channel.WEBHOOK, "address": url}
        self._promise(due, position, action, position.due_at, call)

    def record(
        self, due: Due, position: Position, status: EscalationEventStatus, pages: StepPages
    ) -> None:
        """What the step came to."""
        self.events.append(
            {
                "incident_id": due.incident.id,
                "policy_id": due.escalation.policy_id,
                "escalation_id": due.escalation.id,
                "loop": position.loop,
                "step": position.step,
                "status": status,
                "due_at": position.due_at,
                "triggered_at": self.now,
                "completed_at": self.now,
                "facts": {
                    "paged": len(pages.owed),
                    "skipped": [
                        {"user_id": skip.user_id, "reason": skip.reason} for skip in pages.skipped
                    ],
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
        facts = {"escalation_id": run.id, "loop": position.loop, "step": position.step}
        self.tell(due.incident, kind, story, **facts)

    def _paged(self, position: Position, pages: StepPages) -> str:
        names = {one.user_id: one.name for people in self.people.values() for one in people}
        return ", ".join(
            f"{names[owed.page.user_id]} ({owed.page.channel}{_delay(owed, position)})"
            for owed in pages.owed
        )

    def _standing(self, run: Escalation, position: Position) -> dict[str, Any]:
        return {
            "key": run.id,
            "status": EscalationStatus.ACTIVE,
            "loop": position.loop,
            "last_loop": run.last_loop,
            "next_step": position.step,
            "next_step_at": position.due_at,
            "deferred_from": None,
            "finished_at": None,
            "faults": 0,
            "last_fault": None,
            "updated_at": self.now,
        }

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
            "user_id": None,
            "contact_method_id": None,
            "address": None,
            "message": None,
            "status": NotificationStatus.PENDING,
            "due_at": due_at,
            "ready_at": due_at,
            "created_at": self.now,
            "updated_at": self.now,
        }
        self.promises.append(row | dict(values))


def _delay(owed: OwedPage, position: Position) -> str:
    minutes = (owed.page.due_at - position.due_at).total_seconds() / 60
    return f" in {minutes:g} min" if minutes else ""
