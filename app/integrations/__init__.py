"""Translators from what monitoring tools send to what the rest of Tocsin understands.

A parser is a pure function of one request body. It never raises: what it cannot read it
says so, alert by alert, because behind every alert there may be a page.
"""

from collections.abc import Callable

from app.domain.integration import IntegrationKind, Readings
from app.integrations import alertmanager, alerts, elastic

PARSERS: dict[IntegrationKind, Callable[[bytes], Readings]] = {
    IntegrationKind.ELASTIC: elastic.read,
    IntegrationKind.ALERTMANAGER: alertmanager.read,
    IntegrationKind.ALERTS: alerts.read,
}


def read(kind: IntegrationKind, body: bytes) -> Readings:
    """What `body` says, read the way a tool of this `kind` writes."""
    return PARSERS[kind](body)
