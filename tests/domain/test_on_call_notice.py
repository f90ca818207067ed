"""What is planned to be told of a duty, and whose duty changed."""

from app.domain.on_call_notice import Changed, NoticeKind, Wishes, changes, plans
from app.domain.schedule import Schedule, render
from app.domain.timeline import Stretch
from tests.domain.rotas import ANA, BEN, CLEO, span, turning, utc

DAILY = Schedule("UTC", (turning("daily", "2026-01-05T00:00", ANA, BEN),))
WEEK = span("2026-01-05T06:00", "2026-01-07T06:00")


def told(wishes: Wishes) -> list[tuple[int, str, str, str]]:
    found = plans(render(DAILY, WEEK), {ANA: wishes, BEN: wishes}, WEEK)
    return [(who, kind, f"{about:%d %H:%M}", f"{due:%d %H:%M}") for who, kind, about, due in found]


def test_what_runs_has_an_end_and_what_is_to_come_a_start_a_reminder_and_an_end() -> None:
    assert told(Wishes(reminder_minutes=90)) == [
        (ANA, "end", "06 00:00", "06 00:00"),
        (BEN, "start", "06 00:00", "06 00:00"),
        (BEN, "reminder", "06 00:00", "05 22:30"),
        (BEN, "end", "07 00:00", "07 00:00"),
        (ANA, "start", "07 00:00", "07 00:00"),
        (ANA, "reminder", "07 00:00", "06 22:30"),
    ]


def test_without_a_reminder_the_rest_is_planned_all_the_same() -> None:
    kinds = {kind for _, kind, *_ in told(Wishes(reminder_minutes=None))}
    assert kinds == {NoticeKind.START, NoticeKind.END}


def test_each_hears_what_they_gain_and_lose_in_whole_pieces() -> None:
    during = span("2026-01-05T00:00", "2026-01-06T00:00")
    before = [Stretch(*during, (ANA,))]
    after = [
        Stretch(*span("2026-01-05T00:00", "2026-01-05T08:00"), (ANA,)),
        Stretch(*span("2026-01-05T08:00", "2026-01-05T12:00"), (BEN,)),
        Stretch(*span("2026-01-05T12:00", "2026-01-05T16:00"), (BEN, CLEO)),
        Stretch(*span("2026-01-05T16:00", "2026-01-06T00:00"), (ANA,)),
    ]
    eight = span("2026-01-05T08:00", "2026-01-05T16:00")
    found = changes(before, after, during)
    assert found == {
        ANA: Changed((), (eight,)),
        BEN: Changed((eight,), ()),
        CLEO: Changed((span("2026-01-05T12:00", "2026-01-05T16:00"),), ()),
    }
    assert (found[ANA].begins_at, found[ANA].ends_at) == tuple(eight)


def test_what_lies_beyond_is_no_change() -> None:
    during = span("2026-01-05T00:00", "2026-01-05T08:00")
    whole = span("2026-01-05T00:00", "2026-01-06T00:00")
    before = [Stretch(*whole, (ANA,))]
    after = [Stretch(*during, (ANA,)), Stretch(utc("2026-01-05T08:00"), whole.ends_at, (BEN,))]
    assert changes(before, after, during) == {}


def test_the_usual_wishes() -> None:
    wanted = [kind for kind in NoticeKind if Wishes().wants(kind)]
    assert wanted == [NoticeKind.START, NoticeKind.REMINDER, NoticeKind.CHANGE]
