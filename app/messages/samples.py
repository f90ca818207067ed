"""A believable incident of each kind, for previews and for trying a wording before it is kept.

`FULL` has everything that a message can have, `BARE` only what it must have.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from app.domain.notification import NotificationKind
from app.messages.facts import AssignmentFacts, PageFacts, UpdateFacts

NOW = datetime(2026, 11, 21, 3, 13, tzinfo=UTC)

PAGE = PageFacts(
    incident_id=4711,
    title="Disk almost full on db-1",
    description="The volume fills by 2 GB an hour.\n\nFree the archived logs first.",
    severity="critical",
    service="database",
    source="Prometheus",
    url="https://grafana.example.org/d/db?var-host=db-1",
    opened_at=datetime(2026, 11, 21, 3, 12, 5, tzinfo=UTC),
    alert_count=12,
    policy_name="Databases, day and night",
    is_fallback=False,
    loop=0,
    step=1,
    step_count=3,
    message="Call Bob before you restart anything.",
    recipient="Ana",
    acknowledge_url="https://tocsin.example.org/a/MTIz.kM3nVb8xQ2",
    api_url="https://tocsin.example.org/v1/incidents/4711",
    is_resend=False,
    tags=("production", "storage"),
    labels={"host": "db-1", "team": "storage"},
)
UPDATE = UpdateFacts(
    incident_id=PAGE.incident_id,
    title=PAGE.title,
    severity=PAGE.severity,
    service=PAGE.service,
    url=PAGE.url,
    opened_at=PAGE.opened_at,
    alert_count=PAGE.alert_count,
    recipient=PAGE.recipient,
    api_url=PAGE.api_url,
    tags=PAGE.tags,
    labels=PAGE.labels,
    actor="Bob",
)
ASSIGNMENT = AssignmentFacts(**vars(UPDATE), role="commander")

FULL: Mapping[NotificationKind, PageFacts | UpdateFacts] = {
    NotificationKind.PAGE: PAGE,
    NotificationKind.ACKNOWLEDGED: UPDATE,
    NotificationKind.RESOLVED: UPDATE,
    NotificationKind.ASSIGNED: ASSIGNMENT,
}
BARE: Mapping[NotificationKind, PageFacts | UpdateFacts] = {
    NotificationKind.PAGE: replace(
        PAGE,
        description=None,
        source=None,
        url=None,
        alert_count=0,
        message=None,
        recipient=None,
        acknowledge_url=None,
        tags=(),
        labels={},
    ),
    **{
        kind: replace(facts, url=None, alert_count=0, recipient=None, tags=(), labels={})
        for kind, facts in FULL.items()
        if kind is not NotificationKind.PAGE
    },
}
