"""A ladder as it is drawn: what was done, what comes next, and what would come after.

One picture for two sources. What an incident's escalations have done is told by their own rows;
what is to come, there or of a policy that nobody has saved yet, is told by a rehearsal.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from app.domain.escalation import LIVE, EscalationEventStatus, EscalationStatus
from app.domain.foresight import Fate
from app.domain.notification_story import NotPaged
from app.domain.target import spoken
from app.models import Escalation, EscalationEvent
from app.services.simulation_course import Line

CHANNELS = {"email": "mail", "sms": "SMS", "push": "push", "chat": "chat", "webhook": "webhook"}
MOST_DONE = 30  # rungs of a ladder that are drawn, the newest
STATES = {
    EscalationStatus.ACTIVE: "climbing",
    EscalationStatus.PAUSED: "paused",
    EscalationStatus.COMPLETED: "over",
    EscalationStatus.EXHAUSTED: "at its end",
    EscalationStatus.CANCELLED: "stopped",
}
DOES = {
    "assign": "gives it to {target}",
    "webhook": "calls a webhook",
    "set_status": "makes it {status}",
    "set_severity": "makes it {severity}",
    "comment": "comments",
}


class RungState(StrEnum):
    DONE = "done"
    NOW = "now"  # it is what comes next
    LATER = "later"


@dataclass(frozen=True)
class Paged:
    """Somebody, over one channel, and how it went or will."""

    name: str
    channel: str
    state: str  # sent, delivered, failed, dropped, waits, planned
    at: datetime | None = None
    note: str | None = None
    story: Sequence[str] = ()

    @property
    def over(self) -> str:
        return CHANNELS.get(self.channel, self.channel)


@dataclass(frozen=True)
class Rung:
    """One step, in one round of the ladder."""

    loop: int
    step: int
    state: RungState
    at: datetime
    pages: Sequence[Paged] = ()
    skipped: Sequence[str] = ()
    words: Sequence[str] = ()
    reached_nobody: bool = False

    @property
    def number(self) -> int:
        return self.step + 1


@dataclass(frozen=True)
class Ladder:
    name: str
    is_fallback: bool
    state: str
    is_live: bool
    rungs: Sequence[Rung]
    starts_at: datetime
    escalation_id: int | None = None
    rounds: int = 1
    more_done: int = 0

    @property
    def title(self) -> str:
        return "Fallback" if self.is_fallback else self.name


@dataclass(frozen=True)
class Work:
    """What an incident's escalations have come to, from its rows."""

    escalations: Sequence[Escalation]
    events: Sequence[EscalationEvent]
    pages: Sequence[Mapping[str, Any]]  # as `notification_story` tells them
    not_paged: Sequence[NotPaged] = ()
    foreseen: Sequence[Line] = field(default=())


# --- Of an incident ---------------------------------------------------------------------


def of_incident(work: Work) -> list[Ladder]:
    """Every ladder of an incident, those that are live first, each with what is to come."""
    ladders = [_drawn(run, work) for run in work.escalations]
    return sorted(ladders, key=lambda one: not one.is_live)


def _drawn(run: Escalation, work: Work) -> Ladder:
    events = [event for event in work.events if event.escalation_id == run.id]
    done = [_done(event, run, work) for event in events[-MOST_DONE:]]
    taken = {(event.loop, event.step) for event in events}
    ahead = _ahead(run, taken, work.foreseen)
    return Ladder(
        run.policy_name,
        run.is_fallback,
        STATES[run.status],
        run.status in LIVE,
        [*done, *ahead],
        run.started_at,
        run.id,
        run.repeat + 1,
        max(len(events) - MOST_DONE, 0),
    )


def _done(event: EscalationEvent, run: Escalation, work: Work) -> Rung:
    place = (event.escalation_id, event.loop, event.step)
    pages = [
        _paged(one)
        for one in work.pages
        if (one["escalation_id"], one["loop"], one["step"]) == place
    ]
    skipped = [
        f"{one.name} {one.reason}"
        for one in work.not_paged
        if (one.policy_name, one.loop, one.step) == (run.policy_name, event.loop, event.step)
    ]
    return Rung(
        event.loop,
        event.step,
        RungState.DONE,
        event.triggered_at,
        pages,
        [*skipped, *event.facts.get("vacancies", ())],
        _does(run.steps[event.step]) if event.step < len(run.steps) else [],
        event.status is EscalationEventStatus.REACHED_NOBODY,
    )


def _paged(one: Mapping[str, Any]) -> Paged:
    status = str(one["status"])
    state = {"pending": "waits", "sending": "waits", "cancelled": "dropped", "suppressed": "sent"}
    at = one["delivered_at"] or one["sent_at"] or one["next_at"] or one["due_at"]
    note = one["reason"] if status in ("failed", "cancelled") else None
    if one["link_used_at"] is not None:
        note = "answered by its link"
    return Paged(
        one["user_name"] or "A webhook",
        str(one["channel"]),
        state.get(status, status),
        at,
        note,
        [sentence.text for sentence in one["story"]],
    )


