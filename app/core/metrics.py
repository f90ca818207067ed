"""The figures of one process that are counted where things happen; `/metrics` shows them.

Counting is cheap enough for the hottest path: no I/O, no lock that anybody waits for. Every
label takes its values from a list that the code knows (a channel, a kind, a route's template), so
nobody from outside can make a figure grow. Each service has a registry of its own.
"""

import platform
from datetime import timedelta
from enum import StrEnum

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from app.core.version import VERSION
from app.domain.heartbeat_monitor import OutageCause, PingKind
from app.domain.integration import AlertOutcome, IntegrationKind
from app.domain.notification import Channel, NotificationKind
from app.domain.webhook import DeliveryStatus, DisabledBecause

# From a moment that nobody notices to one that ends in a post-mortem.
LATENESS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
DURATIONS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

# A second series for each counter, which nobody reads.
disable_created_metrics()  # type: ignore[no-untyped-call]  # the library forgot its type


class Settled(StrEnum):
    """What came of one attempt at a message."""

    SENT = "sent"
    RESENT = "resent"  # sent, after a sender had vanished over it: maybe a second time
    KEPT = "kept"  # in the local outbox: nobody was told
    RETRIED = "retried"  # did not go out, and will be tried again
    FAILED = "failed"  # given up
    CANCELLED = "cancelled"  # no longer to be sent
    HANDED_BACK = "handed_back"  # not tried: its provider is down, or this process stops


LEFT = frozenset({Settled.SENT, Settled.RESENT, Settled.KEPT})


class Metrics:
    """Counters and histograms, with a method for everything that is counted."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        build = Info("tocsin_build", "Which Tocsin this is.", registry=self.registry)
        build.info({"version": VERSION, "python": platform.python_version()})
        self._steps = Histogram(
            "tocsin_step_lateness_seconds",
            "How long after its due time a step of a policy was taken.",
            buckets=LATENESS,
            registry=self.registry,
        )
        self._pages = Histogram(
            "tocsin_page_lateness_seconds",
            "How long after its due time a page left.",
            ["channel"],
            buckets=LATENESS,
            registry=self.registry,
        )
        self._messages = Counter(
            "tocsin_messages",
            "What came of attempts at messages.",
            ["channel", "kind", "outcome"],
            registry=self.registry,
        )
        self._alerts = Counter(
            "tocsin_alerts",
            "Alerts taken in, by what became of them.",
            ["kind", "outcome"],
            registry=self.registry,
        )
        self._requests = Histogram(
            "tocsin_http_request_seconds",
            "How long answers took, by the template of their route.",
            ["method", "route", "status"],
            buckets=DURATIONS,
            registry=self.registry,
        )
        self._heartbeats = Counter(
            "tocsin_heartbeats",
            "Heartbeats sent, withheld because Tocsin stands still, and not taken by the monitor.",
            ["outcome"],
            registry=self.registry,
        )
        self._deliveries = Counter(
            "tocsin_webhook_deliveries",
            "What came of attempts at webhook deliveries.",
            ["outcome"],
            registry=self.registry,
        )
        self._delivery_age = Histogram(
            "tocsin_webhook_delivery_seconds",
            "How long after its event a webhook delivery was taken by its endpoint.",
            buckets=LATENESS,
            registry=self.registry,
        )
        self._disabled = Counter(
            "tocsin_webhook_subscriptions_disabled",
            "Webhook subscriptions that Tocsin switched off.",
            ["reason"],
            registry=self.registry,
        )
        self._pings = Counter(
            "tocsin_heartbeat_pings",
            "Pings taken in from monitors that must be heard of.",
            ["kind"],
            registry=self.registry,
        )
        self._outages = Counter(
            "tocsin_heartbeat_outages",
            "Monitors that went down, because they were missed or said that they failed.",
            ["cause"],
            registry=self.registry,
        )
        # Finding a child by its labels costs more than counting with it.
        self._of_route: dict[tuple[str, str, int], Histogram] = {}
        self._of_alert: dict[tuple[str, str], Counter] = {}
        self._of_message: dict[tuple[str, str, Settled], Counter] = {}
        self._begin_at_zero()

    def _begin_at_zero(self) -> None:
        """A figure that is there from the start: so even the first of its kind is a rise."""
        for channel in Channel:
            self._pages.labels(channel)
            for settled in Settled:
                self._message(channel, NotificationKind.PAGE, settled)
        for kind in IntegrationKind:
            for outcome in AlertOutcome:
                self.alerts_taken_in(kind, outcome, 0)
        for became in set(DeliveryStatus) - {DeliveryStatus.SENDING}:
            self._deliveries.labels(became)
        for because in DisabledBecause:
            self._disabled.labels(because)
        for kind_of_ping in PingKind:
            self._pings.labels(kind_of_ping)
        for cause in OutageCause:
            self._outages.labels(cause)

    def step_taken(self, lateness: timedelta) -> None:
        """A step was taken, and that is committed, so long after it was due."""
        self._steps.observe(max(lateness.total_seconds(), 0.0))

    def page_settled(
        self, channel: str, kind: str, outcome: Settled, lateness: timedelta | None = None
    ) -> None:
        """An attempt at a message came to that; `lateness` is since the due time of a page."""
        self._message(channel, kind, outcome).inc()
        if lateness is not None and outcome in LEFT:
            self._pages.labels(channel).observe(max(lateness.total_seconds(), 0.0))

    def _message(self, channel: str, kind: str, outcome: Settled) -> Counter:
        key = (channel, kind, outcome)
        child = self._of_message.get(key)
        if child is None:
            child = self._of_message[key] = self._messages.labels(*key)
        return child

    def alerts_taken_in(self, kind: str, outcome: str, count: int = 1) -> None:
        """So many alerts of one kind of integration came to that, and it is durable."""
        key = (kind, outcome)
        child = self._of_alert.get(key)
        if child is None:
            child = self._of_alert[key] = self._alerts.labels(*key)
        child.inc(count)

    def heartbeat_pinged(self, kind: PingKind) -> None:
        """A ping of a monitor was taken in, and that is durable."""
        self._pings.labels(kind).inc()

    def heartbeat_outages(self, cause: OutageCause, count: int) -> None:
        """So many monitors went down."""
        self._outages.labels(cause).inc(count)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered. `route` is a template, never a path that somebody sent."""
        key = (method, route, status // 100)
        child = self._of_route.get(key)
        if child is None:
            verb = method if method in METHODS else "other"
            child = self._requests.labels(verb, route, f"{key[2]}xx")
            if verb == method:
                self._of_route[key] = child
        child.observe(seconds)

    def delivery_settled(self, became: DeliveryStatus, age: timedelta) -> None:
        """An attempt at a webhook delivery came to that, so long after its event."""
        self._deliveries.labels(became).inc()
        if became is DeliveryStatus.DELIVERED:
            self._delivery_age.observe(max(age.total_seconds(), 0.0))

    def subscription_disabled(self, because: DisabledBecause) -> None:
        self._disabled.labels(because).inc()

    def heartbeat(self, outcome: str) -> None:
        self._heartbeats.labels(outcome).inc()

    def render(self) -> bytes:
        """All of them, in Prometheus' text format."""
        return generate_latest(self.registry)
