"""One log line, one fact: readable in a terminal, JSON for machines; the request id in each."""

import logging
import re
import sys
from typing import Literal

import structlog
from structlog.types import EventDict, Processor

QUIET = (
    "uvicorn.access",
    "uvicorn.error",
    "apscheduler",
    "httpx",
    "httpcore",
    "aiosmtplib",
    "alembic",
)


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


def configure(level: str, style: Literal["console", "json"]) -> None:
    """Send everything that logs, ours and libraries', through one formatter to stderr."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="timestamp"),
    ]
    render: list[Processor] = [structlog.processors.format_exc_info, without_row_values]
    if style == "json":
        render.append(structlog.processors.JSONRenderer())
    else:
        # Plain tracebacks: with the values of variables they would show secrets, and take seconds.
        render.append(structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()))
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    # What no line of ours shows need not be looked up for each.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
