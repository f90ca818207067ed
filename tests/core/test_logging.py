"""What a log line holds, and what it must not."""

import asyncio
import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
import structlog

from app.core.logging import QUIET, configure

log = logging.getLogger("app.tested")


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in QUIET}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)
    structlog.contextvars.clear_contextvars()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Every JSON line that was logged."""
    shown = capsys.readouterr()
    assert shown.out == ""
    return [json.loads(line) for line in shown.err.splitlines()]


def break_with(password: str) -> None:
    raise ValueError("The database is gone.")


def test_a_line_is_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    configure("info", "json")
    log.warning("page.lost", extra={"page_id": 7, "tries": [1, 2]})
    (line,) = lines(capsys)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "page.lost",
        "level": "warning",
        "logger": "app.tested",
        "page_id": 7,
        "tries": [1, 2],
    }


def test_every_line_of_a_request_has_its_id(capsys: pytest.CaptureFixture[str]) -> None:
    configure("info", "json")
    structlog.contextvars.bind_contextvars(request_id="abc")
    log.info("first")
    logging.getLogger("some.library").error("second")
    structlog.contextvars.clear_contextvars()
    log.info("third")
    assert [line.get("request_id") for line in lines(capsys)] == ["abc", "abc", None]


def test_the_words_of_a_library_are_filled_in(capsys: pytest.CaptureFixture[str]) -> None:
    configure("info", "json")
    logging.getLogger("some.library").warning("%s of %d", "one", 2)
    assert [line["event"] for line in lines(capsys)] == ["one of 2"]


@pytest.mark.parametrize("style", ["json", "console"])
def test_an_exception_is_a_traceback_without_the_values_of_variables(
    capsys: pytest.CaptureFixture[str], style: Any
) -> None:
    configure("info", style)
    try:
        break_with("-".join(["hunter", "2"]))
    except ValueError:
        log.exception("step.failed")
    shown = capsys.readouterr().err
    assert "Traceback (most recent call last)" in shown
    assert "ValueError: The database is gone." in shown
    assert "break_with" in shown
    assert "hunter-2" not in shown


def test_an_exception_in_json_is_a_text_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    configure("info", "json")
    try:
        break_with("x")
    except ValueError:
        log.exception("step.failed")
    (line,) = lines(capsys)
    assert line["exception"].endswith("ValueError: The database is gone.")
    assert "exc_info" not in line


@pytest.mark.parametrize("style", ["json", "console"])
def test_no_value_is_too_odd_to_be_logged(capsys: pytest.CaptureFixture[str], style: Any) -> None:
    configure("info", style)
    log.info("odd \ud800 \x00", extra={"raw": b"\xff", "thing": object(), "half": "\udfff"})
    assert "odd" in capsys.readouterr().err


@pytest.mark.parametrize(("level", "shown"), [("debug", 4), ("info", 3), ("error", 1)])
def test_what_is_milder_than_the_level_is_left_out(
    capsys: pytest.CaptureFixture[str], level: str, shown: int
) -> None:
    configure(level, "json")
    log.debug("one")
    log.info("two")
    log.warning("three")
    log.error("four")
    assert len(lines(capsys)) == shown


@pytest.mark.parametrize("name", QUIET)
def test_a_talkative_library_speaks_up_only_when_something_is_wrong(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    configure("debug", "json")
    monkeypatch.setattr(logging.getLogger(name), "propagate", True)  # a server may have muted it
    logging.getLogger(name).info("I did as usual.")
    logging.getLogger(name).warning("I could not.")
    assert [line["event"] for line in lines(capsys)] == ["I could not."]


def test_configuring_twice_logs_once(capsys: pytest.CaptureFixture[str]) -> None:
    configure("info", "console")
    configure("info", "json")
    log.info("once")
    assert [line["event"] for line in lines(capsys)] == ["once"]


def test_in_a_terminal_a_line_is_readable(capsys: pytest.CaptureFixture[str]) -> None:
    configure("info", "console")
    structlog.contextvars.bind_contextvars(request_id="abc")
    log.info("page.sent", extra={"page_id": 7})
    (line,) = capsys.readouterr().err.splitlines()
    for part in ("info", "page.sent", "page_id=7", "request_id=abc", "app.tested"):
        assert part in line


async def test_what_one_turn_of_the_loop_says_is_written_once() -> None:
    stream = Written()
    root = logging.getLogger()
    with mock.patch.object(sys, "stderr", stream):
        configure("info", "json")
    log.info("one")
    log.info("two")
    assert stream.calls == []
    await asyncio.sleep(0)
    (call,) = stream.calls
    assert [json.loads(line)["event"] for line in call.splitlines()] == ["one", "two"]
    log.info("three")
    log.warning("four")
    assert len(stream.calls) == 2, "bad news waits for nothing, nor does what came before it"
    log.info("five")
    root.handlers[0].flush()
    assert len(stream.calls) == 3


def test_a_reader_who_is_gone_takes_nobody_with_him() -> None:
    with mock.patch.object(sys, "stderr", Gone()):
        configure("info", "json")
    log.info("one")
    log.error("two")


class Written(io.StringIO):
    """Every call for itself."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []

    def write(self, text: str) -> int:
        self.calls.append(text)
        return len(text)


class Gone(io.StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError
