"""What a rehearsal came to: its rows as lines in the order of time, and the doubts about them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from app.crud import crud_escalation, crud_simulation, crud_user
from app.db.session import WriteSession
from app.domain.contact_method import doubts, on_record
from app.domain.escalation import EscalationEventStatus, EscalationStatus
from app.domain.foresight import (
    Course,
    Doubt,
    DoubtKind,
    Fate,
    ForeseenPage,
    PagedRule,
    Passage,
    Run,
    foresee,
    masked,
)
from app.domain.incident import Severity, TimelineType
from app.domain.notification import (
    Channel,
    NotificationKind,
    NotificationStatus,
    Recipient,
    Skipped,
)
from app.domain.user import Actor
from app.models import ContactMethod, Escalation, EscalationEvent, Notification, TimelineEvent

MOST_LINES = 2000
MOST_DOUBTS = 200
FATES = {
    NotificationStatus.PENDING: Fate.WAITS,
    NotificationStatus.CANCELLED: Fate.DROPPED,
    NotificationStatus.FAILED: Fate.FAILED,
}


@dataclass(frozen=True)
class Setting:
    """Where and when a rehearsal takes place, and what its draft is really called."""

    key: int
    starts_at: datetime
    draft_name: str
    real_name: str

    def named(self, text: str) -> str:
        return text.replace(self.draft_name, self.real_name)


@dataclass(frozen=True)
class Line:
    """Something that happens: an entry of the timeline, or a message to one recipient."""

    at: datetime
    minute: float  # after the start
    action: str
    because: str | None = None
    policy: str | None = None
    is_fallback: bool = False
    loop: int | None = None
    step: int | None = None
    user_id: int | None = None
    name: str | None = None
    channel: Channel | None = None
    contact_method: str | None = None
    rule: int | None = None
    fate: Fate | None = None
    quiet_until: datetime | None = None


@dataclass(frozen=True)
class Told:
    lines: Sequence[Line]
    doubts: Sequence[Doubt]


async def first_paged(session: WriteSession, key: int) -> Actor | None:
    """Whoever was paged before everybody else."""
    found = await crud_simulation.pages(session, key, limit=MOST_LINES)
    paged = [
        (one.sent_at, one.id, one.user_id)
        for one, _ in found
        if one.sent_at is not None and one.user_id is not None
    ]
    if not paged:
        return None
    _, _, user_id = min(paged)
    user = await crud_user.get(session, user_id)
    return None if user is None else Actor(user.display_name, user.id)


async def tell(
    session: WriteSession,
    setting: Setting,
    *,
    severities: Sequence[Severity],
    is_answered: bool,
    unconfigured: Collection[Channel],
) -> Told:
    """All of it, read back from the rows. `severities` are all that the incident had."""
    rows = _Rows(
        setting,
        {run.id: run for run in await crud_escalation.of_incident(session, setting.key)},
        await crud_escalation.events_of(session, setting.key),
        await crud_simulation.story(session, setting.key, limit=MOST_LINES),
        await crud_simulation.pages(session, setting.key, limit=MOST_LINES),
        {},
    )
    rows = await rows.peopled(session)
    pages = [page for page in rows.pages if rows.happened(page[0])]
    lines = [*map(rows.line_of_entry, rows.story), *(rows.line_of_page(*page) for page in pages)]
    lines.sort(key=lambda line: line.at)  # stable: what was told stands before who was paged
    course = rows.course(pages, severities, is_answered)
    hard = rows.hard_to_reach(unconfigured)
    return Told(lines[:MOST_LINES], [*foresee(course), *hard][:MOST_DOUBTS])


@dataclass(frozen=True)
class _Rows:
    """What the rehearsal wrote, with whoever it is about."""

    setting: Setting
    runs: Mapping[int, Escalation]
    events: Sequence[EscalationEvent]
    story: Sequence[TimelineEvent]
    pages: Sequence[tuple[Notification, ContactMethod | None]]
    people: Mapping[int, Recipient]

    async def peopled(self, session: WriteSession) -> "_Rows":
        """The same, with everybody who is paged, or is not."""
        ids = {one.user_id for one, _ in self.pages if one.user_id is not None}
        ids |= {skip["user_id"] for event in self.events for skip in event.facts["skipped"]}
        people = await crud_user.recipients(session, ids)
        return _Rows(self.setting, self.runs, self.events, self.story, self.pages, people)

    def happened(self, page: Notification) -> bool:
        """Whether it is of the rehearsal, or still to come when that began."""
        return page.ready_at is not None or page.updated_at >= self.setting.starts_at

    # --- lines

    def line_of_entry(self, entry: TimelineEvent) -> Line:
        run = self.runs.get(entry.facts.get("escalation_id", 0))
        if run is None:  # it began just then, and the entry knows its policy only
            policy_id = entry.facts.get("policy_id")
            run = next((one for one in self.runs.values() if one.policy_id == policy_id), None)
            run = run if policy_id is not None else None
        return Line(
            entry.created_at,
            self._minute(entry.created_at),
            entry.event_type.value,
            self.setting.named(entry.description),
            self._policy(run),
            run is not None and run.is_fallback,
            entry.facts.get("loop"),
            entry.facts.get("step"),
        )

    def line_of_page(self, page: Notification, method: ContactMethod | None) -> Line:
        run = self.runs.get(page.escalation_id or 0)
        rule, quiet_until = self._rule(page)
        at = page.sent_at or page.ready_at or page.due_at
        is_page = page.kind is NotificationKind.PAGE
        action = page.kind.value if page.user_id is not None or not is_page else "webhook"
        return Line(
            at,
            self._minute(at),
            action,
            self._because(page, rule, quiet_until),
            self._policy(run),
            run is not None and run.is_fallback,
            page.loop,
            page.step,
            page.user_id,
            self._name(page.user_id),
            page.channel,
            _where(page, method),
            rule.number if rule is not None else None,
            FATES.get(page.status, Fate.SENT),
            quiet_until,
        )

    def _because(
        self, page: Notification, rule: PagedRule | None, quiet_until: datetime | None
    ) -> str:
        if page.kind is not NotificationKind.PAGE:
            return f"{self._name(page.user_id)} was paged, and wants to know how it goes on."
        if page.user_id is None:
            why = "The step calls it."
        elif rule is None:
            why = f"The step pages {self._name(page.user_id)}."
        else:
            why = f"The step pages {self._name(page.user_id)}, by {rule}."
        if quiet_until is not None:
            why += " It waits for the end of quiet hours."
        if page.status in (NotificationStatus.CANCELLED, NotificationStatus.FAILED):
            why += f" {page.reason}"
        return why

    # --- doubts

    def course(
        self,
        pages: Iterable[tuple[Notification, ContactMethod | None]],
        severities: Sequence[Severity],
        is_answered: bool,
    ) -> Course:
        runs = {key: self._run(run) for key, run in self.runs.items()}
        passages = {
            (event.escalation_id, event.loop, event.step): self._passage(
                runs[event.escalation_id], event
            )
            for event in self.events
        }
        foreseen = []
        for page, _ in pages:
            key = (page.escalation_id or 0, page.loop or 0, page.step or 0)
            if page.user_id is not None and key in passages:
                foreseen.append(self._foreseen(page, passages[key]))
        answered = (TimelineType.ACKNOWLEDGED, TimelineType.RESOLVED)
        answers = [entry.created_at for entry in self.story if entry.event_type in answered]
        return Course(
            self.setting.starts_at,
            sorted(passages.values(), key=lambda one: (one.at, one.loop, one.step)),
            foreseen,
            severities,
            answers[0] if answers else None,
            is_answered,
            list(runs.values()),
        )

    def _run(self, run: Escalation) -> Run:
        return Run(
            run.id,
            self.setting.named(run.policy_name),
            run.is_fallback,
            timedelta(minutes=run.final_delay_minutes),
            run.finished_at,
            run.status is EscalationStatus.CANCELLED,
        )

    def _passage(self, run: Run, event: EscalationEvent) -> Passage:
        return Passage(
            run,
            event.loop,
            event.step,
            event.triggered_at,
            event.status is not EscalationEventStatus.REACHED_NOBODY,
            tuple(
                Skipped(skip["user_id"], self._name(skip["user_id"]) or "", skip["reason"])
                for skip in event.facts["skipped"]
            ),
            tuple(event.facts.get("vacancies", ())),
        )

    def _foreseen(self, page: Notification, passage: Passage) -> ForeseenPage:
        rule, quiet_until = self._rule(page)
        at = page.sent_at or page.ready_at or page.due_at
        fate = FATES.get(page.status, Fate.SENT)
        assert page.user_id is not None  # asked before
        name = self._name(page.user_id) or ""
        return ForeseenPage(passage, page.user_id, name, page.channel, at, fate, rule, quiet_until)

    def hard_to_reach(self, unconfigured: Collection[Channel]) -> list[Doubt]:
        """What is doubtful about everybody who is paged, or should be."""
        return [
            Doubt(DoubtKind.PERSON_HARD_TO_REACH, sentence, user_id=person.user_id)
            for _, person in sorted(self.people.items())
            for sentence in doubts(person, unconfigured=unconfigured)
        ]

    # --- words

    def _rule(self, page: Notification) -> tuple[PagedRule | None, datetime | None]:
        """The rule that led to a page, and until when quiet hours put it off."""
        person = self.people.get(page.user_id or 0)
        for number, rule in enumerate(person.rules if person is not None else (), 1):
            if rule.id != page.rule:
                continue
            step_due_at = self._due_at(page)
            is_put_off = step_due_at is not None and page.due_at > step_due_at + rule.delay
            paged = PagedRule(number, rule.channel, rule.delay)
            return paged, page.due_at if is_put_off else None
        return None, None

    def _due_at(self, page: Notification) -> datetime | None:
        return self._due_times.get((page.escalation_id, page.loop, page.step))

    @cached_property
    def _due_times(self) -> dict[tuple[int | None, int | None, int | None], datetime]:
        return {(one.escalation_id, one.loop, one.step): one.due_at for one in self.events}

    def _policy(self, run: Escalation | None) -> str | None:
        return None if run is None else self.setting.named(run.policy_name)

    def _name(self, user_id: int | None) -> str | None:
        person = self.people.get(user_id or 0)
        return person.name if person is not None else None

    def _minute(self, at: datetime) -> float:
        return round((at - self.setting.starts_at) / timedelta(minutes=1), 3)


def _where(page: Notification, method: ContactMethod | None) -> str | None:
    """As much of the address as its owner knows it by."""
    if method is not None:
        return masked(method.channel, on_record(method.channel, method.address))
    return on_record(page.channel, page.address) if page.address is not None else None
