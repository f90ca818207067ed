"""How a page travels: channels, states, retries, quiet hours and the fan-out to a person.

`fan_out` is the one place that decides who is paged over what and when; production and
any rehearsal of it call the same function.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum

from app.domain.incident import Severity, Urgency
from app.domain.time_zone import zone


class Channel(StrEnum):
    EMAIL = "email"
    SMS = "sms"
    PUSH = "push"
    CHAT = "chat"
    WEBHOOK = "webhook"


class NotificationKind(StrEnum):
    """What a message is about."""

    PAGE = "page"  # you are needed: a step of an escalation
    ACKNOWLEDGED = "acknowledged"  # somebody took what you were paged for
    RESOLVED = "resolved"  # what you were paged for is over
    ASSIGNED = "assigned"  # somebody put it into your hands
    TEST = "test"  # would a page reach you here?
    VERIFICATION = "verification"  # the code that proves a contact method yours
    SIGNUP = "signup"  # the link that makes an account
    SIGNUP_KNOWN = "signup_known"  # somebody tried to sign up with your address
    RECOVERY = "recovery"  # the link that sets a new password
    PASSWORD_CHANGED = "password_changed"  # noqa: S105  # tell us if it was not you
    WEBHOOK_DISABLED = "webhook_disabled"  # events go there no more
    DUTY_STARTED = "duty_started"  # you are on call from now on
    DUTY_ENDED = "duty_ended"  # you are on call no longer
    DUTY_REMINDER = "duty_reminder"  # you are on call soon
    DUTY_CHANGED = "duty_changed"  # somebody changed when you are on call
    SHIFT_REQUESTED = "shift_requested"  # somebody asks you to take a shift
    SHIFT_ANSWERED = "shift_answered"  # what became of a shift that was asked for
    PREFLIGHT = "preflight"  # what the nightly checks found
    PUBLIC_REMINDER = "public_reminder"  # the public waits to hear from you
    ACTION_ITEM_DUE = "action_item_due"  # what you promised is due tomorrow
    ACTION_ITEM_OVERDUE = "action_item_overdue"  # and is not done
    POSTMORTEM_REVIEW = "postmortem_review"  # somebody asks you to read what was learned
    DIGEST = "digest"  # what happened since the last one


# What an incident sends, and admins may word: the rest is Tocsin's own.
INCIDENT_KINDS = (
    NotificationKind.PAGE,
    NotificationKind.ACKNOWLEDGED,
    NotificationKind.RESOLVED,
    NotificationKind.ASSIGNED,
)
# What people are told of being on call.
DUTY_KINDS = (
    NotificationKind.DUTY_STARTED,
    NotificationKind.DUTY_ENDED,
    NotificationKind.DUTY_REMINDER,
    NotificationKind.DUTY_CHANGED,
    NotificationKind.SHIFT_REQUESTED,
    NotificationKind.SHIFT_ANSWERED,
)
# What people are told of the work that an incident leaves behind.
TASK_KINDS = (
    NotificationKind.ACTION_ITEM_DUE,
    NotificationKind.ACTION_ITEM_OVERDUE,
    NotificationKind.POSTMORTEM_REVIEW,
)
# What is between one person and Tocsin: nobody else's business.
LETTER_KINDS = tuple(kind for kind in NotificationKind if kind not in INCIDENT_KINDS)


class NotificationStatus(StrEnum):
    PENDING = "pending"  # waits for its time, or for its next attempt
    SENDING = "sending"  # leased by one sender until the lease ends
    SENT = "sent"  # a provider took it
    DELIVERED = "delivered"  # a provider says it arrived
    FAILED = "failed"  # given up, with the reason
    CANCELLED = "cancelled"  # answered, or its recipient left, before it was sent
    SUPPRESSED = "suppressed"  # deliberately kept here: written to the local outbox


WAITING = (NotificationStatus.PENDING, NotificationStatus.SENDING)
FINAL = tuple(set(NotificationStatus) - set(WAITING))


class AttemptOutcome(StrEnum):
    """How one attempt at sending ended."""

    SENT = "sent"
    KEPT = "kept"  # to the local outbox
    RETRY = "retry"
    GAVE_UP = "gave_up"
    UNKNOWN = "unknown"  # the sender vanished before it could say


@dataclass(frozen=True)
class Receipt:
    """What a provider says about a message it took: it arrived, it failed, or not known yet."""

    is_delivered: bool = False
    error: str | None = None  # why it will never arrive

    @property
    def is_final(self) -> bool:
        return self.is_delivered or self.error is not None


# When a provider is asked what became of a message: so long after it took it, and after that
# so long after the time before. Then we stop asking.
RECEIPT_WAITS = (
    timedelta(seconds=15),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
)

MAX_ATTEMPTS = 60  # two hours, give or take, of a provider that is down
FIRST_RETRY = timedelta(seconds=2)
LONGEST_RETRY = timedelta(minutes=5)


def retry_delay(attempts: int, *, chance: float) -> timedelta:
    """How long to wait after `attempts` tries: exponential, full jitter by `chance` in [0, 1)."""
    ceiling: timedelta = min(FIRST_RETRY * 2 ** min(attempts - 1, 16), LONGEST_RETRY)
    return ceiling * chance


@dataclass(frozen=True)
class Rule:
    """One of a person's ordered rules, with the contact method it uses."""

    id: int
    channel: Channel
    contact_method_id: int
    is_verified: bool
    delay: timedelta
    min_severity: Severity | None = None
    urgency: Urgency | None = None  # only for incidents as urgent as this; None: for all
    quiet_from: time | None = None
    quiet_until: time | None = None


