"""What is wrong with the course that paging would take: pure, from a rehearsal's own record.

Nothing here guesses. A doubt is about something that happened in the rehearsal, which ran the
code of production; so a rule that comes late is not called lost, because it does page unless
somebody answers before.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from app.domain.incident import Severity
from app.domain.notification import Channel, Skipped


class DoubtKind(StrEnum):
    STEP_REACHES_NOBODY = "step_reaches_nobody"
    TARGET_IS_EMPTY = "target_is_empty"
    PERSON_LEFT_OUT = "person_left_out"
    PERSON_HARD_TO_REACH = "person_hard_to_reach"
    RULE_COMES_LATE = "rule_comes_late"
    RULE_NEVER_FIRES = "rule_never_fires"
    QUIET_HOURS_DEFER = "quiet_hours_defer"
    CHANNEL_NOT_SET_UP = "channel_not_set_up"
    NO_TIME_TO_ANSWER = "no_time_to_answer"
    POLICY_STOPS_ITSELF = "policy_stops_itself"
    SEVERITY_GOES_ROUND = "severity_goes_round"
    POLICY_NEVER_MATCHES = "policy_never_matches"
    NO_POLICY_MATCHES = "no_policy_matches"
    ENDS_WITH_NOBODY = "ends_with_nobody"
    NOBODY_IS_PAGED = "nobody_is_paged"
    CUT_SHORT = "cut_short"


@dataclass(frozen=True)
class Doubt:
    """One thing to look at, in a sentence, and where it is."""

    kind: DoubtKind
    message: str
    policy: str | None = None
    step: int | None = None
    user_id: int | None = None


class Fate(StrEnum):
    """What became of a page in the rehearsal."""

    SENT = "sent"
    FAILED = "failed"  # its channel is not set up
    DROPPED = "dropped"  # the incident was answered first, or its policy was stopped
    WAITS = "waits"  # it would leave after the rehearsal's end


@dataclass(frozen=True)
class Run:
    """A policy at work, or the fallback."""

    id: int
    policy: str
    is_fallback: bool
    final_delay: timedelta
    ended_at: datetime | None = None
    was_cancelled: bool = False


@dataclass(frozen=True)
class Passage:
    """A step that was taken."""

    run: Run
    loop: int
    step: int
    at: datetime
    reached_somebody: bool
    skipped: tuple[Skipped, ...] = ()
    vacancies: tuple[str, ...] = ()  # why a target of it means nobody, a sentence each

    @property
    def name(self) -> str:
        return (
            "The fallback" if self.run.is_fallback else f"Step {self.step + 1} of {_of(self.run)}"
        )


@dataclass(frozen=True)
class PagedRule:
    """The rule of a person that led to a page: its number in their order, from 1."""

    number: int
    channel: Channel
    delay: timedelta = timedelta()

    def __str__(self) -> str:
        after = f" after {minutes(self.delay)}" if self.delay else ""
        return f"rule {self.number} ({self.channel}{after})"


@dataclass(frozen=True)
class ForeseenPage:
    """A page that a step owes somebody."""

    passage: Passage
    user_id: int
    name: str
    channel: Channel
    at: datetime
    fate: Fate
    rule: PagedRule | None = None
    quiet_until: datetime | None = None


@dataclass(frozen=True)
class Course:
    """Everything that happened, in the order of time."""

    starts_at: datetime
    passages: Sequence[Passage] = ()
    pages: Sequence[ForeseenPage] = ()
    severities: Sequence[Severity] = ()  # the first one, and each that a step gave it
    policy_answered_at: datetime | None = None  # a step answered the incident itself
    is_assumed_answered: bool = False
    runs: Sequence[Run] = field(default=())

    def after(self, at: datetime) -> str:
        """How long after the start, in words."""
        return minutes(at - self.starts_at)


def foresee(course: Course) -> list[Doubt]:
    """What to look at, the gravest first; what every round repeats, once."""
    return [
        *_nobody(course),
        *_once(_steps(course)),
        *_once(_rules(course)),
        *_once(_left_out(course)),
        *_once(_runs(course)),
        *_severities(course),
    ]


Told = tuple[tuple[object, ...], Doubt]  # with what it is about, whatever the round


def _once(told: Iterable[Told]) -> list[Doubt]:
    first: dict[tuple[object, ...], Doubt] = {}
    for about, doubt in told:
        first.setdefault((doubt.kind, *about), doubt)
    return list(first.values())


def _nobody(course: Course) -> Iterator[Doubt]:
    if not any(page.fate is Fate.SENT for page in course.pages):
        hope = " before its end" if any(p.fate is Fate.WAITS for p in course.pages) else ""
        yield Doubt(DoubtKind.NOBODY_IS_PAGED, f"Nobody is paged at all{hope}.")


def _steps(course: Course) -> Iterator[Told]:
    for passage in course.passages:
        if passage.reached_somebody:
            for why in passage.vacancies:
                about, doubt = _at(
                    passage, DoubtKind.TARGET_IS_EMPTY, f"{passage.name} wants more people. {why}"
                )
                yield (*about, why), doubt
            continue
        why = _reasons(passage.skipped) + "".join(f" {one}" for one in passage.vacancies)
        why = why or " There is nobody whom it could page."
        if passage.run.is_fallback:
            message = f"The ladder ends with nobody: the fallback reaches nobody.{why}"
            yield (), Doubt(DoubtKind.ENDS_WITH_NOBODY, message)
        else:
            message = f"{passage.name} reaches nobody; what comes next comes at once.{why}"
            yield _at(passage, DoubtKind.STEP_REACHES_NOBODY, message)


def _left_out(course: Course) -> Iterator[Told]:
    """People a step wants and pages over nothing, although it reaches others."""
    paged = {(page.passage, page.user_id) for page in course.pages}
    for passage in course.passages:
        if not passage.reached_somebody:
            continue
        for user_id in dict.fromkeys(skip.user_id for skip in passage.skipped):
            if (passage, user_id) not in paged:
                theirs = [skip for skip in passage.skipped if skip.user_id == user_id]
                message = f"{passage.name} does not page {theirs[0].name}.{_reasons(theirs)}"
                yield _at(passage, DoubtKind.PERSON_LEFT_OUT, message, user_id)


def _rules(course: Course) -> Iterator[Told]:
    for page in course.pages:
        whose = f"{page.name}'s {page.rule}" if page.rule else f"The {page.channel} to {page.name}"
        if page.fate is Fate.FAILED:
            message = f"{whose} fails: {page.channel} is not set up in this installation."
            yield _of_page(page, DoubtKind.CHANNEL_NOT_SET_UP, message)
        elif page.fate is Fate.DROPPED:
            if course.policy_answered_at is not None and not course.is_assumed_answered:
                when = course.after(course.policy_answered_at)
                message = f"{whose} never fires: a step answers the incident itself after {when}."
                yield _of_page(page, DoubtKind.RULE_NEVER_FIRES, message)
        elif overtaken := _overtaken(course, page):
            if page.quiet_until is not None:
                until = page.quiet_until.astimezone(UTC)
                message = (
                    f"Quiet hours put {whose} off until {until:%Y-%m-%d %H:%M} UTC: {overtaken}."
                )
                yield _of_page(page, DoubtKind.QUIET_HOURS_DEFER, message)
            else:
                message = f"{whose} comes late: {overtaken}."
                yield _of_page(page, DoubtKind.RULE_COMES_LATE, message)


def _overtaken(course: Course, page: ForeseenPage) -> str | None:
    """What of the same policy came between the step and its page."""
    here = page.passage
    following = next(
        (
            other
            for other in course.passages
            if other.run == here.run and (other.loop, other.step) > (here.loop, here.step)
        ),
        None,
    )
    if following is not None and following.at < page.at:
        again = f" of round {following.loop + 1}" if following.loop != here.loop else ""
        begun = f"step {following.step + 1}{again} has begun after {course.after(following.at)}"
        return f"{begun}, and it only comes after {course.after(page.at)}"
    ended = here.run.ended_at
    if following is None and ended is not None and ended < page.at and not here.run.is_fallback:
        return (
            f"{_of(here.run)} has ended after {course.after(ended)},"
            f" and it only comes after {course.after(page.at)}"
        )
    return None


def _runs(course: Course) -> Iterator[Told]:
    for run in course.runs:
        if run.was_cancelled and len(course.severities) > 1:
            message = f"{_of(run)} stops itself: the severity it sets is none that it is for."
            yield (run.policy,), Doubt(DoubtKind.POLICY_STOPS_ITSELF, message, run.policy)
        if not run.final_delay and not run.is_fallback:
            message = (
                f"{_of(run)} leaves no time to answer its last step: it waits 0 minutes, and"
                " what follows its end comes at the same moment."
            )
            yield (run.policy,), Doubt(DoubtKind.NO_TIME_TO_ANSWER, message, run.policy)


def _severities(course: Course) -> Iterator[Doubt]:
    seen = list(course.severities)
    if len(seen) != len(set(seen)):
        way = ", ".join(seen[:6]) + (", …" if len(seen) > 6 else "")
        message = f"Steps change the severity to and fro ({way}), and start policies each time."
        yield Doubt(DoubtKind.SEVERITY_GOES_ROUND, message)


def _at(passage: Passage, kind: DoubtKind, message: str, user_id: int | None = None) -> Told:
    policy = None if passage.run.is_fallback else passage.run.policy
    about = (policy, passage.step, user_id)
    return about, Doubt(kind, message, policy, passage.step, user_id)


def _of_page(page: ForeseenPage, kind: DoubtKind, message: str) -> Told:
    about, doubt = _at(page.passage, kind, message, page.user_id)
    return (*about, page.rule or page.channel), doubt


def _reasons(skipped: Iterable[Skipped]) -> str:
    return "".join(f" {skip.name} {skip.reason}." for skip in skipped)


def _of(run: Run) -> str:
    return "the fallback" if run.is_fallback else f"“{run.policy}”"


def minutes(span: timedelta) -> str:
    """A span as people say it: 90 seconds are 1.5 minutes."""
    number = round(span / timedelta(minutes=1), 2)
    return "1 minute" if number == 1 else f"{number:g} minutes"


def masked(channel: Channel, address: str) -> str:
    """Enough of an address for its owner to know it by."""
    match channel:
        case Channel.EMAIL:
            name, _, host = address.rpartition("@")
            return f"{name[:1]}…@{host}"
        case Channel.SMS:
            return f"{address[:3]}…{address[-2:]}"
    return address
