"""Everything a message may say, gathered before a word of it is written.

Facts hold the words as they came. `shown` makes them fit for people; programs get them as
they are. What is marked with a `Fact` is what an admin's own wording may use: the same line
gives its description and decides how it is shown.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime
from typing import Annotated, Any, TypeVar, get_type_hints

from app.domain.fire_drill import TITLE
from app.domain.incident import Severity
from app.domain.notification import Channel, NotificationKind
from app.messages.plain import block, hushed, line

DRILL = "FIRE DRILL"  # nobody shall take one for the real thing, nor the other way round


@dataclass(frozen=True)
class Fact:
    """What a field tells a reader."""

    what: str
    keeps_lines: bool = False
    name: str | None = None  # what wordings call it, where the field's own name will not do
    starts_at: int = 0  # people count from one what we count from nought


@dataclass(frozen=True, kw_only=True)
class IncidentFacts:
    """What every message about one incident knows."""

    incident_id: Annotated[int, Fact("The number of the incident.")]
    title: Annotated[str, Fact("What is wrong, on one line.")]
    severity: Annotated[str, Fact("How bad it is: critical, high, medium or low.")]
    service: Annotated[str, Fact("What is affected.")]
    url: Annotated[str | None, Fact("Where the tool that raised it shows more, if it says.")]
    opened_at: Annotated[datetime, Fact("When the incident was opened, in UTC.")]
    alert_count: Annotated[int, Fact("How many alerts it has had.")]
    recipient: Annotated[str | None, Fact("Who the message is for; a webhook is nobody.")]
    # Where a program finds the incident; it wants a login.
    api_url: Annotated[str, Fact("Where a program reads the incident.")]
    tags: Annotated[tuple[str, ...], Fact("Its tags: a list.")] = ()
    labels: Annotated[
        Mapping[str, str], Fact('Its labels, by name: labels.team, or labels["team"].')
    ] = field(default_factory=dict)
    is_drill: Annotated[
        bool, Fact("Whether this is a fire drill. The message says so in any case.")
    ] = False

    @property
    def urgency(self) -> str:
        """What a message cries out first."""
        return DRILL if self.is_drill else self.severity.upper()

    @property
    def headline(self) -> str:
        """The title, without what the urgency of a drill says already."""
        return self.title.removeprefix(TITLE) if self.is_drill else self.title


@dataclass(frozen=True, kw_only=True)
class PageFacts(IncidentFacts):
    """Everything a page may say."""

    description: Annotated[str | None, Fact("What more is known, in lines.", keeps_lines=True)]
    source: Annotated[str | None, Fact("The tool that raised it, if it was a tool.")]
    policy_name: Annotated[str, Fact("The policy that pages.")]
    is_fallback: Annotated[bool, Fact("Whether nobody else could be paged, or answered.")]
    loop: Annotated[int, Fact("Which round of the policy this is.", name="round", starts_at=1)]
    step: Annotated[int, Fact("Which step of the policy this is.", starts_at=1)]
    step_count: Annotated[int, Fact("How many steps the policy has.")]
    message: Annotated[str | None, Fact("What the step itself says.", keeps_lines=True)]
    acknowledge_url: Annotated[
        str | None, Fact("The link that stops the paging. Left out, it is added at the end.")
    ]
    is_resend: Annotated[bool, Fact("Whether a first attempt may have arrived already.")]


@dataclass(frozen=True, kw_only=True)
class UpdateFacts(IncidentFacts):
    """What became of something that somebody was paged for."""

    actor: Annotated[str, Fact("Who did it: a person, a tool, or Tocsin itself.")]


@dataclass(frozen=True, kw_only=True)
class AssignmentFacts(UpdateFacts):
    """An incident that was put into somebody's hands."""

    role: Annotated[str, Fact("As what: responder, commander, communicator or observer.")]


@dataclass(frozen=True, kw_only=True)
class BundleItem:
    incident_id: int
    title: str
    severity: str
    service: str
    policy_name: str
    acknowledge_url: str | None = None
    is_drill: bool = False

    @property
    def urgency(self) -> str:
        return DRILL if self.is_drill else self.severity.upper()


@dataclass(frozen=True, kw_only=True)
class BundleFacts:
    """Pages beyond what a person is sent one by one. `items` may hold fewer than `total`."""

    recipient: str | None
    items: tuple[BundleItem, ...]
    total: int

    def worst_first(self) -> "BundleFacts":
        """The same, its items as they are told: by severity, otherwise as they came."""
        items = sorted(self.items, key=lambda item: Severity(item.severity).rank)
        return replace(self, items=tuple(items))


