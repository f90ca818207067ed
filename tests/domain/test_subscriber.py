"""Addresses of the public, when digests leave, and how long until another attempt."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.domain.notification import Channel
from app.domain.subscriber import MOST_TRIES, masked, next_digest, next_wait, read_address


def test_one_address_is_the_same_however_it_is_written() -> None:
    assert read_address(Channel.EMAIL, "Sam@Example.org").key == "sam@example.org"
    one, other = (read_address(Channel.SMS, text) for text in ("+49 30 1234567", "+49-30-1234567"))
    assert one.key == other.key == "+49301234567"


def test_what_is_secret_in_an_address_is_not_in_its_text() -> None:
    hook = read_address(Channel.WEBHOOK, "https://desk.example.org/hooks/secret")
    assert hook.text == "https://desk.example.org/…"
    chat = read_address(Channel.CHAT, "slack://TokenA/TokenB/TokenC")
    assert "TokenB" not in chat.text
    assert "secret" not in repr(hook)
    assert "TokenB" not in repr(chat)


@pytest.mark.parametrize(
    ("channel", "text", "shown"),
    [
        (Channel.EMAIL, "sam@example.org", "s…@example.org"),
        (Channel.EMAIL, "s@example.org", "s…@example.org"),
        (Channel.EMAIL, '"a@b"@example.org', '"…@example.org'),
        (Channel.EMAIL, "nothing", "…"),
        (Channel.SMS, "+49301234567", "+49…67"),
    ],
)
def test_a_masked_address_tells_its_owner_and_nobody_else(
    channel: Channel, text: str, shown: str
) -> None:
    assert masked(channel, text) == shown


@pytest.mark.parametrize(
    ("now", "wall"),
    [
        ("2026-11-22T06:54", "2026-11-22T08:00"),
        ("2026-11-22T06:56", "2026-11-23T08:00"),  # that of today is being written already
        ("2026-11-22T07:00", "2026-11-23T08:00"),
        ("2026-11-22T23:30", "2026-11-23T08:00"),
        ("2026-03-28T12:00", "2026-03-29T08:00"),  # the night the clocks go forward
        ("2026-10-24T12:00", "2026-10-25T08:00"),  # and back
    ],
)
def test_a_digest_leaves_at_eight_on_the_page_s_wall(now: str, wall: str) -> None:
    at = next_digest(datetime.fromisoformat(now).replace(tzinfo=UTC), "Europe/Berlin")
    assert at.astimezone(ZoneInfo("Europe/Berlin")).strftime("%Y-%m-%dT%H:%M") == wall


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kathmandu"])
def test_every_zone_has_its_morning_within_a_day(zone: str) -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    for minutes in range(0, 24 * 60, 7):
        moment = now + timedelta(minutes=minutes)
        at = next_digest(moment, zone)
        assert timedelta(minutes=5) < at - moment <= timedelta(hours=24, minutes=5)


def test_waits_grow_and_end_and_a_server_s_wish_counts() -> None:
    waits = [next_wait(tries, None, chance=0.0) for tries in range(1, MOST_TRIES + 1)]
    assert waits[-1] is None
    known = [wait for wait in waits if wait is not None]
    assert known == sorted(known)
    assert len(known) == MOST_TRIES - 1
    assert next_wait(1, timedelta(hours=1), chance=0.0) == timedelta(hours=1)
