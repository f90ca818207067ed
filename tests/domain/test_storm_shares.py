"""Who is told at once, who waits and who is told together: what is critical, and the rest."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from app.domain.bundle import BUNDLE_EVERY, PageLimit, Shares, Stream, Told, share_out, stream_of
from app.domain.lease import Before, Leased, LeasedContact
from app.domain.notification import MAX_ATTEMPTS, Channel, NotificationKind

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
ONE, THREE = PageLimit(1), PageLimit(3)
LOWER, CRITICAL = Stream(7, 70), Stream(7, 70, is_critical=True)
FRESH, HELD = Before(), Before(held_until=NOW)
NOTHING = Told(0, None)


def page(number: int, *, is_critical: bool = False, before: Before = FRESH) -> Leased:
    return Leased(
        id=number,
        kind=NotificationKind.PAGE,
        channel=Channel.EMAIL,
        address="ana@example.org",
        message=None,
        facts={},
        promised_at=NOW,
        claimed_at=NOW,
        attempts=1,
        attempts_before=0,
        is_resend=False,
        user_id=7,
        user_name="Ana",
        contact=LeasedContact(70, 7, "ana@example.org", None, None),
        incident=None,
        step=None,
        wording=None,
        is_critical=is_critical,
        before=before,
    )


def shared(
    *pages: Leased,
    limit: PageLimit = THREE,
    lower: Told = NOTHING,
    critical: Told = NOTHING,
) -> Shares:
    told = {LOWER: lower, CRITICAL: critical}
    return share_out(pages, {stream_of(one): told[stream_of(one)] for one in pages}, limit, now=NOW)


def held(shares: Shares) -> set[int]:
    return {one.id for hold in shares.holds for one in hold.pages}


def bundled(shares: Shares) -> list[set[int]]:
    return [{one.id for one in bundle.pages} for bundle in shares.bundles]


def test_however_many_lower_pages_there_were_a_critical_one_leaves_at_once() -> None:
    shares = shared(page(1, is_critical=True), lower=Told(500, NOW))
    assert (shares.holds, shares.bundles) == ([], [])


def test_critical_pages_beyond_the_limit_are_held_for_each_other() -> None:
    pages = [page(number, is_critical=True) for number in range(5)]
    shares = shared(*pages, limit=THREE)
    assert held(shares) == {3, 4}
    [hold] = shares.holds
    assert (hold.stream, hold.until) == (CRITICAL, NOW + BUNDLE_EVERY)


def test_critical_pages_take_the_room_of_lower_ones_whatever_came_first() -> None:
    shares = shared(page(1), page(2, is_critical=True), page(3, is_critical=True), limit=ONE)
    assert held(shares) == {1, 3}
    assert {hold.stream for hold in shares.holds} == {LOWER, CRITICAL}


def test_a_lower_page_waits_a_minute_from_the_critical_one_before_it() -> None:
    shares = shared(page(1), page(2, is_critical=True), limit=ONE, lower=Told(1, None))
    [hold] = shares.holds
    assert (hold.stream, hold.until) == (LOWER, NOW + BUNDLE_EVERY)


def test_critical_and_lower_are_never_in_one_bundle() -> None:
    pages = [page(number, is_critical=number < 2, before=HELD) for number in range(4)]
    assert bundled(shared(*pages)) == [{0, 1}, {2, 3}]


def test_what_was_held_is_told_together_though_there_is_room() -> None:
    shares = shared(page(1, before=HELD), page(2, before=HELD), page(3))
    assert (bundled(shares), shares.holds) == ([{1, 2}], [])


def test_a_vanished_bundle_stays_one_though_some_of_it_has_become_critical() -> None:
    """Its mark names what is in it: two halves would be two messages more."""
    before = Before(was_sending=True, bundled_into=1)
    pages = [page(number, is_critical=number == 2, before=before) for number in (1, 2, 3)]
    shares = shared(*pages, limit=ONE)
    assert bundled(shares) == [{1, 2, 3}]
    assert shares.bundles[0].again == 1


def test_the_last_try_of_a_page_is_made_alone_and_never_held() -> None:
    last = replace(page(1, before=HELD), attempts=MAX_ATTEMPTS)
    shares = shared(last, page(2), limit=ONE, lower=Told(1, NOW - timedelta(minutes=2)))
    assert held(shares) == {2}
    assert shares.bundles == []
