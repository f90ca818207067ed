"""Elastic APM's door: what Kibana's Webhook connector posts."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.api import ingest
from app.domain.integration import IntegrationKind

router = APIRouter(prefix="/webhooks", tags=["alerts in"])

EXAMPLE = {
    "source": "elastic-apm",
    "dedup_key": "4f1c8d0e:checkout_production",
    "status": "threshold_met",
    "title": "Error count threshold",
    "reason": "Error count is 31 in the last 5 mins for checkout. Alert when > 25.",
    "service": "checkout",
    "environment": "production",
    "value": "31",
    "threshold": "25",
    "url": "https://kibana.example.org/app/observability/alerts/1",
    "tags": "apm,checkout",
    "timestamp": "2026-11-21T03:00:00.000Z",
}


@router.post("/elastic", **ingest.operation(EXAMPLE))
async def receive_from_elastic(request: Request) -> Response:
    """Take in an alert from Elastic APM through Kibana.

    The body is the template of docs/integrations/elastic.md; many other spellings are
    understood. A recovery resolves the incident that its alert opened.
    """
    return await ingest.take_in(request, IntegrationKind.ELASTIC)
