"""A policy's ladder: its steps, what each owes, and when the next one is due.

Pure arithmetic over a frozen copy of the steps. A step's due time counts from the
*scheduled* time of the step before, so lateness never adds up. After the last step the
ladder waits `final_delay` for an answer, then repeats or ends: that end is a due time
like any other, at position `len(steps)`.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any

from app.domain.incident import IncidentStatus, Severity, Urgency
from app.domain.notification import Channel, Page, Recipient, Skipped, fan_out
from app.domain.target import ENTRUSTED, Target, TargetKind, read_target


class EscalationStatus(StrEnum):
    ACTIVE = "active"  # its next step has a due time
    PAUSED = "paused"  # acknowledged; wakes when a snooze ends, its time is over, or somebody calls
    COMPLETED = "completed"  # answered for good: the incident was resolved
    EXHAUSTED = "exhausted"  # ran out of steps and repeats without an answer
    CANCELLED = "cancelled"  # its policy no longer matches


LIVE = (EscalationStatus.ACTIVE, EscalationStatus.PAUSED)


class EscalationEventStatus(StrEnum):
    """How one step went."""

    COMPLETED = "completed"
    REACHED_NOBODY = "reached_nobody"
    FAILED = "failed"  # every page it sent was given up


@dataclass(frozen=True)
class Notify:
    target: Target
    channels: tuple[Channel, ...] = ()
    message: str | None = None


@dataclass(frozen=True)
class Assign:
    target: Target


@dataclass(frozen=True)
class SetStatus:
    status: IncidentStatus


@dataclass(frozen=True)
class SetSeverity:
    severity: Severity


@dataclass(frozen=True)
class CallWebhook:
    url: str


@dataclass(frozen=True)
class AddComment:
    text: str


Action = Notify | Assign | SetStatus | SetSeverity | CallWebhook | AddComment


@dataclass(frozen=True)
class Step:
    delay: timedelta
    actions: tuple[Action, ...]


def read_steps(document: Sequence[Mapping[str, Any]]) -> tuple[Step, ...]:
    """The steps that a policy's validated JSON means."""
    return tuple(
        Step(
            timedelta(minutes=step["delay_minutes"]),
            tuple(_read_action(action) for action in step["actions"]),
        )
        for step in document
    )


def _read_action(action: Mapping[str, Any]) -> Action:
    match action["type"]:
        case "notify":
            return Notify(
                read_target(action["target"]),
                tuple(Channel(name) for name in action.get("channels") or ()),
                action.get("message"),
            )
        case "assign":
            return Assign(read_target(action["target"]))
        case "set_status":
            return SetStatus(IncidentStatus(action["status"]))
        case "set_severity":
            return SetSeverity(Severity(action["severity"]))
        case "webhook":
            return CallWebhook(action["url"])
        case "comment":
            return AddComment(action["text"])
        case unknown:
            raise ValueError(f"unknown action {unknown!r}")


FALLBACK_NAME = "fallback"
FALLBACK_STEPS: list[dict[str, Any]] = [
    {"delay_minutes": 0, "actions": [{"type": "notify", "target": "fallback"}]}
]
FALLBACK_FINAL_DELAY_MINUTES = 5.0


@dataclass(frozen=True)
class Ladder:
    """The frozen part of an escalation, and the loop after which it gives up."""

    steps: tuple[Step, ...]
    last_loop: int
    final_delay: timedelta

    @property
    def targets(self) -> set[Target]:
        """Everybody any step may want."""
        return {
            action.target
            for step in self.steps
            for action in step.actions
            if isinstance(action, Notify | Assign)
        }


LADDERS_KEPT = 1024


@lru_cache(LADDERS_KEPT)
def frozen_ladder(steps: str, last_loop: int, final_delay_minutes: float) -> Ladder:
    """The ladder of a JSON text. Many incidents climb the same one, so it is read once."""
    document = json.loads(steps)
    return Ladder(read_steps(document), last_loop, timedelta(minutes=final_delay_minutes))


@dataclass(frozen=True)
class Position:
    """Where an escalation stands: the step it will take next, and when."""

    loop: int
    step: int
    due_at: datetime


def start(ladder: Ladder, *, at: datetime, loop: int = 0) -> Position:
    """The first step of a loop that begins `at`."""
    return Position(loop, 0, at + ladder.steps[0].delay)


def after_step(ladder: Ladder, position: Position, *, reached_somebody: bool) -> Position:
    """What comes after the step at `position`: in its time, or at once if nobody was reached."""
    following = position.step + 1
    if not reached_somebody:
        return Position(position.loop, following, position.due_at)
    is_last = following == len(ladder.steps)
    delay = ladder.final_delay if is_last else ladder.steps[following].delay
    return Position(position.loop, following, position.due_at + delay)


