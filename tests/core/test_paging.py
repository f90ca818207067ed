"""Cursors: handed out by us, taken back only as they were and for what they were."""

import base64
from datetime import UTC, datetime

import pytest

from app.core.errors import InvalidInputError
from app.core.paging import BIGGEST_KEY, SEAL_BYTES, Cursors, Place

OURS = Cursors(b"a key of 32 bytes, or about that", "/v1/incidents status=open")
WHEN = datetime(2027, 1, 31, 8, 0, 0, 123456, tzinfo=UTC)
PLACES = [
    Place(7, 7, 12),
    Place(BIGGEST_KEY, BIGGEST_KEY, 10_000, True),
    Place(WHEN, 7, 12),
    Place("Ünïcode 🔔 and \ud7ff", 7, 12),
    Place("", 0, 0),
    Place(60_793, 7, 1_000, True, newest=99),
]


@pytest.mark.parametrize("place", PLACES)
def test_a_cursor_leads_back_to_its_place(place: Place) -> None:
    assert OURS.decode(OURS.encode(place)) == place


@pytest.mark.parametrize("place", PLACES)
def test_a_cursor_fits_a_url_as_it_is(place: Place) -> None:
    assert OURS.encode(place).replace("-", "a").replace("_", "a").isalnum()


def test_the_longest_name_still_fits_a_cursor() -> None:
    assert len(OURS.encode(Place("🔔" * 255, BIGGEST_KEY, 10_000, True))) <= 2_000


SEVEN = OURS.encode(PLACES[0])


def bent(at: int) -> str:
    raw = bytearray(base64.urlsafe_b64decode(SEVEN + "=" * (-len(SEVEN) % 4)))
    raw[at] ^= 1
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        *("", " ", "=", "7", "a:7", "null", "ü", "\ud800", "a" * 50, "%00", "A" * 1999),
        *(bent(at) for at in (0, SEAL_BYTES - 1, SEAL_BYTES, SEAL_BYTES + 1, -1)),
        SEVEN + "=",
        SEVEN + "A",
        SEVEN[:-1],
        " " + SEVEN,
        SEVEN + "\n",
    ],
)
def test_what_we_did_not_hand_out_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidInputError, match=r"^The cursor is none of ours") as refused:
        OURS.decode(cursor)
    assert refused.value.details == {"field": "cursor"}


@pytest.mark.parametrize(
    "other",
    [
        Cursors(b"a key of 32 bytes, or about that", "/v1/incidents status=resolved"),
        Cursors(b"a key of 32 bytes, or about that", ""),
        Cursors(b"another key, of 32 bytes or less", "/v1/incidents status=open"),
        Cursors(b"a key of 32 bytes, or about that", "\ud800"),
    ],
)
def test_a_cursor_of_another_list_or_installation_is_refused(other: Cursors) -> None:
    with pytest.raises(InvalidInputError, match=r"of another list, order or filter"):
        other.decode(SEVEN)
