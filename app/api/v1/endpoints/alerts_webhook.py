"""The plain door: for scripts, cron jobs and whatever can post JSON."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.api import ingest
from app.domain.integration import IntegrationKind

router = APIRouter(prefix="/webhooks", tags=["alerts in"])

EXAMPLE = {
    "title": "Disk almost full on db1",
    "severity": "high",
    "service": "database",
    "status": "firing",
    "dedup_key": "disk-full:db1",
    "description": "97 % of /var/lib/postgresql is used.",
    "tags": ["disk"],
    "labels": {"host": "db1"},
    "url": "https://grafana.example.org/d/disk",
}


@router.post("/alerts", **ingest.operation(EXAMPLE))
async def receive_alerts(request: Request) -> Response:
    """Take in alerts in Tocsin's own format: one, a list of them, or `{"alerts": […]}`.

    Only `title` is needed. The same `dedup_key` is the same problem; `"status": "resolved"`
    ends it.
    """
    return await ingest.take_in(request, IntegrationKind.ALERTS)
