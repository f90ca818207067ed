"""Monitors that must be heard of, what was heard of them, and when nothing was."""

from datetime import datetime, timedelta

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    SmallInteger,
    String,
    Text,
    func,
    text,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base_class import Base, Keyed, Revised, one_of
from app.domain.heartbeat_monitor import OutageCause, PingKind, Pulse
from app.domain.incident import Severity


class HeartbeatMonitor(Keyed, Revised, Base):
    """Somebody who must be heard of. Its row is the lock that pings and the loop meet at.

    `expected_at` is when the next ping shall be here, grace not counted. `due_at` is when the loop
    looks at the row, never later than the end of the grace: it is indexed, so it moves seldom, and
    a ping that leaves it alone touches no index.
    """

    __tablename__ = "heartbeat_monitors"
    __table_args__ = (
        one_of("severity", Severity),
        one_of("pulse", Pulse),
        one_of("last_ping_kind", PingKind),
        CheckConstraint("name <> ''", name="named"),
        CheckConstraint("interval_seconds > 0 AND grace_seconds > 0", name="spans"),
        CheckConstraint("(pulse = 'down') = (down_since IS NOT NULL)", name="down_since"),
        CheckConstraint(
            "(due_at IS NOT NULL) = (is_active AND pulse <> 'new')", name="due_unless_it_waits"
        ),
        CheckConstraint(
            "pulse <> 'up' OR due_at IS NULL OR expected_at IS NOT NULL", name="up_is_expected"
        ),
        Index(
            "ix_heartbeat_monitors_due_at",
            "due_at",
            "id",
            postgresql_where=text("due_at IS NOT NULL"),
        ),
        Index(
            "ix_heartbeat_monitors_incident_id",
            "incident_id",
            postgresql_where=text("incident_id IS NOT NULL"),
        ),
        Index(None, "created_by"),
    )

    name: Mapped[str] = mapped_column(String(100), unique=True)
    description: Mapped[str | None] = mapped_column(String(1000))
    service: Mapped[str | None] = mapped_column(String(100))
    severity: Mapped[Severity] = mapped_column(server_default=Severity.HIGH)
    interval_seconds: Mapped[int]
    grace_seconds: Mapped[int]
    is_active: Mapped[bool] = mapped_column(server_default=true())
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    hint: Mapped[str] = mapped_column(String(20))  # the token's first characters
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))

    pulse: Mapped[Pulse] = mapped_column(server_default=Pulse.NEW)
    ping_count: Mapped[int] = mapped_column(server_default="0")
    last_ping_at: Mapped[datetime | None]
    last_ping_kind: Mapped[PingKind | None]
    started_at: Mapped[datetime | None]  # of the run under way
    last_run_seconds: Mapped[float | None]
    expected_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    down_since: Mapped[datetime | None]
    # What was opened last in the outage that lasts. It may be resolved by now.
    incident_id: Mapped[int | None] = mapped_column(ForeignKey("incidents.id"))

    @property
    def interval(self) -> timedelta:
        return timedelta(seconds=self.interval_seconds)

    @property
    def grace(self) -> timedelta:
        return timedelta(seconds=self.grace_seconds)

    @property
    def misses_at(self) -> datetime | None:
        """When it is down unless it was heard of; None while nothing is expected."""
        if not self.is_active or self.pulse is not Pulse.UP or self.expected_at is None:
            return None
        return self.expected_at + self.grace

    def expect(self, at: datetime, now: datetime) -> None:
        """Expect the next ping at this time, if any is expected at all."""
        if self.pulse is Pulse.UP:
            self.expected_at = at
        if not self.is_active or self.pulse is Pulse.NEW:
            self.due_at = None
        elif self.pulse is Pulse.UP:
            self.due_at = at + self.grace
        else:
            self.due_at = now + self.interval + self.grace


class HeartbeatPing(Base):
    """One of a monitor's last pings. The newest takes the slot of the oldest: nothing to clear."""

    __tablename__ = "heartbeat_pings"
    __table_args__ = (one_of("kind", PingKind),)

    monitor_id: Mapped[int] = mapped_column(ForeignKey("heartbeat_monitors.id"), primary_key=True)
    slot: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    number: Mapped[int]
    received_at: Mapped[datetime]
    kind: Mapped[PingKind]
    note: Mapped[str | None] = mapped_column(Text)


class HeartbeatOutage(Keyed, Base):
    """A time in which a monitor was down. It has one at a time."""

    __tablename__ = "heartbeat_outages"
    __table_args__ = (
        one_of("cause", OutageCause),
        Index(None, "monitor_id", "id"),
        Index(
            "uq_heartbeat_outages_under_way",
            "monitor_id",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index(None, "incident_id"),
    )

    monitor_id: Mapped[int] = mapped_column(ForeignKey("heartbeat_monitors.id"))
    cause: Mapped[OutageCause]
    note: Mapped[str | None] = mapped_column(Text)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"))
    began_at: Mapped[datetime] = mapped_column(server_default=func.now())
    ended_at: Mapped[datetime | None]


class HeartbeatListening(Base):
    """When any process last said that pings could come in, in the one row there is."""

    __tablename__ = "heartbeat_listening"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    seen_at: Mapped[datetime]
