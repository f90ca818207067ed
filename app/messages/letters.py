"""Mail about everything but a page: one frame, so that text and HTML say the same.

A `Letter` is what such a mail says; how it looks is the templates' business.
"""

from dataclasses import dataclass

from app.domain.notification import NotificationKind
from app.messages import duty
from app.messages.environment import html, plain_text
from app.messages.facts import (
    DONE,
    DRILL,
    AssignmentFacts,
    ContactTestFacts,
    DigestFacts,
    DigestPart,
    DutyChangeFacts,
    DutyFacts,
    DutyMessage,
    Facts,
    PageFacts,
    PasswordChangedFacts,
    PreflightFacts,
    RecoveryFacts,
    ShiftRequestFacts,
    SignupFacts,
    SignupKnownFacts,
    TaskFacts,
    UpdateFacts,
    VerificationFacts,
    WebhookDisabledFacts,
)
from app.messages.plain import block, counted, instant

AccountFacts = (
    ContactTestFacts
    | VerificationFacts
    | SignupFacts
    | SignupKnownFacts
    | RecoveryFacts
    | PasswordChangedFacts
)
NOT_YOU = "If this was not you, you need not do anything."


@dataclass(frozen=True)
class Letter:
    """What a mail says, from top to bottom. What is not given is left out."""

    subject: str
    lead: str | None = None
    heading: str | None = None
    severity: str | None = None
    rows: tuple[tuple[str, str], ...] = ()
    code: str | None = None
    paragraphs: tuple[str, ...] = ()
    parts: tuple[DigestPart, ...] = ()  # lists under headings
    button: tuple[str, str] | None = None  # what it says, and where it leads
    footnote: str | None = None

    def text(self) -> str:
        """All of it, in plain text."""
        return block(plain_text("letter", letter=self)) + "\n"

    def html(self) -> str:
        """All of it, in the frame of every mail."""
        return html("letter", letter=self)


def greeted(recipient: str | None, sentence: str) -> str:
    """The sentence, to somebody by name where there is a name."""
    return f"{recipient}, {sentence}" if recipient else sentence[:1].upper() + sentence[1:]


def letter(kind: NotificationKind, facts: Facts) -> Letter:
    """What a mail of this kind says about facts that were made fit for people."""
    match facts:
        case UpdateFacts():
            return _update(kind, facts)
        case WebhookDisabledFacts():
            return _webhook_disabled(facts)
        case DutyFacts() | DutyChangeFacts() | ShiftRequestFacts() | TaskFacts():
            return _duty(kind, facts)
        case PreflightFacts():
            return _preflight(facts)
        case DigestFacts():
            return _digest(facts)
        case PageFacts():
            raise TypeError("A page has a template of its own.")
        case _:
            return _of_account(facts)


def _of_account(facts: AccountFacts) -> Letter:
    match facts:
        case ContactTestFacts():
            return _contact_test(facts)
        case VerificationFacts():
            return _verification(facts)
        case SignupFacts():
            return _signup(facts)
        case SignupKnownFacts():
            return _signup_known(facts)
        case RecoveryFacts():
            return _recovery(facts)
        case PasswordChangedFacts():
            return _password_changed(facts)


def _update(kind: NotificationKind, facts: UpdateFacts) -> Letter:
    rows = [
        ("Incident", f"#{facts.incident_id}"),
        ("Service", facts.service),
        ("Since", instant(facts.opened_at)),
    ]
    if facts.alert_count > 1:
        rows.append(("Alerts", str(facts.alert_count)))
    match kind:
        case NotificationKind.RESOLVED:
            happened = f"what you were paged for is over: {facts.actor} resolved it."
        case NotificationKind.ASSIGNED:
            happened = f"{facts.actor} put this incident into your hands."
        case _:
            happened = f"{facts.actor} acknowledged what you were paged for."
    if isinstance(facts, AssignmentFacts):
        rows.append(("Role", facts.role))
    if facts.url:
        rows.append(("See", facts.url))
    return Letter(
        subject=f"{DONE[kind]}: {facts.title} · {facts.service} (#{facts.incident_id})",
        lead=greeted(facts.recipient, happened),
        heading=f"{DRILL}: {facts.headline}" if facts.is_drill else facts.title,
        severity=None if facts.is_drill else facts.severity,
        rows=tuple(rows),
    )


def _contact_test(facts: ContactTestFacts) -> Letter:
    return Letter(
        subject="Test: a page would reach you here",
        lead=greeted(facts.recipient, "this is a test."),
        heading="A page would reach you here",
        rows=(("Channel", facts.channel), ("Contact", facts.contact)),
        paragraphs=("Nothing is wrong, and there is nothing to do.",),
    )


