"""Traces, for those who collect them; whoever does not pays next to nothing.

A span tells which route, which incident, which channel and how long; never a person, an address, a
text, a query string, or the secret of a link. Only `tracing` makes spans real, and it needs the
extra `otel`. Failures of the collector cost spans, never a request or a page.
"""

import importlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, StatusCode

from app.core.errors import SetupError

EXPORTER = "opentelemetry.exporter.otlp"
REQUEST_ID = "tocsin.request_id"
LONGEST_STATEMENT = 2_000

Attribute = str | int | float | bool

tracer = trace.get_tracer("tocsin")


@contextmanager
def tracing(endpoint: str | None) -> Iterator[None]:
    """While this lasts, send spans to the collector at `endpoint`, if there is one; the last of
    them when it ends."""
    stop = _start(endpoint) if endpoint else lambda: None
    try:
        yield
    finally:
        stop()


def _start(endpoint: str) -> Callable[[], None]:
    if not _is_installed():
        raise SetupError(
            "TOCSIN_OTLP_ENDPOINT is set, but what sends traces is not installed; install it with"
            " `pip install 'tocsin[otel]'`, or leave the setting out."
        )
    # A sixth of a second that only those wait for who want traces.
    stop: Callable[[], None] = importlib.import_module("app.core.otlp").start(endpoint)
    return stop


def _is_installed() -> bool:
    try:
        return find_spec(EXPORTER) is not None and find_spec("opentelemetry.sdk") is not None
    except ModuleNotFoundError:
        return False


def begin_request(request_id: str, path: str) -> None:
    """Let the span of this request be found by the id that the log and the answer have. Of its
    path it is told what may be seen."""
    span = trace.get_current_span()
    if span.is_recording():
        span.set_attribute(REQUEST_ID, request_id)
        span.set_attribute("url.path", path)


def name_request(method: str, route: str) -> None:
    """Say by which door this request came, where no framework sees it."""
    span = trace.get_current_span()
    if span.is_recording():
        span.update_name(f"{method} {route}")
        span.set_attribute("http.route", route)


@contextmanager
def spanning(name: str, **about: Attribute | None) -> Iterator[Span]:
    """A span around a piece of work; what is None is left out."""
    if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):  # nobody collects
        yield trace.INVALID_SPAN
        return
    with tracer.start_as_current_span(
        name,
        attributes=_named(about),
        record_exception=False,  # its text may hold what nobody should see
        set_status_on_exception=False,
    ) as span:
        yield span


def tell(**about: Attribute | None) -> None:
    """Say more of the span around this, once it is known."""
    span = trace.get_current_span()
    if span.is_recording():
        span.set_attributes(_named(about))


def fail(span: Span, kind: str) -> None:
    """Mark what a span is about as failed, by the kind of its error alone."""
    span.set_attribute("error.type", kind)
    span.set_status(StatusCode.ERROR)


def note(name: str, *, seconds: float, **about: Attribute | None) -> None:
    """A span for work that is over: it took so long, until now."""
    ended = time.time_ns()
    began = ended - int(seconds * 1e9)
    tracer.start_span(name, start_time=began, attributes=_named(about)).end(ended)


def begin_statement(statement: str) -> Span | None:
    """A span for a statement as it was prepared, without its values; None where nobody traces
    what it belongs to."""
    if not trace.get_current_span().is_recording():
        return None
    operation = statement.split(None, 1)[0].upper()
    about = {"db.system.name": "postgresql", "db.operation.name": operation}
    about["db.query.text"] = statement[:LONGEST_STATEMENT]
    return tracer.start_span(operation, kind=SpanKind.CLIENT, attributes=about)


def _named(about: dict[str, Attribute | None]) -> dict[str, Attribute]:
    return {f"tocsin.{name}": value for name, value in about.items() if value is not None}
