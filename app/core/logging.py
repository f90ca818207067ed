"""One log line, one fact: readable in a terminal, JSON for machines; the request id in each."""

import asyncio
import json
import logging
import re
import sys
from contextlib import nullcontext, suppress
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

import structlog
from pydantic_core import to_json
from structlog.types import EventDict

QUIET = (
    "uvicorn.access",
    "uvicorn.error",
    "apscheduler",
    "httpx",
    "httpcore",
    "aiosmtplib",
    "alembic",
)


# What every record has; the rest are the fields of this line.
ORDINARY = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

# PostgreSQL quotes the row that it refuses, password hash and all.
ROW_VALUES = re.compile(
    r"DETAIL: .*?(?=\n\[SQL|\n\(Background|\n\n(?:The above|During)|\Z)", re.DOTALL
)


def without_row_values(_: object, __: str, event: EventDict) -> EventDict:
    """Leave out what a refused row held."""
    for name, value in event.items():
        if isinstance(value, str) and "DETAIL:" in value:
            event[name] = ROW_VALUES.sub("DETAIL: (left out)", value)
    return event


class Together(logging.StreamHandler[TextIO]):
    """Writes what one turn of the event loop says with one call to the system.

    Under a storm a call for each line costs more than the line. What is bad news, or comes from
    where no loop turns, is written at once, and so is everything that was said before it.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Called with this handler's lock held."""
        try:
            self._said.append(self.format(record) + self.terminator)
        except Exception:
            self.handleError(record)
            return
        if record.levelno >= logging.WARNING:
            self.flush()
        elif len(self._said) == 1:
            try:
                asyncio.get_running_loop().call_soon(self.flush)
            except RuntimeError:  # no loop turns in this thread
                self.flush()

    def flush(self) -> None:
        """Write what is waiting; if nobody reads it any more, it is gone."""
        with self.lock or nullcontext(), suppress(OSError, ValueError):
            said, self._said = self._said, []
            if said:
                lines = "".join(said).encode(errors="backslashreplace")  # half a character, say
                self.stream.write(lines.decode())
                self.stream.flush()


class Json(logging.Formatter):
    """A line as one JSON object. What a line carries besides its words are its `extra` fields."""

    def format(self, record: logging.LogRecord) -> str:
        """What is said, by whom, for which request, when."""
        event: dict[str, Any] = {
            "timestamp": _instant(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **structlog.contextvars.get_contextvars(),
        }
        event.update((name, record.__dict__[name]) for name in record.__dict__.keys() - ORDINARY)
        if record.exc_info:
            event["exception"] = self.formatException(record.exc_info)
        return _encode(without_row_values(None, "", event))


def _instant(seconds: float) -> str:
    at = datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
    return at.isoformat(timespec="microseconds") + "Z"


def _encode(event: EventDict) -> str:
    try:
        return to_json(event, fallback=repr).decode()
    except ValueError:  # half a character: only the slower way can spell it
        return json.dumps(event, default=repr)


def configure(level: str, style: Literal["console", "json"]) -> None:
    """Send everything that logs, ours and libraries', through one formatter to stderr."""
    handler = Together(sys.stderr)
    handler.setFormatter(Json() if style == "json" else _console(colors=sys.stderr.isatty()))
    # What no line of ours shows need not be looked up for each.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None  # noqa: SLF001  # the documented switch for who logs, which is dear
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _console(*, colors: bool) -> logging.Formatter:
    """For people, in a terminal."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(),
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="timestamp"),
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            without_row_values,
            # Plain tracebacks: with the values of variables they would show secrets, and take
            # seconds.
            structlog.dev.ConsoleRenderer(colors=colors),
        ],
    )
