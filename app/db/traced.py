"""A span for each statement, inside of what is traced anyway; never the values of one."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import ExceptionContext

from app.core import telemetry

SPAN = "span"


def watch(engine: Engine) -> None:
    """Trace every statement of this engine that a traced request or page makes."""
    event.listen(engine, "before_cursor_execute", _begin)
    event.listen(engine, "after_cursor_execute", _end)
    event.listen(engine, "handle_error", _fail)


@contextmanager
def asking(statement: str) -> Iterator[None]:
    """The same around one that goes to the driver itself."""
    span = telemetry.begin_statement(statement)
    if span is None:
        yield
        return
    try:
        yield
    except BaseException as error:
        telemetry.fail(span, type(error).__name__)
        raise
    finally:
        span.end()


def _begin(connection: Connection, _: Any, statement: str, *__: Any) -> None:
    span = telemetry.begin_statement(statement)
    if span is not None:
        connection.info[SPAN] = span


def _end(connection: Connection, *_: Any) -> None:
    span = connection.info.pop(SPAN, None)
    if span is not None:
        span.end()


def _fail(context: ExceptionContext) -> None:
    if context.connection is None or context.connection.invalidated:
        return
    span = context.connection.info.pop(SPAN, None)
    if span is not None:
        telemetry.fail(span, type(context.original_exception).__name__)
        span.end()
