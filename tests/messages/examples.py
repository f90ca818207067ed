"""Facts of every kind, and of a bundle."""

from datetime import UTC, date, datetime, timedelta

from app.domain.notification import Channel, NotificationKind
from app.messages.facts import (
    BundleFacts,
    BundleItem,
    ContactTestFacts,
    DigestFacts,
    DigestLine,
    DigestPart,
    DutyChangeFacts,
    DutyFacts,
    Facts,
    PasswordChangedFacts,
    PreflightFacts,
    PublicReminderFacts,
    RecoveryFacts,
    ShiftAnswerFacts,
    ShiftRequestFacts,
    SignupFacts,
    SignupKnownFacts,
    TaskFacts,
    VerificationFacts,
    WebhookDisabledFacts,
)
from app.messages.samples import FULL

NOW = datetime(2026, 11, 21, 3, 13, tzinfo=UTC)
FOR_PEOPLE = tuple(channel for channel in Channel if channel is not Channel.WEBHOOK)
SEVERITIES = ("low", "critical", "medium", "high")

SHIFT_REQUEST = ShiftRequestFacts(
    recipient="Ana",
    schedule="Databases",
    time_zone="Europe/Berlin",
    request_id=7,
    asker="Bob",
    given=(NOW, NOW + timedelta(hours=8)),
    wanted=(NOW + timedelta(days=1), NOW + timedelta(days=1, hours=8)),
    message="My sister marries.",
    api_url="https://tocsin.test/v1/shift-requests/7",
)
EXAMPLES: dict[NotificationKind, Facts] = {
    **FULL,
    NotificationKind.TEST: ContactTestFacts(
        recipient="Ana", channel=Channel.SMS, contact="Ana’s phone"
    ),
    NotificationKind.VERIFICATION: VerificationFacts(recipient="Ana", code="042917", minutes=10),
    NotificationKind.SIGNUP: SignupFacts(
        recipient=None, link="https://tocsin.test/signup/T0KEN", token="T0KEN", hours=24
    ),
    NotificationKind.SIGNUP_KNOWN: SignupKnownFacts(
        recipient="Ana", sign_in_url="https://tocsin.test/login"
    ),
    NotificationKind.RECOVERY: RecoveryFacts(
        recipient="Ana", link="https://tocsin.test/recover/T0KEN", token="T0KEN", minutes=30
    ),
    NotificationKind.PASSWORD_CHANGED: PasswordChangedFacts(
        recipient="Ana", changed_at=NOW, changed_from="203.0.113.9"
    ),
    NotificationKind.WEBHOOK_DISABLED: WebhookDisabledFacts(
        recipient="Ana", name="Ticket desk", why="Its endpoint is gone.", disabled_at=NOW
    ),
    **dict.fromkeys(
        (
            NotificationKind.DUTY_STARTED,
            NotificationKind.DUTY_ENDED,
            NotificationKind.DUTY_REMINDER,
        ),
        DutyFacts(
            recipient="Ana",
            schedule="Databases",
            time_zone="Europe/Berlin",
            starts_at=NOW,
            ends_at=NOW + timedelta(days=7),
            brief=("Bob hands over to you.", "1 incident is open: #4711 Disk full"),
        ),
    ),
    NotificationKind.DUTY_CHANGED: DutyChangeFacts(
        recipient="Ana",
        schedule="Databases",
        time_zone="Europe/Berlin",
        gained=((NOW, NOW + timedelta(hours=2)),),
        lost=((NOW + timedelta(hours=3), NOW + timedelta(hours=4)),),
    ),
    NotificationKind.PREFLIGHT: PreflightFacts(
        recipient="Ana",
        new=3,
        findings=("Nobody is on call by “Databases”. Add a layer.", "Bob is deactivated."),
        api_url="https://tocsin.test/v1/preflight",
    ),
    **dict.fromkeys(
        (NotificationKind.ACTION_ITEM_DUE, NotificationKind.ACTION_ITEM_OVERDUE),
        TaskFacts(
            recipient="Ana",
            title="Remove archived logs every night",
            incident_id=4711,
            due_on=date(2026, 11, 22),
            actor=None,
            url="https://tocsin.test/incidents/4711/postmortem",
        ),
    ),
    NotificationKind.POSTMORTEM_REVIEW: TaskFacts(
        recipient="Ana",
        title="Disk almost full",
        incident_id=4711,
        due_on=None,
        actor="Bob",
        url="https://tocsin.test/incidents/4711/postmortem",
    ),
    NotificationKind.DIGEST: DigestFacts(
        recipient="Ana",
        is_weekly=False,
        since="2026-11-20 09:00 CET",
        until="2026-11-21 09:00 CET",
        numbers=(("New", "3"), ("Resolved", "2"), ("Open", "4"), ("Pages", "5 to you")),
        parts=(
            DigestPart(
                heading="Not over yet",
                lines=(
                    DigestLine(
                        words="#4711 Disk almost full (critical)",
                        url="https://tocsin.test/incidents/4711",
                    ),
                ),
                more=2,
            ),
        ),
        settings_url="https://tocsin.test/digest",
    ),
    NotificationKind.PUBLIC_REMINDER: PublicReminderFacts(
        recipient="Ana",
        title="Checkout is slow",
        incident_id=4711,
        due_on=None,
        actor=None,
        url="https://tocsin.test/incidents/4711",
        status="investigating",
        due_at="2026-11-21 03:30 UTC",
    ),
    NotificationKind.SHIFT_REQUESTED: SHIFT_REQUEST,
    NotificationKind.SHIFT_ANSWERED: ShiftAnswerFacts(
        **vars(SHIFT_REQUEST), outcome="Bob takes your shift"
    ),
}


def item(number: int, **changed: object) -> BundleItem:
    """One incident of a bundle; each is a little different."""
    said: dict[str, object] = {
        "incident_id": 4700 + number,
        "title": f"Disk {number} is full",
        "severity": SEVERITIES[number % 4],
        "service": "database",
        "policy_name": "Primary",
        "acknowledge_url": f"https://tocsin.test/a/{number}",
    }
    return BundleItem(**{**said, **changed})  # type: ignore[arg-type]


def bundle(count: int = 12, total: int | None = None) -> BundleFacts:
    """That many incidents, and maybe more that are only counted."""
    items = tuple(item(number) for number in range(count))
    return BundleFacts(recipient="Ana", items=items, total=total or count)
