"""`GET /metrics`: what one process counted, and how the promises stand in the database.

Whoever may read it learns counts by channel, route and provider: no incident and no person.
Figures of the database are left out while it cannot be reached; `tocsin_database_up` says so.
"""

from collections.abc import Iterable, Iterator
from secrets import compare_digest
from typing import Any

from fastapi import APIRouter, Request, Response
from prometheus_client import Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from app.api.deps import ServiceDep
from app.api.state import Pulse, Service
from app.api.watch import Look
from app.core.config import Settings
from app.core.errors import UnauthorizedError
from app.crud import crud_health

router = APIRouter(tags=["health"])

MOST_PROVIDERS = 50  # with a figure of their own; those in trouble come first
BREAKER = {"closed": 0, "half_open": 1, "open": 2}


FIGURES: dict[str, Any] = {
    "description": "Prometheus’ text format.",
    "content": {"text/plain": {"schema": {"type": "string"}, "example": "tocsin_steps_due 0.0\n"}},
}
# Said by hand: the framework would take it for text, too.
REFUSAL: dict[str, Any] = {
    "description": "A token is set for this, and another came, or none.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorRead"}}},
}


class TextResponse(Response):
    media_type = "text/plain"


class _Given:
    """Figures that are known now and not kept."""

    def __init__(self, figures: Iterable[Metric]) -> None:
        self._figures = list(figures)

    def collect(self) -> Iterator[Metric]:
        yield from self._figures


@router.get(
    "/metrics",
    operation_id="read_metrics",
    response_class=TextResponse,
    responses={200: FIGURES, 401: REFUSAL},
)
async def read_metrics(request: Request, service: ServiceDep) -> Response:
    """Figures for Prometheus. Open, unless a token is set for it."""
    _let_in(request, service.settings)
    look = await service.watch.look(service.database)
    now = _Given(_figures(service, look))
    return Response(
        service.metrics.render() + generate_latest(now),
        media_type=CONTENT_TYPE_PLAIN_0_0_4,
    )


def _let_in(request: Request, settings: Settings) -> None:
    if settings.metrics_token is None:
        return
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    wanted = settings.metrics_token.get_secret_value()
    is_right = compare_digest(token.strip().encode(), wanted.encode())
    if scheme.lower() != "bearer" or not is_right:
        raise UnauthorizedError(
            "Send the value of TOCSIN_METRICS_TOKEN as `Authorization: Bearer …`."
        )


def _figures(service: Service, look: Look | None) -> Iterator[Metric]:
    in_use, most = crud_health.connections(service.database)
    yield _gauge("tocsin_database_connections_in_use", "Of this process.", in_use)
    yield _gauge("tocsin_database_connections_most", "That this process may use.", most)
    yield _gauge(
        "tocsin_alerts_waiting",
        "Requests with alerts that wait to be written by this process.",
        service.intake.waiting,
    )
    streams = GaugeMetricFamily(
        "tocsin_streams_open", "Streams that this process tells events to.", labels=["transport"]
    )
    for transport, count in service.feed.open_streams.items():
        streams.add_metric([transport], count)
    yield streams
    yield from _of_loops(service.pulse)
    yield _gauge("tocsin_database_up", "Whether the database could be asked.", look is not None)
    if look is not None:
        yield from _of_database(look)


def _of_database(look: Look) -> Iterator[Metric]:
    yield _gauge("tocsin_database_takes_writes", "0: a standby, or read-only.", look.takes_writes)
    yield _gauge(
        "tocsin_database_oldest_snapshot_seconds",
        "How long the oldest snapshot in this database has been held, as far as the role can see.",
        look.sessions.oldest_snapshot,
    )
    yield _gauge(
        "tocsin_database_oldest_idle_transaction_seconds",
        "How long the oldest open transaction has done nothing, as far as the role can see.",
        look.sessions.oldest_idle_transaction,
    )
    steps, messages = look.backlog.steps, look.backlog.messages
    yield _gauge(
        "tocsin_steps_due", "Steps that are due and not taken; 10001 is “more”.", steps.due
    )
    yield _gauge(
        "tocsin_step_oldest_due_seconds", "How long the oldest of them is due.", steps.waiting
    )
    queues = {str(channel): queue for channel, queue in messages.items()}
    yield _by_channel(
        "tocsin_messages_due",
        "Messages that may leave and that nobody has taken; 10001 is “more”.",
        {channel: queue.due for channel, queue in queues.items()},
    )
    yield _by_channel(
        "tocsin_message_oldest_due_seconds",
        "How long the oldest of them may leave.",
        {channel: queue.waiting for channel, queue in queues.items()},
    )
    yield _by_channel(
        "tocsin_page_oldest_unsent_seconds",
        "How late the most overdue page is that has not left, retries included.",
        {channel: queue.late for channel, queue in queues.items()},
    )
    heartbeats = GaugeMetricFamily(
        "tocsin_heartbeat_monitors", "Monitors that must be heard of.", labels=["state"]
    )
    for state, count in look.heartbeats.items():
        heartbeats.add_metric([state], count)
    yield heartbeats


def _of_loops(pulse: Pulse) -> Iterator[Metric]:
    age = GaugeMetricFamily(
        "tocsin_loop_age_seconds", "How long ago a loop of this process turned.", labels=["loop"]
    )
    alive = GaugeMetricFamily(
        "tocsin_loop_alive", "Whether a loop of this process turns as it should.", labels=["loop"]
    )
    for name, loop in pulse.report().items():
        age.add_metric([name], loop["seconds_since_last_round"])
        alive.add_metric([name], loop["alive"])
    yield age
    yield alive
    yield _breakers(pulse.providers())
    overdue = GaugeMetricFamily(
        "tocsin_overdue", "Promises that the auditor found forgotten.", labels=["promise"]
    )
    for promise, count in (pulse.overdue() or {}).items():
        overdue.add_metric([promise], count)
    yield overdue


def _breakers(providers: dict[str, Any]) -> Metric:
    family = GaugeMetricFamily(
        "tocsin_breaker_state",
        "Whether a provider is sent to: 0 yes, 1 probes only, 2 no.",
        labels=["channel", "provider"],
    )
    found = [
        (BREAKER.get(one["state"], 0), channel, name)
        for channel, behind in providers.items()
        for name, one in behind.items()
    ]
    for state, channel, name in sorted(found, reverse=True)[:MOST_PROVIDERS]:
        family.add_metric([channel, name], state)
    return family


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(name, meaning, value=value)


def _by_channel(name: str, meaning: str, values: dict[str, float]) -> Metric:
    family = GaugeMetricFamily(name, meaning, labels=["channel"])
    for channel, value in values.items():
        family.add_metric([channel], value)
    return family