@dataclass(frozen=True, kw_only=True)
class ContactTestFacts:
    """Somebody wants to see whether a page would reach them."""

    recipient: str | None
    channel: Channel
    contact: str  # what its owner calls the contact method


@dataclass(frozen=True, kw_only=True)
class VerificationFacts:
    recipient: str | None
    code: str
    minutes: int  # how long it is good for


@dataclass(frozen=True, kw_only=True)
class SignupFacts:
    recipient: str | None
    link: str
    token: str  # what the link carries, for whoever uses the API
    hours: int


@dataclass(frozen=True, kw_only=True)
class SignupKnownFacts:
    recipient: str | None
    sign_in_url: str


@dataclass(frozen=True, kw_only=True)
class RecoveryFacts:
    recipient: str | None
    link: str
    token: str
    minutes: int


@dataclass(frozen=True, kw_only=True)
class PasswordChangedFacts:
    recipient: str | None
    changed_at: datetime
    changed_from: str | None  # the address of the network it was done from


@dataclass(frozen=True, kw_only=True)
class WebhookDisabledFacts:
    recipient: str | None
    name: str  # of the subscription
    why: str
    disabled_at: datetime


@dataclass(frozen=True, kw_only=True)
class DutyFacts:
    """A duty that begins, ends, or is to come."""

    recipient: str | None
    schedule: str
    time_zone: str  # of the recipient
    starts_at: datetime
    ends_at: datetime | None  # None: nobody knows
    brief: tuple[str, ...] = ()  # what is handed over, a sentence each


@dataclass(frozen=True, kw_only=True)
class DutyChangeFacts:
    """Times that somebody is newly on call, and those that they are no longer."""

    recipient: str | None
    schedule: str
    time_zone: str
    gained: tuple[tuple[datetime, datetime], ...]
    lost: tuple[tuple[datetime, datetime], ...]


@dataclass(frozen=True, kw_only=True)
class ShiftRequestFacts:
    """Cover that is asked for, or a swap that is offered."""

    recipient: str | None
    schedule: str
    time_zone: str
    request_id: int
    asker: str
    given: tuple[datetime, datetime]
    wanted: tuple[datetime, datetime] | None  # in return
    message: str | None
    api_url: str


@dataclass(frozen=True, kw_only=True)
class ShiftAnswerFacts(ShiftRequestFacts):
    """What became of it, in a sentence."""

    outcome: str


@dataclass(frozen=True, kw_only=True)
class PreflightFacts:
    """What the nightly checks found that nobody was told of yet."""

    recipient: str | None
    new: int
    findings: tuple[str, ...]  # the gravest of them, in words
    api_url: str


@dataclass(frozen=True, kw_only=True)
class TaskFacts:
    """Work that an incident left behind: an action item, or a postmortem to be read."""

    recipient: str | None
    title: str
    incident_id: int
    due_on: date | None  # of an action item
    actor: str | None  # who asks for a review
    url: str  # where it is done


@dataclass(frozen=True, kw_only=True)
class PublicReminderFacts(TaskFacts):
    """The public waits to hear: of how it goes on by then, or that it is over."""

    status: str  # as the public sees it
    due_at: str | None


@dataclass(frozen=True, kw_only=True)
class DigestLine:
    """One thing of a list in a summary, and where more is said of it."""

    words: str
    url: str


@dataclass(frozen=True, kw_only=True)
class DigestPart:
    """A list in a summary, with a heading that says how many there are."""

    heading: str
    lines: tuple[DigestLine, ...]
    more: int  # that are not listed


@dataclass(frozen=True, kw_only=True)
class DigestFacts:
    """What happened in a time, for one person."""

    recipient: str | None
    is_weekly: bool
    since: str  # on the recipient's clock
    until: str
    numbers: tuple[tuple[str, str], ...]
    parts: tuple[DigestPart, ...]
    settings_url: str


DutyMessage = DutyFacts | DutyChangeFacts | ShiftRequestFacts | TaskFacts


@dataclass(frozen=True)
class Words:
    """What a message says in plain text."""

    subject: str
    text: str


