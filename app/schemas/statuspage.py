"""The shapes of Statuspage's public API, version 2, which programs all over know how to read.

Names are theirs. What they call an id is a text; ours are the codes and numbers that the public
knows anyway.
"""

from datetime import date

from pydantic import Field

from app.schemas.base import Instant, ReadSchema

ID = "9f86d081884c7d659a2feaa0"


class StatuspagePage(ReadSchema):
    id: str = Field(examples=["1"])
    name: str = Field(examples=["Example Status"])
    url: str = Field(examples=["https://status.example.org"])
    time_zone: str = Field(examples=["Europe/Berlin"])
    updated_at: Instant


class StatuspageIndicator(ReadSchema):
    indicator: str = Field(
        description="none, minor, major, critical or maintenance.", examples=["none"]
    )
    description: str = Field(examples=["All Systems Operational"])


class StatuspageComponent(ReadSchema):
    """A component, or (`group`) a group of them."""

    id: str = Field(examples=["1"])
    name: str = Field(examples=["Checkout"])
    status: str = Field(examples=["operational"])
    created_at: Instant
    updated_at: Instant
    position: int
    description: str | None
    showcase: bool
    start_date: date | None
    group_id: str | None
    page_id: str = Field(examples=["1"])
    group: bool
    only_show_if_degraded: bool
    components: list[str] | None = Field(None, description="Of a group: the ids of what is in it.")


class StatuspageAffectedComponent(ReadSchema):
    code: str = Field(examples=["1"])
    name: str = Field(examples=["Checkout"])
    old_status: str = Field(examples=["operational"])
    new_status: str = Field(examples=["partial_outage"])


class StatuspageUpdate(ReadSchema):
    id: str = Field(examples=["7"])
    status: str = Field(examples=["identified"])
    body: str = Field(examples=["We have found the cause."])
    incident_id: str = Field(examples=[ID])
    created_at: Instant
    updated_at: Instant
    display_at: Instant
    affected_components: list[StatuspageAffectedComponent]
    deliver_notifications: bool


class StatuspageIncident(ReadSchema):
    id: str = Field(examples=[ID])
    name: str = Field(examples=["Checkout is slow"])
    status: str = Field(examples=["investigating"])
    created_at: Instant
    updated_at: Instant
    monitoring_at: Instant | None
    resolved_at: Instant | None
    impact: str = Field(examples=["minor"])
    shortlink: str
    started_at: Instant
    page_id: str = Field(examples=["1"])
    incident_updates: list[StatuspageUpdate]
    components: list[StatuspageComponent]


class StatuspageMaintenance(StatuspageIncident):
    scheduled_for: Instant
    scheduled_until: Instant


class StatuspageSummary(ReadSchema):
    page: StatuspagePage
    components: list[StatuspageComponent]
    incidents: list[StatuspageIncident]
    scheduled_maintenances: list[StatuspageMaintenance]
    status: StatuspageIndicator


class StatuspageStatus(ReadSchema):
    page: StatuspagePage
    status: StatuspageIndicator


class StatuspageComponents(ReadSchema):
    page: StatuspagePage
    components: list[StatuspageComponent]


class StatuspageIncidents(ReadSchema):
    page: StatuspagePage
    incidents: list[StatuspageIncident]


class StatuspageMaintenances(ReadSchema):
    page: StatuspagePage
    scheduled_maintenances: list[StatuspageMaintenance]
