"""Heartbeats: monitors that must be heard of, their pings and their outages."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from app.domain.heartbeat_monitor import (
    LONGEST_SECONDS,
    SHORTEST_SECONDS,
    MonitorState,
    OutageCause,
    PingKind,
    state_of,
)
from app.domain.incident import Severity
from app.models import HeartbeatMonitor
from app.schemas.base import Instant, ReadSchema, WriteSchema, not_null
from app.schemas.types import Flag, LabelText, Name, NumberOnly, ServiceName, SeverityWord

ADDRESS = "https://tocsin.example.org/v1/ping/thb_5Vd2mJqk0xkZ1r8cPw7tQnYb3Lh6Gs9A"

Seconds = Annotated[int, Field(ge=SHORTEST_SECONDS, le=LONGEST_SECONDS), NumberOnly]
Interval = Annotated[
    Seconds, Field(description="A good ping is expected within so many seconds of the last.")
]
Grace = Annotated[
    Seconds, Field(description="How many seconds it may be late before an incident opens.")
]
Service = Annotated[
    ServiceName | None,
    Field(description="The service of its incidents; left out, the monitor’s name."),
]


class HeartbeatCreate(WriteSchema):
    name: Name = Field(examples=["Nightly backup"])
    description: LabelText | None = Field(
        None, description="What to do when it is silent: told with the incident."
    )
    service: Service = Field(None, examples=["database"])
    severity: SeverityWord = Severity.HIGH
    interval_seconds: Interval = Field(examples=[86_400])
    grace_seconds: Grace = Field(300, examples=[1_800])
    is_active: Flag = True


class HeartbeatUpdate(WriteSchema):
    """Only the named fields are written."""

    name: Name | None = None
    description: LabelText | None = None
    service: Service = None
    severity: SeverityWord | None = None
    interval_seconds: Interval | None = None
    grace_seconds: Grace | None = None
    is_active: Flag | None = Field(None, description="False: nothing is expected of it.")

    _kept = not_null("name", "severity", "interval_seconds", "grace_seconds", "is_active")


class HeartbeatRead(ReadSchema):
    id: int
    name: str
    description: str | None
    service: str | None
    severity: Severity
    interval_seconds: int
    grace_seconds: int
    is_active: bool
    state: MonitorState = Field(
        description="`new`: it waits for its first ping. `late`: its interval is over, its grace is"
        " not. `down`: it was missed, or reported a failure. `paused`: it is not active."
    )
    hint: str = Field(description="How its ping URL’s token begins.", examples=["thb_5Vd2"])
    ping_count: int
    last_ping_at: Instant | None
    last_ping_kind: PingKind | None
    last_run_seconds: float | None = Field(
        description="How long the last run took that told its start and its end."
    )
    expected_at: Instant | None = Field(
        description="When the next ping is expected; null while none is."
    )
    misses_at: Instant | None = Field(
        description="When an incident opens unless it is heard of; null while none would."
    )
    down_since: Instant | None
    incident_id: int | None = Field(description="Of the outage that lasts.")
    created_by: int | None
    revision: int
    created_at: Instant
    updated_at: Instant

    @classmethod
    def at(cls, monitor: HeartbeatMonitor, now: datetime) -> Self:
        """How a monitor stands at `now`."""
        known = {name: getattr(monitor, name, None) for name in cls.model_fields}
        state = state_of(
            monitor.pulse,
            is_active=monitor.is_active,
            expected_at=monitor.expected_at,
            now=now,
        )
        expected_at = None if monitor.misses_at is None else monitor.expected_at
        return cls.model_validate({**known, "state": state, "expected_at": expected_at})


class HeartbeatCreated(HeartbeatRead):
    ping_url: str = Field(
        description="Shown this once. Whoever knows it can keep the alarm silent.",
        examples=[ADDRESS],
    )


class HeartbeatPingRead(ReadSchema):
    number: int = Field(description="Counted from 1 over the monitor’s life.")
    received_at: Instant
    kind: PingKind
    note: str | None = Field(
        description="What its body said: up to 1,000 characters.", examples=["12 tables, 3.4 GB"]
    )


class HeartbeatPingsRead(ReadSchema):
    """All that are kept, newest first."""

    items: list[HeartbeatPingRead]


class HeartbeatOutageRead(ReadSchema):
    id: int
    cause: OutageCause
    note: str | None = Field(description="What came with the report of a failure.")
    incident_id: int = Field(description="What was opened last in this outage.")
    began_at: Instant
    ended_at: Instant | None = Field(description="Null while it lasts.")