@dataclass(frozen=True)
class Recipient:
    """A person as far as paging needs to know them."""

    user_id: int
    name: str
    is_active: bool
    time_zone: str
    rules: Sequence[Rule]
    switched_off: frozenset[Channel] = frozenset()


@dataclass(frozen=True)
class Page:
    """A promise to tell one person over one contact method at one time."""

    user_id: int
    rule_id: int
    contact_method_id: int
    channel: Channel
    due_at: datetime
    wanted_at: datetime | None = None  # before quiet hours moved it to `due_at`


@dataclass(frozen=True)
class Skipped:
    """Why somebody is not paged over a channel, in words for the timeline."""

    user_id: int
    name: str
    reason: str


def fan_out(
    recipient: Recipient,
    *,
    channels: Collection[Channel],
    severity: Severity,
    due_at: datetime,
    urgency: Urgency = Urgency.HIGH,
) -> tuple[list[Page], list[Skipped]]:
    """The pages a step owes one person: their rules ∩ the step's channels ∩ what is switched on.

    No channels means all of them. The urgency picks the rules: those that name another one are
    another set, of which nobody needs to be told. Quiet hours move a page below `critical` to
    their end.
    """
    if not recipient.is_active:
        return [], [Skipped(recipient.user_id, recipient.name, "is deactivated")]
    pages: list[Page] = []
    reasons: list[str] = []
    for rule in recipient.rules:
        if channels and rule.channel not in channels:
            continue
        if rule.urgency not in (None, urgency):
            continue
        reason = _refusal(rule, recipient, severity)
        if reason:
            reasons.append(reason)
            continue
        wanted = due = due_at + rule.delay
        if severity is not Severity.CRITICAL:
            due = after_quiet_hours(wanted, rule, recipient.time_zone)
        pages.append(
            Page(
                recipient.user_id,
                rule.id,
                rule.contact_method_id,
                rule.channel,
                due,
                wanted_at=wanted if due != wanted else None,
            )
        )
    if not pages and not reasons:
        names = " or ".join(sorted(channels)) or "any channel"
        others = any(rule.urgency not in (None, urgency) for rule in recipient.rules)
        reasons.append(f"has no rule for {names}{f' at {urgency} urgency' if others else ''}")
    return pages, [Skipped(recipient.user_id, recipient.name, reason) for reason in reasons]


def _refusal(rule: Rule, recipient: Recipient, severity: Severity) -> str | None:
    if rule.channel in recipient.switched_off:
        return f"has switched {rule.channel} off"
    if not rule.is_verified:
        return f"has not verified the contact method for {rule.channel}"
    if rule.min_severity is not None and not severity.at_least(rule.min_severity):
        return f"wants {rule.channel} only from {rule.min_severity} up"
    return None


def after_quiet_hours(due_at: datetime, rule: Rule, time_zone: str) -> datetime:
    """`due_at`, or the end of the quiet hours it falls into, on the person's own clock.

    Never before `due_at`. An end that the clock shows twice, when summer time is over, counts
    as soon as it can; one that it skips comes as much later as the clock jumps.
    """
    if rule.quiet_from is None or rule.quiet_until is None:
        return due_at
    clock = zone(time_zone)
    local = due_at.astimezone(clock)
    if not _is_quiet(local.time(), rule.quiet_from, rule.quiet_until):
        return due_at
    days = (local.date(), local.date() + timedelta(days=1))
    ends = [
        datetime.combine(day, rule.quiet_until.replace(fold=fold), clock).astimezone(UTC)
        for day in days
        for fold in (0, 1)
    ]
    over = [
        end
        for end in ends
        if end > due_at
        and not _is_quiet(end.astimezone(clock).time(), rule.quiet_from, rule.quiet_until)
    ]
    return min(over, default=due_at).astimezone(due_at.tzinfo)


def _is_quiet(clock: time, since: time, until: time) -> bool:
    """Whether the clock stands in the half-open [since, until), which may cross midnight."""
    if since <= until:
        return since <= clock < until
    return clock >= since or clock < until
