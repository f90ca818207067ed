"""Cursors: handed out by us, taken back only as they were."""

import base64

import pytest

from app.core.errors import InvalidInputError
from app.core.paging import BIGGEST_KEY, decode_cursor, encode_cursor


@pytest.mark.parametrize("after", [0, 1, 42, 10**15, BIGGEST_KEY])
def test_a_cursor_leads_back_to_its_row(after: int) -> None:
    assert decode_cursor(encode_cursor(after)) == after


def test_a_cursor_fits_a_url_as_it_is() -> None:
    assert all(
        encode_cursor(after).replace("-", "a").replace("_", "a").isalnum() for after in range(999)
    )


def spelled(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        *("", " ", "=", "7", "a:7", "null", "ü", "\ud800", "a" * 50, "%00"),
        *(spelled(raw) for raw in (b"", b"a:", b"7", b"b:7", b"a:-1", b"a:x", b"a:1.0", b"a:\xff")),
        *(spelled(raw) for raw in (b"a:07", b"a: 7", b"a:+7", b"a:1_0", b"a:7\n", b"a:a:7")),
        spelled(b"a:" + b"9" * 50),
        encode_cursor(BIGGEST_KEY + 1),
        encode_cursor(7) + "=",
        encode_cursor(7) + "A",
        encode_cursor(7)[:-1],
        " " + encode_cursor(7),
        encode_cursor(7) + "\n",
    ],
)
def test_what_we_did_not_hand_out_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidInputError, match=r"^The cursor is none of ours") as refused:
        decode_cursor(cursor)
    assert refused.value.details == {"field": "cursor"}
