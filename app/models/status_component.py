"""The parts of the service that the public knows, and how each of them was when."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, false, text, true
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base_class import Base, Keyed, Revised, one_of
from app.domain.status_component import ComponentStatus


class ComponentGroup(Keyed, Revised, Base):
    """Components that belong together. One that is deleted leaves them without a group."""

    __tablename__ = "component_groups"
    __table_args__ = (
        CheckConstraint("name <> ''", name="named"),
        Index(None, "position", "id"),
    )

    name: Mapped[str] = mapped_column(String(100))
    description: Mapped[str | None] = mapped_column(Text)
    position: Mapped[int] = mapped_column(server_default="0")


class StatusComponent(Keyed, Revised, Base):
    """A part of the service, in words for the public.

    `status` is what is shown: the worst of `set_status`, what somebody set by hand, and what its
    public incidents and maintenances say. Its spells say the same of the past.
    """

    __tablename__ = "status_components"
    __table_args__ = (
        one_of("status", ComponentStatus),
        one_of("set_status", ComponentStatus),
        CheckConstraint("name <> ''", name="named"),
        Index(None, "position", "id"),
        Index(None, "group_id"),
        Index(None, "service_id"),
    )

    name: Mapped[str] = mapped_column(String(100))
    description: Mapped[str | None] = mapped_column(Text)
    group_id: Mapped[int | None] = mapped_column(
        ForeignKey("component_groups.id", ondelete="SET NULL")
    )
    position: Mapped[int] = mapped_column(server_default="0")
    status: Mapped[ComponentStatus] = mapped_column(server_default=ComponentStatus.OPERATIONAL)
    set_status: Mapped[ComponentStatus] = mapped_column(server_default=ComponentStatus.OPERATIONAL)
    only_show_if_degraded: Mapped[bool] = mapped_column(server_default=false())
    shows_uptime: Mapped[bool] = mapped_column(server_default=true())
    # The internal service behind it, for those who publish; the public never learns of it.
    service_id: Mapped[int | None] = mapped_column(ForeignKey("services.id", ondelete="SET NULL"))
    deleted_at: Mapped[datetime | None]


class ComponentSpell(Keyed, Base):
    """A time in which a component had one status: [starts_at, ends_at), without an end: still.

    Those of a component follow each other without a gap from when it was made.
    """

    __tablename__ = "component_spells"
    __table_args__ = (
        one_of("status", ComponentStatus),
        CheckConstraint("ends_at > starts_at", name="lasts"),
        Index(
            "uq_component_spells_current",
            "component_id",
            unique=True,
            postgresql_where=text("ends_at IS NULL"),
        ),
        Index(None, "component_id", "ends_at"),
    )

    component_id: Mapped[int] = mapped_column(ForeignKey("status_components.id"))
    status: Mapped[ComponentStatus]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
