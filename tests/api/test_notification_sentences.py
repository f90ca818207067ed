"""The story of a message, branch by branch: rows as they can stand, and what is told of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.domain.notification import AttemptOutcome, Channel, NotificationKind, NotificationStatus
from app.domain.notification_story import Circumstances, Resend, WaitReason
from app.models import Notification, NotificationAttempt
from app.services.notification_story import story, waits_for

T = datetime(2027, 1, 31, 12, 0, tzinfo=UTC)
ANA = Circumstances(user_name="Ana", policy_name="Primary")
PENDING, SENDING, SENT = (
    NotificationStatus.PENDING,
    NotificationStatus.SENDING,
    NotificationStatus.SENT,
)


def after(**span: float) -> datetime:
    return T + timedelta(**span)


def row(**fields: Any) -> Notification:
    """A page that is due, unless told otherwise."""
    usual: dict[str, Any] = {
        "kind": NotificationKind.PAGE,
        "channel": Channel.EMAIL,
        "user_id": 7,
        "loop": 0,
        "step": 1,
        "facts": {},
        "status": PENDING,
        "created_at": T,
        "due_at": T,
        "ready_at": T,
        "updated_at": T,
        "attempts_before": 0,
        "history": [],
    }
    if fields.get("status", PENDING) not in (PENDING, SENDING):
        usual["ready_at"] = None
    return Notification(**usual | fields)


def tried(number: int, outcome: str, at: datetime, error: str | None = None) -> NotificationAttempt:
    return NotificationAttempt(
        number=number,
        outcome=AttemptOutcome(outcome),
        started_at=at - timedelta(milliseconds=300),
        finished_at=at,
        error=error,
    )


def texts(one: Notification, around: Circumstances = ANA, *, now: datetime = T) -> list[str]:
    return [sentence.text for sentence in story(one, around, now=now)]


# --- Why it was promised --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("user", ", whom it names,"),
        ("assignees", ", who was assigned to the incident,"),
        ("creator", ", who declared the incident,"),
        ("admins", ", who is an admin,"),
        ("fallback", ", who is paged when nobody else is left,"),
        ("somebody_new", ""),
        (None, ""),
    ],
)
def test_a_page_says_as_whom_it_pages_somebody(target: str | None, why: str) -> None:
    facts = {"target": target} if target else {}
    assert texts(row(facts=facts))[0] == f"Step 2 of “Primary” pages Ana{why} by email."


def test_a_later_round_and_the_fallback_say_so() -> None:
    assert texts(row(loop=2))[0] == "Step 2 of “Primary”, in round 3, pages Ana by email."
    fallback = Circumstances(user_name="Ana", policy_name="fallback", is_fallback=True)
    assert texts(row(step=0), fallback)[0] == "The fallback pages Ana by email."
    assert texts(row(loop=1), fallback)[0] == "The fallback, in round 2, pages Ana by email."


def test_a_webhook_of_a_step_is_called() -> None:
    called = row(user_id=None, channel=Channel.WEBHOOK)
    nobody = Circumstances(policy_name="Primary")
    assert texts(called, nobody)[0] == "Step 2 of “Primary” calls a webhook."


def test_somebody_whose_account_is_gone_is_somebody() -> None:
    nameless = Circumstances(policy_name="Primary")
    assert texts(row(), nameless)[0] == "Step 2 of “Primary” pages somebody by email."


def test_a_rule_that_waits_and_quiet_hours_are_told() -> None:
    until = datetime(2027, 2, 1, 6, 0, tzinfo=UTC)
    facts = {"target": "user", "after_minutes": 7.5, "quiet_until": until.isoformat()}
    told = texts(row(facts=facts, due_at=until, ready_at=until))
    assert told[1:3] == [
        "Ana wants it over email 7 min 30 s after the step.",
        "Quiet hours of Ana put it off until 2027-02-01 06:00:00 UTC.",
    ]


def test_a_drill_says_that_it_is_one() -> None:
    assert "It is a fire drill." in texts(row(facts={"drill": True}))
    assert "It is a fire drill." not in texts(row())


@pytest.mark.parametrize(
    ("kind", "user_id", "sentence"),
    [
        ("acknowledged", 7, "Ben acknowledged the incident, for which Ana was paged."),
        ("resolved", 7, "Ben resolved the incident, for which Ana was paged."),
        ("resolved", None, "Ben resolved the incident, for which this webhook was called."),
        ("assigned", 7, "Ben put the incident into the hands of Ana."),
    ],
)
def test_news_say_whose_they_are(kind: str, user_id: int | None, sentence: str) -> None:
    news = row(kind=NotificationKind(kind), user_id=user_id, facts={"actor": "Ben"})
    assert texts(news)[0] == sentence


def test_every_kind_has_a_first_sentence_and_no_letter_shows_what_it_carries() -> None:
    facts = {"challenge_id": 4711, "address": "10.0.0.1", "quiet_until": "soon", "drill": True}
    firsts = set()
    for kind in NotificationKind:
        if kind is NotificationKind.PAGE:
            continue
        told = texts(row(kind=kind, facts=facts, step=None, loop=None))
        firsts.add(told[0])
        assert not [text for text in told if "4711" in text or "10.0.0.1" in text]
        assert "It is a fire drill." not in told
    assert len(firsts) == len(NotificationKind) - 1


# --- Why it waits ---------------------------------------------------------------------------


def waiting(reason: WaitReason, one: Notification, around: Circumstances = ANA) -> str:
    """What comes next, for a message that must wait for this."""
    assert waits_for(one, around, now=T) is reason
    return story(one, around, now=T)[-1].text


def test_what_is_due_leaves_as_soon_as_it_can() -> None:
    told = waiting(WaitReason.DUE, row())
    assert told == "It is due and leaves as soon as a sender is free."


def test_what_comes_later_says_when() -> None:
    later = row(due_at=after(minutes=5), ready_at=after(minutes=5))
    told = waiting(WaitReason.DUE, later)
    assert told == "It leaves then, unless somebody answers before."
    assert story(later, ANA, now=T)[-1].at == after(minutes=5)


def test_quiet_hours_are_waited_for_until_they_are_over() -> None:
    at = after(hours=8)
    quiet = row(due_at=at, ready_at=at, facts={"quiet_until": at.isoformat()})
    assert "quiet hours are over" in waiting(WaitReason.QUIET_HOURS, quiet)
    assert waits_for(quiet, ANA, now=at) is WaitReason.DUE


def test_a_storm_and_too_many_pages_are_told_apart() -> None:
    at = after(minutes=1)
    held = row(ready_at=at, held_until=at)
    storm = Circumstances(user_name="Ana", policy_name="Primary", storm_until=at)
    for reason, around, why in (
        (WaitReason.STORM, storm, "A storm of the service: it is told with the others of its"),
        (WaitReason.LIMIT, ANA, "Ana had many pages over email: it is told with the next,"),
    ):
        assert "together with what else waits" in waiting(reason, held, around)
        told = texts(held, around)
        assert told[1].startswith(why)
        assert told[1].endswith("at 2027-01-31 12:01:00 UTC at the latest.")
        assert waits_for(held, around, now=at) is WaitReason.DUE


def test_a_snooze_of_the_incident_is_waited_for() -> None:
    at = after(minutes=30)
    asleep = Circumstances(user_name="Ana", policy_name="Primary", snoozed_until=at)
    resting = row(ready_at=at, held_until=after(minutes=1))
    assert waiting(WaitReason.SNOOZE, resting, asleep) == "The incident is snoozed until then."
    assert waits_for(resting, asleep, now=at) is WaitReason.DUE
    # What is due after the snooze does not wait for it, and news never do.
    later = row(ready_at=after(hours=1), due_at=after(hours=1))
    assert waits_for(later, asleep, now=T) is WaitReason.DUE
    news = row(kind=NotificationKind.RESOLVED, ready_at=at)
    assert waits_for(news, asleep, now=T) is WaitReason.DUE


def test_a_try_that_did_not_go_out_is_tried_again() -> None:
    history = [tried(1, "retry", T, "Busy.")]
    again = row(ready_at=after(seconds=2), last_error="Busy.", attempts=1, history=history)
    assert waiting(WaitReason.RETRY, again) == "It is tried again."
    assert story(again, ANA, now=T)[-1].at == after(seconds=2)
    assert "Try 1 did not go out: Busy." in texts(again)


def test_a_provider_that_is_given_nothing_is_waited_for() -> None:
    shut = "The mail server did not answer five times."
    history = [tried(1, "retry", T, "Busy.")]
    for tries in ([], history):
        row_ = row(ready_at=after(minutes=1), last_error=shut, history=tries)
        assert waiting(WaitReason.PROVIDER, row_) == f"It waits: {shut}"


def test_what_a_sender_has_says_when_another_takes_over() -> None:
    leased = row(status=SENDING, claimed_at=T, ready_at=after(seconds=20))
    told = waiting(WaitReason.SENDER, leased)
    assert told == (
        "A sender has it; if that one vanishes, another takes over at 2027-01-31 12:00:20 UTC."
    )
    assert "A sender took it." in texts(leased)


@pytest.mark.parametrize("status", [s for s in NotificationStatus if s not in {PENDING, SENDING}])
def test_what_has_ended_waits_for_nothing(status: NotificationStatus) -> None:
    ended = row(status=status, reason="Why.", sent_at=T)
    assert waits_for(ended, ANA, now=T) is None


# --- How it went ----------------------------------------------------------------------------


def test_a_page_that_was_sent_in_time_has_a_short_story() -> None:
    at = after(milliseconds=400)
    sent = row(status=SENT, sent_at=at, sent_to="ana@example.org", history=[tried(1, "sent", at)])
    told = story(sent, ANA, now=after(minutes=1))
    assert [(one.at, one.text) for one in told[1:]] == [
        (after(milliseconds=100), "A sender took it."),
        (at, "It was sent to ana@example.org."),
    ]


def test_a_page_that_was_late_says_how_late() -> None:
    at = after(hours=1, minutes=5, seconds=7, milliseconds=300)
    late = row(status=SENT, sent_at=at, history=[tried(1, "sent", at)])
    assert texts(late)[1] == "A sender took it 1 h 5 min after it was due."
    held = row(status=SENT, sent_at=at, held_until=at, history=[tried(1, "sent", at)])
    assert "A sender took it." in texts(held)


def test_every_try_is_told_and_what_arrived() -> None:
    history = [
        tried(1, "retry", after(seconds=1), "Busy."),
        tried(2, "unknown", after(seconds=30), "The sender vanished in mid-send."),
        tried(3, "sent", after(seconds=40)),
    ]
    arrived = row(
        status=NotificationStatus.DELIVERED,
        sent_at=after(seconds=40),
        delivered_at=after(seconds=55),
        history=history,
    )
    told = story(arrived, ANA, now=after(minutes=1))
    assert [one.text for one in told[2:]] == [
        "Try 1 did not go out: Busy.",
        "Try 2: The sender vanished in mid-send. What follows bears the same mark.",
        "It was sent.",
        "The provider says that it arrived.",
    ]
    assert [one.at for one in told] == sorted(one.at for one in told if one.at)


def test_what_was_odd_about_a_message_is_told() -> None:
    note = "The wording of this installation cannot be used."
    sent = row(status=SENT, sent_at=T, history=[tried(1, "sent", T, note)])
    assert texts(sent)[-1] == f"It was sent. {note}"


def test_what_failed_for_good_says_why_once() -> None:
    why = "No such mailbox."
    failed = NotificationStatus.FAILED
    given_up = row(status=failed, reason=why, last_error=why, history=[tried(1, "gave_up", T, why)])
    assert texts(given_up)[-1] == "Try 1 failed for good: No such mailbox."
    assert str(texts(given_up)).count(why) == 1
    never_tried = row(status=failed, reason=why, updated_at=after(seconds=3))
    assert story(never_tried, ANA, now=T)[-1].at == after(seconds=3)
    assert texts(never_tried)[-1] == "It failed: No such mailbox."


def test_what_a_provider_took_and_then_lost_is_two_things() -> None:
    why = "The SMS gateway says that it is failed."
    lost = row(
        status=NotificationStatus.FAILED,
        reason=why,
        sent_at=T,
        sent_to="+49301234567",
        updated_at=after(minutes=2),
        history=[tried(1, "gave_up", T, why)],
    )
    told = [(one.at, one.text) for one in story(lost, ANA, now=after(hours=1))]
    assert told[-2:] == [
        (T, "It was sent to +49301234567."),
        (after(minutes=2), f"It was lost after that: {why}"),
    ]


def test_what_was_kept_here_says_where() -> None:
    kept = "No provider is set for this channel; it was kept in the local outbox: 1.eml"
    suppressed = NotificationStatus.SUPPRESSED
    tried_it = row(status=suppressed, reason=kept, history=[tried(1, "kept", T)])
    assert texts(tried_it)[-1] == kept
    assert texts(row(status=suppressed, reason="Why."))[-1] == "It is not sent: Why."


def test_what_was_called_off_says_why() -> None:
    why = "The incident was acknowledged first."
    cancelled = NotificationStatus.CANCELLED
    assert texts(row(status=cancelled, reason=why))[-1] == f"It is not sent: {why}"
    again = row(status=cancelled, reason=why, sent_at=T, history=[tried(1, "sent", T)])
    assert texts(again)[-1] == f"It is not sent again: {why}"


def test_a_bundle_says_what_it_told_and_what_told_it() -> None:
    fields = {"status": SENT, "sent_at": T, "sent_to": "ana@example.org"}
    for others, words in (((8,), "1 other"), ((8, 9), "2 others")):
        leader = row(**fields, history=[tried(1, "sent", T)])
        around = Circumstances(user_name="Ana", policy_name="Primary", told_with=others)
        assert texts(leader, around)[-1] == (
            f"It was sent to ana@example.org, together with {words}."
        )
    follower = row(**fields, bundled_into=12, history=[tried(1, "sent", T)])
    assert texts(follower)[-1] == "It was told in message 12 to ana@example.org."


def test_an_answer_on_its_way_and_by_its_link_is_told() -> None:
    sent = row(
        status=SENT,
        sent_at=after(seconds=2),
        overtaken_at=after(seconds=1.9),
        link_used_at=after(minutes=1),
        history=[tried(1, "sent", after(seconds=2))],
    )
    assert texts(sent)[2:] == [
        "The incident was answered while it was on its way; it may arrive.",
        "It was sent.",
        "Ana answered by its link.",
    ]


def test_sending_it_again_is_told_where_it_happened() -> None:
    again = Resend(after(minutes=5), "Ben sent the email to Ana again.")
    around = Circumstances(user_name="Ana", policy_name="Primary", resends=(again,))
    history = [tried(1, "sent", after(seconds=1)), tried(2, "sent", after(minutes=6))]
    sent = row(
        status=SENT, sent_at=after(minutes=6), is_resend=True, attempts_before=1, history=history
    )
    assert texts(sent, around)[2:] == [
        "It was sent.",
        "Ben sent the email to Ana again. It bears the same mark.",
        "It was sent.",
    ]


def test_what_nobody_noted_the_time_of_stays_where_it_belongs() -> None:
    at = after(minutes=1)
    held = row(status=SENT, sent_at=at, held_until=at, history=[tried(1, "sent", at)])
    told = story(held, ANA, now=at)
    assert [one.at is None for one in told] == [False, True, False, False]
    assert told[1].text.startswith("Ana had many pages")
