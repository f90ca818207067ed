"""Policies, and policies at work on incidents."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Float,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    false,
    func,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base_class import Base, Keyed, Revised, Stamped, one_of
from app.domain.escalation import EscalationEventStatus, EscalationStatus
from app.domain.quiet import WaitsFor


class EscalationPolicy(Keyed, Revised, Base):
    __tablename__ = "escalation_policies"
    __table_args__ = (
        CheckConstraint("repeat BETWEEN 0 AND 20", name="repeat_bounded"),
        CheckConstraint("final_delay_minutes >= 0", name="final_delay_positive"),
        CheckConstraint("ack_timeout_minutes > 0", name="ack_timeout_positive"),
        CheckConstraint("jsonb_typeof(conditions) = 'object'", name="conditions_object"),
        CheckConstraint(
            "jsonb_typeof(steps) = 'array' AND jsonb_array_length(steps) > 0", name="steps_some"
        ),
        Index(None, "team_id"),
    )

    name: Mapped[str] = mapped_column(String(255), unique=True)
    description: Mapped[str | None] = mapped_column(Text)
    conditions: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    steps: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    repeat: Mapped[int] = mapped_column(server_default="0")
    final_delay_minutes: Mapped[float] = mapped_column(Float, server_default="5")
    # How long an acknowledgement holds while the incident is not resolved; None: for good.
    ack_timeout_minutes: Mapped[float | None] = mapped_column(Float)
    team_id: Mapped[int | None] = mapped_column(ForeignKey("teams.id"))  # who owns it
    is_active: Mapped[bool] = mapped_column(server_default=true())


class Escalation(Keyed, Stamped, Base):
    """One policy at work on one incident, with its own frozen copy of the ladder.

    `next_step_at` is the clock: a row with one is due then, whatever else happens. While the
    escalation is paused a due time means "wake up": a snooze of an acknowledged incident ends,
    or its acknowledgement has held for as long as the policy lets it.
    """

    __tablename__ = "escalations"
    __table_args__ = (
        one_of("status", EscalationStatus),
        CheckConstraint("(status = 'active') <= (next_step_at IS NOT NULL)", name="active_is_due"),
        CheckConstraint(
            "status IN ('active', 'paused') OR next_step_at IS NULL", name="ended_is_never_due"
        ),
        CheckConstraint(
            "(status IN ('active', 'paused')) = (finished_at IS NULL)", name="finished_at"
        ),
        CheckConstraint("loop >= 0 AND next_step >= 0", name="position"),
        one_of("waits_for", WaitsFor),
        CheckConstraint("(waits_until IS NULL) = (waits_for IS NULL)", name="waits_for_something"),
        CheckConstraint("policy_id IS NULL OR NOT is_fallback", name="fallback_has_no_policy"),
        # One live escalation per incident and policy, and one live fallback per incident.
        Index(
            "uq_escalations_live_policy",
            "incident_id",
            "policy_id",
            unique=True,
            postgresql_where=text("status IN ('active', 'paused') AND NOT is_fallback"),
        ),
        Index(
            "uq_escalations_live_fallback",
            "incident_id",
            unique=True,
            postgresql_where=text("status IN ('active', 'paused') AND is_fallback"),
        ),
        Index(
            "ix_escalations_due",
            "is_critical",
            "next_step_at",
            "id",
            postgresql_where=text("next_step_at IS NOT NULL"),
        ),
        Index(None, "incident_id", "id"),
        Index(None, "policy_id"),
        Index(
            "ix_escalations_waiting",
            "incident_id",
            postgresql_where=text("waits_until IS NOT NULL"),
        ),
    )

    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"))
    policy_id: Mapped[int | None] = mapped_column(
        ForeignKey("escalation_policies.id", ondelete="SET NULL")
    )
    policy_name: Mapped[str] = mapped_column(String(255))
    is_fallback: Mapped[bool] = mapped_column(server_default=false())
    steps: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    repeat: Mapped[int] = mapped_column(server_default="0")
    final_delay_minutes: Mapped[float] = mapped_column(Float)
    ack_timeout_minutes: Mapped[float | None] = mapped_column(Float)
    # What is critical is taken first, however much else is due.
    is_critical: Mapped[bool] = mapped_column(server_default=false())
    # In a storm of its service: its first step waits until then, and is told with the others.
    held_until: Mapped[datetime | None]
    # Its service keeps it waiting until then: it has not begun, or not begun anew. Once it is due
    # it is asked again whether it still has to.
    waits_until: Mapped[datetime | None]
    waits_for: Mapped[WaitsFor | None]
    status: Mapped[EscalationStatus] = mapped_column(server_default=EscalationStatus.ACTIVE)
    # A loop number is never used twice, so a re-page always has a key of its own; waking up
    # after a snooze begins a new loop and moves the last one along.
    loop: Mapped[int] = mapped_column(server_default="0")
    last_loop: Mapped[int] = mapped_column(server_default="0")
    next_step: Mapped[int] = mapped_column(server_default="0")
    next_step_at: Mapped[datetime | None]
    # When the next step was due before a snooze put it off.
    deferred_from: Mapped[datetime | None]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    faults: Mapped[int] = mapped_column(server_default="0")
    last_fault: Mapped[str | None] = mapped_column(Text)


class EscalationEvent(Keyed, Base):
    """What one step of one loop came to."""

    __tablename__ = "escalation_events"
    __table_args__ = (
        UniqueConstraint("escalation_id", "loop", "step"),
        one_of("status", EscalationEventStatus),
        Index(None, "incident_id", "id"),
        Index(None, "policy_id"),
    )

    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"))
    policy_id: Mapped[int | None] = mapped_column(
        ForeignKey("escalation_policies.id", ondelete="SET NULL")
    )
    escalation_id: Mapped[int] = mapped_column(ForeignKey("escalations.id"))
    loop: Mapped[int]
    step: Mapped[int]
    status: Mapped[EscalationEventStatus]
    due_at: Mapped[datetime]
    triggered_at: Mapped[datetime] = mapped_column(server_default=func.now())
    completed_at: Mapped[datetime | None]
    facts: Mapped[dict[str, Any]] = mapped_column("metadata", JSONB, server_default="{}")