Facts = (
    PageFacts
    | UpdateFacts
    | ContactTestFacts
    | VerificationFacts
    | SignupFacts
    | SignupKnownFacts
    | RecoveryFacts
    | PasswordChangedFacts
    | WebhookDisabledFacts
    | DutyMessage
    | PreflightFacts
    | DigestFacts
)

INCIDENT_FACTS: Mapping[NotificationKind, type[PageFacts | UpdateFacts]] = {
    NotificationKind.PAGE: PageFacts,
    NotificationKind.ACKNOWLEDGED: UpdateFacts,
    NotificationKind.RESOLVED: UpdateFacts,
    NotificationKind.ASSIGNED: AssignmentFacts,
}

FACTS: Mapping[NotificationKind, type[Facts]] = {
    **INCIDENT_FACTS,
    NotificationKind.TEST: ContactTestFacts,
    NotificationKind.VERIFICATION: VerificationFacts,
    NotificationKind.SIGNUP: SignupFacts,
    NotificationKind.SIGNUP_KNOWN: SignupKnownFacts,
    NotificationKind.RECOVERY: RecoveryFacts,
    NotificationKind.PASSWORD_CHANGED: PasswordChangedFacts,
    NotificationKind.WEBHOOK_DISABLED: WebhookDisabledFacts,
    NotificationKind.DUTY_STARTED: DutyFacts,
    NotificationKind.DUTY_ENDED: DutyFacts,
    NotificationKind.DUTY_REMINDER: DutyFacts,
    NotificationKind.DUTY_CHANGED: DutyChangeFacts,
    NotificationKind.SHIFT_REQUESTED: ShiftRequestFacts,
    NotificationKind.SHIFT_ANSWERED: ShiftAnswerFacts,
    NotificationKind.PREFLIGHT: PreflightFacts,
    NotificationKind.ACTION_ITEM_DUE: TaskFacts,
    NotificationKind.ACTION_ITEM_OVERDUE: TaskFacts,
    NotificationKind.POSTMORTEM_REVIEW: TaskFacts,
    NotificationKind.DIGEST: DigestFacts,
    NotificationKind.PUBLIC_REMINDER: PublicReminderFacts,
}


def _marked(facts: type) -> Mapping[str, tuple[Any, Fact]]:
    return {
        name: (hint.__origin__, fact)
        for name, hint in get_type_hints(facts, include_extras=True).items()
        for fact in getattr(hint, "__metadata__", ())
        if isinstance(fact, Fact)
    }


# The fields that wordings may use, each with its plain type and what it tells.
MARKED: Mapping[type, Mapping[str, tuple[Any, Fact]]] = {
    facts: _marked(facts) for facts in INCIDENT_FACTS.values()
}
_OF_LINES: Mapping[type, frozenset[str]] = {
    facts: frozenset(name for name, (_, fact) in told.items() if fact.keeps_lines)
    for facts, told in MARKED.items()
}

# What became of an incident, in a word.
DONE: Mapping[NotificationKind, str] = {
    NotificationKind.ACKNOWLEDGED: "Acknowledged",
    NotificationKind.RESOLVED: "Resolved",
    NotificationKind.ASSIGNED: "Assigned to you",
}

Shown = TypeVar("Shown", bound=Facts | BundleFacts | BundleItem | DigestPart | DigestLine)


def shown(facts: Shown, *, is_quiet: bool = False) -> Shown:
    """The facts as people read them: one line where one is meant, tidy lines elsewhere.

    Quiet facts cannot call everybody in a chat.
    """
    of_lines = _OF_LINES.get(type(facts), frozenset())
    changed = {}
    for one in fields(facts):
        value = getattr(facts, one.name)
        tidy = block if one.name in of_lines else line
        is_address = one.name.endswith("url")
        made = _shown(value, _quieted(tidy) if is_quiet and not is_address else tidy, is_quiet)
        if made != value:
            changed[one.name] = made
    return replace(facts, **changed)


def _shown(value: Any, tidy: Callable[[str], str], is_quiet: bool) -> Any:
    match value:
        case str():
            return tidy(value)
        case BundleItem() | DigestPart() | DigestLine():
            return shown(value, is_quiet=is_quiet)
        case tuple():
            return tuple(_shown(one, tidy, is_quiet) for one in value)
        case Mapping():
            return {line(name): tidy(text) for name, text in value.items()}
    return value


def _quieted(tidy: Callable[[str], str]) -> Callable[[str], str]:
    return lambda text: hushed(tidy(text))