def after_end(ladder: Ladder, position: Position) -> Position | None:
    """The ladder's next loop, or None when it has run out."""
    if position.loop >= ladder.last_loop:
        return None
    return start(ladder, at=position.due_at, loop=position.loop + 1)


def hurried(ladder: Ladder, position: Position, *, at: datetime, ends: bool) -> Position:
    """Where an escalation stands once somebody wants what comes next to come `at` once.

    Past its last step a ladder begins its next loop, if it has one or must not end; else what
    comes next is its end.
    """
    is_past = position.step >= len(ladder.steps)
    if is_past and (position.loop < ladder.last_loop or not ends):
        return Position(position.loop + 1, 0, at)
    return Position(position.loop, position.step, min(position.due_at, at))


def resumed(ladder: Ladder, loop: int, step: int, *, at: datetime) -> Position:
    """Where an escalation stands that goes on `at` after it was paused: its next step is due in
    the time that the ladder gives it."""
    is_end = step >= len(ladder.steps)
    delay = ladder.final_delay if is_end else ladder.steps[step].delay
    return Position(loop, step, at + delay)


@dataclass(frozen=True)
class OwedPage:
    """A page one action of a step owes one person."""

    action: int
    page: Page
    message: str | None


@dataclass(frozen=True)
class StepPages:
    """Everything a step's `notify` actions come to."""

    owed: tuple[OwedPage, ...]
    skipped: tuple[Skipped, ...]
    asks_for_people: bool  # whether the step was meant to reach anybody
    vacancies: tuple[str, ...] = ()  # why a target of it means nobody, a sentence each

    @property
    def reached_somebody(self) -> bool:
        return bool(self.owed) or not self.asks_for_people


def pages_of(
    step: Step,
    *,
    recipients: Mapping[Target, Collection[Recipient]],
    severity: Severity,
    due_at: datetime,
    urgency: Urgency = Urgency.HIGH,
) -> StepPages:
    """Who this step pages, over what and when; and who it does not, and why.

    The same rule of the same person is used once a step, whichever action names them first; one
    that names the assignees comes last, because whoever is named otherwise, too, stays paged when
    they are no longer assigned.
    """
    owed: list[OwedPage] = []
    skipped: list[Skipped] = []
    used: set[tuple[int, int]] = set()
    asks = False
    for index, action in sorted(enumerate(step.actions), key=_names_assignees):
        if not isinstance(action, Notify):
            continue
        asks = True
        for recipient in recipients.get(action.target, ()):
            pages, reasons = fan_out(
                recipient,
                channels=action.channels,
                severity=severity,
                due_at=due_at,
                urgency=urgency,
            )
            skipped += [reason for reason in reasons if reason not in skipped]
            for page in pages:
                if (page.user_id, page.rule_id) not in used:
                    used.add((page.user_id, page.rule_id))
                    owed.append(OwedPage(index, page, action.message))
    return StepPages(tuple(owed), tuple(skipped), asks)


def out_of_reach(
    step: Step,
    target: Target,
    person: Recipient,
    *,
    severity: Severity,
    due_at: datetime,
    urgency: Urgency = Urgency.HIGH,
) -> list[Skipped]:
    """Why nothing that this step tells this target would reach this person; empty if something
    does, or if it tells them nothing."""
    found: list[Skipped] = []
    for action in step.actions:
        if isinstance(action, Notify) and action.target == target:
            pages, reasons = fan_out(
                person,
                channels=action.channels,
                severity=severity,
                due_at=due_at,
                urgency=urgency,
            )
            if pages:
                return []
            found += [reason for reason in reasons if reason not in found]
    return found


def entrusted(step: Step, pages: StepPages) -> list[int]:
    """Whom a step pages because it is their turn, in the order it names them: they have the
    incident, if nobody has it."""
    found: dict[int, None] = {}
    for owed in sorted(pages.owed, key=lambda one: one.action):
        action = step.actions[owed.action]
        if isinstance(action, Notify) and action.target.kind in ENTRUSTED:
            found[owed.page.user_id] = None
    return list(found)


def _names_assignees(entry: tuple[int, Action]) -> bool:
    action = entry[1]
    return isinstance(action, Notify) and action.target.kind is TargetKind.ASSIGNEES


POSTPONED_FIRST = timedelta(seconds=1)
POSTPONED_LONGEST = timedelta(minutes=1)


def postponement(faults: int) -> timedelta:
    """How long a step that broke inside Tocsin waits before it is tried again."""
    wait: timedelta = min(POSTPONED_FIRST * 2 ** min(faults - 1, 10), POSTPONED_LONGEST)
    return wait


def in_words(span: timedelta) -> str:
    """How long that is, as people say it."""
    seconds = max(round(span.total_seconds()), 0)
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= 2 * size or (seconds >= size and seconds % size == 0):
            count = round(seconds / size)
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{seconds} second{'' if seconds == 1 else 's'}"
