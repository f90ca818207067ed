"""The log as an operator has it: every line, through the formatter that production uses."""

import io
import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

from app.core.logging import QUIET, configure


@dataclass(frozen=True)
class Log:
    stream: io.StringIO
    handler: logging.Handler

    @property
    def text(self) -> str:
        self.handler.flush()  # what was said in this turn of the loop
        return self.stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]

    def of(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["event"] == event]


@contextmanager
def logged(level: str = "debug") -> Iterator[Log]:
    """What is logged meanwhile, at this level and in JSON."""
    root = logging.getLogger()
    handlers, root_level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in QUIET}
    stream = io.StringIO()
    with mock.patch.object(sys, "stderr", stream):
        configure(level, "json")  # type: ignore[arg-type]
    try:
        yield Log(stream, root.handlers[0])
    finally:
        root.handlers[:] = handlers
        root.setLevel(root_level)
        for name, was in levels.items():
            logging.getLogger(name).setLevel(was)
