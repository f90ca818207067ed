"""Alertmanager's door: its webhook receiver, version 4."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.api import ingest
from app.domain.integration import IntegrationKind

router = APIRouter(prefix="/webhooks", tags=["alerts in"])

EXAMPLE = {
    "version": "4",
    "groupKey": '{}:{alertname="HighCPU"}',
    "truncatedAlerts": 0,
    "status": "firing",
    "receiver": "tocsin",
    "groupLabels": {"alertname": "HighCPU"},
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "HighCPU", "instance": "h1", "severity": "critical"},
            "annotations": {"summary": "cpu high"},
            "startsAt": "2026-11-21T07:07:55.294Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "https://prometheus.example.org/graph",
            "fingerprint": "05a50f9306f6d8c2",
        }
    ],
}


@router.post("/alertmanager", **ingest.operation(EXAMPLE))
async def receive_from_alertmanager(request: Request) -> Response:
    """Take in a group of alerts from Prometheus Alertmanager.

    Each alert is one problem, known by its fingerprint. An alert that is missing from a
    complete group is over.
    """
    return await ingest.take_in(request, IntegrationKind.ALERTMANAGER)
