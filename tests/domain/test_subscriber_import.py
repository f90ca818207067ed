"""Lines of a file of subscribers, and what is wrong with one."""

import pytest

from app.domain.notification import Channel
from app.domain.subscriber import Cadence
from app.domain.subscriber_import import (
    FileFaultError,
    LineFaultError,
    Wanted,
    lines_of,
    read_line,
)


def test_lines_keep_their_numbers_whatever_lies_between() -> None:
    text = ["Email,Frequency\r\n", '"sam@example.org",\r\n', "\r\n", "eva@example.org,daily\r\n"]
    assert list(lines_of(text)) == [
        (2, {"address": "sam@example.org", "frequency": ""}),
        (4, {"address": "eva@example.org", "frequency": "daily"}),
    ]


def test_what_is_left_out_is_the_usual() -> None:
    found = read_line({"address": "sam@example.org"})
    assert found == Wanted(Channel.EMAIL, "sam@example.org", Cadence.IMMEDIATE, ())
    found = read_line({"address": "x", "channel": "SMS", "components": "Pay; ;Find;Pay"})
    assert (found.channel, found.components) == (Channel.SMS, ("Pay", "Find"))


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"address": ""}, "no address"),
        ({"address": "x", "channel": "pigeon"}, "“pigeon” is no channel; write email"),
        ({"address": "x", "channel": "push"}, "Nobody can subscribe by push"),
        ({"address": "x", "frequency": "hourly"}, "write immediate or daily"),
        ({"address": "x", "more": "1"}, "more cells"),
        ({"address": "x", "components": ";".join(map(str, range(101)))}, "more than 100"),
    ],
)
def test_a_fault_says_what_to_write(said: dict[str, str], why: str) -> None:
    with pytest.raises(LineFaultError, match=why):
        read_line(said)


@pytest.mark.parametrize(
    "head", ["", "name,phone\n", "address,colour\n", "address,email\n", '"address\nx@y.example\n']
)
def test_a_file_without_such_a_head_is_none(head: str) -> None:
    with pytest.raises(FileFaultError):
        list(lines_of(head.splitlines(keepends=True)))
