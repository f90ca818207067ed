"""Fire drills: test pages that go the whole real way, and when they were answered."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, func
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base_class import Base, Keyed


class FireDrill(Keyed, Base):
    """One drill. Its incident carries the pages; an answer ends both.

    With a policy it reaches whoever the policy would reach now, else the person who started
    it; with a contact method that one alone, which the answer verifies.
    """

    __tablename__ = "fire_drills"
    __table_args__ = (
        CheckConstraint("num_nonnulls(policy_id, contact_method_id) <= 1", name="one_aim"),
        CheckConstraint("answered_at IS NOT NULL OR answered_by IS NULL", name="answer_whole"),
        Index(None, "started_by", "id"),
        Index(None, "policy_id"),
        Index(None, "contact_method_id"),
        Index(None, "answered_by"),
        Index(None, "notification_id"),
    )

    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"), unique=True)
    started_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    policy_id: Mapped[int | None] = mapped_column(
        ForeignKey("escalation_policies.id", ondelete="SET NULL")
    )
    policy_name: Mapped[str | None] = mapped_column(String(255))
    contact_method_id: Mapped[int | None] = mapped_column(
        ForeignKey("contact_methods.id", ondelete="SET NULL")
    )
    started_at: Mapped[datetime] = mapped_column(server_default=func.now())
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    # The message whose link was the answer; None: it was answered elsewhere.
    notification_id: Mapped[int | None] = mapped_column(ForeignKey("notifications.id"))
    # It ran out without an answer.
    missed_at: Mapped[datetime | None]
