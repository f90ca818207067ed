"""What sends spans to a collector, by OTLP over HTTP. Needs the extra `otel`; `telemetry` loads it.

Every span passes `Discreet` as it begins: FastAPI's own tell paths and query strings as they came,
and those of links hold secrets. What may be shown of a path is said later, by who knows.
"""

from collections.abc import Callable

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from app.core.version import VERSION

PATIENCE = 5  # seconds for one delivery to the collector
UNTOLD = ("url.path", "url.query")


class Discreet(SpanProcessor):
    """Takes out of a span what must not leave, as it begins."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        about = span.attributes or {}
        for name in UNTOLD:
            if name in about:
                span.set_attribute(name, "(left out)")


def start(endpoint: str) -> Callable[[], None]:
    """Make every tracer of this process send to `endpoint`, and say how to end that."""
    ours = Resource({"service.name": "tocsin", "service.version": VERSION})
    set_by_operator = OTELResourceDetector().detect()  # OTEL_SERVICE_NAME and its kind
    provider = TracerProvider(resource=ours.merge(set_by_operator), shutdown_on_exit=False)
    provider.add_span_processor(Discreet())
    exporter = OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces", timeout=PATIENCE)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return provider.shutdown