def _verification(facts: VerificationFacts) -> Letter:
    return Letter(
        subject=f"{facts.code} is your Tocsin code",
        lead=greeted(facts.recipient, "this is the code that proves the address yours."),
        heading="Your code",
        code=facts.code,
        paragraphs=(
            "Enter it where you added the address, and pages can reach you here.",
            f"It is good for {counted(facts.minutes, 'minute')}. Tell it to nobody.",
        ),
        footnote="If you did not ask for it, you need not do anything.",
    )


def _signup(facts: SignupFacts) -> Letter:
    return Letter(
        subject="Your Tocsin account",
        lead=greeted(facts.recipient, "one step is left."),
        heading="Confirm your address",
        paragraphs=(
            f"The link makes your account. It is good for {counted(facts.hours, 'hour')}, once.",
            f"Over the API, send this token:\n{facts.token}",
        ),
        button=("Confirm the address", facts.link),
        footnote="If you did not ask for an account, do nothing, and none will be made.",
    )


def _signup_known(facts: SignupKnownFacts) -> Letter:
    return Letter(
        subject="You have a Tocsin account already",
        lead=greeted(facts.recipient, "somebody asked for an account with your address."),
        heading="You have an account already",
        paragraphs=("Nothing has changed. If it was you: sign in, or set a new password there.",),
        button=("Sign in", facts.sign_in_url),
        footnote=NOT_YOU,
    )


def _recovery(facts: RecoveryFacts) -> Letter:
    return Letter(
        subject="Set a new Tocsin password",
        lead=greeted(facts.recipient, "somebody asked to set a new password for your account."),
        heading="Set a new password",
        paragraphs=(
            f"The link is good for {counted(facts.minutes, 'minute')}, once. "
            "Until you use it, your password stays as it is.",
            f"Over the API, send this token:\n{facts.token}",
        ),
        button=("Set a new password", facts.link),
        footnote=NOT_YOU,
    )


def _password_changed(facts: PasswordChangedFacts) -> Letter:
    rows = [("When", instant(facts.changed_at))]
    if facts.changed_from:
        rows.append(("From", facts.changed_from))
    return Letter(
        subject="Your Tocsin password was changed",
        lead=greeted(facts.recipient, "this is to let you know."),
        heading="Your password was changed",
        rows=tuple(rows),
        paragraphs=(
            "If it was you, there is nothing to do.",
            "If it was not, set a new password at once and tell your administrator.",
        ),
    )


def _webhook_disabled(facts: WebhookDisabledFacts) -> Letter:
    return Letter(
        subject=f"Webhook switched off: {facts.name}",
        lead=greeted(facts.recipient, "events are no longer sent to one of your webhooks."),
        heading=f"Switched off: {facts.name}",
        rows=(("Why", facts.why), ("When", instant(facts.disabled_at))),
        paragraphs=(
            "Paging goes on as before: only this webhook subscription is concerned.",
            "Once its endpoint works again, make the subscription active and replay what it"
            " missed.",
        ),
    )


def _preflight(facts: PreflightFacts) -> Letter:
    more = facts.new - len(facts.findings)
    return Letter(
        subject=f"Before the night: {counted(facts.new, 'new finding')}",
        lead=greeted(facts.recipient, "something may keep pages from reaching people."),
        heading="Found by the nightly checks",
        paragraphs=(
            *facts.findings,
            *((f"And {more} more.",) if more > 0 else ()),
        ),
        footnote=f"All that stands now: {facts.api_url}, or `tocsin preflight`.",
    )


def _duty(kind: NotificationKind, facts: DutyMessage) -> Letter:
    said = duty.said(kind, facts)
    return Letter(
        subject=said.subject,
        lead=greeted(facts.recipient, said.happened),
        heading=said.subject,
        rows=said.rows,
        paragraphs=said.paragraphs,
        footnote=said.footnote,
    )


def _digest(facts: DigestFacts) -> Letter:
    """In paragraphs, each a list under its heading, so that text and HTML say the same."""
    return Letter(
        subject=f"Your {'week' if facts.is_weekly else 'day'}: {said_first(facts)}",
        lead=greeted(facts.recipient, f"this is what happened up to {facts.until}."),
        heading="Your week" if facts.is_weekly else "Your day",
        rows=(("Since", facts.since), *facts.numbers),
        parts=facts.parts,
        footnote=f"Another hour, another rhythm, or none: {facts.settings_url}",
    )


def said_first(facts: DigestFacts) -> str:
    """The numbers that tell most, on one line."""
    return ", ".join(f"{value} {name.lower()}" for name, value in facts.numbers[:3])
