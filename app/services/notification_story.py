"""The whole story of a message, in sentences: why it was promised, why it waits, how it went.

Worked out from the row, its attempts and what stands elsewhere about it; nothing is stored for
it. Sentences come in the order in which things happened; what is still to come is the last. A
step that paged tells on the incident's timeline whom, and the story of each page is here.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from app.crud import crud_notification_story
from app.db.session import ReadSession
from app.domain.notification import AttemptOutcome, NotificationKind, NotificationStatus
from app.domain.notification_story import Circumstances, Sentence, WaitReason
from app.models import Notification, NotificationAttempt

SHOWN = (
    "id", "kind", "incident_id", "escalation_id", "loop", "step", "action", "channel", "user_id",
    "status", "due_at", "claimed_at", "sent_at", "delivered_at", "attempts", "sent_to",
    "is_resend", "held_until", "bundled_into", "overtaken_at", "link_used_at", "reason",
    "last_error", "created_at", "history",
)  # fmt: skip

NOTICED = timedelta(seconds=1)  # who is later than that is late


async def told(
    session: ReadSession, notifications: Collection[Notification], *, now: datetime
) -> list[dict[str, Any]]:
    """These messages as they are shown, in their order; their attempts are loaded."""
    around = await crud_notification_story.circumstances(session, notifications)
    return [_told(one, around[one.id], now) for one in notifications]


def _told(row: Notification, around: Circumstances, now: datetime) -> dict[str, Any]:
    facts = row.facts if row.kind is NotificationKind.PAGE else {}
    return {
        **{name: getattr(row, name) for name in SHOWN},
        "user_name": around.user_name,
        "policy_name": around.policy_name,
        "is_fallback": around.is_fallback,
        "target": facts.get("target"),
        "after_minutes": facts.get("after_minutes"),
        "quiet_until": _quiet_until(row),
        "waits_for": waits_for(row, around, now=now),
        "next_at": row.ready_at if row.status is NotificationStatus.PENDING else None,
        "told_with": around.told_with,
        "story": story(row, around, now=now),
    }


def story(row: Notification, around: Circumstances, *, now: datetime) -> list[Sentence]:
    """Everything that happened to a message, and what comes next."""
    happened = [
        *_promised(row, around),
        *_held(row, around),
        *_tried(row, around),
        *_answered(row, around),
        *(Sentence(one.at, f"{one.text} It bears the same mark.") for one in around.resends),
        *_ended(row),
    ]
    return [*_in_order(happened), *_to_come(row, around, now)]


def _in_order(sentences: Iterable[Sentence]) -> list[Sentence]:
    """By time; what nobody noted the time of stays behind what it was told after."""
    placed: list[tuple[datetime, Sentence]] = []
    for sentence in sentences:
        behind = placed[-1][0] if placed else datetime.min.replace(tzinfo=UTC)
        placed.append((sentence.at or behind, sentence))
    return [sentence for _, sentence in sorted(placed, key=lambda one: one[0])]


# --- Why it was promised, and to whom -------------------------------------------------------


TARGETS = {
    "user": ", whom it names,",
    "assignees": ", who was assigned to the incident,",
    "creator": ", who declared the incident,",
    "admins": ", who is an admin,",
    "fallback": ", who is paged when nobody else is left,",
    "on_call": ", who is on call on “{through}”,",
    "schedule": ", who is on call on “{through}”,",
    "next_on_call": ", who is on call next on “{through}”,",
    "next_on_schedule": ", who is on call next on “{through}”,",
    "team": ", who is in team “{through}”,",
    "round_robin": ", whose turn it is,",
}
LETTERS = {
    NotificationKind.TEST: "Somebody wanted to see whether a page would arrive here.",
    NotificationKind.VERIFICATION: "It carries the code that proves the contact method.",
    NotificationKind.SIGNUP: "It carries the link that makes an account.",
    NotificationKind.SIGNUP_KNOWN: "Somebody tried to sign up with an address that has an account.",
    NotificationKind.RECOVERY: "It carries the link that sets a new password.",
    NotificationKind.PASSWORD_CHANGED: "It tells that the password was changed.",
    NotificationKind.WEBHOOK_DISABLED: "It tells that a webhook subscription was switched off.",
    NotificationKind.DUTY_STARTED: "It tells that a duty has begun.",
    NotificationKind.DUTY_ENDED: "It tells that a duty is over.",
    NotificationKind.DUTY_REMINDER: "It tells that a duty begins soon.",
    NotificationKind.DUTY_CHANGED: "It tells that somebody changed when they are on call.",
    NotificationKind.SHIFT_REQUESTED: "It tells that somebody asks for cover, or offers a swap.",
    NotificationKind.SHIFT_ANSWERED: "It tells what became of a shift that was asked for.",
    NotificationKind.PREFLIGHT: "It tells what the nightly checks found.",
    NotificationKind.ACTION_ITEM_DUE: "It tells that an action item is due the next day.",
    NotificationKind.ACTION_ITEM_OVERDUE: "It tells that an action item is overdue.",
    NotificationKind.POSTMORTEM_REVIEW: "It asks for the review of a postmortem.",
    NotificationKind.DIGEST: "It sums up what happened, as its reader wanted.",
}


def _promised(row: Notification, around: Circumstances) -> Iterator[Sentence]:
    yield Sentence(row.created_at, _reason(row, around))
    if row.kind is not NotificationKind.PAGE:
        return
    name = _name(row, around)
    if row.facts.get("drill"):
        yield Sentence(row.created_at, "It is a fire drill.")
    if minutes := row.facts.get("after_minutes"):
        wait = _span(timedelta(minutes=minutes))
        yield Sentence(row.created_at, f"{name} wants it over {row.channel} {wait} after the step.")
    if quiet_until := _quiet_until(row):
        yield Sentence(
            row.created_at, f"Quiet hours of {name} put it off until {_clock(quiet_until)}."
        )


def _reason(row: Notification, around: Circumstances) -> str:
    name, actor = _name(row, around), row.facts.get("actor", "Somebody")
    match row.kind:
        case NotificationKind.PAGE if row.user_id is None:
            return f"{_step(row, around)} calls a webhook."
        case NotificationKind.PAGE:
            why = TARGETS.get(row.facts.get("target", ""), "")
            why = why.replace("{through}", row.facts.get("through") or "")
            return f"{_step(row, around)} pages {name}{why} by {row.channel}."
        case NotificationKind.ACKNOWLEDGED | NotificationKind.RESOLVED if row.user_id is None:
            return f"{actor} {row.kind} the incident, for which this webhook was called."
        case NotificationKind.ACKNOWLEDGED | NotificationKind.RESOLVED:
            return f"{actor} {row.kind} the incident, for which {name} was paged."
        case NotificationKind.ASSIGNED:
            return f"{actor} put the incident into the hands of {name}."
        case _:
            return LETTERS.get(row.kind, f"It is a message about {row.kind}.")


def _step(row: Notification, around: Circumstances) -> str:
    again = f", in round {row.loop + 1}," if row.loop else ""
    if around.is_fallback:
        return f"The fallback{again}"
    return f"Step {(row.step or 0) + 1} of “{around.policy_name}”{again}"


def _name(row: Notification, around: Circumstances) -> str:
    return around.user_name or ("somebody" if row.user_id is not None else "the webhook")


def _quiet_until(row: Notification) -> datetime | None:
    """Until when quiet hours put a page off, as the step that promised it noted."""
    said = row.facts.get("quiet_until") if row.kind is NotificationKind.PAGE else None
    return datetime.fromisoformat(said) if isinstance(said, str) else None


# --- Why it waited --------------------------------------------------------------------------


def _held(row: Notification, around: Circumstances) -> Iterator[Sentence]:
    if row.held_until is None:
        return
    if row.held_until == around.storm_until:
        why = "A storm of the service: it is told with the others of its minute,"
    else:
        why = f"{_name(row, around)} had many pages over {row.channel}: it is told with the next,"
    yield Sentence(None, f"{why} at {_clock(row.held_until)} at the latest.")


def waits_for(row: Notification, around: Circumstances, *, now: datetime) -> WaitReason | None:
    """Why a message has not left yet; None for one that waits for nothing."""
    if row.status is NotificationStatus.SENDING:
        return WaitReason.SENDER
    if row.status is not NotificationStatus.PENDING:
        return None
    last = _last_try(row)
    ready_at = row.ready_at
    if row.kind is NotificationKind.PAGE and ready_at is not None and ready_at > now:
        if ready_at == around.snoozed_until:
            return WaitReason.SNOOZE
        if ready_at == row.held_until:
            is_storm = row.held_until == around.storm_until
            return WaitReason.STORM if is_storm else WaitReason.LIMIT
    if row.last_error is not None:
        was_tried = last is not None and last.error == row.last_error
        return WaitReason.RETRY if was_tried else WaitReason.PROVIDER
    if ready_at == row.due_at and row.due_at > now and _quiet_until(row) == row.due_at:
        return WaitReason.QUIET_HOURS
    return WaitReason.DUE


def _to_come(row: Notification, around: Circumstances, now: datetime) -> Iterator[Sentence]:
    at = row.ready_at
    reason = waits_for(row, around, now=now)
    if reason is None or at is None:
        return
    match reason:
        case WaitReason.SENDER:
            text = f"A sender has it; if that one vanishes, another takes over at {_clock(at)}."
            at = None
        case WaitReason.SNOOZE:
            text = "The incident is snoozed until then."
        case WaitReason.STORM | WaitReason.LIMIT:
            text = "It leaves then, together with what else waits."
        case WaitReason.QUIET_HOURS:
            text = "It leaves once the quiet hours are over, unless somebody answers before."
        case WaitReason.RETRY:
            text = "It is tried again."
        case WaitReason.PROVIDER:
            text = f"It waits: {row.last_error}"
        case WaitReason.DUE if at <= now:
            text = "It is due and leaves as soon as a sender is free."
        case WaitReason.DUE:
            text = "It leaves then, unless somebody answers before."
    yield Sentence(at, text)


# --- How it went ----------------------------------------------------------------------------


def _tried(row: Notification, around: Circumstances) -> Iterator[Sentence]:
    if taken := _taken(row):
        yield taken
    for attempt in row.history:
        yield from _went(row, around, attempt)
    if row.delivered_at is not None:
        yield Sentence(row.delivered_at, "The provider says that it arrived.")


def _taken(row: Notification) -> Sentence | None:
    """When a sender first had it, and how late that was."""
    at = row.history[0].started_at if row.history else row.claimed_at
    if at is None:
        return None
    late = at - row.due_at
    if late < NOTICED or row.held_until is not None:
        return Sentence(at, "A sender took it.")
    return Sentence(at, f"A sender took it {_span(late)} after it was due.")


def _went(
    row: Notification, around: Circumstances, attempt: NotificationAttempt
) -> Iterator[Sentence]:
    """One try. Of the last one it is known where it went and with what."""
    at, error = attempt.finished_at, attempt.error or ""
    is_last = attempt is _last_try(row)
    match attempt.outcome:
        case AttemptOutcome.SENT:
            yield Sentence(at, f"{_sent(row, around, is_last)}{f' {error}' if error else ''}")
        case AttemptOutcome.KEPT:
            yield Sentence(at, row.reason if is_last and row.reason else "It was kept here.")
        case AttemptOutcome.RETRY:
            yield Sentence(at, f"Try {attempt.number} did not go out: {error}")
        case AttemptOutcome.GAVE_UP if row.sent_at == at:  # the receipt came later
            yield Sentence(at, _sent(row, around, is_last))
            later = row.updated_at if _is_lost(row) else None
            yield Sentence(later, f"It was lost after that: {error}")
        case AttemptOutcome.GAVE_UP:
            yield Sentence(at, f"Try {attempt.number} failed for good: {error}")
        case AttemptOutcome.UNKNOWN:
            yield Sentence(at, f"Try {attempt.number}: {error} What follows bears the same mark.")


def _sent(row: Notification, around: Circumstances, is_last: bool) -> str:
    if not is_last:
        return "It was sent."
    where = f" to {row.sent_to}" if row.sent_to else ""
    if row.bundled_into is not None:
        return f"It was told in message {row.bundled_into}{where}."
    if others := len(around.told_with):
        return f"It was sent{where}, together with {others} other{'s' * (others > 1)}."
    return f"It was sent{where}."


def _answered(row: Notification, around: Circumstances) -> Iterator[Sentence]:
    if row.overtaken_at is not None:
        yield Sentence(
            row.overtaken_at, "The incident was answered while it was on its way; it may arrive."
        )
    if row.link_used_at is not None:
        yield Sentence(row.link_used_at, f"{_name(row, around)} answered by its link.")


def _ended(row: Notification) -> Iterator[Sentence]:
    """What ended it besides its tries."""
    last = _last_try(row)
    match row.status:
        case NotificationStatus.CANCELLED:
            again = " again" if row.sent_at is not None else ""
            yield Sentence(row.updated_at, f"It is not sent{again}: {row.reason}")
        case NotificationStatus.FAILED if last is None or last.error != row.reason:
            yield Sentence(row.updated_at, f"It failed: {row.reason}")
        case NotificationStatus.SUPPRESSED if last is None:
            yield Sentence(row.updated_at, f"It is not sent: {row.reason}")
        case _:
            pass  # its tries say it


def _is_lost(row: Notification) -> bool:
    return row.status is NotificationStatus.FAILED


def _last_try(row: Notification) -> NotificationAttempt | None:
    return row.history[-1] if row.history else None


def _clock(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _span(span: timedelta) -> str:
    """In the two largest units that say something."""
    seconds = round(span.total_seconds())
    parts: Mapping[str, int] = {
        "d": seconds // 86_400,
        "h": seconds // 3_600 % 24,
        "min": seconds // 60 % 60,
        "s": seconds % 60,
    }
    said = [f"{count} {unit}" for unit, count in parts.items() if count]
    return " ".join(said[:2]) or "0 s"