def _ahead(
    run: Escalation, taken: set[tuple[int, int]], foreseen: Sequence[Line]
) -> Sequence[Rung]:
    """What is to come: as the rehearsal has it, or without one as the frozen steps say."""
    if run.status is not EscalationStatus.ACTIVE or run.next_step_at is None:
        return []
    own = [
        line
        for line in foreseen
        if (line.policy, line.is_fallback) == (run.policy_name, run.is_fallback)
        and (line.loop, line.step) not in taken
    ]
    if own:
        return _rungs(own)
    rungs: list[Rung] = []
    at = run.next_step_at
    for number in range(run.next_step, len(run.steps)):
        if number > run.next_step:
            at += timedelta(minutes=run.steps[number]["delay_minutes"])
        state = RungState.LATER if rungs else RungState.NOW
        words = [*_targets(run.steps[number]), *_does(run.steps[number])]
        rungs.append(Rung(run.loop, number, state, at, words=words))
    return rungs


# --- Of a rehearsal ---------------------------------------------------------------------


def of_rehearsal(lines: Iterable[Line]) -> list[Ladder]:
    """Every ladder that would be climbed, in the order in which they begin."""
    ladders: dict[tuple[str, bool], list[Line]] = {}
    for line in lines:
        if line.policy is not None:
            ladders.setdefault((line.policy, line.is_fallback), []).append(line)
    return [
        Ladder(name, is_fallback, "planned", is_live=True, rungs=_rungs(own), starts_at=own[0].at)
        for (name, is_fallback), own in ladders.items()
    ]


def _rungs(lines: Iterable[Line]) -> list[Rung]:
    """The steps of one ladder; what has no step is no rung."""
    steps: dict[tuple[int, int], list[Line]] = {}
    for line in lines:
        if line.loop is not None and line.step is not None:
            steps.setdefault((line.loop, line.step), []).append(line)
    rungs: list[Rung] = []
    for (loop, step), own in sorted(steps.items()):
        pages = [_foreseen(line) for line in own if line.channel is not None]
        told = [line.because for line in own if line.channel is None and line.because]
        state = RungState.LATER if rungs else RungState.NOW
        nobody = any(line.action == "escalation_reached_nobody" for line in own)
        rungs.append(
            Rung(loop, step, state, own[0].at, pages, words=told if not pages else (),
                 reached_nobody=nobody)
        )  # fmt: skip
    return rungs


def _foreseen(line: Line) -> Paged:
    state = {Fate.DROPPED: "dropped", Fate.FAILED: "failed"}
    note = "after quiet hours" if line.quiet_until is not None else None
    fate = state.get(line.fate, "planned") if line.fate is not None else "planned"
    return Paged(
        line.name or "A webhook", str(line.channel), fate, line.at, note, [line.because or ""]
    )


# --- Words ------------------------------------------------------------------------------


def _targets(step: Mapping[str, Any]) -> list[str]:
    return [
        f"pages {spoken(action['target'])}"
        for action in step["actions"]
        if action["type"] == "notify" and action["target"] != "fallback"
    ]


def _does(step: Mapping[str, Any]) -> list[str]:
    """What a step does beside paging people."""
    told = []
    for action in step["actions"]:
        words = DOES.get(action["type"])
        if words is not None:
            target = spoken(action["target"]) if "target" in action else ""
            told.append(words.format(**{**action, "target": target}))
    return told


@dataclass(frozen=True)
class NextPage:
    """Who is paged next, unless somebody answers first."""

    names: str
    over: str
    at: datetime
    is_one: bool


def next_page(lines: Iterable[Line], now: datetime) -> NextPage | None:
    """The nearest page of a rehearsal, with everybody who gets one at that moment."""
    earliest = now - timedelta(minutes=1)
    coming = sorted(
        (
            line
            for line in lines
            if line.action == "page"
            and line.name
            and line.at >= earliest
            and line.fate in (Fate.SENT, Fate.WAITS)
        ),
        key=lambda line: line.at,
    )
    if not coming:
        return None
    first = [line for line in coming if line.at == coming[0].at]
    names = list(dict.fromkeys(line.name or "" for line in first))
    channels = dict.fromkeys(CHANNELS.get(str(line.channel), "") for line in first)
    return NextPage(listed(names), listed(list(channels)), coming[0].at, len(names) == 1)


def listed(words: Sequence[str], most: int = 3) -> str:
    """“Ana, Ben and 3 others”."""
    if len(words) > most:
        words = [*words[: most - 1], f"{len(words) - most + 1} others"]
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
